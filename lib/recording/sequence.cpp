#include <cerrno>
#include <cstdio>
#include <utility>

#include <fmt/format.h>

#include "fits/image.hpp"
#include "recording/files.hpp"
#include "recording/journal.hpp"
#include "shmim/clock.hpp"
#include "shmim/error.hpp"

namespace shmim {
namespace recording {

/// What is known of the frames, until the table is written: on a disk, and gone with us.
class TemporaryJournal {
 public:
  TemporaryJournal() : file_(std::tmpfile()) {
    if (file_ == nullptr) {
      throw Error::system("the table of the frames", "there is no room for it until the end",
                          errno);
    }
  }
  void add(const std::string& bytes) {
    if (std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size()) {
      fail();
    }
  }
  /// Where it can be read.
  [[nodiscard]] std::filesystem::path path() {
    if (std::fflush(file_.get()) != 0) {
      fail();
    }
    return fmt::format("/proc/self/fd/{}", ::fileno(file_.get()));
  }

 private:
  [[noreturn]] static void fail() {
    throw Error::system("the table of the frames", "cannot be kept until the end", errno);
  }
  struct Close {
    void operator()(std::FILE* file) const noexcept { static_cast<void>(std::fclose(file)); }
  };
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace recording

class RecordingSequence::State {
 public:
  State(RecordedStream stream, std::uint64_t frames, WriteBytes write)
      : write_(std::move(write)), promised_(frames), known_(stream.keywords) {
    beginning_.stream = std::move(stream);
    beginning_.seconds_of_utc = tai_offset().count();
  }

  void write(const FrameInfo& info, std::uint64_t missed, const std::vector<Keyword>& keywords,
             std::span<const std::byte> pixels) {
    const RecordedStream& stream = beginning_.stream;
    if (pixels.size() != stream.frame_bytes() || written_ == promised_) {
      throw Error(Problem::usage, stream.name,
                  written_ == promised_ ? fmt::format("has its {} frames", promised_)
                                        : fmt::format("{} bytes given for a frame of {}",
                                                      pixels.size(), stream.frame_bytes()));
    }
    if (beginning_.header_bytes == 0) {
      const Tai time = is_date(info.atime) ? info.atime : info.writetime;
      const std::vector<std::byte> header =
          recording::first_header(stream, promised_, is_date(time) ? time : never);
      beginning_.header_bytes = header.size();
      journal_.add(recording::to_journal(beginning_));
      write_(header);
    }
    fits::encode_in_pieces(stream.type, pixels, write_);
    journal_.add(recording::to_journal(recording::journal_frame(info, missed, known_, keywords)));
    known_ = keywords;
    ++written_;
  }

  [[nodiscard]] std::vector<std::byte> finish() {
    if (written_ == 0) {
      return {};
    }
    const std::filesystem::path journal = journal_.path();
    const recording::Summary summary = recording::summarize(journal, written_);
    recording::write_table(write_, journal, beginning_, summary);
    return recording::last_header(beginning_, summary);
  }

  [[nodiscard]] std::uint64_t written() const noexcept { return written_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept {
    const RecordedStream& stream = beginning_.stream;
    return beginning_.header_bytes +
           written_ * fits::encoded_bytes(stream.type, stream.frame_bytes());
  }

 private:
  WriteBytes write_;
  std::uint64_t promised_;
  recording::Beginning beginning_;
  std::vector<Keyword> known_;
  recording::TemporaryJournal journal_;
  std::uint64_t written_ = 0;
};

RecordingSequence::RecordingSequence(RecordedStream stream, std::uint64_t frames, WriteBytes write)
    : state_(std::make_unique<State>(std::move(stream), frames, std::move(write))) {}
RecordingSequence::~RecordingSequence() = default;
RecordingSequence::RecordingSequence(RecordingSequence&&) noexcept = default;
RecordingSequence& RecordingSequence::operator=(RecordingSequence&&) noexcept = default;

void RecordingSequence::write(const FrameInfo& info, std::uint64_t missed,
                              const std::vector<Keyword>& keywords,
                              std::span<const std::byte> pixels) {
  state_->write(info, missed, keywords, pixels);
}
std::vector<std::byte> RecordingSequence::finish() { return state_->finish(); }
std::uint64_t RecordingSequence::frames() const noexcept { return state_->written(); }
std::uint64_t RecordingSequence::bytes() const noexcept { return state_->bytes(); }

}  // namespace shmim
