// --redact: with which key, and what is known to be public.
#pragma once

#include <optional>
#include <string>

#include "probe/cli/arguments.hpp"
#include "reports/privacy/redact.hpp"

namespace callready {

// Reads the key of the pseudonyms: from --redact-key FILE, otherwise from CALLREADY_REDACT_KEY,
// otherwise from `redact.key` in the user's configuration folder, which is made (32 random bytes,
// for the user alone) if there is none: so a user's reports have the same pseudonyms by default. A
// key has at least 16 characters; space around it does not count.
struct KeyResult {
  std::string key;
  std::string error;  // empty: none
};
KeyResult redaction_key(const std::string& file);

// A redactor with that key; the vendors' names are those of the built-in sets and anchors. `users`:
// login names to hide besides those that the environment has.
Redactor make_redactor(const std::string& key, std::vector<std::string> users = {});

// Where the command line asks for --redact: the redactor, or the error. Neither where it does not.
struct Privacy {
  std::optional<Redactor> redactor;
  std::string error;
};
// `users`: as for make_redactor().
Privacy privacy_of(const Arguments& arguments, std::vector<std::string> users = {});

}  // namespace callready
