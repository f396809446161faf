// shmim-info: everything that a stream's header knows, and what its frames are like.

#include <cctype>
#include <limits>
#include <map>

#include "common/app/patience.hpp"
#include "common/app/tool.hpp"
#include "common/print/facts.hpp"
#include "info/statistics_lines.hpp"

namespace shmim::tools {
namespace {

class Info final : public Tool {
 public:
  void declare(Options& options) override {
    options
        .positional("REF", refs_,
                    "streams to describe, with a slice for --stats; takes @S: @E: and an address")
        .required();
    const Option& frames =
        options.number("--frames", "N", frames_, "measure the rate over N frames", above_zero);
    patience_.declare(options);
    options.flag("--stats", stats_,
                 "minimum, maximum, mean, percentiles and more of one whole frame");
    const Option& follow =
        options
            .flag("-f,--follow", follow_,
                  "every new frame: with --stats, a line of its statistics for each")
            .excludes(frames);
    const Option& count =
        options.number("-n", "N", lines_.count, "end after N lines; implies --follow", above_zero)
            .excludes(frames);
    options.duration("-i,--interval", lines_.interval,
                     "time between two lines, each of the newest frame (default: every frame)");
    const Option& csv = options.flag(
        "--csv", lines_.csv, "with --follow, print comma-separated values, below a line of names");
    options.ready_fd();
    const Option& check = options
                              .text("--check", "WANTED", check_,
                                    "print nothing; exit 5 unless the format is WANTED, as in "
                                    "uint16,320x256,keywords=10")
                              .excludes(follow)
                              .excludes(count);
    options.json("print one JSON object per stream, or per line").excludes(check).excludes(csv);
  }

  Exit run(const Context& context) override {
    std::vector<Reference> references;
    for (const std::string& text : refs_) {
      references.push_back(context.reference(text));
      if (!references.back().slice.empty() && !stats_) {
        throw UsageError(fmt::format("{}: a slice is for --stats", text));
      }
    }
    const Requirement requirement = parse_requirement();
    follow_ = follow_ || lines_.count || (patience_.has_end() && !frames_);
    check_usage();
    if (follow_) {
      return context.about(references.front(), [&] {
        print_statistics_lines(context, references.front(), lines_, patience_);
        return Exit::done;
      });
    }
    bool is_first = true;
    return context.for_each<Reference>(references, [&](const Reference& wanted) {
      if (wanted.address) {
        see_afar(context, wanted);
      }
      std::optional<Stream> stream;
      if (!wanted.address || frames_ || stats_) {
        stream = open(context, wanted);
      }
      const Format& format = wanted.address ? seen_.format : stream->format();
      if (!check_.empty()) {
        if (const auto differing = differences(format, requirement); !differing.empty()) {
          throw Error(Problem::mismatch, wanted.name, to_string(differing));
        }
        return;
      }
      const Facts facts = look_at(context, stream, wanted);
      const FactsTeller teller(processes_, names_, context.verbose());
      if (context.json()) {
        write_stdout(teller.to_json_line(facts));
      } else {
        write_stdout((is_first ? "" : "\n") + teller.to_text(facts));
      }
      is_first = false;
    });
  }

 private:
  /// Throws UsageError.
  void check_usage() const {
    const char* of_follow = lines_.csv ? "--csv" : lines_.interval ? "--interval" : nullptr;
    if (of_follow != nullptr && !follow_) {
      throw UsageError(fmt::format("{} requires --follow", of_follow));
    }
    if (patience_.timeout() && !follow_ && !frames_) {
      throw UsageError("--timeout requires --frames or --follow");
    }
    if (follow_ && (!stats_ || refs_.size() > 1)) {
      const char* option = lines_.count ? "-n" : patience_.has_end() ? "--for" : "--follow";
      throw UsageError(fmt::format("{} {}", option,
                                   stats_ ? "takes one stream"
                                   : option == std::string_view("--for")
                                       ? "requires --frames or --stats"
                                       : "requires --stats"));
    }
    if (lines_.interval && lines_.interval->count() == 0) {
      throw UsageError("--interval: above 0");
    }
  }

  /// `uint16,320x256,keywords=10`: a type, a size, and fields by name, in any order.
  [[nodiscard]] Requirement parse_requirement() const {
    Requirement requirement;
    for (std::string_view rest = check_; !rest.empty();) {
      const std::string_view word = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(word.size() + 1, rest.size()));
      require_word(requirement, std::string(word));
    }
    return requirement;
  }

  static void require_word(Requirement& requirement, const std::string& word) {
    const std::size_t equals = word.find('=');
    if (equals != std::string::npos) {
      const std::string field = word.substr(0, equals);
      const std::string value = word.substr(equals + 1);
      if (field == "keywords") {
        requirement.keywords = number<std::uint16_t>(value, word);
      } else if (field == "circular-buffer") {
        requirement.circular_buffer = number<std::uint32_t>(value, word);
      } else if (field == "semaphores") {
        requirement.semaphores = number<std::uint16_t>(value, word);
      } else {
        throw UsageError(fmt::format(
            "--check: '{}': the fields are keywords, circular-buffer and semaphores", word));
      }
    } else if (const auto type = parse_data_type(word)) {
      requirement.type = type;
    } else if (!word.empty() && std::isdigit(static_cast<unsigned char>(word.front())) != 0) {
      try {
        requirement.shape = parse_shape(word);
      } catch (const Error& error) {
        throw UsageError(fmt::format("--check: {}", error.what()));
      }
    } else {
      throw UsageError(fmt::format(
          "--check: '{}' is not a type, size or field: write uint16,320x256,keywords=10", word));
    }
  }

  template <class Number>
  static Number number(const std::string& text, const std::string& word) {
    const auto value = parse_number<Number>(text);
    if (!value) {
      throw UsageError(fmt::format("--check: '{}': the value must be a whole number up to {}", word,
                                   std::numeric_limits<Number>::max()));
    }
    return *value;
  }

  /// A look at a stream of another host, which brings all that is known of it there.
  void see_afar(const Context& context, const Reference& wanted) {
    Sight sight = context.afar(*wanted.address).look_at_one(wanted.name);
    seen_ = std::move(sight.streams.front().description);
    if (seen_.unreadable) {
      throw Error(seen_.unreadable->problem, wanted.name, seen_.unreadable->why);
    }
    require_type(wanted.name, seen_.format, wanted.type);
    holders_ = std::move(sight.holders.front());
    processes_ = sight.process_table();
    names_ = std::move(sight.names);
    has_own_names_ = false;
  }

  [[nodiscard]] Stream open(const Context& context, const Reference& wanted) const {
    MirrorWish wish;
    wish.pixels = stats_;
    wish.whole = stats_ && wanted.address && !takes_newest_plane(wanted.slice, seen_.format);
    return context.open(wanted, Access::read, wish);
  }

  Facts look_at(const Context& context, const std::optional<Stream>& opened,
                const Reference& wanted) {
    Facts facts;
    if (frames_) {
      const Stream& stream = *opened;
      patience_.begin();
      const auto seen = watch_frames(
          stream, *frames_,
          {patience_.timeout(), patience_.end_of_all(), ends_watching(context, stream)});
      throw_if_interrupted();
      facts.rate = rate_of(seen);
      if (facts.rate->frames < *frames_) {
        if (!stream.is_current()) {
          throw Error(Problem::removed, stream.name(), "was removed while we measured its rate");
        }
        patience_.give_up(context, stream.name(), stream.cnt0(),
                          Patience::lacking(facts.rate->frames, frames_));
      }
    }
    if (stats_) {
      const Stream& stream = *opened;
      const Format& format = stream.format();
      const bool is_of_plane = takes_newest_plane(wanted.slice, format);
      const Selection selection = selection_of(wanted, format, is_of_plane);
      std::vector<std::byte> elements(selection.bytes());
      stream.take_whole(selection, is_of_plane, elements, deadline_after(std::chrono::seconds{1}));
      facts.statistics = statistics_of(elements, selection.type());
      facts.slice = wanted.slice.empty() ? "" : to_string(wanted.slice);
    }
    if (wanted.address) {
      if (opened) {
        see_afar(context, wanted);
      }
      facts.description = seen_;
      facts.holders = holders_;
      return facts;
    }
    processes_ = ProcessTable();
    facts.description = describe(*opened, processes_);
    facts.holders = holders_of(opened->identity());
    // We have it open ourselves, for as long as we look.
    std::erase(facts.holders.processes, this_process());
    if (!has_own_names_) {
      has_own_names_ = true;
      names_ = names_by_inode(context.search_path().shm);
    }
    return facts;
  }

  /// A signal does. Somebody who looks on is told why nothing happens.
  static std::function<bool()> ends_watching(const Context& context, const Stream& stream) {
    static constexpr std::chrono::seconds patience{2};
    const auto begin = std::chrono::steady_clock::now();
    return [&context, &stream, begin, cnt0 = stream.cnt0(),
            is_told = ::isatty(STDERR_FILENO) != 1]() mutable {
      if (!is_told && std::chrono::steady_clock::now() - begin > patience) {
        is_told = true;
        if (stream.cnt0() == cnt0) {
          context.note(stream.name(), "no frame yet");
        }
      }
      return interrupted();
    };
  }

  std::vector<std::string> refs_;
  std::optional<std::uint64_t> frames_;
  Patience patience_;
  bool stats_ = false;
  bool follow_ = false;
  StatisticsLines lines_;
  std::string check_;
  ProcessTable processes_;
  std::map<ino_t, std::string> names_;  ///< of the streams there are
  bool has_own_names_ = false;          ///< they are of this host
  // Of a stream of another host, with the above.
  Description seen_;
  Holders holders_;
};

const Registration info_registration("info", "show everything that is known about a stream",
                                     {"SE", true, true},
                                     {.missing = "shmim-ls", .similar = "shmim-info {}"},
                                     make<Info>,
                                     {"shmim-info 'cam[0:9,*]' --stats -f -i 1s --csv > cam.csv",
                                      "shmim-info cam --check uint16,320x256 || exit"});

}  // namespace
}  // namespace shmim::tools
