#pragma once

// What a tool is run with, read-only: where streams are looked up, what the options that all tools
// share say, and the one way to say things.

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <shmim/shmim.hpp>

#include "common/app/afar.hpp"
#include "common/app/hints.hpp"
#include "common/app/messages.hpp"
#include "common/app/options.hpp"
#include "common/io/exit.hpp"

namespace shmim::tools {

struct Registration;

/// Modifiers a tool has a meaning for, as letters of `SLEN`.
struct Takes {
  std::string_view modifiers;
  bool slice = false;
  bool afar = false;  ///< it may be of another host
};

/// Tells --ready-fd that waiting begins.
class Readiness {
 public:
  explicit Readiness(std::optional<unsigned> descriptor) noexcept : descriptor_(descriptor) {}
  /// One newline, however often it is called. A signal that comes meanwhile is for who waits then.
  /// Throws Error, and Interrupted where the descriptor is full.
  void say();

 private:
  std::optional<unsigned> descriptor_;  ///< until it has been told
};

/// No descriptor was left to look at it.
[[nodiscard]] bool is_left_out(const Description& description) noexcept;

class Context {
 public:
  /// Throws Error (no_directory).
  Context(const Registration& tool, const CommonOptions& options);

  [[nodiscard]] const SearchPath& search_path() const noexcept { return search_path_; }
  [[nodiscard]] bool json() const noexcept { return options_.json; }
  [[nodiscard]] const std::string& print_template() const noexcept { return options_.print; }
  [[nodiscard]] bool quiet() const noexcept { return messages_.quiet(); }
  [[nodiscard]] bool verbose() const noexcept { return messages_.verbose(); }
  [[nodiscard]] Readiness readiness() const noexcept { return Readiness(options_.ready_fd); }

  /// Parses a REF, and refuses what the tool has no meaning for before anything is touched.
  [[nodiscard]] Reference reference(const std::string& text) const;
  /// Parses a reference of which less has a meaning than of a REF.
  [[nodiscard]] Reference reference(const std::string& text, const Takes& takes) const;
  /// Parses a REF whose name may be a shell pattern.
  [[nodiscard]] Reference pattern(const std::string& text) const;
  /// The streams in the shm directory that a pattern means, by name. Each has the pattern's other
  /// parts.
  [[nodiscard]] std::vector<Reference> streams_of(const Reference& pattern) const;
  /// The stream that a reference names, which must exist. One of another host is a mirror of it,
  /// which is as `wish` says.
  [[nodiscard]] Stream open(const Reference& reference, Access access = Access::best,
                            const MirrorWish& wish = {}) const;
  /// The other host that a reference names, of which there is one object each. Silent, where a
  /// screen would be spoilt by what becomes of the connection.
  Afar& afar(const Address& address, bool is_silent = false) const;
  /// A stream of another host as it is now, readable and of the type that is demanded. Throws Error
  /// else.
  [[nodiscard]] Description describe_afar(const Reference& reference) const;
  /// Where a reference is looked for, for messages: `in /dev/shm`, `at tcp://camhost:5556`.
  [[nodiscard]] std::string place_of(const Reference& reference) const;
  /// The stream that was found for a reference.
  [[nodiscard]] Stream open(const Reference& reference, const SearchResult& found,
                            Access access) const;

  /// One line on stderr, unless --quiet.
  void note(std::string_view subject, std::string_view message) const {
    messages_.note(subject, message);
  }
  /// One line on stderr with --verbose.
  void detail(std::string_view subject, std::string_view message) const {
    messages_.detail(subject, message);
  }
  /// The one warning about keywords that a stream cannot hold.
  void warn_unfit(std::string_view subject, const std::vector<std::string>& unfit) const;
  /// The one warning about keywords that programs of the C library read otherwise.
  void warn_unterminated(std::string_view subject, std::span<const Keyword> keywords) const;
  /// Says so if the stream that was replaced was another user's.
  void note_previous_owner(const Connection& connection) const;
  /// Says how many were left out for want of descriptors, if any were; gives the exit status.
  /// `description` is where each has its own.
  template <class Looked, class Projection>
  [[nodiscard]] Exit report_left_out(const std::vector<Looked>& looked,
                                     const Projection& description) const {
    return report_left_out(
        static_cast<std::uint64_t>(std::ranges::count_if(looked, is_left_out, description)));
  }
  /// Prints an error as all errors are printed, with what to try; gives the exit status.
  Exit report(const Error& error) const { return report(nullptr, error); }
  /// Prints an error that came up with that reference.
  Exit report(const Reference& about, const Error& error) const { return report(&about, error); }
  /// Runs `job` and gives its status; an error in it is reported as one about that reference.
  Exit about(const Reference& reference, const std::function<Exit()>& job) const;
  /// Prints an error that came up with a file, for which what is advised of streams is no help.
  Exit report_of_file(const Error& error) const;
  /// Runs `job` on each item, of which a text is the name of a file; an error is reported and the
  /// next item has its turn. Gives the first status that is not done.
  template <class Item>
  Exit for_each(const std::vector<Item>& items, const std::function<void(const Item&)>& job) const {
    Exit worst = Exit::done;
    for (const Item& item : items) {
      Exit status = Exit::done;
      if constexpr (std::is_same_v<Item, Reference>) {
        status = about(item, [&] {
          job(item);
          return Exit::done;
        });
      } else {
        try {
          job(item);
        } catch (const Error& error) {
          status = std::is_same_v<Item, std::string> ? report_of_file(error) : report(error);
        }
      }
      worst = worst == Exit::done ? status : worst;
    }
    return worst;
  }

 private:
  [[nodiscard]] Exit report_left_out(std::uint64_t count) const;
  [[nodiscard]] Reference checked(Reference reference, const Takes& takes) const;
  Exit report(const Reference* about, const Error& error) const;
  const Registration& tool_;
  const CommonOptions& options_;
  Messages messages_;
  SearchPath search_path_;
  mutable std::map<std::string, std::unique_ptr<Afar>>
      afars_;  ///< by name, from their first use on
};

/// Throws Error (mismatch) if a type is demanded and `format` has another.
void require_type(const std::string& subject, const Format& format,
                  const std::optional<DataType>& type);

}  // namespace shmim::tools
