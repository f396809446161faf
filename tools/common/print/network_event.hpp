#pragma once

#include <string>

#include <shmim/network.hpp>

namespace shmim::tools {

/// One JSON object on one line.
std::string to_json_line(const NetworkEvent& event);

}  // namespace shmim::tools
