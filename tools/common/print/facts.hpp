#pragma once

#include <map>
#include <optional>
#include <string>

#include <shmim/shmim.hpp>

#include "common/print/json.hpp"

namespace shmim::tools {

/// What is known of a stream, and what was measured.
struct Facts {
  Description description;
  Holders holders;
  std::optional<Rate> rate;
  std::optional<Statistics> statistics;
  std::string slice;  ///< that they are of, as written; empty for the whole frame
};

/// What frames are like, as JSON tells it; of a slice of them, as written.
Record to_json(const Statistics& statistics, const std::string& slice);

/// Tells facts in words, line by line, and as JSON.
class FactsTeller {
 public:
  /// In words, processes that may have the stream open, for all that can be seen, are told of to
  /// whoever wants to know all.
  FactsTeller(ProcessTable& processes, const std::map<ino_t, std::string>& names, bool tells_all)
      : processes_(processes), names_(names), tells_all_(tells_all) {}
  [[nodiscard]] std::string to_text(const Facts& facts) const;
  [[nodiscard]] std::string to_json_line(const Facts& facts) const;

 private:
  [[nodiscard]] std::string holders_in_words(const Holders& holders) const;
  [[nodiscard]] std::string trace_lines(const Description& description) const;
  ProcessTable& processes_;
  const std::map<ino_t, std::string>& names_;
  bool tells_all_;
};

}  // namespace shmim::tools
