#include "common/io/recognize.hpp"

#include <algorithm>
#include <array>

#include <shmim/frames.hpp>
#include <sys/stat.h>
#include <unistd.h>

namespace shmim::tools {
namespace {

using namespace std::string_view_literals;

constexpr std::array known_formats{
    Known{"SIMPLE  ="sv, FrameFormat::fits, "FITS", ""},
    Known{"\x93NUMPY"sv, FrameFormat::npy, "npy", ""},
    Known{frames_beginning, FrameFormat::frames, "frames", ""},
    Known{"\x1f\x8b\x08"sv, FrameFormat::compressed, "gzip", "zcat", true},
    Known{"\x1f\x9d\x90"sv, FrameFormat::compressed, "compress", "zcat", true},
    Known{"BZh"sv, FrameFormat::compressed, "bzip2", "bzcat", true},
    Known{"\xfd\x37zXZ\0"sv, FrameFormat::compressed, "xz", "xzcat"},
    Known{"\x28\xb5\x2f\xfd"sv, FrameFormat::compressed, "zstd", "zstdcat"},
    Known{"\x04\x22\x4d\x18"sv, FrameFormat::compressed, "lz4", "lz4cat"},
    Known{"PK\x03\x04"sv, FrameFormat::compressed, "zip", "unzip -p", true},
};

constexpr std::string_view blanks = " \t\r\n";
constexpr std::string_view digits = "0123456789";
/// Of numbers with an exponent, complex ones, nan and inf; a comma, which is none of them, makes no
/// pixels of a list.
constexpr std::string_view others = "+-.,eEjnaif";

bool is_one_of(char letter, std::string_view letters) noexcept {
  return letters.find(letter) != letters.npos;
}

}  // namespace

const Known* known_beginning(Input& input) {
  for (std::size_t size = 1;; ++size) {
    input.peek(size);
    const std::string_view bytes = input.text_ahead();
    bool goes_on = false;
    for (const Known& known : known_formats) {
      if (bytes.starts_with(known.beginning)) {
        return &known;
      }
      goes_on =
          goes_on || (bytes.size() >= size && known.beginning.starts_with(bytes.substr(0, size)));
    }
    if (!goes_on) {
      return nullptr;
    }
  }
}

bool is_bracketed(const std::string& file) {
  return file.ends_with("]") && ::access(file.c_str(), F_OK) != 0;
}

bool is_regular_file(const std::string& file) {
  struct stat status {};
  return file != "-" && ::stat(file.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

bool looks_like_text(Input& input, std::size_t elements, std::size_t frame_bytes) {
  constexpr std::size_t most = 4096;
  const std::size_t enough = std::min(frame_bytes, most);
  std::size_t begin = 0;  // behind the blanks in front
  std::size_t numbers = 0;
  for (std::size_t at = 0; at < begin + enough && at < most && numbers < elements; ++at) {
    const std::size_t there = input.ahead().size();
    if (at == there && !input.read_ahead(std::max<std::size_t>(1, enough - std::min(enough, at)))) {
      break;
    }
    const std::string_view text = input.text_ahead();
    if (!is_one_of(text[at], blanks) && !is_one_of(text[at], digits) &&
        !is_one_of(text[at], others)) {
      return false;
    }
    if (is_one_of(text[at], blanks)) {
      begin += begin == at ? 1 : 0;
      numbers += at > 0 && !is_one_of(text[at - 1], blanks) ? 1 : 0;
    }
  }
  const std::string_view seen = input.text_ahead();
  return !seen.empty() &&
         (seen.find_first_not_of(blanks) == seen.npos || seen.find_first_of(digits) != seen.npos ||
          seen.find("nan") != seen.npos || seen.find("inf") != seen.npos);
}

}  // namespace shmim::tools
