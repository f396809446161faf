#include "common/io/exit.hpp"

#include <array>

namespace shmim::tools {

namespace {

constexpr std::array meanings{
    ExitMeaning{"0", "done"},
    ExitMeaning{"1", "failed"},
    ExitMeaning{"2", "wrong usage: an option, a reference, a modifier the tool has no meaning for"},
    ExitMeaning{"3", "stream not found"},
    ExitMeaning{"4", "stream exists already"},
    ExitMeaning{"5", "the stream's format is another"},
    ExitMeaning{"124", "timed out"},
    ExitMeaning{"128+n", "ended by signal n"},
};

}  // namespace

std::span<const ExitMeaning> exit_meanings() noexcept { return meanings; }

}  // namespace shmim::tools
