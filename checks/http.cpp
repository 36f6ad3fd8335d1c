// http: one GET, over TCP (http://) or TLS (https://), redirects not followed (RFC 9110, RFC 9112);
// with `upgrade: websocket` the opening handshake of RFC 6455.
//
// A reply with any status is `answered`, with the status as detail: the service (or something in
// its place) speaks HTTP. `failed`: "unexpected_status" or "unexpected_body" if `status` or `body`
// were given and the reply does not match, "no_upgrade" if WebSocket was wanted and the server, or
// something on the way, did not switch (401, 403 and 404 over a trusted chain are the server's own
// verdict on the path: `answered`), "bad_upgrade" if the 101 lacks the right Sec-WebSocket-Accept;
// over TLS the details of `tls`; "http_timed_out", "closed_by_peer", "malformed", "oversized" if
// TCP connected and no reply came, or nothing of the `body` after its headers. If TCP does not
// connect, the outcomes of `tcp`; through a proxy, those of `proxy`. A redirect to another host
// (`redirect_host`), the server's clock (`date_offset_s`) and whether the body was as expected
// (`body_matches`) are facts that are not judged here.
#include <fmt/format.h>

#include <algorithm>

#include "checks/certificate_evidence.hpp"
#include "checks/dial.hpp"
#include "checks/kinds.hpp"
#include "checks/proxy_route.hpp"
#include "probe/net/dns_records.hpp"
#include "probe/net/timeouts.hpp"
#include "probe/util/base64.hpp"
#include "probe/util/digest.hpp"
#include "probe/util/text.hpp"
#include "probe/util/utf8.hpp"

namespace callready::checks {
namespace {

struct Wanted {
  bool tls = false;
  std::string host;
  std::string path, body, status;
  std::string websocket_key;  // empty: no upgrade
};

// A path that cannot change the request around it.
bool is_path(std::string_view path) {
  return path.starts_with('/') &&
         std::all_of(path.begin(), path.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

// "https://Portal.example:8443/login" -> "portal.example"; empty where it stays on the host.
std::string redirect_host(const std::string& location, const std::string& host) {
  const auto found = location.find("://");
  // After a slash or a question mark it belongs to another URL, in a reference to this host.
  const auto scheme = found < location.find_first_of("/?#") ? found : location.npos;
  const auto start =
      scheme == location.npos ? (location.starts_with("//") ? 2 : location.npos) : scheme + 3;
  if (start == location.npos) return {};
  auto name = location.substr(start, location.find_first_of("/?#", start) - start);
  if (const auto user = name.rfind('@'); user != name.npos) name.erase(0, user + 1);
  if (name.starts_with('[')) {
    name = name.substr(1, name.find(']') - 1);
  } else {
    name = name.substr(0, name.find(':'));
  }
  if (name.ends_with('.')) name.pop_back();  // the root
  name = lower_case(name);
  return dns::same_name(name, host) ? std::string() : printable(name, 253);
}

// The reply broke off before any of the expected body came.
bool lacks_body(const HttpReply& reply, const Wanted& wanted) {
  return !wanted.body.empty() && reply.body.empty() && reply.failure.has_value();
}

void add_reply(Observation& observation, const HttpReply& reply, const Wanted& wanted,
               WallTime now) {
  Evidence evidence;
  evidence.kind = EvidenceKind::http_reply;
  evidence.text = phrase("answered {} {}", reply.version, reply.status);
  evidence.facts[Fact::status] = reply.status;
  evidence.facts[Fact::body_bytes] = static_cast<std::int64_t>(reply.body.size());
  if (const auto server = reply.header("Server")) evidence.facts[Fact::server] = *server;
  // Its text names machines of the site.
  if (reply.header("Via")) evidence.facts[Fact::via] = true;
  const auto location = reply.header("Location");
  if (location && reply.status >= 300 && reply.status < 400) {
    const auto other = redirect_host(*location, wanted.host);
    if (!other.empty()) {
      evidence.facts[Fact::redirect_host] = other;
      evidence.text += phrase(", a redirect to {}", other);
    }
  }
  if (!wanted.body.empty() && !lacks_body(reply, wanted)) {
    evidence.facts[Fact::body_matches] = reply.body.find(wanted.body) != std::string::npos;
  }
  const auto date = reply.header("Date");
  const auto seconds = parse_http_date(date.value_or(""));
  if (seconds) {
    // As real numbers: the clock's own type ends in the year 2262.
    const std::chrono::duration<double> here = now.time_since_epoch();
    evidence.facts[Fact::date_offset_s] = static_cast<double>(*seconds) - here.count();
  }
  observation.evidence.push_back(std::move(evidence));
}

// Why the switch to WebSocket failed; empty if it was made.
Detail upgrade_fault(const HttpReply& reply, const Wanted& wanted) {
  if (reply.status != 101) return DetailCode::no_upgrade;
  const auto accept = reply.header("Sec-WebSocket-Accept");
  if (!accept || *accept != websocket_accept(wanted.websocket_key)) return DetailCode::bad_upgrade;
  return {};
}

Detail reply_fault(const HttpReply& reply, const Wanted& wanted) {
  if (!wanted.websocket_key.empty()) {
    const bool about_the_path = reply.status == 401 || reply.status == 403 || reply.status == 404;
    if (wanted.tls && about_the_path) return {};
    return upgrade_fault(reply, wanted);
  }
  if (!wanted.status.empty() && std::to_string(reply.status) != wanted.status) {
    return DetailCode::unexpected_status;
  }
  if (reply.body.find(wanted.body) == std::string::npos) return DetailCode::unexpected_body;
  return {};
}

void conclude_failure(Observation& observation, const HttpReply& reply, const Wanted& wanted) {
  Failure unknown;
  unknown.kind = FailureKind::malformed;
  unknown.text = phrase("the connection ended without a reply");
  const auto failure = reply.failure.value_or(unknown);
  record(observation, failure);
  if (!reply.tls.not_tls.empty()) {
    set_outcome(observation, Outcome::failed, DetailCode::not_tls);
  } else if (knows_old_versions_only(failure)) {
    observation.detail = DetailCode::tls_version;
  } else if (wants_a_client_certificate(failure, reply.tls)) {
    const auto fault = certificate_fault(reply.tls);
    observation.outcome = fault.empty() ? Outcome::answered : Outcome::failed;
    observation.detail = fault.empty() ? DetailCode::client_certificate_wanted : fault;
  } else if (reply.connected && failure.kind == FailureKind::timed_out) {
    const bool handshake_done = !wanted.tls || reply.timing_ms.contains(Timing::tls);
    set_outcome(observation, Outcome::failed,
                handshake_done ? DetailCode::http_timed_out : DetailCode::tls_timed_out);
  }
}

void conclude(Observation& observation, const HttpReply& reply, const Wanted& wanted,
              WallTime now) {
  if (wanted.tls) add_tls_evidence(observation, reply.tls);
  if (reply.status == 0) {
    conclude_failure(observation, reply, wanted);
    return;
  }
  add_reply(observation, reply, wanted, now);
  auto fault = wanted.tls ? certificate_fault(reply.tls) : Detail();
  if (fault.empty()) fault = reply_fault(reply, wanted);
  if (fault == DetailCode::unexpected_body && lacks_body(reply, wanted)) {
    return conclude_failure(observation, reply, wanted);
  }
  observation.outcome = fault.empty() ? Outcome::answered : Outcome::failed;
  observation.detail = fault.empty() ? Detail::status(reply.status) : fault;
}

void describe(HttpRequest& request, const Wanted& wanted) {
  request.check_name = !IpAddress::parse(wanted.host).has_value();
  if (wanted.websocket_key.empty()) return;
  request.tunnel = true;  // as browsers do: a proxy would take the upgrade for its own
  request.headers = {"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
                     "Sec-WebSocket-Key: " + wanted.websocket_key};
}

asio::awaitable<void> ask_direct(Context& context, Job job, std::string url, Wanted wanted,
                                 Observation& observation) {
  HttpRequest request;
  request.url = std::move(url);
  const auto remote = job.remote();
  request.pins = {{job.probe.target.host, remote.port, remote.address}};
  request.user_agent = context.settings.user_agent;
  request.interface = context.settings.interface;
  describe(request, wanted);
  request.tunnel = false;
  if (job.doubtful) request.connect = timeouts::silent_host_connect;
  auto limit = timeouts::tcp_connect + timeouts::stream_reply;
  if (wanted.tls) limit += timeouts::tls_handshake;
  HttpClient client(context.executor, context.tls);
  const auto reply =
      co_await client.request(request, context.scope, context.scope.clock.now() + limit);
  observation.address = job.address;
  observation.local = reply.local;
  if (reply.sent_at) observation.sent_at = reply.sent_at;
  observation.timing_ms = reply.timing_ms;
  const auto connect = reply.timing_ms.find(Timing::connect);
  if (connect != reply.timing_ms.end()) observation.round_trip = Milliseconds(connect->second);
  conclude(observation, reply, wanted, context.scope.clock.wall_now());
  note_short_wait(observation, job, request.connect);
}

asio::awaitable<void> ask_through_proxy(Context& context, Job job, std::string url, Wanted wanted,
                                        Observation& observation) {
  const auto route = co_await find_proxy(context, job, observation);
  if (!route) co_return;
  auto request = request_through(context, *route, std::move(url));
  describe(request, wanted);
  HttpClient client(context.executor, context.tls);
  const ProxyAttempt attempt = [&](HttpRequest one,
                                   Instant deadline) -> asio::awaitable<HttpReply> {
    auto reply = co_await client.request(one, context.scope, deadline);
    co_return reply;
  };
  const auto reply = co_await with_login(context, *route, request, attempt);
  observation.timing_ms = reply.timing_ms;
  if (proxy_let_pass(observation, context, *route, reply)) {
    conclude(observation, reply, wanted, context.scope.clock.wall_now());
  }
}

}  // namespace

asio::awaitable<Observation> run_http(Context& context, Job job) {
  Observation observation;
  const auto& target = job.probe.target;
  Wanted wanted;
  wanted.tls = target.transport == Transport::tls;
  wanted.host = target.host;
  wanted.path = job.parameter("path", "/");
  wanted.body = job.parameter("body");
  wanted.status = job.parameter("status");
  const auto upgrade = job.parameter("upgrade");
  if (!is_path(wanted.path) || (!upgrade.empty() && upgrade != "websocket")) {
    observation.detail = DetailCode::bad_parameter;
    co_return observation;
  }
  if (!upgrade.empty()) wanted.websocket_key = base64(random_bytes<16>());
  observation.sent_at = context.scope.clock.wall_now();
  observation.attempts = 1;
  const auto url =
      (wanted.tls ? "https://" : "http://") + authority(target.host, target.port()) + wanted.path;
  if (target.route.direct()) {
    co_await ask_direct(context, job, url, wanted, observation);
  } else {
    co_await ask_through_proxy(context, job, url, wanted, observation);
  }
  co_return observation;
}

}  // namespace callready::checks
