#include "diff/side.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <shmim/fits.hpp>

#include "common/app/file_reference.hpp"
#include "common/app/left_recording.hpp"
#include "common/io/exit.hpp"
#include "common/io/recognize.hpp"

namespace shmim::tools {
namespace {

/// A name, and what stands in brackets behind it.
struct Bracketed {
  std::string name;
  std::string brackets;
};

Bracketed without_brackets(const std::string& text) {
  const std::size_t slash = text.rfind('/');
  const std::size_t bracket = text.find('[', slash == text.npos ? 0 : slash);
  return {text.substr(0, bracket), bracket == text.npos ? "" : text.substr(bracket)};
}

/// What `job` gives; an error in it that says not of what is about `name`.
template <class Job>
auto about(const std::string& name, const Job& job) {
  try {
    return job();
  } catch (const Error& error) {
    if (!error.subject().empty()) {
      throw;
    }
    throw Error(error.problem(), name, error.why());
  }
}

class SliceOf final : public Side {
 public:
  SliceOf(std::unique_ptr<Side> whole, std::string name, Slice slice)
      : whole_(std::move(whole)), name_(std::move(name)), slice_(std::move(slice)) {}

  bool next(SideFrame& frame) override {
    if (!whole_->next(frame_)) {
      return false;
    }
    const Selection selection =
        about(name_, [this] { return Selection(slice_, frame_.shape, frame_.type); });
    frame.type = selection.type();
    frame.shape = selection.shape();
    frame.pixels.resize(selection.bytes());
    selection.take(frame_.pixels, frame.pixels);
    frame.keywords = frame_.keywords;
    if (frame.keywords) {
      frame.keywords = move_world(*std::move(frame.keywords), selection);
    }
    frame.cnt0 = frame_.cnt0;
    return true;
  }
  [[nodiscard]] std::vector<std::string> unfit_keywords() const override {
    return whole_->unfit_keywords();
  }
  [[nodiscard]] bool is_fits() const noexcept override { return whole_->is_fits(); }

 private:
  std::unique_ptr<Side> whole_;
  std::string name_;  ///< for messages
  Slice slice_;
  SideFrame frame_;
};

/// Of a file that is no FITS the brackets are a slice.
std::unique_ptr<Side> sliced(std::unique_ptr<Side> whole, const Bracketed& text) {
  if (text.brackets.empty()) {
    return whole;
  }
  Slice slice = about(text.name, [&text] {
    return parse_slice(std::string_view(text.brackets).substr(1, text.brackets.size() - 2));
  });
  return std::make_unique<SliceOf>(std::move(whole), text.name, std::move(slice));
}

std::unique_ptr<Side> open_file(const Context& context, const std::string& text, Reading reading) {
  const Bracketed bracketed = is_bracketed(text) ? without_brackets(text) : Bracketed{text, ""};
  const std::string& name = bracketed.name;
  repair_if_left(context, name);
  auto input = std::make_unique<Input>(name);
  const Known* known = known_beginning(*input);
  const FrameFormat format = known == nullptr ? FrameFormat::raw : known->format;
  if (format == FrameFormat::npy) {
    return sliced(npy_side(std::move(input), reading), bracketed);
  }
  if (format == FrameFormat::frames) {
    return sliced(frames_side(std::move(input)), bracketed);
  }
  if (format == FrameFormat::fits && is_regular_file(name) && is_recording(name)) {
    return name == text ? recording_side(name) : recorded_section(name, bracketed.brackets);
  }
  if (format == FrameFormat::fits) {
    return is_regular_file(name) ? fits_side(text, reading) : fits_side(*input, reading);
  }
  if (format == FrameFormat::compressed && known->is_read_by_cfitsio && is_regular_file(name)) {
    return fits_side(text, reading);
  }
  if (format == FrameFormat::compressed) {
    throw Error(Problem::failed, input->name(),
                fmt::format("is compressed by {}: {} unpacks it, and - is standard input",
                            known->name, known->unpack));
  }
  throw Error(Problem::failed, input->name(),
              input->peek(1).empty() ? "is empty" : "is none of FITS, npy and frames");
}

std::unique_ptr<Side> open_reference(const Context& context, const std::string& text,
                                     Reading reading) {
  // The two may be in two directories.
  const FileReference named = file_reference(text);
  SearchPath where = context.search_path();
  if (!named.directory.empty()) {
    where.shm = named.directory;
  }
  const Reference wanted = context.reference(named.reference);
  const SearchResult found = find(wanted, where);
  if (found.origin == Origin::shared_memory) {
    if (reading == Reading::frames) {
      throw Error(Problem::usage, wanted.name,
                  "is a stream, which is one frame; --frames is for files, as shmim-cat -n N "
                  "-o frames writes them");
    }
    return about(wanted.name, [&] {
      return stream_side(context.open(wanted, found, Access::read), wanted.slice);
    });
  }
  if (found.origin == Origin::nowhere) {
    if (is_regular_file(text)) {
      throw Error(Problem::failed, text,
                  fmt::format("no such stream in {}; the file of that name is ./{}",
                              where.shm.string(), text));
    }
    throw Error(Problem::not_found, wanted.name,
                wanted.location == Location::local
                    ? fmt::format("no FITS file of it in {}, and @L: passes over streams",
                                  where.conf.string())
                    : fmt::format("no such stream in {}", where.shm.string()));
  }
  const std::string file = found.file.string();
  context.detail(wanted.name, fmt::format("is {}", file));
  if (wanted.type) {
    require_type(wanted.name, open_fits(file)->format(), wanted.type);
  }
  auto whole = fits_side(file, reading);
  return wanted.slice.empty()
             ? std::move(whole)
             : std::make_unique<SliceOf>(std::move(whole), wanted.name, wanted.slice);
}

}  // namespace

bool names_file(const std::string& text) {
  std::string name = without_brackets(text).name;
  if (name == "-") {
    return true;
  }
  if (name.ends_with(stream_suffix) || name.find("://") != name.npos) {
    return false;
  }
  if (name.find('/') != name.npos) {
    return true;
  }
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  // Behind it there may be one that says how it is compressed.
  constexpr std::array<std::string_view, 6> endings{".fits", ".fit",    ".fts",
                                                    ".npy",  ".frames", ".cbor"};
  return std::ranges::any_of(endings, [&name](std::string_view ending) {
    return name.ends_with(ending) || name.find(fmt::format("{}.", ending)) != name.npos;
  });
}

void make_room(SideFrame& frame, DataType type, const Shape& shape, const Input& input) {
  std::uint64_t bytes = element_size(type);
  bool is_too_large = false;
  for (std::size_t axis = 0; axis < shape.axes(); ++axis) {
    is_too_large = __builtin_mul_overflow(bytes, shape[axis], &bytes) || is_too_large;
  }
  const std::uint64_t there = input.size().value_or(PTRDIFF_MAX);
  if (is_too_large || bytes > there) {
    throw Error(Problem::failed, input.name(),
                fmt::format("ends within a frame: of one of {} {} there is less", to_string(type),
                            to_string(shape)));
  }
  frame.type = type;
  frame.shape = shape;
  frame.pixels.resize(bytes);
}

std::unique_ptr<Side> open_side(const Context& context, const std::string& text, Reading reading) {
  return names_file(text) ? open_file(context, text, reading)
                          : open_reference(context, text, reading);
}

}  // namespace shmim::tools
