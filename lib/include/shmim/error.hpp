#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>

#include "shmim/export.hpp"

namespace shmim {

/// What went wrong, finely enough for a program to decide and for a tool to suggest what to try.
enum class Problem {
  failed,             ///< none of the below; the message says what
  usage,              ///< a reference, format or value that cannot be meant
  not_found,          ///< no such stream
  exists,             ///< there is one already, and there must not be
  mismatch,           ///< the stream's format is not the one asked for
  too_short,          ///< the file is shorter than a header
  no_version,         ///< no version string: being made by another library, or not a stream at all
  other_version,      ///< a version of the layout that is not ours
  dao_layout,         ///< a stream of the C library's DAO build, or a file of the DAO toolkit
  wrong_size,         ///< the file's size is not the one its header asks for
  bad_header,         ///< numbers in the header that cannot be a stream's
  dangling_link,      ///< a symbolic link to nothing
  no_permission,      ///< the system refused
  no_space,           ///< the file system is full
  no_descriptor,      ///< more files are open than the process, or the system, may have
  no_directory,       ///< the shm or conf directory is not there
  not_ours_to_write,  ///< opened for reading only
  on_gpu,             ///< the pixels are in the memory of a GPU
  claimed,            ///< somebody else has claimed what was asked for
  unfinished,         ///< the array holds a frame whose writer died or gave up
  busy,          ///< writers left no whole frame to read, or no turn to write, in the time given
  removed,       ///< the stream was removed meanwhile
  not_an_image,  ///< a FITS file without an image that a stream can hold
};

/// True of what a file may be called while another program makes it: programs of the C library give
/// it its name first.
[[nodiscard]] SHMIM_EXPORT bool may_be_half_made(Problem problem) noexcept;

/// The one exception of the library. what() reads `stream: what: why`.
class SHMIM_EXPORT Error : public std::runtime_error {
 public:
  /// `subject` names the stream or file, and may be empty.
  Error(Problem problem, const std::string& subject, const std::string& message);

  /// `message` followed by the text of `error_number`; permission, space and absence are told by
  /// it.
  static Error system(const std::string& subject, const std::string& message, int error_number);

  /// what() without the subject.
  [[nodiscard]] std::string why() const;
  [[nodiscard]] Problem problem() const noexcept { return problem_; }
  [[nodiscard]] const std::string& subject() const noexcept { return subject_; }
  /// errno of the call that failed, or 0.
  [[nodiscard]] int error_number() const noexcept { return error_number_; }

 private:
  struct Composed {
    std::string prefix;
    const std::string& message;
  };
  Error(Problem problem, std::string subject, const Composed& composed);
  Problem problem_;
  std::string subject_;
  std::size_t why_begin_;  ///< where in what() the message begins
  int error_number_ = 0;
};

}  // namespace shmim
