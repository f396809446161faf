// Frames: read, written, followed.

#include <algorithm>
#include <cstring>
#include <utility>

#include "c/handles.hpp"
#include "shmim/element.hpp"

namespace shmim::c {
namespace {

void require_not_begun(const shmim_stream& stream) {
  if (stream.begun) {
    throw Error(Problem::usage, stream.stream.name(), "a frame is begun already");
  }
}

std::optional<Tai> date_of(std::int64_t atime) {
  return atime == 0 ? std::nullopt : std::optional(Tai(std::chrono::nanoseconds{atime}));
}

std::optional<Trigger> trigger_of(const shmim_trigger* trigger) {
  return trigger == nullptr ? std::nullopt : std::optional(trigger->trigger);
}

FollowOptions to_options(const shmim_follow_options* options) {
  FollowOptions follow;
  if (options != nullptr) {
    follow.passive = options->passive != 0;
    follow.spin = std::chrono::nanoseconds{options->spin};
    if (options->is_cancelled != nullptr) {
      follow.cancelled = [is_cancelled = options->is_cancelled, of = options->of] {
        return is_cancelled(of) != 0;
      };
    }
  }
  return follow;
}

int number_of(Arrival arrival) noexcept {
  switch (arrival) {
    case Arrival::arrived:
      return SHMIM_OK;
    case Arrival::timed_out:
      return SHMIM_TIMED_OUT;
    case Arrival::interrupted:
      return SHMIM_INTERRUPTED;
    case Arrival::removed:
      return SHMIM_REMOVED;
    case Arrival::recreated:
      break;
  }
  return SHMIM_MISMATCH;
}

int give(Trigger trigger, shmim_trigger** out) {
  required(out, "the place for the trigger") = new shmim_trigger{std::move(trigger)};
  return SHMIM_OK;
}

}  // namespace

extern "C" {
#pragma GCC visibility push(default)  // as the header says of each

const void* shmim_array(const shmim_stream* stream) {
  try {
    const void* array = stream->stream.unguarded_pixels().data();
    stream->is_shown = true;
    return array;
  } catch (const Error&) {
    return nullptr;
  }
}

int shmim_snapshot(shmim_stream* stream, void* pixels, std::size_t bytes, std::int64_t timeout,
                   shmim_frame* frame, shmim_error* error) {
  return guarded(error, [&] {
    const Stream& from = required(stream, "the stream").stream;
    const Snapshot snapshot =
        from.snapshot(room(pixels, bytes, from.format().bytes()), deadline_of(timeout));
    from.require_whole(snapshot);
    if (frame != nullptr) {
      *frame = frame_of(snapshot.info);
    }
    return SHMIM_OK;
  });
}

int shmim_begin(shmim_stream* stream, std::int64_t timeout, void** pixels, shmim_error* error) {
  return guarded(error, [&] {
    require_not_begun(required(stream, "the stream"));
    void*& place = required(pixels, "the place for the pixels");
    stream->begun.emplace(stream->stream, deadline_of(timeout));
    place = stream->begun->pixels().data();
    return SHMIM_OK;
  });
}

int shmim_commit(shmim_stream* stream, std::int64_t atime, const shmim_trigger* trigger,
                 std::uint64_t* cnt0, shmim_error* error) {
  return guarded(error, [&] {
    if (!required(stream, "the stream").begun) {
      throw Error(Problem::usage, stream->stream.name(), "no frame is begun");
    }
    WriteGuard& guard = *stream->begun;
    if (const auto date = date_of(atime)) {
      guard.set_atime(*date);
    }
    if (trigger != nullptr) {
      guard.set_trigger(trigger->trigger);
    }
    const std::uint64_t number = guard.publish();
    stream->begun.reset();
    if (cnt0 != nullptr) {
      *cnt0 = number;
    }
    return SHMIM_OK;
  });
}

void shmim_cancel(shmim_stream* stream) {
  if (stream->begun) {
    stream->begun->cancel();
    stream->begun.reset();
  }
}

void shmim_abandon(shmim_stream* stream) { stream->begun.reset(); }

int shmim_write(shmim_stream* stream, const void* pixels, std::size_t bytes, std::int64_t atime,
                const shmim_trigger* trigger, std::uint64_t lost, std::uint64_t* cnt0,
                shmim_error* error) {
  return guarded(error, [&] {
    require_not_begun(required(stream, "the stream"));
    if (!stream->publisher) {
      stream->publisher.emplace(stream->stream);
    }
    Publisher& publisher = *stream->publisher;
    publisher.set_atime(date_of(atime));
    publisher.set_trigger(trigger_of(trigger));
    publisher.set_lost(lost);
    if (pixels != nullptr && bytes == 0) {
      throw Error(Problem::usage, stream->stream.name(), "a frame of 0 bytes");
    }
    const std::uint64_t number =
        publisher.publish({static_cast<const std::byte*>(pixels), pixels == nullptr ? 0 : bytes});
    if (publisher.stream().identity() != stream->stream.identity()) {
      if (std::exchange(stream->is_shown, false)) {
        stream->former.push_back(stream->stream);
      }
      stream->stream = publisher.stream();
    }
    if (cnt0 != nullptr) {
      *cnt0 = number;
    }
    return SHMIM_OK;
  });
}

int shmim_follow(const shmim_stream* stream, const shmim_follow_options* options,
                 shmim_follower** follower, shmim_error* error) {
  return guarded(error, [&] {
    const bool newest = options != nullptr && options->newest != 0;
    required(follower, "the place for the follower") =
        new shmim_follower{Follower(required(stream, "the stream").stream, to_options(options)),
                           newest ? FrameOrder::latest : FrameOrder::every};
    return SHMIM_OK;
  });
}

int shmim_next(shmim_follower* follower, void* pixels, std::size_t bytes, std::int64_t timeout,
               shmim_frame* frame, shmim_error* error) {
  const int problem = guarded(error, [&] {
    const Format& format = required(follower, "the follower").follower.stream().format();
    const auto to = room(pixels, bytes, format.frame_bytes());
    const Arrival arrival = follower->follower.next(
        follower->order, deadline_of(timeout),
        [to](std::span<const std::byte> from) {
          std::memcpy(to.data(), from.data(), std::min(to.size(), from.size()));
        },
        follower->taken);
    if (arrival == Arrival::arrived && frame != nullptr) {
      *frame = frame_of(follower->taken.info);
      frame->missed = follower->taken.missed;
      frame->taken = nanoseconds_of(follower->taken.taken);
    }
    return number_of(arrival);
  });
  switch (problem) {
    case SHMIM_TIMED_OUT:
      tell(error, problem, 0, "no frame came in the time given");
      break;
    case SHMIM_INTERRUPTED:
      tell(error, problem, 0, "interrupted");
      break;
    case SHMIM_REMOVED:
      tell(error, problem, 0, "the stream was removed");
      break;
    case SHMIM_MISMATCH:
      tell(error, problem, 0, follower->follower.difference().c_str());
      break;
    default:
      break;
  }
  return problem;
}

void shmim_unfollow(shmim_follower* follower) { delete follower; }

int shmim_trigger_of(const shmim_follower* follower, shmim_trigger** trigger, shmim_error* error) {
  return guarded(error,
                 [&] { return give(required(follower, "the follower").taken.trigger(), trigger); });
}

int shmim_trigger_now(const shmim_stream* stream, shmim_trigger** trigger, shmim_error* error) {
  return guarded(error, [&] {
    return give(required(stream, "the stream").stream.trigger(TriggerMode::immediate), trigger);
  });
}

void shmim_free_trigger(shmim_trigger* trigger) { delete trigger; }

#pragma GCC visibility pop
}  // extern "C"

}  // namespace shmim::c
