#include "probe/cli/pacer.hpp"

#include <algorithm>

namespace callready {
namespace {

// The time at which, of `latest` contacts, fewer than `allowed` lie within `window` before it.
Instant when_fewer(std::vector<Instant> latest, std::size_t allowed, milliseconds window,
                   Instant now) {
  std::erase_if(latest, [&](Instant time) { return time + window <= now; });
  if (latest.size() < allowed) return now;
  std::sort(latest.begin(), latest.end());
  return latest[latest.size() - allowed] + window;
}

}  // namespace

Instant Pacer::when_host_is_free(const IpAddress& address, Instant now) const {
  const auto known = hosts_.find(address);
  if (known != hosts_.end() && known->second.last + limits_.window > now) return now;
  std::vector<Instant> latest;
  for (const auto& [other, host] : hosts_) {
    if (other != address) latest.push_back(host.last);
  }
  return when_fewer(std::move(latest), static_cast<std::size_t>(limits_.hosts), limits_.window,
                    now);
}

Instant Pacer::when_port_is_free(const Host& host, const Contact& contact, Instant now) const {
  const std::pair key(contact.transport, contact.port);
  const auto known = host.ports.find(key);
  if (known != host.ports.end() && known->second + limits_.window > now) return now;
  std::vector<Instant> latest;
  for (const auto& [port, time] : host.ports) latest.push_back(time);
  return when_fewer(std::move(latest), static_cast<std::size_t>(limits_.ports_per_host),
                    limits_.window, now);
}

std::optional<Instant> Pacer::ask(const Contact& contact, Instant now) {
  auto when = now;
  if (!limits_.unlimited) when = when_host_is_free(contact.address, now);
  const auto known = hosts_.find(contact.address);
  if (known != hosts_.end()) {
    const auto& host = known->second;
    if (!limits_.unlimited) when = std::max(when, when_port_is_free(host, contact, now));
    if (contact.sip && host.sip_seen.contains(contact.transport)) {
      when = std::max(when, host.last_sip + limits_.sip_gap);
    }
  }
  if (when > now) return when;
  auto& host = hosts_[contact.address];
  host.last = now;
  host.ports[{contact.transport, contact.port}] = now;
  if (contact.sip) {
    host.sip_seen.insert(contact.transport);
    host.last_sip = now;
  }
  return std::nullopt;
}

}  // namespace callready
