#include "targets/loader.hpp"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>

#include "probe/util/digest.hpp"
#include "targets/set_reader.hpp"
#include "targets/syntax.hpp"

namespace callready {
namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

// At most `most` + 1 bytes: enough to tell that there are too many. Empty with `error` set where
// the file cannot be read.
std::string read_whole(const std::string& path, std::size_t most, std::error_code& error) {
  errno = 0;
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "rb"));
  if (!file) {
    error.assign(errno, std::generic_category());
    return {};
  }
  std::string text;
  char block[16 * 1024];
  while (text.size() <= most) {
    const auto count = std::fread(block, 1, sizeof block, file.get());
    text.append(block, count);
    if (count == sizeof block) continue;
    if (std::ferror(file.get()) != 0) error.assign(errno, std::generic_category());
    break;
  }
  return text;
}

LoadResult failed(const std::string& path, std::string message) {
  LoadResult result;
  result.problems.push_back({path, 0, 0, std::move(message)});
  return result;
}

// The set's id, for callers that look for a set whose file has problems.
std::string id_of(const YamlNode& root) {
  for (const auto& entry : root.entries) {
    if (entry.key == "id" && entry.value.is_scalar() && is_id(entry.value.text)) {
      return entry.value.text;
    }
  }
  return {};
}

}  // namespace

LoadResult load_file(const std::string& path, const LoadRules& rules) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    return failed(path, "is a folder; expected a target set, a YAML file");
  }
  error.clear();
  const auto text = read_whole(path, YamlLimits{}.bytes, error);
  if (error) return failed(path, "cannot be read: " + error.message());
  return load_text(text, path, rules);
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
