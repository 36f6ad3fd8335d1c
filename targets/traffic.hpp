// A row as documents print it, of several protocols and ports ("TCP 80, 443; UDP 443"), taken
// apart: every protocol is tried in its own way, and a firewall has a line for each.
#pragma once

#include <string>
#include <vector>

#include "targets/problem.hpp"
#include "targets/yaml_document.hpp"

namespace callready {

// One row for each entry of `traffic`, with the keys of the entry over those that all share: the
// row "web" becomes "web-tls" and "web-udp", or "web-tcp-80" and "web-tcp-443". The row itself
// where it has no `traffic`.
std::vector<YamlNode> rows_of(const YamlNode& row, Problems& problems);

// What `needs` may call all of the parts together: the id in the file.
std::string id_of_whole(const YamlNode& row);

}  // namespace callready
