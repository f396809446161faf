// shmim-rm: removes streams and wakes whoever waits on them.

#include <cstdio>
#include <iostream>
#include <map>

#include <sys/stat.h>
#include <unistd.h>

#include "tool.hpp"

namespace shmim::tools {
namespace {

class Rm final : public Tool {
 public:
  void declare(CLI::App& app) override {
    app.add_option("REF", refs_, "streams to remove, or patterns with * ? [...]; takes @S: @E:")
        ->required()
        ->type_name("");
    app.add_flag("-n,--dry-run", dry_run_, "say what would be removed, and remove nothing");
    auto* force = app.add_flag(
        "-f,--force", force_, "remove what is no readable stream too; what is missing is no error");
    app.add_flag("-i,--interactive", interactive_, "ask before each")->excludes(force);
    app.add_flag(
        "--stale", stale_,
        "only streams that no process has open and whose writers, owner and creator are dead");
    declare_common(app);
  }

  Exit run() override {
    const Places where = places();
    std::vector<Pattern> patterns;
    for (const std::string& text : refs_) {
      patterns.push_back(pattern_of(text));
    }
    std::map<std::string, Demand> wanted;  // in order, and each once
    const Exit unmatched = for_each<Pattern>(patterns, [&](const Pattern& pattern) {
      const std::vector<std::string> matches = list_streams(where.shm, pattern.text);
      if (matches.empty() && !force_) {
        throw Error(Problem::not_found, pattern.text,
                    fmt::format("no such stream in {}", where.shm.string()));
      }
      for (const std::string& name : matches) {
        wanted.try_emplace(name, pattern.demand);
      }
    });
    std::vector<std::pair<std::string, Demand>> streams(wanted.begin(), wanted.end());
    const Exit removal = for_each<std::pair<std::string, Demand>>(streams, [&](const auto& stream) {
      remove(stream.first, stream.second, stream_path(where.shm, stream.first));
    });
    return unmatched == Exit::done ? removal : unmatched;
  }

 private:
  struct Pattern {
    std::string text;
    Demand demand;  ///< a type, if any
  };

  /// Modifiers and type are checked as everywhere; the rest may be a pattern, whose brackets are no
  /// slice.
  [[nodiscard]] Pattern pattern_of(const std::string& text) const {
    if (text.find('/') != std::string::npos) {
      throw Error(Problem::usage, text, "a stream has no / in its name; --dir names the directory");
    }
    const std::size_t special = text.find_first_of("*?[");
    const std::size_t last = text.substr(0, special).find_last_of(":>");
    const std::size_t begin =
        special == std::string::npos || last == std::string::npos ? 0 : last + 1;
    const bool is_pattern = special != std::string::npos;
    const Reference parsed =
        reference(is_pattern ? text.substr(0, begin) + "pattern" : text, {"SE"});
    Pattern pattern{is_pattern ? text.substr(begin) : parsed.name, {}};
    pattern.demand.type = parsed.type;
    return pattern;
  }

  void remove(const std::string& name, const Demand& demand,
              const std::filesystem::path& path) const {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) {
      throw Error(Problem::not_found, name, "was removed by somebody else meanwhile");
    }
    const bool is_link = S_ISLNK(status.st_mode);
    const Identity identity{status.st_dev, status.st_ino};
    if (demand.type || (!is_link && !force_)) {
      const Stream stream = Stream::open(path, Access::read);
      if (const auto differing = differences(stream.format(), demand); !differing.empty()) {
        throw Error(Problem::mismatch, name, to_string(differing));
      }
    }
    if (stale_) {
      if (const std::string why = why_in_use(path); !why.empty()) {
        detail(name, fmt::format("kept: {}", why));
        return;
      }
    }
    if (dry_run_) {
      write_stdout(fmt::format("would remove {}\n", path.string()));
      return;
    }
    if (interactive_ && !agrees(name)) {
      return;
    }
    if (!remove_stream(path, identity)) {
      throw Error(Problem::failed, name, "was made anew meanwhile, and is left alone");
    }
    if (verbose()) {
      write_stdout(fmt::format("removed {}\n", path.string()));
    }
  }

  /// What makes a stream not stale; empty where nothing does.
  [[nodiscard]] static std::string why_in_use(const std::filesystem::path& path) {
    std::optional<Identity> identity;
    try {
      const Stream stream = Stream::open(path, Access::read);
      identity = stream.identity();
      if (const pid_t user = living_user(stream); user != 0) {
        return fmt::format("process {} made, owns or writes it", describe_process(user));
      }
    } catch (const Error& error) {
      if (error.problem() == Problem::dangling_link) {
        return {};
      }
      identity = identity_of(path);
    }
    if (!identity) {
      return {};
    }
    const Holders holders = holders_of(*identity);
    if (!holders.processes.empty()) {
      return fmt::format("process {} has it open", describe_process(holders.processes.front()));
    }
    if (!holders.unknown.empty()) {
      return fmt::format("{} processes may have it open that we may not look into",
                         holders.unknown.size());
    }
    return {};
  }

  /// PID of a living process that the stream names; 0 where there is none.
  [[nodiscard]] static pid_t living_user(const Stream& stream) {
    std::vector<pid_t> pids{stream.creator(), stream.owner()};
    pids.push_back(stream.trace().newest().value_or(TraceEntry{}).pid);
    for (unsigned index = 0; index < stream.semaphores().count(); ++index) {
      pids.push_back(stream.semaphores().poster(index));
    }
    for (const pid_t pid : pids) {
      if (pid > 1 && is_alive(pid)) {  // 1: belongs to no process
        return pid;
      }
    }
    return 0;
  }

  static bool agrees(const std::string& name) {
    fmt::print(stderr, "shmim-rm: remove stream '{}'? ", printable(name));
    std::string answer;
    std::getline(std::cin, answer);
    throw_if_interrupted();
    return answer.starts_with('y') || answer.starts_with('Y');
  }

  std::vector<std::string> refs_;
  bool dry_run_ = false;
  bool force_ = false;
  bool interactive_ = false;
  bool stale_ = false;
};

const Registration registration("rm", "remove streams and wake whoever waits on them", make<Rm>);

}  // namespace
}  // namespace shmim::tools
