#include "probe/cli/arguments.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <regex>
#include <sstream>

#include "probe/cli/arguments_output.hpp"
#include "probe/cli/command_line.hpp"
#include "probe/cli/hints.hpp"
#include "probe/cli/output.hpp"
#include "probe/cli/say.hpp"
#include "probe/platform/system.hpp"
#include "reports/firewall.hpp"

namespace callready {
namespace {

constexpr auto exit_statuses =
    "Exit status: 0 ready, 1 blocked, 2 usage or configuration error, 3 could not be decided\n"
    "(or interrupted), 4 degraded (works, by a fallback).";

// "NAME=VALUE", with the name checked here and the rest where it is used.
std::string parse_variable(const std::string& text, std::map<std::string, std::string>& variables) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0) return "expected NAME=VALUE, got '" + text + "'";
  variables[text.substr(0, equals)] = text.substr(equals + 1);
  return {};
}

// One line. A secret that somebody gave as an argument after all is not repeated.
std::string failure_line(const CLI::App*, const CLI::Error& error) {
  static const std::regex secret("(--?[^ =]*(?:user|password|secret|token|credential)[^ =]*)=\\S+",
                                 std::regex::icase);
  auto text = std::regex_replace(std::string(error.what()), secret, "$1=...");
  std::replace(text.begin(), text.end(), '\n', ' ');
  return fmt::format("callready: {} (callready --help says more)\n", text);
}

// Nagios reads 2 as "critical": a command line that is wrong is "unknown" to it, and what it shows
// comes from standard output.
int usage_status(int argc, const char* const* argv) {
  const bool nagios = std::any_of(
      argv, argv + argc, [](const char* word) { return std::string_view(word) == "--nagios"; });
  if (nagios) {
    platform::write_standard_output(
        "CALLREADY UNKNOWN - the command line is wrong, see standard error\n");
  }
  return nagios ? 3 : 2;
}

void add_set_options(CLI::App& app, Arguments& arguments) {
  app.add_option("--set", arguments.set_files, "A target set of your own (a YAML file), repeatable")
      ->type_name("FILE")
      ->allow_extra_args(false);
}

// What of a set is meant, where it serves several ways, clients and parts of the world.
void add_choices(CLI::App& app, Arguments& arguments) {
  app.add_option("--scenario", arguments.scenarios,
                 "A way to use the service (see `show`), repeatable")
      ->type_name("ID")
      ->allow_extra_args(false);
  app.add_option("--client", arguments.client, "Only the rows of this client (see `show`)")
      ->type_name("NAME");
  app.add_option("--region", arguments.regions, "Only the endpoints of this region, repeatable")
      ->type_name("ID")
      ->allow_extra_args(false);
  app.add_option_function<std::vector<std::string>>(
         "--var",
         [&arguments](const std::vector<std::string>& values) {
           for (const auto& value : values) {
             const auto problem = parse_variable(value, arguments.variables);
             if (!problem.empty()) throw CLI::ValidationError("--var", problem);
           }
         },
         "A value of your own that the sets ask for, or one of them, repeatable")
      ->type_name("[SET/]NAME=VALUE")
      ->allow_extra_args(false)
      ->trigger_on_parse();
  app.add_option("--service-tags", arguments.service_tags_file,
                 "Microsoft's list of Azure's networks (ServiceTags_Public_*.json), for sets that "
                 "name service tags")
      ->type_name("FILE");
}

void add_skip(CLI::App& app, Arguments& arguments) {
  app.add_option("--skip", arguments.skip, "Not this requirement, repeatable")
      ->type_name("ID")
      ->allow_extra_args(false);
}

void add_selection(CLI::App& app, Arguments& arguments) {
  add_choices(app, arguments);
  app.add_option_function<std::string>(
         "--from", [&arguments](const std::string& text) { arguments.from = parse<Vantage>(text); },
         "Only the rows of this vantage")
      ->type_name("VANTAGE")
      ->check(CLI::IsMember(spellings<Vantage>()));
  app.add_option("--only", arguments.only, "Only this requirement, repeatable")
      ->type_name("ID")
      ->allow_extra_args(false);
  add_skip(app, arguments);
  app.add_flag("--all", arguments.all, "Every endpoint instead of a sample");
}

void add_network_options(CLI::App& app, Arguments& arguments) {
  app.add_option_function<std::string>(
         "--pace", [&arguments](const std::string& text) { arguments.fast = text == "fast"; },
         "normal (24 hosts in 10 s at most), or fast: in a lab, or with the firewall team's "
         "consent")
      ->type_name("PACE")
      ->check(CLI::IsMember({"normal", "fast"}));
  app.add_flag(
      "--quality", arguments.quality,
      "Measure how a call would sound, too: a stream of packets for 15 s, to a far end that "
      "a set names or, with a login for TURN, between two relays of the service's own; and "
      "gather what addresses a browser would be called by");
  app.add_option("--calls", arguments.calls,
                 "With --quality, which it includes: does the line carry so many calls at once? In "
                 "four steps of 5 s, ended before others on the line suffer (at most 100)")
      ->type_name("N")
      ->check(CLI::Range(1, 100));
  app.add_flag("--thorough", arguments.thorough, "Take the time that full evidence needs");
  app.add_option(
         "--timeout", arguments.timeout_s,
         "The run ends after so many seconds, whatever is left; usually 20, and longer where the "
         "pace takes longer")
      ->type_name("SECONDS")
      ->check(CLI::Range(1.0, 86400.0));
  auto* proxy = app.add_option("--proxy", arguments.proxy,
                               "Probe what a proxy may carry through this one too; auto: look for "
                               "it as browsers do, by WPAD too; none: directly only. Without it, "
                               "as the environment says (https_proxy, no_proxy)")
                    ->type_name("URL|auto|none");
  app.add_option("--pac", arguments.pac, "Choose proxies by this PAC file")
      ->type_name("FILE|URL")
      ->excludes(proxy);
  app.add_flag("--sip-sdp", arguments.sip_sdp,
               "Test your own SIP server (one given with --var) for a SIP ALG too, with a call's "
               "session description: it rings nobody");
  app.add_option("--dns", arguments.dns_servers, "Ask this name server instead, repeatable")
      ->type_name("ADDR")
      ->allow_extra_args(false);
  app.add_option("--ca-file", arguments.ca_files,
                 "Trust the roots in this file too (PEM), repeatable")
      ->type_name("FILE")
      ->allow_extra_args(false);
  app.add_option("--interface", arguments.interfaces,
                 "Send through this network interface; repeated: through each, to compare them")
      ->type_name("NAME")
      ->allow_extra_args(false);
  auto* four = app.add_flag_callback(
      "-4", [&arguments] { arguments.v6 = false; }, "IPv4 only");
  app.add_flag_callback(
         "-6", [&arguments] { arguments.v4 = false; }, "IPv6 only")
      ->excludes(four);
  app.add_flag_callback(
      "--no-anchors", [&arguments] { arguments.anchors = false; },
      "Leave out the controls: hosts that have nothing to do with the vendor");
  app.add_option("--anchors", arguments.anchors_file, "Use the controls in this target set instead")
      ->type_name("FILE");
  app.add_option("--site", arguments.site, "A name for this site, for the report")
      ->type_name("NAME");
  app.add_option("--credentials", arguments.credentials_file,
                 "Read secrets from this file (-: standard input): lines NAME=VALUE, names as in "
                 "the environment "
                 "(CALLREADY_TURN_USER, CALLREADY_TURN_PASSWORD, CALLREADY_TURN_SECRET, "
                 "CALLREADY_PROXY_USER, CALLREADY_PROXY_PASSWORD, CALLREADY_MEDIA_KEY)")
      ->type_name("FILE");
}

void add_follow(CLI::App& app, Arguments& arguments) {
  app.add_flag("--follow", arguments.follow,
               "With --json: a line for each event as it happens (NDJSON), not one report")
      ->needs(app.get_option("--json"));
}

}  // namespace

ParseResult parse_arguments(int argc, const char* const* argv) {
  ParseResult result;
  auto& arguments = result.arguments;
  CLI::App app("Tells whether calls work from this network, and if not, what to change.",
               "callready");
  app.set_version_flag("--version", std::string("callready ") + CALLREADY_VERSION);
  app.allow_windows_style_options(false);  // "/tmp/set.yaml" is a file everywhere
  app.require_subcommand(1);
  app.footer(exit_statuses);
  app.failure_message(failure_line);
  app.add_flag("-d,--debug", arguments.log_level, "Log to standard error; twice: more");
  app.fallthrough();

  const auto command = [&](const char* name, const char* description, Command value) {
    auto* sub = app.add_subcommand(name, description);
    sub->callback([&arguments, value] { arguments.command = value; });
    sub->fallthrough();
    return sub;
  };
  auto* check = command("check", "Probe what these target sets need, and say whether calls work",
                        Command::check);
  check->add_option("SET", arguments.names, "Target sets by name (see `list`)")->expected(0, -1);
  check->footer(exit_statuses);
  add_set_options(*check, arguments);
  add_selection(*check, arguments);
  add_network_options(*check, arguments);
  add_output_options(*check, arguments);
  check->add_flag("!--no-keep", arguments.keep,
                  "Do not keep this run for `render last` (it is kept for this user only)");
  check
      ->add_option(
          "--history", arguments.history_file,
          "Say since when findings stand: by the report in this file, which a complete run "
          "replaces by its own (JSON)")
      ->type_name("FILE");
  check
      ->add_option("--place", arguments.place,
                   "Where this computer stands (\"user VLAN, wired\"), for the report")
      ->type_name("TEXT");
  check
      ->add_option(
          "--push-to", arguments.push_url,
          "Send the report to this OpenTelemetry collector too (OTLP over HTTP, JSON); what "
          "cannot be sent now goes with the next run. CALLREADY_PUSH_TOKEN: its bearer token")
      ->type_name("URL");
  add_follow(*check, arguments);

  auto* list = command("list", "The target sets, and how good and how old each is", Command::list);
  list->add_option("WORD", arguments.names,
                   "Only sets that have these words in their id, title, vendor or other names")
      ->expected(0, -1);
  list->add_option_function<std::string>(
          "--kind",
          [&arguments](const std::string& text) { arguments.kind = parse<ServiceKind>(text); },
          fmt::format("Only sets of this kind: {}", fmt::join(spellings<ServiceKind>(), ", ")))
      ->type_name("KIND")
      ->check(CLI::IsMember(spellings<ServiceKind>()));
  add_set_options(*list, arguments);
  auto* as_json = list->add_flag("--json", arguments.json, "As JSON");
  list->add_flag("--names", arguments.bare_names,
                 "Only the names that they go by, each with a title")
      ->excludes(as_json);

  auto* show =
      command("show", "What a target set asks for, each row with its source", Command::show);
  show->add_option("SET", arguments.names, "A target set by name; with --set FILE, that file's")
      ->expected(0, 1);
  add_set_options(*show, arguments);
  show->add_flag("--json", arguments.json, "Every fact, as JSON");
  show->add_flag("-v,--verbose", arguments.verbose, "Every host, address and note");

  auto* firewall = command("firewall", "The firewall rules that target sets need, to ask for",
                           Command::firewall);
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
                   fmt::format("{}. Without it: text on a terminal, else markdown",
                               fmt::join(firewall_words, ", ")))
      ->type_name("FORMAT")
      ->check(CLI::IsMember(firewall_names));
  firewall
      ->add_option("--from", arguments.report_file,
                   "A JSON report of this site: with --missing, only what it did not see open")
      ->type_name("REPORT.json");
  firewall->add_flag("--missing", arguments.missing, "Only rules that are still missing (--from)");

  auto* validate = command("validate", "Check target set files for errors", Command::validate);
  validate->add_option("FILE", arguments.names, "YAML files")->required();

  auto* render = command("render", "Print a saved JSON report again", Command::render);
  render
      ->add_option("FILE", arguments.names,
                   "A JSON report, - for standard input, or last for the last run's")
      ->required()
      ->expected(1);
  add_output_options(*render, arguments);

  auto* merge = command("merge", "One site from the reports of several vantages", Command::merge);
  merge
      ->add_option("REPORT", arguments.names,
                   "JSON reports, of a user's network, the phones', the PBX's; NAME=FILE gives a "
                   "vantage another name than the file's")
      ->required()
      ->expected(1, -1);
  merge->add_option("--site", arguments.site, "A name for the site, for the report")
      ->type_name("NAME");
  add_output_options(*merge, arguments);

  auto* diff =
      command("diff", "What got better and what got worse between two reports", Command::diff);
  diff->add_option("REPORT", arguments.names, "The older JSON report, then the newer")
      ->required()
      ->expected(2);
  diff->add_flag("--json", arguments.json, "As JSON");
  add_redact_options(*diff, arguments);
  add_terminal_options(*diff, arguments);
  diff->footer("Exit status: 0 the same or better, 1 something got worse, 2 usage error.");

  auto* update =
      command("update", "Fetch newer target sets, if they are signed by whom this program trusts",
              Command::update);
  update
      ->add_option("--from", arguments.from_source,
                   "Where the sets are: a folder, the index.json in it, or an http(s) URL")
      ->type_name("FOLDER|FILE|URL");
  update->footer(
      "Exit status: 0 the sets are up to date, 2 they could not be taken and the old "
      "ones stay.");

  auto* import =
      command("import", "Make or refresh a target set from the vendor's machine-readable list",
              Command::import);
  import->add_option("FEED", arguments.names, "m365, zoom, aws, google or azure; then the file")
      ->type_name("FEED [FILE]")
      ->required()
      ->expected(1, 2);
  import->add_option("--url", arguments.url, "Fetch the list from here instead of a file")
      ->type_name("URL");
  import
      ->add_option("--into", arguments.into_file,
                   "Refresh the lists of this set's rows that name the feed; all else stays")
      ->type_name("SET.yaml");

  auto* demo =
      command("demo", "A whole site on loopback, checked: nothing else is needed", Command::demo);
  add_skip(*demo, arguments);
  add_output_options(*demo, arguments);
  add_follow(*demo, arguments);

  auto* ui =
      command("ui", "The same on a page in your browser: choose, run, read, hand on", Command::ui);
  ui->add_flag("!--no-browser", arguments.browser,
               "Open no browser: say which file opens the page");
  ui->footer(
      "The page is for this user alone, on this computer alone. It ends a minute after the page "
      "is closed.\nWhat stands behind -- are options of `check`, for every run: "
      "callready ui -- --interface eth0\nExit status: 0 ended, 2 it could not be started.");

  auto* exporter =
      command("exporter", "Run target sets in the background, and tell Prometheus what was found",
              Command::exporter);
  exporter
      ->add_option("--config", arguments.config_file,
                   "Sets, options, schedule (YAML); read again on SIGHUP")
      ->type_name("FILE")
      ->required();
  exporter
      ->add_option("--listen,--web.listen-address", arguments.listen,
                   "Where to listen (127.0.0.1:9977); :PORT for all addresses")
      ->type_name("ADDR:PORT");
  exporter
      ->add_option("--web.config.file", arguments.web_config_file,
                   "TLS and logins, as Prometheus' exporters have them (YAML)")
      ->type_name("FILE");
  exporter->add_flag("--check-config", arguments.check_config,
                     "Only say whether the files are right");
  exporter->footer("Exit status: 0 ended by a signal, 2 usage or configuration error.");

  auto* serve =
      command("serve",
              "The far end, on a host of your own outside: prints the target set to check "
              "it by, and answers until it is interrupted",
              Command::serve);
  serve->add_option("NAME", arguments.names, "This host's name or address, as clients reach it")
      ->required()
      ->expected(1);
  serve->add_option("--bind", arguments.bind, "The address to listen on; all IPv4 where absent")
      ->type_name("ADDRESS");
  const auto a_port = CLI::Range(0, 65'535);
  serve
      ->add_option("--udp-port", arguments.udp_port,
                   "For streams like a call's (STAMP, RFC 8762); 0: any")
      ->type_name("PORT")
      ->check(a_port)
      ->capture_default_str();
  serve->add_option("--call-port", arguments.call_port, "UDP, for WebRTC calls (ICE-lite); 0: any")
      ->type_name("PORT")
      ->check(a_port)
      ->capture_default_str();
  const auto ports_option = [&](const char* names, std::string& place, const char* help,
                                const char* type) {
    serve->add_option(names, place, help)->type_name(type)->capture_default_str();
  };
  ports_option("--media-ports", arguments.media_ports,
               "UDP that is echoed to who has the key: ports and ranges, or off", "PORTS");
  ports_option("--tls-ports,--tls-port", arguments.tls_ports,
               "TLS: ports and ranges, or off; 0: any", "PORTS");
  ports_option("--tcp-ports", arguments.tcp_ports,
               "TCP connections: ports and ranges, or off; 0: any", "PORTS");
  ports_option("--stun-port", arguments.stun_port, "STUN over UDP and TCP, or off; 0: any", "PORT");
  serve
      ->add_option("--other-address", arguments.other_address,
                   "A second public address of this host: STUN then tells how NATs behave (RFC "
                   "5780); --bind names the first")
      ->type_name("ADDRESS");
  ports_option("--sip-port", arguments.sip_port,
               "SIP over UDP and TCP, which sends back what it gets, or off; 0: any", "PORT");
  ports_option("--sips-port", arguments.sips_port, "SIP over TLS, or off; 0: any", "PORT");
  serve
      ->add_option(
          "--credentials", arguments.credentials_file,
          "Read CALLREADY_MEDIA_KEY from this file (-: standard input) instead of the environment")
      ->type_name("FILE");
  serve->footer(
      "Streams and echoes answer only who has the key: CALLREADY_MEDIA_KEY, there and here. On a "
      "terminal it makes one by itself. STUN and SIP over UDP answer anybody, with no more bytes "
      "than "
      "came. At most 3,000 ports in all.");

  std::string page;
  add_description_commands(app, page);

  if (argc == 1) {
    say(first_steps());
    result.exit_status = usage_status(argc, argv);
    return result;
  }
  std::vector<const char*> words(argv, argv + argc);
  if (std::string_view(words[1]) == "help") {
    // `help check` is `check --help`.
    words.erase(words.begin() + 1);
    words.resize(std::min<std::size_t>(words.size(), 2));
    words.push_back("--help");
  }
  if (std::string_view(words[1]) == "ui") {
    const auto mark = std::find(words.begin(), words.end(), std::string_view("--"));
    if (mark != words.end()) arguments.names.assign(mark + 1, words.end());
    words.erase(mark, words.end());
  }
  argc = static_cast<int>(words.size());
  argv = words.data();
  if (const auto unknown = unknown_command(app, argc, argv); !unknown.empty()) {
    say(unknown);
    result.exit_status = usage_status(argc, argv);
    return result;
  }
  try {
    app.parse(argc, argv);
    if (page.empty()) return result;
    const auto reason = print_reason(page);
    if (reason) complain("standard output: " + *reason);
    result.exit_status = reason ? 2 : 0;
  } catch (const CLI::ParseError& error) {
    std::ostringstream said, help;
    const int status = app.exit(error, help, said);
    const auto reason = print_reason(help.str());
    if (reason) complain("standard output: " + *reason);
    auto text = said.str();
    const auto hint = option_hint(app, argc, argv);
    if (const auto end = text.find(" (callready --help"); end != text.npos) text.insert(end, hint);
    say(text);
    result.exit_status = status == 0 && !reason ? 0 : usage_status(argc, argv);
  }
  return result;
}

}  // namespace callready
