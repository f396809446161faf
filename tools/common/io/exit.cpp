#include "common/io/exit.hpp"

#include <array>

namespace shmim::tools {

namespace {

constexpr std::array meanings_of_statuses{
    ExitMeaning{"0", "done"},
    ExitMeaning{"1", "failed"},
    ExitMeaning{"2", "wrong usage: a wrong option, reference or modifier"},
    ExitMeaning{"3", "stream not found"},
    ExitMeaning{"4", "stream exists already"},
    ExitMeaning{"5", "the stream has another format"},
    ExitMeaning{"124", "timed out"},
    ExitMeaning{"128+n", "ended by signal n"},
};

}  // namespace

Exit exit_of(Problem problem) noexcept {
  switch (problem) {
    case Problem::usage:
      return Exit::usage;
    case Problem::not_found:
    case Problem::removed:
      return Exit::not_found;
    case Problem::exists:
      return Exit::exists;
    case Problem::mismatch:
      return Exit::mismatch;
    default:
      return Exit::failed;
  }
}

std::span<const ExitMeaning> exit_meanings() noexcept { return meanings_of_statuses; }

}  // namespace shmim::tools
