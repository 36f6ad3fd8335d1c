// The manual page, made from what --help says: nothing is written twice.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "probe/cli/command_line.hpp"
#include "probe/cli/help_page.hpp"

namespace callready {
namespace {

// A line that begins with "." or "'" would be a request, a bare "-" may become a hyphen.
std::string in_troff(const std::string& text) {
  std::string result;
  bool line_begins = true;
  for (const char c : text) {
    if (line_begins && (c == '.' || c == '\'')) result += "\\&";
    if (c == '\\') {
      result += "\\e";
    } else if (c == '-') {
      result += "\\-";
    } else {
      result += c;
    }
    line_begins = c == '\n';
  }
  return result;
}

std::string term(const CommandLineOption& option) {
  std::vector<std::string> names;
  for (const auto& name : option.names) names.push_back("\\fB" + in_troff(name) + "\\fR");
  auto text = fmt::format("{}", fmt::join(names, ", "));
  if (option.value == ValueKind::none) return text;
  if (!names.empty()) text += ' ';
  return text + "\\fI" + in_troff(option.label) + "\\fR";
}

std::string options_of(const CommandLine& command) {
  std::string text;
  for (const auto& option : command.options) {
    auto words = option.description;
    if (!option.words.empty() && words.find(option.words.front()) == words.npos) {
      words += fmt::format(" ({})", fmt::join(option.words, ", "));
    }
    if (!option.usual.empty()) words += " (default: " + option.usual + ')';
    text += ".TP\n" + term(option) + "\n" + in_troff(words) + "\n";
  }
  return text;
}

std::string synopsis_of(const CommandLine& command) {
  std::string text = "\\fBcallready " + in_troff(command.name) + "\\fR [\\fIOPTIONS\\fR]";
  for (const auto& option : command.options) {
    if (!option.names.empty()) continue;
    const auto label = "\\fI" + in_troff(option.label) + "\\fR" + (option.repeatable ? "..." : "");
    text += option.required ? " " + label : " [" + label + "]";
  }
  return text;
}

// As it is, line by line.
std::string footer_of(const CommandLine& command) {
  if (command.footer.empty()) return {};
  return ".PP\n.nf\n" + in_troff(command.footer) + "\n.fi\n";
}

}  // namespace

std::string manual_page(const CommandLine& line, const std::string& version) {
  std::string text = ".\\\" Written by `callready manual`.\n.TH CALLREADY 1 \"\" \"callready " +
                     version +
                     "\" \"User Commands\"\n"
                     ".SH NAME\ncallready \\- tells whether calls work from this network\n"
                     ".SH SYNOPSIS\n";
  for (const auto& command : line.commands) text += synopsis_of(command) + "\n.br\n";
  text +=
      ".SH DESCRIPTION\n" + in_troff(line.description) +
      "\nGiven the name of a target set, it tests what that service needs and says which of its "
      "features work from here. For what does not work, it names the cause, what to change, "
      "and who has to change it.\n";
  text += ".SH OPTIONS\n" + options_of(line) + ".SH COMMANDS\n";
  for (const auto& command : line.commands) {
    text += ".SS " + in_troff(command.name) + "\n" + synopsis_of(command) + "\n.PP\n" +
            in_troff(command.description) + ".\n" + options_of(command);
    text += footer_of(command);
  }
  text += ".SH EXAMPLES\n" + footer_of(line);
  text += ".SH \"EXIT STATUS\"\n" + in_troff(exit_statuses) + '\n';
  return text;
}

}  // namespace callready
