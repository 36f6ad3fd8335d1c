// The keys of the program that the tests of `update` run, in the place of those that a build of
// callready holds: CALLREADY_TEST_KEYS, lines of minisign's .pub files separated by commas.
#include <cstdlib>

#include "targets/set_store.hpp"

namespace callready {

TrustedKeys builtin_keys() {
  TrustedKeys trusted;
  const char* value = std::getenv("CALLREADY_TEST_KEYS");
  std::string_view rest = value != nullptr ? value : "";
  while (!rest.empty()) {
    const auto comma = std::min(rest.find(','), rest.size());
    if (const auto key = MinisignKey::parse(rest.substr(0, comma))) trusted.keys.push_back(*key);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return trusted;
}

std::string_view builtin_update_url() { return ""; }

}  // namespace callready
