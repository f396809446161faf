#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <shmim/network.hpp>
#include <shmim/shmim.hpp>

namespace shmim::tools::afar {

/// A folder of this process' own, in memory where there is some to be had.
class Folder {
 public:
  Folder() = default;
  ~Folder() { remove(); }
  Folder(const Folder&) = delete;
  Folder(Folder&&) = delete;
  Folder& operator=(const Folder&) = delete;
  Folder& operator=(Folder&&) = delete;

  /// Makes it where it is not there yet. Throws Error: no_permission, no_space.
  const std::filesystem::path& path();
  /// With all that is in it, though threads may still put something there.
  void remove() noexcept;

 private:
  std::filesystem::path path_;
};

/// How a stream is to be followed.
struct Wish {
  std::string name;
  Slice slice;  ///< whose pixels are wanted; empty: all
  FrameOrder order = FrameOrder::latest;
  bool pixels = false;
  bool whole = false;
  bool keywords = false;
  bool awaits = false;
  std::optional<double> rate = {};
  bool is_by_tunnel = false;  ///< as LookerOptions::is_tunnel
};

/// A stream here that follows one there, in a thread of its own.
class Mirror {
 public:
  /// What ReceiverOptions say of the connection is taken from `connection`.
  Mirror(const std::string& endpoint, Wish wish, const std::filesystem::path& folder,
         ReceiverOptions connection);
  ~Mirror();
  Mirror(const Mirror&) = delete;
  Mirror(Mirror&&) = delete;
  Mirror& operator=(const Mirror&) = delete;
  Mirror& operator=(Mirror&&) = delete;

  /// Waits until it has what is there; false when the time is up. Throws the Error that it failed
  /// with.
  [[nodiscard]] bool wait_for(std::chrono::nanoseconds time);
  [[nodiscard]] const Wish& wish() const noexcept { return wish_; }
  /// Takes keywords that have changed there while no frame came.
  void take(const Description& there);
  [[nodiscard]] bool was_connected() const noexcept { return was_connected_; }

 private:
  void run(const std::string& endpoint, ReceiverOptions options);
  void tell(const NetworkEvent& event);
  void remove_stream_here() noexcept;
  Wish wish_;
  SearchPath where_;
  std::function<void(const NetworkEvent&)> tell_;
  std::atomic<bool> is_over_ = false;
  std::atomic<bool> was_connected_ = false;
  std::mutex mutex_;  ///< of what follows
  std::condition_variable changed_;
  bool is_complete_ = false;
  std::optional<Error> failure_;
  std::thread thread_;
};

}  // namespace shmim::tools::afar
