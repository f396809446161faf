// shmim-connect: makes a stream available by the search order.

#include <shmim/fits.hpp>
#include <sys/stat.h>

#include "common/app/stream_options.hpp"
#include "common/app/tool.hpp"
#include "common/print/outcome.hpp"

namespace shmim::tools {
namespace {

const char* words(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::connected:
      return "connected";
    case Outcome::created:
      return "created";
    case Outcome::recreated:
      return "recreated";
    case Outcome::not_found:
      return "not found";
    case Outcome::mismatch:
      return "mismatch";
  }
  return "";
}

class Connect final : public Tool {
 public:
  void declare(Options& options) override {
    options.positional("REF", ref_, "stream to connect to; takes @S: @L: @E: @N:").required();
    options_.declare(options);
    options.flag("--create", create_, "create it if it is missing, re-create it if it differs");
    options.flag("--reload", reload_, "load the FITS file again into a stream that is there");
    const Option& appear = options.flag("--appear", appear_, "wait for the stream to exist");
    options.duration("-t,--timeout", timeout_, "give up when it takes longer").needs(appear);
    options.ready_fd();
    options.json("print one JSON object");
    options.conf();
  }

  Exit run(const Context& context) override {
    const Reference reference = context.reference(ref_);
    return context.about(reference, [&] { return connect(context, reference); });
  }

 private:
  Exit connect(const Context& context, const Reference& reference) const {
    const Requirement requirement = options_.requirement(reference);
    if (reference.existence == Existence::must_be_new && !create_) {
      throw UsageError("@N: is for streams to be made: it needs --create");
    }
    if (reference.existence == Existence::must_exist && create_) {
      throw UsageError("@E: and --create exclude one another");
    }
    SearchPath where = context.search_path();
    where.mode = options_.mode();
    context.detail(reference.name, fmt::format("looking in memory, {} and {}", where.shm.string(),
                                               where.conf.string()));
    return reload_ ? reload(context, reference, requirement, where)
                   : conclude(context, reference, find(context, reference, requirement, where));
  }

  [[nodiscard]] Connection find(const Context& context, const Reference& reference,
                                const Requirement& requirement, const SearchPath& where) const {
    if (create_ && requirement.shape) {
      return connect_or_create(reference, requirement, creation(requirement, Format{}), where);
    }
    Connection connection = appear_ ? await_stream(context, reference, requirement, where)
                                    : connect_checked(reference, requirement, where);
    if (create_ && connection.outcome == Outcome::mismatch && connection.stream) {
      return connect_or_create(reference, requirement,
                               creation(requirement, connection.stream->format()), where);
    }
    if (create_ && connection.outcome == Outcome::not_found && !appear_) {
      throw UsageError("--create: SIZE is missing, and there is no FITS file to take it from");
    }
    return connection;
  }

  [[nodiscard]] Connection await_stream(const Context& context, const Reference& reference,
                                        const Requirement& requirement,
                                        const SearchPath& where) const {
    Readiness ready = context.readiness();
    const auto be_ready = [&ready] { ready.say(); };
    Connection connection =
        await(reference, requirement, where, {deadline_after(timeout_), interrupted, be_ready});
    throw_if_interrupted();
    ready.say();
    return connection;
  }

  [[nodiscard]] CreateOptions creation(const Requirement& requirement, const Format& base) const {
    return {StreamOptions::format(requirement, base), options_.mode(), {}};
  }

  Exit reload(const Context& context, const Reference& reference, Requirement requirement,
              const SearchPath& where) const {
    const SearchResult found = find_file(reference.name, where);
    if (found.origin == Origin::nowhere) {
      throw Error(Problem::not_found, reference.name,
                  fmt::format("no FITS file of it in {}", where.conf.string()));
    }
    const auto image = open_fits(found.file.string());
    const Format format = image->format();
    if (const auto differing = differences(format, type_and_shape(requirement));
        !differing.empty()) {
      throw Error(Problem::mismatch, found.file.string(), to_string(differing));
    }
    requirement.type = format.type;
    requirement.shape = format.shape;
    CreateOptions anew = creation(requirement, format);
    anew.prepare = [&](Stream& draft) { context.warn_unfit(reference.name, fill(*image, draft)); };
    Connection connection = create_ ? connect_or_create(reference, requirement, anew, where)
                                    : connect_checked(reference, requirement, where);
    if (connection.outcome != Outcome::connected) {
      return conclude(context, reference, connection);
    }
    context.warn_unfit(reference.name, load_frame(*image, *connection.stream));
    context.warn_unterminated(reference.name, image->keywords());
    say(context, "reloaded", found.origin, found.file, *connection.stream);
    return Exit::done;
  }

  Exit conclude(const Context& context, const Reference& reference,
                const Connection& connection) const {
    switch (connection.outcome) {
      case Outcome::not_found:
        if (appear_) {
          context.note(reference.name, "timed out: it did not appear");
          throw TimedOut{};
        }
        throw Error(Problem::not_found, reference.name,
                    reference.location == Location::local
                        ? "no FITS file of it in the conf directory, and @L: passes over streams"
                        : "found neither in memory nor in the conf directory");
      case Outcome::mismatch:
        throw Error(
            Problem::mismatch, reference.name,
            fmt::format("exists with another format: {}", to_string(connection.differences)));
      case Outcome::connected:
      case Outcome::created:
      case Outcome::recreated:
        break;
    }
    context.warn_unfit(reference.name, connection.unfit_keywords);
    if (connection.outcome != Outcome::connected) {
      context.warn_unterminated(reference.name, connection.stream->keywords().all());
    }
    context.note_previous_owner(connection);
    say(context, words(connection.outcome), connection.origin, connection.file, *connection.stream);
    return Exit::done;
  }

  static void say(const Context& context, const char* outcome, Origin origin,
                  const std::filesystem::path& file, const Stream& stream) {
    if (context.quiet()) {
      return;
    }
    const OutcomeLine line{outcome, stream, SearchResult{origin, file}};
    write_stdout(context.json() ? line.to_json_line() : line.to_text());
  }

  std::string ref_;
  StreamOptions options_;
  bool create_ = false;
  bool reload_ = false;
  bool appear_ = false;
  std::optional<std::chrono::nanoseconds> timeout_;
};

const Registration connect_registration(
    "connect", "make a stream available, from memory or from a FITS file", {"SLEN"},
    {.missing = "shmim-create {} SIZE",
     .similar = "shmim-connect {}",
     .exists = "shmim-connect {}"},
    make<Connect>, {"shmim-connect @S:dark", "shmim-connect cam --appear -t 10s"});

}  // namespace
}  // namespace shmim::tools
