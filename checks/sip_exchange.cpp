#include "checks/sip_exchange.hpp"

#include <fmt/format.h>

#include <array>

#include "checks/dial.hpp"
#include "probe/model/describe.hpp"
#include "probe/net/dns_records.hpp"
#include "probe/net/far_end.hpp"
#include "probe/net/timeouts.hpp"
#include "probe/util/text.hpp"
#include "probe/util/utf8.hpp"

namespace callready::checks {
namespace {

// RFC 3261 section 19.1.2.
std::uint16_t default_port(Transport transport) {
  return transport == Transport::tls ? 5061 : 5060;
}

bool same_host(std::string_view left, std::string_view right) {
  const auto one = IpAddress::parse(left), other = IpAddress::parse(right);
  return one && other ? *one == *other : dns::same_name(left, right);
}

}  // namespace

sip::Options sip_options(const Context& context, const Job& job, const SocketAddress& local) {
  const auto& target = job.probe.target;
  sip::Options options;
  options.transport = target.transport;
  options.host = target.host;
  if (target.port() != default_port(target.transport)) options.port = target.port();
  const auto domain = job.parameter("domain");
  if (!domain.empty()) {
    options.host = domain;
    options.port = 0;  // the port is the server's, and the domain may live elsewhere
  }
  options.sent_by_host = local.address.to_string();
  options.sent_by_port = local.port;
  options.user_agent = context.settings.user_agent;
  options.transaction = sip::new_transaction();
  return options;
}

asio::awaitable<bool> sip_allowed(Context& context, SocketAddress server, Transport transport) {
  if (context.scope.stop.stopped()) co_return false;
  if (!context.sip_manners) co_return true;
  const bool allowed = co_await context.sip_manners(server, transport);
  co_return allowed;
}

asio::awaitable<std::optional<Failure>> exchange_over_stream(Stream& stream, Scope scope,
                                                             std::span<const std::uint8_t> request,
                                                             sip::Framer& framer,
                                                             sip::Collector& collector,
                                                             Instant deadline) {
  const auto written = co_await stream.write(request, scope, deadline);
  if (written.has_error()) co_return written.error();
  auto failure = co_await read_reply(stream, scope, framer, collector, deadline);
  co_return failure;
}

asio::awaitable<std::optional<Failure>> read_reply(Stream& stream, Scope scope, sip::Framer& framer,
                                                   sip::Collector& collector, Instant deadline) {
  std::array<std::uint8_t, 4096> buffer;
  // A bound besides the deadline, so that an endless stream of messages that are not for us cannot
  // keep us busy.
  for (std::size_t total = 0; total < 4 * sip::max_message;) {
    const auto size = co_await stream.read_some(buffer, scope, deadline);
    if (size.has_error()) {
      if (framer.pending() && size.error().kind != FailureKind::stopped) {
        collector.take_broken({FailureKind::malformed, "a message that was cut off", 0, {}});
      }
      co_return size.error();
    }
    total += *size;
    framer.push({buffer.data(), *size});
    for (;;) {
      const auto message = framer.next();
      if (message.has_error()) {
        auto why = message.error();
        if (far_end::says_busy(as_text({buffer.data(), *size}))) why.text = far_end::busy;
        collector.take_broken(why);
        co_return why;
      }
      if (!*message) break;
      const bool done = collector.take(**message, sip::Carriage::stream);
      if (done) co_return std::nullopt;
    }
  }
  co_return Failure{FailureKind::oversized, "more than 262,140 bytes without a final reply", 0, {}};
}

void conclude_sip(Observation& observation, const sip::Collector& collector,
                  const std::optional<Failure>& failure, bool connected) {
  const bool busy =
      far_end::says_busy(collector.reply() ? collector.reply()->reason : collector.why_broken());
  if (busy) {
    record_busy(observation);
  } else if (collector.reply()) {
    set_outcome(observation, Outcome::answered, Detail::status(collector.reply()->status));
  } else if (failure && outcome_of(*failure) == Outcome::skipped) {
    record(observation, *failure);
  } else if (collector.broken() > 0) {
    set_outcome(observation, Outcome::failed, DetailCode::malformed);
  } else if (collector.foreign() > 0) {
    set_outcome(observation, Outcome::failed, DetailCode::mismatched_reply);
  } else if (failure && connected) {
    record_connected(observation, *failure, DetailCode::sip_timed_out);
  } else if (failure) {
    record(observation, *failure);
  }
}

void add_sip_reply(Observation& observation, const sip::Reply& reply) {
  const auto reason = printable(reply.reason);
  const auto& software = reply.server.empty() ? reply.user_agent : reply.server;
  auto text = phrase("the server answered {}{}{}", reply.status, reason.empty() ? "" : " ", reason);
  if (reply.provisional()) text += phrase(", but sent no final response after it");
  FactMap facts{{Fact::status, reply.status},
                {Fact::reason, reason},
                {Fact::final, !reply.provisional()},
                {Fact::body_bytes, static_cast<std::int64_t>(reply.body_size)}};
  if (!software.empty()) facts[Fact::server] = printable(software);
  if (!reply.allow.empty()) facts[Fact::allow] = printable(reply.allow);
  add_evidence(observation, EvidenceKind::sip_reply, std::move(text), std::move(facts));
}

ViaReading read_via(const sip::Via& came, const sip::Options& sent, const SocketAddress& local) {
  ViaReading reading;
  reading.rewritten = came.transport != in_capitals(sent.transport) ||
                      !same_host(came.host, sent.sent_by_host) || came.port != sent.sent_by_port;
  const auto received = IpAddress::parse(came.received);
  if (received) {
    reading.seen_as = SocketAddress{*received, came.rport};
    reading.translated =
        *received != local.address || (came.rport != 0 && came.rport != local.port);
  } else if (came.rport != 0 && came.rport != local.port) {
    // The same port without `received` says nothing: many NATs keep the port.
    reading.translated = true;
  }
  return reading;
}

std::string seen_as_text(const SocketAddress& seen) {
  return seen.port == 0 ? seen.address.to_string() : seen.to_string();
}

std::string sent_by(const sip::Options& sent) {
  sip::Via own;
  own.host = sent.sent_by_host;
  own.port = sent.sent_by_port;
  return own.sent_by();
}

void add_sip_via(Observation& observation, const sip::Reply& reply, const sip::Options& sent,
                 const SocketAddress& local) {
  const auto& via = reply.vias.front();
  const auto reading = read_via(via, sent, local);
  const auto own = sent_by(sent), echoed = printable(via.sent_by());
  Evidence evidence;
  evidence.kind = EvidenceKind::sip_via;
  evidence.facts[Fact::sent_by] = own;
  evidence.facts[Fact::echoed_sent_by] = echoed;
  evidence.facts[Fact::vias] = static_cast<std::int64_t>(reply.vias.size());
  evidence.facts[Fact::rewritten] = reading.rewritten;
  if (!via.received.empty()) evidence.facts[Fact::received] = printable(via.received);
  if (via.rport != 0) evidence.facts[Fact::rport] = via.rport;
  if (reading.translated) evidence.facts[Fact::translated] = *reading.translated;
  if (reading.rewritten) {
    evidence.text = phrase("the Via header was sent with {} and came back with {}", own, echoed);
  } else if (reading.translated.value_or(false)) {
    evidence.text =
        phrase("the server saw {} in place of {}: address translation on the way",
               reading.seen_as ? seen_as_text(*reading.seen_as) : phrase("port {}", via.rport),
               local.to_string());
  } else if (reading.translated) {
    // Not "no translation": a device that rewrites SIP writes the same.
    evidence.text = phrase("the reply says that the server saw this computer's own address");
  } else {
    evidence.text = phrase("the server does not say which address it saw");
  }
  observation.evidence.push_back(std::move(evidence));
}

void add_sip_discarded(Observation& observation, const sip::Collector& collector) {
  if (collector.broken() == 0 && collector.foreign() == 0) return;
  add_evidence(observation, EvidenceKind::sip_discarded,
               collector.broken() > 0
                   ? phrase("what came back was not a SIP reply: {}", collector.why_broken())
                   : phrase("what came back was SIP, but not a reply to our request"),
               {{Fact::broken, collector.broken()}, {Fact::foreign, collector.foreign()}});
}

}  // namespace callready::checks
