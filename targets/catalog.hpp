// Finds a target set by name: first the files that the user gave, then the user's own folder, then
// the built-in sets. A set of the user's takes the place of a built-in one of the same id.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "targets/builtin.hpp"
#include "targets/loader.hpp"

namespace callready {

class Catalog {
 public:
  enum class Place { file, folder, builtin };
  struct Entry {
    std::string id;      // the set's own; of a file that could not be read so far, its name
    std::string origin;  // path, or "built in"
    Place place = Place::builtin;
    LoadResult result;      // where it has problems, the set cannot be used
    bool shadowed = false;  // an earlier entry has the same id
  };

  // `files`: what the user gave with --set. `folder`: *.yaml and *.yml in it are sets; one that
  // does not exist is as good as empty, "" is none. Reads everything; sets with problems are kept
  // with their problems.
  Catalog(const std::vector<std::string>& files, const std::string& folder, const LoadRules& rules,
          std::span<const BuiltinSet> builtin = builtin_sets());

  // The set of that name. A name that nobody knows, or a set that has problems, gives the problems:
  // "unknown target set 'rainbo'; did you mean 'rainbow'?", then the known names.
  LoadResult find(const std::string& id) const;

  const std::vector<Entry>& entries() const { return entries_; }
  std::vector<std::string> ids() const;  // each once, those that can be used, sorted

  // Of the files given with --set, and two of them with one id: the run cannot go on.
  std::vector<Problem> problems() const;
  // Of the folder: worth saying, but the other sets can be used.
  std::vector<Problem> warnings() const;

 private:
  void add(Entry entry);
  void add_folder(const std::string& folder, const LoadRules& rules);

  std::vector<Entry> entries_;
  std::vector<Problem> clashes_, folder_problems_;
};

}  // namespace callready
