// shmim-play: frames of a file, published when they were.

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "common/app/left_recording.hpp"
#include "common/app/tool.hpp"
#include "common/io/interrupt.hpp"
#include "common/io/scheduling.hpp"
#include "common/print/words.hpp"
#include "play/player.hpp"

namespace shmim::tools {
namespace {

/// For the pixels that are read ahead, of all files.
constexpr std::size_t memory = std::size_t{256} << 20;

class Play final : public Tool {
 public:
  void declare(Options& options) override {
    options
        .positional(
            "FILE", words_,
            "recordings, FITS, npy or frames; and behind one of them the stream REF to play "
            "it to (default: of the recorded name): the last word, unless it is a file")
        .required();
    options.flag("--create", create_, "create it if it does not exist, as it was recorded");
    const Option& rate = options.positive("--rate", "HZ", time_line_.rate,
                                          "frames per second, whatever times were recorded");
    options.positive("--speed", "FACTOR", speed_, "play so many times as fast (default: 1)")
        .excludes(rate);
    options.flag("--loop", loop_, "read FILE again from its start, until a signal comes");
    options.text("--seek", "PLACE", seek_,
                 "begin there: at a cnt0, a time in UTC, or an offset like +2.5s");
    options.text("--to", "PLACE", to_, "end with the frame that is there, or the last before");
    options.flag("--now", now_, "frames are acquired when they are played, not as recorded");
    options.flag("--no-keywords", no_keywords_, "leave out the keywords that come with frames");
    options.text("--cpu", "A,B", processors_, "run on processor A, and read files on B");
    options.number("--rt-prio", "N", priority_, "run with real-time priority N (SCHED_FIFO)",
                   {1, 99});
    options.json();
  }

  Exit run(const Context& context) override;

 private:
  /// A file, and the stream that it goes to.
  struct Part {
    std::string file;
    std::unique_ptr<Playable> frames;
    Reference target;
    bool is_named = false;  ///< by the command line
  };
  [[nodiscard]] std::vector<Part> parts(const Context& context);
  [[nodiscard]] Publisher publisher(const Context& context, Part& part) const;
  [[nodiscard]] WantedFrames wanted(const std::vector<Part>& parts) const;

  std::vector<std::string> words_;
  bool create_ = false;
  TimeLine time_line_;
  std::optional<double> speed_;
  bool loop_ = false;
  std::string seek_;
  std::string to_;
  bool now_ = false;
  bool no_keywords_ = false;
  std::string processors_;
  std::optional<int> priority_;
};

/// What is no file is a stream: of a file a word with a slash is always meant.
bool names_stream(const std::string& word) {
  return word.find('/') == word.npos && ::access(word.c_str(), F_OK) != 0;
}

std::vector<Play::Part> Play::parts(const Context& context) {
  std::optional<Reference> target;
  if (words_.size() > 1 && names_stream(words_.back())) {
    target = context.reference(words_.back());
    words_.pop_back();
    if (words_.size() > 1) {
      throw UsageError(fmt::format(
          "{} is no file, and a stream takes one: several files go to the streams that they name",
          target->text));
    }
  }
  std::vector<Part> parts;
  for (const std::string& file : words_) {
    repair_if_left(context, file);
    auto frames = open_playable(file);
    const std::string& name = frames->stream().name;
    if (!target && name.empty()) {
      throw HintedError(Error(Problem::usage, file, "does not say which stream it is of"),
                        fmt::format("shmim-play {} REF", shell_word(file)));
    }
    Reference reference = target ? *target : context.reference(name);
    for (const Part& other : parts) {
      if (other.target.name == reference.name) {
        throw UsageError(
            fmt::format("{} and {} are both of {}: play one of them", other.file, file, name));
      }
    }
    parts.push_back({file, std::move(frames), std::move(reference), target.has_value()});
  }
  return parts;
}

/// Who plays what a camera has sent seldom means to come between the frames that it sends now. What
/// a writer does that may be gone, since it has no PID in our namespace, is watched for as long as
/// one is taken to write.
void require_silent(const Stream& stream, const std::string& file) {
  constexpr std::chrono::seconds lately{1};
  constexpr std::chrono::milliseconds between_looks{10};
  const std::uint64_t cnt0 = stream.cnt0();
  for (std::chrono::milliseconds waited{0}; waited < lately; waited += between_looks) {
    ProcessTable processes;
    const Description found = describe(stream, processes);
    const auto age = found.age(found.written);
    if (!age || *age >= lately || found.writer.is_dead()) {
      return;
    }
    if (found.writer.liveness == Liveness::alive || stream.cnt0() != cnt0) {
      throw HintedError(
          Error(Problem::failed, stream.name(),
                fmt::format("process {} is writing it: name it to play to it all the same",
                            in_words(found.writer))),
          fmt::format("shmim-play {} {}", shell_word(file), shell_word(stream.name())));
    }
    sleep_until(std::chrono::steady_clock::now() + between_looks);
  }
}

Publisher Play::publisher(const Context& context, Part& part) const {
  const RecordedStream& recorded = part.frames->stream();
  const Reference& target = part.target;
  if (find(target, context.search_path()).origin == Origin::nowhere) {
    if (!create_ || target.existence == Existence::must_exist) {
      throw HintedError(
          Error(Problem::not_found, target.name,
                fmt::format("{}no such stream in {}", part.is_named ? "is no file, and " : "",
                            context.search_path().shm.string())),
          fmt::format("shmim-play {} {} --create", shell_word(part.file), shell_word(target.text)));
    }
    Format format;
    format.type = recorded.type;
    format.shape = recorded.shape;
    if (!layout::is_plane_ring(recorded.image_type)) {  // of which a frame is a plane
      format.image_type = recorded.image_type;
    }
    format.keywords = static_cast<std::uint16_t>(
        std::clamp<std::size_t>(part.frames->keywords(), format.keywords, UINT16_MAX));
    require_type(target.name, format, target.type);
    const Connection made =
        create_if_missing(target, type_and_shape(format), CreateOptions{format, std::nullopt, {}},
                          context.search_path());
    if (made.outcome == Outcome::created) {
      context.detail(target.name, fmt::format("made it: {} {}", to_string(format.type),
                                              to_string(format.shape)));
    }
  }
  Publisher publisher(context.open(target, Access::best));
  if (!part.is_named) {
    require_silent(publisher.stream(), part.file);
  }
  part.frames->take_shape(publisher.frame_shape());
  if (recorded.type != publisher.type() || recorded.shape != publisher.frame_shape()) {
    throw Error(Problem::mismatch, part.file,
                fmt::format("has frames of {} {}, and {} is {} {}", to_string(recorded.type),
                            to_string(recorded.shape), target.name, to_string(publisher.type()),
                            to_string(publisher.frame_shape())));
  }
  return publisher;
}

WantedFrames Play::wanted(const std::vector<Part>& parts) const {
  WantedFrames wanted;
  wanted.time_line = time_line_;
  const auto place = [&](const char* option, const std::string& text) {
    const auto parsed =
        text.empty() ? std::nullopt : std::optional<Place>(parse_place(option, text));
    if (parsed && parts.size() > 1 && std::holds_alternative<std::uint64_t>(*parsed)) {
      throw UsageError(fmt::format(
          "{}: a cnt0 is of one stream; several files take a time or an offset", option));
    }
    return parsed;
  };
  wanted.from = place("--seek", seek_);
  wanted.to = place("--to", to_);
  wanted.loops = loop_;
  wanted.memory = memory / parts.size();
  wanted.origin = Moment::max();
  for (const Part& part : parts) {
    if (const auto first = part.frames->next()) {
      wanted.origin = std::min(
          wanted.origin, time_line_.moment_of(*first, 0, part.frames->tai_ahead(), part.file));
    }
  }
  return wanted;
}

/// How each track was played.
void say(const Context& context, const std::vector<std::unique_ptr<Track>>& tracks) {
  for (const auto& track : tracks) {
    if (context.json()) {
      write_stdout(to_json_line(track->record()));
    } else {
      context.note(track->file(), track->summary());
    }
  }
}

Exit Play::run(const Context& context) {
  const std::vector<unsigned> processors = parse_processors(processors_);
  std::vector<Part> parts = this->parts(context);
  WantedFrames wanted = this->wanted(parts);
  wanted.processor = processors.size() > 1 ? std::optional(processors[1]) : std::nullopt;
  std::vector<Publisher> publishers;
  publishers.reserve(parts.size());
  for (Part& part : parts) {
    publishers.push_back(publisher(context, part));
  }
  std::vector<std::unique_ptr<Track>> tracks;
  for (Part& part : parts) {
    wanted.file = part.file;
    tracks.push_back(std::make_unique<Track>(part.file, std::move(part.frames), wanted,
                                             std::move(publishers[tracks.size()]),
                                             Carried{!now_, !no_keywords_}));
  }
  // Not before the threads that read have begun.
  if (!processors.empty()) {
    run_on_processor(processors.front());
  }
  if (priority_) {
    take_realtime_priority(*priority_);
  }
  try {
    play(tracks, time_line_, speed_.value_or(1));
  } catch (...) {
    say(context, tracks);
    throw;
  }
  say(context, tracks);
  return Exit::done;
}

const Registration play_registration("play", "publish frames of a recording when they were", {"SE"},
                                     {.missing = "shmim-play FILE {} --create", .similar = nullptr},
                                     make<Play>,
                                     {"shmim-play run.fits --speed 0.5",
                                      "shmim-play cube.fits cam --rate 500 --loop --create"});

}  // namespace
}  // namespace shmim::tools
