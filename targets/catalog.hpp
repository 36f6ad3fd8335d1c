// Finds a target set by name: first in the files that the user gave, then in the user's own folder,
// then among the sets that `callready update` downloaded, then among the built-in ones. A set
// shadows later ones with the same id.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "targets/loader.hpp"
#include "targets/set_index.hpp"

namespace callready {

// Sets that are not read, beyond their index, until one is asked for.
struct SetCollection {
  std::string origin;  // of its sets: "built in", "downloaded"
  SetIndex index;
  // The set's file, or nothing if it is missing or does not match the index.
  std::function<std::optional<std::string>(const IndexedSet&)> text_of;
};

// targets/vendors as of build time.
SetCollection builtin_collection();

// True if the user can have meant the same by both: "Ms Teams", "ms-teams", "msteams".
bool is_same_name(std::string_view left, std::string_view right);

// Everything that the set is called, its id first.
std::vector<std::string> names_of(const SetHead& head);

// The variable that names the customer's own sign-in page.
inline constexpr std::string_view own_sign_in = "sign_in";

class Catalog {
 public:
  enum class Place { file, folder, collection };
  struct Entry {
    SetHead head;  // for an unreadable file only the id: its own, or the file's name
    std::size_t requirements = 0;
    Place place = Place::file;
    bool shadowed = false;          // an earlier entry has the same id
    std::vector<Problem> problems;  // if there are any, the set cannot be used
    std::function<LoadResult()> load;
  };

  // `files`: what the user gave with --set. `folder`: its *.yaml and *.yml files are sets; it need
  // not exist, and "" means none. All of these are read in full at once; sets with problems are
  // kept with their problems. Among the collections, a set of a later one is preferred if it was
  // verified later.
  Catalog(const std::vector<std::string>& files, const std::string& folder, const LoadRules& rules,
          std::vector<SetCollection> collections = {builtin_collection()});

  // The set with that name: an id, an alias or a title, otherwise a former name; case, spaces,
  // hyphens and underscores do not matter, but an exact id comes first. An unknown or ambiguous
  // name, or a set that has problems, yields the problems: "unknown target set 'rainbo'; did you
  // mean 'rainbow'?", then the known names. The set comes with what it needs from other sets.
  LoadResult find(const std::string& name) const;

  // A file's set with what it needs from the sets that the catalog knows.
  LoadResult complete(LoadResult loaded) const;

  // A set, as `find` returns it, with the customer's own sign-in page added: the rows of the set
  // `single-sign-on`, whose variable is `sign_in`. Unchanged if it has such a variable already.
  LoadResult with_own_sign_in(TargetSet set) const;

  const std::vector<Entry>& entries() const { return entries_; }
  // The usable sets, each once, sorted by id; without controls.
  std::vector<const Entry*> usable() const;
  std::vector<std::string> ids() const;

  // Those of files given with --set, including two files with the same id: the run cannot go on.
  std::vector<Problem> problems() const;
  // Those of the folder: worth reporting, but the other sets can be used.
  std::vector<Problem> warnings() const;

 private:
  LoadResult load(const std::string& id) const;  // without what it needs from other sets
  void add(Entry entry);
  void add_file(const std::string& path, Place place);
  void add_folder(const std::string& folder);
  void add_collections(std::vector<SetCollection> collections);
  Problem unknown(const std::string& name) const;

  std::shared_ptr<const LoadRules> rules_;
  std::vector<Entry> entries_;
  std::vector<Problem> clashes_, folder_problems_;
};

}  // namespace callready
