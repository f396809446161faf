// From main to the exit status: signals, the command line, and what is said of what went wrong.

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <unistd.h>

#include "common/app/tool.hpp"

namespace shmim::tools {
namespace {

/// A standard stream that whoever started us closed is opened the wrong way round, so that its use
/// still fails: or the stream we open would get its number, and what we print.
void occupy_standard_streams() noexcept {
  for (const int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(number, F_GETFD) < 0) {
      static_cast<void>(::open("/dev/null", number == STDIN_FILENO ? O_WRONLY : O_RDONLY));
    }
  }
}

/// Ends by a signal, so that a shell sees what happened.
[[noreturn]] void end_by(int signal) noexcept {
  static_cast<void>(std::signal(signal, SIG_DFL));
  static_cast<void>(std::raise(signal));
  std::_Exit(128 + signal);
}

/// What is wrong with a command line, in our words where CLI11's are few.
std::string usage_message(const CLI::App& app, const CLI::ParseError& error) {
  const auto strangers = app.remaining();
  if (!strangers.empty() && strangers.front().starts_with('-')) {
    return fmt::format("unknown option {}",
                       strangers.front().substr(0, strangers.front().find('=')));
  }
  std::string text = error.what();
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    const std::string name = text.substr(0, text.find(':'));
    const CLI::Option* option = app.get_option_no_throw(name);
    return option == nullptr ? text : fmt::format("{} needs {}", name, option->get_type_name());
  }
  constexpr std::string_view no_number = "Could not convert: ";
  const std::size_t middle = text.find(" = ");
  if (text.starts_with(no_number) && middle != text.npos) {
    return fmt::format("{}: '{}' is no number that it takes",
                       text.substr(no_number.size(), middle - no_number.size()),
                       text.substr(middle + 3));
  }
  return text;
}

std::string help_footer() {
  std::string text = "Exit status:\n";
  for (const ExitMeaning& meaning : exit_meanings()) {
    text += fmt::format("  {:<6}{}\n", meaning.status, meaning.meaning);
  }
  return text;
}

const Registration* first_registration = nullptr;

}  // namespace

Registration::Registration(const char* tool_name, const char* tool_summary, Make make_tool) noexcept
    : name(tool_name), summary(tool_summary), make(make_tool), next(first_registration) {
  first_registration = this;
}

const Registration* registrations() noexcept { return first_registration; }

void write_stderr(const std::string& line) {
  // Where nobody can be told, the exit status must do.
  static_cast<void>(std::fputs((line + '\n').c_str(), stderr));
}

void print_error(std::string_view tool, std::string_view message) {
  write_stderr(fmt::format("shmim-{}: {}", tool, printable(message)));
}

Exit report_usage(std::string_view tool, std::string_view message) {
  print_error(tool, message);
  write_stderr(fmt::format("Try 'shmim-{} --help' for more information.", tool));
  return Exit::usage;
}

std::unique_ptr<CLI::App> parser(const Registration& registration, Tool& tool) {
  tool.set_name(registration.name);
  auto app =
      std::make_unique<CLI::App>(registration.summary, fmt::format("shmim-{}", registration.name));
  app->set_help_flag("-h,--help", "print this help and exit");
  app->set_version_flag("-V,--version",
                        fmt::format("shmim-{} {}", registration.name, SHMIM_VERSION),
                        "print the version and exit");
  app->get_formatter()->column_width(32);
  app->get_formatter()->label("REQUIRED", "");
  app->footer(help_footer());
  tool.declare(*app);
  // `--dir "$unset"` must not pass for no --dir.
  const CLI::Validator not_empty(
      [](const std::string& text) { return text.empty() ? std::string("an empty value") : ""; },
      "");
  for (CLI::Option* option : app->get_options()) {
    if (!option->get_positional() && option->get_items_expected_min() > 0) {
      option->check(not_empty);
    }
  }
  return app;
}

int run(const Registration& registration, int argc, char** argv) {
  occupy_standard_streams();
  install_signal_handlers();
  const std::string_view name = registration.name;
  const std::unique_ptr<Tool> tool = registration.make();
  Exit status = Exit::failed;
  try {
    const auto app = parser(registration, *tool);
    try {
      app->parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
      write_stdout(app->help());
      return 0;
    } catch (const CLI::CallForVersion& version) {
      write_stdout(fmt::format("{}\n", version.what()));
      return 0;
    } catch (const CLI::ParseError& error) {
      return static_cast<int>(report_usage(name, usage_message(*app, error)));
    }
    survive_truncation();
    status = tool->run();
  } catch (const Interrupted&) {
    end_by(received_signal());
  } catch (const TimedOut&) {
    status = Exit::timed_out;
  } catch (const BrokenPipe&) {
    end_by(SIGPIPE);
  } catch (const UsageError& error) {
    status = report_usage(name, error.what());
  } catch (const Error& error) {
    // A call that the signal broke off fails, which is no news.
    status = interrupted() ? Exit::failed : tool->report(error);
  } catch (const std::bad_alloc&) {
    print_error(name, "not enough memory");
  } catch (const std::exception& error) {
    print_error(name, error.what());
  }
  if (interrupted()) {
    end_by(received_signal());
  }
  return static_cast<int>(status);
}

}  // namespace shmim::tools
