#include "targets/catalog.hpp"

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>

#include "targets/suggest.hpp"
#include "targets/yaml_document.hpp"

namespace callready {
namespace {

namespace fs = std::filesystem;

std::string stem(const std::string& path) { return fs::path(path).stem().string(); }

bool is_set_file(const fs::path& path) {
  const auto name = path.filename().string();
  const auto extension = path.extension();
  return !name.starts_with('.') && (extension == ".yaml" || extension == ".yml");
}

}  // namespace

Catalog::Catalog(const std::vector<std::string>& files, const std::string& folder,
                 const LoadRules& rules, std::span<const BuiltinSet> builtin) {
  for (const auto& path : files) {
    add({.id = {}, .origin = path, .place = Place::file, .result = load_file(path, rules)});
  }
  if (!folder.empty()) add_folder(folder, rules);
  for (const auto& set : builtin) {
    auto result = load_text(set.yaml_text, "built in", rules);
    // Several sets share that origin; a problem must say which one it is in.
    for (auto& problem : result.problems) problem.file = std::string(set.id) + " (built in)";
    add({.id = std::string(set.id),
         .origin = "built in",
         .place = Place::builtin,
         .result = std::move(result)});
  }
}

void Catalog::add_folder(const std::string& folder, const LoadRules& rules) {
  std::error_code error;
  if (!fs::exists(folder, error)) {
    if (error) folder_problems_.push_back({folder, 0, 0, "cannot be read: " + error.message()});
    return;
  }
  std::vector<std::string> paths;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    if (is_set_file(entry->path())) paths.push_back(entry->path().string());
  }
  if (error) folder_problems_.push_back({folder, 0, 0, "cannot be read: " + error.message()});
  std::sort(paths.begin(), paths.end());  // the order of a folder is no order
  for (const auto& path : paths) {
    add({.id = {}, .origin = path, .place = Place::folder, .result = load_file(path, rules)});
  }
}

void Catalog::add(Entry entry) {
  if (entry.id.empty()) entry.id = entry.result.id.empty() ? stem(entry.origin) : entry.result.id;
  for (const auto& earlier : entries_) {
    if (earlier.id != entry.id || earlier.shadowed) continue;
    entry.shadowed = true;
    if (earlier.place != entry.place) continue;
    Problem clash{entry.origin, 0, 0,
                  "the set " + in_quotes(entry.id) + " is already in " + earlier.origin +
                      "; expected an id of its own"};
    (entry.place == Place::file ? clashes_ : folder_problems_).push_back(std::move(clash));
  }
  entries_.push_back(std::move(entry));
}

LoadResult Catalog::find(const std::string& id) const {
  for (const auto& entry : entries_) {
    if (entry.id == id && !entry.shadowed) return entry.result;
  }
  std::string message = "unknown target set " + in_quotes(id);
  const auto known = ids();
  if (fs::path(id).has_parent_path() || is_set_file(id)) {
    message += "; a set in a file is given by --set " + id;
  } else if (const auto meant = suggest(id, known)) {
    message += "; did you mean '" + *meant + "'?";
  }
  if (!message.ends_with('?')) message += '.';
  message += known.empty() ? " There are no sets." : " Known sets:";
  for (std::size_t i = 0; i < known.size(); ++i) message += (i > 0 ? ", " : " ") + known[i];
  LoadResult result;
  result.problems.push_back({{}, 0, 0, std::move(message)});
  return result;
}

std::vector<std::string> Catalog::ids() const {
  std::set<std::string> all;
  for (const auto& entry : entries_) {
    if (!entry.shadowed && entry.result.set) all.insert(entry.id);
  }
  return {all.begin(), all.end()};
}

std::vector<Problem> Catalog::problems() const {
  std::vector<Problem> all;
  for (const auto& entry : entries_) {
    if (entry.place != Place::file) continue;
    all.insert(all.end(), entry.result.problems.begin(), entry.result.problems.end());
  }
  all.insert(all.end(), clashes_.begin(), clashes_.end());
  return all;
}

std::vector<Problem> Catalog::warnings() const {
  auto all = folder_problems_;
  for (const auto& entry : entries_) {
    if (entry.place != Place::folder) continue;
    all.insert(all.end(), entry.result.problems.begin(), entry.result.problems.end());
  }
  return all;
}

}  // namespace callready
