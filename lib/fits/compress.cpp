#include "fits/compress.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "fits/cards.hpp"
#include "fits/image.hpp"
#include "fits/open.hpp"
#include "fits/pixels.hpp"
#include "shmim/error.hpp"
#include "shmim/file.hpp"

namespace shmim::fits {
namespace {

using cfitsio::File;
using cfitsio::Functions;

/// Of a tile: large enough for either algorithm, and soon read for one of its pixels.
constexpr std::size_t tile_bytes = std::size_t{256} << 10;

/// Whole lines, planes, frames, as many as there is room for.
std::vector<LONGLONG> tile_of(const std::vector<LONGLONG>& axes, std::size_t element_bytes) {
  auto room = static_cast<LONGLONG>(tile_bytes / element_bytes);
  std::vector<LONGLONG> tile;
  for (const LONGLONG axis : axes) {
    tile.push_back(std::clamp(room, LONGLONG{1}, axis));
    room = tile.back() < axis ? 1 : room / axis;
  }
  return tile;
}

/// Goes through an image tile by tile.
class Tiles {
 public:
  explicit Tiles(const Pixels& pixels)
      : axes_(pixels.axes()),
        element_bytes_(element_size(pixels.type())),
        size_(tile_of(axes_, element_bytes_)),
        at_(axes_.size()) {}

  [[nodiscard]] const std::vector<LONGLONG>& size() const noexcept { return size_; }
  [[nodiscard]] std::uint64_t count() const noexcept {
    std::uint64_t count = 1;
    for (std::size_t axis = 0; axis < axes_.size(); ++axis) {
      count *= static_cast<std::uint64_t>((axes_[axis] + size_[axis] - 1) / size_[axis]);
    }
    return count;
  }
  /// Nothing behind the last.
  [[nodiscard]] std::optional<Section> next() {
    if (is_over_) {
      return std::nullopt;
    }
    Section section;
    for (std::size_t axis = 0; axis < axes_.size(); ++axis) {
      section.push_back({static_cast<long>(at_[axis] + 1),
                         static_cast<long>(std::min(at_[axis] + size_[axis], axes_[axis])), 1});
    }
    std::size_t axis = 0;
    for (; axis < axes_.size() && (at_[axis] += size_[axis]) >= axes_[axis]; ++axis) {
      at_[axis] = 0;
    }
    is_over_ = axis == axes_.size();
    return section;
  }
  [[nodiscard]] std::size_t bytes_of(const Section& section) const {
    std::size_t bytes = element_bytes_;
    for (const Range& range : section) {
      bytes *= static_cast<std::size_t>(range.length());
    }
    return bytes;
  }

 private:
  std::vector<LONGLONG> axes_;
  std::size_t element_bytes_;
  std::vector<LONGLONG> size_;
  std::vector<LONGLONG> at_;  ///< where the next one begins, from 0
  bool is_over_ = false;
};

/// The cards of the current HDU, but for those that say how its pixels are kept.
std::vector<std::string> cards_of(const File& file) {
  std::vector<std::string> cards;
  int count = 0;
  int more = 0;
  file.call(&Functions::fits_get_hdrspace, &count, &more);
  for (int number = 1; number <= count; ++number) {
    std::array<char, FLEN_CARD> card{};
    file.call(&Functions::fits_read_record, number, card.data());
    const int kind = cfitsio::functions().fits_get_keyclass(card.data());
    if (kind == TYP_CMPRS_KEY) {
      const std::string_view text = card.data();
      throw Error(Problem::failed, file.subject(),
                  fmt::format("a compressed image has a keyword {} of its own",
                              text.substr(0, text.find_first_of(" ="))));
    }
    if (card[0] != '\0' && kind != TYP_STRUC_KEY && kind != TYP_SCAL_KEY) {
      cards.emplace_back(card.data());
    }
  }
  return cards;
}

/// The image to be, without pixels, in the file.
void create_image(const File& out, const Pixels& pixels, const Tiles& tiles) {
  std::vector<long> tile(tiles.size().begin(), tiles.size().end());
  std::vector<LONGLONG> axes = pixels.axes();
  const auto dimensions = static_cast<int>(axes.size());
  const bool is_real = pixels.type() == DataType::float32 || pixels.type() == DataType::float64;
  std::uint64_t bytes = element_size(pixels.type());
  for (const LONGLONG axis : axes) {
    bytes *= static_cast<std::uint64_t>(axis);
  }
  out.call(&Functions::fits_set_compression_type, is_real ? int{GZIP_2} : int{RICE_1});
  out.call(&Functions::fits_set_tile_dim, dimensions, tile.data());
  out.call(&Functions::fits_set_quantize_level, 0.0F);  // or floats are rounded
  // Where a tile stands has 32 bits, unless it is asked for more.
  out.call(&Functions::fits_set_huge_hdu, bytes > std::numeric_limits<std::int32_t>::max() ? 1 : 0);
  out.call(&Functions::fits_create_imgll, image_code(pixels.type()), dimensions, axes.data());
  out.call_unless(KEY_NO_EXIST, &Functions::fits_delete_key, "EXTNAME");  // some versions' own
}

/// Where the cards stand in the file.
struct CardsPlace {
  LONGLONG offset = 0;
  std::string cards;
};

CardsPlace add_cards(const File& out, const std::vector<std::string>& cards) {
  CardsPlace place;
  int count = 0;
  int more = 0;
  out.call(&Functions::fits_get_hdrspace, &count, &more);
  for (const std::string& card : cards) {
    out.call(&Functions::fits_write_record, card.c_str());
    place.cards += card;
    place.cards.resize((place.cards.size() + card_bytes - 1) / card_bytes * card_bytes, ' ');
  }
  LONGLONG data = 0;
  LONGLONG end = 0;
  out.call(&Functions::fits_get_hduaddrll, &place.offset, &data, &end);
  place.offset += count * static_cast<LONGLONG>(card_bytes);
  return place;
}

/// cfitsio writes all names in capitals; this writes ours as they are.
void restore_cards(const std::string& path, const std::string& subject, const CardsPlace& place) {
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  const ssize_t written =
      file.get() < 0 ? -1
                     : ::pwrite(file.get(), place.cards.data(), place.cards.size(), place.offset);
  if (written != static_cast<ssize_t>(place.cards.size())) {
    throw Error::system(subject, "cannot be written", written < 0 ? errno : ENOSPC);
  }
}

}  // namespace

bool is_compressible(DataType type, std::size_t axes) noexcept {
  constexpr std::size_t most_axes = 3;
  return type != DataType::int64 && type != DataType::uint64 && axes <= most_axes;
}

bool compress_image(const File& in, const std::string& path, const std::string& subject,
                    const std::function<bool(double)>& goes_on) {
  const Pixels pixels(in);
  std::vector<std::byte> tile;
  Tiles tiles(pixels);
  const double steps = 2 * static_cast<double>(tiles.count());
  double step = 0;
  File out = File::open_for_writing(path, subject);
  create_image(out, pixels, tiles);
  const CardsPlace place = add_cards(out, cards_of(in));
  while (const std::optional<Section> section = tiles.next()) {
    if (!goes_on(step++ / steps)) {
      return false;
    }
    tile.resize(tiles.bytes_of(*section));
    pixels.read(in, *section, tile);
    pixels.write(out, *section, tile);
  }
  out.close();
  restore_cards(path, subject, place);

  const File again = File::open(path, subject);
  move_to_first_image(again);
  const Pixels compressed(again);
  const auto differs = [&subject] {
    return Error(Problem::failed, subject, "cfitsio has compressed it into something else");
  };
  if (compressed.type() != pixels.type() || compressed.axes() != pixels.axes()) {
    throw differs();
  }
  Tiles tiles_again(pixels);
  std::vector<std::byte> tile_again;
  while (const std::optional<Section> section = tiles_again.next()) {
    if (!goes_on(step++ / steps)) {
      return false;
    }
    tile.resize(tiles_again.bytes_of(*section));
    tile_again.resize(tile.size());
    pixels.read(in, *section, tile);
    compressed.read(again, *section, tile_again);
    if (tile != tile_again) {
      throw differs();
    }
  }
  return true;
}

}  // namespace shmim::fits
