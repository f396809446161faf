#include "network/replica.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "shmim/directory.hpp"
#include "shmim/error.hpp"
#include "shmim/received.hpp"
#include "shmim/text.hpp"

namespace shmim::network {
namespace {

/// Those that tell of its origin.
constexpr std::uint16_t own_keywords = 4;

double seconds_of(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

/// As much of it as a keyword holds, with the zeros that end it.
Keyword origin_keyword(const std::string& host, const std::string& origin) {
  constexpr std::size_t most_of_value = 15;
  constexpr std::size_t most_of_comment = 79;
  return {std::string(received_from), host.substr(0, most_of_value),
          origin.substr(0, most_of_comment)};
}

Keyword link_keyword(const char* state, const std::string& comment = {}) {
  return {std::string(received_link), state, comment};
}

}  // namespace

Replica::Replica(std::string name, std::string origin, SearchPath search_path, bool replaces,
                 Likeness likeness)
    : origin_(std::move(origin)),
      search_path_(std::move(search_path)),
      replaces_(replaces),
      likeness_(likeness) {
  reference_.name = std::move(name);
  reference_.text = reference_.name;
  reference_.location = Location::shared;
}

Replica::Change Replica::adopt(const Announcement& announcement) {
  host_ = printable(announcement.host);
  format_ = announcement.format;
  const bool is_mirror = likeness_ == Likeness::mirror;
  const std::uint32_t slots = format_.keywords + (is_mirror ? 0 : std::uint32_t{own_keywords});
  format_.keywords = static_cast<std::uint16_t>(std::min<std::uint32_t>(slots, UINT16_MAX));
  format_.circular_buffer = std::max(format_.circular_buffer, least_buffer_);
  part_.reset();
  if (!slice_.empty()) {
    part_ = selection_in(format_, slice_, follows_planes(slice_, format_));
  }
  const bool was_made = is_made();
  std::optional<Stream> found = find_own(format_);
  if (found && found->cnt0() <= announcement.cnt0) {
    PublishOptions options;
    options.claim = true;
    publisher_.reset();
    publisher_.emplace(*std::move(found), std::move(options));
    if (!is_mirror) {
      publisher_->stream().keywords().set(link_keyword("up"));
    }
    return Change::none;
  }
  make();
  return was_made || found ? Change::recreated : Change::created;
}

/// The stream of that name, if it was received before and has that format. Throws Error (exists)
/// where it is another program's.
std::optional<Stream> Replica::find_own(const Format& format) const {
  std::optional<Stream> stream;
  try {
    stream.emplace(open_existing(reference_, search_path_));
  } catch (const Error& error) {
    if (error.problem() == Problem::not_found) {
      return std::nullopt;
    }
    if (!replaces_) {
      throw;
    }
    return std::nullopt;
  }
  if (!stream->keywords().find(received_from) && !replaces_) {
    throw Error(Problem::exists, reference_.name,
                "is a stream of this host, which was not received");
  }
  const bool is_alike = differences(stream->format(), requirement_of(format)).empty();
  return is_alike ? std::move(stream) : std::nullopt;
}

void Replica::make() {
  publisher_.reset();
  CreateOptions creation{format_, search_path_.mode, {}};
  if (likeness_ == Likeness::received) {
    creation.prepare = [this](Stream& draft) {
      draft.keywords().set(origin_keyword(host_, origin_));
    };
  }
  Connection made = recreate(reference_, creation, search_path_);
  PublishOptions options;
  options.claim = true;
  publisher_.emplace(*std::move(made.stream), std::move(options));
  keyword_names_.clear();
}

std::uint64_t Replica::bytes_taken() const {
  if (!slice_.empty()) {
    return part_ ? part_->bytes() : 0;
  }
  return publisher_->frame_bytes();
}

/// The frame with these pixels.
std::span<const std::byte> Replica::frame_with(std::span<const std::byte> pixels) {
  if (!part_ || pixels.empty()) {
    return pixels;
  }
  frame_.resize(publisher_->frame_bytes());
  part_->averaged().put(pixels, frame_);
  return frame_;
}

bool Replica::publish(const FrameRecord& frame, std::span<const std::byte> pixels, Tai arrived,
                      std::optional<std::chrono::nanoseconds> clock_ahead) {
  if (frame.type != publisher_->type() || frame.shape != publisher_->frame_shape() ||
      (pixels.size() != bytes_taken() && !(pixels.empty() && likeness_ == Likeness::mirror))) {
    throw Error(Problem::failed, reference_.name, "a frame that is not as its stream");
  }
  const std::uint64_t before = cnt0();
  if (frame.info.cnt0 == before && before > 0) {
    return false;  // the newest was sent again, to a connection that is new
  }
  if (frame.info.cnt0 < before) {
    make();
  }
  try {
    put(frame, pixels, arrived, clock_ahead);
  } catch (const Error& error) {
    if (error.problem() != Problem::removed) {
      throw;
    }
    make();  // it was taken away here: what comes shows it again
    put(frame, pixels, arrived, clock_ahead);
  }
  return true;
}

void Replica::put(const FrameRecord& frame, std::span<const std::byte> pixels, Tai arrived,
                  std::optional<std::chrono::nanoseconds> clock_ahead) {
  publisher_->set_lost(frame.info.cnt0 - cnt0() - 1);
  std::vector<Keyword> keywords = keywords_of(frame, arrived, clock_ahead);
  erase_others(keywords);
  publisher_->set_keywords(std::move(keywords));
  if (likeness_ == Likeness::mirror) {
    say_as_there(frame);
  } else {
    say_received(frame, arrived);
  }
  publisher_->publish(frame_with(pixels));
}

void Replica::say_as_there(const FrameRecord& frame) {
  publisher_->set_atime(frame.info.atime);
  if (frame.trace.empty()) {
    publisher_->set_written(frame.info.writetime, 0);
    publisher_->set_trigger(std::nullopt);
    return;
  }
  publisher_->set_written(frame.info.writetime, frame.trace.front().pid);
  publisher_->set_trigger(
      Trigger{frame.trace.front(), {frame.trace.begin() + 1, frame.trace.end()}});
}

void Replica::say_received(const FrameRecord& frame, Tai arrived) {
  publisher_->set_atime(frame.info.atime == never ? std::nullopt : std::optional(frame.info.atime));
  // Inodes and PIDs of another host mean nothing here, or something else. What does is that this
  // was received, which frame it was there, and when it came; RECVFROM says from where.
  TraceEntry received;
  received.mode = TriggerMode::cnt0;
  received.status = TriggerStatus::received;
  received.cnt0 = frame.info.cnt0;
  received.triggered = arrived;
  publisher_->set_trigger(Trigger{received, {}});
}

std::vector<Keyword> Replica::keywords_of(
    const FrameRecord& frame, Tai arrived,
    std::optional<std::chrono::nanoseconds> clock_ahead) const {
  std::vector<Keyword> keywords = frame.keywords;
  if (likeness_ == Likeness::mirror) {
    return keywords;
  }
  keywords.push_back(origin_keyword(host_, origin_));
  keywords.push_back(link_keyword("up"));
  if (is_date(frame.info.writetime)) {
    keywords.push_back({std::string(received_delay),
                        seconds_of(elapsed(frame.info.writetime, arrived)),
                        "[s] since it was written there, by both clocks"});
  }
  if (clock_ahead) {
    keywords.push_back({std::string(received_clock), seconds_of(*clock_ahead),
                        "[s] that the clock there is ahead, about"});
  }
  return keywords;
}

/// Those of the frame before that are not in this one have been erased there.
void Replica::erase_others(const std::vector<Keyword>& keywords) {
  std::vector<std::string> names;
  names.reserve(keywords.size());
  for (const Keyword& keyword : keywords) {
    names.push_back(keyword.name);
  }
  if (names == keyword_names_) {
    return;
  }
  for (const std::string& name : std::exchange(keyword_names_, std::move(names))) {
    if (std::ranges::find(keyword_names_, name) == keyword_names_.end()) {
      publisher_->stream().keywords().erase(name);
    }
  }
}

void Replica::remove() noexcept {
  if (!is_made() || likeness_ == Likeness::received) {
    return;
  }
  try {
    const Stream stream = publisher_->stream();
    publisher_.reset();
    static_cast<void>(remove_stream(stream.path(), stream.identity()));
  } catch (const Error&) {
    // Nobody else touches the folder of a mirror: it has gone.
  }
}

void Replica::mark_down() noexcept {
  if (!is_made() || likeness_ == Likeness::mirror) {
    return;
  }
  try {
    publisher_->stream().keywords().set(
        link_keyword("down", fmt::format("since {}", to_utc(TaiClock::now()))));
  } catch (const Error&) {
    // The stream is as it was, and nobody is helped by an end of what could still come.
  }
}

}  // namespace shmim::network
