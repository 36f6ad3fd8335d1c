// Holds JSON against a schema of reports/schema/.
#pragma once

#include <string>

namespace callready {

// Empty where `json` is valid; else what is wrong, one line for each error.
std::string schema_errors(const std::string& json, const std::string& schema_file);

}  // namespace callready
