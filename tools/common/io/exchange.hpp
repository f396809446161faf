#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shmim::tools {

// What a tool and the program that looks at another host for it say to one another, by a socket
// that both have: texts, each with its length ahead.

/// False where nobody reads any more.
[[nodiscard]] bool send_text(int socket, std::string_view text) noexcept;
/// Blocks until one has come; nullopt at the end, or when a signal has come.
[[nodiscard]] std::optional<std::string> receive_text(int socket);

/// Several texts in one; none of them holds a zero.
[[nodiscard]] std::string joined(const std::vector<std::string>& texts);
[[nodiscard]] std::vector<std::string> parted(std::string_view text);

}  // namespace shmim::tools
