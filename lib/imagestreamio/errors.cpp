// Start, errors and the log.

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <string>

#include <fmt/format.h>
#include <unistd.h>

#include "imagestreamio/image.hpp"

namespace shmim::imagestreamio {

errno_t report(errno_t code, const std::string& message, const char* function, int line) noexcept {
  if (internal_printError != nullptr) {
    try {
      std::string text = message;  // their function may write to it
      internal_printError("libImageStreamIO", function, line, code, text.data());
    } catch (...) {
      // Without memory there is no text.
    }
  }
  return code;
}

errno_t report(const Error& error, errno_t other, const char* function, int line) noexcept {
  const auto code = [&] {
    switch (error.problem()) {
      case Problem::usage:
        return IMAGESTREAMIO_INVALIDARG;
      case Problem::no_space:
        return IMAGESTREAMIO_FILEWRITE;
      default:
        return other;
    }
  };
  errno = error.error_number();
  return report(code(), error.what(), function, line);
}

}  // namespace shmim::imagestreamio

using namespace shmim::imagestreamio;

errno_t (*internal_printError)(const char*, const char*, int, errno_t,
                               char*) = ImageStreamIO_printERROR_;

__attribute__((constructor)) void libinit_ImageStreamIO() {}

errno_t init_ImageStreamIO() { return IMAGESTREAMIO_SUCCESS; }

errno_t ImageStreamIO_set_printError(errno_t (*new_print_error)(const char*, const char*, int,
                                                                errno_t, char*)) {
  internal_printError = new_print_error;
  return IMAGESTREAMIO_SUCCESS;
}

errno_t ImageStreamIO_set_default_printError() {
  internal_printError = ImageStreamIO_printERROR_;
  return IMAGESTREAMIO_SUCCESS;
}

errno_t ImageStreamIO_printERROR_(const char* file, const char* func, int line, errno_t code,
                                  char* errmessage) {
  static_cast<void>(
      std::fprintf(stderr, "%s: %s:%d: error %d: %s\n", file, func, line, code, errmessage));
  return IMAGESTREAMIO_SUCCESS;
}

errno_t ImageStreamIO_printWARNING(char* warnmessage) {
  static_cast<void>(
      std::fprintf(stderr, "libImageStreamIO: process %d: warning: %s\n", getpid(), warnmessage));
  return IMAGESTREAMIO_SUCCESS;
}

errno_t ImageStreamIO_write_process_log(char* msg) {
  return guarded(IMAGESTREAMIO_SUCCESS, [&] {
    const std::string name = fmt::format("logreport.{:05}.log", getpid());
    if (std::FILE* log = std::fopen(name.c_str(), "ae"); log != nullptr) {
      timespec now{};
      clock_gettime(CLOCK_ISIO, &now);
      tm date{};
      gmtime_r(&now.tv_sec, &date);
      std::array<char, 32> text{};
      static_cast<void>(std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%S", &date));
      static_cast<void>(std::fprintf(log, "%s.%09ld %s\n", text.data(), now.tv_nsec, msg));
      static_cast<void>(std::fclose(log));
    }
    return IMAGESTREAMIO_SUCCESS;
  });
}
