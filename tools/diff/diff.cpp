// shmim-diff: compares two frames, or two sequences of them, whatever they are kept in.

#include <array>

#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "common/app/tool.hpp"
#include "diff/differences.hpp"
#include "diff/map.hpp"
#include "diff/sequence.hpp"
#include "diff/side.hpp"

namespace shmim::tools {
namespace {

constexpr Exit different = Exit::failed;

constexpr std::array meanings_of_diff{
    ExitMeaning{"0", "the same"},
    ExitMeaning{"1", "different"},
    ExitMeaning{"2", "trouble: wrong usage, or one that cannot be read"},
    ExitMeaning{"128+n", "ended by signal n"},
};

/// What FITS, and those who write it, add to what they were given.
constexpr std::array added_by_fits{"DATE", "EXTNAME", "EXTVER", "EXTLEVEL", "ORIGIN", "BLANK"};

class Diff final : public Tool {
 public:
  void declare(Options& options) override {
    options
        .positional("A", a_,
                    "a stream, with a slice; or a file: FITS, npy, or frames; - is standard input")
        .required();
    options.positional("B", b_, "the other one").required();
    options.real("--atol", "NUMBER", rules_.tolerance.absolute,
                 "how far apart equal pixels may be (default: 0)");
    options.real("--rtol", "NUMBER", rules_.tolerance.relative,
                 "the same as a fraction of the pixel of B; both are added (default: 0)");
    options.flag("--nan-differs", nan_differs_, "NaN equals nothing, not NaN either");
    options.flag("--no-type", no_type_, "the types may differ, as long as the values do not");
    options.texts("--ignore", "KEYWORDS", ignored_,
                  "leave out these keywords: names or patterns, as in 'DATE*,GAIN'; may be "
                  "repeated");
    options.flag("--frames", frames_, "compare frame by frame, by cnt0 where both have it");
    const Option& picture = options.flag("--picture", picture_, "draw where they differ");
    options.json("print one JSON object, of the same as well").excludes(picture);
    options.conf();
  }

  [[nodiscard]] std::span<const ExitMeaning> exits() const override { return meanings_of_diff; }
  [[nodiscard]] std::optional<Exit> trouble() const override { return Exit::usage; }

  Exit run(const Context& context) override {
    if (a_ == "-" && b_ == "-") {
      throw UsageError("A and B cannot both be standard input");
    }
    rules_.tolerance.nan_equals_nan = !nan_differs_;
    rules_.compares_types = !no_type_;
    for (const std::string& list : ignored_) {
      ignore(list);
    }
    const Reading reading = frames_ ? Reading::frames : Reading::image;
    const auto a = open_side(context, a_, reading);
    const auto b = open_side(context, b_, reading);
    rules_.cuts_comments = a->is_fits() != b->is_fits();
    if (a->is_fits() || b->is_fits()) {
      rules_.ignored.insert(rules_.ignored.end(), added_by_fits.begin(), added_by_fits.end());
    }
    const CompareFrames compare = [&](const SideFrame& of_a, const SideFrame& of_b) {
      note_unfit(context, *a, *b);
      return differences_of(of_a, of_b, rules_, on_difference(of_a.shape));
    };
    const bool is_same =
        frames_ ? compare_all(context, *a, *b, compare) : compare_one(context, *a, *b, compare);
    if (picture_ && !context.quiet()) {
      write_stdout(map_.to_text(size_of_stdout()));
    }
    return is_same ? Exit::done : different;
  }

 private:
  void ignore(std::string_view list) {
    while (!list.empty()) {
      const std::string_view name = list.substr(0, list.find(','));
      list.remove_prefix(std::min(name.size() + 1, list.size()));
      rules_.ignored.emplace_back(name);
    }
  }

  OnDifference on_difference(const Shape& shape) {
    return picture_ ? [this, shape](std::uint64_t element) { map_.mark(element, shape); }
                    : OnDifference();
  }

  bool compare_one(const Context& context, Side& a, Side& b, const CompareFrames& compare) const {
    const SideFrame of_a = one_frame(a, a_);
    const SideFrame of_b = one_frame(b, b_);
    const FrameDifferences found = compare(of_a, of_b);
    tell(
        context, found.is_same(), [&] { return to_text(found); }, [&] { return to_json(found); });
    return found.is_same();
  }

  bool compare_all(const Context& context, Side& a, Side& b, const CompareFrames& compare) const {
    const SequenceDifferences found = compare_sequences(a, b, compare);
    tell(
        context, found.is_same(), [&] { return to_text(found, a_, b_); },
        [&] { return to_json(found); });
    return found.is_same();
  }

  /// The same is not a word, as with diff(1).
  template <class Text, class Json>
  void tell(const Context& context, bool is_same, const Text& text, const Json& json) const {
    if (context.json()) {
      Record record{{"a", a_}, {"b", b_}};
      record.update(json());
      write_stdout(to_json_line(record));
    } else if (!is_same && !context.quiet()) {
      write_stdout(text());
    }
  }

  /// The one there is: which of several was meant, nobody can know.
  [[nodiscard]] SideFrame one_frame(Side& side, const std::string& name) const {
    SideFrame frame;
    if (!side.next(frame)) {
      throw Error(Problem::failed, name, "has no frame");
    }
    SideFrame another;
    if (side.next(another)) {
      const Side::Several several = side.several();
      const std::string& other = &name == &a_ ? b_ : a_;
      // A stream is one frame.
      const bool is_one = !several.one.empty() && !names_file(other);
      const auto word = [&](const std::string& text) {
        return shell_word(is_one && &text == &name ? several.one : text);
      };
      throw HintedError(
          Error(Problem::usage, name, several.why),
          fmt::format("shmim-diff {}{} {}", is_one ? "" : "--frames ", word(a_), word(b_)));
    }
    return frame;
  }

  /// Once, of each: what is not compared is not the same.
  void note_unfit(const Context& context, const Side& a, const Side& b) {
    if (std::exchange(is_noted_, true)) {
      return;
    }
    const auto note = [&](const Side& side, const std::string& name) {
      std::vector<std::string> unfit = side.unfit_keywords();
      std::erase_if(unfit, [this](const std::string& told) {
        return rules_.ignores(told.substr(0, told.find(' ')));
      });
      if (!unfit.empty()) {
        context.note(name, fmt::format("keywords not compared: {}", fmt::join(unfit, ", ")));
      }
    };
    note(a, a_);
    note(b, b_);
  }

  std::string a_;
  std::string b_;
  Rules rules_;
  bool nan_differs_ = false;
  bool no_type_ = false;
  std::vector<std::string> ignored_;
  bool frames_ = false;
  bool picture_ = false;
  DifferenceMap map_;
  bool is_noted_ = false;
};

const Registration diff_registration(
    "diff", "compare frames: of streams, FITS, npy and recorded frames", {"SLE", true},
    {.missing = "shmim-ls", .similar = "shmim-ls {}"}, make<Diff>,
    {"shmim-diff cam dark.fits --atol 3 --picture", "shmim-diff run1.frames run2.frames --frames"});

}  // namespace
}  // namespace shmim::tools
