#pragma once

#include <map>
#include <optional>
#include <string>

#include <shmim/shmim.hpp>

#include "record.hpp"

namespace shmim::tools {

/// What is known of a stream, and what was measured.
struct Facts {
  Description description;
  Holders holders;
  std::optional<Rate> rate;
  std::optional<Statistics> statistics;
};

/// Names of the streams in a directory by the inode that traces know them by.
std::map<ino_t, std::string> names_by_inode(const std::filesystem::path& directory);

/// Tells facts in words, line by line, and as JSON.
class FactsTeller {
 public:
  FactsTeller(ProcessTable& processes, const std::map<ino_t, std::string>& names)
      : processes_(processes), names_(names) {}
  [[nodiscard]] std::string to_text(const Facts& facts) const;
  [[nodiscard]] Record to_record(const Facts& facts) const;

 private:
  [[nodiscard]] Record name_of(ino_t inode) const;
  [[nodiscard]] std::string holders_in_words(const Holders& holders) const;
  [[nodiscard]] std::string trace_lines(const Description& description) const;
  ProcessTable& processes_;
  const std::map<ino_t, std::string>& names_;
};

}  // namespace shmim::tools
