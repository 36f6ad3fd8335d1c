// The metrics of one run for people who watch many sites: few series, no addresses, and since when.
#pragma once

#include <vector>

#include "probe/model/report.hpp"
#include "reports/monitoring/metric_text.hpp"

namespace callready {

// Metrics without a series are left out.
std::vector<Metric> exporter_metrics(const Report& report);

}  // namespace callready
