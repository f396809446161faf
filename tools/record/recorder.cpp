#include "record/recorder.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <shmim/fits.hpp>
#include <sys/statvfs.h>

#include "common/io/interrupt.hpp"
#include "common/io/scheduling.hpp"
#include "common/io/stdout.hpp"
#include "common/print/frame_record.hpp"
#include "common/print/words.hpp"
#include "record/compressor.hpp"

namespace shmim::tools {

using std::chrono::steady_clock;

Recorder::Recorder(const Run& run, Reference reference)
    : run_(run), reference_(std::move(reference)) {
  file_name_ = run_.names.next(reference_.name, 1);
  require_room_for_recording(file_name_, run_.wanted.files);
  open();
}

Recorder::~Recorder() {
  if (thread_.joinable()) {
    run_.ends = true;
    thread_.join();
  }
}

void Recorder::start() {
  thread_ = std::thread([this] {
    try {
      run();
    } catch (...) {
      fail(std::current_exception());
    }
    has_ended_ = true;
  });
}

// ---- Taking.

void Recorder::open() {
  const Stream stream = run_.context.open(reference_);
  const bool is_of_plane = follows_planes(reference_.slice, stream.format());
  selection_ = selection_of(reference_.slice, stream.format(), is_of_plane);
  image_type_ = stream.format().image_type;
  // Before frames are due: to get the memory takes a while.
  queue_ = std::make_unique<FrameQueue>(selection_->bytes(), run_.wanted.buffer);
  if (!queue_->is_locked()) {
    run_.context.detail(reference_.name, "its buffer is not locked in memory: see ulimit -l");
  }
  FollowOptions options;
  options.whole_array = !is_of_plane;
  options.cancelled = [this] { return run_.ends || is_ending_ || interrupted(); };
  follower_.emplace(stream, std::move(options));
  run_.context.detail(reference_.name, follower_->describe_waiting());
}

void Recorder::run() {
  if (run_.wanted.taking_processor) {
    run_on_processor(*run_.wanted.taking_processor);
  }
  if (run_.wanted.priority) {
    take_realtime_priority(*run_.wanted.priority);
  }
  while (take_until_recreated()) {
    open();
  }
}

/// True where there is a stream in another format to go on with.
bool Recorder::take_until_recreated() {
  std::thread writing([this] {
    try {
      write();
    } catch (...) {
      fail(std::current_exception());
    }
  });
  std::optional<Arrival> end;
  std::exception_ptr failure;
  try {
    while (!end) {
      end = take_one();
      fill_ = queue_->fill();
    }
  } catch (...) {
    failure = std::current_exception();
  }
  queue_->end();
  writing.join();
  if (failure) {
    std::rethrow_exception(failure);
  }
  switch (*end) {
    case Arrival::recreated:
      note(fmt::format("was re-created with another format: {}", follower_->difference()));
      return !run_.ends && !is_ending_;
    case Arrival::removed:
      throw Error(Problem::removed, reference_.name, "was removed while it was recorded");
    case Arrival::timed_out:
      run_.patience.end(run_.context, *end, *follower_,
                        Patience::lacking(kept_, run_.wanted.count));
      break;
    case Arrival::arrived:
    case Arrival::interrupted:
      break;
  }
  return false;
}

/// How taking ends; nullopt where it goes on.
std::optional<Arrival> Recorder::take_one() {
  if (run_.wanted.count && kept_ == *run_.wanted.count) {
    return Arrival::arrived;
  }
  QueuedFrame& frame = queue_->begin();
  const auto order = run_.wanted.latest ? FrameOrder::latest : FrameOrder::every;
  const Arrival arrival = run_.patience.wait([&](const Deadline& deadline) {
    return follower_->next(
        order, deadline,
        [&](std::span<const std::byte> pixels) { selection_->take(pixels, frame.pixels); },
        frame.taken);
  });
  if (arrival != Arrival::arrived) {
    return arrival;
  }
  TakenFrame& taken = frame.taken;
  if (taken.missed > 0 && !run_.wanted.latest) {
    lose(taken.info.cnt0 - taken.missed, taken.info.cnt0 - 1, "not in the buffer in time");
  }
  if (taken_++ % run_.wanted.decimation != 0) {
    passed_over_ += taken.missed + 1;
    return std::nullopt;
  }
  taken.missed += std::exchange(passed_over_, 0);
  if (taken.inode != std::exchange(inode_of_clock_, taken.inode)) {
    clock_ = clock_of(follower_->stream());
  }
  taken.info.atime = on_tai(taken.info.atime, clock_);
  taken.info.writetime = on_tai(taken.info.writetime, clock_);
  frame.keywords = move_world(follower_->stream().keywords().all(), *selection_);
  queue_->push();
  ++kept_;
  return std::nullopt;
}

// ---- Writing.

void Recorder::write() {
  if (run_.wanted.writing_processor) {
    run_on_processor(*run_.wanted.writing_processor);
  }
  last_look_ = last_sync_ = steady_clock::now();
  try {
    for (;;) {
      const FrameQueue::State state = queue_->wait();
      note_overrun();
      if (state == FrameQueue::State::ended) {
        break;
      }
      if (state == FrameQueue::State::frame) {
        write_one(queue_->front());
        queue_->pop();
      } else if (file_) {
        file_->flush();  // so that little is lost to whoever is killed
      }
      if (const auto now = steady_clock::now();
          file_ && run_.wanted.sync && now - last_sync_ >= *run_.wanted.sync) {
        file_->sync();
        last_sync_ = now;
      }
      look_at_disk();
    }
  } catch (...) {
    // What was written is made whole all the same; why it is all there is is told later.
    const std::exception_ptr failure = std::current_exception();
    if (file_) {
      end_file();
    }
    std::rethrow_exception(failure);
  }
  if (file_) {
    end_file();
  }
}

void Recorder::write_one(QueuedFrame& frame) {
  if (file_ && is_file_over(frame)) {
    end_file();
  }
  if (!file_) {
    begin_file(frame);
  }
  file_->write(frame.taken.info, frame.taken.missed, frame.keywords, frame.pixels);
  missed_ += frame.taken.missed;
  ++written_;
  written_bytes_ += frame.pixels.size();
}

bool Recorder::is_file_over(const QueuedFrame& next) const {
  const Split& split = run_.wanted.split;
  return next.taken.inode != inode_ || (split.frames && file_->frames() >= *split.frames) ||
         (split.bytes && file_->bytes() + next.pixels.size() > *split.bytes) ||
         (split.time && steady_clock::now() - file_begin_ >= *split.time);
}

void Recorder::begin_file(const QueuedFrame& first) {
  if (files_ > 0 && first.taken.inode != inode_) {
    note("was re-created: another file begins");
  }
  RecordedStream stream;
  stream.name = reference_.name;
  stream.type = selection_->type();
  stream.shape = selection_->shape();
  stream.image_type = image_type_;
  stream.keywords = first.keywords;
  stream.trace = first.taken.trace;
  if (++files_ > 1) {
    const std::lock_guard lock(run_.mutex);
    file_name_ = run_.names.next(reference_.name, files_);
  }
  file_.emplace(file_name_, stream, run_.wanted.files);
  inode_ = first.taken.inode;
  missed_ = 0;
  file_begin_ = steady_clock::now();
  tell({{"event", "begin"}, {"name", reference_.name}, {"file", file_name_}});
}

void Recorder::end_file() {
  const std::uint64_t wanted = file_->frames();
  file_->finish();
  const std::uint64_t frames = file_->frames();
  file_.reset();
  if (frames < wanted) {
    written_ -= wanted - frames;
    const std::lock_guard lock(mutex_);
    lost_frames_ += wanted - frames;
    lost_ranges_.push_back(fmt::format("the last {} (the disk is full)", wanted - frames));
  }
  note(fmt::format("{} in {}{}", counted(frames, "frame"), file_name_,
                   missed_ > 0 ? fmt::format(", {} lacking between them", missed_) : ""));
  tell({{"event", "end"},
        {"name", reference_.name},
        {"file", file_name_},
        {"frames", frames},
        {"missed", missed_}});
  if (run_.compressor != nullptr) {
    run_.compressor->add(reference_.name, file_name_);
  }
}

void Recorder::look_at_disk() {
  constexpr std::chrono::milliseconds often{200};
  if (!file_ || steady_clock::now() - last_look_ < often) {
    return;
  }
  last_look_ = steady_clock::now();
  struct statvfs disk {};
  const std::filesystem::path file(file_name_);
  const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  if (::statvfs(folder.c_str(), &disk) != 0) {
    return;
  }
  const std::uint64_t left = disk.f_bavail * disk.f_frsize;
  if (left < run_.wanted.reserve) {
    throw Error(
        Problem::no_space, folder.string(),
        fmt::format("less is left on the disk than is to be kept free: {}", counted(left, "byte")));
  }
  const Seconds passed = last_look_ - file_begin_;
  const double rate = static_cast<double>(file_->bytes()) / std::max(passed.count(), 0.1);
  constexpr double near = 60;
  const double until_full = static_cast<double>(left - run_.wanted.reserve) / std::max(rate, 1.0);
  if (until_full < near && !std::exchange(has_warned_, true)) {
    note(fmt::format("the disk will be full in {}", in_words(Seconds(until_full))));
  }
}

void Recorder::note_overrun() {
  for (const FrameQueue::Range& range : queue_->take_overrun()) {
    lose(range.first, range.last, "the disk was too slow for --buffer");
  }
}

// ---- What is said.

void Recorder::lose(std::uint64_t first, std::uint64_t last, const char* why) {
  tell({{"event", "lost"},
        {"name", reference_.name},
        {"first", first},
        {"last", last},
        {"why", why}});
  const std::lock_guard lock(mutex_);
  lost_frames_ += last - first + 1;
  constexpr std::size_t most = 10;
  if (lost_ranges_.size() <= most) {
    const std::string range =
        first == last ? fmt::format("{}", first) : fmt::format("{}-{}", first, last);
    lost_ranges_.push_back(lost_ranges_.size() == most ? "..."
                                                       : fmt::format("{} ({})", range, why));
  }
}

void Recorder::note(const std::string& message) const {
  const std::lock_guard lock(run_.mutex);
  if (run_.shows_progress) {
    fmt::print(stderr, "{}", clear_line);
  }
  run_.context.note(reference_.name, message);
}

void Recorder::tell(const Record& event) const {
  if (run_.context.json()) {
    const std::lock_guard lock(run_.mutex);
    write_stdout(to_json_line(event));
  }
}

void Recorder::fail(std::exception_ptr failure) noexcept {
  const std::lock_guard lock(mutex_);
  failure_ = failure_ ? failure_ : std::move(failure);
  is_ending_ = true;
}

Exit Recorder::join() {
  thread_.join();
  if (lost_frames_ > 0) {
    note(fmt::format("{} lacking: {}", counted(lost_frames_, "frame"),
                     fmt::join(lost_ranges_, ", ")));
  }
  return run_.context.about(reference_, [this] {
    if (failure_) {
      std::rethrow_exception(failure_);
    }
    if (run_.wanted.count && kept_ < *run_.wanted.count && !run_.patience.has_end()) {
      note(*Patience::lacking(kept_, run_.wanted.count));
      return Exit::failed;
    }
    return Exit::done;
  });
}

}  // namespace shmim::tools
