#include "probe/exporter/process.hpp"

#include <ctime>
#include <fstream>

#include "probe/platform/descriptor.hpp"
#include "reports/monitoring/metric_text.hpp"

namespace callready::exporter {
namespace {

// "VmRSS:	   12345 kB" (proc(5)).
double resident_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word != "VmRSS:") continue;
    double kilobytes = 0;
    status >> kilobytes;
    return kilobytes * 1024;
  }
  return 0;
}

}  // namespace

std::string process_metrics() {
  Metric memory("process_resident_memory_bytes", "Resident memory size in bytes.");
  if (const double bytes = resident_bytes(); bytes > 0) memory.add({}, bytes);
  Metric time("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.",
              "counter");
  time.add({}, static_cast<double>(std::clock()) / CLOCKS_PER_SEC);
  const auto descriptors = platform::descriptors();
  Metric open("process_open_fds", "Number of open file descriptors.");
  open.add({}, descriptors.open);
  Metric most("process_max_fds", "Maximum number of open file descriptors.");
  most.add({}, descriptors.allowed);
  return memory.text() + time.text() + open.text() + most.text();
}

}  // namespace callready::exporter
