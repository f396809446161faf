#include "run/compute_unit.hpp"

#include <algorithm>
#include <utility>

#include <shmim/fits.hpp>

#include "common/app/stream_options.hpp"
#include "common/app/tool.hpp"
#include "common/print/spread.hpp"
#include "run/companions.hpp"
#include "run/dialogue.hpp"
#include "run/filter.hpp"
#include "run/notify.hpp"

namespace shmim::tools {
namespace {

enum class Restart { never, on_failure, always };

Restart restart_of(const std::string& name) noexcept {
  return name == "always"       ? Restart::always
         : name == "on-failure" ? Restart::on_failure
                                : Restart::never;
}

/// The command line that would make OUT.
std::string with_type(const Wanted& wanted, std::string_view type) {
  std::string line =
      fmt::format("shmim-run {} {} --type {}", shell_word(wanted.in), shell_word(wanted.out), type);
  if (!wanted.exec.empty()) {
    return line + " --exec " + shell_word(wanted.exec);
  }
  line += " --";
  for (const std::string& word : wanted.command) {
    line += ' ' + shell_word(word);
  }
  return line;
}

/// The stream that the answers go to, which is made if it is missing and can be.
Stream open_out(const Context& context, const Reference& reference, const Selection& in,
                const Stream& from, const Wanted& wanted) {
  Requirement required;
  required.type = required_type(reference, wanted.type);
  if (!wanted.size.empty()) {
    required.shape = parse_shape(wanted.size);
  }
  const bool can_be_made = reference.slice.empty() && reference.existence != Existence::must_exist;
  if (can_be_made && (required.type || required.shape)) {
    CreateOptions creation;
    creation.format.type = required.type.value_or(in.type());
    creation.format.shape = required.shape.value_or(in.shape());
    creation.format.keywords = std::max(creation.format.keywords, from.format().keywords);
    const Connection made = create_if_missing(reference, required, creation, context.search_path());
    if (made.outcome == Outcome::mismatch) {
      throw Error(Problem::mismatch, reference.name,
                  fmt::format("exists with another format: {}", to_string(made.differences)));
    }
  }
  try {
    return context.open(reference, Access::best);
  } catch (const Error& error) {
    if (error.problem() != Problem::not_found || !can_be_made) {
      throw;
    }
    throw HintedError(error, with_type(wanted, to_string(in.type())));
  }
}

/// The way of a frame: from one stream by the command to the other.
class Line {
 public:
  Line(const Context& context, const Wanted& wanted, const Reference& in, Stream source)
      : context_(context),
        wanted_(wanted),
        restart_(restart_of(wanted.restart)),
        language_(language_of(wanted.language)),
        is_of_plane_(follows_planes(in.slice, source.format())),
        selection_(selection_of(in.slice, source.format(), is_of_plane_)),
        frame_(selection_.bytes()),
        companions_(context, wanted.with, language_),
        follower_(std::move(source), follow_options()) {
    if (!wanted.out.empty()) {
      const Reference out = context.reference(wanted.out);
      PublishOptions options;
      options.slice = out.slice;
      Stream stream = open_out(context, out, selection_, follower_.stream(), wanted);
      if (stream.identity() == follower_.stream().identity()) {
        throw Error(Problem::usage, out.name, "each answer would be the next question");
      }
      publisher_.emplace(std::move(stream), std::move(options));
      answer_.resize(publisher_->frame_bytes());
    } else if (!wanted.type.empty() || !wanted.size.empty()) {
      throw UsageError("--type and --size are of OUT, and there is none");
    }
    filter_.emplace(filter_options());
  }

  Exit run() {
    end_ = deadline_after(wanted_.whole);
    next_stats_ = deadline_after(wanted_.interval);
    if (!is_exec()) {
      start();
    }
    context_.readiness().say();
    manager_.tell("READY=1");
    try {
      const Exit status = work();
      finish();
      return status;
    } catch (const Interrupted&) {
      manager_.tell("STOPPING=1");
      filter_->stop(true);
      say_how_it_went();
      throw;
    } catch (...) {
      finish();
      throw;
    }
  }

 private:
  [[nodiscard]] bool is_exec() const noexcept { return !wanted_.exec.empty(); }

  FollowOptions follow_options() {
    FollowOptions options;
    options.whole_array = !is_of_plane_;
    options.cancelled = [this] {
      manager_.keep_alive();
      return interrupted() || (filter_ && filter_->has_ended());
    };
    return options;
  }

  [[nodiscard]] FilterOptions filter_options() const {
    FilterOptions options;
    options.command =
        is_exec() ? std::vector<std::string>{"/bin/sh", "-c", wanted_.exec} : wanted_.command;
    options.answers = publisher_.has_value();
    options.question_bytes = frame_.size();
    options.answer_bytes = answer_.size();
    options.timeout = wanted_.timeout;
    if (publisher_) {
      options.on_silence = [this](std::size_t came) {
        context_.note(
            command_name(),
            fmt::format("has not answered frame {} for 2 s: {} of its answer came ({}, {} "
                        "{}); --timeout gives up",
                        follower_.seen(), counted(came, "byte"), wanted_.language,
                        to_string(publisher_->type()), to_string(publisher_->frame_shape())));
      };
    }
    if (!wanted_.processors.empty()) {
      options.processor = wanted_.processors.back();
    }
    return options;
  }

  [[nodiscard]] Variables variables() const {
    const auto size = [](const Shape& shape) { return to_string(shape); };
    Variables variables{{"SHMIM_NAME", follower_.stream().name()},
                        {"SHMIM_TYPE", std::string(to_string(selection_.type()))},
                        {"SHMIM_SIZE", size(selection_.shape())}};
    if (publisher_) {
      variables["SHMIM_OUT_NAME"] = publisher_->stream().name();
      variables["SHMIM_OUT_TYPE"] = to_string(publisher_->type());
      variables["SHMIM_OUT_SIZE"] = size(publisher_->frame_shape());
    }
    companions_.add_to(variables);
    return variables;
  }

  void start() {
    companions_.renew();
    filter_->start(variables());
    start_answers();
  }

  void start_answers() {
    if (publisher_) {
      answers_ = answers_of(*filter_, language_, publisher_->type(), publisher_->frame_shape());
    }
  }

  /// Until the command has ended, or what was asked for has come.
  Exit work() {
    while (!wanted_.count || answered_ < *wanted_.count) {
      TakenFrame taken;
      const Arrival arrival = follower_.next(
          wanted_.every ? FrameOrder::every : FrameOrder::latest, wake_at(),
          [this](std::span<const std::byte> pixels) { selection_.take(pixels, frame_); }, taken);
      missed_ += taken.missed;
      throw_if_interrupted();
      // Without answers it may be gone while there are always frames.
      const bool has_ended = (arrival != Arrival::arrived || !publisher_) && filter_->has_ended();
      if (arrival == Arrival::arrived && !has_ended) {
        if (const auto ended = pass(taken)) {
          return *ended;
        }
      } else if (arrival == Arrival::removed) {
        throw Error(Problem::removed, follower_.stream().name(),
                    "was removed while we waited for its next frame");
      } else if (arrival == Arrival::recreated) {
        throw Error(Problem::mismatch, follower_.stream().name(),
                    fmt::format("was re-created with another format: {}", follower_.difference()));
      } else if (has_ended) {
        if (const auto ended = fail(filter_->end(), std::nullopt)) {
          return *ended;
        }
      } else if (end_ && std::chrono::steady_clock::now() >= *end_) {
        return whole_is_over();
      }
      say_at_times();
    }
    return Exit::done;
  }

  Exit whole_is_over() {
    if (!wanted_.count) {
      return Exit::done;
    }
    context_.note(follower_.stream().name(), fmt::format("timed out: {} of {} in {}", answered_,
                                                         counted(*wanted_.count, "answer"),
                                                         in_words(Seconds(*wanted_.whole))));
    throw TimedOut{};
  }

  [[nodiscard]] Deadline wake_at() const noexcept {
    return end_ && next_stats_ ? std::min(end_, next_stats_) : end_ ? end_ : next_stats_;
  }

  /// Gives a frame to the command, and publishes what it answers. The status to end with, if that
  /// was the end.
  std::optional<Exit> pass(const TakenFrame& taken) {
    const auto begin = std::chrono::steady_clock::now();
    try {
      companions_.renew();
      if (is_exec()) {
        start_for(taken);
      } else if (publisher_) {
        answers_->require_silence();
      }
      const std::string head = heading(language_, follower_.stream(), taken, selection_, frame_);
      filter_->ask(std::as_bytes(std::span(head)), language_ == Language::text
                                                       ? std::span<const std::byte>()
                                                       : std::span<const std::byte>(frame_));
      if (publisher_) {
        answers_->read(answer_);
      }
      filter_->finish_asking();
      if (is_exec()) {
        if (publisher_) {
          answers_->require_silence();
        }
        filter_->finish();
      }
    } catch (const FilterFailed& failed) {
      return fail(failed, taken.info.cnt0);
    } catch (const Interrupted&) {
      count_unanswered();
      throw;
    }
    filter_time_.add(std::chrono::steady_clock::now() - begin);
    if (publisher_) {
      publish(taken);
    }
    ++answered_;
    pause_ = first_pause;
    return std::nullopt;
  }

  void start_for(const TakenFrame& taken) {
    const StampClock clock = clock_of_in();
    Variables all = variables();
    all["SHMIM_CNT0"] = std::to_string(taken.info.cnt0);
    all["SHMIM_CNT1"] = std::to_string(taken.info.cnt1);
    all["SHMIM_MISSED"] = std::to_string(taken.missed);
    all["SHMIM_ATIME"] = utc_or_nothing(on_tai(taken.info.atime, clock));
    all["SHMIM_WRITETIME"] = utc_or_nothing(on_tai(taken.info.writetime, clock));
    filter_->start(all);
    start_answers();
  }

  /// A system call, which the same stream need not have twice.
  [[nodiscard]] StampClock clock_of_in() {
    if (!clock_ || recreations_ != follower_.recreations()) {
      clock_ = clock_of(follower_.stream());
      recreations_ = follower_.recreations();
    }
    return *clock_;
  }

  static std::string utc_or_nothing(Tai time) { return is_date(time) ? to_utc(time) : ""; }

  void publish(const TakenFrame& taken) {
    const StampClock clock = clock_of_in();
    const Tai atime = on_tai(taken.info.atime, clock);
    publisher_->set_atime(is_date(atime) ? std::optional(atime) : std::nullopt);
    publisher_->set_trigger(taken.trigger());
    if (!wanted_.no_keywords) {
      publisher_->set_keywords(move_world(follower_.stream().keywords().all(), selection_));
    }
    publisher_->publish(answer_);
    const Tai written = on_tai(taken.info.writetime, clock);
    latency_.add(TaiClock::now() - (is_date(written) ? written : taken.taken));
  }

  /// The command is no use any more. The status to end with, unless it is started again.
  std::optional<Exit> fail(const FilterFailed& failed, std::optional<std::uint64_t> frame) {
    filter_->stop(true);
    if (frame) {
      count_unanswered();
    }
    const bool is_failure = failed.is_failure || frame;
    if (is_failure || restart_ == Restart::always) {
      context_.note(
          command_name(),
          frame ? fmt::format("{}; frame {} is not answered", failed.why, *frame) : failed.why);
    }
    const bool goes_on =
        restart_ == Restart::always || (restart_ == Restart::on_failure && is_failure);
    if (!goes_on) {
      return failed.is_late ? Exit::timed_out : is_failure ? Exit::failed : Exit::done;
    }
    if (!is_exec()) {
      back_off();
      start();
    }
    return std::nullopt;
  }

  void count_unanswered() noexcept {
    ++unanswered_;
    ++missed_;
  }

  void back_off() {
    constexpr std::chrono::milliseconds between_signs_of_life{100};
    const auto until = std::chrono::steady_clock::now() + pause_;
    for (auto now = until - pause_; now < until; now += between_signs_of_life) {
      manager_.keep_alive();
      sleep_until(std::min(now + between_signs_of_life, until));
    }
    pause_ = std::min(2 * pause_, longest_pause);
  }

  [[nodiscard]] std::string command_name() const {
    return is_exec() ? wanted_.exec : wanted_.command.front();
  }

  void finish() {
    manager_.tell("STOPPING=1");
    filter_->stop(false);
    say_how_it_went();
  }

  [[nodiscard]] std::string how_it_went() const {
    std::string text = fmt::format("{}, {} missed", counted(answered_, "frame"), missed_);
    if (unanswered_ > 0) {
      text += fmt::format(" ({} of them not answered)", unanswered_);
    }
    if (!latency_.empty()) {
      text += fmt::format("; latency {}", latency_.text());
    }
    if (!filter_time_.empty()) {
      text += fmt::format("; command {}", filter_time_.text());
    }
    return text;
  }

  void say_how_it_went() const {
    context_.note(publisher_ ? publisher_->stream().name() : follower_.stream().name(),
                  how_it_went());
  }

  void say_at_times() {
    manager_.keep_alive();
    if (next_stats_ && std::chrono::steady_clock::now() >= *next_stats_) {
      next_stats_ = deadline_after(wanted_.interval);
      say_how_it_went();
      manager_.tell("STATUS=" + how_it_went());
    }
  }

  static constexpr std::chrono::milliseconds first_pause{100};
  static constexpr std::chrono::milliseconds longest_pause{10'000};

  const Context& context_;
  const Wanted& wanted_;
  Restart restart_;
  Language language_;
  bool is_of_plane_;
  Selection selection_;
  std::vector<std::byte> frame_;
  std::vector<std::byte> answer_;
  ServiceManager manager_;
  Companions companions_;
  std::optional<Filter> filter_;
  std::unique_ptr<Answers> answers_;
  Follower follower_;
  std::optional<Publisher> publisher_;
  std::optional<StampClock> clock_;  ///< of the times of IN
  unsigned recreations_ = 0;
  Deadline end_;
  Deadline next_stats_;
  std::chrono::milliseconds pause_ = first_pause;  ///< before it is started again
  std::uint64_t answered_ = 0;
  std::uint64_t unanswered_ = 0;
  std::uint64_t missed_ = 0;  ///< unanswered ones too
  Spread latency_;            ///< from the writing of a frame to that of its answer
  Spread filter_time_;
};

}  // namespace

Exit run_compute_unit(const Context& context, const Wanted& wanted) {
  const Reference in = context.reference(wanted.in);
  return context.about(
      in, [&] { return Line(context, wanted, in, context.open(in, Access::best)).run(); });
}

}  // namespace shmim::tools
