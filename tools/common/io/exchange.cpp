#include "common/io/exchange.hpp"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <span>

#include <sys/socket.h>
#include <unistd.h>

#include "common/io/interrupt.hpp"

namespace shmim::tools {
namespace {

bool send_bytes(int socket, std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno != EINTR || interrupted()) {
      return false;
    }
  }
  return true;
}

bool receive_bytes(int socket, std::span<char> bytes) noexcept {
  while (!bytes.empty()) {
    const ssize_t received = ::recv(socket, bytes.data(), bytes.size(), 0);
    if (received > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(received));
    } else if (received == 0 || errno != EINTR || interrupted()) {
      return false;
    }
  }
  return true;
}

}  // namespace

bool send_text(int socket, std::string_view text) noexcept {
  const std::uint64_t bytes = text.size();
  std::array<char, sizeof bytes> head{};
  std::memcpy(head.data(), &bytes, sizeof bytes);
  return send_bytes(socket, {head.data(), head.size()}) && send_bytes(socket, text);
}

std::optional<std::string> receive_text(int socket) {
  std::uint64_t bytes = 0;
  std::array<char, sizeof bytes> head{};
  if (!receive_bytes(socket, head)) {
    return std::nullopt;
  }
  std::memcpy(&bytes, head.data(), sizeof bytes);
  std::string text(bytes, '\0');
  return receive_bytes(socket, text) ? std::optional(std::move(text)) : std::nullopt;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) {
    all += text;
    all += '\0';
  }
  return all;
}

std::vector<std::string> parted(std::string_view text) {
  std::vector<std::string> texts;
  while (!text.empty()) {
    const std::size_t end = text.find('\0');
    texts.emplace_back(text.substr(0, end));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
  return texts;
}

}  // namespace shmim::tools
