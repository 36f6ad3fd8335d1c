#include "targets/catalog.hpp"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>
#include <system_error>
#include <utility>

#include "probe/util/path.hpp"
#include "targets/builtin.hpp"
#include "targets/needed_sets.hpp"
#include "targets/suggest.hpp"
#include "targets/yaml_document.hpp"

namespace callready {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_named = 12;  // ids that an error lists

std::string stem(const std::string& path) { return utf8_of(path_of(path).stem()); }

bool is_set_file(const fs::path& path) {
  const auto name = utf8_of(path.filename());
  const auto extension = path.extension();
  return !name.starts_with('.') && (extension == ".yaml" || extension == ".yml");
}

std::string plain(std::string_view name) {
  std::string text;
  for (const char c : name) {
    if (c == '-' || c == '_' || c == ' ') continue;
    text += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  }
  return text;
}

bool holds_name(const std::vector<std::string>& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& one) { return is_same_name(one, name); });
}

LoadResult load_from(const SetCollection& collection, const IndexedSet& set,
                     const LoadRules& rules) {
  const auto text = collection.text_of(set);
  if (!text) {
    LoadResult result;
    result.problems.push_back(
        {set.file() + " (" + collection.origin + ")", 0, 0, "is missing or was changed"});
    return result;
  }
  auto result = load_text(*text, collection.origin, rules);
  // Several sets share that origin; a problem must say which one it is in.
  for (auto& problem : result.problems) {
    problem.file = set.head.id + " (" + collection.origin + ")";
  }
  return result;
}

}  // namespace

SetCollection builtin_collection() {
  SetCollection collection;
  collection.origin = "built in";
  collection.index = read_index(builtin_index()).index.value_or(SetIndex{});
  collection.text_of = [](const IndexedSet& set) -> std::optional<std::string> {
    for (const auto& builtin : builtin_sets()) {
      if (builtin.id == set.head.id) return std::string(builtin.yaml_text);
    }
    return std::nullopt;
  };
  return collection;
}

bool is_same_name(std::string_view left, std::string_view right) {
  const auto name = plain(left);
  return !name.empty() && name == plain(right);
}

std::vector<std::string> names_of(const SetHead& head) {
  std::vector<std::string> names = {head.id};
  names.insert(names.end(), head.aliases.begin(), head.aliases.end());
  names.insert(names.end(), head.former_names.begin(), head.former_names.end());
  if (!head.title.empty()) names.push_back(head.title);
  return names;
}

Catalog::Catalog(const std::vector<std::string>& files, const std::string& folder,
                 const LoadRules& rules, std::vector<SetCollection> collections)
    : rules_(std::make_shared<const LoadRules>(rules)) {
  for (const auto& path : files) add_file(path, Place::file);
  if (!folder.empty()) add_folder(folder);
  add_collections(std::move(collections));
}

void Catalog::add_file(const std::string& path, Place place) {
  const auto result = std::make_shared<const LoadResult>(load_file(path, *rules_));
  Entry entry;
  if (result->set) entry.head = *result->set;
  entry.head.id = result->id.empty() ? stem(path) : result->id;
  entry.head.origin = path;
  entry.place = place;
  entry.problems = result->problems;
  if (result->set) entry.requirements = result->set->requirements.size();
  entry.load = [result] { return *result; };
  add(std::move(entry));
}

void Catalog::add_folder(const std::string& folder) {
  std::error_code error;
  const auto place = path_of(folder);
  if (!fs::exists(place, error)) {
    if (error) folder_problems_.push_back({folder, 0, 0, "cannot be read: " + error.message()});
    return;
  }
  std::vector<std::string> paths;
  fs::directory_iterator entry(place, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    if (is_set_file(entry->path())) paths.push_back(utf8_of(entry->path()));
  }
  if (error) folder_problems_.push_back({folder, 0, 0, "cannot be read: " + error.message()});
  std::sort(paths.begin(), paths.end());  // directory order is arbitrary
  for (const auto& path : paths) add_file(path, Place::folder);
}

void Catalog::add_collections(std::vector<SetCollection> collections) {
  for (auto& one : collections) {
    const auto collection = std::make_shared<const SetCollection>(std::move(one));
    for (const auto& set : collection->index.sets) {
      Entry entry;
      entry.head = set.head;
      entry.head.origin = collection->origin;
      entry.requirements = set.requirements;
      entry.place = Place::collection;
      entry.load = [collection, &set, rules = rules_] {
        return load_from(*collection, set, *rules);
      };
      const auto older = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& known) {
        return known.place == Place::collection && known.head.id == set.head.id &&
               known.head.verified < set.head.verified;
      });
      // The built-in set is newer than the downloaded one: swap them.
      if (older != entries_.end()) {
        std::swap(*older, entry);
        std::swap(older->shadowed, entry.shadowed);
      }
      add(std::move(entry));
    }
  }
}

void Catalog::add(Entry entry) {
  for (const auto& earlier : entries_) {
    if (earlier.head.id != entry.head.id || earlier.shadowed) continue;
    entry.shadowed = true;
    if (earlier.place != entry.place || entry.place == Place::collection) continue;
    Problem clash{entry.head.origin, 0, 0,
                  "the set " + in_quotes(entry.head.id) + " is already in " + earlier.head.origin +
                      "; expected an id of its own"};
    (entry.place == Place::file ? clashes_ : folder_problems_).push_back(std::move(clash));
  }
  entries_.push_back(std::move(entry));
}

LoadResult Catalog::load(const std::string& id) const {
  LoadResult result;
  result.problems.push_back({{}, 0, 0, "no set has this id"});
  for (const auto& entry : entries_) {
    if (entry.head.id != id) continue;
    result = entry.load();
    // A downloaded file was damaged since: fall back to the built-in set that it shadows.
    if (result.set || entry.place != Place::collection) break;
  }
  return result;
}

LoadResult Catalog::complete(LoadResult loaded) const {
  if (!loaded.set || loaded.set->needs_sets.empty()) return loaded;
  return with_needed_sets(std::move(*loaded.set), [&](const std::string& id) { return load(id); });
}

LoadResult Catalog::with_own_sign_in(TargetSet set) const {
  LoadResult result;
  result.id = set.id;
  const bool known =
      std::any_of(set.variables.begin(), set.variables.end(),
                  [](const Variable& variable) { return variable.name == own_sign_in; });
  if (known) {
    result.set = std::move(set);
    return result;
  }
  auto needed = std::exchange(set.needs_sets, {{.set = "single-sign-on"}});
  result = complete({.set = std::move(set), .id = result.id});
  if (result.set) {
    auto& all = result.set->needs_sets;
    all.insert(all.begin(), needed.begin(), needed.end());
  }
  return result;
}

LoadResult Catalog::find(const std::string& name) const {
  for (const auto& entry : entries_) {
    if (entry.head.id == name) return complete(load(name));
  }
  // A set's current names come before former names of others, so that "Webex" is not ambiguous.
  std::set<std::string> meant, once;
  for (const auto& entry : entries_) {
    if (entry.shadowed) continue;
    const auto& head = entry.head;
    if (is_same_name(head.id, name) || is_same_name(head.title, name) ||
        holds_name(head.aliases, name)) {
      meant.insert(head.id);
    }
    if (holds_name(head.former_names, name)) once.insert(head.id);
  }
  if (meant.empty()) meant = std::move(once);
  if (meant.size() == 1) return complete(load(*meant.begin()));
  LoadResult result;
  if (meant.empty()) {
    result.problems.push_back(unknown(name));
    return result;
  }
  std::string message = in_quotes(name) + " can be several sets; say which:";
  for (const auto& id : meant) message += (id == *meant.begin() ? " " : ", ") + id;
  result.problems.push_back({{}, 0, 0, std::move(message)});
  return result;
}

Problem Catalog::unknown(const std::string& name) const {
  std::string message = "unknown target set " + in_quotes(name);
  std::vector<std::string> names;
  std::set<std::string> beginning;
  const auto known = ids();
  for (const auto* entry : usable()) {
    for (const auto& one : names_of(entry->head)) {
      names.push_back(one);
      if (plain(one).starts_with(plain(name))) beginning.insert(entry->head.id);
    }
  }
  if (path_of(name).has_parent_path() || is_set_file(path_of(name))) {
    message += "; a set in a file is given by --set " + name;
  } else if (beginning.size() == 1) {
    message += "; did you mean '" + *beginning.begin() + "'?";
  } else if (const auto meant = suggest(name, names)) {
    message += "; did you mean '" + *meant + "'?";
  }
  if (!message.ends_with('?')) message += '.';
  if (known.size() > most_named) {
    message += " `callready list` shows the " + std::to_string(known.size()) + " known sets.";
  } else {
    message += known.empty() ? " There are no sets." : " Known sets:";
    for (std::size_t i = 0; i < known.size(); ++i) message += (i > 0 ? ", " : " ") + known[i];
  }
  return {{}, 0, 0, std::move(message)};
}

std::vector<const Catalog::Entry*> Catalog::usable() const {
  std::vector<const Entry*> all;
  for (const auto& entry : entries_) {
    if (!entry.shadowed && entry.problems.empty() && !entry.head.control) all.push_back(&entry);
  }
  std::sort(all.begin(), all.end(),
            [](const Entry* left, const Entry* right) { return left->head.id < right->head.id; });
  return all;
}

std::vector<std::string> Catalog::ids() const {
  std::vector<std::string> all;
  for (const auto* entry : usable()) all.push_back(entry->head.id);
  return all;
}

std::vector<Problem> Catalog::problems() const {
  std::vector<Problem> all;
  for (const auto& entry : entries_) {
    if (entry.place != Place::file) continue;
    all.insert(all.end(), entry.problems.begin(), entry.problems.end());
  }
  all.insert(all.end(), clashes_.begin(), clashes_.end());
  return all;
}

std::vector<Problem> Catalog::warnings() const {
  auto all = folder_problems_;
  for (const auto& entry : entries_) {
    if (entry.place != Place::folder) continue;
    all.insert(all.end(), entry.problems.begin(), entry.problems.end());
  }
  return all;
}

}  // namespace callready
