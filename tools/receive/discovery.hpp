#pragma once

#include <string>
#include <vector>

namespace shmim::tools {

/// Where somebody on the local network says that streams are sent.
struct Announced {
  std::string endpoint;
  std::string host;
  bool is_encrypted = false;
  std::vector<std::string> streams;
};

/// All of them, by avahi; each once, in the order of their endpoints. Takes a second or so. Throws
/// Error, with what to try, where there is no avahi-browse.
std::vector<Announced> discover();

/// A table, or lines of JSON.
std::string to_text(const std::vector<Announced>& all, bool json);

}  // namespace shmim::tools
