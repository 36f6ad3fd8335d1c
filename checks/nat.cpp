// nat: how the NAT on the way behaves (RFC 5780, in the terms of RFC 4787): mapping and filtering
// separately. The old names of RFC 3489 ("symmetric", "full cone") mix the two and are not used.
//
// Sends Binding requests from a few fresh sockets to the server and, where it has one, to its other
// address; with CHANGE-REQUEST for the filtering; and datagrams from one of our own mapped
// addresses to another. With the parameter `turn` and the run's credentials, relays of that server
// show what the STUN server could not. A thorough run also leaves bindings idle, for minutes.
// Outcome `answered` with the mapping as detail if the server answers at all, otherwise as in
// stun.cpp. The evidence, each with the fact `value`, which is "not_measured" (and the fact of that
// name says why) if it could not be known:
//   nat_mapping        "none" (no translation), "endpoint_independent", "address_dependent",
//                      "address_and_port_dependent", or "destination_dependent" if two plain
//                      servers (parameter `other`) see different addresses, which may be either of
//                      the two before (RFC 5780 section 4.3). The fact `method`: "other_address",
//                      "two_servers", "relays"
//   nat_filtering      "endpoint_independent", "address_dependent", "address_and_port_dependent"
//                      (section 4.4); needs a server that answers from its other address, and was
//                      heard from there before, since otherwise silence proves nothing; or relays
//   port_preservation  "all", "some", "none" of the sampled sockets kept their port. A NAT that
//                      keeps ports looks endpoint-independent until two machines want one port
//   hairpin            "yes", "no" (section 4.5); not measured where nothing translates
//   nat_translations   "none", "one", "two" (a private address behind the gateway's: likely), or
//                      "carrier" (RFC 6598's 100.64/10 on the way)
//   nat_lifetime       "20-30", ">180", "<10": seconds that an idle binding lives (section 4.6)
#include "checks/kinds.hpp"
#include "checks/nat_parts.hpp"
#include "checks/refuser.hpp"
#include "checks/relay_server.hpp"
#include "probe/net/timeouts.hpp"
#include "probe/net/together.hpp"

namespace callready::checks {
namespace {

using namespace nat;

// What one server's four corners (its address or the other, its port or the other) told one socket.
struct Corners {
  SocketAddress server, other;
  bool has_other = false;
  UdpPatience patience;                     // with the server, whose distance is known
  std::optional<SocketAddress> here;        // as server address, server port sees us
  std::optional<SocketAddress> there;       // other address, server port
  std::optional<SocketAddress> there_too;   // other address, other port
  std::optional<SocketAddress> other_port;  // server address, other port
  std::optional<Failure> failure;           // at the first that did not answer
};

// Goes round the corners and stops at the first silent one: each costs a whole timeout.
asio::awaitable<void> visit(Context& context, UdpSocket& socket, Corners& corners) {
  const SocketAddress there{corners.other.address, corners.server.port};
  const SocketAddress other_port{corners.server.address, corners.other.port};
  const auto patience = corners.patience;
  const std::pair<SocketAddress, std::optional<SocketAddress>&> all[] = {
      {there, corners.there}, {corners.other, corners.there_too}, {other_port, corners.other_port}};
  for (const auto& [corner, seen] : all) {
    const auto mapped = co_await mapped_by(context, socket, corner, patience);
    if (mapped.has_error()) {
      corners.failure = mapped.error();
      co_return;
    }
    seen = *mapped;
  }
}

// Both as seen from outside, so that a report can show them.
Text apart(const SocketAddress& one, const SocketAddress& other, const Text& what) {
  return phrase(
      "the NAT shows the same port of this computer as {} to one destination, and as {} to {}",
      one.to_string(), other.to_string(), what);
}

// From the corners, where they suffice.
Property mapping_by_corners(const Corners& corners) {
  const auto method = "other_address";
  if (!corners.has_other) return unknown(phrase("the server has no OTHER-ADDRESS"));
  if (!corners.there) {
    return unknown(
        reason_of(corners.failure, phrase("the server's other address does not answer")));
  }
  if (*corners.there == *corners.here) {
    return known(DetailCode::endpoint_independent, method,
                 phrase("the NAT shows the same address to every destination"));
  }
  if (!corners.there_too) {
    return unknown(
        reason_of(corners.failure, phrase("the server's other address stopped answering")));
  }
  if (*corners.there_too == *corners.there) {
    return known(DetailCode::address_dependent, method,
                 apart(*corners.here, *corners.there, phrase("another destination address")));
  }
  return known(
      DetailCode::address_and_port_dependent, method,
      apart(*corners.there, *corners.there_too, phrase("another port of that destination")));
}

// A second, plain server: "host:port" from the parameter.
asio::awaitable<Property> mapping_by_two(Context& context, Job job, UdpSocket& socket,
                                         SocketAddress here) {
  const auto text = job.parameter("other");
  if (text.empty()) co_return unknown(phrase("no second server was given"));
  const bool v6 = job.remote().address.is_v6();
  const auto other = co_await find_endpoint(context, text, v6);
  if (other.has_error()) co_return unknown(phrase("the second server: {}", other.error().text));
  if (other->address == job.remote().address) {
    co_return unknown(phrase("the second server has the first one's address"));
  }
  const auto there = co_await mapped_by(context, socket, *other);
  if (there.has_error()) {
    co_return unknown(reason_of(there.error(), phrase("the second server does not answer")));
  }
  if (*there == here) {
    co_return known(DetailCode::endpoint_independent, "two_servers",
                    phrase("the NAT shows the same address to two servers"));
  }
  const auto seen = apart(here, *there, phrase("another server"));
  co_return known(DetailCode::destination_dependent, "two_servers", seen);
}

// Both questions at once, from a fresh socket each: behind most NATs neither is answered, and the
// run waits for that silence.
asio::awaitable<Property> measure_filtering(Context& context, Result<Sample>& first,
                                            Result<Sample>& second, Corners corners) {
  const auto method = "other_address";
  if (!corners.has_other) co_return unknown(phrase("the server has no OTHER-ADDRESS"));
  if (const auto failure = failure_of(first, second)) {
    co_return unknown(reason_of(failure, phrase("the server stopped answering")));
  }
  std::vector<asio::awaitable<Result<BindingReply>>> questions;
  const Change other_both{true, true}, other_port{false, true};
  questions.push_back(ask(context, *first->socket, corners.server, other_both, corners.patience));
  questions.push_back(ask(context, *second->socket, corners.server, other_port, corners.patience));
  const auto replies = co_await together(context.executor, std::move(questions));
  const auto &both = replies[0], &port = replies[1];
  if (both.has_value()) {
    if (both->from == corners.other && both->message.message_class == stun::Class::success) {
      co_return known(DetailCode::endpoint_independent, method,
                      phrase("packets from any address reach a port that has sent a packet"));
    }
    co_return unknown(phrase("the server does not honour CHANGE-REQUEST"));
  }
  if (both.error().kind != FailureKind::timed_out) co_return unknown(both.error().text);
  if (!corners.there_too || !corners.other_port) {
    co_return unknown(
        reason_of(corners.failure,
                  phrase("the server's other address does not answer even when asked directly")));
  }
  const SocketAddress expected{corners.server.address, corners.other.port};
  if (port.has_value() && port->from == expected) {
    co_return known(
        DetailCode::address_dependent, method,
        phrase("only hosts that were sent a packet get through, from any of their ports"));
  }
  if (port.has_value()) co_return unknown(phrase("the server does not honour CHANGE-REQUEST"));
  if (port.error().kind != FailureKind::timed_out) co_return unknown(port.error().text);
  co_return known(DetailCode::address_and_port_dependent, method,
                  phrase("only the exact address and port that was sent a packet gets through"));
}

// True if a token sent from the second socket to the mapped address of the first arrives. The first
// one sends to the second before that, so that a filter lets it in.
asio::awaitable<Result<bool>> try_hairpin(Context& context, Sample& first, Sample& second) {
  const auto id = stun::new_transaction_id();
  const stun::Bytes token(id.begin(), id.end());
  const UdpMatch is_token = [&](const Datagram& datagram) { return datagram.bytes == token; };
  const auto start = context.scope.clock.now();
  for (std::size_t attempt = 0; attempt < 2; ++attempt) {
    const auto opened = first.socket->send_to(token, second.mapped);
    const auto sent = second.socket->send_to(token, first.mapped);
    if (opened.has_error()) co_return opened.error();
    if (sent.has_error()) co_return sent.error();
    const auto until = start + (attempt < 1 ? timeouts::udp_sends[attempt + 1] : timeouts::hairpin);
    const auto heard = co_await receive_matching(*first.socket, context.scope, until, is_token);
    if (heard.has_value()) co_return true;
    if (heard.error().kind != FailureKind::timed_out) co_return heard.error();
  }
  co_return false;
}

asio::awaitable<Property> measure_hairpin(Context& context, Result<Sample>& first,
                                          Result<Sample>& second, bool translated) {
  if (!translated) co_return unknown(phrase("no device translates this computer's address"));
  if (const auto failure = failure_of(first, second)) {
    co_return unknown(reason_of(failure, phrase("the server stopped answering")));
  }
  const auto works = co_await try_hairpin(context, *first, *second);
  if (works.has_error()) co_return unknown(works.error().text);
  if (*works)
    co_return known("yes", "",
                    phrase("two sockets here reach each other by their outside addresses"));
  co_return known("no", "",
                  phrase("two sockets here do not reach each other by their outside addresses"));
}

// How many of our sockets kept their port.
struct Kept {
  int kept = 0, samples = 0;
  void count(const SocketAddress& local, const SocketAddress& mapped) {
    ++samples;
    if (local.port == mapped.port) ++kept;
  }
  void count(const Result<Sample>& sample) {
    if (sample.has_value()) count(sample->socket->local(), sample->mapped);
  }
};

void add_port_preservation(Observation& observation, const Kept& ports) {
  const std::string value = ports.kept == ports.samples ? "all" : ports.kept > 0 ? "some" : "none";
  const auto property = known(value, "",
                              plural(ports.kept, "{} of {} sockets kept its port",
                                     "{} of {} sockets kept their port", ports.samples));
  add(observation, EvidenceKind::port_preservation, property,
      {{Fact::kept, ports.kept}, {Fact::samples, ports.samples}});
}

asio::awaitable<Property> mapping_of(Context& context, Job job, UdpSocket& socket,
                                     const Corners& corners, bool translated) {
  if (!translated)
    co_return known(DetailCode::none, "local_address",
                    phrase("no device translates this computer's address"));
  auto mapping = mapping_by_corners(corners);
  if (mapping.measured()) co_return mapping;
  const auto by_two = co_await mapping_by_two(context, job, socket, *corners.here);
  if (by_two.measured()) co_return by_two;
  co_return unknown(phrase("{}, and {}", mapping.reason, by_two.reason));
}

// Measures what is still open with relays, if there are any.
asio::awaitable<void> add_by_relays(Context& context, Job job, Property& mapping,
                                    Property& filtering) {
  const bool open = !mapping.measured() || !filtering.measured();
  const auto turn = job.parameter("turn");
  const bool relays = !turn.empty() && !credential_for(context, turn).username.empty();
  if (!open || !relays) co_return;
  const auto told = co_await measure_by_relays(context, job);
  const auto take = [](Property& property, const Property& by_relays) {
    if (property.measured()) return;
    if (by_relays.measured()) property = by_relays;
    if (!by_relays.measured())
      property.reason = phrase("{}, and {}", property.reason, by_relays.reason);
  };
  take(mapping, told.mapping);
  take(filtering, told.filtering);
}

// Two fresh sockets for the filtering and two for the hairpin: none may have sent to anybody but
// the server.
constexpr std::size_t fresh_samples = 4;

asio::awaitable<void> measure_all(Context& context, Job job, UdpSocket& socket, Corners corners,
                                  SocketAddress local, Observation& observation) {
  const bool translated = *corners.here != local;
  auto mapping = co_await mapping_of(context, job, socket, corners, translated);
  Kept ports;
  ports.count(local, *corners.here);
  std::vector<asio::awaitable<Result<Sample>>> sampling;
  for (std::size_t i = 0; i < fresh_samples; ++i) {
    sampling.push_back(new_sample(context, corners.server));
  }
  auto samples = co_await together(context.executor, std::move(sampling));
  for (const auto& sample : samples) ports.count(sample);
  std::vector<asio::awaitable<Property>> work;
  work.push_back(measure_filtering(context, samples[0], samples[1], corners));
  work.push_back(measure_hairpin(context, samples[2], samples[3], translated));
  work.push_back(measure_translations(context, corners.server, local, *corners.here));
  const auto measured = co_await together(context.executor, std::move(work));
  auto filtering = measured[0];
  const auto &hairpin = measured[1], &translations = measured[2];
  co_await add_by_relays(context, job, mapping, filtering);
  auto lifetime = unknown(phrase("this takes minutes: use --thorough"));
  if (context.settings.thorough) lifetime = co_await measure_lifetime(context, job);
  observation.detail = mapping.code;
  add(observation, EvidenceKind::nat_mapping, mapping);
  add(observation, EvidenceKind::nat_filtering, filtering);
  add_port_preservation(observation, ports);
  add(observation, EvidenceKind::hairpin, hairpin);
  add(observation, EvidenceKind::nat_translations, translations);
  add(observation, EvidenceKind::nat_lifetime, lifetime);
}

}  // namespace

asio::awaitable<Observation> run_nat(Context& context, Job job) {
  auto observation = begin_check(context, job);
  Corners corners;
  corners.server = job.remote();
  const auto route = open_udp(context, corners.server);
  auto socket = fresh_socket(context, corners.server);
  if (route.has_error() || socket.has_error()) {
    record(observation, route.has_error() ? route.error() : socket.error());
    co_return observation;
  }
  observation.local = SocketAddress{route->local().address, socket->local().port};
  const Change nothing;
  const auto reply = co_await ask(context, *socket, corners.server, nothing);
  if (reply.has_error()) {
    record(observation, reply.error());
    stun::Builder builder(stun::Class::request, stun::Method::binding, stun::new_transaction_id());
    auto payload = builder.finish();
    co_await ask_who_refused(context, job, std::move(payload), observation);
    co_return observation;
  }
  observation.outcome = Outcome::answered;
  if (context.first_reply) context.first_reply(job.probe);
  observation.attempts = reply->attempts;
  observation.round_trip = reply->round_trip;
  StunAnswer answer;
  answer.message = reply->message;
  add_reply_evidence(observation, answer);
  corners.here = reply->message.mapped();
  corners.patience = patience_with(reply->round_trip);
  if (!corners.here || reply->from != corners.server) {
    observation.detail = DetailCode::not_measured;
    for (const auto kind :
         {EvidenceKind::nat_mapping, EvidenceKind::nat_filtering, EvidenceKind::port_preservation,
          EvidenceKind::hairpin, EvidenceKind::nat_translations, EvidenceKind::nat_lifetime}) {
      add(observation, kind, unknown(phrase("the server does not report this computer's address")));
    }
    co_return observation;
  }
  const auto& other = reply->message.other_address;
  corners.has_other = other && other->address.is_v6() == corners.server.address.is_v6() &&
                      other->address != corners.server.address &&
                      other->port != corners.server.port && may_be_sent_to(*other, corners.server);
  if (corners.has_other) {
    corners.other = *other;
    co_await visit(context, *socket, corners);
  }
  const auto local = *observation.local;
  co_await measure_all(context, job, *socket, corners, local, observation);
  co_return observation;
}

}  // namespace callready::checks
