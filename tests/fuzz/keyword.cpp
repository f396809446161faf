// Keyword assignments: what is taken fits a stream, and comes back from one the same.

#include <cstdlib>
#include <string_view>

#include <shmim/shmim.hpp>

using namespace shmim;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Stream stream = [] {
    Format format;
    format.shape = Shape{1};
    return Stream::local("fuzz", format);
  }();
  try {
    const Keyword keyword = parse_keyword({reinterpret_cast<const char*>(data), size});
    stream.keywords().set(keyword);
    const auto found = stream.keywords().find(keyword.name);
    const bool is_nan = std::holds_alternative<double>(keyword.value) &&
                        std::get<double>(keyword.value) != std::get<double>(keyword.value);
    if (!found || (!is_nan && *found != keyword)) {
      std::abort();
    }
    stream.keywords().erase(keyword.name);
  } catch (const Error& error) {
    if (error.problem() != Problem::usage) {
      std::abort();
    }
  }
  return 0;
}
