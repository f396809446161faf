#pragma once

// A tool is a class with two functions: declare() its options, and run(). What else is to be known
// of it stands in its registration.

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <shmim/shmim.hpp>

#include "common/app/context.hpp"
#include "common/app/options.hpp"
#include "common/io/exit.hpp"
#include "common/io/interrupt.hpp"
#include "common/io/stdout.hpp"
#include "common/print/words.hpp"

namespace shmim::tools {

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
  virtual Exit run(const Context& context) = 0;
  /// The columns that its table can have, for its manual page; none if it prints no table.
  [[nodiscard]] virtual std::vector<Explained> columns() const { return {}; }
  /// What its exit statuses mean, for its help and its manual page.
  [[nodiscard]] virtual std::span<const ExitMeaning> exits() const { return exit_meanings(); }
  /// The one status of all that goes wrong, of a tool whose others are answers.
  [[nodiscard]] virtual std::optional<Exit> trouble() const { return std::nullopt; }
  /// The keys that it understands, for its manual page; none if it has no screen.
  [[nodiscard]] virtual std::vector<Explained> keys() const { return {}; }
};

/// A tool among those this program was linked from: one in each executable, all in the generator.
struct Registration {
  using Make = std::unique_ptr<Tool> (*)();
  using Examples = std::array<const char*, 2>;
  Registration(const char* tool_name, const char* tool_summary, const Takes& its_takes,
               const Advice& its_advice, Make make_tool, const Examples& its_examples) noexcept;
  const char* name;     ///< without `shmim-`
  const char* summary;  ///< one line, as in the NAME section of a man page
  Takes takes;          ///< what a REF of it may have
  Advice advice;
  Make make;
  Examples examples;  ///< commands, from its manual page
  const Registration* next;
};
const Registration* registrations() noexcept;

template <class T>
std::unique_ptr<Tool> make() {
  return std::make_unique<T>();
}

/// The options of a tool, with those that all tools have. The tool must outlive them.
std::unique_ptr<Options> options_of(const Registration& registration, Tool& tool);

/// From the command line to the exit status.
int run(const Registration& registration, int argc, char** argv);

}  // namespace shmim::tools
