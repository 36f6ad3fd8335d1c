#include "probe/cli/help_page.hpp"

#include <algorithm>
#include <sstream>
#include <string_view>

namespace callready {
namespace {

constexpr std::size_t width = 80;
constexpr std::size_t left = 28;  // of the second column

// `name` in the first column, `text` in the second; a long name has a line of its own.
std::string two_columns(const std::string& name, const std::string& text) {
  std::string out = "  " + name;
  if (text.empty()) return out + '\n';
  std::size_t at = out.size();
  const auto begin_column = [&] {
    out += '\n' + std::string(left, ' ');
    at = left;
  };
  if (at + 2 > left) {
    begin_column();
  } else {
    out.append(left - at, ' ');
    at = left;
  }
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (at > left && at + 1 + word.size() > width) begin_column();
    if (at > left) {
      out += ' ';
      ++at;
    }
    out += word;
    at += word.size();
  }
  return out + '\n';
}

struct Group {
  const char* name;
  std::initializer_list<const char*> members;
};

}  // namespace

std::string HelpPage::make_option(const CLI::Option* option, bool is_positional) const {
  std::string name;
  const auto type = option->get_type_name();
  if (is_positional) {
    name = option->get_name(true);
  } else {
    for (const auto& one : option->get_snames()) name += (name.empty() ? "-" : ",-") + one;
    for (const auto& one : option->get_lnames()) name += (name.empty() ? "--" : ",--") + one;
    // After the label comes what CLI11 adds for its checks.
    const auto label = type.substr(0, std::min(type.find(":{"), type.find(":INT")));
    if (option->get_type_size() != 0 && !label.empty()) {
      name += ' ' + label.substr(0, std::min(label.find(":UINT"), label.find(":FLOAT")));
    }
  }
  auto text = option->get_description();
  if (!option->get_default_str().empty()) text += " (default: " + option->get_default_str() + ')';
  return two_columns(name, text);
}

// One empty line between groups, where CLI11 has two.
std::string HelpPage::make_group(std::string group, bool is_positional,
                                 std::vector<const CLI::Option*> options) const {
  auto text = Formatter::make_group(std::move(group), is_positional, std::move(options));
  while (text.ends_with("\n\n")) text.pop_back();
  return text;
}

std::string HelpPage::make_subcommand(const CLI::App* command) const {
  return two_columns(command->get_name(), command->get_description());
}

// "REPORT REPORT" and "FEED [FILE]", where CLI11 has "REPORT(2x)" and "FEED(1x)".
std::string HelpPage::make_option_usage(const CLI::Option* option) const {
  if (option->get_expected_max() != 2) return Formatter::make_option_usage(option);
  const auto name = option->get_name(true);
  return name + ' ' + (option->get_expected_min() == 2 ? name : "[FILE]");
}

void group_commands(CLI::App& app) {
  const Group groups[] = {
      {"Check this network", {"check", "ui", "demo", "render", "merge", "diff"}},
      {"What services need", {"list", "show", "firewall"}},
      {"Target sets", {"validate", "update", "import"}},
      {"On a server", {"exporter", "serve"}},
  };
  for (const auto& group : groups) {
    for (const auto* name : group.members) app.get_subcommand(name)->group(group.name);
  }
}

void group_options(CLI::App& check) {
  const Group groups[] = {
      {"What to check",
       {"--set", "--scenario", "--client", "--region", "--var", "--service-tags", "--from",
        "--only", "--skip", "--all"}},
      {"How thoroughly",
       {"--quality", "--calls", "--thorough", "--sip-sdp", "--pace", "--timeout"}},
      {"Which way",
       {"--proxy", "--pac", "--interface", "--dns", "--ca-file", "--credentials", "-4", "-6",
        "--no-anchors", "--anchors"}},
      {"The report",
       {"--ticket", "--json", "--nagios", "--report", "--verbose", "--quiet", "--color", "--lang",
        "--follow", "--redact", "--redact-key", "--site", "--place"}},
      {"Over time", {"--history", "--no-keep", "--push-to"}},
  };
  for (const auto& group : groups) {
    for (const auto* name : group.members) check.get_option(name)->group(group.name);
  }
}

}  // namespace callready
