#include "probe/net/resolver.hpp"

#include "probe/net/address.hpp"
#include "probe/net/dns_client.hpp"
#include "probe/net/timeouts.hpp"
#include "probe/net/udp.hpp"

namespace callready {
namespace {

constexpr std::size_t most_servers = 3;  // as many as the system itself asks

// What a final answer says about the name's addresses.
Result<std::vector<IpAddress>> addresses_in(const dns::Message& answer, const std::string& name,
                                            std::uint16_t type) {
  std::vector<IpAddress> addresses;
  for (const auto* record : dns::answer_records(answer, name, type)) {
    if (const auto* address = std::get_if<IpAddress>(&record->data)) addresses.push_back(*address);
  }
  if (!addresses.empty()) return addresses;
  return classify_dns(answer.rcode == dns::rcode_name_error ? ARES_ENOTFOUND : ARES_ENODATA);
}

}  // namespace

bool Resolver::next_may_know(const Failure& why) const {
  return why.kind == FailureKind::dns_failed && channel_->servers().size() > 1;
}

asio::awaitable<Result<dns::Message>> Resolver::ask_in_turn(std::string name, std::uint16_t type,
                                                            Scope scope, Instant deadline,
                                                            Failure why) {
  const auto servers = channel_->servers();
  InnerScope in_time(scope, deadline);
  for (std::size_t i = 0; i < servers.size() && i < most_servers; ++i) {
    const auto server = parse_socket_address(servers[i], 53);
    if (!server) continue;
    if (scope.clock.now() >= deadline) break;
    dns::Question question;
    question.server = *server;
    question.interface = channel_->interface_of(server->address);
    question.name = name;
    question.type = type;
    auto exchange = co_await dns::ask(executor_, in_time.scope(), question);
    if (scope.stop.stopped() && exchange.reply.has_error()) co_return stopped();
    if (exchange.reply.has_error()) {
      if (!exchange.retried_by_tcp) continue;
      const bool in_vain = exchange.reply.error().kind == FailureKind::stopped;
      why = classify_dns(ARES_ESERVFAIL);
      why.text = "the answer is too long for UDP, and DNS over TCP does not work: " +
                 (in_vain ? timed_out() : exchange.reply.error()).text;
      continue;
    }
    if (dns::is_final(*exchange.reply)) co_return std::move(*exchange.reply);
    if (why.kind != FailureKind::dns_failed) why = classify_dns(ARES_ESERVFAIL);
  }
  co_return why;
}

asio::awaitable<Result<std::optional<dns::Message>>> Resolver::ask(std::string name,
                                                                   std::uint16_t type,
                                                                   Scope scope) {
  const auto deadline = scope.clock.now() + timeouts::dns_total;
  const auto reply = co_await channel_->query(name, type, scope, deadline);
  if (reply.has_error()) co_return reply.error();
  std::optional<dns::Message> answer;
  if (reply->status == ARES_ENODATA || reply->status == ARES_ENOTFOUND) co_return answer;
  Result<dns::Message> message = Failure{};
  if (reply->status == ARES_SUCCESS) {
    message = dns::parse_message(reply->message);
  } else {
    auto why = classify_dns(reply->status);
    if (!next_may_know(why)) co_return why;
    message = co_await ask_in_turn(name, type, scope, deadline, std::move(why));
  }
  if (message.has_error()) co_return message.error();
  answer = std::move(*message);
  co_return answer;
}

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
  // The next server would be asked for a short name as it is, without the search domains.
  const bool others_may_know =
      list.has_error() && next_may_know(list.error()) && name.find('.') != name.npos;
  if (refused || others_may_know) {
    const auto type = family == Family::v6 ? dns::type_aaaa : dns::type_a;
    auto why = list.error();
    const auto answer = co_await ask_in_turn(name, type, scope, deadline, std::move(why));
    if (answer.has_error()) {
      list = answer.error();
    } else {
      list = addresses_in(*answer, name, type);
    }
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

void Resolver::forget_unanswered(const std::string& name, Family family) {
  const auto known = entries_.find({name, family});
  if (known == entries_.end() || !known->second->answer) return;
  const auto& addresses = known->second->answer->addresses;
  const bool unanswered =
      addresses.has_error() && addresses.error().kind == FailureKind::dns_unreachable;
  if (unanswered) entries_.erase(known);
}

asio::awaitable<Resolution> Resolver::resolve_either(std::string name, Scope scope) {
  auto first = co_await resolve(name, Family::v4, scope);
  const auto& found = first.addresses;
  const bool missing = found.has_error() && found.error().kind == FailureKind::no_address;
  const bool no_way = !found.has_error() && !own_address_towards(executor_, found->front());
  if (!missing && !no_way) co_return first;
  auto second = co_await resolve(name, Family::v6, scope);
  if (no_way && second.addresses.has_error()) co_return first;
  second.took += first.took;
  co_return second;
}

asio::awaitable<Resolution> Resolver::resolve_target(std::string name, Scope scope) {
  auto found = only_ ? resolve(std::move(name), *only_, scope)
                     : resolve_either(std::move(name), scope);
  auto resolution = co_await std::move(found);
  co_return resolution;
}

}  // namespace callready
