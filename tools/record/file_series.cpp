#include "record/file_series.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/statvfs.h>

#include "common/print/words.hpp"
#include "record/compressor.hpp"
#include "record/flight_recorder.hpp"

namespace shmim::tools {

using std::chrono::steady_clock;

FileSeries::FileSeries(std::string stream, const WantedFiles& wanted, FileNames& names,
                       bool names_now, Reporter& reporter, Compressor* compressor)
    : stream_(std::move(stream)),
      wanted_(wanted),
      names_(names),
      reporter_(reporter),
      compressor_(compressor),
      has_name_(names_now) {
  file_name_ = names_now ? names_.next(stream_, 1) : names_.peek(stream_, 1);
  require_room_for_recording(file_name_, wanted_.options);
}

void FileSeries::write(const QueuedFrame& frame) {
  if (file_ && is_over(frame)) {
    no_room_ += end();
  }
  if (!file_) {
    begin(frame);
  }
  file_->write(frame.taken.info, frame.taken.missed, *frame.keywords, frame.pixels);
  missed_ += frame.taken.missed;
}

bool FileSeries::is_over(const QueuedFrame& next) const {
  const Split& split = wanted_.split;
  return next.taken.inode != inode_ || next.trigger != trigger_ ||
         (split.frames && file_->frames() >= *split.frames) ||
         (split.bytes && file_->bytes() + next.pixels.size() > *split.bytes) ||
         (split.time && steady_clock::now() - begin_ >= *split.time);
}

void FileSeries::begin(const QueuedFrame& first) {
  if (count_ > 0 && first.taken.inode != inode_ && first.trigger == trigger_) {
    reporter_.note(stream_, "was re-created: another file begins");
  }
  RecordedStream stream = format_;
  stream.keywords = *first.keywords;
  stream.trace = first.taken.trace;
  if (first.trigger) {
    stream.trigger = *first.trigger;
  }
  ++count_;
  if (!std::exchange(has_name_, false)) {
    file_name_ = names_.next(stream_, count_);
  }
  file_.emplace(file_name_, stream, wanted_.options);
  inode_ = first.taken.inode;
  trigger_ = first.trigger;
  missed_ = 0;
  begin_ = steady_clock::now();
  Record event{{"event", "begin"}, {"name", stream_}, {"file", file_name_}};
  if (trigger_) {
    event["trigger"] = trigger_->what;
  }
  reporter_.tell(event);
}

std::uint64_t FileSeries::end() {
  if (!file_) {
    return std::exchange(no_room_, 0);
  }
  const std::uint64_t wanted = file_->frames();
  file_->finish();
  const std::uint64_t frames = file_->frames();
  file_.reset();
  const auto event = std::static_pointer_cast<const FlightEvent>(trigger_);
  const std::uint64_t others = event ? event->others.load() : 0;
  reporter_.note(
      stream_,
      fmt::format("{} in {}{}{}", counted(frames, "frame"), file_name_,
                  missed_ > 0 ? fmt::format(", {} lacking between them", missed_) : "",
                  others > 0 ? fmt::format("; {} more meanwhile", counted(others, "event")) : ""));
  reporter_.tell({{"event", "end"},
                  {"name", stream_},
                  {"file", file_name_},
                  {"frames", frames},
                  {"missed", missed_}});
  if (compressor_ != nullptr) {
    compressor_->add(stream_, file_name_);
  }
  return std::exchange(no_room_, 0) + wanted - frames;
}

void FileSeries::flush() {
  if (file_) {
    file_->flush();
  }
}

void FileSeries::look_around() {
  if (!file_) {
    return;
  }
  const auto now = steady_clock::now();
  if (wanted_.sync && now - last_sync_ >= *wanted_.sync) {
    file_->sync();
    last_sync_ = now;
  }
  constexpr std::chrono::milliseconds often{200};
  if (now - last_look_ >= often) {
    last_look_ = now;
    look_at_disk();
  }
}

void FileSeries::look_at_disk() {
  struct statvfs disk {};
  const std::filesystem::path file(file_name_);
  const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  if (::statvfs(folder.c_str(), &disk) != 0) {
    return;
  }
  const std::uint64_t left = disk.f_bavail * disk.f_frsize;
  if (left < wanted_.reserve) {
    throw Error(
        Problem::no_space, folder.string(),
        fmt::format("less is left on the disk than is to be kept free: {}", counted(left, "byte")));
  }
  const Seconds passed = last_look_ - begin_;
  const double rate = static_cast<double>(file_->bytes()) / std::max(passed.count(), 0.1);
  constexpr double near = 60;
  const double until_full = static_cast<double>(left - wanted_.reserve) / std::max(rate, 1.0);
  if (until_full < near && !std::exchange(has_warned_, true)) {
    reporter_.note(stream_,
                   fmt::format("the disk will be full in {}", in_words(Seconds(until_full))));
  }
}

}  // namespace shmim::tools
