// What every exporter says of its own process, by the names that Prometheus' clients use.
#pragma once

#include <string>

namespace callready::exporter {

// Of this process: memory, processor time, open files. Empty where the system does not say.
std::string process_metrics();

}  // namespace callready::exporter
