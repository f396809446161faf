// shmim-wait: waits for the next frame.

#include <nlohmann/json.hpp>

#include "common/app/patience.hpp"
#include "common/app/tool.hpp"
#include "common/io/stdout.hpp"
#include "common/print/json.hpp"

namespace shmim::tools {
namespace {

class Wait final : public Tool {
 public:
  void declare(Options& options) override {
    options.positional("REF", ref_, "stream to wait for; takes @S: @E:").required();
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
    options.print("name cnt0 cnt1 atime writetime latency missed semaphore kw.NAME");
  }

  Exit run(const Context& context) override {
    const Reference reference = context.reference(ref_);
    if (forever_ && cnt0_) {
      throw UsageError("--cnt0 and --forever exclude one another");
    }
    patience_.begin();
    FollowOptions options;
    options.semaphore = semaphore_;
    options.passive = passive_;
    options.spin = spin_.value_or(std::chrono::nanoseconds{0});
    options.cancelled = is_writing_over;
    check_template(context, reference.name);
    return context.about(reference, [&] { return wait(context, reference, options); });
  }

 private:
  Exit wait(const Context& context, const Reference& reference, FollowOptions options) const {
    Readiness ready = context.readiness();
    Stream stream = appear_ ? await_stream(context, reference, ready) : context.open(reference);
    if (const std::uint64_t cnt0 = stream.cnt0(); cnt0_ && cnt0 >= *cnt0_) {
      context.detail(reference.name, fmt::format("cnt0 is {} already", cnt0));
      ready.say();
      print(context, stream, stream.written(), cnt0, 0, std::nullopt);  // no semaphore is needed
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

  [[nodiscard]] Stream await_stream(const Context& context, const Reference& reference,
                                    Readiness& ready) const {
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
    const FrameInfo before = follower.stream().newest();
    while (follower.stream().cnt0() < *cnt0_) {
      follower.set_seen(follower.stream().cnt0());
      if (follower.seen() >= *cnt0_) {
        break;
      }
      const Arrival arrival =
          patience_.wait([&follower](const Deadline& deadline) { return follower.wait(deadline); });
      if (arrival != Arrival::arrived) {
        patience_.end(context, arrival, follower,
                      fmt::format("cnt0 is {}, and did not come to {}", follower.seen(), *cnt0_));
      }
    }
    const FrameInfo frame = follower.stream().newest();
    print(context, follower.stream(), written_after(before, frame), frame.cnt0, 0,
          follower.semaphore());
  }

  void await_frames(const Context& context, Follower& follower) const {
    const std::optional<std::uint64_t> wanted =
        forever_ ? std::nullopt : std::optional(count_.value_or(1));
    const std::string_view what = semaphore_ ? "post" : "frame";
    FrameInfo last = follower.stream().newest();
    for (std::uint64_t done = 0; !wanted || done < *wanted;) {
      const std::uint64_t before = follower.seen();
      const unsigned recreations = follower.recreations();
      const Arrival arrival = patience_.wait([&](const Deadline& deadline) {
        return semaphore_ ? follower.wait_post(deadline) : follower.wait(deadline);
      });
      if (arrival != Arrival::arrived) {
        patience_.end(context, arrival, follower, Patience::lacking(done, wanted, what), what);
        return;
      }
      const std::uint64_t now_at = semaphore_ ? follower.stream().cnt0() : follower.seen();
      // Of a stream that was re-created, or whose count went back, it is not known how many came.
      const bool is_one = semaphore_ || now_at < before || follower.recreations() != recreations;
      const std::uint64_t frames = is_one ? 1 : now_at - before;
      const FrameInfo newest = follower.stream().newest();
      print(context, follower.stream(), written_after(last, newest), now_at, frames - 1,
            follower.semaphore());
      last = newest;
      done += frames;
    }
  }

  [[nodiscard]] static Record record(const Stream& stream, Tai written, std::uint64_t cnt0,
                                     std::uint64_t missed, std::optional<unsigned> semaphore) {
    const StampClock clock = clock_of(stream);
    const auto latency = std::chrono::duration<double>(elapsed(written, now_on(clock)));
    return {{"name", stream.name()},
            {"cnt0", cnt0},
            {"cnt1", stream.cnt1()},
            {"atime", to_utc(stream.acquired(), clock)},
            {"writetime", written == never ? Record() : Record(to_utc(written, clock))},
            {"latency", is_date(written) ? Record(latency.count()) : Record()},
            {"missed", missed},
            {"semaphore", semaphore ? static_cast<int>(*semaphore) : -1}};
  }

  static Record keyword_value(const Stream& stream, const std::string& name) {
    const auto keyword = stream.keywords().find(name);
    return keyword ? to_json(*keyword).at("value") : Record();
  }

  /// So that a mistake in --print is told before the wait, not after.
  static void check_template(const Context& context, const std::string& name) {
    if (!context.print_template().empty()) {
      Format smallest;
      smallest.shape = Shape{1};
      const Stream example = Stream::local(name, smallest);  // the one to wait for may be missing
      const Tai written = now_on(clock_of(example));
      static_cast<void>(render(context.print_template(),
                               record(example, written, 0, 0, std::nullopt),
                               [](const std::string&) { return Record(); }));
    }
  }

  static void print(const Context& context, const Stream& stream, Tai written, std::uint64_t cnt0,
                    std::uint64_t missed, std::optional<unsigned> semaphore) {
    if (context.json()) {
      write_stdout(to_json_line(record(stream, written, cnt0, missed, semaphore)));
    } else if (!context.print_template().empty()) {
      write_stdout(render(context.print_template(),
                          record(stream, written, cnt0, missed, semaphore),
                          [&](const std::string& name) { return keyword_value(stream, name); }));
    } else if (!context.quiet()) {
      write_stdout(fmt::format("{}\n", cnt0));
    }
  }

  std::string ref_;
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
    "wait", "wait for the next frame of a stream", {"SE"},
    {.missing = "shmim-wait {} --appear", .similar = "shmim-wait {}"}, make<Wait>,
    {"shmim-wait cam -t 2s || echo \"no frame in 2 s: status $?\"",
     "shmim-wait cam --forever -t 2s -q || alarm \"cam has stopped\""});

}  // namespace
}  // namespace shmim::tools
