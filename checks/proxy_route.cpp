#include "checks/proxy_route.hpp"

#include <openssl/err.h>
#include <openssl/sslerr.h>

#include <algorithm>

#include "probe/net/timeouts.hpp"
#include "probe/util/text.hpp"

namespace callready::checks {
namespace {

constexpr int status_login_wanted = 407;

// What comes through a tunnel is the server's own answer: a 407 there asks for no login here.
bool wants_login(const HttpReply& reply) {
  const bool tunnel = reply.connect_status != 0;
  return (tunnel ? reply.connect_status : reply.status) == status_login_wanted;
}

// Null: it gets no login.
const Login* login_for(const Context& context, const std::string& proxy) {
  const auto& known = context.settings.credentials.proxies;
  const auto found = known.find(proxy);
  return found == known.end() ? nullptr : &found->second;
}

// What the proxy offered and we can do, the strongest first.
std::vector<ProxyAuth> schemes_to_try(const Login* login, const HttpReply& reply) {
  std::vector<ProxyAuth> schemes;
  if (login == nullptr) return schemes;
  const bool password = !login->user.empty();
  for (const auto auth :
       {ProxyAuth::negotiate, ProxyAuth::ntlm, ProxyAuth::digest, ProxyAuth::basic}) {
    if (!contains(reply.proxy_schemes, auth)) continue;
    // Negotiate uses the system's login, and so needs no credentials from the user.
    if (auth == ProxyAuth::negotiate || password) schemes.push_back(auth);
  }
  return schemes;
}

void add_login(HttpRequest& request, const Context& context, ProxyAuth auth) {
  const auto* login = login_for(context, request.proxy->url);
  if (login == nullptr) return;
  request.proxy->auth = auth;
  request.proxy->user = login->user;
  request.proxy->password = login->password;
}

// The next one's turn.
void hand_on(ProxyLogin& login) {
  login.trying = false;
  for (const auto& waiter : login.waiting) waiter.deliver(true);
  login.waiting.clear();
}

// Tries one scheme after another; the reply to the first that is let in, or to the last.
asio::awaitable<HttpReply> try_schemes(Context& context, ProxyLogin& login, HttpReply refused,
                                       HttpRequest request, const ProxyAttempt& attempt,
                                       Instant deadline) {
  login.trying = true;
  auto reply = std::move(refused);
  const auto schemes = schemes_to_try(login_for(context, request.proxy->url), reply);
  login.settled = schemes.empty();
  for (const auto auth : schemes) {
    if (context.scope.stop.stopped() || context.scope.clock.now() >= deadline) break;
    login.settled = true;
    add_login(request, context, auth);
    auto next = co_await attempt(request, deadline);
    const bool answered = next.connect_status != 0 || next.status != 0;
    const bool timed_out = next.failure && next.failure->kind == FailureKind::timed_out;
    // Where the system has no ticket for Negotiate nothing is sent: the refusal stands.
    if (!answered && !timed_out && auth == ProxyAuth::negotiate) continue;
    reply = std::move(next);
    if (!answered) {
      login.cut = reply;
      break;
    }
    if (wants_login(reply)) {
      login.refused.push_back(auth);
      continue;
    }
    login.works = auth;
    break;
  }
  hand_on(login);
  co_return reply;
}

// Adds a list's schemes (RFC 9110 section 11.6.1): the first word of each part that is
// not a parameter.
void add_schemes(std::string& text, std::string_view list) {
  while (!list.empty()) {
    std::size_t end = 0;
    for (bool quoted = false; end < list.size() && (quoted || list[end] != ','); ++end) {
      if (quoted && list[end] == '\\' && end + 1 < list.size()) {
        ++end;
      } else if (list[end] == '"') {
        quoted = !quoted;
      }
    }
    const auto part = trimmed(list.substr(0, end));
    const auto word = part.substr(0, part.find(' '));
    const bool parameter =
        word.find('=') != word.npos || trimmed(part.substr(word.size())).starts_with('=');
    const bool scheme = !word.empty() && !parameter;
    if (scheme) text += (text.empty() ? "" : ", ") + std::string(word);
    list.remove_prefix(std::min(end + 1, list.size()));
  }
}

std::string offered(const HttpReply& reply) {
  const bool tunnel = reply.connect_status != 0;
  std::string text;
  for (const auto& [name, value] : tunnel ? reply.proxy_headers : reply.headers) {
    if (is_same_but_for_case(name, "proxy-authenticate")) add_schemes(text, value);
  }
  return text;
}

// The schemes with which a login was refused; empty if none was tried.
std::string refused_logins(const Context& context, const ProxyRoute& route) {
  std::string text;
  const auto login = context.proxy_logins.find(route.url);
  if (login == context.proxy_logins.end()) return text;
  for (const auto auth : login->second.refused) {
    text += (text.empty() ? "" : ", ") + std::string(to_string(auth));
  }
  return text;
}

void add_answer(Observation& observation, const Context& context, const ProxyRoute& route,
                const HttpReply& reply, int status) {
  const auto name = authority(route.endpoint.host, route.endpoint.port);
  Evidence evidence;
  evidence.kind = EvidenceKind::proxy_reply;
  evidence.text = phrase("the proxy {} answered {}", name, status);
  evidence.facts[Fact::proxy] = name;
  evidence.facts[Fact::status] = status;
  const auto schemes = offered(reply);
  if (status == status_login_wanted) {
    evidence.text += schemes.empty() ? "" : phrase(" and asks for a login with {}", schemes);
    evidence.facts[Fact::schemes] = schemes;
    const auto refused = refused_logins(context, route);
    if (!refused.empty()) {
      evidence.text += phrase(", and refused the login that was tried with {}", refused);
      evidence.facts[Fact::refused_schemes] = refused;
    }
    if (login_for(context, route.url) == nullptr) {
      evidence.text += phrase(
          "; none was sent, because a PAC file named this proxy and CALLREADY_PROXY_HOST does not");
    }
  }
  const bool tunnel = reply.connect_status != 0;
  // Not its Via: that names the site's own machine.
  struct Named {
    const char* header;
    Fact fact;
  };
  for (const auto& [header, fact] :
       {Named{"Server", Fact::server}, Named{"Proxy-Agent", Fact::agent},
        Named{"X-Squid-Error", Fact::error}}) {
    const auto value = tunnel ? reply.proxy_header(header) : reply.header(header);
    if (value) evidence.facts[fact] = *value;
  }
  observation.evidence.push_back(std::move(evidence));
}

// For a request without a tunnel: whether the reply is the proxy's own, not one it passed on. Squid
// says so; from others the statuses for a failing upstream are taken as the proxy's own.
bool refused_by_proxy(const HttpReply& reply) {
  if (reply.connect_status != 0 || reply.status == 0) return false;
  const bool gateway = reply.status >= 502 && reply.status <= 504;
  return reply.status == status_login_wanted || gateway || reply.header("X-Squid-Error");
}

// A web server that has no CONNECT replies with one of these; a proxy marks its own replies.
bool by_a_web_server(const HttpReply& reply, int status) {
  if (status != 400 && status != 404 && status != 405 && status != 501) return false;
  const bool tunnel = reply.connect_status != 0;
  for (const auto* mark : {"Via", "Proxy-Agent", "Proxy-Connection", "X-Squid-Error", "X-Cache"}) {
    if (tunnel ? reply.proxy_header(mark) : reply.header(mark)) return false;
  }
  return true;
}

// The greeting was answered in something else than TLS, most often in HTTP. libcurl passes on
// OpenSSL's words alone.
bool answered_in_plain(const Failure& failure) {
  const auto* words = ERR_reason_error_string(ERR_PACK(ERR_LIB_SSL, 0, SSL_R_WRONG_VERSION_NUMBER));
  return failure.kind == FailureKind::tls_protocol && words != nullptr &&
         failure.text.find(words) != std::string::npos;
}

void conclude_status(Observation& observation, const HttpReply& reply, int status) {
  if (by_a_web_server(reply, status)) {
    return set_outcome(observation, Outcome::failed, DetailCode::not_a_proxy);
  }
  const bool denied = status >= 400 && status < 500;
  set_outcome(observation, denied ? Outcome::denied : Outcome::failed, Detail::status(status));
}

}  // namespace

asio::awaitable<std::optional<ProxyRoute>> find_proxy(Context& context, Job job,
                                                      Observation& observation) {
  const auto endpoint = parse_proxy_url(job.probe.target.route.proxy);
  if (!endpoint) {
    set_outcome(observation, Outcome::skipped, DetailCode::bad_proxy);
    co_return std::nullopt;
  }
  const auto host = endpoint->host;
  const auto resolution = co_await context.resolver.resolve_either(host, context.scope);
  if (resolution.addresses.has_error()) {
    record(observation, resolution.addresses.error());
    if (observation.outcome == Outcome::unresolved)
      observation.detail = DetailCode::proxy_unresolved;
    co_return std::nullopt;
  }
  ProxyRoute route;
  route.endpoint = *endpoint;
  route.url = endpoint->url();
  route.address = resolution.addresses->front();
  co_return route;
}

HttpRequest request_through(const Context& context, const ProxyRoute& route, std::string url) {
  HttpRequest request;
  request.url = std::move(url);
  request.pins = {{route.endpoint.host, route.endpoint.port, route.address}};
  request.proxy = HttpProxy();
  request.proxy->url = route.url;
  request.user_agent = context.settings.user_agent;
  request.interface = context.settings.interface;
  return request;
}

asio::awaitable<HttpReply> with_login(Context& context, const ProxyRoute& route,
                                      HttpRequest request, const ProxyAttempt& attempt) {
  const auto deadline = context.scope.clock.now() + timeouts::proxy_total;
  auto& login = context.proxy_logins[route.url];
  // Not read again below: another probe's login may settle it while we wait for the answer.
  const bool logged_in = login.works != ProxyAuth::none;
  if (logged_in) add_login(request, context, login.works);
  auto reply = co_await attempt(request, deadline);
  if (!wants_login(reply) || logged_in) co_return reply;
  while (login.trying) {
    const OneShot<bool> turn(context.executor);
    login.waiting.push_back(turn);
    const auto waited = co_await turn.wait(context.scope, deadline);
    if (waited.has_error()) co_return reply;
  }
  if (login.settled) {
    if (login.works != ProxyAuth::none) {
      add_login(request, context, login.works);
      reply = co_await attempt(request, deadline);
    } else if (login.cut) {
      reply = *login.cut;
    }
    co_return reply;
  }
  reply = co_await try_schemes(context, login, std::move(reply), request, attempt, deadline);
  co_return reply;
}

bool proxy_let_pass(Observation& observation, const Context& context, const ProxyRoute& route,
                    const HttpReply& reply) {
  observation.address = route.address;
  if (reply.local) observation.local = reply.local;
  const int status = refused_by_proxy(reply) ? reply.status : reply.connect_status;
  if (status != 0) add_answer(observation, context, route, reply, status);
  const bool passed = (status >= 200 && status < 300) || (status == 0 && reply.status != 0);
  if (passed) return true;
  if (status != 0) {
    conclude_status(observation, reply, status);
    return false;
  }
  const auto failure = reply.failure.value_or(Failure{});
  record(observation, failure);
  const bool of_this_computer = is_of_this_computer(failure);
  if (of_this_computer || observation.outcome == Outcome::skipped) return false;
  if (!reply.connected) {
    observation.detail = DetailCode::proxy_unreachable;
  } else if (failure.kind == FailureKind::timed_out) {
    set_outcome(observation, Outcome::failed, DetailCode::proxy_timed_out);
  } else if (answered_in_plain(failure)) {
    set_outcome(observation, Outcome::failed, DetailCode::proxy_without_tls);
  } else if (failure.kind == FailureKind::malformed || failure.kind == FailureKind::oversized) {
    set_outcome(observation, Outcome::failed, DetailCode::not_a_proxy);
  }
  return false;
}

asio::awaitable<std::unique_ptr<Stream>> open_tunnel(Context& context, Job job,
                                                     Observation& observation,
                                                     std::optional<Failure>& failure) {
  const auto route = co_await find_proxy(context, job, observation);
  if (!route) co_return nullptr;
  const auto start = context.scope.clock.now();
  HttpClient client(context.executor, context.tls);
  // By name, so that the proxy resolves; by address where the check has found the server itself.
  const auto host = job.address ? job.address->to_string() : job.probe.target.host;
  const auto target = authority(host, job.probe.target.port());
  auto request = request_through(context, *route, "http://" + target);
  std::unique_ptr<Stream> stream;
  const ProxyAttempt attempt = [&](HttpRequest one, Instant last) -> asio::awaitable<HttpReply> {
    const auto deadline = std::min(last, context.scope.clock.now() + timeouts::proxy_connect);
    auto tunnel = co_await client.connect(one, context.scope, deadline);
    stream = std::move(tunnel.stream);
    co_return std::move(tunnel.reply);
  };
  const auto reply = co_await with_login(context, *route, request, attempt);
  failure = reply.failure;
  const bool passed = proxy_let_pass(observation, context, *route, reply);
  if (!passed) co_return nullptr;
  observation.timing_ms[Timing::tunnel] = elapsed(start, context.scope.clock.now()).count();
  observation.outcome = Outcome::connected;
  co_return stream;
}

}  // namespace callready::checks
