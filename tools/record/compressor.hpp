#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/io/exit.hpp"
#include "record/reporter.hpp"

namespace shmim::tools {

/// Compresses recordings one after the other, in a thread that gives way to those that record.
class Compressor {
 public:
  struct Options {
    std::uint64_t reserve = 0;         ///< bytes to be left of the disk
    std::vector<unsigned> processors;  ///< of those that record
  };
  Compressor(Reporter& reporter, Options options);
  ~Compressor();
  Compressor(const Compressor&) = delete;
  Compressor(Compressor&&) = delete;
  Compressor& operator=(const Compressor&) = delete;
  Compressor& operator=(Compressor&&) = delete;

  /// A whole recording of a stream. May be called by any thread, and does not wait.
  void add(const std::string& stream, const std::string& file);
  /// Nobody records any more. Waits until all files are compressed, or until a signal arrives
  /// meanwhile, which leaves those as they are that are not. Throws what write_stdout() does.
  [[nodiscard]] Exit finish();

 private:
  struct Job {
    std::string stream;
    std::string file;
  };
  void run();
  void compress(const Job& job);
  [[nodiscard]] bool has_room(const std::string& file) const;
  void leave(const Job& job, const std::string& why);
  void show_progress();

  Reporter& reporter_;
  Options options_;
  std::mutex mutex_;  ///< of what follows
  std::condition_variable news_;
  std::deque<Job> jobs_;  ///< the first is under way
  bool is_last_ = false;  ///< no more are added
  bool has_ended_ = false;
  std::exception_ptr failure_;

  std::atomic<double> done_ = 0;  ///< of the first job
  std::atomic<bool> is_recording_ = true;
  std::atomic<bool> is_cancelled_ = false;
  std::atomic<Exit> status_ = Exit::done;
  std::thread thread_;
};

}  // namespace shmim::tools
