// The cards of a FITS header to keywords, and back: what a stream could hold survives the way
// through a file of ours.

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include <shmim/fits.hpp>
#include <shmim/shmim.hpp>

using namespace shmim;

namespace {

constexpr std::size_t card_bytes = 80;
constexpr std::size_t block_bytes = 2880;

void append_card(std::string& text, std::string_view card) {
  text += card.substr(0, card_bytes);
  text.append(card_bytes - std::min(card.size(), card_bytes), ' ');
}

void pad(std::string& text, char with) {
  text.append((block_bytes - text.size() % block_bytes) % block_bytes, with);
}

/// An image of 8 bytes whose header goes on with a card for each line of `lines`.
std::shared_ptr<std::vector<std::byte>> file_with(std::string_view lines) {
  std::string text;
  append_card(text, "SIMPLE  =                    T");
  append_card(text, "BITPIX  =                    8");
  append_card(text, "NAXIS   =                    1");
  append_card(text, "NAXIS1  =                    8");
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    append_card(text, line);
    lines.remove_prefix(std::min(lines.size(), line.size() + 1));
  }
  append_card(text, "END");
  pad(text, ' ');
  text += "12345678";
  pad(text, '\0');
  auto bytes = std::make_shared<std::vector<std::byte>>(text.size());
  std::memcpy(bytes->data(), text.data(), text.size());
  return bytes;
}

void read(std::shared_ptr<const std::vector<std::byte>> bytes) {
  for (const auto& image : open_fits_images(std::move(bytes), "fuzz")) {
    std::vector<std::byte> pixels(image->format().bytes());
    image->read(pixels);
    for (const Keyword& keyword : image->keywords()) {
      if (keyword_error(keyword)) {
        std::abort();
      }
    }
    const auto written = std::make_shared<std::vector<std::byte>>(to_fits(
        Hdu::primary, image->format().type, image->format().shape, pixels, image->keywords()));
    if (open_fits_images(written, "ours").size() != 1) {
      std::abort();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    read(file_with({reinterpret_cast<const char*>(data), size}));
  } catch (const Error&) {
  }
  return 0;
}
