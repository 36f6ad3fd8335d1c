// Brings the downloaded sets up to date: what is fetched is verified, then read, then kept. The
// attacks that it withstands are those of the TUF specification (section 1.5.2) as far as one
// signed index can: see docs/design.md.
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
  std::string problem;  // of `failed`, in words
};

// Gets one file of the source, of at most so many bytes. `etag`: what the server called it last
// time; where it still is that, `unchanged`.
using Fetch =
    std::function<Fetched(const std::string& name, std::size_t most, const std::string& etag)>;

struct UpdateOptions {
  std::string source;   // as the user named it
  std::string today;    // YYYY-MM-DD
  std::string version;  // the program's
  SetCollection known;  // the built-in sets: to show what is different, and not to fetch them
  LoadRules rules;
};

struct UpdateResult {
  std::string refusal;  // one line; then nothing was changed but perhaps the keys
  std::vector<std::string> warnings;
  std::vector<std::string> changes;  // per set, in words
  bool changed = false;
  SetIndex index;  // that is now in use; empty after a refusal
};

UpdateResult update_sets(const SetStore& store, const Fetch& fetch, const UpdateOptions& options);

}  // namespace callready
