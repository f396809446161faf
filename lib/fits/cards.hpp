#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "fits/cfitsio.hpp"
#include "shmim/keywords.hpp"

namespace shmim::fits {

inline constexpr std::size_t card_bytes = FLEN_CARD - 1;

struct Header {
  std::vector<Keyword> keywords;   ///< those that a stream can hold, in order
  std::vector<std::string> unfit;  ///< `NAME (why)` of the others
};

/// The keywords of the current HDU: every card but those that describe the file itself.
Header read_header(const cfitsio::File& file);

/// The card of a keyword. A comment is cut where the card ends, a value never is. Nothing where
/// FITS gives the name a meaning of its own. Throws Error (usage) where no stream could hold the
/// keyword.
std::optional<std::string> make_card(const Keyword& keyword);

/// What make_card() does not keep of a keyword; nothing where it keeps all.
std::optional<std::string> why_altered(const Keyword& keyword);

}  // namespace shmim::fits
