// Merges many rules: those that differ only in their peers become one.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "probe/model/firewall_rule.hpp"

namespace callready {

class RuleMerger {
 public:
  explicit RuleMerger(std::vector<FirewallRule> rules = {}) : rules_(std::move(rules)) {}
  void add(FirewallRule rule);
  std::vector<FirewallRule> take() && { return std::move(rules_); }

 private:
  std::vector<FirewallRule> rules_;
  // The texts of a rule's peers, once something has been added to it: a set has thousands.
  std::map<std::size_t, std::set<std::string>> peers_;
};

}  // namespace callready
