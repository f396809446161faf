#pragma once

// What the tools share: the order of events from main to exit, the options they have in common, and
// the one way to say things. A tool is a class with two functions: declare() its options, run().

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <fmt/format.h>
#include <shmim/shmim.hpp>

#include "common/app/options.hpp"
#include "common/io/exit.hpp"
#include "common/io/interrupt.hpp"
#include "common/io/stdout.hpp"
#include "common/print/words.hpp"

namespace shmim::tools {

/// Modifiers a tool has a meaning for, as letters of `SLEN`.
struct Takes {
  std::string_view modifiers;
  bool slice = false;
};

/// A name and what it means, for manual pages.
struct Explained {
  std::string name;
  std::string meaning;
};

class Tool {
 public:
  Tool() = default;
  Tool(const Tool&) = delete;
  Tool(Tool&&) = delete;
  Tool& operator=(const Tool&) = delete;
  Tool& operator=(Tool&&) = delete;
  virtual ~Tool() = default;

  virtual void declare(Options& options) = 0;
  virtual Exit run() = 0;
  /// The columns that its table can have, for its manual page; none where it prints no table.
  [[nodiscard]] virtual std::vector<Explained> columns() const { return {}; }

  /// Prints an error as everybody's errors are printed, with what to try; gives the exit status.
  Exit report(const Error& error) const;

  void set_name(std::string name) { name_ = std::move(name); }

 protected:
  /// Options that most tools have. `--conf` and `--json` only where they mean something.
  void declare_common(Options& options);
  void declare_conf(Options& options);
  Option& declare_json(Options& options, const char* what = "print one JSON object per line");
  void declare_print(Options& options, const char* fields);
  void declare_ready_fd(Options& options);

  /// Parses a REF, and refuses what this tool has no meaning for before anything is touched.
  [[nodiscard]] Reference reference(const std::string& text, const Takes& takes) const;
  /// The same where the name may be a shell pattern; its brackets are no slice. A name with a / is
  /// refused.
  [[nodiscard]] Reference pattern(const std::string& text, const Takes& takes) const;
  [[nodiscard]] SearchPath search_path() const;
  /// The stream a reference names, which must exist.
  [[nodiscard]] Stream open(const Reference& reference, Access access = Access::best) const;

  /// One line on stderr, unless --quiet.
  void note(std::string_view subject, std::string_view message) const;
  /// One line on stderr with --verbose.
  void detail(std::string_view subject, std::string_view message) const;
  /// The one warning about keywords that a stream cannot hold.
  void warn_unfit(std::string_view subject, const std::vector<std::string>& unfit) const;
  /// Says so where the stream that was replaced was another user's.
  void note_previous_owner(const Connection& connection) const;
  /// Ends a wait that brought no frame: throws TimedOut, Interrupted, or Error (removed, mismatch).
  /// `awaited` is what did not come in time.
  [[noreturn]] void end_following(Arrival arrival, const Follower& follower,
                                  std::string_view awaited = "frame") const;
  /// One newline to --ready-fd, if it was given; once, however often it is called.
  void say_ready() const;

  /// Runs `job` on each item; an error is reported and the next item has its turn. Gives the first
  /// status that is not done.
  template <class Item>
  Exit for_each(const std::vector<Item>& items, const std::function<void(const Item&)>& job) const {
    Exit worst = Exit::done;
    for (const Item& item : items) {
      if constexpr (std::is_same_v<Item, Reference>) {
        reference_ = item;
      }
      try {
        job(item);
      } catch (const Error& error) {
        const Exit status = report(error);
        worst = worst == Exit::done ? status : worst;
      }
    }
    return worst;
  }

  /// The same where it came up with that reference, which the advice is about.
  Exit report(const Reference& about, const Error& error) const {
    reference_ = about;
    return report(error);
  }

  [[nodiscard]] bool quiet() const noexcept { return quiet_; }
  [[nodiscard]] bool verbose() const noexcept { return verbose_; }
  [[nodiscard]] bool json() const noexcept { return json_; }
  [[nodiscard]] const std::string& print_template() const noexcept { return print_; }

 private:
  [[nodiscard]] Reference checked(Reference parsed, const Takes& takes) const;
  [[nodiscard]] std::string hint(const Error& error) const;
  [[nodiscard]] std::string hint_for_missing(const std::string& where) const;
  std::string name_;
  std::string dir_;
  std::string conf_;
  std::string print_;
  mutable std::optional<unsigned> ready_fd_;  ///< until it has been told
  bool quiet_ = false;
  bool verbose_ = false;
  bool json_ = false;
  mutable std::optional<Reference> reference_;  ///< the one in work, for messages that name none
};

/// A tool among those this program was linked from: one in each executable, all in the generator.
struct Registration {
  using Make = std::unique_ptr<Tool> (*)();
  Registration(const char* tool_name, const char* tool_summary, Make make_tool) noexcept;
  const char* name;     ///< without `shmim-`
  const char* summary;  ///< one line, as in the NAME section of a man page
  Make make;
  const Registration* next;
};
const Registration* registrations() noexcept;

template <class T>
std::unique_ptr<Tool> make() {
  return std::make_unique<T>();
}

/// From the command line to the exit status.
int run(const Registration& registration, int argc, char** argv);

/// One line on stderr, if it can be written.
void write_stderr(const std::string& line);
/// The same: `shmim-TOOL: message`, made safe for a terminal.
void print_error(std::string_view tool, std::string_view message);
/// The same with a pointer to --help; gives the exit status.
Exit report_usage(std::string_view tool, std::string_view message);

}  // namespace shmim::tools
