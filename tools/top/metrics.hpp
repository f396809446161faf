#pragma once

#include <string>
#include <vector>

#include "common/print/columns.hpp"

namespace shmim::tools {

/// One scrape, in the OpenMetrics text format.
std::string to_metrics(const std::vector<StreamRow>& rows);

}  // namespace shmim::tools
