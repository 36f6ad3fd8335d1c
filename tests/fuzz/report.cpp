// Saved reports, which come from a ticket and so from anybody: read, diagnosed again, and written
// in every format.
#include "probe/diagnosis/findings.hpp"
#include "probe/util/utf8.hpp"
#include "reports/format.hpp"
#include "reports/json/reader.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace callready::fuzz {

void report(Input input) {
  const auto read = read_report(text_of(input), "report.json");
  FUZZ_REQUIRE(read.report.has_value() == read.error.empty());
  if (!read.report) {
    FUZZ_REQUIRE(!find_invalid_utf8(read.error));
    FUZZ_REQUIRE(read.error.find('\n') == std::string::npos);
    return;
  }
  (void)diagnose(*read.report);
  // What was written once is read back to the same.
  const auto written = render_json(*read.report, {});
  const auto again = read_report(written, "again.json");
  FUZZ_REQUIRE(again.report.has_value());
  FUZZ_REQUIRE(render_json(*again.report, {}) == written);
  for (const auto& format : formats()) {
    const auto text = format.render(*read.report, {});
    FUZZ_REQUIRE(!find_invalid_utf8(text));
    FUZZ_REQUIRE(text.empty() || text.ends_with('\n'));
  }
}

}  // namespace callready::fuzz
