#pragma once

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <zmq.hpp>

#include "network/message.hpp"
#include "shmim/watch.hpp"

namespace shmim::network {

/// Looks at the streams of a directory for whoever asks, in a thread of its own: a look at many
/// takes longer than anybody's frame may wait.
class Observatory {
 public:
  using Answer =
      std::function<void(const std::string& receiver, std::uint64_t id, zmq::message_t sight)>;
  using Refuse = std::function<void(const std::string& receiver, const Failure& failure)>;
  /// `answer` and `refuse` are called in that thread.
  Observatory(std::filesystem::path directory, std::vector<std::string> patterns, Answer answer,
              Refuse refuse);
  ~Observatory();
  Observatory(const Observatory&) = delete;
  Observatory(Observatory&&) = delete;
  Observatory& operator=(const Observatory&) = delete;
  Observatory& operator=(Observatory&&) = delete;

  /// True of a stream that one of the patterns means.
  [[nodiscard]] bool serves(const std::string& name) const;
  /// Keeps the last question of each receiver, unless it leaves its answers lying. Thread-safe.
  void ask(const std::string& receiver, Look look);

 private:
  void run();
  void answer(const std::string& receiver, const Look& look);
  [[nodiscard]] zmq::message_t lend(const std::string& receiver, std::string sight);
  std::filesystem::path directory_;
  std::vector<std::string> patterns_;
  Answer answer_;
  Refuse refuse_;
  std::optional<Watcher> watcher_;  ///< for as long as rates are asked for
  std::mutex mutex_;                ///< of what follows
  std::condition_variable asked_;
  std::map<std::string, Look> questions_;
  std::deque<std::string> order_;  ///< in which they came
  /// Answers that ZeroMQ has not sent yet.
  std::map<std::string, std::vector<std::weak_ptr<std::string>>> answers_;
  bool is_over_ = false;
  std::thread thread_;
};

}  // namespace shmim::network
