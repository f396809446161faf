#pragma once

#include <optional>
#include <string>
#include <vector>

#include <shmim/shmim.hpp>
#include <sys/types.h>

#include "common/app/tool.hpp"

namespace shmim::tools {

/// The type that a reference and --type ask for, which may be empty. Throws UsageError where they
/// disagree, or there is no such type.
[[nodiscard]] std::optional<DataType> required_type(const Reference& reference,
                                                    const std::string& type);

/// The options that say what a stream is to be, shared by shmim-create and shmim-connect.
class StreamOptions {
 public:
  void declare(Options& options);

  /// What the options, the SIZE words and the reference's type prefix ask for, and no more. Throws
  /// UsageError.
  [[nodiscard]] Requirement requirement(const Reference& reference) const;
  /// The format to make: what is demanded, else `base`'s.
  [[nodiscard]] static Format format(const Requirement& requirement, Format base);
  [[nodiscard]] std::optional<mode_t> mode() const;

 private:
  std::vector<std::string> size_;
  std::string type_;
  std::optional<std::uint16_t> keywords_;
  std::optional<std::uint32_t> circular_buffer_;
  std::optional<std::uint16_t> semaphores_;
  bool circular_ = false;
  std::string image_type_;
  std::string mode_;
};

}  // namespace shmim::tools
