#include "tests/reports/schema.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>
#pragma GCC diagnostic pop

#include "reports/format.hpp"
#include "tests/reports/golden.hpp"
#include "tests/reports/samples.hpp"
#include "tests/support/source_folder.hpp"

namespace callready {

std::string schema_errors(const std::string& json, const std::string& schema_file) {
  const auto document =
      nlohmann::json::parse(read_file(test::source_folder() + "/reports/schema/" + schema_file));
  valijson::Schema schema;
  valijson::SchemaParser().populateSchema(valijson::adapters::NlohmannJsonAdapter(document),
                                          schema);
  const auto value = nlohmann::json::parse(json);
  valijson::ValidationResults results;
  valijson::Validator().validate(schema, valijson::adapters::NlohmannJsonAdapter(value), &results);
  std::string errors;
  valijson::ValidationResults::Error error;
  while (results.popError(error)) {
    for (const auto& part : error.context) errors += part;
    errors += ": " + error.description + '\n';
  }
  return errors;
}

namespace {

constexpr auto report_schema = "callready.report-1.schema.json";

TEST(ReportSchema, AcceptsEverySample) {
  for (const auto& [name, report] : samples::all()) {
    EXPECT_EQ(schema_errors(render_json(report, {}), report_schema), "") << name;
  }
}

TEST(ReportSchema, RefusesWhatIsNoReport) {
  auto json = nlohmann::json::parse(render_json(samples::blocked(), {}));
  const auto refused = [&](const char* pointer, const nlohmann::json& value) {
    auto changed = json;
    changed[nlohmann::json::json_pointer(pointer)] = value;
    return !schema_errors(changed.dump(), report_schema).empty();
  };
  EXPECT_TRUE(refused("/schema", "callready.report/2"));
  EXPECT_TRUE(refused("/started_at", "yesterday"));
  EXPECT_TRUE(refused("/sets/0/verdict", "fine"));
  EXPECT_TRUE(refused("/sets/0/requirements/0/reached", -1));
  EXPECT_TRUE(refused("/findings/0/owner", nullptr));
  EXPECT_TRUE(refused("/probes/0/target/port", 65536));
  EXPECT_TRUE(refused("/probes/0/target/ports", "1-2"));  // beside "port"
  EXPECT_TRUE(refused("/probes/0/evidence/0/facts", nlohmann::json::object()));
  json["a later member"] = 1;
  EXPECT_EQ(schema_errors(json.dump(), report_schema), "");
  json.erase("probes");
  EXPECT_NE(schema_errors(json.dump(), report_schema), "");
}

}  // namespace
}  // namespace callready
