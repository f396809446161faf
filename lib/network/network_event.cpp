#include "shmim/network.hpp"

namespace shmim {

std::string_view to_string(NetworkEvent::Kind kind) noexcept {
  switch (kind) {
    case NetworkEvent::Kind::listening:
      return "listening";
    case NetworkEvent::Kind::connected:
      return "connected";
    case NetworkEvent::Kind::down:
      return "down";
    case NetworkEvent::Kind::refused:
      return "refused";
    case NetworkEvent::Kind::follows:
      return "follows";
    case NetworkEvent::Kind::leaves:
      return "leaves";
    case NetworkEvent::Kind::created:
      return "created";
    case NetworkEvent::Kind::recreated:
      return "recreated";
    case NetworkEvent::Kind::removed:
      return "removed";
    case NetworkEvent::Kind::compression:
      return "compression";
    case NetworkEvent::Kind::lost:
      return "lost";
    case NetworkEvent::Kind::bad_message:
      return "bad message";
  }
  return "";
}

}  // namespace shmim
