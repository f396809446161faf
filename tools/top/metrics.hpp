#pragma once

#include <string>
#include <vector>

#include "common/print/columns.hpp"

namespace shmim::tools {

/// The text format that OpenMetrics has, and the older one of Prometheus.
enum class MetricsFormat { openmetrics, prometheus };

/// One scrape.
std::string to_metrics(const std::vector<StreamRow>& rows, MetricsFormat format);

}  // namespace shmim::tools
