#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <shmim/counter_check.hpp>

#include "common/app/context.hpp"

namespace shmim::tools {

/// Frames of a counter as they are checked: each fault is a line on stderr.
class Verification {
 public:
  /// `name` is what messages call where the frames are from.
  Verification(const Context& context, std::string name, DataType type, const Shape& shape,
               const CounterCheckOptions& options)
      : context_(context), name_(std::move(name)), check_(type, shape, options) {}

  void take(std::span<const std::byte> frame, const CounterCheckFrame& known);
  /// Says how many were checked and what they were, unless --quiet; false where there was a fault.
  [[nodiscard]] bool conclude() const;

 private:
  const Context& context_;
  std::string name_;
  CounterCheck check_;
};

/// Checks the frames of a file, or of standard input for `-`, as shmim-cat -o frames writes them:
/// all, or as many as `count` says. False where there was a fault. Throws Error: failed (it cannot
/// be read; it is not of frames; it ends before there are so many, or without one), mismatch (they
/// are of several types or shapes), Interrupted.
[[nodiscard]] bool verify_recorded(const Context& context, const std::string& file,
                                   std::optional<std::uint64_t> count,
                                   const CounterCheckOptions& options);

}  // namespace shmim::tools
