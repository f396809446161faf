#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
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

/// What is new in `keywords`, and what is gone, since they were `before`.
void compare(const std::vector<Keyword>& before, const std::vector<Keyword>& keywords,
             JournalFrame& frame) {
  if (before == keywords) {
    return;
  }
  for (const Keyword& keyword : keywords) {
    if (std::ranges::find(before, keyword) == before.end()) {
      frame.set.push_back(keyword);
    }
  }
  for (const Keyword& keyword : before) {
    if (std::ranges::find(keywords, keyword.name, &Keyword::name) == keywords.end()) {
      frame.erased.push_back(keyword.name);
    }
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
  explicit JournalWriter(const std::string& path)
      : path_(path), file_(::open(path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0666)) {
    if (file_.get() < 0) {
      throw Error::system(path, "cannot be made", errno);
    }
    static_cast<void>(is_locked_by_us(file_.get()));
  }
  /// Of frames whose pixels end there in the file.
  void add(std::string_view bytes, std::uint64_t pixels_end) {
    waiting_ += bytes;
    ends_.emplace_back(pixels_end, bytes.size());
  }
  /// Writes what tells of pixels that the system has.
  void write(std::uint64_t pixels_handed_over) {
    std::size_t bytes = 0;
    while (!ends_.empty() && ends_.front().first <= pixels_handed_over) {
      bytes += ends_.front().second;
      ends_.pop_front();
    }
    write_at(file_.get(), std::as_bytes(std::span(waiting_).first(bytes)), size_, path_);
    size_ += bytes;
    waiting_.erase(0, bytes);
  }
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
    if (!options.replaces && std::filesystem::exists(names_.whole)) {
      throw Error(Problem::exists, names_.whole.string(), "exists");
    }
    if (is_unfinished(names_.whole)) {
      throw Error(Problem::exists, names_.whole.string(),
                  "is being recorded, or was left unfinished by a recorder that is gone");
    }
    journal_.emplace(names_.journal.string());
    pixels_.emplace(names_.pixels.string(), options.direct);
    const std::vector<std::byte> header = recording::first_header(stream);
    put(header.size(), [&](std::span<std::byte> room, std::size_t at) {
      std::memcpy(room.data(), &header[at], room.size());
    });
    journal_->add(recording::to_journal({stream, header.size(), tai_offset().count()}), 0);
    journal_->write(0);
    pixels_->flush();
  }

  void write(const FrameInfo& info, std::uint64_t missed, const std::vector<Keyword>& keywords,
             std::span<const std::byte> pixels) {
    if (pixels.size() != stream_.frame_bytes()) {
      throw Error(
          Problem::usage, names_.whole.string(),
          fmt::format("{} bytes given for a frame of {}", pixels.size(), stream_.frame_bytes()));
    }
    const std::size_t size = element_size(stream_.type);
    const std::size_t encoded_size = fits::encoded_bytes(stream_.type, size);
    put(fits::encoded_bytes(stream_.type, pixels.size()),
        [&](std::span<std::byte> room, std::size_t at) {
          fits::encode(stream_.type,
                       pixels.subspan(at / encoded_size * size, room.size() / encoded_size * size),
                       room);
        });
    recording::JournalFrame frame{info, missed, {}, {}};
    recording::compare(known_, keywords, frame);
    known_ = keywords;
    journal_->add(recording::to_journal(frame), pixels_->size());
    journal_->write(pixels_->handed_over());
    ++frames_;
  }

  void flush() {
    pixels_->flush();
    journal_->write(pixels_->handed_over());
  }

  void sync() {
    pixels_->sync();
    journal_->write(pixels_->handed_over());
    journal_->sync();
  }

  void finish() {
    try {
      flush();
    } catch (const Error& error) {
      if (error.problem() != Problem::no_space) {
        throw;
      }
    }
    pixels_.reset();
    frames_ = recording::make_whole(names_, options_.replaces);
    journal_.reset();
  }

  void discard() {
    pixels_.reset();
    std::filesystem::remove(names_.pixels);
    std::filesystem::remove(names_.journal);
    journal_.reset();
  }

  [[nodiscard]] std::uint64_t frames() const noexcept { return frames_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return frames_ * stream_.frame_bytes(); }

 private:
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
    throw Error(Problem::not_found, names.whole.string(),
                std::filesystem::exists(names.whole) ? "is whole: there is nothing to repair"
                                                     : "no recording of that name was left");
  }
  if (journal.get() < 0) {
    throw Error::system(names.journal.string(), "cannot be written", errno);
  }
  if (!recording::is_locked_by_us(journal.get())) {
    throw Error(Problem::claimed, names.whole.string(), "is being recorded");
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

bool is_unfinished(const std::filesystem::path& file) {
  const recording::Names names = recording::names_of(file);
  return std::filesystem::exists(names.journal) || std::filesystem::exists(names.pixels);
}

}  // namespace shmim
