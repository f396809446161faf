#include "shmim/error.hpp"

#include <cerrno>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "shmim/text.hpp"

namespace shmim {
namespace {

std::string prefix_of(const std::string& subject) {
  return subject.empty() ? std::string() : printable(subject) + ": ";
}

Problem problem_of(int error_number) noexcept {
  switch (error_number) {
    case ENOENT:
      return Problem::not_found;
    case EEXIST:
      return Problem::exists;
    case EACCES:
    case EPERM:
    case EROFS:
      return Problem::no_permission;
    case ENOSPC:
    case EDQUOT:
      return Problem::no_space;
    case EMFILE:
    case ENFILE:
      return Problem::no_descriptor;
    case ENOTDIR:
      return Problem::no_directory;
    default:
      return Problem::failed;
  }
}

}  // namespace

Error::Error(Problem problem, const std::string& subject, const std::string& message)
    : Error(problem, subject, Composed{prefix_of(subject), message}) {}

Error::Error(Problem problem, std::string subject, const Composed& composed)
    : std::runtime_error(composed.prefix + composed.message),
      problem_(problem),
      subject_(std::move(subject)),
      why_begin_(composed.prefix.size()) {}

Error Error::system(const std::string& subject, const std::string& message, int error_number) {
  Error error(problem_of(error_number), subject,
              fmt::format("{}: {}", message, std::generic_category().message(error_number)));
  error.error_number_ = error_number;
  return error;
}

std::string Error::why() const { return {what() + why_begin_}; }

bool may_be_half_made(Problem problem) noexcept {
  return problem == Problem::too_short || problem == Problem::no_version ||
         problem == Problem::wrong_size;
}

}  // namespace shmim
