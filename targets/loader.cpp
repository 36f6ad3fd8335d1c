#include "targets/loader.hpp"

#include <filesystem>
#include <system_error>

#include "probe/platform/input_file.hpp"
#include "probe/util/digest.hpp"
#include "probe/util/path.hpp"
#include "targets/set_reader.hpp"
#include "targets/syntax.hpp"

namespace callready {
namespace {

LoadResult failed(const std::string& path, std::string message) {
  LoadResult result;
  result.problems.push_back({path, 0, 0, std::move(message)});
  return result;
}

// The set's id, for callers that look up a set whose file has problems.
std::string id_of(const YamlNode& root) {
  const auto* id = root.find("id");
  const bool good = id != nullptr && id->value.is_scalar() && is_id(id->value.text);
  return good ? id->value.text : std::string();
}

}  // namespace

LoadResult load_file(const std::string& path, const LoadRules& rules) {
  std::error_code error;
  if (std::filesystem::is_directory(path_of(path), error)) {
    return failed(path, "is a folder; expected a target set, a YAML file");
  }
  const auto input = platform::read_input(path, YamlLimits{}.bytes);
  if (!input.error.empty()) return failed(path, "cannot be read: " + input.error);
  return load_text(input.text, path, rules);
}

LoadResult load_text(std::string_view text, std::string name, const LoadRules& rules) {
  LoadResult result;
  Problems problems(name);
  if (const auto root = parse_yaml(text, problems)) {
    result.id = id_of(*root);
    auto set = read_set(*root, rules, problems);
    set.origin = std::move(name);
    set.sha256 = sha256_hex(text);
    if (problems.empty()) result.set = std::move(set);
  }
  result.problems = problems.take();
  return result;
}

}  // namespace callready
