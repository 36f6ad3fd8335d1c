#include "probe/cli/arguments_commands.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <regex>

#include "probe/cli/arguments_output.hpp"
#include "probe/cli/help_page.hpp"
#include "probe/cli/recordings.hpp"
#include "probe/model/media.hpp"
#include "reports/firewall/firewall.hpp"

namespace callready {
namespace {

// "NAME=VALUE", with the name checked here and the rest where it is used.
std::string parse_variable(const std::string& text, std::map<std::string, std::string>& variables) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0) return "expected NAME=VALUE, got '" + text + "'";
  variables[text.substr(0, equals)] = text.substr(equals + 1);
  return {};
}

// One value each time that it is given.
void add_repeatable(CLI::App& app, const char* name, std::vector<std::string>& values,
                    const char* type, const char* help) {
  app.add_option(name, values, help)->type_name(type)->allow_extra_args(false);
}

void add_set_options(CLI::App& app, Arguments& arguments) {
  add_repeatable(app, "--set", arguments.set_files, "FILE",
                 "Your own target set (YAML), repeatable");
}

// Which part of a set is meant, if it has several scenarios, clients or regions.
void add_choices(CLI::App& app, Arguments& arguments) {
  add_repeatable(app, "--scenario", arguments.scenarios, "ID",
                 "Only this way of using the service (see `show`), repeatable");
  app.add_option("--client", arguments.client, "Only the rows of this client (see `show`)")
      ->type_name("NAME");
  add_repeatable(app, "--region", arguments.regions, "ID",
                 "Only the endpoints of this region, repeatable");
  app.add_option_function<std::vector<std::string>>(
         "--var",
         [&arguments](const std::vector<std::string>& values) {
           for (const auto& value : values) {
             const auto problem = parse_variable(value, arguments.variables);
             if (!problem.empty()) throw CLI::ValidationError("--var", problem);
           }
         },
         "A value that the set needs from you, such as your server; repeatable")
      ->type_name("[SET/]NAME=VALUE")
      ->allow_extra_args(false)
      ->trigger_on_parse();
  app.add_option("--service-tags", arguments.service_tags_file,
                 "Microsoft's list of Azure networks (ServiceTags_Public_*.json), for sets that "
                 "name service tags")
      ->type_name("FILE");
}

void add_skip(CLI::App& app, Arguments& arguments) {
  add_repeatable(app, "--skip", arguments.skip, "ID", "Skip this requirement, repeatable");
}

void add_selection(CLI::App& app, Arguments& arguments) {
  add_choices(app, arguments);
  app.add_option_function<std::string>(
         "--from", [&arguments](const std::string& text) { arguments.from = parse<Vantage>(text); },
         "Only the rows of this vantage (where the traffic starts)")
      ->type_name("VANTAGE")
      ->check(one_of("vantage", spellings<Vantage>()));
  add_repeatable(app, "--only", arguments.only, "ID", "Only this requirement, repeatable");
  add_skip(app, arguments);
  app.add_flag("--all", arguments.all, "Test every endpoint instead of a sample");
}

void add_network_options(CLI::App& app, Arguments& arguments) {
  app.add_option_function<std::string>(
         "--pace", [&arguments](const std::string& text) { arguments.fast = text == "fast"; },
         "normal (at most 24 hosts in 10 s) or fast (only in a lab, or with the firewall team's "
         "consent)")
      ->type_name("PACE")
      ->check(one_of("pace", {"normal", "fast"}));
  app.add_flag("--quality", arguments.quality,
               "Also measure call quality, with a 15 s stream of packets to a far end that a set "
               "names or, with a TURN login, between two of the service's relays, and with 10 s "
               "WebRTC calls; list the ICE candidates that a browser would find");
  app.add_option(
         "--calls", arguments.calls,
         "Also test whether the line carries N calls at once (1 to 100; includes --quality). "
         "Starts with one, doubles each time, and stops before it affects others on the line")
      ->type_name("N")
      ->check(number_from(1, most_calls));
  app.add_flag("--thorough", arguments.thorough, "Thorough test (up to 4 minutes)");
  app.add_option("--timeout", arguments.timeout_s,
                 "End the run after this many seconds, even if tests remain (usually 20, or longer "
                 "if the pace needs it)")
      ->type_name("SECONDS")
      ->check([](const std::string& text) {
        // To CLI11 "nan" is in every range.
        const bool good =
            text.find_first_of("nN") == text.npos && CLI::Range(1.0, 86400.0)(text).empty();
        return good ? "" : "expected seconds, from 1 to 86400";
      });
  auto* proxy = app.add_option("--proxy", arguments.proxy,
                               "Also test through this proxy; auto: find it as browsers do (PAC, "
                               "WPAD); none: direct connections only. Default: the environment "
                               "(https_proxy, no_proxy)")
                    ->type_name("URL|auto|none")
                    ->check([](const std::string& text) {
                      return text.empty() ? "expected a URL, auto or none" : std::string();
                    });
  app.add_option("--pac", arguments.pac, "Choose proxies with this PAC file")
      ->type_name("FILE|URL")
      ->excludes(proxy);
  app.add_flag("--sip-sdp", arguments.sip_sdp,
               "Also test for a SIP ALG on the path to your own SIP server (given with --var), by "
               "sending a call's session description; no phone rings");
  add_repeatable(app, "--dns", arguments.dns_servers, "ADDR",
                 "Use this DNS server instead of the system's, repeatable");
  add_repeatable(app, "--ca-file", arguments.ca_files, "FILE",
                 "Also trust the root certificates in this file (PEM), repeatable");
  add_repeatable(app, "--interface", arguments.interfaces, "NAME",
                 "Send through this network interface; repeatable, to compare several");
  auto* four = app.add_flag_callback(
      "-4", [&arguments] { arguments.v6 = false; }, "IPv4 only");
  app.add_flag_callback(
         "-6", [&arguments] { arguments.v4 = false; }, "IPv6 only")
      ->excludes(four);
  app.add_flag_callback(
      "--no-anchors", [&arguments] { arguments.anchors = false; },
      "Leave out the controls (hosts unrelated to the vendor)");
  app.add_option("--anchors", arguments.anchors_file, "Use the controls in this target set instead")
      ->type_name("FILE");
  app.add_option("--site", arguments.site, "A name for this site, for the report")
      ->type_name("NAME");
  app.add_option(
         "--credentials", arguments.credentials_file,
         "Read secrets from this file (-: standard input), one NAME=VALUE per line, named as in "
         "the environment ("
         "CALLREADY_TURN_USER, CALLREADY_TURN_PASSWORD, CALLREADY_TURN_SECRET, "
         "CALLREADY_TURN_HOST, CALLREADY_PROXY_USER, CALLREADY_PROXY_PASSWORD, "
         "CALLREADY_PROXY_HOST, CALLREADY_MEDIA_KEY, CALLREADY_PUSH_TOKEN)")
      ->type_name("FILE");
}

void add_follow(CLI::App& app, Arguments& arguments) {
  app.add_flag("--follow", arguments.follow,
               "With --json: one line per event as it happens (NDJSON) instead of one report")
      ->needs(app.get_option("--json"));
}

void add_check(CLI::App& app, Arguments& arguments) {
  auto* check = add_command(app, arguments, "check", "Test whether calls work with these services",
                            Command::check);
  check->add_option("SET", arguments.names, "Target sets by name (see `list`)")->expected(0, -1);
  check->footer(std::string(check_examples) + exit_statuses);
  add_set_options(*check, arguments);
  add_selection(*check, arguments);
  add_network_options(*check, arguments);
  add_output_options(*check, arguments);
  check->add_flag(
      "!--no-keep", arguments.keep,
      "Do not keep this run for `render last` or the next run (only you can read kept runs)");
  check
      ->add_option("--history", arguments.history_file,
                   "Say since when each finding has been present, by comparison with the JSON "
                   "report in this file; a complete run replaces the file")
      ->type_name("FILE");
  check
      ->add_option("--place", arguments.place,
                   "Where this computer is (such as \"user VLAN, wired\"), shown in the report")
      ->type_name("TEXT");
  check
      ->add_option("--push-to", arguments.push_url,
                   "Also send the report to this OpenTelemetry collector (OTLP over HTTP, JSON); "
                   "reports that cannot be sent now go with the next run. CALLREADY_PUSH_TOKEN is "
                   "the collector's bearer token")
      ->type_name("URL");
  add_follow(*check, arguments);
  group_options(*check);
}

void add_list(CLI::App& app, Arguments& arguments) {
  auto* list =
      add_command(app, arguments, "list",
                  "List the services it knows (target sets), with age and source", Command::list);
  list->add_option("WORD", arguments.names,
                   "Only sets with these words in their id, title, vendor or other names")
      ->expected(0, -1);
  list->add_option_function<std::string>(
          "--kind",
          [&arguments](const std::string& text) { arguments.kind = parse<ServiceKind>(text); },
          fmt::format("Only sets of this kind: {}", fmt::join(spellings<ServiceKind>(), ", ")))
      ->type_name("KIND")
      ->check(one_of("kind", spellings<ServiceKind>()));
  add_set_options(*list, arguments);
  auto* as_json = list->add_flag("--json", arguments.json, "As JSON");
  list->add_flag("--names", arguments.bare_names, "Only their names, each with a title")
      ->excludes(as_json);
}

void add_show(CLI::App& app, Arguments& arguments) {
  auto* show = add_command(app, arguments, "show",
                           "Show what a service requires, each row with its source", Command::show);
  show->add_option("SET", arguments.names,
                   "Target set by name; with --set FILE, the set in that file")
      ->expected(0, -1);
  add_set_options(*show, arguments);
  show->add_flag("--json", arguments.json, "Every fact, as JSON");
  show->add_flag("-v,--verbose", arguments.verbose, "Every host, address and note");
}

void add_firewall(CLI::App& app, Arguments& arguments) {
  auto* firewall = add_command(app, arguments, "firewall",
                               "Print the firewall rules that services need", Command::firewall);
  firewall->add_option("SET", arguments.names, "Target sets by name (see `list`)")->expected(0, -1);
  add_set_options(*firewall, arguments);
  add_choices(*firewall, arguments);
  std::vector<std::string> firewall_names, firewall_words;
  for (const auto& format : firewall_formats()) {
    firewall_names.emplace_back(format.name);
    firewall_words.push_back(fmt::format("{} ({})", format.name, format.description));
  }
  firewall
      ->add_option("--format", arguments.firewall_format,
                   fmt::format("{}. Default: text on a terminal, otherwise markdown",
                               fmt::join(firewall_words, ", ")))
      ->type_name("FORMAT")
      ->check(one_of("format", firewall_names));
  firewall
      ->add_option("--from", arguments.report_file,
                   "JSON report of this site; with --missing, print only rules for what it did not "
                   "find open")
      ->type_name("REPORT.json");
  firewall->add_flag("--missing", arguments.missing, "Only rules that are still missing (--from)");
  firewall->add_flag("--required-only", arguments.required_only,
                     "Only what the document requires, not what it recommends or calls optional");
  // Names go into commands: nothing but words of nft's own.
  const auto like = [](const char* form, const char* example) {
    return [form, example](const std::string& text) {
      // std::regex recurses once for each character. No name in nftables is longer.
      const bool good = text.size() < 256 && std::regex_match(text, std::regex(form));
      return good ? std::string() : fmt::format("expected {}", example);
    };
  };
  firewall
      ->add_option("--table", arguments.nft_table,
                   "nftables: your table, in which the chain callready is created (default: \"inet "
                   "filter\")")
      ->type_name("\"FAMILY NAME\"")
      ->check(like("(inet|ip|ip6) [A-Za-z_][A-Za-z0-9_]*", "a family and a name, \"inet filter\""));
  firewall
      ->add_option("--chain", arguments.nft_chain,
                   "nftables: your chain, which jumps to the chain callready (default: forward)")
      ->type_name("NAME")
      ->check(like("[A-Za-z_][A-Za-z0-9_]*", "a chain's name"));
}

void add_validate(CLI::App& app, Arguments& arguments) {
  auto* validate = add_command(app, arguments, "validate", "Check target set files for errors",
                               Command::validate);
  validate->add_option("FILE", arguments.names, "YAML files")->required();
}

void add_render(CLI::App& app, Arguments& arguments) {
  auto* render = add_command(app, arguments, "render", "Print a saved JSON report in any format",
                             Command::render);
  render
      ->add_option("FILE", arguments.names,
                   "A JSON report; - for standard input, last for the last run")
      ->required()
      ->expected(1);
  add_output_options(*render, arguments);
  render->footer(exit_statuses);
}

void add_merge(CLI::App& app, Arguments& arguments) {
  auto* merge = add_command(app, arguments, "merge",
                            "Merge reports from several networks of one site", Command::merge);
  merge
      ->add_option("REPORT", arguments.names,
                   "JSON reports, such as those from a user's network, the phones' and the PBX's; "
                   "NAME=FILE gives a vantage a different name from the file's")
      ->required()
      ->expected(1, -1);
  merge->add_option("--site", arguments.site, "A name for the site, for the report")
      ->type_name("NAME");
  add_output_options(*merge, arguments);
  merge->footer(exit_statuses);
}

void add_diff(CLI::App& app, Arguments& arguments) {
  auto* diff = add_command(app, arguments, "diff",
                           "Compare two reports: what got better, what got worse", Command::diff);
  diff->add_option("REPORT", arguments.names, "The older JSON report, then the newer one")
      ->required()
      ->expected(2);
  diff->add_flag("--json", arguments.json, "As JSON");
  add_redact_options(*diff, arguments);
  add_terminal_options(*diff, arguments);
  diff->footer(
      "Exit status: 0 the same or better, 1 something got worse, 2 usage error, 3 what\n"
      "worked before could not be decided by the newer run.");
}

void add_update(CLI::App& app, Arguments& arguments) {
  auto* update = add_command(app, arguments, "update",
                             "Download newer target sets (accepted only with a trusted signature)",
                             Command::update);
  update
      ->add_option("--from", arguments.from_source,
                   "Where the sets are: a folder, the index.json in it, or an http(s) URL")
      ->type_name("FOLDER|FILE|URL");
  update->footer(
      "Exit status: 0 the sets are up to date, 2 the update failed and the old sets\n"
      "stay in use.");
}

void add_import(CLI::App& app, Arguments& arguments) {
  auto* import = add_command(app, arguments, "import",
                             "Make or refresh a target set from a vendor's feed", Command::import);
  import->add_option("FEED", arguments.names, "m365, zoom, aws, google or azure, then the file")
      ->type_name("FEED [FILE]")
      ->required()
      ->expected(1, 2);
  import
      ->add_option("--url", arguments.url, "Download the list from here instead of reading a file")
      ->type_name("URL");
  import
      ->add_option("--into", arguments.into_file,
                   "Refresh the lists in this set's rows that name the feed (for azure: service "
                   "tags), and leave everything else unchanged; azure requires it")
      ->type_name("SET.yaml");
}

void add_demo(CLI::App& app, Arguments& arguments) {
  auto* demo = add_command(app, arguments, "demo",
                           "Run the checks against a built-in site on loopback", Command::demo);
  std::vector<std::string> faults;
  for (const auto& recording : all_recordings) faults.emplace_back(recording.fault);
  auto* fault = demo->add_option("--fault", arguments.fault,
                                 fmt::format("Show a recorded run on a network with this fault "
                                             "instead: {}",
                                             fmt::join(faults, ", ")))
                    ->type_name("NAME")
                    ->check(one_of("fault", faults));
  add_skip(*demo, arguments);
  add_output_options(*demo, arguments);
  demo->footer(exit_statuses);
  add_follow(*demo, arguments);
  fault->excludes(demo->get_option("--skip"))->excludes(demo->get_option("--follow"));
}

}  // namespace

CLI::App* add_command(CLI::App& app, Arguments& arguments, const char* name,
                      const char* description, Command value) {
  auto* sub = app.add_subcommand(name, description);
  sub->callback([&arguments, value] { arguments.command = value; });
  sub->fallthrough();
  return sub;
}

void add_commands(CLI::App& app, Arguments& arguments) {
  add_check(app, arguments);
  add_list(app, arguments);
  add_show(app, arguments);
  add_firewall(app, arguments);
  add_validate(app, arguments);
  add_render(app, arguments);
  add_merge(app, arguments);
  add_diff(app, arguments);
  add_update(app, arguments);
  add_import(app, arguments);
  add_demo(app, arguments);
  add_services(app, arguments);
  group_commands(app);
}

}  // namespace callready
