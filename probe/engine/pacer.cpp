#include "probe/engine/pacer.hpp"

#include <algorithm>

#include "probe/util/text.hpp"

namespace callready {
namespace {

// The time at which at most `allowed` of these contacts lie within `window` before it.
Instant when_at_most(std::vector<Instant> latest, std::size_t allowed, milliseconds window,
                     Instant now) {
  std::erase_if(latest, [&](Instant time) { return time + window <= now; });
  if (latest.size() <= allowed) return now;
  std::sort(latest.begin(), latest.end());
  return latest[latest.size() - allowed - 1] + window;
}

}  // namespace

// Drops what no window reaches any more. SIP servers are remembered for the whole run.
void Pacer::forget(Instant now) {
  for (auto& [address, host] : hosts_) {
    std::erase_if(host.ports,
                  [&](const auto& port) { return port.second + limits_.window <= now; });
  }
  std::erase_if(hosts_, [](const auto& known) {
    return known.second.ports.empty() && known.second.sip_seen.empty();
  });
}

Instant Pacer::when_host_is_free(const IpAddress& address, Instant now) const {
  const auto known = hosts_.find(address);
  if (known != hosts_.end() && known->second.last + limits_.window > now) return now;
  std::vector<Instant> latest;
  for (const auto& [other, host] : hosts_) {
    if (other != address) latest.push_back(host.last);
  }
  const auto others = static_cast<std::size_t>(std::max(limits_.hosts - 1, 0));
  return when_at_most(std::move(latest), others, limits_.window, now);
}

Instant Pacer::when_ports_are_free(const Host& host, const PacedRequest& request,
                                   Instant now) const {
  std::vector<Instant> others;
  for (const auto& [port, time] : host.ports) {
    const bool ours = port.first == request.transport && contains(request.ports, port.second);
    if (!ours) others.push_back(time);
  }
  const auto limit = static_cast<std::size_t>(limits_.ports_per_host);
  const auto left = limit - std::min(limit, request.ports.size());
  return when_at_most(std::move(others), left, limits_.window, now);
}

void Pacer::note_end(const PacedRequest& request, Instant ended) {
  const auto known = hosts_.find(request.address);
  if (limits_.unlimited || known == hosts_.end()) return;
  auto& host = known->second;
  const auto now = ended + limits_.closing;
  host.last = std::max(host.last, now);
  for (const auto port : request.ports) {
    auto& latest = host.ports[{request.transport, port}];
    latest = std::max(latest, now);
  }
}

std::optional<Instant> Pacer::ask(const PacedRequest& request, Instant now) {
  // Without limits only SIP servers need to be remembered.
  if (limits_.unlimited && !request.sip) return std::nullopt;
  forget(now);
  auto when = now;
  if (!limits_.unlimited) when = when_host_is_free(request.address, now);
  const auto known = hosts_.find(request.address);
  if (known != hosts_.end()) {
    const auto& host = known->second;
    if (!limits_.unlimited) when = std::max(when, when_ports_are_free(host, request, now));
    if (request.sip && host.sip_seen.contains(request.transport)) {
      when = std::max(when, host.last_sip + limits_.sip_gap);
    }
  }
  if (when > now) return when;
  auto& host = hosts_[request.address];
  host.last = now;
  for (const auto port : request.ports) host.ports[{request.transport, port}] = now;
  if (request.sip) {
    host.sip_seen.insert(request.transport);
    host.last_sip = now;
  }
  return std::nullopt;
}

Rate::Rate(int at_once, int a_second)
    : at_once_(at_once), each_(Instant::duration(std::chrono::seconds(1)) / a_second) {}

Instant Rate::take(int count, Instant now) {
  const auto paid = std::max(paid_, now);
  const auto free = paid - each_ * (at_once_ - std::min(count, at_once_));
  if (free > now) return free;
  paid_ = paid + each_ * count;
  return now;
}

RequestBudget::RequestBudget(PaceLimits limits)
    : limits_(limits),
      packet_rate_(limits.packets_at_once * (limits.unlimited ? fast_factor : 1),
                   limits.packets_a_second * (limits.unlimited ? fast_factor : 1)),
      lookup_rate_(limits.lookups_at_once, limits.lookups_a_second) {
  if (!limits_.unlimited) return;
  limits_.packets_per_host *= fast_factor;
  limits_.packets_per_host_in_run *= fast_factor;
}

std::optional<Instant> RequestBudget::request(const std::string& destination, int packets,
                                              Instant now) {
  auto& asked = destinations_[destination];
  if (asked.in_run + packets > limits_.packets_per_host_in_run ||
      packets_ + packets > limits_.packets_in_run) {
    return std::nullopt;
  }
  auto& latest = asked.latest;
  while (!latest.empty() && latest.front().first + limits_.window <= now) {
    asked.in_window -= latest.front().second;
    latest.pop_front();
  }
  int others = asked.in_window;
  auto free = now;
  for (auto oldest = latest.begin();
       oldest != latest.end() && others + packets > limits_.packets_per_host; ++oldest) {
    others -= oldest->second;
    free = oldest->first + limits_.window;
  }
  if (free <= now) free = packet_rate_.take(packets, now);
  if (free > now) return free;
  latest.emplace_back(now, packets);
  asked.in_window += packets;
  asked.in_run += packets;
  packets_ += packets;
  return now;
}

std::optional<Instant> RequestBudget::lookup(Instant now) {
  if (lookups_ >= limits_.lookups_in_run) return std::nullopt;
  const auto when = lookup_rate_.take(1, now);
  if (when <= now) ++lookups_;
  return when;
}

}  // namespace callready
