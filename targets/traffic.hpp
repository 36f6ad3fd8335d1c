// Splits a row as documents print it, with several protocols and ports ("TCP 80, 443; UDP 443"):
// every protocol is tried in its own way, and a firewall needs a rule for each.
#pragma once

#include <string>
#include <vector>

#include "targets/problem.hpp"
#include "targets/yaml_document.hpp"

namespace callready {

// One row for each entry of `traffic`, whose keys override those of the row: "web" becomes
// "web-tls" and "web-udp", or "web-tcp-80" and "web-tcp-443". The row itself if it has no
// `traffic`.
std::vector<YamlNode> rows_of(const YamlNode& row, Problems& problems);

// The name by which `needs` may refer to all of the parts together: the id in the file.
std::string id_of_whole(const YamlNode& row);

}  // namespace callready
