#include <string>
#include <vector>

#include <fmt/format.h>

#include "fits/cards.hpp"
#include "fits/frame.hpp"
#include "fits/image.hpp"
#include "shmim/error.hpp"
#include "shmim/fits.hpp"

namespace shmim {

std::vector<std::string> altered_in_fits(DataType type, std::span<const Keyword> keywords) {
  std::vector<std::string> altered;
  for (const Keyword& keyword : keywords) {
    if (const std::optional<std::string> why = fits::why_altered(keyword, type)) {
      altered.push_back(fmt::format("{} ({})", keyword.name.empty() ? "''" : keyword.name, *why));
    }
  }
  return altered;
}

void to_fits(Hdu hdu, DataType type, const Shape& shape, std::span<const std::byte> pixels,
             std::span<const Keyword> keywords, const WriteBytes& write,
             const std::optional<FrameOrigin>& origin) {
  if (pixels.size() != shape.elements() * element_size(type)) {
    throw Error(Problem::usage, "",
                fmt::format("{} bytes given for {} of {}", pixels.size(), to_string(shape),
                            to_string(type)));
  }
  std::vector<Keyword> all;
  if (origin) {
    all = fits::frame_keywords(*origin, keywords);
  }
  all.insert(all.end(), keywords.begin(), keywords.end());
  write(fits::image_header(hdu, type, fits::image_axes(type, shape), fits::image_cards(type, all)));
  fits::encode_in_pieces(type, pixels, write);
  write(std::vector<std::byte>(fits::padding_of(fits::encoded_bytes(type, pixels.size()))));
}

std::vector<std::byte> to_fits(Hdu hdu, DataType type, const Shape& shape,
                               std::span<const std::byte> pixels, std::span<const Keyword> keywords,
                               const std::optional<FrameOrigin>& origin) {
  std::vector<std::byte> bytes;
  const WriteBytes append = [&](std::span<const std::byte> part) {
    bytes.insert(bytes.end(), part.begin(), part.end());
  };
  to_fits(hdu, type, shape, pixels, keywords, append, origin);
  return bytes;
}

}  // namespace shmim
