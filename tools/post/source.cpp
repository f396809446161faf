#include "post/source.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <shmim/fits.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "common/app/hints.hpp"

namespace shmim::tools {
namespace {

[[noreturn]] void refuse_compressed(const std::string& file, const std::string& name,
                                    const Known& known, const std::string& why,
                                    const std::string& stream) {
  throw HintedError(
      Error(Problem::failed, name, fmt::format("is compressed by {}{}", known.name, why)),
      fmt::format("{} {} | shmim-post {} --data -", known.unpack,
                  file == "-" ? "FILE" : shell_word(file), shell_word(stream)));
}

std::unique_ptr<FrameSource> open_compressed(const std::string& file, const std::string& name,
                                             const Known& known, const FrameKind& kind,
                                             const std::string& stream) {
  if (!known.is_read_by_cfitsio || !is_regular_file(file)) {
    refuse_compressed(file, name, known, "", stream);
  }
  try {
    return fits_file_frames(file, kind);
  } catch (const Error& error) {
    if (error.problem() == Problem::mismatch) {
      throw;
    }
    refuse_compressed(file, name, known, fmt::format(": {}", error.why()), stream);
  }
}

constexpr std::size_t looks_at = 4096;

/// True where a byte is none of printable text.
bool is_binary(std::span<const std::byte> bytes) {
  return std::ranges::any_of(bytes, [](std::byte byte) {
    const bool is_blank = std::byte{'\t'} <= byte && byte <= std::byte{'\r'};
    return (byte < std::byte{' '} && !is_blank) || byte >= std::byte{0x7f};
  });
}

FrameFormat recognize(Input& input, const Known* known, const FrameKind& kind) {
  if (known != nullptr) {
    return known->format;
  }
  return looks_like_text(input, kind.shape.elements(), kind.bytes()) ? FrameFormat::text
                                                                     : FrameFormat::raw;
}

}  // namespace

FrameFile::FrameFile(std::string file, std::optional<FrameFormat> format)
    : file_(std::move(file)), format_(format) {
  if (is_bracketed(file_) && (!format_ || *format_ == FrameFormat::fits)) {
    format_ = FrameFormat::fits;
    return;
  }
  input_ = std::make_unique<Input>(file_);
}

const Known* FrameFile::known() {
  const bool is_told = format_ == FrameFormat::raw || format_ == FrameFormat::text;
  return is_told ? nullptr : known_beginning(*input_);
}

Format FrameFile::format_of_first() {
  const Known* known = input_ ? this->known() : nullptr;
  const std::optional<FrameFormat> found =
      format_ || known == nullptr ? format_ : std::optional(known->format);
  if (found == FrameFormat::frames) {
    return format_of_recorded(*input_);
  }
  if (found == FrameFormat::npy) {
    return format_of_npy(*input_);
  }
  if (found == FrameFormat::fits && (!input_ || is_regular_file(file_))) {
    return open_fits(file_)->format();
  }
  throw Error(Problem::failed, input_->name(),
              input_->peek(1).empty() ? "ended without a frame"
                                      : "does not say its type and size: --create needs frames, "
                                        "npy, or FITS in a file");
}

std::unique_ptr<FrameSource> FrameFile::frames(const FrameKind& kind, const std::string& stream) {
  if (!input_) {
    return fits_file_frames(file_, kind);
  }
  const Known* known = this->known();
  if (known != nullptr && known->format == FrameFormat::compressed) {
    return open_compressed(file_, input_->name(), *known, kind, stream);
  }
  const FrameFormat found = format_ ? *format_ : recognize(*input_, known, kind);
  if (found == FrameFormat::text && !format_ && input_->ahead().size() >= looks_at &&
      input_->text_ahead().find_first_not_of(" \t\r\n") == std::string_view::npos) {
    throw Error(Problem::failed, input_->name(),
                "begins with thousands of blanks; if they are pixels, say --format raw");
  }
  switch (found) {
    case FrameFormat::text:
      return text_frames(std::move(input_), kind);
    case FrameFormat::npy:
      return npy_frames(std::move(input_), kind);
    case FrameFormat::frames:
      return recorded_frames(std::move(input_), kind);
    case FrameFormat::fits:
      return is_regular_file(file_) ? fits_file_frames(file_, kind)
                                    : fits_frames(std::move(input_), kind);
    default:
      return raw_frames(std::move(input_), kind);
  }
}

bool stdin_holds_frames(const FrameKind& kind) {
  struct stat status {};
  if (::fstat(STDIN_FILENO, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size == 0 ||
      ::lseek(STDIN_FILENO, 0, SEEK_CUR) != 0) {
    return false;
  }
  bool holds_frames = false;
  try {
    auto input = std::make_unique<Input>("-");
    const Known* known = known_beginning(*input);
    const FrameFormat format = recognize(*input, known, kind);
    if (format == FrameFormat::raw) {
      holds_frames = is_binary(input->peek(looks_at)) && *input->size() % kind.bytes() == 0;
    } else if (format == FrameFormat::text) {
      std::vector<std::byte> frame(kind.bytes());
      holds_frames = text_frames(std::move(input), kind)->next(frame);
    } else {
      holds_frames = true;
    }
  } catch (const Error&) {
    // It is something else.
  }
  ::lseek(STDIN_FILENO, 0, SEEK_SET);
  return holds_frames;
}

}  // namespace shmim::tools
