// The certificate authorities that the system trusts, if it keeps them in a store of its own and
// not in files.
#pragma once

#include <string>
#include <vector>

namespace callready::platform {

// DER, one string each. Empty if the system keeps them in files, which OpenSSL finds by itself.
std::vector<std::string> system_authorities();

}  // namespace callready::platform
