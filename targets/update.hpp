// Updates the downloaded sets: each file is fetched and verified before it is parsed and stored.
// Withstands the attacks of the TUF specification (section 1.5.2) as far as a single signed index
// can: see docs/design.md.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "targets/set_store.hpp"

namespace callready {

struct Fetched {
  enum class Kind { got, missing, unchanged, failed } kind = Kind::failed;
  std::string bytes;
  std::string etag;
  std::string problem;  // for `failed`, in words
};

// Gets one file of the source, of at most `most` bytes. `etag`: the file's last known ETag; if it
// still matches, the result is `unchanged`.
using Fetch =
    std::function<Fetched(const std::string& name, std::size_t most, const std::string& etag)>;

struct UpdateOptions {
  std::string source;   // as the user named it
  std::string today;    // YYYY-MM-DD
  std::string version;  // the program's
  SetCollection known;  // the built-in sets: to show differences, and to avoid fetching them
  LoadRules rules;
};

struct UpdateResult {
  std::string refusal;  // one line; if set, nothing was changed except perhaps the keys
  std::vector<std::string> warnings;
  std::vector<std::string> changes;  // in words, each with its set's id
  bool changed = false;
  SetIndex index;  // now in use; empty after a refusal
};

UpdateResult update_sets(const SetStore& store, const Fetch& fetch, const UpdateOptions& options);

}  // namespace callready
