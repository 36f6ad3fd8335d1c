#include "probe/net/resolver.hpp"

#include "probe/net/address.hpp"
#include "probe/net/dns_client.hpp"
#include "probe/net/timeouts.hpp"

namespace callready {
namespace {

constexpr std::size_t most_servers = 3;  // as many as the system itself asks

// One question from a socket of its own. Once a server refuses DNS over TCP, c-ares gives up all
// that it has asked there, even what the server would have answered over UDP.
asio::awaitable<Result<std::vector<IpAddress>>> ask_apart(asio::any_io_executor executor,
                                                          std::vector<std::string> servers,
                                                          std::string name, Family family,
                                                          Scope scope, Instant deadline,
                                                          Failure refused) {
  const auto type = family == Family::v6 ? dns::type_aaaa : dns::type_a;
  InnerScope in_time(scope, deadline);
  for (std::size_t i = 0; i < servers.size() && i < most_servers; ++i) {
    const auto server = parse_socket_address(servers[i], 53);
    if (!server) continue;
    if (scope.clock.now() >= deadline) break;
    dns::Question question;
    question.server = *server;
    question.name = name;
    question.type = type;
    const auto exchange = co_await dns::ask(executor, in_time.scope(), question);
    if (scope.stop.stopped() && exchange.reply.has_error()) co_return stopped();
    if (exchange.reply.has_error()) {
      if (!exchange.retried_by_tcp) continue;
      const bool in_vain = exchange.reply.error().kind == FailureKind::stopped;
      refused = classify_dns(ARES_ESERVFAIL);
      refused.text = "the answer is too long for UDP, and DNS over TCP does not work: " +
                     (in_vain ? timed_out() : exchange.reply.error()).text;
      continue;
    }
    const auto& message = *exchange.reply;
    std::vector<IpAddress> addresses;
    for (const auto* record : dns::answer_records(message, name, type)) {
      if (const auto* address = std::get_if<IpAddress>(&record->data)) {
        addresses.push_back(*address);
      }
    }
    if (!addresses.empty()) co_return addresses;
    if (message.rcode == dns::rcode_name_error) co_return classify_dns(ARES_ENOTFOUND);
    if (message.rcode == dns::rcode_no_error) co_return classify_dns(ARES_ENODATA);
    refused = classify_dns(ARES_ESERVFAIL);
  }
  co_return refused;
}

}  // namespace

// One name's answer, or those who wait for it.
struct Resolver::Entry {
  std::optional<Resolution> answer;
  std::vector<OneShot<bool>> waiting;
};

asio::awaitable<Resolution> Resolver::resolve(std::string name, Family family, Scope scope) {
  Resolution resolution;
  if (const auto literal = IpAddress::parse(name)) {
    if (literal->is_v6() == (family == Family::v6)) {
      resolution.addresses = std::vector<IpAddress>{*literal};
    } else {
      resolution.addresses = classify_dns(ARES_ENODATA);
    }
    co_return resolution;
  }
  const auto key = std::pair(name, family);
  const auto known = entries_.find(key);
  if (known != entries_.end()) {
    const auto entry = known->second;
    if (!entry->answer) {
      const OneShot<bool> done(executor_);
      entry->waiting.push_back(done);
      // The one who asks keeps the deadline; this bound is only there so that nothing ever hangs.
      const auto waited = co_await done.wait(scope, scope.clock.now() + 2 * timeouts::dns_total);
      if (waited.has_error()) {
        resolution.addresses = waited.error();
        co_return resolution;
      }
    }
    co_return *entry->answer;
  }
  const auto entry = std::make_shared<Entry>();
  entries_.emplace(key, entry);
  const auto start = scope.clock.now();
  const auto deadline = start + timeouts::dns_total;
  const auto shortages_before = shortages();
  auto found = co_await channel_->addresses(name, family, scope, deadline);
  auto list = std::move(found.list);
  const bool refused = list.has_error() && list.error().kind == FailureKind::dns_unreachable &&
                       list.error().code == ARES_ECONNREFUSED;
  if (refused) {
    auto why = list.error();
    list = co_await ask_apart(executor_, channel_->servers(), name, family, scope, deadline,
                              std::move(why));
    found.ended = scope.clock.now();
  }
  if (list.has_error() && list.error().kind == FailureKind::timed_out) {
    list = classify_dns(ARES_ETIMEOUT);
  }
  // This computer ran out of sockets meanwhile: the resolvers' silence may be for want of one.
  const bool silent =
      list.has_error() && list.error().kind == FailureKind::dns_unreachable && !refused;
  if (silent && shortages() != shortages_before) {
    // Not by classify(), which would count it as one more shortage and so excuse other failures.
    list = Failure{FailureKind::out_of_resources, "this computer ran out of sockets meanwhile"};
  }
  // A result that says nothing about the name is not kept: the name is asked again.
  const bool unasked = list.has_error() && (list.error().kind == FailureKind::stopped ||
                                            list.error().kind == FailureKind::out_of_resources);
  if (unasked) entries_.erase(key);
  resolution.from_hosts_file = found.from_hosts_file;
  resolution.addresses = std::move(list);
  resolution.took = elapsed(start, std::max(start, found.ended));
  entry->answer = resolution;
  for (const auto& waiter : entry->waiting) waiter.deliver(true);
  co_return resolution;
}

asio::awaitable<Resolution> Resolver::resolve_either(std::string name, Scope scope) {
  auto first = co_await resolve(name, Family::v4, scope);
  const bool other =
      first.addresses.has_error() && first.addresses.error().kind == FailureKind::no_address;
  if (!other) co_return first;
  auto second = co_await resolve(name, Family::v6, scope);
  second.took += first.took;
  co_return second;
}

}  // namespace callready
