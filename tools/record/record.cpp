// shmim-record: every frame of streams to disk, with its times, as FITS.

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <deque>
#include <exception>
#include <filesystem>
#include <optional>

#include <fmt/format.h>
#include <shmim/recording.hpp>
#include <unistd.h>

#include "common/app/tool.hpp"
#include "common/io/scheduling.hpp"
#include "common/print/words.hpp"
#include "record/compressor.hpp"
#include "record/recorder.hpp"
#include "record/watched_signals.hpp"

namespace shmim::tools {
namespace {

constexpr std::string_view default_names = "{name}-%Y%m%dT%H%M%S.fits";

class RecordTool final : public Tool {
 public:
  void declare(Options& options) override {
    options.positional("REF", refs_, "streams to record, with slices; takes @S: @E:");
    options.text("-o,--output", "TEMPLATE", names_,
                 "names of the files: {name} is the stream, {n} the file's number, %Y%m%d... the "
                 "date in UTC (default: {name}-%Y%m%dT%H%M%S.fits)");
    options.flag("--force", wanted_.files.options.replaces, "overwrite files that are there");
    const Option& count =
        options.number("-n", "N", wanted_.count, "end after N frames of each stream", above_zero);
    patience_.declare(options);
    Option& keep = options.text("--keep", "AMOUNT", keep_,
                                "hold the newest frames in memory, so long (10s) or so many bytes "
                                "(2GiB), and write them out, with what follows, on an event");
    keep.excludes(count);
    const Option& on =
        options
            .texts("--on", "EVENT", triggers_,
                   "what that event is: a signal as USR1, lost, keyword:LOOP=open, stopped:2s, "
                   "budget:2ms, or sem:3; may be repeated")
            .needs(keep);
    keep.needs(on);
    options
        .duration("--after", flight_.after, "write so long of what follows an event (default: 1s)")
        .needs(keep);
    options.number("--max", "N", flight_.most, "end after N events", above_zero).needs(keep);
    options.text("--split", "AMOUNT", split_,
                 "begin another file after so many frames (10000), bytes (1GiB) or so long (60s)");
    options.flag("--latest", wanted_.latest,
                 "skip frames that were missed (default: take them from the circular buffer)");
    options.number("--decimate", "K", wanted_.decimation, "keep one frame in K", above_zero);
    options.text("--buffer", "BYTES", buffer_,
                 "memory for frames that the disk has not taken yet, and for --keep DURATION, of "
                 "each stream (default: 256MiB)");
    options.flag("--compress", compresses_,
                 "compress each file when it is whole, exactly, while others are recorded");
    options.text("--reserve", "BYTES", reserve_, "end when less than this is left of the disk");
    options.duration("--sync", wanted_.files.sync,
                     "so often, wait until what is written would survive a loss of power");
    options
        .text("--direct", "WHEN", direct_,
              "write past the system's cache: auto (the default: where that can be), on or off")
        .one_of({"auto", "on", "off"});
    options.text("--cpu", "A,B", processors_, "run on processor A, and write to disk on B");
    options.number("--rt-prio", "N", wanted_.priority, "run with real-time priority N (SCHED_FIFO)",
                   {1, 99});
    options.texts("--repair", "FILE", repairs_,
                  "make a whole file of a recording that was left unfinished; may be repeated");
    options.json("print one JSON object per event: begin, lost, trigger, end");
    options.ready_fd();
  }

  Exit run(const Context& context) override {
    if (refs_.empty() == repairs_.empty()) {
      throw UsageError(refs_.empty() ? "REF is required" : "--repair is in the place of REF");
    }
    if (!repairs_.empty()) {
      return repair(context);
    }
    if (!buffer_.empty()) {
      wanted_.queue.memory = bytes_of("--buffer", buffer_);
    }
    parse_keep();
    wanted_.files.reserve = reserve_.empty() ? 0 : bytes_of("--reserve", reserve_);
    wanted_.files.split = parse_split();
    wanted_.files.options.direct = direct_ == "on"    ? DirectIo::on
                                   : direct_ == "off" ? DirectIo::off
                                                      : DirectIo::if_possible;
    processors_of_recorders_ = parse_processors(processors_);
    const std::vector<unsigned>& processors = processors_of_recorders_;
    wanted_.taking_processor = processors.empty() ? std::nullopt : std::optional(processors[0]);
    wanted_.writing_processor = processors.size() < 2 ? std::nullopt : std::optional(processors[1]);
    return record(context);
  }

 private:
  /// What is whole is to be compressed, or there was no reason to name it.
  Exit repair(const Context& context) const {
    Reporter reporter(context, shows_progress(context));
    std::optional<Compressor> compressor;
    if (compresses_) {
      compressor.emplace(reporter, Compressor::Options{0, {}});
    }
    const Exit status = context.for_each<std::string>(repairs_, [&](const std::string& file) {
      const std::filesystem::path name = recording_name(file);
      if (!compresses_ || is_unfinished(file) || !std::filesystem::exists(name)) {
        const std::uint64_t frames = repair_recording(file, wanted_.files.options.replaces);
        reporter.note(name.string(), fmt::format("is whole, with {}", counted(frames, "frame")));
      }
      if (compressor) {
        compressor->add("", name.string());
      }
    });
    return compressor ? worse(status, compressor->finish()) : status;
  }

  static bool shows_progress(const Context& context) {
    return isatty(STDERR_FILENO) != 0 && !context.quiet();
  }
  /// The first of two that is not done.
  static Exit worse(Exit first, Exit second) { return first == Exit::done ? second : first; }

  [[nodiscard]] Split parse_split() const {
    Split split;
    if (split_.empty()) {
      return split;
    }
    if (const auto frames = parse_number<std::uint64_t>(split_); frames && *frames > 0) {
      split.frames = frames;
    } else if (const auto bytes = parse_bytes(split_)) {
      split.bytes = bytes;
    } else {
      try {
        split.time = parse_duration(split_);
      } catch (const UsageError&) {
        throw UsageError(fmt::format("--split: '{}' is not like 10000, 1GiB or 60s", split_));
      }
    }
    return split;
  }

  void parse_keep() {
    if (keep_.empty()) {
      return;
    }
    wanted_.triggers = parse_triggers(triggers_);
    if (wanted_.latest && wanted_.triggers.lost) {
      throw UsageError("--latest skips frames: none is lost then (--on lost)");
    }
    wanted_.queue.holds = true;
    try {
      wanted_.queue.longest = parse_duration(keep_);
    } catch (const UsageError&) {
    }
    const auto bytes = parse_bytes(keep_);
    if (wanted_.queue.longest ? wanted_.queue.longest->count() == 0 : !bytes) {
      throw UsageError(fmt::format("--keep: '{}' is not like 10s or 2GiB", keep_));
    }
    if (!wanted_.queue.longest) {
      if (!buffer_.empty()) {
        throw UsageError(fmt::format("--buffer: --keep {} says already how much memory", keep_));
      }
      wanted_.queue.memory = *bytes;
    }
  }

  Exit record(const Context& context) {
    FileNames names(names_.empty() ? std::string(default_names) : names_,
                    !keep_.empty() && !wanted_.files.options.replaces);
    if (refs_.size() > 1 && !names.tells_streams_apart()) {
      throw UsageError("--output: several streams need {name} in it");
    }
    Reporter reporter(context, shows_progress(context));
    if (!compresses_) {
      return record(context, names, reporter, nullptr);
    }
    Compressor compressor(reporter, {wanted_.files.reserve, processors_of_recorders_});
    Exit status = Exit::done;
    std::exception_ptr end;
    try {
      status = record(context, names, reporter, &compressor);
    } catch (...) {
      // However the recording ends, what is whole is compressed.
      end = std::current_exception();
    }
    status = worse(status, compressor.finish());
    if (end) {
      std::rethrow_exception(end);
    }
    return status;
  }

  Exit record(const Context& context, FileNames& names, Reporter& reporter,
              Compressor* compressor) {
    std::atomic<bool> ends = false;
    std::optional<FlightRecorder> flight;
    std::deque<Recorder> recorders;
    if (!keep_.empty()) {
      watch_signals(wanted_.triggers.signals);
      flight.emplace(flight_, recorders, reporter);
    }
    const Run together{
        context,   wanted_, patience_, names, reporter, ends, flight ? &*flight : nullptr,
        compressor};
    for (const std::string& text : refs_) {
      const Reference reference = context.reference(text);
      const Exit status = context.about(reference, [&] {
        recorders.emplace_back(together, reference);
        return Exit::done;
      });
      if (status != Exit::done) {
        return status;
      }
    }
    patience_.begin();
    for (Recorder& recorder : recorders) {
      recorder.start();
    }
    context.readiness().say();
    attend(together, recorders);
    if (flight && flight->events() == 0) {
      context.note("--keep", "no event came: nothing was written");
    }
    Exit worst = Exit::done;
    for (Recorder& recorder : recorders) {
      worst = worse(worst, recorder.join());
    }
    return worst;
  }

  /// Until all have ended; on a terminal, a line that says how they are.
  static void attend(const Run& run, const std::deque<Recorder>& recorders) {
    constexpr std::chrono::milliseconds often{20};
    constexpr std::chrono::milliseconds between_lines{500};
    const auto begin = std::chrono::steady_clock::now();
    auto next_line = begin + between_lines;
    while (!std::ranges::all_of(recorders, &Recorder::has_ended)) {
      std::this_thread::sleep_for(often);
      if (run.flight != nullptr) {
        run.flight->look_at_signals(run.wanted.triggers);
        run.ends = run.ends || run.flight->is_over();
      }
      const auto now = std::chrono::steady_clock::now();
      if (!run.reporter.shows_progress() || now < next_line) {
        continue;
      }
      next_line = now + between_lines;
      std::string line;
      for (const Recorder& recorder : recorders) {
        line += in_words(recorder, now - begin);
      }
      run.reporter.show(line);
    }
    run.reporter.show({});
  }

  static std::string in_words(const Recorder& recorder, Seconds passed) {
    return fmt::format("{}: {}, {:.1f}Hz, {:.1f}MB/s, buffer {:.0f}%  ", recorder.reference().name,
                       counted(recorder.frames(), "frame"),
                       static_cast<double>(recorder.frames()) / passed.count(),
                       static_cast<double>(recorder.bytes()) / passed.count() / 1e6,
                       100 * recorder.fill());
  }

  std::vector<std::string> refs_;
  std::string names_;
  std::string split_;
  std::string keep_;
  std::vector<std::string> triggers_;
  WantedFlight flight_;
  std::string buffer_;
  std::string reserve_;
  std::string direct_ = "auto";
  std::string processors_;
  std::vector<unsigned> processors_of_recorders_;
  bool compresses_ = false;
  std::vector<std::string> repairs_;
  WantedRecording wanted_;
  Patience patience_;
};

const Registration record_registration(
    "record", "record streams to disk, each frame with its times", {"SE", true},
    {.missing = "shmim-ls", .similar = "shmim-record {}"}, make<RecordTool>,
    {"shmim-record cam dm --split 60s", "shmim-record cam --keep 10s --on lost --after 2s"});

}  // namespace
}  // namespace shmim::tools
