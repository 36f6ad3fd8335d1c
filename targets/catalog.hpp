// Finds a target set by name: first the files that the user gave, then the user's own folder, then
// the sets that came by `callready update`, then the built-in ones. A set takes the place of those
// of the same id behind it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "targets/loader.hpp"
#include "targets/set_index.hpp"

namespace callready {

// Sets of which only the index is read until one is asked for.
struct SetCollection {
  std::string origin;  // of its sets: "built in", "downloaded"
  SetIndex index;
  // The set's file, or nothing where it is not there or not what the index says.
  std::function<std::optional<std::string>(const IndexedSet&)> text_of;
};

// targets/vendors as it was when the program was built.
SetCollection builtin_collection();

// True where the user can have meant one by the other: "Ms Teams", "ms-teams", "msteams".
bool is_same_name(std::string_view left, std::string_view right);

// All that the set is called, its id first.
std::vector<std::string> names_of(const SetHead& head);

// The variable that names a sign-in page of the customer's own.
inline constexpr std::string_view own_sign_in = "sign_in";

class Catalog {
 public:
  enum class Place { file, folder, collection };
  struct Entry {
    SetHead head;  // of a file that could not be read, only the id: its own, or the file's name
    std::size_t requirements = 0;
    Place place = Place::file;
    bool shadowed = false;          // an earlier entry has the same id
    std::vector<Problem> problems;  // where there are some, the set cannot be used
    std::function<LoadResult()> load;
  };

  // `files`: what the user gave with --set. `folder`: *.yaml and *.yml in it are sets; one that
  // does not exist is as good as empty, "" is none. These are read whole at once; sets with
  // problems are kept with their problems. Of the collections, a later one's set is preferred where
  // it was verified later.
  Catalog(const std::vector<std::string>& files, const std::string& folder, const LoadRules& rules,
          std::vector<SetCollection> collections = {builtin_collection()});

  // The set of that name: an id, an alias or a title, else a former name; case, spaces, hyphens and
  // underscores do not matter, but an id to the letter comes first. A name that nobody knows or
  // that fits two sets, or a set that has problems, gives the problems: "unknown target set
  // 'rainbo'; did you mean 'rainbow'?", then the known names. The set comes with what it needs of
  // other sets.
  LoadResult find(const std::string& name) const;

  // A file's set with what it needs of the sets that the catalog knows.
  LoadResult complete(LoadResult loaded) const;

  // A set, as `find` gives it, with the customer's own sign-in page: what the set `single-sign-on`
  // asks for, whose variable is `sign_in`. As it is where it has such a variable already.
  LoadResult with_own_sign_in(TargetSet set) const;

  const std::vector<Entry>& entries() const { return entries_; }
  // Those that can be used, each once, by id; controls left out.
  std::vector<const Entry*> usable() const;
  std::vector<std::string> ids() const;

  // Of the files given with --set, and two of them with one id: the run cannot go on.
  std::vector<Problem> problems() const;
  // Of the folder: worth saying, but the other sets can be used.
  std::vector<Problem> warnings() const;

 private:
  LoadResult load(const std::string& id) const;  // as the file has it
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
