#include "probe/cli/privacy.hpp"

#include <fmt/format.h>

#include <stdexcept>

#include "probe/cli/commands.hpp"
#include "probe/cli/secrets.hpp"
#include "probe/platform/input_file.hpp"
#include "probe/platform/system.hpp"
#include "probe/util/digest.hpp"
#include "probe/util/text.hpp"
#include "targets/builtin.hpp"

namespace callready {
namespace {

constexpr std::size_t longest_key = 4096;

KeyResult checked(const std::string& text, const std::string& where) {
  const std::string key(trimmed(text));
  if (key.size() >= shortest_key) return {key, {}};
  return {{},
          fmt::format("{}: a key for pseudonyms needs at least {} characters; make one with: "
                      "openssl rand -hex 32",
                      where, shortest_key)};
}

KeyResult read_key(const std::string& file) {
  const auto input = platform::read_input(file, longest_key);
  if (!input.error.empty()) return {{}, file + ": cannot be read: " + input.error};
  return checked(input.text.substr(0, longest_key), file);
}

KeyResult make_key(const std::string& file) {
  if (const auto reason = platform::write_private_file(file, hex(random_bytes<32>()) + '\n')) {
    return {{},
            fmt::format("{}: {}: the key for pseudonyms cannot be kept; give one with "
                        "--redact-key FILE or CALLREADY_REDACT_KEY",
                        file, *reason)};
  }
  // If two runs make a key at the same time, the first one counts for both.
  return read_key(file);
}

}  // namespace

KeyResult redaction_key(const std::string& file) {
  if (!file.empty()) return read_key(file);
  const auto given = platform::environment("CALLREADY_REDACT_KEY");
  if (!given.empty()) return checked(given, "CALLREADY_REDACT_KEY");
  const auto folder = platform::configuration_folder();
  if (folder.empty()) {
    return {{},
            "there is no folder to keep a key for pseudonyms in (HOME is not set): give one "
            "with --redact-key FILE or CALLREADY_REDACT_KEY"};
  }
  const auto own = folder + "/redact.key";
  return platform::is_file(own) ? read_key(own) : make_key(own);
}

Redactor make_redactor(const std::string& key, std::vector<std::string> users) {
  const auto rules = load_rules();
  std::vector<TargetSet> sets;
  std::vector<SetCollection> collections = {builtin_collection()};
  std::string problem;  // told where sets are looked for
  if (auto downloaded = set_store().collection(problem)) {
    collections.push_back(std::move(*downloaded));
  }
  for (const auto& collection : collections) {
    for (const auto& set : collection.index.sets) {
      const auto text = collection.text_of(set);
      auto loaded = text ? load_text(*text, set.head.id, rules) : LoadResult{};
      if (loaded.set) sets.push_back(std::move(*loaded.set));
    }
  }
  auto anchors = load_text(builtin_anchors(), "anchors", rules);
  if (anchors.set) sets.push_back(std::move(*anchors.set));
  for (const auto* name :
       {"USER", "LOGNAME", "USERNAME", "CALLREADY_TURN_USER", "CALLREADY_PROXY_USER"}) {
    users.push_back(platform::environment(name));
  }
  // "root" is everywhere, and reveals nothing.
  std::erase_if(users, [](const auto& user) { return user.size() < 2 || user == "root"; });
  return {[key](std::string_view message) { return hmac_sha256(bytes_of(key), bytes_of(message)); },
          public_names(sets), users};
}

Privacy privacy_of(const Arguments& arguments, std::vector<std::string> users) {
  if (!arguments.redact) return {};
  const auto key = redaction_key(arguments.redact_key_file);
  if (!key.error.empty()) return {std::nullopt, key.error};
  return {make_redactor(key.key, std::move(users)), {}};
}

}  // namespace callready
