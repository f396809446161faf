#include "fits/compress.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fits/cfitsio.hpp"
#include "fits/image.hpp"
#include "fits/open.hpp"
#include "recording/files.hpp"
#include "recording/pixel_file.hpp"
#include "shmim/error.hpp"
#include "shmim/file.hpp"
#include "shmim/recording.hpp"

namespace shmim {
namespace recording {
namespace {

/// The file that is compressed, and is nobody else's to compress.
class PlainFile {
 public:
  explicit PlainFile(const std::filesystem::path& path)
      : path_(path), file_(::open(path.c_str(), O_RDWR | O_CLOEXEC)) {
    if (file_.get() < 0) {
      throw Error::system(path.string(), "cannot be compressed", errno);
    }
    if (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0) {
      throw errno == EWOULDBLOCK
          ? Error(Problem::claimed, path.string(), "is being compressed already")
          : Error::system(path.string(), "cannot be locked", errno);
    }
    ::fstat(file_.get(), &status_);
  }
  [[nodiscard]] int get() const noexcept { return file_.get(); }
  [[nodiscard]] mode_t mode() const noexcept { return status_.st_mode; }
  [[nodiscard]] std::uint64_t bytes() const noexcept {
    return static_cast<std::uint64_t>(status_.st_size);
  }
  /// False where another has its name by now.
  [[nodiscard]] bool has_name() const noexcept {
    struct stat named {};
    return ::stat(path_.c_str(), &named) == 0 && named.st_ino == status_.st_ino &&
           named.st_dev == status_.st_dev;
  }

 private:
  std::filesystem::path path_;
  FileDescriptor file_;
  struct stat status_ {};
};

/// The file that takes its place. It is removed if it does not come to that.
class PackedFile {
 public:
  explicit PackedFile(const std::filesystem::path& whole)
      : path_(whole.parent_path() / fmt::format(".{}.fz", whole.filename().string())) {
    ::unlink(path_.c_str());  // of one who was killed
    file_ = FileDescriptor(::open(path_.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0666));
    if (file_.get() < 0) {
      throw Error::system(path_.string(), "cannot be made", errno);
    }
  }
  ~PackedFile() {
    if (!path_.empty()) {
      ::unlink(path_.c_str());
    }
  }
  PackedFile(const PackedFile&) = delete;
  PackedFile(PackedFile&&) = delete;
  PackedFile& operator=(const PackedFile&) = delete;
  PackedFile& operator=(PackedFile&&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  [[nodiscard]] std::uint64_t bytes() const {
    struct stat status {};
    ::fstat(file_.get(), &status);
    return static_cast<std::uint64_t>(status.st_size);
  }
  /// Appends what stands in another file, from some place on to its end.
  void append(const PlainFile& from, std::uint64_t begin) {
    constexpr std::size_t piece = std::size_t{1} << 20;
    std::vector<std::byte> bytes(piece);
    std::uint64_t end = this->bytes();
    for (;;) {
      const ssize_t count =
          ::pread(from.get(), bytes.data(), bytes.size(), static_cast<off_t>(begin));
      if (count < 0) {
        throw Error::system(path_.string(), "the table cannot be read", errno);
      }
      if (count == 0) {
        return;
      }
      write_at(file_.get(), std::span(bytes).first(static_cast<std::size_t>(count)), end,
               path_.string());
      begin += static_cast<std::uint64_t>(count);
      end += static_cast<std::uint64_t>(count);
    }
  }
  /// On the disk, and by that name.
  void take_place_of(const PlainFile& plain, const std::filesystem::path& name) {
    ::fchmod(file_.get(), plain.mode());
    if (::fsync(file_.get()) != 0) {
      throw Error::system(path_.string(), "cannot be written", errno);
    }
    if (!plain.has_name()) {
      throw Error(Problem::failed, name.string(), "was replaced while it was compressed");
    }
    if (::rename(path_.c_str(), name.c_str()) != 0) {
      throw Error::system(name.string(), "cannot be named", errno);
    }
    path_.clear();
    sync_directory(name);
  }
  void begin() {
    write_at(file_.get(), fits::image_header(Hdu::primary, DataType::uint8, {}, {}), 0,
             path_.string());
  }

 private:
  std::filesystem::path path_;
  FileDescriptor file_;
};

/// Where the table begins in the file. Throws Error where something else follows it.
std::uint64_t begin_of_table(const cfitsio::File& file) {
  using cfitsio::Functions;
  LONGLONG header = 0;
  LONGLONG data = 0;
  LONGLONG end = 0;
  constexpr int table = 2;
  constexpr int behind_it = 3;
  const bool is_last = fits::move_to(file, table) &&
                       (file.call(&Functions::fits_get_hduaddrll, &header, &data, &end),
                        !fits::move_to(file, behind_it));
  if (!is_last) {
    throw Error(Problem::failed, file.subject(),
                "is no recording as it was written: it has other HDUs than the frames and their "
                "table");
  }
  fits::move_to(file, 1);
  return static_cast<std::uint64_t>(header);
}

/// A link stays one.
std::filesystem::path without_links(const std::filesystem::path& file) {
  std::error_code none;
  return std::filesystem::is_symlink(file, none) ? std::filesystem::weakly_canonical(file, none)
                                                 : file;
}

bool reads_the_same(const RecordedStream& left, const RecordedStream& right) {
  return left.name == right.name && left.type == right.type && left.shape == right.shape &&
         left.image_type == right.image_type && left.keywords == right.keywords;
}

}  // namespace
}  // namespace recording

CompressedRecording compress_recording(const std::filesystem::path& file,
                                       const std::function<bool(double)>& goes_on) {
  const std::filesystem::path name = recording::without_links(file);
  const auto continues = [&goes_on](double done) { return !goes_on || goes_on(done); };
  const recording::PlainFile plain(name);
  const Recording before(name);
  CompressedRecording result{CompressedRecording::End::done, plain.bytes(), plain.bytes()};
  const auto left_as_it_is = [&result](CompressedRecording::End why) {
    result.end = why;
    return result;
  };
  const auto opened = fits::open_file(name.string(), name.string());
  fits::move_to_first_image(*opened);
  if (opened->is_compressed()) {
    return left_as_it_is(CompressedRecording::End::was_compressed);
  }
  if (!fits::is_compressible(before.stream().type, fits::axes_of(*opened).size())) {
    return left_as_it_is(CompressedRecording::End::impossible);
  }
  const std::uint64_t table = recording::begin_of_table(*opened);
  recording::PackedFile packed(name);
  packed.begin();
  if (!fits::compress_image(*opened, packed.path().string(), name.string(), continues)) {
    return left_as_it_is(CompressedRecording::End::cancelled);
  }
  packed.append(plain, table);
  if (packed.bytes() >= plain.bytes()) {
    return left_as_it_is(CompressedRecording::End::not_smaller);
  }
  if (const Recording after(packed.path());
      !recording::reads_the_same(before.stream(), after.stream()) ||
      before.frames() != after.frames()) {
    throw Error(Problem::failed, name.string(), "what stands in its header would read otherwise");
  }
  result.bytes = packed.bytes();
  packed.take_place_of(plain, name);
  return result;
}

}  // namespace shmim
