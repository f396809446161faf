#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fits/image.hpp"
#include "recording/files.hpp"
#include "recording/journal.hpp"
#include "recording/pixel_file.hpp"
#include "shmim/clock.hpp"
#include "shmim/error.hpp"

namespace shmim {
namespace recording {
namespace {

constexpr std::string_view pixels_suffix = ".part";
constexpr std::string_view journal_suffix = ".times";

bool is_locked_by_us(int file) { return ::flock(file, LOCK_EX | LOCK_NB) == 0; }

/// False where it has been removed since it was opened, and perhaps another has its name.
bool has_name(int file, const std::filesystem::path& path) {
  struct stat opened {};
  struct stat named {};
  return ::fstat(file, &opened) == 0 && ::stat(path.c_str(), &named) == 0 &&
         opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

Error is_under_way(const Names& names) {
  return {Problem::exists, names.whole.string(),
          "is being recorded, or was left unfinished by a recorder that is gone"};
}

void remove(const std::filesystem::path& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    throw Error::system(path.string(), "cannot be removed", errno);
  }
}

}  // namespace

Names names_of(const std::filesystem::path& file) {
  const std::filesystem::path whole = recording_name(file);
  const auto beside = [&whole](std::string_view suffix) {
    return whole.parent_path() / fmt::format(".{}{}", whole.filename().string(), suffix);
  };
  return {whole, beside(pixels_suffix), beside(journal_suffix)};
}

/// The journal on its way to the disk: never before the pixels that it tells of.
class JournalWriter {
 public:
  explicit JournalWriter(const Names& names)
      : path_(names.journal.string()),
        file_(::open(path_.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0666)) {
    if (file_.get() < 0) {
      throw errno == EEXIST ? is_under_way(names) : Error::system(path_, "cannot be made", errno);
    }
    // Somebody who repairs may have taken it for one that was left.
    const bool is_taken = !is_locked_by_us(file_.get()) && errno == EWOULDBLOCK;
    if (is_taken || !has_name(file_.get(), names.journal)) {
      throw is_under_way(names);
    }
  }
  /// Of frames whose pixels end there in the file.
  void add(std::string_view bytes, std::uint64_t pixels_end) {
    waiting_ += bytes;
    ends_.emplace_back(pixels_end, bytes.size());
  }
  /// Writes what tells of pixels that the system has.
  void write(std::uint64_t pixels_handed_over) {
    const auto end = std::ranges::find_if(
        ends_, [&](const auto& frame) { return frame.first > pixels_handed_over; });
    std::size_t bytes = 0;
    std::for_each(ends_.begin(), end, [&bytes](const auto& frame) { bytes += frame.second; });
    write_at(file_.get(), std::as_bytes(std::span(waiting_).first(bytes)), size_, path_);
    // Not before it is written: where it failed, it is tried again.
    ends_.erase(ends_.begin(), end);
    size_ += bytes;
    waiting_.erase(0, bytes);
  }
  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_.size(); }
  void sync() const {
    if (::fdatasync(file_.get()) != 0) {
      throw Error::system(path_, "cannot be written", errno);
    }
  }

 private:
  std::string path_;
  FileDescriptor file_;
  std::string waiting_;
  std::deque<std::pair<std::uint64_t, std::size_t>> ends_;
  std::uint64_t size_ = 0;
};

}  // namespace recording

class RecordingWriter::Files {
 public:
  Files(const std::filesystem::path& file, const RecordedStream& stream, RecordingOptions options)
      : names_(recording::names_of(file)),
        stream_(stream),
        options_(options),
        known_(stream.keywords) {
    if (stream.frame_bytes() == 0) {
      throw Error(Problem::usage, names_.whole.string(), "a frame of no pixels cannot be recorded");
    }
    require_room_for_recording(names_.whole, options);
    const std::vector<std::byte> header = recording::first_header(stream);
    journal_.emplace(names_);
    try {
      pixels_.emplace(names_.pixels.string(), options.direct);
      // Before all pixels: without it they are none.
      journal_->add(recording::to_journal({stream, header.size(), tai_offset().count()}), 0);
      journal_->write(0);
      put(header.size(), [&](std::span<std::byte> room, std::size_t at) {
        std::memcpy(room.data(), &header[at], room.size());
      });
      pixels_->flush();
    } catch (...) {
      if (pixels_) {
        ::unlink(names_.pixels.c_str());
      }
      ::unlink(names_.journal.c_str());
      throw;
    }
  }

  void write(const FrameInfo& info, std::uint64_t missed, const std::vector<Keyword>& keywords,
             std::span<const std::byte> pixels) {
    if (pixels.size() != stream_.frame_bytes()) {
      throw Error(
          Problem::usage, names_.whole.string(),
          fmt::format("{} bytes given for a frame of {}", pixels.size(), stream_.frame_bytes()));
    }
    // Behind a piece of a frame no other would be in its place.
    if (!pixels_ || !std::exchange(is_sound_, false)) {
      throw Error(Problem::failed, names_.whole.string(),
                  pixels_ ? "a frame could not be written: no more can be" : "is finished");
    }
    const std::size_t size = element_size(stream_.type);
    const std::size_t encoded_size = fits::encoded_bytes(stream_.type, size);
    put(fits::encoded_bytes(stream_.type, pixels.size()),
        [&](std::span<std::byte> room, std::size_t at) {
          fits::encode(stream_.type,
                       pixels.subspan(at / encoded_size * size, room.size() / encoded_size * size),
                       room);
        });
    journal_->add(recording::to_journal(recording::journal_frame(info, missed, known_, keywords)),
                  pixels_->size());
    known_ = keywords;
    ++frames_;
    // Of small frames more is known than there are pixels.
    constexpr std::size_t large = std::size_t{1} << 20;
    if (journal_->waiting() > large) {
      flush();
    }
    journal_->write(pixels_->handed_over());
    is_sound_ = true;
  }

  void flush() {
    pixels_->flush();
    journal_->write(pixels_->handed_over());
  }

  void sync() {
    pixels_->sync();
    journal_->write(pixels_->handed_over());
    journal_->sync();
    recording::sync_directory(names_.whole);
  }

  void finish() {
    if (pixels_) {
      hand_over();
    }
    pixels_.reset();
    frames_ = recording::make_whole(names_, options_.replaces);
    journal_.reset();
  }

  void discard() {
    pixels_.reset();
    recording::remove(names_.pixels);
    recording::remove(names_.journal);
    journal_.reset();
  }

  [[nodiscard]] std::uint64_t frames() const noexcept { return frames_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return frames_ * stream_.frame_bytes(); }

 private:
  /// As many frames as the disk has room for: the last of them give theirs to the journal of those
  /// before, without which they are none.
  void hand_over() {
    const auto fits = [](const auto& write) {
      try {
        write();
        return true;
      } catch (const Error& error) {
        if (error.problem() != Problem::no_space) {
          throw;
        }
        return false;
      }
    };
    fits([this] { pixels_->flush(); });
    constexpr std::uint64_t block = 4096;  // of a disk: less than one gives no room
    while (!fits([this] { journal_->write(pixels_->handed_over()); }) &&
           pixels_->give_back(block)) {
    }
  }

  /// Fills the file with so many bytes, as they come from fill(part of the file, from where).
  template <class Fill>
  void put(std::size_t bytes, const Fill& fill) {
    for (std::size_t at = 0; at < bytes;) {
      std::span<std::byte> room = pixels_->room();
      room = room.first(std::min(room.size(), bytes - at));
      fill(room, at);
      pixels_->advance(room.size());
      at += room.size();
    }
  }

  recording::Names names_;
  RecordedStream stream_;
  RecordingOptions options_;
  std::vector<Keyword> known_;
  std::optional<recording::JournalWriter> journal_;
  std::optional<recording::PixelFile> pixels_;
  std::uint64_t frames_ = 0;
  bool is_sound_ = true;  ///< the file ends behind a frame, and the journal with it
};

RecordingWriter::RecordingWriter(const std::filesystem::path& file, const RecordedStream& stream,
                                 RecordingOptions options)
    : files_(std::make_unique<Files>(file, stream, options)) {}
RecordingWriter::~RecordingWriter() = default;
RecordingWriter::RecordingWriter(RecordingWriter&&) noexcept = default;
RecordingWriter& RecordingWriter::operator=(RecordingWriter&&) noexcept = default;

void RecordingWriter::write(const FrameInfo& info, std::uint64_t missed,
                            const std::vector<Keyword>& keywords,
                            std::span<const std::byte> pixels) {
  files_->write(info, missed, keywords, pixels);
}
void RecordingWriter::flush() { files_->flush(); }
void RecordingWriter::sync() { files_->sync(); }
void RecordingWriter::finish() { files_->finish(); }
void RecordingWriter::discard() { files_->discard(); }
std::uint64_t RecordingWriter::frames() const noexcept { return files_->frames(); }
std::uint64_t RecordingWriter::bytes() const noexcept { return files_->bytes(); }

std::uint64_t repair_recording(const std::filesystem::path& file, bool replaces) {
  const recording::Names names = recording::names_of(file);
  const FileDescriptor journal(::open(names.journal.c_str(), O_RDWR | O_CLOEXEC));
  if (journal.get() < 0 && errno == ENOENT) {
    if (recording::is_there(names.pixels)) {
      throw Error(Problem::failed, names.journal.string(),
                  fmt::format("is gone: what is in {} is not known", names.pixels.string()));
    }
    throw Error(Problem::not_found, names.whole.string(),
                recording::is_there(names.whole) ? "is whole: there is nothing to repair"
                                                 : "no recording of that name was left");
  }
  if (journal.get() < 0) {
    throw Error::system(names.journal.string(), "cannot be written", errno);
  }
  if (!recording::is_locked_by_us(journal.get())) {
    throw errno == EWOULDBLOCK ? Error(Problem::claimed, names.whole.string(), "is being recorded")
                               : Error::system(names.journal.string(), "cannot be locked", errno);
  }
  if (!recording::has_name(journal.get(), names.journal)) {  // a recorder ended just now
    throw Error(Problem::not_found, names.whole.string(), "is whole: there is nothing to repair");
  }
  return recording::make_whole(names, replaces);
}

std::filesystem::path recording_name(const std::filesystem::path& file) {
  const std::string name = file.filename().string();
  for (const std::string_view suffix : {recording::pixels_suffix, recording::journal_suffix}) {
    if (name.starts_with('.') && name.ends_with(suffix) && name.size() > suffix.size() + 1) {
      return file.parent_path() / name.substr(1, name.size() - suffix.size() - 1);
    }
  }
  return file;
}

void require_room_for_recording(const std::filesystem::path& file,
                                const RecordingOptions& options) {
  const std::string name = file.string();
  std::error_code none;
  if (!file.has_filename() || std::filesystem::is_directory(file, none)) {
    throw Error(Problem::usage, name, "is not the name of a file");
  }
  if (file.has_parent_path() && !std::filesystem::is_directory(file.parent_path(), none)) {
    throw Error(Problem::no_directory, name, "cannot be made: there is no such directory");
  }
  if (!options.replaces && recording::is_there(file)) {
    throw Error(Problem::exists, name, "exists");
  }
  if (is_unfinished(file)) {
    throw recording::is_under_way(recording::names_of(file));
  }
}

bool is_unfinished(const std::filesystem::path& file) {
  const recording::Names names = recording::names_of(file);
  return recording::is_there(names.journal) || recording::is_there(names.pixels);
}

}  // namespace shmim
