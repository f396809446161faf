#include "common/app/stream_options.hpp"

#include <fmt/ranges.h>

#include "common/app/tool.hpp"
#include "common/print/words.hpp"

namespace shmim::tools {
namespace {

std::string type_names() {
  std::string names;
  for (const DataType type : data_types()) {
    names += fmt::format("{}{}", names.empty() ? "" : " ", to_string(type));
  }
  return names;
}

/// `digits`, which is all of `text` or what follows its prefix, as a number.
template <class T>
T number(const std::string& text, std::string_view digits, int base, const char* option,
         const char* example) {
  const auto value = parse_number<T>(digits, base);
  if (!value) {
    throw UsageError(fmt::format("{}: '{}' is not like {}", option, text, example));
  }
  return *value;
}

}  // namespace

void StreamOptions::declare(Options& options) {
  options.positional("SIZE", size_, "length of each axis, as 320x256 or 320 256");
  options.text("-T,--type", "TYPE", type_, "data type, as uint16 or complex64 (default: float32)");
  options.number("-k,--keywords", "N", keywords_, "keyword slots (default: 10)");
  options.number("-c,--circular-buffer", "N", circular_buffer_,
                 "frames that the circular buffer holds (default: 0, no buffer)");
  options.number("-s,--semaphores", "N", semaphores_, "semaphores (default: 10)");
  options.flag("--circular", circular_,
               "the z axis is time: a frame is one plane (imagetype 0x20001)");
  options.text("--imagetype", "BITS", image_type_, "imagetype bits, as 0x2 (the default)");
  options.text("--mode", "MODE", mode_,
               "permissions in octal, as 0660 (default: 0666 less the umask)");
}

std::optional<DataType> required_type(const Reference& reference, const std::string& type) {
  if (type.empty()) {
    return reference.type;
  }
  const auto required = parse_data_type(type);
  if (!required) {
    throw UsageError(
        fmt::format("--type: there is no type '{}'; there are {}", type, type_names()));
  }
  if (reference.type && reference.type != required) {
    throw UsageError(
        fmt::format("the reference says {}, --type says {}", to_string(*reference.type), type));
  }
  return required;
}

Requirement StreamOptions::requirement(const Reference& reference) const {
  Requirement requirement;
  requirement.type = required_type(reference, type_);
  if (!size_.empty()) {
    requirement.shape = parse_shape(fmt::format("{}", fmt::join(size_, "x")));
  }
  requirement.keywords = keywords_;
  requirement.circular_buffer = circular_buffer_;
  requirement.semaphores = semaphores_;
  if (!image_type_.empty()) {
    if (circular_) {
      throw UsageError("--circular and --imagetype exclude one another");
    }
    const std::string_view bits = image_type_;
    const bool is_hexadecimal = bits.starts_with("0x");
    requirement.image_type =
        number<std::uint64_t>(image_type_, bits.substr(is_hexadecimal ? 2 : 0),
                              is_hexadecimal ? 16 : 10, "--imagetype", "0x20001");
  } else if (circular_) {
    requirement.image_type = layout::image_z_time | layout::image_circular;
  }
  return requirement;
}

Format StreamOptions::format(const Requirement& requirement, Format base) {
  base.type = requirement.type.value_or(base.type);
  base.shape = requirement.shape.value_or(base.shape);
  base.keywords = requirement.keywords.value_or(base.keywords);
  base.circular_buffer = requirement.circular_buffer.value_or(base.circular_buffer);
  base.semaphores = requirement.semaphores.value_or(base.semaphores);
  base.image_type = requirement.image_type.value_or(base.image_type);
  base.location = -1;
  return base;
}

std::optional<mode_t> StreamOptions::mode() const {
  if (mode_.empty()) {
    return std::nullopt;
  }
  const auto mode = number<mode_t>(mode_, mode_, 8, "--mode", "0660");
  if (mode > 0777) {
    throw UsageError(fmt::format("--mode: '{}' is more than 0777", mode_));
  }
  return mode;
}

}  // namespace shmim::tools
