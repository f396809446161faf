#pragma once

#include <memory>
#include <string>
#include <vector>

#include <shmim/shmim.hpp>

#include "common/app/context.hpp"
#include "run/dialogue.hpp"
#include "run/filter.hpp"

namespace shmim::tools {

/// Streams whose newest frames a filter may look at: each a file, which is renewed between two of
/// its answers and never while it works on one.
class Companions {
 public:
  /// `lists` are references with commas between them. Throws Error.
  Companions(const Context& context, const std::vector<std::string>& lists, Language language);

  /// Writes those that have a new frame, also of a stream that was re-created with the same type
  /// and size. Throws Error: unfinished, busy, not_found (it was removed), mismatch.
  void renew();
  /// `SHMIM_WITH_NAME`, of each the file's name.
  void add_to(Variables& variables) const;

 private:
  struct Companion {
    Reference reference;
    Stream stream;
    Selection selection;
    bool is_of_plane;
    FileDescriptor file;
    std::uint64_t cnt0 = UINT64_MAX;  ///< of what is in the file
  };
  void open_anew(Companion& companion) const;
  void write(Companion& companion) const;
  const Context& context_;
  std::vector<Companion> companions_;
  Language language_;
};

}  // namespace shmim::tools
