#include "probe/cli/hints.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "probe/util/text.hpp"
#include "targets/catalog.hpp"
#include "targets/suggest.hpp"

namespace callready {
namespace {

// The id of the service that somebody may have meant: by id, alias, title or a former name.
std::optional<std::string> service_meant(const std::string& word) {
  std::vector<std::string> ids;
  const auto collection = builtin_collection();
  for (const auto& set : collection.index.sets) {
    const auto names = names_of(set.head);
    const auto same = [&](const std::string& name) { return is_same_name(name, word); };
    if (std::any_of(names.begin(), names.end(), same)) return set.head.id;
    ids.push_back(set.head.id);
  }
  return suggest(word, ids);
}

std::vector<std::string> commands_of(const CLI::App& app) {
  std::vector<std::string> known;
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    known.push_back(command->get_name());
  }
  return known;
}

}  // namespace

std::string first_steps() {
  return std::string(
      "callready tells whether calls work from this network, and if not, what to change.\n"
      "  callready list                  the services it knows\n"
      "  callready check webex           can people here make calls with it?\n"
      "  callready ui                    the same from a page in your browser\n"
      "  callready demo                  see it at work, without any network\n"
      "  callready help                  everything else\n");
}

std::string unknown_command(const CLI::App& app, int argc, const char* const* argv) {
  if (argc < 2 || argv[1][0] == '-') return {};
  const auto known = commands_of(app);
  const std::string word = argv[1];
  if (contains(known, word)) return {};
  const auto meant = service_meant(word);
  if (!suggest(word, known) && meant) {
    return fmt::format(
        "callready: '{}' is not a command. To check that service: callready check {}\n", word,
        *meant);
  }
  return fmt::format("callready: unknown command '{}'{}\n", word, did_you_mean(word, known));
}

std::string option_hint(const CLI::App& app, int argc, const char* const* argv) {
  std::vector<std::string> known;
  const auto learn = [&](const CLI::App& from) {
    for (const auto* option : from.get_options()) {
      for (const auto& name : option->get_lnames()) known.push_back("--" + name);
    }
  };
  learn(app);
  for (const auto* command : app.get_subcommands()) learn(*command);
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const auto name = std::string(word.substr(0, word.find('=')));
    if (!name.starts_with("--") || name.size() < 4) continue;
    if (contains(known, name)) continue;
    const auto meant = suggest(name, known);
    return meant ? fmt::format("; did you mean '{}'?", *meant) : "";
  }
  return {};
}

}  // namespace callready
