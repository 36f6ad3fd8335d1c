#include "targets/changes.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace callready {
namespace {

using Names = std::set<std::string>;

// Everything that a row must reach, by kind.
struct Destinations {
  Names names, networks, ports;
};

std::string ports_of(const Requirement& row) {
  std::string text;
  for (const auto transport : row.transports) {
    text += (text.empty() ? "" : "+") + std::string(to_string(transport));
  }
  for (const auto& range : row.ports) text += ' ' + range.to_string();
  return text;
}

Destinations destinations_of(const Requirement& row) {
  Destinations all;
  const auto alive = [](const auto& one) { return one.lifecycle != Lifecycle::removed; };
  for (const auto& host : row.hosts) {
    if (alive(host)) all.names.insert(host.name);
  }
  for (const auto& wildcard : row.wildcards) all.names.insert(wildcard.pattern);
  for (const auto& block : row.addresses) {
    if (alive(block)) all.networks.insert(block.to_string());
  }
  for (const auto& tag : row.service_tags) all.names.insert(tag);
  all.ports.insert(ports_of(row));
  return all;
}

std::vector<std::string> without(const Names& all, const Names& known) {
  std::vector<std::string> rest;
  std::set_difference(all.begin(), all.end(), known.begin(), known.end(), std::back_inserter(rest));
  return rest;
}

std::string listed(const std::vector<std::string>& items, std::size_t most) {
  std::string text;
  for (std::size_t i = 0; i < std::min(items.size(), most); ++i) {
    text += (i > 0 ? ", " : "") + items[i];
  }
  if (items.size() > most) text += " and " + std::to_string(items.size() - most) + " more";
  return text;
}

}  // namespace

std::vector<std::string> changes(const TargetSet& before, const TargetSet& after,
                                 std::size_t most) {
  std::vector<std::string> lines;
  const auto tell = [&](const std::string& row, const std::string& what, const Names& from,
                        const Names& to) {
    if (const auto gone = without(from, to); !gone.empty()) {
      lines.push_back(row + ": gone: " + what + listed(gone, most));
    }
    if (const auto fresh = without(to, from); !fresh.empty()) {
      lines.push_back(row + ": new: " + what + listed(fresh, most));
    }
  };
  for (const auto& old : before.requirements) {
    const auto* now = after.find_requirement(old.id);
    if (now == nullptr) {
      lines.push_back(old.id + ": the row is gone");
      continue;
    }
    const auto from = destinations_of(old), to = destinations_of(*now);
    tell(old.id, "", from.names, to.names);
    tell(old.id, "", from.networks, to.networks);
    tell(old.id, "ports ", from.ports, to.ports);
  }
  for (const auto& now : after.requirements) {
    if (before.find_requirement(now.id) == nullptr) {
      const auto to = destinations_of(now);
      auto destinations = without(to.names, {});
      const auto networks = without(to.networks, {});
      destinations.insert(destinations.end(), networks.begin(), networks.end());
      lines.push_back(now.id + ": a new row: " + listed(without(to.ports, {}), most) +
                      (destinations.empty() ? "" : " to " + listed(destinations, most)));
    }
  }
  return lines;
}

}  // namespace callready
