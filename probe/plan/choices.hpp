// What a user may name from the chosen sets: scenarios, clients, regions, rows, variables.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "probe/model/target_set.hpp"

namespace callready {

enum class Choice { scenario, region, requirement, client, variable };

class Choices {
 public:
  explicit Choices(const std::vector<TargetSet>& sets);

  // What is wrong with that name, in words: "unknown scenario 'x'; did you mean 'y'?".
  std::optional<std::string> problem(Choice choice, const std::string& name) const;

 private:
  const std::vector<std::string>& known(Choice choice) const;
  std::vector<std::string> sets_, scenarios_, regions_, rows_, clients_, variables_;
};

}  // namespace callready
