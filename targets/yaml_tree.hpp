// A YAML tree as bytes, so that the built-in sets need not be parsed at every start: the largest
// costs yaml-cpp as much time as everything else before the first packet.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "targets/yaml_document.hpp"

namespace callready {

std::string write_tree(const YamlNode& root);

// What write_tree() made; nothing for any other bytes.
std::optional<YamlNode> read_tree(std::string_view bytes);

}  // namespace callready
