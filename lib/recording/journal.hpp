#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "shmim/frame_info.hpp"
#include "shmim/keywords.hpp"
#include "shmim/recording.hpp"

// What is known of a recording under way, apart from its pixels: a CBOR sequence (RFC 8742) of one
// map, and an array for each frame of which all pixels have been handed to the system. One that was
// cut off by a crash is none.

namespace shmim::recording {

struct Beginning {
  RecordedStream stream;
  std::uint64_t header_bytes = 0;    ///< in the file of the pixels, before them
  std::int64_t seconds_of_utc = 37;  ///< TAI minus UTC
};

struct JournalFrame {
  FrameInfo info;
  std::uint64_t missed = 0;
  std::vector<Keyword> set;         ///< that are new, or not as they were
  std::vector<std::string> erased;  ///< names of those that are there no more
};

/// With the keywords that are new in `keywords`, and those that are gone, since they were `before`.
[[nodiscard]] JournalFrame journal_frame(const FrameInfo& info, std::uint64_t missed,
                                         const std::vector<Keyword>& before,
                                         const std::vector<Keyword>& keywords);

[[nodiscard]] std::string to_journal(const Beginning& beginning);
[[nodiscard]] std::string to_journal(const JournalFrame& frame);

class JournalReader {
 public:
  /// Throws Error: not_found, no_permission, failed (it is no journal).
  explicit JournalReader(const std::filesystem::path& file);
  [[nodiscard]] const Beginning& beginning() const noexcept { return beginning_; }
  /// nullopt at the end.
  [[nodiscard]] std::optional<JournalFrame> next();
  /// Bytes of the journal, up to what next() gave last.
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  std::ifstream in_;
  Beginning beginning_;
  std::uint64_t bytes_ = 0;
};

}  // namespace shmim::recording
