#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include <zmq.hpp>

namespace shmim::network {

/// Messages of one size whose memory is used again once the last socket has done with them: what
/// the system gives anew it fills with zeros first, which takes longer than to send it.
/// Thread-safe.
class Pool {
 public:
  explicit Pool(std::size_t bytes) : blocks_(std::make_shared<Blocks>(bytes)) {}

  [[nodiscard]] zmq::message_t message() const {
    auto lent = std::make_unique<Lent>(Lent{blocks_, blocks_->take()});
    std::byte* const memory = lent->block.data();
    zmq::message_t message(memory, blocks_->bytes(), &give_back, lent.get());
    static_cast<void>(lent.release());  // give_back() has it
    return message;
  }

 private:
  using Block = std::vector<std::byte>;
  class Blocks {
   public:
    explicit Blocks(std::size_t bytes) : bytes_(bytes) {}
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
    [[nodiscard]] Block take() {
      const std::lock_guard lock(mutex_);
      if (free_.empty()) {
        return Block(bytes_);
      }
      Block block = std::move(free_.back());
      free_.pop_back();
      return block;
    }
    void give(Block block) {
      constexpr std::size_t most_free = 4;
      const std::lock_guard lock(mutex_);
      if (free_.size() < most_free) {
        free_.push_back(std::move(block));
      }
    }

   private:
    std::size_t bytes_;
    std::mutex mutex_;
    std::vector<Block> free_;
  };
  struct Lent {
    std::shared_ptr<Blocks> blocks;
    Block block;
  };
  /// Called by ZeroMQ, in any thread.
  static void give_back(void* /*memory*/, void* hint) {
    const std::unique_ptr<Lent> lent(static_cast<Lent*>(hint));
    lent->blocks->give(std::move(lent->block));
  }
  std::shared_ptr<Blocks> blocks_;
};

}  // namespace shmim::network
