// What every exporter says about its own process, under the names that Prometheus' clients use.
#pragma once

#include <string>

namespace callready::exporter {

// Of this process: memory, processor time, open files. Empty where the system does not say.
std::string process_metrics();

}  // namespace callready::exporter
