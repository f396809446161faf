#include "tool.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <pwd.h>
#include <shmim/fits.hpp>
#include <sys/resource.h>
#include <unistd.h>

namespace shmim::tools {
namespace {

constexpr std::array meanings{
    ExitMeaning{"0", "done"},
    ExitMeaning{"1", "failed"},
    ExitMeaning{"2", "wrong usage: an option, a reference, a modifier the tool has no meaning for"},
    ExitMeaning{"3", "stream not found"},
    ExitMeaning{"4", "stream exists already"},
    ExitMeaning{"5", "the stream's format is another"},
    ExitMeaning{"124", "timed out"},
    ExitMeaning{"128+n", "ended by signal n"},
};

volatile std::sig_atomic_t received_signal = 0;

/// A signal that comes just before a system call blocks would not be noticed until the call
/// returns: so once one has come, an alarm ends whatever blocks, every second.
void on_signal(int signal) noexcept {
  if (signal != SIGALRM) {
    received_signal = signal;
  }
  alarm(1);
}

void install_signal_handlers() noexcept {
  struct sigaction action {};
  action.sa_handler = on_signal;  // without SA_RESTART: blocking calls return
  for (const int signal : {SIGINT, SIGTERM, SIGALRM}) {
    sigaction(signal, &action, nullptr);
  }
  action.sa_handler = SIG_IGN;  // a write that fails lets us give back what we have claimed
  sigaction(SIGPIPE, &action, nullptr);
}

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

Exit exit_of(Problem problem) noexcept {
  switch (problem) {
    case Problem::usage:
      return Exit::usage;
    case Problem::not_found:
    case Problem::removed:
      return Exit::not_found;
    case Problem::exists:
      return Exit::exists;
    case Problem::mismatch:
      return Exit::mismatch;
    default:
      return Exit::failed;
  }
}

void print_error(std::string_view tool, std::string_view message) {
  fmt::print(stderr, "shmim-{}: {}\n", tool, printable(message));
}

Exit report_usage(std::string_view tool, std::string_view message) {
  print_error(tool, message);
  fmt::print(stderr, "Try 'shmim-{} --help' for more information.\n", tool);
  return Exit::usage;
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

struct Unit {
  std::string_view name;
  double seconds;
};
constexpr std::array units{Unit{"ns", 1e-9}, Unit{"us", 1e-6}, Unit{"ms", 1e-3}, Unit{"s", 1},
                           Unit{"m", 60},    Unit{"h", 3600},  Unit{"", 1}};

/// How to make the directory that an error is about; nothing where something else has its name.
std::string missing_directory(const std::string& subject) {
  const bool is_variable = subject == "MILK_SHM_DIR";
  const char* value = is_variable ? std::getenv("MILK_SHM_DIR") : subject.c_str();
  std::error_code ignored;
  if (value == nullptr || *value == '\0' ||
      std::filesystem::symlink_status(value, ignored).type() !=
          std::filesystem::file_type::not_found) {
    return {};
  }
  return fmt::format("mkdir -p {}", is_variable ? "\"$MILK_SHM_DIR\"" : subject);
}

std::string help_footer() {
  std::string text = "Exit status:\n";
  for (const ExitMeaning& meaning : meanings) {
    text += fmt::format("  {:<6}{}\n", meaning.status, meaning.meaning);
  }
  return text;
}

const Registration* first_registration = nullptr;

}  // namespace

std::span<const ExitMeaning> exit_meanings() noexcept { return meanings; }

bool interrupted() noexcept { return received_signal != 0; }

void throw_if_interrupted() {
  if (interrupted()) {
    throw Interrupted{};
  }
}

void sleep_until(std::chrono::steady_clock::time_point time) {
  const auto since = time.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  const timespec until{static_cast<time_t>(seconds.count()),
                       static_cast<long>((since - seconds).count())};
  do {
    throw_if_interrupted();
  } while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == EINTR);
}

void raise_file_limit() noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
}

Registration::Registration(const char* tool_name, const char* tool_summary, Make make_tool) noexcept
    : name(tool_name), summary(tool_summary), make(make_tool), next(first_registration) {
  first_registration = this;
}

const Registration* registrations() noexcept { return first_registration; }

void Tool::declare_common(CLI::App& app) {
  app.add_option("-d,--dir", dir_, "shm directory (default: MILK_SHM_DIR, /milk/shm, /dev/shm)")
      ->type_name("DIR");
  app.add_flag("-q,--quiet", quiet_, "say nothing but errors");
  app.add_flag("-v,--verbose", verbose_, "say on stderr what is being done");
}

void Tool::declare_conf(CLI::App& app) {
  app.add_option("--conf", conf_, "conf directory (default: ./conf)")->type_name("DIR");
}

void Tool::declare_json(CLI::App& app, const char* what) { app.add_flag("--json", json_, what); }

void Tool::declare_print(CLI::App& app, const char* fields) {
  app.add_option("--print", print_,
                 fmt::format("print this line instead, with fields as in '{{cnt0}}': {}", fields))
      ->type_name("TEMPLATE");
}

void Tool::declare_ready_fd(CLI::App& app) {
  app.add_option("--ready-fd", ready_fd_, "write a newline to this descriptor once waiting begins")
      ->type_name("FD")
      ->transform(whole_number());
}

Reference Tool::reference(const std::string& text, const Takes& takes) const {
  Reference parsed = parse_reference(text);
  const auto refuse = [&](char letter) {
    std::string taken;
    for (const char modifier : takes.modifiers) {
      taken += fmt::format("{}@{}:", taken.empty() ? "" : " ", modifier);
    }
    throw Error(
        Problem::usage, text,
        fmt::format("modifier {} has no meaning here; shmim-{} takes {}", letter, name_, taken));
  };
  const auto require = [&](bool is_set, char letter) {
    if (is_set && takes.modifiers.find(letter) == std::string_view::npos) {
      refuse(letter);
    }
  };
  require(parsed.location == Location::shared, 'S');
  require(parsed.location == Location::local, 'L');
  require(parsed.existence == Existence::must_exist, 'E');
  require(parsed.existence == Existence::must_be_new, 'N');
  if (!parsed.slice.empty() && !takes.slice) {
    throw Error(Problem::usage, text,
                fmt::format("a slice has no meaning here; shmim-{} takes whole streams", name_));
  }
  reference_ = parsed;
  return parsed;
}

Reference Tool::pattern(const std::string& text, const Takes& takes) const {
  if (text.find('/') != std::string::npos) {
    throw Error(Problem::usage, text, "a stream has no / in its name; --dir names the directory");
  }
  const std::size_t special = text.find_first_of("*?[");
  if (special == std::string::npos) {
    return reference(text, takes);
  }
  const std::size_t begin = text.substr(0, special).find_last_of(":>") + 1;  // npos + 1 is 0
  Reference parsed = reference(text.substr(0, begin) + "pattern", takes);
  parsed.name = text.substr(begin);
  parsed.text = text;
  return parsed;
}

Places Tool::places() const {
  Places places;
  places.shm = dir_.empty() ? default_shm_directory() : require_directory(dir_);
  if (!conf_.empty()) {
    places.conf = require_directory(conf_);
  }
  places.open_image = open_fits;
  return places;
}

Stream Tool::open(const Reference& reference, Access access) const {
  Stream stream = open_existing(reference, places(), access);
  detail(reference.name,
         fmt::format("opened {}: {} {}", stream.path().string(), to_string(stream.format().type),
                     to_string(stream.format().shape)));
  return stream;
}

void Tool::note(std::string_view subject, std::string_view message) const {
  if (!quiet_) {
    print_error(name_, fmt::format("{}: {}", subject, message));
  }
}

void Tool::detail(std::string_view subject, std::string_view message) const {
  if (verbose_ && !quiet_) {
    print_error(name_, fmt::format("{}: {}", subject, message));
  }
}

void Tool::warn_unfit(std::string_view subject, const std::vector<std::string>& unfit) const {
  if (!unfit.empty()) {
    note(subject, fmt::format("keywords left out: {}", fmt::join(unfit, ", ")));
  }
}

void Tool::note_previous_owner(const Connection& connection) const {
  if (connection.previous_owner && *connection.previous_owner != ::geteuid()) {
    const passwd* user = ::getpwuid(*connection.previous_owner);
    note(connection.stream->name(),
         fmt::format("replaced what belonged to user {}",
                     user == nullptr ? std::to_string(*connection.previous_owner)
                                     : std::string(user->pw_name)));
  }
}

void Tool::end_following(Arrival arrival, const Follower& follower,
                         std::string_view awaited) const {
  const std::string& name = follower.stream().name();
  switch (arrival) {
    case Arrival::interrupted:
      throw Interrupted{};
    case Arrival::removed:
      throw Error(Problem::removed, name, "was removed while we waited for its next frame");
    case Arrival::replaced:
      throw Error(Problem::mismatch, name,
                  fmt::format("was made anew with another format: {}", follower.difference()));
    case Arrival::arrived:
    case Arrival::timed_out:
      break;
  }
  note(name, fmt::format("timed out: no {} came", awaited));
  throw TimedOut{};
}

void Tool::say_ready() const {
  if (ready_fd_ && ::write(static_cast<int>(*ready_fd_), "\n", 1) != 1) {
    throw Error::system("--ready-fd", "cannot write to the descriptor", errno);
  }
}

std::string Tool::hint(const Error& error) const {
  const std::string name = reference_ ? reference_->name : error.subject();
  const std::string where = dir_.empty() ? "" : " --dir " + dir_;
  switch (error.problem()) {
    case Problem::not_found:
      if (!reference_ || error.subject() != name || name_ == "rm" || name_ == "ls" ||
          name_ == "link") {
        return {};
      }
      if (name_ != "connect" && find_file(name, places()).origin != Origin::nowhere) {
        return fmt::format("shmim-connect {}{}", name, where);
      }
      return name_ == "wait" ? fmt::format("shmim-wait {} --appear{}", name, where)
                             : fmt::format("shmim-create {} SIZE{}", name, where);
    case Problem::exists:
      return name_ == "link"      ? std::string()
             : name_ == "connect" ? fmt::format("shmim-connect {}{}", name, where)
                                  : fmt::format("shmim-create {} SIZE --recreate{}", name, where);
    case Problem::mismatch:
      return name_ == "create" && error.subject() != name
                 ? std::string()
                 : fmt::format("shmim-connect {}{}", name, where);
    case Problem::too_short:
    case Problem::no_version:
    case Problem::wrong_size:
    case Problem::bad_header:
    case Problem::dangling_link:
      return fmt::format("shmim-rm {}--force {}{}", name_ == "rm" ? "" : "--dry-run ", name, where);
    case Problem::no_space:
      return fmt::format("df -h {}", places().shm.string());
    case Problem::no_directory:
      return missing_directory(error.subject());
    case Problem::unfinished:
      return fmt::format("shmim-post {} --data FILE{}", name, where);
    case Problem::no_permission:
    case Problem::not_ours_to_write:
      return reference_ ? fmt::format("ls -l {}", stream_path(places().shm, name).string())
                        : std::string();
    default:
      return {};
  }
}

Exit Tool::report(const Error& error) const {
  std::string message = error.what();
  if (reference_ && error.subject().empty()) {
    message = fmt::format("{}: {}", reference_->name, message);
  }
  if (error.problem() == Problem::usage) {
    return report_usage(name_, message);
  }
  print_error(name_, message);
  try {
    if (const std::string what = hint(error); !what.empty()) {
      fmt::print(stderr, "try: {}\n", printable(what));
    }
  } catch (const Error&) {
    // What would help cannot be found out; the message stands alone.
  }
  return exit_of(error.problem());
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
    install_signal_handlers();
    survive_truncation();
    status = tool->run();
  } catch (const Interrupted&) {
    end_by(received_signal);
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
    end_by(received_signal);
  }
  return static_cast<int>(status);
}

std::chrono::nanoseconds parse_duration(const std::string& text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  const std::string_view suffix(stop, static_cast<std::size_t>(end - stop));
  const auto* unit = std::find_if(units.begin(), units.end(),
                                  [suffix](const Unit& known) { return known.name == suffix; });
  if (error != std::errc{} || unit == units.end() || !std::isfinite(value) || value < 0) {
    throw UsageError(fmt::format(
        "'{}' is no duration: write 250us, 5ms, 2s or 1m; a bare number is seconds", text));
  }
  constexpr double longest = 1e9;  // 30 years, safely within 64 bits of nanoseconds
  return nanoseconds_of(std::min(value * unit->seconds, longest));
}

CLI::Option* add_optional_duration(CLI::App& app, const std::string& name,
                                   std::optional<std::chrono::nanoseconds>& value,
                                   std::chrono::nanoseconds otherwise,
                                   std::vector<std::string>& words, const std::string& what) {
  const auto parse = [&value, &words, otherwise](const std::string& given) {
    value = otherwise;
    if (!given.empty()) {
      try {
        value = parse_duration(given);
      } catch (const UsageError&) {
        words.push_back(given);
      }
    }
  };
  return app.add_option_function<std::string>(name, parse, what)
      ->expected(0, 1)
      ->type_name("[DURATION]");
}

CLI::Validator above_zero() {
  return {[](const std::string& text) {
            double value = 0;
            const char* end = text.data() + text.size();
            const auto [stop, error] = std::from_chars(text.data(), end, value);
            return error == std::errc{} && stop == end && value > 0
                       ? std::string()
                       : fmt::format("'{}' is no number above 0", text);
          },
          "", "above zero"};
}

CLI::Validator whole_number(bool zero_too) {
  return {[zero_too](std::string& text) {
            std::uint64_t value = 0;
            const char* end = text.data() + text.size();
            const auto [stop, error] = std::from_chars(text.data(), end, value);
            if (error != std::errc{} || stop != end || (value == 0 && !zero_too)) {
              return fmt::format("'{}' is no whole number{}", text, zero_too ? "" : " above 0");
            }
            text = std::to_string(value);  // which CLI11 does not take for an octal one
            return std::string();
          },
          "", "whole number"};
}

CLI::Option* add_duration(CLI::App& app, const std::string& name,
                          std::optional<std::chrono::nanoseconds>& value, const std::string& what) {
  const auto parse = [&value, longest = name.substr(name.rfind(',') + 1)](const std::string& text) {
    try {
      value = parse_duration(text);
    } catch (const UsageError& error) {
      throw UsageError(fmt::format("{}: {}", longest, error.what()));
    }
  };
  return app.add_option_function<std::string>(name, parse, what)->type_name("DURATION");
}

void write_stdout(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
    throw_if_interrupted();
    if (written >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    } else if (errno == EPIPE) {
      throw BrokenPipe{};
    } else if (errno != EINTR) {
      throw Error(Problem::failed, "standard output",
                  fmt::format("cannot write: {}", std::generic_category().message(errno)));
    }
  }
}

void write_stdout(std::string_view text) { write_stdout(std::as_bytes(std::span(text))); }

}  // namespace shmim::tools
