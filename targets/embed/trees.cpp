// A tool of the build: trees OUTPUT.cpp ANCHORS.yaml SET.yaml... parses the built-in sets and
// writes their trees into C++ source (builtin_tree() in targets/builtin.hpp).
#include <cstdio>
#include <fstream>
#include <sstream>
#include <vector>

#include "targets/yaml_tree.hpp"

namespace {

std::string read_whole(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

// As a string literal, 96 bytes a line.
std::string literal(const std::string& bytes) {
  std::string text = "\"";
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i % 96 == 95) text += "\"\n    \"";
    const auto byte = static_cast<unsigned char>(bytes[i]);
    const bool plain = byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\' && byte != '?';
    if (plain) {
      text += bytes[i];
      continue;
    }
    char escaped[8];
    std::snprintf(escaped, sizeof escaped, "\\%03o", byte);
    text += escaped;
  }
  return text + "\"";
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) {
    std::fputs("usage: trees OUTPUT.cpp ANCHORS.yaml SET.yaml...\n", stderr);
    return 2;
  }
  std::vector<std::string> paths(arguments + 3, arguments + count);
  paths.emplace_back(arguments[2]);
  std::string rows;
  for (const auto& path : paths) {
    callready::Problems problems(path);
    const auto root = callready::parse_yaml(read_whole(path), problems);
    for (const auto& problem : problems.take()) {
      std::fprintf(stderr, "%s\n", problem.to_string().c_str());
    }
    if (!root) return 1;
    const auto tree = callready::write_tree(*root);
    rows += "  {" + literal(tree) + ", " + std::to_string(tree.size()) + "},\n";
  }
  std::ofstream(arguments[1], std::ios::binary)
      << "// Generated from targets/vendors by targets/embed/trees.cpp.\n"
         "#include \"targets/builtin.hpp\"\n\n"
         "namespace callready {\n\n"
         "std::string_view builtin_tree(std::string_view yaml_text) {\n"
         "  static constexpr std::string_view trees[] = {\n" +
             rows +
             "  };\n"
             "  std::size_t i = 0;\n"
             "  for (const auto& set : builtin_sets()) {\n"
             "    if (set.yaml_text.data() == yaml_text.data()) return trees[i];\n"
             "    ++i;\n"
             "  }\n"
             "  return builtin_anchors().data() == yaml_text.data() ? trees[i] "
             ": std::string_view();\n"
             "}\n\n"
             "}  // namespace callready\n";
  return 0;
}
