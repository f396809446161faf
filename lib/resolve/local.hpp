#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "shmim/stream.hpp"

namespace shmim {

/// The local streams of this process, by name.
class LocalMemory {
 public:
  static LocalMemory& instance();
  [[nodiscard]] std::optional<Stream> find(const std::string& name);
  /// False where the name is taken.
  [[nodiscard]] bool insert(const Stream& stream);
  /// False where there was none.
  bool replace(const Stream& stream);

 private:
  std::mutex mutex_;
  std::map<std::string, Stream> streams_;
};

}  // namespace shmim
