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

std::string help_footer(const Registration& registration, const Tool& tool) {
  std::string text = "Exit status:\n";
  for (const ExitMeaning& meaning : tool.exits()) {
    text += fmt::format("  {:<6}{}\n", meaning.status, meaning.meaning);
  }
  text += "\nExamples:\n";
  for (const char* example : registration.examples) {
    text += fmt::format("  {}\n", example);
  }
  return text;
}

/// What a tool does with a command line that it takes.
Exit run_with(const Context& context, Tool& tool) {
  try {
    return tool.run(context);
  } catch (const Error& error) {
    const Exit status = context.report(error);
    return tool.trouble().value_or(status);
  }
}

/// An error in finding out what to work with.
Exit report(const Messages& messages, const Error& error) {
  messages.error(error.what());
  if (error.problem() == Problem::no_directory) {
    if (const std::string command = hint_for_directory(error); !command.empty()) {
      Messages::hint(command);
    }
  }
  return exit_of(error.problem());
}

}  // namespace

int run(const Registration& registration, int argc, char** argv) {
  occupy_standard_streams();
  install_signal_handlers();
  const Messages messages(registration.name);
  const std::unique_ptr<Tool> tool = registration.make();
  Exit status = tool->trouble().value_or(Exit::failed);
  try {
    const auto options = options_of(registration, *tool);
    switch (options->parse({argv + 1, argv + argc})) {
      case Request::help:
        write_stdout(options->help(registration.summary, size_of_stdout().columns) +
                     help_footer(registration, *tool));
        return 0;
      case Request::version:
        write_stdout(fmt::format("shmim-{} {}\n", registration.name, SHMIM_VERSION));
        return 0;
      case Request::run:
        break;
    }
    survive_truncation();
    status = run_with(Context(registration, options->common_values()), *tool);
  } catch (const Interrupted&) {
    end_by(received_signal());
  } catch (const TimedOut&) {
    status = Exit::timed_out;
  } catch (const BrokenPipe&) {
    end_by(SIGPIPE);
  } catch (const UsageError& error) {
    status = tool->trouble().value_or(messages.usage(error.what()));
  } catch (const Error& error) {
    status = tool->trouble().value_or(report(messages, error));
  } catch (const std::bad_alloc&) {
    messages.error("not enough memory");
  } catch (const std::exception& error) {
    messages.error(error.what());
  }
  if (interrupted()) {
    end_by(received_signal());
  }
  return static_cast<int>(status);
}

}  // namespace shmim::tools
