#include "probe/plan/set_warnings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <tuple>

#include "probe/model/public_network.hpp"
#include "probe/plan/plan.hpp"
#include "probe/util/text.hpp"

namespace callready {
namespace {

// What the author can do about it.
std::string remedy(const Requirement& row) {
  if (row.direction == Direction::in) return "write 'unprobed' and why in place of 'check'";
  if (!row.listening) {
    return "give an example host that answers (under 'hosts', or as an example of a wildcard), or "
           "use check udp-range, tcp or tls, whose packets end on the way";
  }
  if (!row.wildcards.empty()) return "give an example of a name that matches";
  return "write 'unprobed' and why in place of 'check'";
}

// Chromium's TURN client takes these ports and no others (p2p/base/turn_port.cc,
// AllowedTurnPort): below 1024, a page could make the browser talk to other services.
bool browsers_take(const PortRange& ports) {
  if (!ports.single()) return ports.first >= 1024;
  return ports.first == 53 || ports.first == 80 || ports.first == 443 || ports.first >= 1024;
}

bool starts_in_a_browser(const Requirement& row) {
  const auto& all = row.vantages;
  return all.empty() || contains(all, Vantage::browser);
}

// What a probe could have been made for: not what comes from outside, nor what stays at the site.
bool misses_a_probe(const Requirement& row) {
  return !row.check && row.severity == Severity::required && row.direction == Direction::out &&
         row.lifecycle == Lifecycle::current && row.local_peers.empty();
}

class Reviewer {
 public:
  explicit Reviewer(const TargetSet& set) : set_(set) {
    PlanOptions options;
    for (const auto& scenario : set.scenarios) options.scenarios.push_back(scenario.id);
    options.all = true;
    // What not everybody has is assumed to be there: users who have it get a probe.
    for (const auto& variable : set.variables) {
      if (variable.optional) options.variables[variable.name] = variable.example;
    }
    for (auto& planned : make_plan({&set}, options).requirements) {
      if (planned.skipped.empty()) continue;
      const auto* row = set.find_requirement(planned.requirement);
      if (planned.open_question) {
        ask_for_more_than_tags(*row);
        continue;
      }
      untried_.insert(planned.requirement);
      if (!row->check || row->lifecycle == Lifecycle::removed) continue;
      warn(row->position,
           fmt::format("'{}' will not be probed: {}; {}", row->id, planned.skipped, remedy(*row)));
    }
  }

  std::vector<Problem> review() {
    for (const auto& row : set_.requirements) {
      ask_for_other_turn_ports(row);
      warn_of_networks(row);
      if (misses_a_probe(row) && !is_needed(row.id)) {
        warn(row.position, fmt::format("'{}' is required and has no probe: no run will say whether "
                                       "it is open",
                                       row.id));
      }
    }
    for (const auto& capability : set_.capabilities) {
      for (const auto& need : capability.needs) judge(capability, need);
    }
    std::stable_sort(found_.begin(), found_.end(), [](const Problem& left, const Problem& right) {
      return std::tie(left.line, left.column) < std::tie(right.line, right.column);
    });
    return std::move(found_);
  }

 private:
  void warn(Position at, const std::string& message) {
    found_.push_back({set_.origin, at.line, at.column, "warning: " + message});
  }

  // Users who have not downloaded a list of these tags never learn anything about the row.
  void ask_for_more_than_tags(const Requirement& row) {
    if (row.service_tags.empty() || !row.hosts.empty()) return;
    auto tags = row.service_tags.front();
    const auto more = row.service_tags.size() - 1;
    if (more > 0) tags += fmt::format(" and {} more", more);
    warn(row.position,
         fmt::format("'{}' stays undecided without --service-tags and a list that has {}; give an "
                     "example host or network beside it",
                     row.id, tags));
  }

  // Whether a capability needs the row: what it is worth there is judged below.
  bool is_needed(const std::string& id) const {
    return std::ranges::any_of(set_.capabilities, [&](const Capability& capability) {
      return contains(row_ids_of(capability), id);
    });
  }

  void ask_for_other_turn_ports(const Requirement& row) {
    if (row.check != CheckKind::turn || !starts_in_a_browser(row)) return;
    std::vector<std::string> refused;
    for (const auto& ports : row.ports) {
      if (!browsers_take(ports)) refused.push_back(ports.to_string());
    }
    if (refused.empty()) return;
    warn(row.position,
         fmt::format("'{}': browsers refuse TURN on port {}: Chromium takes 53, 80, 443, and 1024 "
                     "and above",
                     row.id, fmt::join(refused, ", ")));
  }

  // A firewall that opens these opens more than the service. A group has no other address.
  void warn_of_networks(const Requirement& row) {
    for (const auto& block : row.addresses) {
      const auto* network = std::get_if<Network>(&block.value);
      if (network == nullptr || network->address.is_multicast()) continue;
      if (const auto problem = why_no_services_network(*network)) {
        warn(row.position, fmt::format("'{}': {} {}", row.id, network->to_string(), *problem));
      }
    }
  }

  bool is_optional(const std::string& id) const {
    const auto* row = set_.find_requirement(id);
    return row == nullptr || row->severity == Severity::optional;
  }

  void judge(const Capability& capability, const Need& need) {
    const auto tell = [&](const std::string& what) {
      warn(capability.position, fmt::format("capability '{}' {}", capability.id, what));
    };
    bool tried = false, matters = false, first_tried = false;
    std::vector<std::string> never;
    for (std::size_t i = 0; i < need.alternatives.size(); ++i) {
      for (const auto& id : need.alternatives[i]) {
        matters = matters || !is_optional(id);
        if (!untried_.contains(id)) {
          tried = true;
          first_tried = first_tried || i == 0;
        } else if (!is_optional(id)) {
          never.push_back(id);
        }
      }
    }
    const auto names = fmt::format("{}", fmt::join(never, "' and '"));
    if (!never.empty() && (!tried || need.alternatives.size() == 1)) {
      tell(fmt::format("can turn green without '{}', which is never probed", names));
    } else if (tried && !first_tried && !need.equal) {
      tell(fmt::format("takes a fallback for good: the first choice '{}' is never probed",
                       fmt::join(need.alternatives.front(), "' and '")));
    }
    if (!matters) {
      std::vector<std::string> ids;
      for (const auto& alternative : need.alternatives) {
        ids.insert(ids.end(), alternative.begin(), alternative.end());
      }
      tell(fmt::format("stays green whatever becomes of '{}', as severity optional says",
                       fmt::join(ids, "' and '")));
    }
  }

  const TargetSet& set_;
  std::set<std::string> untried_;
  std::vector<Problem> found_;
};

}  // namespace

std::vector<Problem> warnings_of(const TargetSet& set) { return Reviewer(set).review(); }

}  // namespace callready
