// How --help looks: two columns, at most 80 characters wide.
#pragma once

#include <CLI/CLI.hpp>

namespace callready {

class HelpPage : public CLI::Formatter {
 public:
  std::string make_option(const CLI::Option* option, bool is_positional) const override;
  std::string make_group(std::string group, bool is_positional,
                         std::vector<const CLI::Option*> options) const override;
  std::string make_subcommand(const CLI::App* command) const override;
  std::string make_option_usage(const CLI::Option* option) const override;
};

// What `callready --help` ends with, and `callready check --help`.
inline constexpr auto first_examples =
    "Examples:\n"
    "  callready check teams                  can people here make calls with Teams?\n"
    "  callready ui                           the same from a page in your browser\n"
    "  callready firewall teams               the firewall rules that Teams needs\n"
    "  callready demo                         see it at work, without any network\n"
    "Options of a command: callready help COMMAND\n";
inline constexpr auto check_examples =
    "Examples:\n"
    "  callready check ms teams\n"
    "  callready check webex --report html=site.html --report json=site.json\n"
    "  callready check zoom --quality         measure how a call would sound\n"
    "  callready check 3cx --var server=pbx.example.com\n"
    "  callready check rainbow --ticket       what to paste into a ticket\n";
inline constexpr auto exit_statuses =
    "Exit status: 0 ready, 1 blocked, 2 usage or configuration error, 3 not decided\n"
    "(or interrupted), 4 degraded (works, with limits).";

// The commands, and the options of `check`, by what they are for.
void group_commands(CLI::App& app);
void group_options(CLI::App& check);

}  // namespace callready
