// The heads of all sets of a collection as one JSON document: to list sets and find them by name
// without reading their files, and to verify that a file is the one that was indexed. The index of
// the built-in sets is part of the program; the index of downloaded ones is signed.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probe/model/target_set.hpp"
#include "targets/problem.hpp"

namespace callready {

struct IndexedSet {
  SetHead head;  // its file is called ID.yaml
  std::size_t bytes = 0;
  std::size_t requirements = 0;

  std::string file() const { return head.id + ".yaml"; }
};

struct SetIndex {
  int version = 0;              // of the collection; increases with each edition
  std::string issued, expires;  // YYYY-MM-DD
  std::string needs;            // the oldest program version that can read these sets
  std::vector<IndexedSet> sets;

  const IndexedSet* find(std::string_view id) const;
};

// A downloaded index that is larger than this is malicious.
inline constexpr std::size_t largest_index = std::size_t{2} * 1024 * 1024;  // bytes
inline constexpr std::size_t most_indexed_sets = 1000;

// The entry for one file. Nothing, and problems, if its head cannot be read.
std::optional<IndexedSet> index_set(std::string_view yaml_text, Problems& problems);

std::string write_index(const SetIndex& index);

struct IndexResult {
  std::optional<SetIndex> index;
  std::string problem;  // in words; empty if and only if there is an index
};
IndexResult read_index(std::string_view json_text);

// "0.10.2" is newer than "0.9". Anything that is not a version is older than everything.
bool is_older_version(std::string_view left, std::string_view right);

}  // namespace callready
