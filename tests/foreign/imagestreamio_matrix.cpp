// Images of all kinds, made by libImageStreamIO and read by our library, and the reverse: 650
// combinations of data type, shape, circular buffer, keywords, semaphores and image type. What the
// one makes is to the byte what the other makes, and what is written by one is read by the other.
//
//   imagestreamio_matrix    MILK_SHM_DIR is an empty directory of its own

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <ImageStreamIO.h>
#include <fmt/format.h>
#include <shmim/shmim.hpp>

namespace {

using shmim::Format;
using shmim::Shape;
using shmim::Stream;

constexpr unsigned combinations = 650;

struct Combination {
  Format format;
  std::string text;
};

Combination combination(unsigned number) {
  static const std::array<std::vector<std::uint32_t>, 6> shapes{
      {{1}, {37}, {8, 5}, {1, 9}, {6, 4, 3}, {3, 1, 7}}};
  static constexpr std::array<std::uint64_t, 8> types{MATH_DATA,
                                                      CIRCULAR_BUFFER | ZAXIS_TEMPORAL,
                                                      CIRCULAR_BUFFER,
                                                      MATH_DATA | ZAXIS_SPACIAL,
                                                      IMG_RECV,
                                                      MATH_DATA | IMG_SENT,
                                                      0,
                                                      MATH_DATA | ZAXIS_WAVELENGTH};
  // Steps that are prime to one another: each pair of values is met.
  Combination made;
  made.format.type = static_cast<shmim::DataType>(1 + number % 13);
  made.format.shape = Shape(shapes[number / 13 % shapes.size()]);
  made.format.circular_buffer = number * 5 / 7 % 6;
  made.format.keywords = static_cast<std::uint16_t>(number * 3 / 11 % 8);
  made.format.semaphores = static_cast<std::uint16_t>(number * 7 / 17 % 13);
  made.format.image_type = types[number * 11 / 13 % types.size()];
  if (made.format.shape.axes() < 3 && shmim::layout::is_plane_ring(made.format.image_type)) {
    made.format.image_type = MATH_DATA;
  }
  made.text = fmt::format("{} {} CB {} kw {} sem {} type {:#x}", to_string(made.format.type),
                          to_string(made.format.shape), made.format.circular_buffer,
                          made.format.keywords, made.format.semaphores, made.format.image_type);
  return made;
}

void* pixels_of(const IMAGE& image) {
  return image.array.raw;  // NOLINT(cppcoreguidelines-pro-type-union-access): all are pointers
}

unsigned failures = 0;
void expect(bool holds, const Combination& of, const char* what) {
  if (!holds) {
    ++failures;
    std::printf("%s: %s\n", of.text.c_str(), what);
  }
}

std::filesystem::path directory() { return std::getenv("MILK_SHM_DIR"); }
std::filesystem::path path() { return directory() / "m.im.shm"; }

errno_t create(IMAGE& image, const Format& format) {
  std::memset(&image, 0xA5, sizeof image);
  std::array<std::uint32_t, 3> size{};
  for (std::size_t axis = 0; axis < format.shape.axes(); ++axis) {
    size[axis] = format.shape[axis];
  }
  return ImageStreamIO_createIm_gpu(&image, "m", static_cast<long>(format.shape.axes()),
                                    size.data(), static_cast<std::uint8_t>(format.type), -1, 1,
                                    format.semaphores, format.keywords, format.image_type,
                                    format.circular_buffer);
}

/// The bytes of the file, but for those that tell when it was made, and which it is.
std::vector<char> timeless_bytes() {
  std::ifstream file(path(), std::ios::binary);
  std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  using shmim::layout::Metadata;
  const auto blank = [&](std::size_t offset, std::size_t size) {
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), size, '\0');
  };
  blank(offsetof(Metadata, creationtime), sizeof(Metadata::creationtime));
  blank(offsetof(Metadata, lastaccesstime), sizeof(Metadata::lastaccesstime));
  blank(offsetof(Metadata, inode), sizeof(Metadata::inode));
  return bytes;
}

std::vector<std::byte> pixels_for(const Format& format, unsigned number) {
  std::vector<std::byte> pixels(format.bytes());
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    pixels[i] = static_cast<std::byte>(i * 31 + number);
  }
  return pixels;
}

using Value = decltype(shmim::Keyword::value);
std::int64_t integer_of(const IMAGE& image) {
  return image.kw[0].value.numl;  // NOLINT(cppcoreguidelines-pro-type-union-access): its type is L
}

bool same_keyword(const IMAGE& image, const Stream& stream) {
  const auto keywords = stream.keywords().all();
  return keywords.size() == 1 && keywords[0].name == image.kw[0].name &&
         keywords[0].comment == image.kw[0].comment && image.kw[0].type == 'L' &&
         keywords[0].value == Value(integer_of(image));
}

/// Every field of the header that is fixed, and where the regions are.
bool same_header(const IMAGE& image, const Stream& stream) {
  const auto header = stream.metadata();
  const auto regions = shmim::layout::lay_out(geometry_of(stream.format())).value();
  const auto* map = reinterpret_cast<const std::byte*>(image.md);
  const auto lies_at = [map](const void* pointer, std::uint64_t offset) {
    return static_cast<const std::byte*>(pointer) == map + offset;
  };
  const IMAGE_METADATA& md = *image.md;
  return std::string(md.name) == "m" && header.nelement == md.nelement &&
         header.imdatamemsize == md.imdatamemsize && header.inode == md.inode &&
         header.nb_proctrace == md.NBproctrace && image.memsize == stream.file_bytes() &&
         std::equal(header.size.begin(), header.size.end(), md.size) &&
         lies_at(pixels_of(image), regions.array) && lies_at(image.kw, regions.keywords) &&
         lies_at(image.semfile, regions.semaphores) &&
         lies_at(image.semlog, regions.log_semaphore) &&
         lies_at(image.semReadPID, regions.read_pid) && lies_at(image.semstatus, regions.status) &&
         lies_at(image.streamproctrace, regions.trace) &&
         (image.cntarray == nullptr || lies_at(image.cntarray, regions.slice_cnt)) &&
         (md.CBsize == 0 ? image.CBimdata == nullptr
                         : lies_at(image.CBimdata, regions.buffer_frames));
}

std::vector<char> made_by_theirs(const Combination& of, unsigned number) {
  IMAGE image;
  expect(create(image, of.format) == IMAGESTREAMIO_SUCCESS, of, "is not made");
  std::vector<char> bytes = timeless_bytes();
  Stream stream = Stream::open(path());
  expect(stream.format() == of.format, of, "is of another format for us");
  expect(same_header(image, stream), of, "made by libImageStreamIO: headers differ");
  const auto pixels = pixels_for(of.format, number);
  image.md->write = 1;
  std::memcpy(pixels_of(image), pixels.data(), pixels.size());
  if (of.format.keywords > 0) {
    std::strcpy(image.kw[0].name, "GAIN");
    std::strcpy(image.kw[0].comment, "of it");
    image.kw[0].type = 'L';
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-union-access): its type is L
    image.kw[0].value.numl = -7;
    expect(same_keyword(image, stream), of, "keyword differs");
  }
  ImageStreamIO_UpdateIm(&image);
  std::vector<std::byte> copy(pixels.size());
  const auto snapshot = stream.snapshot(copy);
  expect(snapshot.state == shmim::FrameState::whole && snapshot.info.cnt0 == 1 && copy == pixels,
         of, "frame of UpdateIm differs");
  if (of.format.circular_buffer > 1) {
    const auto newest = stream.circular_buffer().newest();
    expect(newest && newest->cnt0 == 1 && newest->has_all, of, "buffer has no frame 1");
  }
  for (unsigned index = 0; index < of.format.semaphores; ++index) {
    expect(stream.semaphores().value(index) == 1, of, "a semaphore was not posted");
  }
  expect(ImageStreamIO_destroyIm(&image) == IMAGESTREAMIO_SUCCESS && !stream.is_current(), of,
         "is not destroyed");
  return bytes;
}

std::vector<char> made_by_ours(const Combination& of, unsigned number) {
  Stream stream = Stream::draft(directory(), "m", of.format);
  if (!stream.publish()) {
    expect(false, of, "cannot be published");
    return {};
  }
  std::vector<char> bytes = timeless_bytes();
  IMAGE image;
  std::memset(&image, 0xA5, sizeof image);
  expect(ImageStreamIO_openIm(&image, "m") == IMAGESTREAMIO_SUCCESS, of, "is not opened");
  expect(same_header(image, stream), of, "made by us: headers differ");
  const auto pixels = pixels_for(of.format, number);
  if (of.format.keywords > 0) {
    stream.keywords().set({"GAIN", std::int64_t{12}, "of it"});
    expect(same_keyword(image, stream), of, "keyword differs");
  }
  shmim::WriteGuard guard(stream);
  guard.write(pixels);
  guard.publish();
  expect(image.md->cnt0 == 1 && image.md->write == 0 &&
             std::memcmp(pixels_of(image), pixels.data(), pixels.size()) == 0,
         of, "frame of ours differs");
  for (int index = 0; index < of.format.semaphores; ++index) {
    expect(ImageStreamIO_semtrywait(&image, index) == 0, of, "a semaphore was not posted");
  }
  expect(ImageStreamIO_closeIm(&image) == IMAGESTREAMIO_SUCCESS, of, "is not closed");
  std::filesystem::remove(path());
  return bytes;
}

void compare_all() {
  for (unsigned number = 0; number < combinations; ++number) {
    const Combination of = combination(number);
    const auto theirs = made_by_theirs(of, number);
    const auto ours = made_by_ours(of, number);
    expect(theirs == ours, of, "the files differ");
  }
  std::printf("%u combinations, both ways, %u differences\n", combinations, failures);
}

}  // namespace

int main() {
  try {
    compare_all();
    return failures == 0 ? 0 : 1;
  } catch (const std::exception& error) {
    static_cast<void>(std::fputs(error.what(), stderr));
    return 1;
  }
}
