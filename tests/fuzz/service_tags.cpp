// Microsoft's list of service tags, which a user downloads from somewhere.
#include "targets/service_tags.hpp"

#include "probe/util/utf8.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace callready::fuzz {

void service_tags(Input input) {
  const auto read = read_service_tags(text_of(input), "tags.json");
  FUZZ_REQUIRE(read.tags.has_value() == read.problems.empty());
  for (const auto& problem : read.problems) {
    FUZZ_REQUIRE(problem.line >= 1 && problem.column >= 1);
    FUZZ_REQUIRE(!has_control_characters(problem.to_string()));
  }
  if (!read.tags) return;
  for (const auto& [tag, networks] : read.tags->networks) {
    for (const auto& network : networks) FUZZ_REQUIRE(network.aligned());
    FUZZ_REQUIRE(read.tags->find(tag) != nullptr);
  }
}

}  // namespace callready::fuzz
