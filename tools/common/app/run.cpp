// From main to the exit status: signals, the command line, and what is said of what went wrong.

#include <csignal>
#include <cstdio>
#include <cstdlib>

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

int run(const Registration& registration, int argc, char** argv) {
  occupy_standard_streams();
  install_signal_handlers();
  const std::string_view name = registration.name;
  const std::unique_ptr<Tool> tool = registration.make();
  tool->set_name(registration.name);
  Exit status = Exit::failed;
  try {
    Options options(registration.name);
    tool->declare(options);
    switch (options.parse({argv + 1, argv + argc})) {
      case Request::help:
        write_stdout(options.help(registration.summary) + help_footer());
        return 0;
      case Request::version:
        write_stdout(fmt::format("shmim-{} {}\n", name, SHMIM_VERSION));
        return 0;
      case Request::run:
        break;
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
