// shmim-record: every frame of streams to disk, with its times, as FITS.

#include <algorithm>
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

namespace shmim::tools {
namespace {

constexpr std::string_view default_names = "{name}-%Y%m%dT%H%M%S.fits";
constexpr std::uint64_t default_buffer = std::uint64_t{256} << 20;

class RecordTool final : public Tool {
 public:
  void declare(Options& options) override {
    options.positional("REF", refs_, "streams to record, with slices; takes @S: @E:");
    options.text("-o,--output", "TEMPLATE", names_,
                 "names of the files: {name} is the stream, {n} the file's number, %Y%m%d... the "
                 "date in UTC (default: {name}-%Y%m%dT%H%M%S.fits)");
    options.flag("--force", wanted_.files.replaces, "overwrite files that are there");
    options.number("-n", "N", wanted_.count, "end after N frames of each stream", above_zero);
    patience_.declare(options);
    options.text("--split", "AMOUNT", split_,
                 "begin another file after so many frames (10000), bytes (1GiB) or so long (60s)");
    options.flag("--latest", wanted_.latest,
                 "skip frames that were missed (default: take them from the circular buffer)");
    options.number("--decimate", "K", wanted_.decimation, "keep one frame in K", above_zero);
    options.text("--buffer", "BYTES", buffer_,
                 "memory for frames that the disk has not taken yet, of each stream (default: "
                 "256MiB)");
    options.flag("--compress", compresses_,
                 "compress each file when it is whole, exactly, while others are recorded");
    options.text("--reserve", "BYTES", reserve_, "end when less than this is left of the disk");
    options.duration("--sync", wanted_.sync,
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
    options.json("print one JSON object per event: begin, lost, end");
    options.ready_fd();
  }

  Exit run(const Context& context) override {
    if (refs_.empty() == repairs_.empty()) {
      throw UsageError(refs_.empty() ? "REF is required" : "--repair is in the place of REF");
    }
    if (!repairs_.empty()) {
      return repair(context);
    }
    wanted_.buffer = buffer_.empty() ? default_buffer : bytes_of("--buffer", buffer_);
    wanted_.reserve = reserve_.empty() ? 0 : bytes_of("--reserve", reserve_);
    wanted_.split = parse_split();
    wanted_.files.direct = direct_ == "on"    ? DirectIo::on
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
    std::mutex mutex;
    std::optional<Compressor> compressor;
    if (compresses_) {
      compressor.emplace(context, mutex, Compressor::Options{shows_progress(context), 0, {}});
    }
    const Exit status = context.for_each<std::string>(repairs_, [&](const std::string& file) {
      const std::filesystem::path name = recording_name(file);
      if (!compresses_ || is_unfinished(file) || !std::filesystem::exists(name)) {
        const std::uint64_t frames = repair_recording(file, wanted_.files.replaces);
        const std::lock_guard lock(mutex);
        context.note(name.string(), fmt::format("is whole, with {}", counted(frames, "frame")));
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

  static std::uint64_t bytes_of(const char* option, const std::string& text) {
    const auto bytes = parse_bytes(text);
    if (!bytes) {
      throw UsageError(fmt::format("{}: '{}' is not like 524288, 512KiB or 8MiB", option, text));
    }
    return *bytes;
  }

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

  Exit record(const Context& context) {
    FileNames names(names_.empty() ? std::string(default_names) : names_);
    if (refs_.size() > 1 && !names.tells_streams_apart()) {
      throw UsageError("--output: several streams need {name} in it");
    }
    std::mutex mutex;
    if (!compresses_) {
      return record(context, names, mutex, nullptr);
    }
    Compressor compressor(context, mutex,
                          {shows_progress(context), wanted_.reserve, processors_of_recorders_});
    Exit status = Exit::done;
    std::exception_ptr end;
    try {
      status = record(context, names, mutex, &compressor);
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

  Exit record(const Context& context, FileNames& names, std::mutex& mutex, Compressor* compressor) {
    std::atomic<bool> ends = false;
    std::deque<Recorder> recorders;
    const Run together{context, wanted_, patience_, names, shows_progress(context),
                       mutex,   ends,    compressor};
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
    show_progress(together, recorders);
    Exit worst = Exit::done;
    for (Recorder& recorder : recorders) {
      worst = worse(worst, recorder.join());
    }
    return worst;
  }

  /// Until all have ended; on a terminal, a line that says how they are.
  static void show_progress(const Run& run, const std::deque<Recorder>& recorders) {
    constexpr std::chrono::milliseconds often{20};
    constexpr std::chrono::milliseconds between_lines{500};
    const auto begin = std::chrono::steady_clock::now();
    auto next_line = begin + between_lines;
    while (!std::ranges::all_of(recorders, &Recorder::has_ended)) {
      std::this_thread::sleep_for(often);
      const auto now = std::chrono::steady_clock::now();
      if (!run.shows_progress || now < next_line) {
        continue;
      }
      next_line = now + between_lines;
      std::string line = clear_line;
      for (const Recorder& recorder : recorders) {
        line += in_words(recorder, now - begin);
      }
      const std::lock_guard lock(run.mutex);
      fmt::print(stderr, "{}", line);
    }
    if (run.shows_progress) {
      fmt::print(stderr, "{}", clear_line);
    }
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
    {"shmim-record cam -n 1000 -o dark.fits", "shmim-record cam dm --split 60s"});

}  // namespace
}  // namespace shmim::tools
