#include "probe/engine/logins.hpp"

#include <algorithm>
#include <set>

#include "checks/relay_server.hpp"
#include "probe/net/http.hpp"
#include "probe/util/text.hpp"

namespace callready {
namespace {

bool is_named(const std::vector<std::string>& hosts, const ProxyEndpoint& proxy) {
  return std::any_of(hosts.begin(), hosts.end(), [&](const std::string& host) {
    return is_same_but_for_case(host, proxy.host) ||
           is_same_but_for_case(host, authority(proxy.host, proxy.port));
  });
}

void settle_proxies(checks::Credentials& credentials, const ProxyDiscovery& proxies,
                    const Plan& plan) {
  const checks::Login general{credentials.proxy_user, credentials.proxy_password};
  const auto& hosts = credentials.proxy_hosts;
  for (const auto& [url, own] : proxies.named) {
    const auto proxy = parse_proxy_url(url);
    const bool meant = hosts.empty() || (proxy && is_named(hosts, *proxy));
    auto& login = credentials.proxies[url];
    if (!own.user.empty()) {
      login = own;
    } else if (meant) {
      login = general;
    }
  }
  for (const auto& planned : plan.probes) {
    const auto proxy = parse_proxy_url(planned.probe.target.route.proxy);
    if (proxy && is_named(hosts, *proxy)) credentials.proxies.try_emplace(proxy->url(), general);
  }
}

bool is_ours(const std::string& id, const std::vector<TargetSet>& sets) {
  return std::any_of(sets.begin(), sets.end(), [&](const TargetSet& set) {
    return set.id == id && (set.origin == "built in" || set.origin == "downloaded");
  });
}

void settle_turn(checks::Credentials& credentials, const Plan& plan,
                 const std::vector<TargetSet>& sets, std::vector<Text>& notes) {
  if (!credentials.has_turn() || !credentials.turn_hosts.empty()) return;
  std::map<std::string, std::string> hosts;  // by probe
  for (const auto& planned : plan.probes) {
    auto host = std::string(checks::relay_host(planned.probe));
    if (!host.empty()) hosts.emplace(planned.probe.id, std::move(host));
  }
  std::set<std::string> services, names;
  for (const auto& row : plan.requirements) {
    for (const auto& probe : row.probes) {
      const auto found = hosts.find(probe);
      if (found == hosts.end()) continue;
      services.insert(row.set);
      names.insert(found->second);
    }
  }
  if (services.size() == 1 && is_ours(*services.begin(), sets)) {
    credentials.turn_hosts.assign(names.begin(), names.end());
  } else if (!services.empty()) {
    notes.push_back(
        phrase("The TURN login was not sent to any server: set CALLREADY_TURN_HOST to the name of "
               "the server that the login is for."));
  }
}

}  // namespace

void settle_logins(checks::Credentials& credentials, const ProxyDiscovery& proxies,
                   const Plan& plan, const std::vector<TargetSet>& sets, std::vector<Text>& notes) {
  settle_proxies(credentials, proxies, plan);
  settle_turn(credentials, plan, sets, notes);
}

}  // namespace callready
