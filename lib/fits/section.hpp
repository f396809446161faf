#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fitsio.h>

#include "shmim/keywords.hpp"
#include "shmim/selection.hpp"

namespace shmim::fits {

/// Pixels of one axis as cfitsio counts them: from 1, both ends included; 0 is the last pixel.
/// Where `first` lies behind `last` they are taken backwards.
struct Range {
  long first = 1;
  long last = 0;
  long step = 1;

  [[nodiscard]] LONGLONG length() const noexcept;
};

/// An image section, one range per axis.
using Section = std::vector<Range>;

/// Reads `first:last`, `*` (the whole axis), `-*` (backwards), each with or without `:step`, and
/// nothing at all, which is `*`. Nothing where the text is none of these.
std::optional<Range> parse_range(std::string_view text);

/// The section of an image with these axes: every range has its last pixel, every axis a range.
/// Throws Error (usage), about `subject`, where it reaches beyond the image.
Section resolve_section(Section section, const std::vector<LONGLONG>& axes,
                        const std::string& subject);

/// The same as a selection has it.
std::vector<Selection::Steps> steps_of(const Section& section);

/// Moves the world coordinates (CRPIXn, CDELTn, CDi_n, PCi_n, and their alternates) along with the
/// pixels.
void move_world(std::vector<Keyword>& keywords, std::span<const Selection::Steps> axes);

}  // namespace shmim::fits
