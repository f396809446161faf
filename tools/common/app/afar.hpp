#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include <shmim/shmim.hpp>
#include <shmim/sight.hpp>
#include <sys/types.h>

namespace shmim::tools {

/// Which frames of a stream of another host are to come here, and how.
struct MirrorWish {
  FrameOrder order = FrameOrder::latest;
  bool pixels = false;    ///< of the slice that is referred to; else what else there is to a frame
  bool whole = false;     ///< where z is time, the whole array, as a stream in which it is not
  bool keywords = false;  ///< also those that change while no frame comes
  bool awaits = false;    ///< a stream that is not there is waited for
  std::optional<double> rate = {};  ///< frames per second at most
  Deadline deadline = {};           ///< nullopt: patience of its own
};

/// Another host, looked at. What speaks to it is a small program of its own, so that no tool has to
/// load ZeroMQ that may never need it: libexec/shmim/afar, which keeps mirrors of streams in a
/// folder that it removes when this process ends, whatever ends it.
class Afar {
 public:
  /// So long an answer is waited for, and by ssh.
  static constexpr std::chrono::seconds patience{3};
  static constexpr std::chrono::seconds patience_by_ssh{20};

  /// `tool` is who says what becomes of the connection, unless `quiet`. Throws Error.
  Afar(Address address, const std::string& tool, bool quiet);
  ~Afar();
  Afar(const Afar&) = delete;
  Afar(Afar&&) = delete;
  Afar& operator=(const Afar&) = delete;
  Afar& operator=(Afar&&) = delete;

  /// `tcp://camhost:5556`
  [[nodiscard]] std::string name() const { return to_string(address_); }
  /// Blocks until the answer comes. Throws Error: failed (nobody answers in time, refused).
  [[nodiscard]] Sight look(const SightRequest& request, std::chrono::nanoseconds longest);
  [[nodiscard]] Sight look(const SightRequest& request) { return look(request, longest_wait()); }
  /// One stream of the name, with holders and surroundings. Throws Error: not_found, or as look().
  [[nodiscard]] Sight look_at_one(const std::string& stream);
  /// A stream here that follows the one there. Blocks until it has the frame that is there. Throws
  /// Error: not_found, mismatch (another type than is demanded), as look(); TimedOut where the
  /// stream was awaited, and did not come.
  [[nodiscard]] Stream mirror(const Reference& reference, const MirrorWish& wish, Access access);

 private:
  [[nodiscard]] std::chrono::nanoseconds longest_wait() const noexcept;
  [[nodiscard]] std::string ask(const std::string& question);
  Address address_;
  pid_t program_ = 0;
  FileDescriptor socket_;
};

/// What a reference selects of a frame of its stream here: of a mirror, to which only that has
/// come, means are taken already.
[[nodiscard]] Selection selection_of(const Reference& reference, const Format& format,
                                     bool is_of_plane);

/// A name as a pattern that means it alone.
[[nodiscard]] std::string literal(const std::string& name);

}  // namespace shmim::tools
