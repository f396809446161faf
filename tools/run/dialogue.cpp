#include "run/dialogue.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/print/frame_parser.hpp"
#include "common/print/frame_record.hpp"
#include "common/print/frame_text.hpp"
#include "common/print/npy.hpp"
#include "common/print/words.hpp"

namespace shmim::tools {
namespace {

/// An answer, and what is wanted of all of them.
class Answer : public Answers {
 public:
  Answer(Filter& filter, DataType type, const Shape& shape)
      : filter_(filter), type_(type), shape_(shape) {}

  void require_silence() override {
    std::string text(std::size_t{4} << 10, '\0');
    text.resize(filter_.read_now(std::as_writable_bytes(std::span(text))));
    if (!may_stand_between(text)) {
      throw FilterFailed{
          fmt::format("wrote more than its answer: {}", counted(text.size(), "byte"))};
    }
  }

 protected:
  /// True where what follows an answer belongs to it.
  [[nodiscard]] virtual bool may_stand_between(std::string_view text) const { return text.empty(); }
  [[nodiscard]] DataType type() const noexcept { return type_; }
  [[nodiscard]] const Shape& shape() const noexcept { return shape_; }
  [[nodiscard]] std::string wanted() const {
    return fmt::format("{} {}", to_string(type_), to_string(shape_));
  }
  [[nodiscard]] std::size_t read_some(std::span<std::byte> room) { return filter_.read_some(room); }
  [[noreturn]] void fail_at_end(std::size_t came, std::size_t bytes) {
    throw FilterFailed{filter_.end().why +
                       (came == 0 ? " and did not answer"
                                  : fmt::format(" after {} of the {} of its answer ({})", came,
                                                counted(bytes, "byte"), wanted()))};
  }
  /// Where the rest does not come in time, the message says what is lacking.
  [[nodiscard]] std::size_t read_part(std::size_t came, std::size_t bytes) {
    try {
      return read_some(std::span(buffer_).subspan(came));
    } catch (FilterFailed& failed) {
      if (came > 0) {
        failed.why += fmt::format(": {} of {} came ({})", came, counted(bytes, "byte"), wanted());
      }
      throw;
    }
  }
  /// Reads so many bytes, and throws where more than them come.
  void fill(std::span<std::byte> bytes) {
    // One more, so that what is too long shows without another system call.
    buffer_.resize(bytes.size() + 1);
    for (std::size_t came = 0; came < bytes.size();) {
      const std::size_t got = read_part(came, bytes.size());
      if (got == 0) {
        fail_at_end(came, bytes.size());
      }
      came += got;
      if (came > bytes.size()) {
        throw FilterFailed{fmt::format("answered with more than {} ({})",
                                       counted(bytes.size(), "byte"), wanted())};
      }
    }
    std::copy_n(buffer_.begin(), bytes.size(), bytes.begin());
  }

 private:
  Filter& filter_;
  DataType type_;
  Shape shape_;
  std::vector<std::byte> buffer_;
};

class RawAnswers final : public Answer {
 public:
  using Answer::Answer;
  void read(std::span<std::byte> frame) override { fill(frame); }
};

class TextAnswers final : public Answer {
 public:
  TextAnswers(Filter& filter, DataType type, const Shape& shape)
      : Answer(filter, type, shape), parser_("", type, shape) {}

  void read(std::span<std::byte> frame) override {
    parser_.begin_frame();
    std::string text(std::size_t{64} << 10, '\0');
    std::size_t came = 0;
    while (!parser_.is_complete()) {
      const std::size_t got = read_some(std::as_writable_bytes(std::span(text)));
      if (got == 0 && !is_ended_by_end(frame)) {
        fail_at_end(came, frame.size());
      }
      came += got;
      take(std::string_view(text).substr(0, got), frame);
    }
  }

 protected:
  /// Whoever answers line by line answers an empty line with an empty line.
  [[nodiscard]] bool may_stand_between(std::string_view text) const override {
    return text.find_first_not_of(" \t\r\n") == text.npos;
  }

 private:
  /// The last line may lack its end.
  [[nodiscard]] bool is_ended_by_end(std::span<std::byte> frame) {
    try {
      parser_.end(frame);
    } catch (const Error&) {
      return false;
    }
    return parser_.is_complete();
  }
  void take(std::string_view text, std::span<std::byte> frame) {
    try {
      text.remove_prefix(parser_.skip_blanks(text));
      text.remove_prefix(parser_.take(text, frame));
      if (parser_.is_complete()) {
        text.remove_prefix(parser_.skip_blanks(text));
      }
    } catch (const Error& error) {
      throw FilterFailed{fmt::format("answered with what is no frame: {}", error.why())};
    }
    if (!text.empty()) {
      throw FilterFailed{fmt::format("answered with more than a frame ({})", wanted())};
    }
  }
  FrameParser parser_;
};

class NpyAnswers final : public Answer {
 public:
  using Answer::Answer;

  void read(std::span<std::byte> frame) override {
    std::string header;
    read_to(header, npy_start_bytes);
    const auto bytes = npy_header_bytes(header);
    if (!bytes) {
      throw FilterFailed{"answered with what is no npy array"};
    }
    read_to(header, *bytes);
    const auto array = parse_npy_header(header);
    if (!array || array->type != type() || array->axes != npy_axes(shape()) || array->is_fortran ||
        array->is_big_endian) {
      throw FilterFailed{fmt::format("answered with an npy array of {} ({}), not of {}",
                                     array ? array->descr : "an unknown type",
                                     array ? fmt::format("{}", fmt::join(array->axes, ", ")) : "",
                                     wanted())};
    }
    fill(frame);
  }

 private:
  void read_to(std::string& header, std::size_t bytes) {
    while (header.size() < bytes) {
      const std::size_t before = header.size();
      header.resize(bytes);
      const std::size_t got = read_some(std::as_writable_bytes(std::span(header)).subspan(before));
      header.resize(before + got);
      if (got == 0) {
        fail_at_end(before, bytes);
      }
    }
  }
};

class RecordedAnswers final : public Answer {
 public:
  RecordedAnswers(Filter& filter, DataType type, const Shape& shape)
      : Answer(filter, type, shape),
        reader_("", [this](std::span<std::byte> room) { return read_some(room); }) {}

  void read(std::span<std::byte> frame) override {
    try {
      const auto record = reader_.next();
      if (!record) {
        fail_at_end(0, frame.size());
      }
      if (record->type != type() || record->shape != shape()) {
        throw FilterFailed{fmt::format("answered with a frame of {} {}, not {}",
                                       to_string(record->type), to_string(record->shape),
                                       wanted())};
      }
      reader_.read(frame);
    } catch (const Error& error) {
      throw FilterFailed{fmt::format("answered with what is no frame: {}", error.why())};
    }
  }

 private:
  FrameReader reader_;
};

}  // namespace

Language language_of(const std::string& name) {
  return name == "text"     ? Language::text
         : name == "npy"    ? Language::npy
         : name == "frames" ? Language::frames
                            : Language::raw;
}

std::string heading(Language language, const Stream& stream, const TakenFrame& taken,
                    const Selection& selection, std::span<const std::byte> frame) {
  switch (language) {
    case Language::raw:
      break;
    case Language::text:
      // An empty line ends what has several, so that whoever reads knows that it is whole.
      return to_text(frame, selection.type(), selection.shape()) +
             (selection.shape().axes() > 1 ? "\n" : "");
    case Language::npy:
      return npy_header(selection.type(), selection.shape());
    case Language::frames:
      return frame_head(record_of(stream, taken, selection));
  }
  return {};
}

std::unique_ptr<Answers> answers_of(Filter& filter, Language language, DataType type,
                                    const Shape& shape) {
  switch (language) {
    case Language::raw:
      break;
    case Language::text:
      return std::make_unique<TextAnswers>(filter, type, shape);
    case Language::npy:
      return std::make_unique<NpyAnswers>(filter, type, shape);
    case Language::frames:
      return std::make_unique<RecordedAnswers>(filter, type, shape);
  }
  return std::make_unique<RawAnswers>(filter, type, shape);
}

}  // namespace shmim::tools
