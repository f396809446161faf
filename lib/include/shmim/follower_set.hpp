#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "shmim/clock.hpp"
#include "shmim/export.hpp"
#include "shmim/follow.hpp"
#include "shmim/stream.hpp"

namespace shmim {

/// Follows several streams at once, each by a Follower in a thread of its own that sleeps until a
/// frame comes: nothing is polled but streams for which there is no semaphore, as a Follower does.
/// For one thread, which is told of one stream after the other.
class SHMIM_EXPORT FollowerSet {
 public:
  /// What came of one of the streams.
  struct Event {
    std::size_t index = 0;  ///< of the stream, in the order in which they were given
    Arrival arrival = Arrival::arrived;
    TakenFrame frame;  ///< that arrived; see Follower::wait()
  };

  /// Starts with the frames after those that are there now. `cancelled` of the options is called in
  /// any of the threads; `semaphore` and `spin` are for one stream, and have no meaning here.
  explicit FollowerSet(const std::vector<Stream>& streams, FollowOptions options = {});
  /// Ends the threads. Blocks until they have, which takes 10 ms, and 250 ms at most.
  ~FollowerSet();
  FollowerSet(const FollowerSet&) = delete;
  FollowerSet(FollowerSet&&) = delete;
  FollowerSet& operator=(const FollowerSet&) = delete;
  FollowerSet& operator=(FollowerSet&&) = delete;

  /// Waits until there is news of a stream, in the order in which it came; nullopt once the
  /// deadline has passed. Of that stream nothing more is told before resume(). A frame is told of
  /// some tens of microseconds after its post; Follower::wait() says when it takes longer. Throws
  /// the Error that ended the waiting for a stream.
  [[nodiscard]] std::optional<Event> next(Deadline deadline);
  /// Waits for the stream again, from the frame on that it was told of last.
  void resume(std::size_t index);
  /// Of a stream that was told of and not resumed, or before next() was called.
  [[nodiscard]] const Follower& follower(std::size_t index) const noexcept;

 private:
  struct Shared;
  struct Member;
  void stop() noexcept;
  std::unique_ptr<Shared> shared_;
  std::vector<std::unique_ptr<Member>> members_;
};

}  // namespace shmim
