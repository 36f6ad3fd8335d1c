// The exporter's one file: what is taken of it can be run, and whatever is wrong has a place.
#include "probe/exporter/config.hpp"

#include <set>

#include "probe/util/utf8.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/targets/rules.hpp"

namespace callready::fuzz {

void exporter_config(Input input) {
  // No file that the input names is read.
  const auto catalog = [](const std::vector<std::string>&) {
    return Catalog({}, "", test::rules());
  };
  const auto read = exporter::read_config(text_of(input), "exporter.yaml", catalog);
  FUZZ_REQUIRE(read.config.has_value() == read.problems.empty());
  for (const auto* list : {&read.problems, &read.warnings}) {
    for (const auto& problem : *list) {
      FUZZ_REQUIRE(!problem.message.empty());
      FUZZ_REQUIRE(!has_control_characters(problem.to_string()));
    }
  }
  if (!read.config) return;
  std::set<std::string> keys;
  for (const auto& job : read.config->jobs) {
    FUZZ_REQUIRE(!job.targets.empty());
    FUZZ_REQUIRE(keys.insert(job.key()).second);
    FUZZ_REQUIRE(!job.every || job.every->count() >= 1'000);
  }
}

}  // namespace callready::fuzz
