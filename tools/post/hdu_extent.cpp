#include "post/hdu_extent.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>
#include <shmim/text.hpp>

namespace shmim::tools {
namespace {

constexpr std::size_t card_bytes = 80;
constexpr std::size_t name_bytes = 8;

/// Where the card of that name begins; npos if there is none.
std::size_t card_in(std::string_view header, std::string_view name) noexcept {
  for (std::size_t at = 0; header.size() - at >= card_bytes; at += card_bytes) {
    const std::string_view card = header.substr(at, card_bytes);
    const std::string_view rest = card.substr(name.size());
    if (card.starts_with(name) &&
        rest.substr(0, name_bytes - name.size()).find_first_not_of(' ') == rest.npos &&
        card.substr(name_bytes).starts_with("= ")) {
      return at;
    }
  }
  return header.npos;
}

/// What stands in the card of that name, without blanks in front; empty if there is none.
std::string_view value_in(std::string_view header, std::string_view name) noexcept {
  const std::size_t at = card_in(header, name);
  if (at == header.npos) {
    return {};
  }
  const std::string_view value = header.substr(at + name_bytes + 2, card_bytes - name_bytes - 2);
  return value.substr(std::min(value.find_first_not_of(' '), value.size()));
}

std::optional<std::int64_t> number_in(std::string_view header, std::string_view name) noexcept {
  const std::string_view value = value_in(header, name);
  return parse_number<std::int64_t>(value.substr(0, value.find_first_of(" /")));
}

/// nullopt beyond what a file can have.
std::optional<std::uint64_t> product(std::uint64_t a, std::uint64_t b) noexcept {
  constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
  return b != 0 && a > most / b ? std::nullopt : std::optional(a * b);
}

std::string axis_name(std::size_t axis) { return fmt::format("NAXIS{}", axis); }

bool is_plain_image(std::string_view header) noexcept {
  const std::string_view extension = value_in(header, "XTENSION");
  return extension.empty() || extension.starts_with("'IMAGE");
}

}  // namespace

bool has_end_card(std::string_view block) noexcept {
  for (; block.size() >= card_bytes; block.remove_prefix(card_bytes)) {
    if (block.starts_with("END") &&
        block.substr(0, card_bytes).find_first_not_of(' ', 3) == block.npos) {
      return true;
    }
  }
  return false;
}

std::optional<std::uint64_t> hdu_data_bytes(std::string_view header) {
  const auto bitpix = number_in(header, "BITPIX");
  const auto axes = number_in(header, "NAXIS");
  constexpr std::int64_t most_axes = 999;
  if (!bitpix || *bitpix < -64 || *bitpix > 64 || !axes || *axes < 0 || *axes > most_axes) {
    return std::nullopt;
  }
  const bool is_groups = value_in(header, "GROUPS").starts_with('T');
  std::optional<std::uint64_t> elements = *axes == 0 ? 0 : 1;
  for (std::int64_t axis = 1; axis <= *axes; ++axis) {
    const auto length = number_in(header, axis_name(static_cast<std::size_t>(axis)));
    const bool is_of_groups = is_groups && axis == 1 && length == 0;
    if (!length || *length < 0) {
      return std::nullopt;
    }
    elements = is_of_groups ? elements : product(*elements, static_cast<std::uint64_t>(*length));
    if (!elements) {
      return std::nullopt;
    }
  }
  const auto parameters = number_in(header, "PCOUNT").value_or(0);
  const auto groups = number_in(header, "GCOUNT").value_or(1);
  if (parameters < 0 || groups < 0) {
    return std::nullopt;
  }
  const auto of_all = product(*elements + static_cast<std::uint64_t>(parameters),
                              static_cast<std::uint64_t>(groups));
  return of_all ? product(*of_all, static_cast<std::uint64_t>(*bitpix < 0 ? -*bitpix : *bitpix) / 8)
                : std::nullopt;
}

std::optional<std::uint32_t> frames_of_cube(std::string_view header,
                                            std::span<const std::uint32_t> frame) {
  const auto has_length = [&](std::size_t axis, std::uint32_t length) {
    return number_in(header, axis_name(axis)) == length;
  };
  std::size_t axis = 0;
  const bool is_cube =
      is_plain_image(header) && number_in(header, "NAXIS") == std::ssize(frame) + 1 &&
      std::ranges::all_of(frame, [&](std::uint32_t length) { return has_length(++axis, length); });
  const std::int64_t frames = number_in(header, axis_name(frame.size() + 1)).value_or(0);
  if (!is_cube || frames < 1 || frames > std::numeric_limits<std::uint32_t>::max()) {
    return std::nullopt;
  }
  const auto count = static_cast<std::uint32_t>(frames);
  // Nothing stands there beside them.
  const auto of_one = hdu_data_bytes(with_frames(std::string(header), frame.size(), 1));
  const auto of_all = of_one ? product(*of_one, count) : std::nullopt;
  return of_all && of_all == hdu_data_bytes(header) ? std::optional(count) : std::nullopt;
}

std::string with_frames(std::string header, std::size_t frame_axes, std::uint32_t frames) {
  const std::string name = axis_name(frame_axes + 1);
  const std::string card = fmt::format("{:8}= {:>20}", name, frames);
  return header.replace(card_in(header, name), card_bytes, fmt::format("{:80}", card));
}

bool may_hold_image(std::string_view header) noexcept {
  return is_plain_image(header) ? number_in(header, "NAXIS").value_or(0) > 0
                                : value_in(header, "ZIMAGE").starts_with('T');
}

}  // namespace shmim::tools
