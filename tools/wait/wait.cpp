// shmim-wait: waits for the next frame, of one stream or several.

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include "common/app/patience.hpp"
#include "common/app/tool.hpp"
#include "common/io/stdout.hpp"
#include "common/print/frame_line.hpp"

namespace shmim::tools {
namespace {

class Wait final : public Tool {
 public:
  void declare(Options& options) override {
    options.positional("REF", refs_, "streams to wait for; takes @S: @E: and an address")
        .required();
    const Option& any = options.flag(
        "--any", any_, "wait for a frame of any of the streams (the default), and print its name");
    options.flag("--all", all_, "wait until each of the streams has a new frame").excludes(any);
    const Option& semaphore = options.number(
        "-s,--sem", "I", semaphore_,
        "use semaphore I alone: wait for posts, whether a frame came with them or not");
    options.flag("--flush", flush_, "drop pending posts first").needs(semaphore);
    options.passive(passive_).excludes(semaphore);
    const Option& count =
        options.number("-n", "N", count_, "wait for N frames, or posts (default: 1)", above_zero);
    options.number("--cnt0", "N", cnt0_, "wait until cnt0 is at least N; returns at once if it is")
        .excludes(semaphore)
        .excludes(count);
    options.flag("--forever", forever_, "go on until interrupted").excludes(count);
    patience_.declare(options);
    options.duration("--spin", spin_, "busy-wait this long before sleeping");
    options.flag("--appear", appear_, "wait for the stream to exist first");
    options.ready_fd();
    options.json();
    options.print(std::string(frame_fields));
  }

  Exit run(const Context& context) override {
    std::vector<Reference> references;
    for (const std::string& text : refs_) {
      references.push_back(context.reference(text));
    }
    if (forever_ && cnt0_) {
      throw UsageError("--cnt0 and --forever exclude one another");
    }
    is_one_ = references.size() == 1 && !any_ && !all_;
    if (const char* option = semaphore_ ? "--sem"
                             : cnt0_    ? "--cnt0"
                             : spin_    ? "--spin"
                                        : nullptr;
        option != nullptr && !is_one_) {
      throw UsageError(fmt::format("{} takes one stream", option));
    }
    if (semaphore_ && references.front().address) {
      throw UsageError("--sem: the semaphores of another host can be waited on there alone");
    }
    patience_.begin();
    if (!context.print_template().empty()) {
      check_frame_line(context.print_template(), references.front().name, Record::object());
    }
    FollowOptions options;
    options.semaphore = semaphore_;
    options.passive = passive_;
    options.spin = spin_.value_or(std::chrono::nanoseconds{0});
    options.cancelled = is_writing_over;
    if (!is_one_) {
      return wait_for_several(context, references, options);
    }
    return context.about(references.front(),
                         [&] { return wait(context, references.front(), options); });
  }

 private:
  Exit wait(const Context& context, const Reference& reference, FollowOptions options) const {
    Readiness ready = context.readiness();
    Stream stream = appear_ ? await_stream(context, reference, ready) : open(context, reference);
    if (const std::uint64_t cnt0 = stream.cnt0(); cnt0_ && cnt0 >= *cnt0_) {
      context.detail(reference.name, fmt::format("cnt0 is {} already", cnt0));
      ready.say();
      TakenFrame frame;  // no semaphore is needed
      frame.info = stream.newest();
      frame.info.writetime = stream.written();
      print(context, stream, frame);
      return Exit::done;
    }
    Follower follower(std::move(stream), std::move(options));
    if (flush_) {
      follower.flush();
    }
    context.detail(reference.name, follower.describe_waiting());
    ready.say();
    if (cnt0_) {
      await_count(context, follower);
    } else {
      await_frames(context, follower);
    }
    return Exit::done;
  }

  [[nodiscard]] Stream open(const Context& context, const Reference& reference) const {
    MirrorWish wish;
    wish.deadline = patience_.next();
    return context.open(reference, Access::best, wish);
  }

  [[nodiscard]] Stream await_stream(const Context& context, const Reference& reference,
                                    Readiness& ready) const {
    if (reference.address) {
      MirrorWish wish;
      wish.awaits = true;
      wish.deadline = patience_.next();
      ready.say();
      try {
        return context.open(reference, Access::best, wish);
      } catch (const TimedOut&) {
        context.note(reference.name, "timed out: it did not appear");
        throw;
      }
    }
    SearchPath where = context.search_path();
    where.conf.clear();  // a stream, and not a file that one could be made from
    Connection connection;
    try {
      connection = await(reference, {}, where,
                         {patience_.next(), is_writing_over, [&ready] { ready.say(); }});
    } catch (const Error& error) {
      if (!may_be_half_made(error.problem()) && error.problem() != Problem::dangling_link) {
        throw;
      }
    }
    throw_if_writing_is_over();
    if (connection.outcome == Outcome::not_found) {
      context.note(reference.name, "timed out: it did not appear");
      throw TimedOut{};
    }
    if (connection.outcome == Outcome::mismatch) {
      throw Error(Problem::mismatch, reference.name, to_string(connection.differences));
    }
    return *std::move(connection.stream);
  }

  void await_count(const Context& context, Follower& follower) const {
    TakenFrame frame;
    frame.info = follower.stream().newest();
    frame.info.writetime = follower.stream().written();
    frame.semaphore = follower.semaphore();
    while (frame.info.cnt0 < *cnt0_) {
      const Arrival arrival = patience_.wait([&](const Deadline& deadline) {
        return await_frame(context, follower, deadline, frame);
      });
      if (arrival != Arrival::arrived) {
        patience_.end(context, arrival, follower,
                      fmt::format("cnt0 is {}, and did not come to {}", follower.seen(), *cnt0_));
      }
    }
    frame.missed = 0;  // none that was waited for
    print(context, follower.stream(), frame);
  }

  void await_frames(const Context& context, Follower& follower) const {
    const std::optional<std::uint64_t> wanted =
        forever_ ? std::nullopt : std::optional(count_.value_or(1));
    const std::string_view what = semaphore_ ? "post" : "frame";
    for (std::uint64_t done = 0; !wanted || done < *wanted;) {
      TakenFrame frame;
      const Arrival arrival = patience_.wait([&](const Deadline& deadline) {
        return semaphore_ ? await_post(follower, deadline, frame)
                          : await_frame(context, follower, deadline, frame);
      });
      if (arrival != Arrival::arrived) {
        patience_.end(context, arrival, follower, Patience::lacking(done, wanted, what), what);
        return;
      }
      print(context, follower.stream(), frame);
      done += 1 + frame.missed;
    }
  }

  /// What is known of the frame is found out if it is to be told: a frame that is being written
  /// must be waited for then.
  [[nodiscard]] static Arrival await_frame(const Context& context, Follower& follower,
                                           const Deadline& deadline, TakenFrame& frame) {
    if (context.json() || !context.print_template().empty()) {
      return follower.wait(deadline, frame);
    }
    const std::uint64_t before = follower.seen();
    const unsigned recreations = follower.recreations();
    const Arrival arrival = follower.wait(deadline);
    frame.info.cnt0 = follower.seen();
    // Of a stream that was re-created, or whose count went back, it is not known how many came.
    const bool is_after = frame.info.cnt0 > before && follower.recreations() == recreations;
    frame.missed = is_after ? frame.info.cnt0 - before - 1 : 0;
    return arrival;
  }

  [[nodiscard]] static Arrival await_post(Follower& follower, const Deadline& deadline,
                                          TakenFrame& frame) {
    const FrameInfo before = follower.stream().newest();
    const Arrival arrival = follower.wait_post(deadline);
    frame.info = follower.stream().newest();
    frame.info.writetime =
        frame.info == before ? follower.stream().written() : written_after(before, frame.info);
    frame.semaphore = follower.semaphore();
    return arrival;
  }

  Exit wait_for_several(const Context& context, const std::vector<Reference>& references,
                        const FollowOptions& options) const {
    Readiness ready = context.readiness();
    std::vector<Stream> streams;
    const Exit status = context.for_each<Reference>(references, [&](const Reference& wanted) {
      streams.push_back(appear_ ? await_stream(context, wanted, ready) : open(context, wanted));
    });
    if (status != Exit::done) {
      return status;
    }
    FollowerSet followers(streams, options);
    for (std::size_t i = 0; i < streams.size(); ++i) {
      context.detail(streams[i].name(), followers.follower(i).describe_waiting());
    }
    ready.say();
    const std::optional<std::uint64_t> wanted =
        forever_ ? std::nullopt : std::optional(count_.value_or(1));
    try {
      for (std::uint64_t done = 0; !wanted || done < *wanted; ++done) {
        if (!await_round(context, references, followers, Patience::lacking(done, wanted))) {
          break;
        }
      }
    } catch (const Error& error) {
      const auto about = std::ranges::find(references, error.subject(), &Reference::name);
      return about == references.end() ? context.report(error) : context.report(*about, error);
    }
    return Exit::done;
  }

  /// A frame of one of them, or one of each: a line for each as it comes. False where nothing is
  /// lacking once the time of --for is over.
  [[nodiscard]] bool await_round(const Context& context, const std::vector<Reference>& references,
                                 FollowerSet& followers,
                                 const std::optional<std::string>& lacking) const {
    std::set<std::size_t> came;
    while (came.size() < (all_ ? references.size() : 1)) {
      std::optional<FollowerSet::Event> event;
      const Arrival arrival = patience_.wait([&](const Deadline& deadline) {
        event = followers.next(deadline);
        return event ? event->arrival : Arrival::timed_out;
      });
      if (!event) {
        patience_.give_up(context, names_of_others(references, came), std::nullopt, lacking);
        return false;
      }
      const Follower& follower = followers.follower(event->index);
      if (arrival != Arrival::arrived) {
        patience_.end(context, arrival, follower, lacking);
      }
      print(context, follower.stream(), event->frame);
      came.insert(event->index);
    }
    for (const std::size_t index : came) {
      followers.resume(index);
    }
    return true;
  }

  /// Of those that no frame came of, as the subject of a message.
  [[nodiscard]] static std::string names_of_others(const std::vector<Reference>& references,
                                                   const std::set<std::size_t>& came) {
    std::string names;
    for (std::size_t i = 0; i < references.size(); ++i) {
      if (!came.contains(i)) {
        names += fmt::format("{}{}", names.empty() ? "" : ", ", references[i].name);
      }
    }
    return names;
  }

  void print(const Context& context, const Stream& stream, const TakenFrame& frame) const {
    if (context.json()) {
      write_stdout(to_json_line(frame_record(stream, frame)));
    } else if (!context.print_template().empty()) {
      write_stdout(frame_line(context.print_template(), stream, frame_record(stream, frame)));
    } else if (!context.quiet()) {
      write_stdout(is_one_ ? fmt::format("{}\n", frame.info.cnt0)
                           : fmt::format("{}\n", printable(stream.name())));
    }
  }

  std::vector<std::string> refs_;
  bool any_ = false;
  bool all_ = false;
  bool is_one_ = true;  ///< stream, with no --any and no --all
  std::optional<unsigned> semaphore_;
  bool flush_ = false;
  bool passive_ = false;
  std::optional<std::uint64_t> count_;
  std::optional<std::uint64_t> cnt0_;
  bool forever_ = false;
  Patience patience_;
  std::optional<std::chrono::nanoseconds> spin_;
  bool appear_ = false;
};

const Registration wait_registration(
    "wait", "wait for the next frame of a stream, or of several", {"SE", false, true},
    {.missing = "shmim-wait {} --appear", .similar = "shmim-wait {}"}, make<Wait>,
    {"shmim-wait cam -t 2s || echo \"no frame in 2 s: status $?\"",
     "shmim-wait cam --forever -t 2s -q || alarm \"cam has stopped\""});

}  // namespace
}  // namespace shmim::tools
