// shmim-post: posts semaphores, and publishes frames.

#include <cstdint>

#include "common/app/tool.hpp"
#include "post/source.hpp"

namespace shmim::tools {
namespace {

/// Events at a steady rate: each has its moment from the first on, so that being late once delays
/// none of those after it.
class Pace {
 public:
  explicit Pace(std::optional<double> rate) noexcept : rate_(rate) {}
  [[nodiscard]] std::uint64_t events() const noexcept { return events_; }
  void count() noexcept { ++events_; }
  /// Until it is time for the next event. Throws Interrupted.
  void wait() {
    throw_if_interrupted();
    if (events_ == 0) {
      begin_ = std::chrono::steady_clock::now();
    } else if (rate_) {
      sleep_until(begin_ + nanoseconds_of(static_cast<double>(events_) / *rate_));
    }
  }
  /// `1000 in 1.000 s: 999 Hz of 1000 Hz`
  [[nodiscard]] std::string summary() const {
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin_;
    const double intervals = events_ > 0 ? static_cast<double>(events_ - 1) : 0;
    return fmt::format("{} in {:.3f} s: {:.6g} Hz of {:g} Hz", events_, elapsed.count(),
                       elapsed.count() > 0 ? intervals / elapsed.count() : 0, rate_.value_or(0));
  }

 private:
  std::optional<double> rate_;
  std::uint64_t events_ = 0;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

class Post final : public Tool {
 public:
  void declare(Options& options) override {
    options.positional("REF", refs_, "streams to post to, with a slice for frames; takes @S: @E:")
        .required();
    const Option& only =
        options.numbers("-s,--sem", "I", only_, "use semaphore I alone; may be repeated");
    options.numbers("--except", "I", except_, "post all but semaphore I; may be repeated")
        .excludes(only);
    const Option& update = options.flag("--update", update_, "publish a frame without new pixels");
    const Option& data = options
                             .text("--data", "FILE", data_,
                                   "publish each frame of a file, or of standard input for -")
                             .excludes(update);
    options
        .text(
            "--format", "FORMAT", format_,
            "what FILE is: auto (the default: by its first bytes), text, raw, npy, fits or frames")
        .one_of({"auto", "text", "raw", "npy", "fits", "frames"});
    const Option& pattern =
        options
            .text("--pattern", "PATTERN", pattern_,
                  "publish frames of a test pattern, with its keys behind commas, as in "
                  "noise,mean=100,sigma=3: ramp, noise, spots, sine, checker or counter")
            .excludes(data)
            .excludes(update);
    options.number("--seed", "N", seed_, "which random numbers a pattern is made of (default: 0)")
        .needs(pattern);
    const Option& count = options.number(
        "-n", "N", count_, "post N times; a FILE that ends sooner is read again from its start",
        above_zero);
    options.flag("--loop", loop_, "read FILE again from its start, until a signal comes")
        .needs(data)
        .excludes(count);
    options
        .flag("--create", create_, "create it if it does not exist, from the first frame of FILE")
        .needs(data);
    options.positive("--rate", "HZ", rate_, "frames per second, or posts");
    options.texts("--set", "NAME=VALUE[/COMMENT]", assignments_,
                  "set a keyword with the frame; may be repeated");
    options.flag("--no-keywords", no_keywords_, "leave out the keywords that come with frames")
        .needs(data);
    options.text("--atime", "STAMP", atime_, "when the data was acquired, UTC (default: now)");
    options.number("--plane", "K", plane_,
                   "write z plane K (default for a --circular stream: the next)");
    options.text("--trigger", "REF", trigger_, "stream that caused the frame, for the trace");
    options.number("--pid", "PID", pid_, "PID to put in the trace (default: this process)",
                   above_zero);
    options.flag("--claim", claim_, "be the only writer while this runs");
  }

  Exit run(const Context& context) override {
    const bool takes_frames = !data_.empty() || !pattern_.empty();
    const bool publishes = update_ || takes_frames;
    if (!publishes && (!assignments_.empty() || !atime_.empty() || plane_ || !trigger_.empty() ||
                       pid_ || claim_)) {
      throw UsageError(
          "--set, --atime, --plane, --trigger, --pid and --claim need --update, --data or "
          "--pattern");
    }
    if (data_.empty() && !format_.empty()) {
      throw UsageError("--format says what --data is, and there is none");
    }
    if (takes_frames && refs_.size() > 1) {
      throw UsageError(fmt::format("{} takes one stream", data_.empty() ? "--pattern" : "--data"));
    }
    const PublishOptions options = publish_options();
    context.warn_unterminated("--set", options.keywords);
    given_keywords_ = options.keywords;
    if (!trigger_.empty()) {
      trigger_stream_.emplace(context.open(context.reference(trigger_, {"SE"}), Access::read));
    }
    std::vector<Reference> references;
    for (const std::string& text : refs_) {
      references.push_back(context.reference(text));
      if (!takes_frames && !references.back().slice.empty()) {
        throw Error(Problem::usage, text, "a slice says where --data goes, and there is none");
      }
    }
    if (takes_frames) {
      return context.for_each<Reference>(
          references, [&](const Reference& target) { publish_data(context, target, options); });
    }
    std::vector<Event> events;
    const Exit opened = context.for_each<Reference>(references, [&](const Reference& target) {
      events.push_back({target, update_ ? update(context, target, options)
                                        : post(context, target, options.posts)});
    });
    const Exit done = repeat(context, std::move(events));
    return opened == Exit::done ? done : opened;
  }

 private:
  PublishOptions publish_options() {
    PublishOptions options;
    for (const std::string& assignment : assignments_) {
      options.keywords.push_back(parse_keyword(assignment));
    }
    if (!atime_.empty()) {
      try {
        options.atime = parse_utc(atime_);
      } catch (const Error& error) {
        throw UsageError(fmt::format("--atime: {}", error.what()));
      }
    }
    if (!only_.empty()) {
      options.posts = SemaphoreSet::only(only_);
    } else if (!except_.empty()) {
      options.posts = SemaphoreSet::all_but(except_);
    }
    options.plane = plane_;
    options.pid = pid_;
    options.claim = claim_;
    return options;
  }

  /// Now is when the next frame was caused.
  void note_trigger(Publisher& publisher) const {
    if (trigger_stream_) {
      publisher.set_trigger(trigger_stream_->trigger(TriggerMode::cnt0));
    }
  }

  /// What is done to one stream, again and again.
  struct Event {
    Reference target;
    std::function<void()> happen;
  };

  [[nodiscard]] static std::function<void()> post(const Context& context, const Reference& target,
                                                  const SemaphoreSet& posts) {
    const auto stream = std::make_shared<Stream>(context.open(target, Access::best));
    const Format& format = stream->format();
    if (stdin_holds_frames({format.type, format.frame_shape()})) {
      throw HintedError(Error(Problem::usage, target.name,
                              "standard input is a file of its frames, and nothing says --data"),
                        fmt::format("shmim-post {} --data -", shell_word(target.text)));
    }
    return [stream, posts] { stream->semaphores().post(posts); };
  }

  [[nodiscard]] std::function<void()> update(const Context& context, const Reference& target,
                                             const PublishOptions& options) const {
    const auto publisher = std::make_shared<Publisher>(context.open(target, Access::best), options);
    return [this, publisher] {
      note_trigger(*publisher);
      publisher->publish({});
    };
  }

  /// All of them each time; one that fails is reported, and left out from then on.
  Exit repeat(const Context& context, std::vector<Event> events) const {
    Exit worst = Exit::done;
    const auto fails = [&](const Event& event) {
      try {
        event.happen();
        return false;
      } catch (const Error& error) {
        const Exit status = context.report(event.target, error);
        worst = worst == Exit::done ? status : worst;
        return true;
      }
    };
    const std::uint64_t times = count_.value_or(rate_ ? UINT64_MAX : 1);
    at_pace(context, events, [&](Pace& pace) {
      for (; !events.empty() && pace.events() < times; pace.count()) {
        pace.wait();
        std::erase_if(events, fails);
      }
    });
    return worst;
  }

  void publish_data(const Context& context, const Reference& target, PublishOptions options) const {
    options.slice = target.slice;
    std::optional<FrameFile> file;
    if (create_ && is_to_be_made(context, target)) {
      make(context, target, file.emplace(data_, format()).format_of_first());
    }
    Publisher publisher(context.open(target, Access::best), std::move(options));
    const FrameKind kind{publisher.type(), publisher.frame_shape()};
    if (!file && pattern_.empty()) {
      file.emplace(data_, format());
    }
    const auto source = file ? file->frames(kind, target.text)
                             : pattern_frames(pattern_, kind, seed_, publisher.stream().cnt0() + 1);
    std::vector<std::byte> frame(kind.bytes());
    std::uint64_t published = 0;
    at_pace(context, {Event{target, {}}}, [&](Pace& pace) {
      for (; !count_ || published < *count_; pace.count(), ++published) {
        source->wait();
        note_trigger(publisher);
        if (!next(*source, frame, published) && !begins_again(*source, frame, published)) {
          break;
        }
        pace.wait();
        source->stamp(frame);
        if (atime_.empty()) {
          publisher.set_atime(source->atime());
        }
        if (const FrameRecord* record = source->record()) {
          carry_on(*record, publisher);
        }
        publisher.publish(frame);
      }
    });
    if (published < count_.value_or(1)) {
      throw Error(Problem::failed, data_ == "-" ? "standard input" : data_,
                  count_ ? fmt::format("ended after {} of {}", published, counted(*count_, "frame"))
                         : "ended without a frame");
    }
  }

  static bool is_to_be_made(const Context& context, const Reference& target) {
    return target.existence != Existence::must_exist && target.slice.empty() &&
           find(target, context.search_path()).origin == Origin::nowhere;
  }

  /// Makes the stream, unless another has done so meanwhile.
  static void make(const Context& context, const Reference& target, const Format& format) {
    require_type(target.name, format, target.type);
    const CreateOptions creation{format, std::nullopt, {}};
    const Connection made =
        create_if_missing(target, type_and_shape(format), creation, context.search_path());
    if (made.outcome == Outcome::created) {
      context.detail(target.name, fmt::format("made it: {} {}", to_string(format.type),
                                              to_string(format.shape)));
    }
  }

  /// What came with a frame goes on with it; what the command line says comes first.
  void carry_on(const FrameRecord& record, Publisher& publisher) const {
    publisher.set_lost(record.missed);
    if (!no_keywords_) {
      std::vector<Keyword> keywords = record.keywords;
      for (const Keyword& said : given_keywords_) {
        std::erase_if(keywords, [&said](const Keyword& other) { return other.name == said.name; });
        keywords.push_back(said);
      }
      publisher.set_keywords(std::move(keywords));
    }
    if (!trigger_stream_) {
      TakenFrame taken;
      taken.info = record.info;
      taken.inode = record.inode;
      taken.taken = TaiClock::now();
      taken.trace = record.trace;
      const bool is_of_here = record.inode != 0 && record.boot == boot_;
      publisher.set_trigger(is_of_here ? std::optional(taken.trigger()) : std::nullopt);
    }
  }

  /// Reads the first frame once more, where that is asked for and possible.
  [[nodiscard]] bool begins_again(FrameSource& source, std::span<std::byte> frame,
                                  std::uint64_t published) const {
    if ((!count_ && !loop_) || published == 0) {
      return false;
    }
    if (source.rewind()) {
      return next(source, frame, published);
    }
    if (loop_) {
      throw Error(Problem::failed, data_ == "-" ? "standard input" : data_,
                  fmt::format("cannot be read again from its start (after {})",
                              counted(published, "frame")));
    }
    return false;
  }

  /// An error says how many frames had been published before it.
  static bool next(FrameSource& source, std::span<std::byte> frame, std::uint64_t published) {
    try {
      return source.next(frame);
    } catch (const Error& error) {
      if (published == 0) {
        throw;
      }
      throw Error(error.problem(), error.subject(),
                  fmt::format("{} (after {})", error.why(), counted(published, "frame")));
    }
  }

  [[nodiscard]] std::optional<FrameFormat> format() const {
    return format_ == "text"     ? std::optional(FrameFormat::text)
           : format_ == "raw"    ? std::optional(FrameFormat::raw)
           : format_ == "npy"    ? std::optional(FrameFormat::npy)
           : format_ == "fits"   ? std::optional(FrameFormat::fits)
           : format_ == "frames" ? std::optional(FrameFormat::frames)
                                 : std::nullopt;
  }

  /// Says in the end what rate was reached, also where a signal is the end.
  void at_pace(const Context& context, const std::vector<Event>& events,
               const std::function<void(Pace&)>& run) const {
    Pace pace(rate_);
    const auto say_reached = [&] {
      for (const Event& event : events) {
        if (rate_) {
          context.note(event.target.name, pace.summary());
        }
      }
    };
    try {
      run(pace);
    } catch (const Interrupted&) {
      say_reached();
      throw;
    }
    say_reached();
  }

  std::vector<std::string> refs_;
  std::vector<unsigned> only_;
  std::vector<unsigned> except_;
  bool update_ = false;
  std::string data_;
  std::string format_;
  std::string pattern_;
  std::uint64_t seed_ = 0;
  std::optional<std::uint64_t> count_;
  bool loop_ = false;
  bool create_ = false;
  std::optional<double> rate_;
  std::vector<std::string> assignments_;
  std::vector<Keyword> given_keywords_;
  bool no_keywords_ = false;
  const std::string boot_ = boot_id();
  std::string atime_;
  std::optional<std::uint32_t> plane_;
  std::string trigger_;
  std::optional<Stream> trigger_stream_;
  std::optional<pid_t> pid_;
  bool claim_ = false;
};

const Registration post_registration(
    "post", "post semaphores, and publish frames", {"SE", true},
    {.missing = "shmim-create {} SIZE", .similar = "shmim-post {}"}, make<Post>,
    {"shmim-post cam --data cube.fits -n 10000 --rate 500", "shmim-post cam --sem 3"});

}  // namespace
}  // namespace shmim::tools
