// shmim-cat: frames to standard output, each whole and never torn.

#include <array>
#include <limits>
#include <memory>
#include <utility>

#include <fmt/ranges.h>
#include <shmim/fits.hpp>
#include <shmim/frames.hpp>
#include <unistd.h>

#include "cat/line.hpp"
#include "cat/output.hpp"
#include "cat/series.hpp"
#include "cat/verification.hpp"
#include "common/app/patience.hpp"
#include "common/app/tool.hpp"
#include "common/io/descriptor.hpp"
#include "common/io/pipe.hpp"
#include "common/print/frame_line.hpp"
#include "common/print/frame_record.hpp"
#include "common/print/frame_text.hpp"
#include "common/print/npy.hpp"

namespace shmim::tools {
namespace {

constexpr std::array formats{"text", "raw", "fits", "npy", "frames"};

class Cat final : public Tool {
 public:
  void declare(Options& options) override {
    options.positional("REF", refs_,
                       "streams to read, with slices; takes @S: @L: @E: and an address");
    const Option& format = options
                               .text("-o,--output-format", "FORMAT", format_,
                                     "text (the default), raw, fits, npy, or frames: each with its "
                                     "identity, for shmim-post")
                               .one_of({formats.begin(), formats.end()});
    options.flag("-f,--follow", follow_, "every new frame, as it comes");
    options.number("-n", "N", count_, "end after N frames; implies --follow", above_zero);
    options.flag(
        "--latest", latest_,
        "with --follow, skip frames that were missed (default: take them from the circular "
        "buffer)");
    options.passive(passive_);
    options.number(
        "--missed-fd", "FD", missed_fd_,
        "write to this descriptor which frames were missed, a line for the first and the "
        "last of each gap",
        {0, std::numeric_limits<int>::max()});
    const Option& verify =
        options
            .text_or_none("--verify", "FILE", verify_,
                          "write nothing, and check frames of shmim-post --pattern counter: torn, "
                          "lost, doubled, out of order; of FILE, or standard input for -, those "
                          "that -o frames wrote")
            .excludes(format);
    options.duration("--late", late_, "a frame that was made longer ago is late").needs(verify);
    patience_.declare(options);
    options.ready_fd();
    options.print(fmt::format("{} data", frame_fields));
    options.conf();
  }

  Exit run(const Context& context) override {
    const bool verifies_file = verify_ && !verify_->empty();
    if (refs_.empty() != verifies_file) {
      throw UsageError(verifies_file ? "--verify=FILE is in the place of REF" : "REF is required");
    }
    if (verifies_file) {
      return verify_file(context);
    }
    follow_ = follow_ || count_ || patience_.has_end();
    check_usage(context);
    std::vector<Reference> references;
    for (const std::string& text : refs_) {
      references.push_back(context.reference(text));
    }
    if (!context.print_template().empty()) {
      check_line(context.print_template(), references.front().name);
    }
    const Exit status = context.for_each<Reference>(
        references, [&](const Reference& reference) { cat(context, reference); });
    return status == Exit::done && has_faults_ ? Exit::failed : status;
  }

 private:
  void check_usage(const Context& context) const {
    if (format_ != "text" && isatty(STDOUT_FILENO) != 0) {
      throw UsageError(
          fmt::format("{} frames are not for a terminal: send them to a file or a pipe", format_));
    }
    if ((latest_ || passive_ || missed_fd_) && !follow_) {
      throw UsageError(fmt::format("{} requires --follow", latest_    ? "--latest"
                                                           : passive_ ? "--passive"
                                                                      : "--missed-fd"));
    }
    if (!context.print_template().empty() && (!follow_ || format_ != "text")) {
      throw UsageError(follow_ ? "--output-format excludes --print" : "--print requires --follow");
    }
    if (follow_ && refs_.size() > 1) {
      const char* option = count_ ? "-n" : patience_.has_end() ? "--for" : "--follow";
      throw UsageError(fmt::format("{} takes one stream", option));
    }
  }

  Exit verify_file(const Context& context) const {
    if (follow_ || latest_ || passive_ || patience_.timeout() || patience_.has_end()) {
      throw UsageError("--follow, --latest, --passive, --timeout and --for are for streams");
    }
    return verify_recorded(context, *verify_, count_, check_options()) ? Exit::done : Exit::failed;
  }

  [[nodiscard]] CounterCheckOptions check_options() const { return {late_, latest_}; }

  /// A single frame is checked.
  void verify_one(const Context& context, const std::string& name, std::span<const std::byte> frame,
                  const Selection& selection, const CounterCheckFrame& known) {
    Verification verification(context, name, selection.type(), selection.shape(), check_options());
    verification.take(frame, known);
    has_faults_ |= !verification.conclude();
  }

  void cat(const Context& context, const Reference& wanted) {
    if (wanted.address) {
      MirrorWish wish;
      wish.order = follow_ && !latest_ ? FrameOrder::every : FrameOrder::latest;
      wish.pixels = true;
      wish.whole = !takes_planes(wanted.slice, context.describe_afar(wanted).format);
      return cat(context, wanted,
                 context.open(wanted, follow_ ? Access::best : Access::read, wish));
    }
    const SearchPath& where = context.search_path();
    const SearchResult found = find(wanted, where);
    if (found.origin == Origin::shared_memory) {
      return cat(context, wanted,
                 context.open(wanted, found, follow_ ? Access::best : Access::read));
    }
    if (follow_ || found.origin == Origin::nowhere) {
      throw Error(Problem::not_found, wanted.name,
                  wanted.location == Location::local
                      ? fmt::format("no FITS file of it in {}, and @L: passes over streams",
                                    where.conf.string())
                      : fmt::format("no such stream in {}", where.shm.string()));
    }
    print_file(context, wanted, found.file.string());
  }

  void cat(const Context& context, const Reference& wanted, const Stream& stream) {
    const bool is_of_plane = takes_planes(wanted.slice, stream.format());
    const Selection selection = selection_of(wanted, stream.format(), is_of_plane);
    if (!follow_) {
      print_one(context, stream, selection, is_of_plane);
    } else if (verify_) {
      verify_followed(context, stream, selection, is_of_plane);
    } else {
      follow(context, stream, selection, is_of_plane);
    }
  }

  /// Of a stream in which z is time: planes as they come, or the newest; or the whole array, and
  /// planes of it by number.
  [[nodiscard]] bool takes_planes(const Slice& slice, const Format& format) const {
    return follow_ ? follows_planes(slice, format) : takes_newest_plane(slice, format);
  }

  void print_one(const Context& context, const Stream& stream, const Selection& selection,
                 bool is_of_plane) {
    const Deadline deadline = deadline_after(patience_.timeout().value_or(std::chrono::seconds{1}));
    if (format_ == "raw" && selection.is_whole() && !is_of_plane) {
      write_whole_frame(stream, deadline);
      return;
    }
    std::vector<std::byte> frame(selection.bytes());
    const Snapshot snapshot = stream.take_whole(selection, is_of_plane, frame, deadline);
    if (verify_) {
      return verify_one(context, stream.name(), frame, selection,
                        {snapshot.info.cnt0, TaiClock::now()});
    }
    FrameInfo info = snapshot.info;
    info.writetime = written_after(stream.as_made(), info);
    if (format_ == "frames") {
      TakenFrame taken;
      taken.info = info;
      taken.inode = stream.identity().inode;
      if (stream.snapshot_trace(taken.trace, deadline).info.cnt0 != info.cnt0) {
        taken.trace.clear();
      }
      taken.trace.resize(chain_of(taken.trace).size());
      return write_stdout(frame_head(record_of(stream, taken, selection)), frame);
    }
    print(context, stream.name(), frame, selection, header_of(stream, info, selection));
  }

  /// What FITS has beside the pixels.
  struct FitsHeader {
    std::vector<Keyword> keywords;
    std::optional<FrameOrigin> origin;
  };

  /// FITS alone shows it; and to read the keywords may take a while.
  [[nodiscard]] FitsHeader header_of(const Stream& stream, FrameInfo frame,
                                     const Selection& selection) const {
    if (format_ != "fits") {
      return {};
    }
    const StampClock clock = clock_of(stream);
    frame.atime = on_tai(frame.atime, clock);
    frame.writetime = on_tai(frame.writetime, clock);
    return {move_world(stream.keywords().all(), selection), FrameOrigin{stream.name(), frame}};
  }

  void print_file(const Context& context, const Reference& wanted, const std::string& file) {
    const auto image = open_fits(file);
    const Format format = image->format();
    require_type(wanted.name, format, wanted.type);
    const Selection selection(wanted.slice, format.shape, format.type);
    std::vector<std::byte> pixels(format.bytes());
    image->read(pixels);
    std::vector<std::byte> frame(selection.bytes());
    selection.take(pixels, frame);
    if (verify_) {
      const FrameInfo info = image->frame().value_or(FrameInfo{});
      return verify_one(context, file, frame, selection,
                        {info.cnt0 > 0 ? std::optional(info.cnt0) : std::nullopt, info.writetime});
    }
    FitsHeader header{move_world(image->keywords(), selection), std::nullopt};
    if (format_ == "frames") {
      FrameRecord record;
      record.name = wanted.name;
      record.type = selection.type();
      record.shape = selection.shape();
      record.info = image->frame().value_or(FrameInfo{});
      record.keywords = header.keywords;
      return write_stdout(frame_head(record), frame);
    }
    if (const auto of_file = image->frame()) {
      header.origin = FrameOrigin{wanted.name, *of_file};
    }
    print(context, wanted.name, frame, selection, header);
  }

  /// However it ends, what was found is said; and a fault is worse than a frame that does not come.
  void verify_followed(const Context& context, const Stream& stream, const Selection& selection,
                       bool is_of_plane) {
    verification_.emplace(context, stream.name(), selection.type(), selection.shape(),
                          check_options());
    const auto conclude = [this] { has_faults_ = !verification_->conclude(); };
    try {
      follow(context, stream, selection, is_of_plane);
    } catch (const TimedOut&) {
      conclude();
      if (!has_faults_) {
        throw;
      }
      return;
    } catch (...) {
      conclude();
      throw;
    }
    conclude();
  }

  void follow(const Context& context, const Stream& stream, const Selection& selection,
              bool is_of_plane) {
    FollowOptions options;
    options.whole_array = !is_of_plane;
    options.cancelled = verify_ ? interrupted : is_writing_over;
    options.passive = passive_;
    Follower follower(stream.duplicate(), std::move(options));
    context.detail(stream.name(), follower.describe_waiting());
    context.readiness().say();
    patience_.begin();
    if (latest_) {
      narrow_pipe(STDOUT_FILENO);
    } else {
      widen_pipe(STDOUT_FILENO, selection.bytes());
    }
    std::vector<std::byte> frame(selection.bytes());
    std::uint64_t missed = 0;
    const auto pick = latest_ ? FrameOrder::latest : FrameOrder::every;
    const CopyFrame copy = [&](std::span<const std::byte> pixels) {
      selection.take(pixels, frame);
    };
    const std::unique_ptr<Series> series = series_of(stream, selection);
    try {
      for (std::uint64_t taken = 0; !count_ || taken < *count_; ++taken) {
        TakenFrame taken_frame;
        const Arrival arrival = patience_.wait([&](const Deadline& deadline) {
          return follower.next(pick, deadline, copy, taken_frame);
        });
        missed += taken_frame.missed;
        if (arrival == Arrival::arrived) {
          tell_missed(taken_frame);
        }
        if (arrival != Arrival::arrived) {
          note_missed(context, stream, missed);
          patience_.end(context, arrival, follower, Patience::lacking(taken, count_));
          return;
        }
        if (!context.print_template().empty()) {
          print_line(context.print_template(), follower.stream(), taken_frame, frame, selection);
        } else if (verification_) {
          verification_->take(frame, {taken_frame.info.cnt0, taken_frame.taken});
        } else if (series) {
          write_to(*series, context, follower.stream(), taken_frame, frame, selection);
        } else if (format_ == "frames") {
          write_stdout(frame_head(record_of(follower.stream(), taken_frame, selection)), frame);
        } else {
          print(context, stream.name(), frame, selection,
                header_of(follower.stream(), taken_frame.info, selection));
        }
      }
      if (series) {
        series->end();
      }
    } catch (...) {
      if (series && !series->end_early()) {
        context.note(stream.name(),
                     fmt::format("{} of the {} that the {} header promises", series->written(),
                                 counted(series->promised(), "frame"), series->format()));
      }
      throw;
    }
    note_missed(context, stream, missed);
  }

  /// Of frames whose number is known before; nullptr where each stands for itself.
  [[nodiscard]] std::unique_ptr<Series> series_of(const Stream& stream,
                                                  const Selection& selection) const {
    if (count_ && format_ == "npy") {
      return std::make_unique<NpySeries>(selection.type(), selection.shape(), *count_);
    }
    if (count_ && format_ == "fits") {
      RecordedStream recorded;
      recorded.name = stream.name();
      recorded.type = selection.type();
      recorded.shape = selection.shape();
      recorded.image_type = stream.format().image_type;
      return std::make_unique<FitsSeries>(std::move(recorded), *count_, clock_of(stream),
                                          write_part);
    }
    return nullptr;
  }

  void write_to(Series& series, const Context& context, const Stream& stream,
                const TakenFrame& taken, std::span<const std::byte> frame,
                const Selection& selection) {
    std::vector<Keyword> keywords;
    if (format_ == "fits") {
      keywords = move_world(stream.keywords().all(), selection);
      warn_altered(context, stream.name(), selection.type(), keywords);
    }
    series.write(taken, keywords, frame);
  }

  /// Once, as long as it would say the same.
  void warn_altered(const Context& context, const std::string& name, DataType type,
                    const std::vector<Keyword>& keywords) {
    const std::vector<std::string> altered = altered_in_fits(type, keywords);
    if (altered.empty()) {
      return;
    }
    const std::string warning =
        fmt::format("keywords altered or left out in FITS: {}", fmt::join(altered, ", "));
    if (std::exchange(warned_, name + warning) != name + warning) {
      context.note(name, warning);
    }
  }

  /// Which frames were missed before this one, for --missed-fd.
  void tell_missed(const TakenFrame& frame) const {
    if (!missed_fd_ || frame.missed == 0) {
      return;
    }
    const std::string line =
        fmt::format("{} {}\n", frame.info.cnt0 - frame.missed, frame.info.cnt0 - 1);
    if (const int error =
            write_all(static_cast<int>(*missed_fd_), std::as_bytes(std::span<const char>(line)))) {
      throw Error::system(fmt::format("descriptor {}", *missed_fd_),
                          "cannot write which frames were missed", error);
    }
  }

  void note_missed(const Context& context, const Stream& stream, std::uint64_t missed) const {
    if (missed > 0 && !latest_ && !verify_) {
      context.note(stream.name(), fmt::format("missed {}", counted(missed, "frame")));
    }
  }

  /// Of a frame that is written in many: a signal need not wait for the last.
  static void write_part(std::span<const std::byte> part) {
    throw_if_interrupted();
    write_stdout(part);
  }

  void print(const Context& context, const std::string& name, std::span<const std::byte> frame,
             const Selection& selection, const FitsHeader& header) {
    const bool is_first = !std::exchange(printed_, true);
    if (format_ == "raw") {
      write_stdout(frame);
    } else if (format_ == "npy") {
      write_stdout(npy_header(selection.type(), selection.shape()));
      write_stdout(frame);
    } else if (format_ == "fits") {
      warn_altered(context, name, selection.type(), header.keywords);
      to_fits(is_first ? Hdu::primary : Hdu::extension, selection.type(), selection.shape(), frame,
              header.keywords, write_part, header.origin);
    } else {
      if (!is_first && selection.shape().axes() > 1) {
        write_stdout("\n");
      }
      to_text(frame, selection.type(), selection.shape(),
              [](std::string_view part) { write_part(std::as_bytes(std::span(part))); });
    }
  }

  std::vector<std::string> refs_;
  std::string format_ = "text";
  bool follow_ = false;
  bool latest_ = false;
  bool passive_ = false;
  std::optional<unsigned> missed_fd_;
  std::optional<std::uint64_t> count_;
  Patience patience_;
  bool printed_ = false;
  std::string warned_;
  std::optional<std::string> verify_;  ///< a file; empty: the streams
  std::optional<std::chrono::nanoseconds> late_;
  std::optional<Verification> verification_;
  bool has_faults_ = false;
};

const Registration cat_registration("cat", "write frames to standard output", {"SLE", true, true},
                                    {.missing = "shmim-ls", .similar = "shmim-cat {}"}, make<Cat>,
                                    {"shmim-cat 'cam[0:7,0:7]'",
                                     "shmim-cat cam -n 100 -o npy > cube.npy"});

}  // namespace
}  // namespace shmim::tools
