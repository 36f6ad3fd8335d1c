#include "probe/engine/proxy_discovery.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "probe/model/url.hpp"
#include "probe/net/address.hpp"
#include "probe/net/http.hpp"
#include "probe/net/pac.hpp"
#include "probe/net/proxy_rules.hpp"
#include "probe/net/timeouts.hpp"
#include "probe/platform/input_file.hpp"
#include "probe/platform/system.hpp"
#include "probe/util/text.hpp"
#include "probe/util/utf8.hpp"

namespace callready {
namespace {

// Proxies that a PAC file names alongside others, and that are tried before one is chosen.
constexpr std::size_t most_tried = 4;
// Proxies that it may name at all.
constexpr std::size_t most_named = 16;
// Places where WPAD is looked for.
constexpr std::size_t most_wpad_urls = 6;
// Redirects from where it is said to be to where it is, as browsers follow them.
constexpr int most_redirects = 5;

// Probes that a proxy could carry at all.
std::vector<const Probe*> candidates(const Plan& plan) {
  std::vector<const Probe*> found;
  for (const auto& planned : plan.probes) {
    const auto& target = planned.probe.target;
    if (target.transport != Transport::udp && !target.host.empty()) found.push_back(&planned.probe);
  }
  return found;
}

// The URL that most candidates take, and how many take none.
void summarise(ProxyDiscovery& found, const Plan& plan, const Text& by) {
  std::map<std::string, std::size_t> uses;
  std::size_t direct = 0;
  for (const auto* probe : candidates(plan)) {
    const auto url = found.proxy_for(*probe);
    ++(url.empty() ? direct : uses[url]);
  }
  std::size_t best = 0;
  std::vector<Text> words;
  for (const auto& [url, count] : uses) {
    if (count > best) found.main_proxy = url;
    best = std::max(best, count);
    words.push_back(phrase("{} for {}", url, count));
  }
  if (words.empty()) {
    found.notes.push_back(phrase("{} sets no proxy for any endpoint in this run.", by));
    return;
  }
  if (direct > 0) words.push_back(phrase("none for {}", direct));
  found.notes.push_back(
      phrase("{} assigns proxies to endpoints as follows: {}.", by, joined_texts(words)));
}

ProxyDiscovery by_environment(const Plan& plan, const Variables& variables) {
  ProxyDiscovery found;
  const auto environment = read_proxy_environment(variables);
  for (const auto& name : environment.unusable) {
    found.notes.push_back(
        phrase("{} in the environment does not name an HTTP proxy, so it is not used.", name));
  }
  if (environment.empty()) return found;
  found.proxy_for = [environment](const Probe& probe) {
    const auto* proxy = environment.choose(probe);
    return proxy == nullptr ? std::string() : proxy->url;
  };
  for (const auto* probe : candidates(plan)) {
    if (environment.none.covers(probe->target.host, probe->target.port()))
      add_once(found.exceptions, probe->target.host);
  }
  std::set<std::string> names;
  for (const auto* choice : {&environment.https, &environment.http}) {
    const auto& proxy = choice->proxy;
    if (!proxy) continue;
    names.insert(choice->variable);
    auto& login = found.named[proxy->url];
    if (login.user.empty()) login = {proxy->user, proxy->password};
  }
  if (!environment.no_proxy_variable.empty()) names.insert(environment.no_proxy_variable);
  summarise(found, plan, phrase("The environment ({})", joined_texts(names)));
  return found;
}

// A PAC file being fetched: where from, and what is known about it.
struct PacFile {
  std::string place;        // for people: the path, or the URL without credentials
  std::string script, url;  // the URL as it was asked for; empty: a file
  Probe probe;
  Observation seen;
  bool exists = false;     // somebody is there to be asked
  bool by_itself = false;  // found by WPAD or a desktop's setting: the user has not named it

  bool read() const { return !script.empty(); }
  void fail(Detail detail, const Text& words) {
    seen.outcome = seen.outcome == Outcome::skipped ? Outcome::failed : seen.outcome;
    seen.detail = detail;
    note(words);
  }
  // Half a script answers nothing.
  void fail_for_length() {
    fail(DetailCode::oversized, phrase("it is longer than {} bytes", pac_limit));
  }
  void note(const Text& words) {
    checks::add_evidence(seen, EvidenceKind::pac,
                         phrase("The PAC file {}: {}", place, words.rewritten(without_secrets)),
                         {{Fact::place, place}});
  }
};

PacFile read_file(std::string path) {
  PacFile file;
  if (starts_but_for_case(path, "file://")) path.erase(0, 7);
  file.place = path;
  file.exists = true;
  auto input = platform::read_input(path, pac_limit);
  if (!input.error.empty()) {
    file.fail(DetailCode::pac_unreadable, phrase("it cannot be read: {}", input.error));
    return file;
  }
  if (input.text.empty()) {
    file.fail(DetailCode::pac_empty, phrase("it is empty"));
  } else if (input.text.size() > pac_limit) {
    file.fail_for_length();
  } else {
    file.script = std::move(input.text);
  }
  return file;
}

// The parts of "http://host:port/path"; nothing if it is not such a URL.
struct PacUrl {
  bool tls = false;
  std::string host, rest;
  std::uint16_t port = 0;
};

std::optional<PacUrl> parse_pac_url(const std::string& url) {
  const auto mark = url.find("://");
  if (mark == url.npos) return std::nullopt;
  const auto slash = std::min(url.find_first_of("/?#", mark + 3), url.size());
  const auto endpoint = parse_proxy_url(std::string_view(url).substr(0, slash));
  if (!endpoint) return std::nullopt;
  PacUrl parts;
  parts.tls = endpoint->https;
  parts.host = endpoint->host;
  parts.port = endpoint->port;
  parts.rest = url.substr(slash);
  if (parts.rest.empty()) parts.rest = "/";
  return parts;
}

bool is_untrusted(const HttpReply& reply) {
  return !reply.tls.version.empty() && (reply.tls.verify_code != 0 || !reply.tls.name_matches);
}

void judge_reply(PacFile& file, const HttpReply& reply) {
  if (reply.status == 0) {
    record(file.seen, reply.failure.value_or(Failure{}));
    file.note(phrase("it could not be fetched"));
  } else if (is_untrusted(reply)) {
    file.fail(DetailCode::untrusted, phrase("its web server's certificate is not trusted"));
  } else if (reply.status != 200) {
    file.fail(Detail::status(reply.status), phrase("the web server answered {}", reply.status));
  } else if (reply.body_cut) {
    file.fail_for_length();
  } else if (reply.body.empty()) {
    file.fail(DetailCode::pac_empty, phrase("it is empty"));
  } else {
    file.script = reply.body;
  }
}

asio::awaitable<PacFile> fetch(checks::Context& context, std::string url) {
  PacFile file;
  file.url = url;
  file.place = printable(without_secrets(url), 300);
  auto parts = parse_pac_url(url);
  if (!parts) {
    file.fail(DetailCode::pac_bad_url,
              phrase("it is neither a file nor an address that begins with http://"));
    co_return file;
  }
  file.probe.target.host = parts->host;
  file.probe.target.ports = {parts->port, parts->port};
  if (parts->tls) file.probe.target.transport = Transport::tls;
  file.seen.sent_at = context.scope.clock.wall_now();
  file.seen.attempts = 1;
  HttpReply reply;
  Instant deadline{};
  for (int redirects = 0; redirects <= most_redirects; ++redirects) {
    const auto host = parts->host;
    const auto resolution = co_await context.resolver.resolve_either(host, context.scope);
    if (resolution.addresses.has_error()) {
      record(file.seen, resolution.addresses.error());
      file.note(phrase("its server's name could not be resolved"));
      co_return file;
    }
    const SocketAddress remote{resolution.addresses->front(), parts->port};
    if (redirects == 0) {
      file.exists = true;
      file.seen.address = remote.address;
      deadline = context.scope.clock.now() + pac_fetch_time;
    } else if (!may_be_sent_to(remote, {*file.seen.address, file.probe.target.port()})) {
      break;
    }
    HttpRequest request;
    request.url =
        (parts->tls ? "https://" : "http://") + authority(parts->host, parts->port) + parts->rest;
    request.pins = {{parts->host, parts->port, remote.address}};
    request.user_agent = context.settings.user_agent;
    request.interface = context.settings.interface;
    request.body_limit = pac_limit;
    HttpClient client(context.executor, context.tls);
    reply = co_await client.request(request, context.scope, deadline);
    if (is_untrusted(reply)) break;
    parts = parse_pac_url(reply.redirect);
    if (!parts) break;
  }
  judge_reply(file, reply);
  co_return file;
}

// The answers of the script, by question.
using Answers = std::map<std::string, std::vector<PacRoute>>;

asio::awaitable<Answers> evaluate(checks::Context& context, PacFile& file, const Plan& plan,
                                  std::string program) {
  Answers routes;
  std::vector<PacQuestion> questions;
  for (const auto* probe : candidates(plan)) {
    if (is_this_computer(probe->target.host)) continue;
    const auto url = proxy_question(*probe);
    if (routes.try_emplace(url).second) questions.push_back({url, probe->target.host});
  }
  const auto deadline = context.scope.clock.now() + pac_script_time;
  PacSource source{file.script, file.url, std::move(program)};
  auto answers =
      co_await ask_pac(context.executor, std::move(source), questions, context.scope, deadline);
  if (answers.has_error()) {
    routes.clear();
    const bool endless = answers.error().kind == FailureKind::timed_out;
    if (answers.error().kind == FailureKind::stopped) {
      record(file.seen, answers.error());
    } else if (endless) {
      file.fail(DetailCode::pac_timed_out, phrase("its script does not end"));
    } else {
      file.fail(DetailCode::pac_crashed, answers.error().text);
    }
    co_return routes;
  }
  if (!answers->error.empty()) {
    file.fail(DetailCode::pac_script, phrase("its script fails: {}", answers->error));
  } else {
    file.seen.outcome = Outcome::answered;
    file.seen.detail = DetailCode::pac_evaluated;
  }
  for (std::size_t i = 0; i < questions.size(); ++i) {
    routes[questions[i].url] = read_pac_answer(answers->answers[i]);
  }
  co_return routes;
}

// Of the proxies that a PAC file names.
struct Unusable {
  std::set<std::string> dead;    // named with an alternative, and take no connection
  std::set<std::string> traps;   // where no proxy of a site is: nothing is sent there
  std::set<std::string> beyond;  // more than are looked up: nothing is sent there either
  bool shuns(const std::string& url) const { return traps.contains(url) || beyond.contains(url); }
};

// A stranger who answers to the name "wpad" has no business with services of this machine or its
// link (a cloud's metadata); programs that proxy on this machine bring their own PAC file.
bool is_trap(const IpAddress& proxy, bool from_a_stranger) {
  return proxy.is_link_local() || proxy.is_multicast() || proxy.is_unspecified() ||
         (from_a_stranger && proxy.is_loopback());
}

asio::awaitable<Unusable> find_unusable(checks::Context& context, const Answers& answers,
                                        bool from_a_stranger) {
  Unusable found;
  std::map<std::string, std::optional<IpAddress>> looked_up;
  std::set<std::string> tried;
  for (const auto& [question, routes] : answers) {
    for (std::size_t i = 0; i < routes.size(); ++i) {
      const auto& url = routes[i].url;
      if (url.empty()) continue;
      const auto endpoint = parse_proxy_url(url);
      if (looked_up.size() == most_named && !looked_up.contains(url)) {
        found.beyond.insert(url);
        continue;
      }
      const auto host = endpoint->host;
      const auto resolution = co_await context.resolver.resolve_either(host, context.scope);
      auto& address = looked_up[url];
      if (!resolution.addresses.has_error()) address = resolution.addresses->front();
      if (address && is_trap(*address, from_a_stranger)) found.traps.insert(url);
      // If there is an alternative, programs move on to it.
      if (i + 1 == routes.size() || found.traps.contains(url)) continue;
      if (tried.size() == most_tried || !tried.insert(url).second) continue;
      if (!address) {
        found.dead.insert(url);
        continue;
      }
      ConnectOptions options;
      options.interface = context.settings.interface;
      const SocketAddress remote{*address, endpoint->port};
      const auto connected = co_await connect_tcp(context.executor, context.scope, remote, options);
      if (connected.has_error()) found.dead.insert(url);
    }
  }
  co_return found;
}

// The route that a program takes: the first that works.
std::string first_usable(const std::vector<PacRoute>& routes, const Unusable& unusable) {
  const PacRoute* first = nullptr;
  for (const auto& route : routes) {
    if (route.kind == PacRoute::Kind::direct) return {};
    if (route.kind != PacRoute::Kind::proxy || unusable.shuns(route.url)) continue;
    if (!unusable.dead.contains(route.url)) return route.url;
    if (first == nullptr) first = &route;
  }
  // All are out of order: the first, so that the report says so.
  return first == nullptr ? std::string() : first->url;
}

asio::awaitable<ProxyDiscovery> by_pac(checks::Context& context, PacFile file, const Plan& plan,
                                       std::string program) {
  ProxyDiscovery found;
  Answers answers;
  if (file.read()) answers = co_await evaluate(context, file, plan, std::move(program));
  const bool from_a_stranger =
      file.by_itself && file.seen.address && !file.seen.address->is_loopback();
  const auto unusable = co_await find_unusable(context, answers, from_a_stranger);
  std::map<std::string, std::string> chosen;
  std::set<std::string> unsupported, said, only_socks;
  for (const auto& [question, routes] : answers) {
    chosen[question] = first_usable(routes, unusable);
    for (const auto& route : routes) {
      said.insert(route.text);
      if (route.kind == PacRoute::Kind::unsupported) unsupported.insert(route.text);
    }
    const bool only =
        !routes.empty() && std::all_of(routes.begin(), routes.end(), [](const PacRoute& route) {
          return route.kind == PacRoute::Kind::unsupported;
        });
    if (only) only_socks.insert(question);
  }
  if (file.seen.outcome == Outcome::answered) {
    file.note(fmt::format("it answers {}", fmt::join(said, "; ")));
  }
  for (const auto& url : unusable.traps) {
    found.notes.push_back(phrase(
        "The proxy {} in the PAC file is not one that a site would use: nothing was sent to it.",
        url));
  }
  if (!unusable.beyond.empty()) {
    found.notes.push_back(phrase(
        "The PAC file names more than {} proxies: nothing was sent to the others.", most_named));
  }
  for (const auto& url : unusable.dead) {
    found.notes.push_back(phrase(
        "The proxy {} in the PAC file does not accept connections; programs go on to the next one.",
        url));
  }
  if (!unsupported.empty()) {
    found.notes.push_back(
        phrase("The PAC file names {}: SOCKS is not tried.", fmt::join(unsupported, ", ")));
  }
  if (!only_socks.empty()) {
    found.notes.push_back(
        plural(only_socks.size(),
               "For {} endpoint, the PAC file names only SOCKS: it was tried directly, which "
               "programs that follow the file do not do.",
               "For {} endpoints, the PAC file names only SOCKS: they were tried directly, which "
               "programs that follow the file do not do."));
  }
  if (!chosen.empty() && file.seen.outcome == Outcome::answered) {
    found.proxy_for = [chosen](const Probe& probe) {
      const auto place = chosen.find(proxy_question(probe));
      return place == chosen.end() ? std::string() : place->second;
    };
    for (const auto* probe : candidates(plan)) {
      const auto routes = answers.find(proxy_question(*probe));
      const bool past = routes != answers.end() && !routes->second.empty() &&
                        routes->second.front().kind == PacRoute::Kind::direct;
      if (past) add_once(found.exceptions, probe->target.host);
    }
    summarise(found, plan, phrase("The PAC file {}", file.place));
  }
  file.probe.check = CheckKind::pac;
  file.probe.purpose = Purpose::control;
  file.probe.id = probe_id(file.probe);
  found.pac = ProbeResult{file.probe, as_written(std::move(file.seen))};
  co_return found;
}

asio::awaitable<ProxyDiscovery> by_wpad(checks::Context& context, const Plan& plan,
                                        std::string program) {
  auto domains = context.resolver.channel().search_domains();
  const auto host = platform::host_name();
  if (const auto dot = host.find('.'); dot != host.npos) domains.push_back(host.substr(dot + 1));
  auto urls = wpad_urls(domains);
  if (urls.size() > most_wpad_urls) urls.resize(most_wpad_urls);
  for (const auto& url : urls) {
    auto file = co_await fetch(context, url);
    if (!file.exists) continue;
    file.by_itself = true;
    auto found = co_await by_pac(context, std::move(file), plan, program);
    co_return found;
  }
  ProxyDiscovery nothing;
  if (urls.empty()) {
    nothing.notes.push_back(phrase(
        "No proxy was found: the environment names none, and this computer has no domain in which "
        "to look for WPAD."));
  } else {
    nothing.notes.push_back(
        phrase("No proxy was found: the environment names none, and there is no WPAD server ({}).",
               fmt::join(urls, ", ")));
  }
  co_return nothing;
}

}  // namespace

asio::awaitable<ProxyDiscovery> discover_proxies(checks::Context& context, ProxyWish wish,
                                                 const Plan& plan, Variables variables,
                                                 std::string program) {
  ProxyDiscovery found;
  switch (wish.kind) {
    case ProxyWish::Kind::none:
      break;
    case ProxyWish::Kind::fixed: {
      found.main_proxy = wish.value;
      if (const auto proxy = parse_proxy_url(wish.value)) found.named[proxy->url()] = {};
      found.proxy_for = [url = wish.value](const Probe&) { return url; };
      break;
    }
    case ProxyWish::Kind::environment:
    case ProxyWish::Kind::automatic: {
      found = by_environment(plan, variables);
      if (found.proxy_for || wish.kind == ProxyWish::Kind::environment) break;
      const auto pac = variables("auto_proxy");
      if (!pac.empty()) {
        auto file = co_await fetch(context, pac);
        file.by_itself = true;
        found = co_await by_pac(context, std::move(file), plan, std::move(program));
      } else {
        found = co_await by_wpad(context, plan, std::move(program));
      }
      break;
    }
    case ProxyWish::Kind::pac: {
      PacFile file;
      if (is_web_url(wish.value)) {
        file = co_await fetch(context, wish.value);
      } else {
        file = read_file(wish.value);
      }
      found = co_await by_pac(context, std::move(file), plan, std::move(program));
      break;
    }
  }
  co_return found;
}

}  // namespace callready
