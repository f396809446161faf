// shmim-create: makes a stream.

#include <shmim/fits.hpp>

#include "common/app/stream_options.hpp"
#include "common/app/tool.hpp"
#include "common/print/frame_text.hpp"
#include "common/print/outcome.hpp"

namespace shmim::tools {
namespace {

class Create final : public Tool {
 public:
  void declare(Options& options) override {
    options.positional("REF", ref_, "stream to make; takes @S: @L: (a rehearsal) @N:").required();
    options_.declare(options);
    options.text("--fill", "V", fill_, "value of every element (default: 0)");
    options.texts("--set", "NAME=VALUE[/COMMENT]", assignments_, "set a keyword; may be repeated");
    options.text("--from", "FILE", from_, "take keywords, pixels and format from a FITS file");
    options.text("--like", "REF", like_, "take the format from a stream");
    options.number("--owner", "PID", owner_, "PID of the owner; 1: belongs to no process");
    options.flag("--recreate", recreate_,
                 "replace the stream if it exists, and wake those who wait on it");
    options.json("print one JSON object");
  }

  Exit run(const Context& context) override {
    for (const std::string& assignment : assignments_) {
      keywords_.push_back(parse_keyword(assignment));
    }
    if (!from_.empty() && (!like_.empty() || !fill_.empty())) {
      throw UsageError("--from excludes --like and --fill");
    }
    const std::optional<Format> model = model_format(context);
    const Reference reference = context.reference(ref_);
    return context.about(reference, [&] { return make(context, reference, model); });
  }

 private:
  Exit make(const Context& context, const Reference& reference,
            const std::optional<Format>& model) const {
    const Requirement requirement = options_.requirement(reference);
    if (!requirement.shape && !model) {
      throw UsageError("SIZE is missing: write it, or --from FILE or --like REF");
    }
    if (image_) {
      if (const auto differing = differences(*model, type_and_shape(requirement));
          !differing.empty()) {
        throw Error(Problem::mismatch, from_, to_string(differing));
      }
    }
    const CreateOptions creation{StreamOptions::format(requirement, model.value_or(Format{})),
                                 options_.mode(),
                                 [&](Stream& stream) { prepare(context, stream); }};
    return make(context, reference, requirement, creation);
  }

  std::optional<Format> model_format(const Context& context) {
    if (!from_.empty()) {
      image_ = open_fits(from_);
      return image_->format();
    }
    if (!like_.empty()) {
      return context.open(context.reference(like_, {"SE"}), Access::read).format();
    }
    return std::nullopt;
  }

  Exit make(const Context& context, const Reference& reference, Requirement requirement,
            const CreateOptions& creation) const {
    const SearchPath& where = context.search_path();
    context.detail(
        reference.name,
        fmt::format("making it in {}: {} {}, {} bytes",
                    reference.location == Location::local ? "local memory" : where.shm.string(),
                    to_string(creation.format.type), to_string(creation.format.shape),
                    creation.format.file_bytes()));
    if (reference.location == Location::local) {
      return say(context, "rehearsed", create(reference, creation, where));
    }
    if (recreate_) {
      if (reference.existence == Existence::must_be_new) {
        throw UsageError("@N: and --recreate exclude one another");
      }
      const Connection connection = recreate(reference, creation, where);
      context.note_previous_owner(connection);
      return say(context, connection.outcome == Outcome::recreated ? "recreated" : "created",
                 *connection.stream);
    }
    if (reference.existence == Existence::must_be_new) {
      return say(context, "created", create(reference, creation, where));
    }
    // Type and size are always asked for, the rest where the user said something of it.
    requirement.type = creation.format.type;
    requirement.shape = creation.format.shape;
    if (!like_.empty()) {
      requirement = requirement_of(creation.format);
    }
    return make_if_missing(context, reference, requirement, creation, where);
  }

  static Exit make_if_missing(const Context& context, const Reference& reference,
                              const Requirement& requirement, const CreateOptions& creation,
                              const SearchPath& where) {
    const Connection connection = create_if_missing(reference, requirement, creation, where);
    if (connection.outcome == Outcome::mismatch) {
      throw Error(Problem::mismatch, reference.name,
                  fmt::format("exists with another format: {}", to_string(connection.differences)));
    }
    return say(context, connection.outcome == Outcome::created ? "created" : "exists",
               *connection.stream);
  }

  void prepare(const Context& context, Stream& stream) const {
    if (image_) {
      context.warn_unfit(stream.name(), fill(*image_, stream));
    }
    if (!fill_.empty()) {
      fill_with(stream.unguarded_writable_pixels(), stream.format().type, fill_);
    }
    for (const Keyword& keyword : keywords_) {
      try {
        stream.keywords().set(keyword);
      } catch (const Error& error) {
        throw Error(Problem::usage, stream.name(),
                    fmt::format("{}; --keywords makes more", error.why()));
      }
    }
    context.warn_unterminated(stream.name(), stream.keywords().all());
    if (owner_) {
      stream.set_owner(*owner_);
    }
  }

  static Exit say(const Context& context, const char* outcome, const Stream& stream) {
    if (!context.quiet()) {
      const OutcomeLine line{outcome, stream};
      write_stdout(context.json() ? line.to_json_line() : line.to_text());
    }
    return Exit::done;
  }

  std::string ref_;
  StreamOptions options_;
  std::string fill_;
  std::vector<std::string> assignments_;
  std::string from_;
  std::string like_;
  std::optional<pid_t> owner_;
  bool recreate_ = false;
  std::vector<Keyword> keywords_;
  std::unique_ptr<ImageFile> image_;
};

const Registration create_registration(
    "create", "make a stream", {"SLN"},
    {.missing = "shmim-create {} SIZE", .exists = "shmim-create {} SIZE --recreate"}, make<Create>,
    {"shmim-create 'tui16>cam' 320x256 --circular-buffer 16", "shmim-create --like cam cam_dark"});

}  // namespace
}  // namespace shmim::tools
