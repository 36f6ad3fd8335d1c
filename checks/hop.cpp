// hop: does a packet like the service's own leave the site? The question of a second round, where a
// probe was silent or refused: to that host and port, with a TTL that ends at the first router
// beyond the site's edge (SiteEdge), so that nothing reaches the far end.
//
// Over TCP it sends a SYN; over UDP the payload that `payload` names, since devices that inspect
// may pass one protocol and drop another on the same port. Asks twice, because one packet may get
// lost; a wave's control goes to `control`, a TCP listener that was reached. Outcomes:
//   passed    "left_site": a router beyond the edge saw it (ICMP time exceeded)
//   silent    "dropped": twice nothing, where the control, sent after it, was answered;
//             "silent": no more is known (no router there answers, or it had run out of answers
//             and may not even have been asked: no attempts then)
//   rejected  "prohibited": a device on the way said no (ICMP), and is named;
//             "refused_on_the_way": a TCP reset from nearer than the edge;
//             "kept_here": this computer did not let it out, or reset it itself: a SYN that cannot
//             leave it is reset as well
//   connected "answered_on_the_way": somebody nearer than the edge took the connection
//   skipped   "no_route": this computer has no way there;
//             "spared": another of the row's TCP ports of its kind passes to that host
// Evidence "hop": `result` (the detail), `by` (who sent the ICMP error), `ttl`, `payload`; for a
// spared port `port`, the one that passes; for a connection that was answered on the way `who`:
// "this_computer" if the system says that its other end is here, "sooner_than_the_router" if one
// to 192.0.2.1, which nobody has, is established much sooner than the first router answers.
#include <fmt/format.h>

#include "checks/kinds.hpp"
#include "checks/sip_exchange.hpp"
#include "probe/model/flow_event.hpp"
#include "probe/net/own_answers.hpp"
#include "probe/net/stun.hpp"
#include "probe/net/timeouts.hpp"
#include "probe/util/text.hpp"

namespace callready::checks {
namespace {

constexpr int strikes_needed = 2;

using Bytes = std::vector<std::uint8_t>;

// What the service's own client would send first; nothing for a word that is none of these.
std::optional<Bytes> payload_of(Context& context, Job job, const SocketAddress& local) {
  const auto payload = parse<Cargo>(job.parameter("payload", "rtp"));
  if (payload == Cargo::rtp) {
    Bytes packet(172, 0xff);  // RFC 3550 section 5.1: version 2, G.711 silence
    packet[0] = 0x80;
    packet[1] = 0x00;
    return packet;
  }
  if (payload == Cargo::stun || payload == Cargo::turn) {
    const auto id = stun::new_transaction_id();
    const auto method = payload == Cargo::stun ? stun::Method::binding : stun::Method::allocate;
    stun::Builder builder(stun::Class::request, method, id);
    if (payload == Cargo::turn) {
      constexpr std::uint32_t udp = 17U << 24;  // RFC 8656 section 18.7
      builder.add_u32(stun::Attribute::requested_transport, udp);
    }
    const auto request = builder.finish();
    return Bytes(request.begin(), request.end());
  }
  if (payload == Cargo::sip) {
    const auto request = sip::build(sip_options(context, job, local));
    if (request.has_error()) return std::nullopt;
    return *request;
  }
  return std::nullopt;
}

Text request_in_words(const Job& job) {
  return phrase("A connection request to {}, TCP {}", job.probe.target.host,
                job.probe.target.port());
}

void conclude(Observation& observation, Outcome outcome, DetailCode result,
              const std::optional<IpAddress>& by, const Hop& hop, const Job& job) {
  set_outcome(observation, outcome, result);
  const bool tcp = job.probe.target.transport == Transport::tcp;
  const auto payload = job.parameter("payload", "rtp");
  const auto protocol = upper_case(payload);
  const auto& target = job.probe.target;
  const auto what =
      tcp ? request_in_words(job)
          : phrase("A packet ({}) to {}, UDP {}", protocol, target.host, target.port());
  const auto device = by ? by->to_string() : std::string();
  const auto router = hop.address.to_string();
  Evidence evidence;
  evidence.kind = EvidenceKind::hop;
  if (result == DetailCode::left_site) {
    evidence.text = phrase("{}, leaves the site (seen at {})", what, device);
  } else if (result == DetailCode::dropped) {
    evidence.text = phrase("{}, is dropped before {}, which other packets reach", what, router);
  } else if (result == DetailCode::prohibited) {
    evidence.text = phrase("{}, is turned away by {}", what, device);
  } else if (result == DetailCode::kept_here) {
    evidence.text = phrase("{}, does not leave this computer: its own firewall stops it", what);
  } else if (result == DetailCode::refused_on_the_way) {
    evidence.text = phrase("{}, is reset by a device nearer than {}", what, router);
  } else if (result == DetailCode::answered_on_the_way) {
    evidence.text =
        hop.ttl == 1 ? phrase("{}, is answered by the first router or by a device before it", what)
                     : phrase("{}, is answered by a device nearer than {}", what, router);
  } else if (observation.attempts == 0) {
    evidence.text =
        phrase("{}, was not sent: it is not known whether packets leave the site", what);
  } else {
    evidence.text = phrase("{}: nothing came back, not even from {}", what, router);
  }
  evidence.facts[Fact::result] = std::string(to_string(result));
  evidence.facts[Fact::ttl] = hop.ttl;
  if (by) evidence.facts[Fact::by] = device;
  if (!tcp) evidence.facts[Fact::payload] = payload;
  observation.evidence.push_back(std::move(evidence));
}

// Somebody answered the SYN before it could get to the edge.
void conclude_taken(Observation& observation, const Taker& taker, const Hop& hop, const Job& job) {
  conclude(observation, Outcome::connected, DetailCode::answered_on_the_way, std::nullopt, hop,
           job);
  auto& evidence = observation.evidence.back();
  const auto request = request_in_words(job);
  if (taker.on_this_computer()) {
    evidence.text = phrase("{}, is answered by a program on this computer", request);
    evidence.facts[Fact::who] = "this_computer";
  } else if (taker.sooner_than_the_router()) {
    evidence.text = phrase(
        "{}, is answered, and so is one to {}, an address that nobody uses: in {} ms, while the "
        "first router takes {} ms",
        request, nobodys_address.to_string(), fmt::format("{:.2f}", taker.round_trip->count()),
        fmt::format("{:.2f}", taker.router->count()));
    evidence.facts[Fact::who] = "sooner_than_the_router";
  } else if (taker.for_nobody) {
    evidence.text +=
        phrase(", and so is one to {}, an address that nobody uses", nobodys_address.to_string());
  }
}

void spare(Observation& observation, std::uint16_t other, const Job& job) {
  set_outcome(observation, Outcome::skipped, DetailCode::spared);
  add_evidence(observation, EvidenceKind::hop,
               phrase("TCP {} to {} leaves the site", other, job.probe.target.host),
               {{Fact::result, std::string(to_string(DetailCode::spared))}, {Fact::port, other}});
}

// True where the answer settles the question.
bool take(Observation& observation, const SiteEdge::Answer& answer, const Hop& hop,
          const Job& job) {
  if (answer.kept_here) {
    conclude(observation, Outcome::rejected, DetailCode::kept_here, std::nullopt, hop, job);
    return true;
  }
  if (!answer.icmp) return false;
  if (was_not_sent(*answer.icmp)) {
    conclude(observation, Outcome::silent, DetailCode::silent, std::nullopt, hop, job);
    return true;
  }
  const bool expired = answer.icmp->kind == IcmpKind::time_exceeded;
  // A router inside the site may answer before it applies its own drop rule: no proof.
  if (expired && !beyond_the_edge(answer.icmp->sender)) return false;
  conclude(observation, expired ? Outcome::passed : Outcome::rejected,
           expired ? DetailCode::left_site : DetailCode::prohibited, answer.icmp->sender, hop, job);
  if (knows_no_way(*answer.icmp)) {
    auto& evidence = observation.evidence.back();
    evidence.text =
        phrase("{} has no route to {}", answer.icmp->sender.to_string(), job.probe.target.host);
    evidence.facts[Fact::reason] = std::string(to_string(DetailCode::unreachable));
  }
  return true;
}

// The TCP ports that one port stands for where a row asks for many on one host; nothing if each has
// to be tried.
std::optional<PortRange> ports_of_its_kind(const Context& context, const Job& job) {
  const bool each = context.settings.every_port || !job.parameter("control").empty();
  if (each || job.probe.target.transport != Transport::tcp) return std::nullopt;
  if (job.probe.target.port() < first_user_port) return PortRange{1, first_user_port - 1};
  return PortRange{first_user_port, 65535};
}

asio::awaitable<SiteEdge::Answer> ask_once(Context& context, Job job, UdpSocket* socket,
                                           Bytes payload, bool again, Instant until) {
  const auto interface = context.settings.interface;
  // A TCP row without a listener has no other evidence; a UDP row has its range's own packets.
  const bool all_there_is = job.probe.target.transport == Transport::tcp;
  const bool second_round = !job.parameter("control").empty();
  const auto need = again                          ? SiteEdge::Need::confirms
                    : second_round || all_there_is ? SiteEdge::Need::decides
                                                   : SiteEdge::Need::supports;
  if (socket != nullptr) {
    auto answer =
        co_await context.edge.ask(*socket, std::move(payload), need, context.scope, until);
    co_return answer;
  }
  const auto remote = job.remote();
  const auto kind = ports_of_its_kind(context, job);
  auto answer = co_await context.edge.ask_syn(remote, interface, need, context.scope, until, kind);
  co_return answer;
}

// For a SYN that was answered from nearer than the edge.
asio::awaitable<void> ask_whether_it_is_us(Context& context, Job job, bool taken, Hop hop,
                                           Observation& observation) {
  const auto remote = job.remote();
  if (taken) {
    const auto interface = context.settings.interface;
    const auto taker =
        co_await who_takes(context.executor, context.scope, remote, interface, hop.ttl);
    conclude_taken(observation, taker, hop, job);
    co_return;
  }
  const bool here = co_await is_reset_here(context.executor, context.scope, remote);
  conclude(observation, Outcome::rejected,
           here ? DetailCode::kept_here : DetailCode::refused_on_the_way, std::nullopt, hop, job);
}

asio::awaitable<void> ask_twice(Context& context, Job job, UdpSocket* socket, Bytes payload,
                                Hop hop, Instant until, Observation& observation) {
  for (int strikes = 0; strikes < strikes_needed;) {
    const auto answer = co_await ask_once(context, job, socket, payload, strikes > 0, until);
    const auto kind = ports_of_its_kind(context, job);
    const auto other = kind ? context.edge.syn_passed(job.remote().address, *kind) : std::nullopt;
    if (!answer.asked && other) {
      spare(observation, *other, job);
      co_return;
    }
    if (answer.asked) ++observation.attempts;
    if (answer.taken || answer.reset) {
      co_await ask_whether_it_is_us(context, job, answer.taken, hop, observation);
      co_return;
    }
    if (take(observation, answer, hop, job)) co_return;
    if (!answer.control_answered) {
      conclude(observation, Outcome::silent, DetailCode::silent, std::nullopt, hop, job);
      co_return;
    }
    ++strikes;
  }
  // The SYNs above were given up before they were retransmitted.
  bool kept = false;
  if (socket == nullptr) {
    const auto remote = job.remote();
    const auto interface = context.settings.interface;
    kept = co_await keeps_syn_here(context.executor, context.scope, remote, interface);
  }
  conclude(observation, kept ? Outcome::rejected : Outcome::silent,
           kept ? DetailCode::kept_here : DetailCode::dropped, std::nullopt, hop, job);
}

// Opening a UDP socket sends nothing; where that finds no route, a SYN has none either.
std::optional<Failure> lack_of_route(Context& context, const SocketAddress& remote) {
  const auto opened = open_udp(context, remote);
  if (!opened.has_error() || opened.error().kind != FailureKind::no_route) return std::nullopt;
  return opened.error();
}

}  // namespace

asio::awaitable<Observation> run_hop(Context& context, Job job) {
  auto observation = begin_check(context, job);
  // A row's own question is one of many; a second round's has a control, and must be answered.
  const bool second_round = !job.parameter("control").empty();
  const bool hurried = context.settings.hurried && !second_round;
  const bool all_there_is = second_round || job.probe.target.transport == Transport::tcp;
  auto until = context.scope.clock.now() +
               (all_there_is ? timeouts::icmp_decides + context.edge.backlog() : timeouts::hop);
  const auto remote = job.remote();
  const auto interface = context.settings.interface;
  std::optional<UdpSocket> socket;
  Bytes payload;
  if (job.probe.target.transport == Transport::udp) {
    auto opened = open_udp(context, remote);
    if (opened.has_error()) {
      record(observation, opened.error());
      co_return observation;
    }
    socket.emplace(std::move(*opened));
    observation.local = socket->local();
    auto made = payload_of(context, job, *observation.local);
    if (!made) {
      observation.detail = DetailCode::bad_parameter;
      co_return observation;
    }
    payload = std::move(*made);
  }
  if (const auto lack = lack_of_route(context, remote); !socket && lack) {
    record(observation, *lack);
    co_return observation;
  }
  const auto control = parse_socket_address(job.parameter("control"), 0);
  if (control) context.edge.reached(*control, interface, context.scope);
  // Only media ranges, about which nothing else is known, get a climb of their own.
  SiteEdge::Found found;
  if (control || !socket) {
    found = co_await context.edge.find_trunk(remote, interface, context.scope);
  } else {
    found = co_await context.edge.find(remote, interface, context.scope);
  }
  if (hurried) until = std::min(until, context.scope.clock.now() + timeouts::udp_range_hurried);
  if (found.hop) {
    auto* asking = socket ? &*socket : nullptr;
    co_await ask_twice(context, job, asking, std::move(payload), *found.hop, until, observation);
    co_return observation;
  }
  if (!socket) {
    const Hop first{1, {}};  // a SYN that gets no further than the first router
    const auto taker =
        co_await who_takes(context.executor, context.scope, remote, interface, first.ttl);
    if (taker.taken) {
      conclude_taken(observation, taker, first, job);
      co_return observation;
    }
  }
  set_outcome(observation, Outcome::silent, DetailCode::silent);
  add_evidence(
      observation, EvidenceKind::hop,
      phrase("no router beyond the site's edge answers: it is not known whether packets leave the "
             "site"),
      {{Fact::result, std::string(to_string(DetailCode::silent))}});
  co_return observation;
}

}  // namespace callready::checks
