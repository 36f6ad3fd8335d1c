// merge: one site from the reports of several vantages.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "probe/cli/commands.hpp"
#include "probe/cli/output.hpp"
#include "probe/cli/privacy.hpp"
#include "probe/diagnosis/compare/merge.hpp"
#include "probe/engine/watchdog.hpp"
#include "probe/platform/system.hpp"
#include "probe/util/path.hpp"

namespace callready {
namespace {

struct Named {
  std::string name, file;
};

// "voice=reports/vlan7.json"; without a name, the file's own: "vlan7".
Named named(const std::string& argument) {
  const auto equals = argument.find('=');
  if (equals != std::string::npos && equals > 0 && !platform::is_file(argument)) {
    return {argument.substr(0, equals), argument.substr(equals + 1)};
  }
  return {utf8_of(path_of(argument).stem()), argument};
}

MergeResult merged_in_time(const std::vector<MergeInput>& inputs, const std::string& site) {
  const TimeLimit in_time("merging the reports", timeouts::rendering);
  return merge(inputs, site);
}

}  // namespace

int run_merge(const Arguments& arguments) {
  auto privacy = prepare_delivery(arguments);
  if (!privacy) return usage_error;
  const auto from_standard_input = [](const auto& one) { return named(one).file == "-"; };
  if (std::ranges::count_if(arguments.names, from_standard_input) > 1)
    return fail("merge: only one of the reports can come from standard input");
  std::vector<MergeInput> inputs;
  bool good = true;
  for (const auto& argument : arguments.names) {
    const auto [name, file] = named(argument);
    auto report = read_saved_report(file);
    good = good && report;
    if (report) inputs.push_back({name, std::move(*report)});
  }
  if (!good) return usage_error;
  if (inputs.size() < 2) return fail("merge: needs the reports of at least two vantages");
  auto merged = merged_in_time(inputs, arguments.site);
  for (const auto& error : merged.errors) complain("merge: " + error);
  if (!merged.errors.empty()) return usage_error;
  merged.report.tool.name = "callready";
  merged.report.tool.version = CALLREADY_VERSION;
  return conclude(merged.report, arguments, *privacy);
}

}  // namespace callready
