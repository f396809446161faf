// kill -9 at every step. A program is run again and again, each time to be killed one step later:
// at every system call, and at every instruction that changes what others see of its streams. After
// each death the survivors look, read and write.

#include <algorithm>
#include <cstdio>
#include <optional>
#include <thread>

#include <fmt/format.h>
#include <shmim/fits.hpp>

#include "harness.hpp"
#include "traced.hpp"

namespace shmim::faults {
namespace {

constexpr std::uint64_t old_number = 1;
constexpr std::uint64_t new_number = 2;
constexpr std::uint64_t mended_number = 3;
constexpr std::size_t frame_bytes = 128;
/// With which survivors wait for one of whom they cannot tell whether it is dead.
constexpr std::chrono::milliseconds reader_patience{50};
/// In a command: the directory for files.
constexpr std::string_view files_mark = "FILES";

/// What a command has to work with, made anew for each run.
struct Stage {
  Directory shm;
  Directory files;
  std::optional<Follower> reader;   ///< of stream x, waiting since before the command
  std::uint64_t cnt0 = 0;           ///< of stream x before it
  std::optional<Follower> answers;  ///< of stream y, to which `unit` publishes
  std::optional<Child> unit;        ///< shmim-run, which copies x to y

  [[nodiscard]] Stream open(Access access = Access::best) const {
    return Stream::open(shm.stream("x"), access);
  }
  void make(std::uint32_t slots, const char* name = "x") const {
    Stream stream = Stream::draft(shm.path(), name, numbers(frame_bytes, slots));
    if (!stream.publish()) {
      throw Error(Problem::exists, name, "is left from before");
    }
    publish_numbered(stream);
  }
  void watch() {
    reader.emplace(open());
    cnt0 = reader->stream().cnt0();
  }
  void run_unit() {
    make(0, "y");
    answers.emplace(Stream::open(shm.stream("y")));
    unit.emplace([this] { execute(shm.path(), {"shmim-run", "x", "y", "-q", "--", "/bin/cat"}); });
    const Stream source = open(Access::read);
    while (!reads(source, unit->pid()) && !unit->has_ended()) {
      std::this_thread::yield();
    }
  }

 private:
  static bool reads(const Stream& stream, pid_t pid) {
    for (unsigned index = 0; index < stream.semaphores().count(); ++index) {
      if (stream.semaphores().reader(index) == pid) {
        return true;
      }
    }
    return false;
  }
};

struct Scenario {
  std::string name;
  std::vector<std::string> command;
  std::function<void(Stage&)> prepare;
  /// Wakes the command where it waits.
  std::function<void(const Stage&)> poke;
  bool may_leave_hidden_name = false;
  bool calls_only = false;  ///< what it changes in a stream, another scenario steps through
};

/// What was found after the deaths of one scenario.
struct DeathTally {
  std::uint64_t deaths = 0;
  std::uint64_t absent = 0;      ///< x was not there
  std::uint64_t whole = 0;       ///< a reader got a whole frame
  std::uint64_t unfinished = 0;  ///< was told of an unfinished frame, and by whom
  std::uint64_t unnamed = 0;     ///< was told that the stream is busy, or unfinished by another
  std::uint64_t hidden = 0;      ///< a hidden name was left
};

/// Looks at what a dead process has left, as survivors do.
class Inquest {
 public:
  Inquest(const Scenario& scenario, Stage& stage, pid_t dead, std::string where, Verdict& verdict,
          DeathTally& tally)
      : scenario_(scenario),
        stage_(stage),
        dead_(dead),
        where_(std::move(where)),
        verdict_(verdict),
        tally_(tally) {}

  void hold() {
    ++tally_.deaths;
    try {
      look_at_names();
      if (!identity_of(stage_.shm.stream("x"))) {
        ++tally_.absent;
        expect_reader_to(Arrival::removed);
        return;
      }
      Stream stream = stage_.open();
      expect(stream.claimed_by() == 0, "the claim to write outlived its process");
      read(stream);
      mend(stream);
      if (stage_.unit) {
        expect_answer(stream);
      }
      claim_all(stream);
      clean_up(stream);
    } catch (const std::exception& error) {
      expect(false, error.what());
    }
  }

 private:
  void expect(bool holds, std::string_view what) {
    verdict_.expect(holds, fmt::format("{}, killed {}: {}", scenario_.name, where_, what));
  }

  /// Every file is a whole stream; but for a hidden name, where one must be.
  void look_at_names() {
    for (const std::string& name : stage_.shm.names()) {
      if (name.starts_with('.')) {
        ++tally_.hidden;
        expect(scenario_.may_leave_hidden_name, "left " + name);
      }
      static_cast<void>(Stream::open(stage_.shm.path() / name, Access::read));
    }
  }

  void read(const Stream& stream) {
    std::vector<std::byte> frame(stream.format().bytes());
    const Snapshot snapshot = stream.snapshot(frame, deadline_after(reader_patience));
    if (snapshot.state == FrameState::whole) {
      ++tally_.whole;
      expect(is_uniform(frame), "a torn frame was taken for a whole one");
      const std::uint64_t number = number_in(frame);
      expect(number == old_number || number == new_number || stream.cnt0() == 0,
             "a frame that nobody wrote");
      // What was counted reaches the reader that was there all the time.
      if (stage_.reader && stream.identity() == stage_.reader->stream().identity() &&
          stream.cnt0() != stage_.cnt0 && !stream.is_being_written()) {
        expect_reader_to(Arrival::arrived);
      }
    } else if (snapshot.state == FrameState::unfinished && snapshot.writer == dead_) {
      ++tally_.unfinished;
    } else {
      ++tally_.unnamed;
    }
  }

  /// The next writer gets its turn, and what it writes is whole and reaches the reader.
  void mend(Stream& stream) {
    const std::uint64_t before = stream.cnt0();
    {
      WriteGuard guard(stream, deadline_after(reader_patience));
      fill_frame(guard.pixels(), mended_number);
      guard.publish();
    }
    std::vector<std::byte> frame(stream.format().bytes());
    const Snapshot snapshot = stream.snapshot(frame);
    expect(snapshot.state == FrameState::whole && number_in(frame) == mended_number &&
               is_uniform(frame),
           "the next writer did not mend it");
    expect(stream.cnt0() == before + 1, "a frame was counted twice, or not");
    expect_reader_to(Arrival::arrived);
  }

  void expect_reader_to(Arrival expected) {
    if (stage_.reader) {
      const Arrival arrival = stage_.reader->wait(deadline_after(std::chrono::seconds{10}));
      expect(arrival == expected, "the reader that waited all the time has missed it");
      stage_.reader->set_seen(stage_.reader->stream().cnt0());
    }
  }

  /// The unit has lived through it, and answers that frame with a trace that says so.
  void expect_answer(const Stream& source) {
    const Stream& answered = stage_.answers->stream();
    std::vector<std::byte> frame(answered.format().bytes());
    const auto deadline = deadline_after(std::chrono::seconds{10});
    do {
      const Arrival arrival = stage_.answers->wait(deadline);
      expect(arrival == Arrival::arrived, "the unit does not answer any more");
      if (arrival != Arrival::arrived) {
        return;
      }
      stage_.answers->set_seen(answered.cnt0());
      const Snapshot snapshot = answered.snapshot(frame);
      expect(snapshot.state == FrameState::whole && is_uniform(frame), "an answer is torn");
    } while (number_in(frame) != mended_number);
    const auto trace = answered.trace().entries();
    expect(!trace.empty() && trace.front().trigger_inode == source.identity().inode &&
               trace.front().cnt0 == source.cnt0(),
           "an answer names another frame");
    claim_all(answered, 1);
  }

  void claim_all(const Stream& stream) {
    const bool reader_has_one =
        stage_.reader && stage_.reader->stream().identity() == stream.identity();
    claim_all(stream, (reader_has_one ? 1 : 0) + (stage_.unit ? 1 : 0));
  }
  /// No semaphore is lost to the dead.
  static void claim_all(const Stream& stream, unsigned readers) {
    std::vector<SemaphoreClaim> claims;
    for (unsigned index = readers; index < stream.semaphores().count(); ++index) {
      claims.push_back(stream.semaphores().claim());
    }
  }

  /// The next replacement in the directory takes away what a dead one left.
  void clean_up(const Stream& stream) {
    stage_.reader.reset();
    stage_.unit.reset();
    static_cast<void>(Stream::draft(stage_.shm.path(), "x", stream.format()).publish_over());
    for (const std::string& name : stage_.shm.names()) {
      expect(!name.starts_with('.'), name + " outlived a replacement");
    }
  }

  const Scenario& scenario_;
  Stage& stage_;
  pid_t dead_;
  std::string where_;
  Verdict& verdict_;
  DeathTally& tally_;
};

/// A command under way, on a stage of its own.
class Execution {
 public:
  explicit Execution(const Scenario& scenario) : scenario_(scenario), view_(stage_.shm.path()) {
    scenario_.prepare(stage_);
    view_.update_names();
    std::vector<std::string> command = scenario_.command;
    for (std::string& word : command) {
      if (const auto at = word.find(files_mark); at != std::string::npos) {
        word.replace(at, files_mark.size(), stage_.files.path().string());
      }
    }
    process_.emplace(stage_.shm.path(), command);
    if (scenario_.poke) {
      poke_ = [this] { scenario_.poke(stage_); };
    }
  }
  [[nodiscard]] Traced& process() { return *process_; }
  [[nodiscard]] Stage& stage() { return stage_; }

  /// True where it changed what is in a stream since this was asked last.
  bool has_changed_content() {
    const bool has_changed = view_.content_changed();
    view_.update_names();
    return has_changed;
  }
  /// To the next system call; false where it has ended.
  bool to_next_call() { return process_->to_next_system_call(poke_); }
  bool to_call(std::uint64_t number) {
    for (std::uint64_t call = 0; call < number; ++call) {
      if (!to_next_call()) {
        return false;
      }
    }
    return true;
  }
  /// Behind the next instruction that changes what is in a stream; false where it has ended.
  bool to_next_change() {
    for (std::uint64_t instruction = 0; process_->step(poke_); ++instruction) {
      if (view_.content_changed()) {
        return true;
      }
      if (instruction % 256 == 0) {
        view_.update_names();
      }
    }
    return false;
  }
  bool to_change(std::uint64_t number) {
    for (std::uint64_t change = 0; change < number; ++change) {
      if (!to_next_change()) {
        return false;
      }
    }
    return true;
  }

 private:
  const Scenario& scenario_;
  Stage stage_;
  View view_;
  std::function<void()> poke_;
  std::optional<Traced> process_;
};

/// The steps at which a command can be killed: at system calls, by number, and behind one of them
/// at each change to what is in a stream.
struct Steps {
  std::uint64_t first_call = 0;  ///< that touches the shm directory; nothing before can matter
  std::uint64_t calls = 0;
  std::optional<std::uint64_t> stepping_from;  ///< the call behind which the first change happens
  std::uint64_t changes = 0;
};

Steps survey(const Scenario& scenario, bool calls_only, Verdict& verdict) {
  Steps steps;
  {
    Execution execution(scenario);
    while (execution.to_next_call()) {
      if (!steps.stepping_from && execution.has_changed_content()) {
        steps.stepping_from = steps.calls;
      }
      ++steps.calls;
      if (steps.first_call == 0 &&
          execution.process().is_entering_call_on(execution.stage().shm.path())) {
        steps.first_call = steps.calls;
      }
    }
    verdict.expect(execution.process().exit_status() == 0,
                   fmt::format("{}: without a death it ends with status {}", scenario.name,
                               execution.process().exit_status()));
    verdict.expect(steps.first_call > 0, scenario.name + ": it touched no stream");
  }
  if (steps.stepping_from && !calls_only) {
    Execution execution(scenario);
    execution.to_call(*steps.stepping_from);
    while (execution.to_next_change()) {
      ++steps.changes;
    }
  }
  return steps;
}

DeathTally die_at_every_step(const Scenario& scenario, const DeathOptions& options,
                             Verdict& verdict) {
  const unsigned stride = std::max(options.stride, 1U);
  DeathTally tally;
  const Steps steps = survey(scenario, options.calls_only || scenario.calls_only, verdict);
  const auto die = [&](const std::string& where, const std::function<void(Execution&)>& run) {
    Execution execution(scenario);
    run(execution);
    const pid_t dead = execution.process().pid();
    execution.process().kill();
    Inquest(scenario, execution.stage(), dead, where, verdict, tally).hold();
  };
  for (std::uint64_t call = steps.first_call; call <= steps.calls; call += stride) {
    die(fmt::format("at system call {} of {}", call, steps.calls),
        [&](Execution& execution) { execution.to_call(call); });
  }
  for (std::uint64_t change = 1; change <= steps.changes; change += stride) {
    die(fmt::format("at change {} of {}", change, steps.changes), [&](Execution& execution) {
      execution.to_call(*steps.stepping_from);
      execution.to_change(change);
    });
  }
  return tally;
}

void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (file == nullptr || std::fwrite(bytes.data(), 1, bytes.size(), file) != bytes.size() ||
      std::fclose(file) != 0) {
    throw Error::system(path.string(), "cannot write", errno);
  }
}

std::vector<std::byte> new_frame() {
  std::vector<std::byte> frame(frame_bytes);
  fill_frame(frame, new_number);
  return frame;
}

void write_fits(const Stage& stage) {
  const Format format = numbers(frame_bytes);
  const std::vector<Keyword> keywords{{"EXPTIME", 0.5, "[s]"}, {"CAMERA", std::string("c1"), ""}};
  write_file(stage.files.path() / "shmim.x.fits",
             to_fits(Hdu::primary, format.type, format.shape, new_frame(), keywords));
}

std::function<void(Stage&)> with_stream(std::uint32_t slots) {
  return [slots](Stage& stage) {
    stage.make(slots);
    stage.watch();
    write_file(stage.files.path() / "frame.raw", new_frame());
  };
}

std::function<void(Stage&)> with_stream_and_fits() {
  return [](Stage& stage) {
    with_stream(0)(stage);
    write_fits(stage);
  };
}

void publish_new_frame(const Stage& stage, const char* name = "x") {
  Stream stream = Stream::open(stage.shm.stream(name));
  WriteGuard guard(stream);
  fill_frame(guard.pixels(), new_number);
  guard.publish();
}

std::vector<Scenario> scenarios() {
  const auto nothing = [](Stage&) {};
  const auto poke = [](const Stage& stage) { publish_new_frame(stage); };
  const std::string size = fmt::format("{}", frame_bytes / sizeof(std::uint64_t));
  const std::string raw = fmt::format("{}/frame.raw", files_mark);
  const std::string fits = fmt::format("{}/shmim.x.fits", files_mark);
  return {
      {"create", {"shmim-create", "tui64>x", size, "--set", "A=1", "-c", "4"}, nothing, {}},
      {"create from FITS", {"shmim-create", "x", "--from", fits}, write_fits, {}},
      {"connect to FITS",
       {"shmim-connect", "x", "--conf", std::string(files_mark)},
       write_fits,
       {}},
      {"publish", {"shmim-post", "x", "--data", raw}, with_stream(0), {}},
      {"publish, circular buffer", {"shmim-post", "x", "--data", raw}, with_stream(4), {}},
      {"publish with keyword and PID",
       {"shmim-post", "x", "--data", raw, "--set", "A=1", "--pid", "1"},
       with_stream(0),
       {}},
      {"publish, triggered",
       {"shmim-post", "x", "--data", raw, "--trigger", "t"},
       [](Stage& stage) {
         stage.make(0, "t");
         with_stream(0)(stage);
       },
       {}},
      {"run",
       {"shmim-run", "t", "x", "-q", "-n", "1", "--", "/bin/cat"},
       [](Stage& stage) {
         stage.make(0, "t");
         with_stream(0)(stage);
       },
       [](const Stage& stage) { publish_new_frame(stage, "t"); },
       false,
       true},
      {"publish to a unit",
       {"shmim-post", "x", "--data", raw},
       [](Stage& stage) {
         with_stream(0)(stage);
         stage.run_unit();
       },
       {},
       false,
       true},
      {"follow a unit",
       {"shmim-cat", "y", "-f", "-n", "1"},
       [](Stage& stage) {
         with_stream(0)(stage);
         stage.run_unit();
       },
       poke,
       false,
       true},
      {"publish and claim", {"shmim-post", "x", "--data", raw, "--claim"}, with_stream(0), {}},
      {"reload FITS",
       {"shmim-connect", "x", "--reload", "--conf", std::string(files_mark)},
       with_stream_and_fits(),
       {}},
      {"post", {"shmim-post", "x"}, with_stream(0), {}},
      {"wait", {"shmim-wait", "x"}, with_stream(0), poke},
      {"cat", {"shmim-cat", "x"}, with_stream(0), {}},
      {"follow", {"shmim-cat", "x", "-f", "-n", "1"}, with_stream(4), poke},
      {"remove", {"shmim-rm", "x"}, with_stream(0), {}},
      {"recreate", {"shmim-create", "tui64>x", size, "--recreate"}, with_stream(0), {}, true},
      {"connect, anew",
       {"shmim-connect", "tui64>x", size, "-c", "2", "--create"},
       with_stream(0),
       {},
       true},
  };
}

}  // namespace

int deaths(const DeathOptions& options) {
  constexpr int skipped = 77;
  if (!Traced::is_permitted()) {
    fmt::print("skipped: ptrace is not permitted here\n");
    return skipped;
  }
  Verdict verdict;
  DeathTally sum;
  fmt::print("{:<30}  {:>6}  {:>6}  {:>6}  {:>10}  {:>7}  {:>6}\n", "KILLED WHILE IT WAS TO",
             "DEATHS", "ABSENT", "WHOLE", "UNFINISHED", "UNNAMED", "HIDDEN");
  const auto print = [](std::string_view name, const DeathTally& tally) {
    fmt::print("{:<30}  {:>6}  {:>6}  {:>6}  {:>10}  {:>7}  {:>6}\n", name, tally.deaths,
               tally.absent, tally.whole, tally.unfinished, tally.unnamed, tally.hidden);
    static_cast<void>(std::fflush(stdout));
  };
  for (const Scenario& scenario : scenarios()) {
    if (scenario.name.find(options.only) == std::string::npos) {
      continue;
    }
    const DeathTally tally = die_at_every_step(scenario, options, verdict);
    print(scenario.name, tally);
    verdict.expect(tally.deaths > 0, scenario.name + ": nobody died");
    sum.deaths += tally.deaths;
    sum.absent += tally.absent;
    sum.whole += tally.whole;
    sum.unfinished += tally.unfinished;
    sum.unnamed += tally.unnamed;
    sum.hidden += tally.hidden;
  }
  print("all", sum);
  verdict.expect(sum.deaths > 0, "no scenario has that name");
  return verdict.exit_status();
}

}  // namespace shmim::faults
