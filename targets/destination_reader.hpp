// Reads where a requirement's traffic goes: hosts, wildcards, addresses and ports.
#pragma once

#include "probe/model/target_set.hpp"
#include "targets/declared.hpp"

namespace callready {

// hosts, reverse_dns, wildcards, addresses, service_tags.
void read_destinations(MapReader& row, const Declared& declared, Requirement& requirement);

// "443", "10000-20000" or text with `${variable}`.
void read_ports(MapReader& row, const Declared& declared, Requirement& requirement);
void read_source_ports(MapReader& row, Requirement& requirement);

}  // namespace callready
