#include "record/compressor.hpp"

#include <chrono>
#include <csignal>
#include <filesystem>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <shmim/recording.hpp>
#include <sys/statvfs.h>

#include "common/io/interrupt.hpp"
#include "common/io/scheduling.hpp"

namespace shmim::tools {
namespace {

/// Calls that are cut short by a signal are an error to cfitsio.
void block_signals() noexcept {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
}

}  // namespace

Compressor::Compressor(Reporter& reporter, Options options)
    : reporter_(reporter), options_(std::move(options)), thread_([this] { run(); }) {}

Compressor::~Compressor() {
  if (thread_.joinable()) {
    is_cancelled_ = true;
    {
      const std::lock_guard lock(mutex_);
      is_last_ = true;
    }
    news_.notify_all();
    thread_.join();
  }
}

void Compressor::add(const std::string& stream, const std::string& file) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back({stream, file});
  }
  news_.notify_all();
}

Exit Compressor::finish() {
  const int signals = received_signals();
  is_recording_ = false;
  {
    std::unique_lock lock(mutex_);
    is_last_ = true;
    news_.notify_all();
    constexpr std::chrono::milliseconds often{20};
    constexpr std::chrono::milliseconds between_lines{500};
    auto next_line = std::chrono::steady_clock::now() + between_lines;
    while (!news_.wait_for(lock, often, [this] { return has_ended_; })) {
      is_cancelled_ = is_cancelled_ || received_signals() > signals;
      if (const auto now = std::chrono::steady_clock::now();
          reporter_.shows_progress() && now >= next_line) {
        next_line = now + between_lines;
        show_progress();
      }
    }
  }
  thread_.join();
  if (failure_) {
    std::rethrow_exception(failure_);
  }
  if (!jobs_.empty()) {
    reporter_.note(
        jobs_.front().file,
        fmt::format("is not compressed{}: shmim-record --compress --repair FILE does it",
                    jobs_.size() > 1
                        ? fmt::format(", and {}", jobs_.size() == 2 ? "nor is " + jobs_.back().file
                                                                    : fmt::format("nor are {} more",
                                                                                  jobs_.size() - 1))
                        : ""));
  }
  return status_;
}

void Compressor::run() {
  block_signals();
  give_way(options_.processors);
  std::unique_lock lock(mutex_);
  for (;;) {
    news_.wait(lock, [this] { return is_last_ || !jobs_.empty(); });
    if (jobs_.empty() || is_cancelled_) {
      break;
    }
    const Job job = jobs_.front();
    done_ = 0;
    lock.unlock();
    std::exception_ptr failure;
    try {
      compress(job);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    failure_ = failure;
    if (is_cancelled_ || failure) {
      break;
    }
    jobs_.pop_front();
  }
  has_ended_ = true;
  news_.notify_all();
}

void Compressor::compress(const Job& job) {
  using End = CompressedRecording::End;
  try {
    bool has_room = true;
    const CompressedRecording result = compress_recording(job.file, [&](double done) {
      done_ = done;
      return !is_cancelled_ && (has_room = this->has_room(job.file));
    });
    switch (result.end) {
      case End::done:
        reporter_.note(job.file, fmt::format("compressed from {} to {} bytes", result.bytes_before,
                                             result.bytes));
        reporter_.tell({{"event", "compressed"},
                        {"name", job.stream},
                        {"file", job.file},
                        {"bytes_before", result.bytes_before},
                        {"bytes", result.bytes}});
        return;
      case End::was_compressed:
        return leave(job, "stays as it is: it is compressed already");
      case End::not_smaller:
        return leave(job, "stays as it is: compressed it would be no smaller");
      case End::impossible:
        return leave(job,
                     "stays as it is: 64-bit integers and cubes of four axes are not compressed");
      case End::cancelled:
        if (!has_room) {
          throw Error(Problem::no_space, job.file, "the disk is nearly full");
        }
        is_cancelled_ = true;
        return;
    }
  } catch (const Error& error) {
    const std::string why = fmt::format("is not compressed: {}", error.why());
    reporter_.tell(
        {{"event", "uncompressed"}, {"name", job.stream}, {"file", job.file}, {"why", why}});
    // What to try where a stream has no room, or is claimed, is no help here.
    status_ = reporter_.report(Error(Problem::failed, job.file, why));
  }
}

/// What is left of the disk is for those that record: some of it as long as they do.
bool Compressor::has_room(const std::string& file) const {
  constexpr std::uint64_t for_recordings = std::uint64_t{64} << 20;
  struct statvfs disk {};
  if (::statvfs(file.c_str(), &disk) != 0) {
    return true;
  }
  return disk.f_bavail * disk.f_frsize >=
         options_.reserve + (is_recording_ ? for_recordings : std::uint64_t{0});
}

void Compressor::leave(const Job& job, const std::string& why) {
  reporter_.note(job.file, why);
  reporter_.tell(
      {{"event", "uncompressed"}, {"name", job.stream}, {"file", job.file}, {"why", why}});
}

/// The mutex is held.
void Compressor::show_progress() {
  if (jobs_.empty()) {
    return;
  }
  const std::string line =
      fmt::format("compressing {}: {:.0f}%{}", jobs_.front().file, 100 * done_,
                  jobs_.size() > 1 ? fmt::format(", {} to come", jobs_.size() - 1) : "");
  reporter_.show(line);
}

}  // namespace shmim::tools
