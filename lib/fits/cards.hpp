#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "fits/cfitsio.hpp"
#include "shmim/fits.hpp"
#include "shmim/keywords.hpp"

namespace shmim::fits {

inline constexpr std::size_t card_bytes = FLEN_CARD - 1;

struct Header {
  std::vector<Keyword> keywords;   ///< those that a stream can hold, in order
  std::vector<std::string> unfit;  ///< `NAME (why)` of the others
  std::optional<FrameInfo> frame;  ///< where it says which it was
};

/// The keywords of the current HDU: every card but those that describe the file itself, and those
/// of the primary HDU that it inherits. Of cards of one name the first is taken. With `keeps_blank`
/// BLANK is a keyword.
Header read_header(const cfitsio::File& file, bool keeps_blank);

/// Why a keyword has no card in an image of this type; nothing where it has one.
std::optional<std::string> why_left_out(const Keyword& keyword, DataType type);

/// The card of a keyword that has one. A comment is cut where the card ends, a value never is.
std::string make_card(const Keyword& keyword);

/// What make_card() does not keep of a keyword, or why it has no card; nothing where it keeps all.
std::optional<std::string> why_altered(const Keyword& keyword, DataType type);

}  // namespace shmim::fits
