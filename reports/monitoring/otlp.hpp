// A report in OpenTelemetry's protocol, as JSON (OTLP 1.0, opentelemetry-proto): as logs, the whole
// report and a record for each finding; as metrics, what `callready exporter` would export.
#pragma once

#include <string>

#include "probe/model/report.hpp"

namespace callready {

std::string otlp_logs(const Report& report);     // for /v1/logs
std::string otlp_metrics(const Report& report);  // for /v1/metrics

}  // namespace callready
