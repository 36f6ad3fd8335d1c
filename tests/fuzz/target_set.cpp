// Target sets, which anybody may write.
#include "probe/util/utf8.hpp"
#include "reports/text/show.hpp"
#include "targets/expand_variables.hpp"
#include "targets/loader.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/targets/rules.hpp"

namespace callready::fuzz {

void target_set(Input input) {
  static const auto rules = test::rules();
  const auto text = text_of(input);
  const auto loaded = load_text(text, "set.yaml", rules);
  FUZZ_REQUIRE(loaded.set.has_value() == loaded.problems.empty());
  FUZZ_REQUIRE(loaded.problems.size() <= Problems::limit + 1);
  for (const auto& problem : loaded.problems) {
    FUZZ_REQUIRE(!problem.message.empty());
    FUZZ_REQUIRE(!find_invalid_utf8(problem.message));
    FUZZ_REQUIRE(!has_control_characters(problem.message));
    FUZZ_REQUIRE(problem.line >= 0 && problem.column >= 0);
  }
  if (!loaded.set) return;
  FUZZ_REQUIRE(!find_invalid_utf8(show_json(*loaded.set)));
  FUZZ_REQUIRE(!has_control_characters(show_text(*loaded.set, {})));
  const auto values = variable_values(*loaded.set, {});
  for (const auto& row : loaded.set->requirements) (void)expand_variables(row, values);
}

}  // namespace callready::fuzz
