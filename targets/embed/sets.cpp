// A tool for the build and for script/sign-sets:
//   sets embed OUTPUT.cpp ANCHORS.yaml SET.yaml...            the built-in sets as C++ source
//   sets index VERSION NEEDS ISSUED EXPIRES SET.yaml...       an index of them on standard output
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "targets/set_index.hpp"

namespace {

using Paths = std::vector<std::string>;

std::string read_whole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) {
    std::fprintf(stderr, "%s: cannot be read\n", path.c_str());
    std::exit(1);
  }
  return text.str();
}

// Exits if a file has no head, or an id that differs from the file's name.
callready::SetIndex index_of(const Paths& paths) {
  callready::SetIndex index;
  for (const auto& path : paths) {
    callready::Problems problems(path);
    auto set = callready::index_set(read_whole(path), problems);
    const auto found = problems.take();
    for (const auto& problem : found) std::fprintf(stderr, "%s\n", problem.to_string().c_str());
    if (!set) std::exit(1);
    if (set->head.id != std::filesystem::path(path).stem().string()) {
      std::fprintf(stderr, "%s: holds the set %s; expected %s.yaml\n", path.c_str(),
                   set->head.id.c_str(), set->head.id.c_str());
      std::exit(1);
    }
    index.sets.push_back(std::move(*set));
  }
  return index;
}

// As raw string literals, split at line ends: compilers limit the length of one literal.
std::string literal(const std::string& text) {
  constexpr std::string_view delimiter = "callready";
  constexpr std::size_t most = 16'000;
  if (text.find(')' + std::string(delimiter) + '"') != std::string::npos) std::exit(1);
  std::string all;
  std::size_t at = 0;
  do {
    const auto line_end = text.size() - at > most ? text.rfind('\n', at + most) : text.size() - 1;
    const auto size = line_end == std::string::npos || line_end < at ? most : line_end + 1 - at;
    all += "R\"" + std::string(delimiter) + '(' + text.substr(at, size) + ')' +
           std::string(delimiter) + "\"\n";
    at += size;
  } while (at < text.size());
  return all;
}

int embed(const std::string& output, const std::string& anchors, const Paths& paths) {
  auto index = index_of(paths);
  index.issued = index.expires = "2000-01-01";  // only meaningful for downloaded sets
  std::string rows;
  for (const auto& set : index.sets) {
    const auto at = static_cast<std::size_t>(&set - index.sets.data());
    rows += "    {\"" + set.head.id + "\", " + literal(read_whole(paths[at])) + "},\n";
  }
  std::ofstream(output, std::ios::binary)
      << "// Generated from targets/vendors by targets/embed/sets.cpp.\n"
         "#include <array>\n\n#include \"targets/builtin.hpp\"\n\nnamespace callready {\n\n"
         "std::string_view builtin_index() {\n  return "
      << literal(callready::write_index(index))
      << ";\n}\n\nstd::span<const BuiltinSet> builtin_sets() {\n  static const "
         "std::array<BuiltinSet, "
      << paths.size() << "> sets{{\n"
      << rows << "  }};\n  return sets;\n}\n\nstd::string_view builtin_anchors() {\n  return "
      << literal(read_whole(anchors)) << ";\n}\n\n}  // namespace callready\n";
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  const Paths words(arguments + 1, arguments + count);
  const auto sets_after = [&](std::size_t first) {
    Paths paths(words.begin() + static_cast<std::ptrdiff_t>(first), words.end());
    // By id: sorted with the ".yaml", "a-b" would come before "a".
    std::ranges::sort(paths, {}, [](const std::filesystem::path& path) { return path.stem(); });
    return paths;
  };
  if (words.size() > 3 && words[0] == "embed") return embed(words[1], words[2], sets_after(3));
  if (words.size() > 5 && words[0] == "index") {
    auto index = index_of(sets_after(5));
    index.version = std::atoi(words[1].c_str());
    index.needs = words[2];
    index.issued = words[3];
    index.expires = words[4];
    const auto text = callready::write_index(index);
    const auto read = callready::read_index(text);
    if (!read.index) {
      std::fprintf(stderr, "the index would be refused: %s\n", read.problem.c_str());
      return 1;
    }
    std::fwrite(text.data(), 1, text.size(), stdout);
    return 0;
  }
  std::fputs(
      "usage: sets embed OUTPUT.cpp ANCHORS.yaml SET.yaml...\n"
      "       sets index VERSION NEEDS ISSUED EXPIRES SET.yaml...\n",
      stderr);
  return 2;
}
