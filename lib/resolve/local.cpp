#include "resolve/local.hpp"

namespace shmim {

LocalMemory& LocalMemory::instance() {
  static LocalMemory memory;
  return memory;
}

std::optional<Stream> LocalMemory::find(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto entry = streams_.find(name);
  return entry == streams_.end() ? std::nullopt : std::optional(entry->second.duplicate());
}

bool LocalMemory::insert(const Stream& stream) {
  const std::lock_guard lock(mutex_);
  return streams_.try_emplace(stream.name(), stream.duplicate()).second;
}

bool LocalMemory::replace(const Stream& stream) {
  const std::lock_guard lock(mutex_);
  const bool was_there = streams_.erase(stream.name()) > 0;
  streams_.try_emplace(stream.name(), stream.duplicate());
  return was_there;
}

}  // namespace shmim
