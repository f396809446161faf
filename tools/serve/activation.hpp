#pragma once

#include <string>
#include <vector>

#include <shmim/file.hpp>

namespace shmim::tools {

/// A socket that another program has made, and listens already.
struct ListeningSocket {
  FileDescriptor descriptor;
  std::string endpoint;  ///< as ZeroMQ writes it
};

/// Those that systemd, or who does as it does, hands over to this process (LISTEN_FDS, LISTEN_PID);
/// none where nobody has. Throws Error (failed) for what is no socket that can be served at.
std::vector<ListeningSocket> sockets_of_activation();

/// True once nobody can write to standard input any more. Reads what has come, and drops it.
bool has_input_ended() noexcept;

}  // namespace shmim::tools
