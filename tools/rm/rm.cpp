// shmim-rm: removes streams and wakes whoever waits on them.

#include <cstdio>
#include <map>

#include <sys/stat.h>
#include <unistd.h>

#include "common/app/tool.hpp"
#include "common/io/descriptor.hpp"

namespace shmim::tools {
namespace {

class Rm final : public Tool {
 public:
  void declare(Options& options) override {
    options.positional("REF", refs_, "streams to remove, or patterns with * ? [...]; takes @S: @E:")
        .required();
    options.flag("-n,--dry-run", dry_run_, "say what would be removed, and remove nothing");
    const Option& force = options.flag(
        "-f,--force", force_,
        "also remove files that are not readable streams; a missing stream is not an error");
    options.flag("-i,--interactive", interactive_, "ask before each").excludes(force);
    options.flag(
        "--stale", stale_,
        "only streams that no process has open and whose writers, owner and creator are dead");
  }

  Exit run(const Context& context) override {
    const SearchPath& where = context.search_path();
    std::vector<Reference> patterns;
    for (const std::string& text : refs_) {
      patterns.push_back(context.pattern(text));
    }
    std::map<std::string, Reference> found;  // in order, and each once
    const Exit unmatched = context.for_each<Reference>(patterns, [&](const Reference& wanted) {
      const std::vector<Reference> named = context.streams_of(wanted);
      if (named.empty() && !force_) {
        throw Error(Problem::not_found, wanted.name,
                    fmt::format("no such stream in {}", where.shm.string()));
      }
      for (const Reference& stream : named) {
        found.try_emplace(stream.name, stream);
      }
    });
    std::vector<Reference> streams;
    streams.reserve(found.size());
    for (const auto& match : found) {
      streams.push_back(match.second);
    }
    if (stale_ && context.verbose()) {
      look_for_holders(streams, where.shm);
    }
    const Exit removal = context.for_each<Reference>(streams, [&](const Reference& stream) {
      remove(context, stream, stream_path(where.shm, stream.name));
    });
    return unmatched == Exit::done ? removal : unmatched;
  }

 private:
  /// One look at all processes for all streams: to say who has them open.
  void look_for_holders(const std::vector<Reference>& streams,
                        const std::filesystem::path& directory) {
    std::vector<Identity> files;
    files.reserve(streams.size());
    for (const Reference& stream : streams) {
      files.push_back(identity_of(stream_path(directory, stream.name)).value_or(Identity{}));
    }
    holders_.emplace(files);
  }

  void remove(const Context& context, const Reference& wanted,
              const std::filesystem::path& path) const {
    const std::string& name = wanted.name;
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) {
      throw Error(Problem::not_found, name, "was removed by somebody else meanwhile");
    }
    const bool is_link = S_ISLNK(status.st_mode);
    const Identity identity{status.st_dev, status.st_ino};
    if (wanted.type || (!is_link && !force_)) {
      require_type(name, Stream::open(path, Access::read).format(), wanted.type);
    }
    if (stale_ && (dry_run_ || interactive_ || holders_)) {
      if (const auto use = find_use(path, holders_ ? &*holders_ : nullptr)) {
        say_kept(context, name, *use);
        return;
      }
    }
    if (dry_run_) {
      write_stdout(fmt::format("would remove {}\n", printable(path.string())));
      return;
    }
    if (interactive_ && !agrees(name)) {
      return;
    }
    if (stale_) {
      if (const auto use = remove_if_stale(path, identity)) {
        say_kept(context, name, *use);
        return;
      }
    } else if (!remove_stream(path, identity)) {
      throw Error(Problem::failed, name, "was re-created meanwhile, and is left alone");
    }
    if (context.verbose()) {
      write_stdout(fmt::format("removed {}\n", printable(path.string())));
    }
  }

  /// That one is in use is what was asked; that it cannot be told is not.
  static void say_kept(const Context& context, const std::string& name, const InUse& use) {
    const std::string kept = fmt::format("kept: {}", to_string(use));
    if (use.why == InUse::Why::not_known) {
      context.note(name, kept);
    } else {
      context.detail(name, kept);
    }
  }

  static bool agrees(const std::string& name) {
    const std::string question = fmt::format("shmim-rm: remove stream '{}'? ", printable(name));
    static_cast<void>(write_all(STDERR_FILENO, std::as_bytes(std::span(question))));
    std::string answer;
    std::byte letter{};
    while (read_some(STDIN_FILENO, std::span(&letter, 1), "standard input") == 1 &&
           letter != std::byte{'\n'}) {
      answer += static_cast<char>(letter);
    }
    return answer.starts_with('y') || answer.starts_with('Y');
  }

  std::vector<std::string> refs_;
  bool dry_run_ = false;
  bool force_ = false;
  bool interactive_ = false;
  bool stale_ = false;
  std::optional<HolderTable> holders_;
};

const Registration rm_registration("rm", "remove streams and wake those who wait on them", {"SE"},
                                   {.unreadable = "shmim-rm --force {}"}, make<Rm>,
                                   {"shmim-rm --dry-run 'test_*'",
                                    "shmim-rm --stale --verbose '*'"});

}  // namespace
}  // namespace shmim::tools
