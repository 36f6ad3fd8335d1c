// What each command does; each returns the exit status and prints its own errors.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "probe/cli/arguments.hpp"
#include "probe/cli/say.hpp"
#include "probe/model/report.hpp"
#include "targets/catalog.hpp"
#include "targets/service_tags.hpp"
#include "targets/set_store.hpp"

namespace callready {

struct SessionOptions;

int run_check(const Arguments& arguments);
int run_list(const Arguments& arguments);
int run_show(const Arguments& arguments);
int run_firewall(const Arguments& arguments);
int run_validate(const Arguments& arguments);
int run_render(const Arguments& arguments);
int run_merge(const Arguments& arguments);
int run_diff(const Arguments& arguments);
int run_demo(const Arguments& arguments);
int run_serve(const Arguments& arguments);
int run_update(const Arguments& arguments);
int run_import(const Arguments& arguments);
int run_exporter(const Arguments& arguments);
int run_ui(const Arguments& arguments);

// The sets of `callready update`, in the user's data folder.
SetStore set_store();
// The registry of checks/ as the loader wants it.
LoadRules load_rules();
// Everything that can be named on the command line.
Catalog make_catalog(const Arguments& arguments);
// The set with that name, with a sign-in page of one's own if there is a --var for it.
LoadResult find_set(const Catalog& catalog, const std::string& name, const Arguments& arguments);
// The sets that were named or given as files, or nothing after the errors have been printed. What
// is not among the sets here is taken from the report, if there is one.
std::optional<std::vector<TargetSet>> find_sets(const Arguments& arguments,
                                                const Report* report = nullptr);
// A saved report, or nothing after the error has been printed.
std::optional<Report> read_saved_report(const std::string& file);
// The list of --service-tags, empty where none was given, or nothing after the errors have been
// printed.
std::optional<ServiceTags> read_tags(const Arguments& arguments);
// What the chosen sets do not know (scenarios, clients, regions, rows, variables), in words.
std::vector<std::string> unknown_choices(const std::vector<TargetSet>& sets,
                                         const Arguments& arguments);
// The same, and values that do not fit ("--var sip_port=abc").
std::vector<std::string> wrong_choices(const std::vector<TargetSet>& sets,
                                       const Arguments& arguments);
// The run, with a bar on a terminal, and its reports; the exit status. `push_token`: for --push-to.
int run_and_deliver(const Arguments& arguments, SessionOptions options,
                    const std::string& push_token = {});
// What is wrong with a file, a line each.
void say_problems(const std::vector<Problem>& problems);

inline constexpr int usage_error = 2;
// Complains; returns the exit status of a command that cannot go on.
inline int fail(const std::string& why) {
  complain(why);
  return usage_error;
}

}  // namespace callready
