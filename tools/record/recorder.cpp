#include "record/recorder.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <shmim/fits.hpp>

#include "common/io/interrupt.hpp"
#include "common/io/scheduling.hpp"
#include "common/print/words.hpp"

namespace shmim::tools {

using std::chrono::steady_clock;

Recorder::Recorder(const Run& run, Reference reference)
    : run_(run),
      reference_(std::move(reference)),
      files_(reference_.name, run.wanted.files, run.names, !holds(), run.reporter, run.compressor) {
  if (holds()) {
    watch_.emplace(run_.wanted.triggers, [this](const std::string& what, const std::string& why) {
      run_.flight->report(what, reference_.name, why);
    });
  }
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
  RecordedStream format;
  format.name = reference_.name;
  format.type = selection_->type();
  format.shape = selection_->shape();
  format.image_type = stream.format().image_type;
  files_.set_format(std::move(format));
  // Before frames are due: the first of the memory is got here.
  auto queue = std::make_shared<FrameQueue>(selection_->bytes(), run_.wanted.queue);
  if (!queue->is_locked()) {
    run_.context.detail(reference_.name, "its buffer is not locked in memory: see ulimit -l");
  }
  {
    const std::lock_guard lock(mutex_);
    queue_ = std::move(queue);
  }
  keywords_.reset();
  FollowOptions options;
  options.whole_array = !is_of_plane;
  // With a buffer there is time enough to watch, and the writer has not even to wake us; with a
  // large one to sleep for a while, but then most frames come without their trace. And of a
  // re-created stream we could claim a semaphore that is a trigger.
  constexpr std::uint32_t large = 16;
  const std::uint32_t slots = stream.format().circular_buffer;
  options.passive = holds() && (slots > 0 || stream.format().is_circular() ||
                                !run_.wanted.triggers.semaphores.empty());
  pauses_ = holds() && slots >= large && run_.wanted.triggers.budgets.empty();
  options.cancelled = [this] { return run_.ends || is_ending_ || interrupted(); };
  follower_.emplace(stream, std::move(options));
  run_.context.detail(reference_.name, follower_->describe_waiting());
  if (holds()) {
    watch_->begin(stream);
    recreations_ = 0;
    run_.flight->resume(*this);
  }
}

std::shared_ptr<FrameQueue> Recorder::queue() const {
  const std::lock_guard lock(mutex_);
  return queue_;
}

void Recorder::release(std::shared_ptr<const RecordedTrigger> trigger,
                       steady_clock::time_point until) {
  queue()->release(std::move(trigger), until);
}

std::size_t Recorder::held() const { return queue()->held(); }

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
      fill_.store(queue_->fill(), std::memory_order_relaxed);
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
      note(fmt::format("was re-created with another format: {}{}", follower_->difference(),
                       holds() ? ": what was held is gone" : ""));
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
  if (const Arrival arrival = await(frame); arrival != Arrival::arrived) {
    return arrival;
  }
  TakenFrame& taken = frame.taken;
  // Of one that is held nobody knows yet whether it will be in a file, which says what it lacks.
  if (taken.missed > 0 && !run_.wanted.latest && !holds()) {
    lose(taken.info.cnt0 - taken.missed, taken.info.cnt0 - 1, "not in the buffer in time");
  }
  // The queue may have it written, and its room used again, as soon as it is pushed.
  const std::optional<TakenFrame> watched = holds() ? std::optional(taken) : std::nullopt;
  if (taken_++ % run_.wanted.decimation != 0) {
    passed_over_ += taken.missed + 1;
  } else {
    taken.missed += std::exchange(passed_over_, 0);
    if (taken.inode != std::exchange(inode_of_clock_, taken.inode)) {
      clock_ = clock_of(follower_->stream());
    }
    taken.info.atime = on_tai(taken.info.atime, clock_);
    taken.info.writetime = on_tai(taken.info.writetime, clock_);
    frame.keywords = keywords_now();
    queue_->push();
    ++kept_;
  }
  if (watched) {
    look_at(*watched);
  }
  return std::nullopt;
}

Arrival Recorder::await(QueuedFrame& frame) {
  const auto order = run_.wanted.latest ? FrameOrder::latest : FrameOrder::every;
  const auto next = [&](const Deadline& deadline) {
    return follower_->next(
        order, deadline,
        [&](std::span<const std::byte> pixels) { selection_->take(pixels, frame.pixels); },
        frame.taken);
  };
  if (!pauses_ && !run_.wanted.triggers.need_looks()) {
    return run_.patience.wait(next);
  }
  return run_.patience.wait([&](const Deadline& deadline) {
    constexpr std::chrono::microseconds pause{500};
    constexpr std::chrono::milliseconds between_looks{10};
    for (;;) {
      const auto now = steady_clock::now();
      const auto look = pauses_ ? now : now + between_looks;
      const bool is_last = deadline && *deadline <= look;
      const Arrival arrival = next(is_last ? deadline : look);
      if (arrival != Arrival::timed_out || is_last) {
        return arrival;
      }
      watch_->look_between(follower_->stream());
      if (pauses_) {
        std::this_thread::sleep_for(pause);
      }
    }
  });
}

void Recorder::look_at(const TakenFrame& taken) {
  if (follower_->recreations() != std::exchange(recreations_, follower_->recreations())) {
    watch_->begin(follower_->stream());
  }
  watch_->look_at(follower_->stream(), taken);
  note_shortfall();
}

/// One list for as long as they stay the same: there may be a great many frames.
std::shared_ptr<const std::vector<Keyword>> Recorder::keywords_now() {
  std::vector<Keyword> now = follower_->stream().keywords().all();
  if (!keywords_ || now != as_they_are_) {
    keywords_ = std::make_shared<const std::vector<Keyword>>(move_world(now, *selection_));
    as_they_are_ = std::move(now);
  }
  return keywords_;
}

void Recorder::note_shortfall() {
  const auto shortfall = queue_->shortfall();
  if (!shortfall || std::exchange(has_told_shortfall_, true)) {
    return;
  }
  const Seconds wanted = *run_.wanted.queue.longest;
  const double times = wanted / Seconds(std::max(*shortfall, std::chrono::nanoseconds{1}));
  constexpr double bytes_in_mib = 1 << 20;
  const double enough = static_cast<double>(run_.wanted.queue.memory) / bytes_in_mib * times;
  note(fmt::format("memory holds {} of it, and not {}: --buffer {:.0f}MiB would be enough",
                   in_words(*shortfall), in_words(wanted), std::ceil(enough)));
}

// ---- Writing.

void Recorder::write() {
  if (run_.wanted.writing_processor) {
    run_on_processor(*run_.wanted.writing_processor);
  }
  try {
    write_until_end();
  } catch (...) {
    // What was written is made whole all the same; why it is all there is is told later.
    const std::exception_ptr failure = std::current_exception();
    end_file();
    std::rethrow_exception(failure);
  }
  end_whole_file();
}

void Recorder::write_until_end() {
  for (;;) {
    const FrameQueue::State state = queue_->wait();
    note_overrun();
    switch (state) {
      case FrameQueue::State::frame:
        files_.write(queue_->front());
        ++written_;
        written_bytes_ += queue_->front().pixels.size();
        queue_->pop();
        break;
      case FrameQueue::State::none_yet:
        files_.flush();
        break;
      case FrameQueue::State::all_written:
        end_whole_file();
        break;
      case FrameQueue::State::ended:
        return;
    }
    files_.look_around();
  }
}

std::uint64_t Recorder::end_file() {
  const std::uint64_t no_room = files_.end();
  if (no_room > 0) {
    written_ -= no_room;
    const std::lock_guard lock(mutex_);
    lost_frames_ += no_room;
    lost_ranges_.push_back(fmt::format("the last {} (the disk is full)", no_room));
  }
  return no_room;
}

void Recorder::end_whole_file() {
  if (end_file() > 0) {
    throw Error(Problem::no_space, files_.file_name(), "cannot be written: the disk is full");
  }
}

void Recorder::note_overrun() {
  for (const FrameQueue::Range& range : queue_->take_overrun()) {
    lose(range.first, range.last, "the disk was too slow for --buffer");
  }
}

// ---- What is said.

void Recorder::lose(std::uint64_t first, std::uint64_t last, const char* why) {
  run_.reporter.tell({{"event", "lost"},
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
