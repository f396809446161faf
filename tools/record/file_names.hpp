#pragma once

#include <mutex>
#include <set>
#include <string>

namespace shmim::tools {

/// The names of the files of one run, from a template with {name}, {n} and what date(1) has of a
/// date, in UTC. Thread-safe.
class FileNames {
 public:
  /// Throws UsageError for a template that means nothing. With `avoids_files` the name of a file
  /// that is there already counts as one that this run has had.
  FileNames(std::string pattern, bool avoids_files);

  /// The name of the n-th file, from 1, of a stream. Where this run has had it already, -2 follows
  /// what comes before the ending, or -3.
  [[nodiscard]] std::string next(const std::string& stream, unsigned n);
  /// What next() would give now.
  [[nodiscard]] std::string peek(const std::string& stream, unsigned n) const;
  /// True if streams of other names have files of other names.
  [[nodiscard]] bool tells_streams_apart() const;

 private:
  [[nodiscard]] std::string expand(const std::string& stream, unsigned n) const;
  [[nodiscard]] std::string unused(const std::string& stream, unsigned n) const;
  [[nodiscard]] bool is_had(const std::string& name) const;
  std::string pattern_;
  bool avoids_files_;
  mutable std::mutex mutex_;
  std::set<std::string> had_;
};

}  // namespace shmim::tools
