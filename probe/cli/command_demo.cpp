// demo: the checks against a whole site on loopback, so that anyone can see a report at once; or a
// recorded run on a broken network.
#include "probe/cli/commands.hpp"
#include "probe/cli/output.hpp"
#include "probe/cli/privacy.hpp"
#include "probe/cli/recordings.hpp"
#include "probe/diagnosis/compare/merge.hpp"
#include "probe/engine/session.hpp"
#include "probe/platform/system.hpp"
#include "probe/serve/demo_thread.hpp"
#include "reports/json/reader.hpp"

namespace callready {
namespace {

// Rows and verdicts are as recorded; the findings are made anew, as `render` makes them.
int show_recording(const Recording& recording, const Arguments& arguments) {
  auto privacy = prepare_delivery(arguments);
  if (!privacy) return usage_error;
  const auto read = read_report(recording.report(), recording.fault);
  if (!read.report) return fail(read.error);
  auto report = diagnosed_anew(*read.report);
  report.notes.push_back(phrase(
      "A recorded run on callready's own test network: nothing was sent from this computer."));
  return conclude(report, arguments, *privacy);
}

}  // namespace

int run_demo(const Arguments& arguments) {
  for (const auto& recording : all_recordings) {
    if (recording.fault == arguments.fault) return show_recording(recording, arguments);
  }
  if (const auto problem = why_not_deliverable(arguments)) return fail(*problem);
  const auto rules = load_rules();
  serve::DemoOptions demo_options;
  demo_options.kinds = rules.kinds();
  const auto demo = serve::DemoThread::start(demo_options);
  if (demo.has_error()) return fail("the demo site could not be started: " + demo.error().text);
  const auto& site = (*demo)->site();
  auto loaded = load_text(site.target_set(), "demo", rules);
  for (const auto& problem : loaded.problems) complain(problem.to_string());
  if (!loaded.set) return usage_error;

  const auto unknown = wrong_choices({*loaded.set}, arguments);
  for (const auto& problem : unknown) complain(problem);
  if (!unknown.empty()) return usage_error;

  SessionOptions options;
  options.sets.push_back(std::move(*loaded.set));
  options.plan.proxy = site.proxy();
  options.plan.skip = arguments.skip;
  options.plan.streams = true;
  options.settings.credentials.media_key = site.media_key();
  options.settings.user_agent = user_agent();
  options.ca_files = {site.ca_file()};
  options.dns_servers = {site.dns().to_string()};
  options.site = "the demo site on loopback";
  return run_and_deliver(arguments, std::move(options));
}

}  // namespace callready
