// nat: how the NAT on the way behaves (RFC 5780; words of RFC 4787), mapping and filtering apart.
// The old RFC 3489 names ("symmetric", "full cone") mix the two and are not used.
//
// Sends Binding requests from a few fresh sockets to the server and, where it has one, to its other
// address; with CHANGE-REQUEST for the filtering; and datagrams from one of our own mapped
// addresses to another. Outcome `answered` with the mapping as detail where the server answers at
// all, else as in stun.cpp. The evidence, each with the fact `value`, which is "not_measured" (and
// the fact `reason`) where it could not be known:
//   nat_mapping        "none" (no translation), "endpoint_independent", "address_dependent",
//                      "address_and_port_dependent", or "destination_dependent" where two plain
//                      servers (parameter `other`) see different addresses, which does not tell the
//                      two before apart (RFC 5780 section 4.3)
//   nat_filtering      "endpoint_independent", "address_dependent", "address_and_port_dependent"
//                      (section 4.4); needs a server that answers from its other address, and was
//                      heard there before, or silence would prove nothing
//   port_preservation  "all", "some", "none" of the sampled sockets kept their port. A NAT that
//                      keeps ports looks endpoint-independent until two machines want one port
//   hairpin            "yes", "no" (section 4.5); not measured where nothing translates
#include <fmt/format.h>

#include "checks/kinds.hpp"
#include "checks/relay_server.hpp"
#include "probe/net/timeouts.hpp"

namespace callready::checks {
namespace {

const std::string not_measured = "not_measured";

struct BindingReply {
  stun::Message message;
  SocketAddress from;
  std::optional<Milliseconds> round_trip;
  int attempts = 0;
};

// What one server's four corners said to one socket: its address and port, and the other ones.
struct Corners {
  SocketAddress server, other;
  std::optional<SocketAddress> here;        // as server address, server port sees us
  std::optional<SocketAddress> there;       // other address, server port
  std::optional<SocketAddress> there_too;   // other address, other port
  std::optional<SocketAddress> other_port;  // server address, other port
};

void add(Observation& observation, std::string kind, std::string value, std::string text,
         std::map<std::string, EvidenceValue> facts) {
  Evidence evidence;
  evidence.kind = std::move(kind);
  evidence.text = std::move(text);
  evidence.facts = std::move(facts);
  evidence.facts["value"] = std::move(value);
  observation.evidence.push_back(std::move(evidence));
}

void add_unmeasured(Observation& observation, std::string kind, std::string reason) {
  auto text = "not measured: " + reason;
  add(observation, std::move(kind), not_measured, std::move(text), {{"reason", reason}});
}

Result<UdpSocket> fresh_socket(Context& context, const SocketAddress& server) {
  UdpSocket::Options options;
  options.connect = false;
  options.interface = context.settings.interface;
  return UdpSocket::open(context.executor, server, options);
}

// One Binding request; the answer may come from any address. `change`: 0, or CHANGE-REQUEST's bits.
asio::awaitable<Result<BindingReply>> ask(Context& context, UdpSocket& socket, SocketAddress to,
                                          bool change_ip, bool change_port) {
  const auto id = stun::new_transaction_id();
  stun::Builder builder(stun::Class::request, stun::Method::binding, id);
  if (change_ip || change_port) stun::add_change_request(builder, change_ip, change_port);
  const auto request = builder.finish();
  BindingReply reply;
  const UdpMatch matches = [&](const Datagram& datagram) {
    auto parsed = stun::parse(datagram.bytes);
    if (parsed.has_error() || !parsed->answers(stun::Method::binding, id)) return false;
    reply.message = std::move(*parsed);
    reply.from = datagram.from;
    return true;
  };
  socket.set_remote(to);
  const auto outcome = co_await udp_request(socket, context.scope, request, matches);
  if (outcome.has_error()) co_return outcome.error().failure;
  reply.round_trip = outcome->round_trip;
  reply.attempts = outcome->attempts;
  co_return reply;
}

// As a plain Binding request's answer says it; nothing where none came.
asio::awaitable<std::optional<SocketAddress>> mapped_by(Context& context, UdpSocket& socket,
                                                        SocketAddress server) {
  const auto reply = co_await ask(context, socket, server, false, false);
  if (reply.has_error() || reply->from != server) co_return std::nullopt;
  co_return reply->message.mapped();
}

// Goes round the corners and stops at the first silent one: each costs a whole timeout.
asio::awaitable<void> visit(Context& context, UdpSocket& socket, Corners& corners) {
  const SocketAddress there{corners.other.address, corners.server.port};
  const SocketAddress other_port{corners.server.address, corners.other.port};
  corners.there = co_await mapped_by(context, socket, there);
  if (!corners.there) co_return;
  corners.there_too = co_await mapped_by(context, socket, corners.other);
  if (!corners.there_too) co_return;
  corners.other_port = co_await mapped_by(context, socket, other_port);
}

void record_mapping(Observation& observation, std::string value, std::string method,
                    std::string text) {
  observation.detail = value;
  add(observation, "nat_mapping", std::move(value), std::move(text),
      {{"method", std::move(method)}});
}

// From the corners, where they suffice.
bool judge_mapping(Observation& observation, const Corners& corners) {
  if (!corners.there) return false;
  if (*corners.there == *corners.here) {
    record_mapping(observation, "endpoint_independent", "other_address",
                   "the NAT shows the same address to every destination");
    return true;
  }
  if (!corners.there_too) return false;
  const bool by_address = *corners.there_too == *corners.there;
  record_mapping(observation, by_address ? "address_dependent" : "address_and_port_dependent",
                 "other_address",
                 by_address ? "the NAT shows another address to each destination address"
                            : "the NAT shows another address to each destination address and port");
  return true;
}

asio::awaitable<void> measure_mapping_by_two(Context& context, Job job, UdpSocket& socket,
                                             SocketAddress here, std::string reason,
                                             Observation& observation) {
  observation.detail = not_measured;
  const auto text = job.parameter("other");
  if (text.empty()) {
    add_unmeasured(observation, "nat_mapping", reason + ", and no second server was given");
    co_return;
  }
  const bool v6 = job.remote().address.is_v6();
  const auto other = co_await find_endpoint(context, text, v6);
  if (other.has_error()) {
    add_unmeasured(observation, "nat_mapping", "the second server: " + other.error().text);
    co_return;
  }
  if (other->address == job.remote().address) {
    add_unmeasured(observation, "nat_mapping", "the second server has the first one's address");
    co_return;
  }
  const auto there = co_await mapped_by(context, socket, *other);
  if (!there) {
    add_unmeasured(observation, "nat_mapping", "the second server does not answer");
    co_return;
  }
  if (*there == here) {
    record_mapping(observation, "endpoint_independent", "two_servers",
                   "the NAT shows the same address to two servers");
  } else {
    record_mapping(observation, "destination_dependent", "two_servers",
                   "the NAT shows another address to another server");
  }
}

asio::awaitable<void> measure_filtering(Context& context, UdpSocket& fresh, Corners corners,
                                        Observation& observation) {
  const auto both = co_await ask(context, fresh, corners.server, true, true);
  if (both.has_value()) {
    if (both->from == corners.other && both->message.message_class == stun::Class::success) {
      add(observation, "nat_filtering", "endpoint_independent",
          "strangers' packets reach a port that we have sent from", {});
    } else {
      add_unmeasured(observation, "nat_filtering", "the server does not honour CHANGE-REQUEST");
    }
    co_return;
  }
  if (both.error().kind != FailureKind::timed_out) {
    add_unmeasured(observation, "nat_filtering", both.error().text);
    co_return;
  }
  if (!corners.there_too || !corners.other_port) {
    add_unmeasured(observation, "nat_filtering",
                   "the server's other address does not answer us even when asked");
    co_return;
  }
  const auto port = co_await ask(context, fresh, corners.server, false, true);
  const SocketAddress expected{corners.server.address, corners.other.port};
  if (port.has_value() && port->from == expected) {
    add(observation, "nat_filtering", "address_dependent",
        "only addresses that we have sent to reach us, from any of their ports", {});
  } else if (port.has_error() && port.error().kind == FailureKind::timed_out) {
    add(observation, "nat_filtering", "address_and_port_dependent",
        "only the address and port that we have sent to reach us", {});
  } else {
    add_unmeasured(observation, "nat_filtering", "the server does not honour CHANGE-REQUEST");
  }
}

// True where `token`, sent from one of our sockets to the mapped address of the other, arrives. The
// other one sends first, so that a filter lets it in.
asio::awaitable<Result<bool>> measure_hairpin(Context& context, UdpSocket& first,
                                              SocketAddress first_mapped, UdpSocket& second,
                                              SocketAddress second_mapped) {
  const auto id = stun::new_transaction_id();
  const stun::Bytes token(id.begin(), id.end());
  const auto start = context.scope.clock.now();
  for (std::size_t attempt = 0; attempt < 2; ++attempt) {
    const auto opened = first.send_to(token, second_mapped);
    const auto sent = second.send_to(token, first_mapped);
    if (opened.has_error()) co_return opened.error();
    if (sent.has_error()) co_return sent.error();
    const auto until = start + (attempt < 1 ? timeouts::udp_sends[attempt + 1] : timeouts::hairpin);
    for (int seen = 0; seen < 64; ++seen) {
      auto event = co_await first.receive(context.scope, until);
      if (event.has_error()) {
        if (event.error().kind == FailureKind::timed_out) break;
        co_return event.error();
      }
      const auto* datagram = std::get_if<Datagram>(&*event);
      if (datagram != nullptr && datagram->bytes == token) co_return true;
    }
  }
  co_return false;
}

struct Sample {
  std::unique_ptr<UdpSocket> socket;
  SocketAddress mapped;
};

// A socket with its mapped address; nothing where the server does not answer any more.
asio::awaitable<std::optional<Sample>> new_sample(Context& context, SocketAddress server) {
  auto socket = fresh_socket(context, server);
  if (socket.has_error()) co_return std::nullopt;
  Sample sample;
  sample.socket = std::make_unique<UdpSocket>(std::move(*socket));
  const auto mapped = co_await mapped_by(context, *sample.socket, server);
  if (!mapped) co_return std::nullopt;
  sample.mapped = *mapped;
  co_return sample;
}

bool kept_port(const Sample& sample) { return sample.socket->local().port == sample.mapped.port; }

asio::awaitable<void> measure_rest(Context& context, const Sample& first, const Corners& corners,
                                   bool has_other, bool translated, Observation& observation) {
  int kept = kept_port(first) ? 1 : 0, samples = 1;
  auto second = co_await new_sample(context, corners.server);
  if (second) kept += kept_port(*second) ? 1 : 0, ++samples;
  if (second && has_other) {
    co_await measure_filtering(context, *second->socket, corners, observation);
  } else {
    add_unmeasured(observation, "nat_filtering",
                   has_other ? "the server stopped answering" : "the server has no OTHER-ADDRESS");
  }
  // The second has heard from strangers and the like: fresh ones for the hairpin.
  auto third = co_await new_sample(context, corners.server);
  auto fourth = co_await new_sample(context, corners.server);
  if (third) kept += kept_port(*third) ? 1 : 0, ++samples;
  if (fourth) kept += kept_port(*fourth) ? 1 : 0, ++samples;
  add(observation, "port_preservation",
      kept == samples ? "all"
      : kept > 0      ? "some"
                      : "none",
      fmt::format("{} of {} sockets kept their port", kept, samples),
      {{"kept", static_cast<std::int64_t>(kept)}, {"samples", static_cast<std::int64_t>(samples)}});
  if (!translated) {
    add_unmeasured(observation, "hairpin", "nothing translates our address");
  } else if (!third || !fourth) {
    add_unmeasured(observation, "hairpin", "the server stopped answering");
  } else {
    const auto works = co_await measure_hairpin(context, *third->socket, third->mapped,
                                                *fourth->socket, fourth->mapped);
    if (works.has_error()) {
      add_unmeasured(observation, "hairpin", works.error().text);
    } else {
      add(observation, "hairpin", *works ? "yes" : "no",
          *works ? "two of us reach each other by their outside addresses"
                 : "two of us do not reach each other by their outside addresses",
          {});
    }
  }
}

}  // namespace

asio::awaitable<Observation> run_nat(Context& context, Job job) {
  Observation observation;
  observation.address = job.address;
  observation.sent_at = context.scope.clock.wall_now();
  Corners corners;
  corners.server = job.remote();
  UdpSocket::Options options;
  options.interface = context.settings.interface;
  const auto route = UdpSocket::open(context.executor, corners.server, options);
  auto socket = fresh_socket(context, corners.server);
  if (route.has_error() || socket.has_error()) {
    record(observation, route.has_error() ? route.error() : socket.error());
    co_return observation;
  }
  observation.local = SocketAddress{route->local().address, socket->local().port};
  const auto reply = co_await ask(context, *socket, corners.server, false, false);
  if (reply.has_error()) {
    record(observation, reply.error());
    co_return observation;
  }
  observation.outcome = Outcome::answered;
  observation.attempts = reply->attempts;
  observation.round_trip = reply->round_trip;
  StunAnswer answer;
  answer.message = reply->message;
  add_reply_evidence(observation, answer);
  corners.here = reply->message.mapped();
  if (!corners.here || reply->from != corners.server) {
    observation.detail = not_measured;
    for (const auto* kind : {"nat_mapping", "nat_filtering", "port_preservation", "hairpin"}) {
      add_unmeasured(observation, kind, "the server does not tell our address");
    }
    co_return observation;
  }
  const bool translated = *corners.here != *observation.local;
  const auto& other = reply->message.other_address;
  const bool has_other = other && other->address.is_v6() == corners.server.address.is_v6() &&
                         other->address != corners.server.address &&
                         other->port != corners.server.port;
  if (has_other) {
    corners.other = *other;
    co_await visit(context, *socket, corners);
  }
  if (!translated) {
    record_mapping(observation, "none", "local_address", "nothing translates our address");
  } else if (!judge_mapping(observation, corners)) {
    const std::string reason = has_other ? "the server's other address does not answer"
                                         : "the server has no OTHER-ADDRESS";
    co_await measure_mapping_by_two(context, job, *socket, *corners.here, reason, observation);
  }
  Sample first;
  first.mapped = *corners.here;
  first.socket = std::make_unique<UdpSocket>(std::move(*socket));
  co_await measure_rest(context, first, corners, has_other, translated, observation);
  co_return observation;
}

}  // namespace callready::checks
