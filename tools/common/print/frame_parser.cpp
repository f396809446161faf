#include "common/print/frame_parser.hpp"

#include <algorithm>
#include <complex>
#include <utility>

#include <fmt/format.h>
#include <shmim/element.hpp>
#include <shmim/text.hpp>

#include "common/print/frame_text.hpp"
#include "common/print/words.hpp"

namespace shmim::tools {
namespace {

constexpr std::string_view blank_letters = " \t\r\n";

bool is_blank(char letter) noexcept { return blank_letters.find(letter) != blank_letters.npos; }

/// No number is as long.
constexpr std::size_t longest_word = 1000;

}  // namespace

FrameParser::FrameParser(std::string subject, DataType type, const Shape& shape)
    : subject_(std::move(subject)),
      type_(type),
      columns_(shape[0]),
      plane_(columns_ * (shape.axes() > 1 ? shape[1] : 1)),
      elements_(shape.elements()) {}

void FrameParser::refuse(const std::string& why) const {
  throw Error(Problem::failed, subject_, fmt::format("line {}: {}", line_, why));
}

void FrameParser::take_word(std::string_view word, std::span<std::byte> frame) {
  if (taken_ == elements_) {
    refuse(fmt::format("more than the {} of a frame", counted(elements_, "number")));
  }
  const std::size_t size = element_size(type_);
  if (!read_element(word, type_, frame.subspan(taken_ * size, size))) {
    constexpr std::size_t enough = 40;
    const std::string shown =
        fmt::format("'{}'{}", printable(word.substr(0, enough)), word.size() > enough ? "..." : "");
    std::complex<double> ignored;
    const bool is_number =
        read_element(word, DataType::complex128, std::as_writable_bytes(std::span(&ignored, 1)));
    refuse(is_number ? fmt::format("{} does not fit {}", shown, to_string(type_))
                     : fmt::format("{} is not a number", shown));
  }
  ++taken_;
  ++in_line_;
}

void FrameParser::end_line() {
  if (in_line_ == 0 && taken_ % plane_ != 0) {
    refuse(fmt::format("is empty, after {} of the {} of a frame", taken_,
                       counted(elements_, "number")));
  }
  if (in_line_ > 1 && in_line_ % columns_ != 0) {
    refuse(fmt::format("{}, where a row has {}", counted(in_line_, "number"), columns_));
  }
  in_line_ = 0;
  ++line_;
}

std::size_t FrameParser::skip_blanks(std::string_view text) {
  const std::size_t size = std::min(text.find_first_not_of(blank_letters), text.size());
  line_ += static_cast<std::size_t>(
      std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(size), '\n'));
  return size;
}

std::size_t FrameParser::take(std::string_view text, std::span<std::byte> frame) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    const std::size_t begin = at;
    while (at < text.size() && !is_blank(text[at])) {
      ++at;
    }
    const std::string_view word = text.substr(begin, at - begin);
    if (at == text.size() || !begun_.empty()) {
      begun_ += word;
      if (begun_.size() > longest_word) {
        refuse(fmt::format("{} characters without a blank", begun_.size()));
      }
    }
    if (at == text.size()) {
      break;
    }
    if (!begun_.empty()) {
      take_word(std::exchange(begun_, {}), frame);
    } else if (!word.empty()) {
      take_word(word, frame);
    }
    if (text[at] == '\n') {
      end_line();
      if (is_complete()) {
        return at + 1;
      }
    }
  }
  return text.size();
}

void FrameParser::end(std::span<std::byte> frame) {
  if (!begun_.empty()) {
    take_word(std::exchange(begun_, {}), frame);
  }
  if (in_line_ > 0) {
    end_line();
  }
  if (taken_ != 0 && taken_ != elements_) {
    throw Error(Problem::failed, subject_,
                fmt::format("ends after {} of the {} of a frame, which was not published", taken_,
                            counted(elements_, "number")));
  }
}

}  // namespace shmim::tools
