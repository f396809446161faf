#include "post/source.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <shmim/fits.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "common/app/tool.hpp"
#include "common/io/pipe.hpp"

namespace shmim::tools {
namespace {

/// Reads until `bytes` is full or the file ends; gives how much there was.
std::size_t read_up_to(const FileDescriptor& file, std::span<std::byte> bytes,
                       const std::string& name) {
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    const ssize_t got = ::read(file.get(), bytes.data() + filled, bytes.size() - filled);
    throw_if_interrupted();
    if (got == 0) {
      break;
    }
    if (got > 0) {
      filled += static_cast<std::size_t>(got);
    } else if (errno != EINTR) {
      throw Error::system(name, "cannot read", errno);
    }
  }
  return filled;
}

class RawFrames final : public FrameSource {
 public:
  /// `begun` has been read from the file already.
  RawFrames(FileDescriptor file, std::string name, std::vector<std::byte> begun)
      : file_(std::move(file)), name_(std::move(name)), begun_(std::move(begun)) {}

  void wait() override {
    pollfd readable{file_.get(), POLLIN, 0};
    while (begun_.empty() && ::poll(&readable, 1, -1) < 0) {
      throw_if_interrupted();
    }
  }

  bool next(std::span<std::byte> frame) override {
    const std::size_t before = std::min(begun_.size(), frame.size());
    std::copy_n(begun_.begin(), before, frame.begin());
    begun_.erase(begun_.begin(), begun_.begin() + static_cast<std::ptrdiff_t>(before));
    const std::size_t filled = before + read_up_to(file_, frame.subspan(before), name_);
    if (filled != 0 && filled != frame.size()) {
      throw Error(Problem::failed, name_,
                  fmt::format("ends after {} of the {} bytes of a frame, which was not published",
                              filled, frame.size()));
    }
    return filled != 0;
  }

  bool rewind() override {
    begun_.clear();
    return ::lseek(file_.get(), 0, SEEK_SET) == 0;
  }

 private:
  FileDescriptor file_;
  std::string name_;
  std::vector<std::byte> begun_;
};

/// How many frames of this shape an image is. Throws Error (mismatch).
std::uint32_t frames_in(const Format& image, DataType type, const Shape& shape,
                        const std::string& name) {
  const bool one = image.shape == shape;
  bool several = image.shape.axes() == shape.axes() + 1;
  for (std::size_t axis = 0; several && axis < shape.axes(); ++axis) {
    several = image.shape[axis] == shape[axis];
  }
  if (image.type != type || !(one || several)) {
    Requirement wanted;
    wanted.type = type;
    wanted.shape = shape;
    throw Error(Problem::mismatch, name, to_string(differences(image, wanted)));
  }
  return one ? 1 : image.shape[shape.axes()];
}

class FitsFrames final : public FrameSource {
 public:
  FitsFrames(std::vector<std::unique_ptr<ImageFile>> images, const std::string& name, DataType type,
             const Shape& shape)
      : images_(std::move(images)) {
    for (const auto& image : images_) {
      counts_.push_back(frames_in(image->format(), type, shape, name));
    }
  }

  bool next(std::span<std::byte> frame) override {
    if (image_ == images_.size()) {
      return false;
    }
    ImageFile& image = *images_[image_];
    if (counts_[image_] == 1) {
      image.read(frame);
    } else {
      if (frame_ == 0) {
        pixels_.resize(image.format().bytes());
        image.read(pixels_);
      }
      std::memcpy(frame.data(), &pixels_[frame_ * frame.size()], frame.size());
    }
    const std::optional<FrameInfo> of_file = image.frame();
    atime_ = of_file && of_file->atime != never ? std::optional(of_file->atime) : std::nullopt;
    if (++frame_ == counts_[image_]) {
      frame_ = 0;
      ++image_;
    }
    return true;
  }

  [[nodiscard]] std::optional<Tai> atime() const override { return atime_; }

  bool rewind() override {
    image_ = 0;
    frame_ = 0;
    return true;
  }

 private:
  std::vector<std::unique_ptr<ImageFile>> images_;
  std::vector<std::uint32_t> counts_;
  std::vector<std::byte> pixels_;  ///< of an image that is several frames
  std::size_t image_ = 0;
  std::uint32_t frame_ = 0;
  std::optional<Tai> atime_;
};

FileDescriptor open_input(const std::string& file) {
  FileDescriptor input(file == "-" ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                                   : ::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (input.get() < 0) {
    throw Error(Problem::failed, file == "-" ? "standard input" : file,
                fmt::format("cannot open: {}", std::generic_category().message(errno)));
  }
  return input;
}

/// Reads on until there are `size` bytes, or the file ends.
std::vector<std::byte> read_to(std::size_t size, const FileDescriptor& file,
                               std::vector<std::byte> bytes, const std::string& name) {
  const std::size_t before = bytes.size();
  bytes.resize(size);
  bytes.resize(before + read_up_to(file, std::span(bytes).subspan(before), name));
  return bytes;
}

std::vector<std::byte> read_to_end(const FileDescriptor& file, std::vector<std::byte> bytes,
                                   const std::string& name) {
  constexpr std::size_t chunk = std::size_t{1} << 20;
  for (std::size_t end = 0; bytes.size() != end;) {
    end = bytes.size();
    bytes = read_to(end + chunk, file, std::move(bytes), name);
  }
  return bytes;
}

bool looks_like_npy(std::span<const std::byte> bytes) {
  constexpr std::string_view beginning = "\x93NUMPY";
  return bytes.size() >= beginning.size() &&
         std::memcmp(bytes.data(), beginning.data(), beginning.size()) == 0;
}

/// True where `bytes`, however few, begin like a FITS file.
bool may_be_fits(std::span<const std::byte> bytes) {
  constexpr std::string_view beginning = "SIMPLE  =";
  const std::size_t size = std::min(bytes.size(), beginning.size());
  return size > 0 && std::memcmp(bytes.data(), beginning.data(), size) == 0;
}

bool looks_like_gzip(std::span<const std::byte> bytes) {
  constexpr std::array beginning{std::byte{0x1f}, std::byte{0x8b}, std::byte{8}};  // by deflation
  return bytes.size() >= beginning.size() &&
         std::equal(beginning.begin(), beginning.end(), bytes.begin());
}

/// A name that only cfitsio can read: compressed, or with its extended syntax behind it.
bool needs_cfitsio(const std::string& file) {
  return file.ends_with(".fits.gz") || file.ends_with(".fz") ||
         (file.ends_with("]") && ::access(file.c_str(), F_OK) != 0);
}

}  // namespace

std::unique_ptr<FrameSource> open_frames(const std::string& file, DataType type,
                                         const Shape& shape) {
  if (needs_cfitsio(file)) {
    return std::make_unique<FitsFrames>(open_fits_images(file), file, type, shape);
  }
  const std::string name = file == "-" ? "standard input" : file;
  FileDescriptor input = open_input(file);
  constexpr std::size_t card_bytes = 80;
  const std::size_t frame_bytes = shape.elements() * element_size(type);
  std::vector<std::byte> begun = read_to(std::min(card_bytes, frame_bytes), input, {}, name);
  if (may_be_fits(begun) && begun.size() < card_bytes) {
    // Small frames: whether they are frames shows in what follows.
    begun = read_to(card_bytes, input, std::move(begun), name);
  }
  if (looks_like_npy(begun)) {
    throw Error(Problem::failed, name, "is an npy file; frames must be raw or FITS");
  }
  if ((looks_like_fits(begun) || looks_like_gzip(begun)) && file != "-" &&
      std::filesystem::is_regular_file(file)) {
    return std::make_unique<FitsFrames>(open_fits_images(file), file, type, shape);
  }
  if (looks_like_fits(begun)) {
    auto bytes =
        std::make_shared<const std::vector<std::byte>>(read_to_end(input, std::move(begun), name));
    return std::make_unique<FitsFrames>(open_fits_images(std::move(bytes), name), name, type,
                                        shape);
  }
  widen_pipe(input.get(), frame_bytes);
  return std::make_unique<RawFrames>(std::move(input), name, std::move(begun));
}

}  // namespace shmim::tools
