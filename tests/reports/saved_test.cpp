// Reports that were saved by earlier editions: tests/reports/saved/edition-*.json are as these
// editions wrote them, and are never changed. A new edition adds one of its own.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "reports/format.hpp"
#include "reports/json/reader.hpp"
#include "tests/reports/golden.hpp"
#include "tests/reports/schema.hpp"

namespace callready {
namespace {

std::vector<std::filesystem::path> saved() {
  std::vector<std::filesystem::path> files;
  const auto folder = std::filesystem::path(test::source_folder()) / "tests/reports/saved";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    files.push_back(entry.path());
  }
  return files;
}

// What is in the one that is not in the other, or not the same there. A later edition may add.
std::string missing(const nlohmann::json& from, const nlohmann::json& in,
                    const std::string& at = "") {
  if (from.is_object() && in.is_object()) {
    std::string all;
    for (const auto& [key, value] : from.items()) {
      all += in.contains(key) ? missing(value, in[key], at + '/' + key) : at + '/' + key + '\n';
    }
    return all;
  }
  if (from.is_array() && in.is_array() && from.size() == in.size()) {
    std::string all;
    for (std::size_t i = 0; i < from.size(); ++i) {
      all += missing(from[i], in[i], at + '/' + std::to_string(i));
    }
    return all;
  }
  return from == in ? "" : at + '\n';
}

TEST(SavedReports, AreReadWithoutLoss) {
  const auto files = saved();
  EXPECT_GE(files.size(), 2u);
  for (const auto& file : files) {
    const auto text = read_file(file);
    EXPECT_EQ(schema_errors(text, "callready.report-1.schema.json"), "") << file;
    const auto read = read_report(text, file.filename().string());
    ASSERT_TRUE(read.report) << read.error;
    // As JSON it holds all that the document did.
    const auto again = nlohmann::json::parse(render_json(*read.report, {}));
    EXPECT_EQ(missing(nlohmann::json::parse(text), again), "") << file;
  }
}

TEST(SavedReports, CanBeRenderedInEveryFormat) {
  for (const auto& file : saved()) {
    const auto report = read_report(read_file(file), "x").report.value();
    EXPECT_FALSE(report.sets.empty());
    for (const auto& format : formats()) {
      EXPECT_NE(format.render(report, {}), "") << format.name << file;
    }
  }
}

}  // namespace
}  // namespace callready
