#include "probe/net/resolver.hpp"

#include "probe/net/timeouts.hpp"

namespace callready {

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
  const auto found = entries_.find(key);
  if (found != entries_.end()) {
    const auto entry = found->second;
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
  auto list = co_await channel_->addresses(name, family, scope, deadline);
  if (list.has_error() && list.error().kind == FailureKind::timed_out) {
    list = classify_dns(ARES_ETIMEOUT);
  }
  if (list.has_error() && list.error().kind == FailureKind::stopped) entries_.erase(key);
  resolution.addresses = std::move(list);
  resolution.took = elapsed(start, scope.clock.now());
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
