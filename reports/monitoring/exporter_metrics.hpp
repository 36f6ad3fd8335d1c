// What is said of one run to who watches many sites: few series, no addresses, and since when.
#pragma once

#include <vector>

#include "probe/model/report.hpp"
#include "reports/monitoring/metric_text.hpp"

namespace callready {

// Those without a series are left out.
std::vector<Metric> exporter_metrics(const Report& report);

}  // namespace callready
