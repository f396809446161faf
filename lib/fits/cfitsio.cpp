#include "fits/cfitsio.hpp"

#include <array>
#include <cstdlib>
#include <new>
#include <string_view>

#include <dlfcn.h>
#include <fmt/format.h>

#include "shmim/text.hpp"

namespace shmim::cfitsio {
namespace {

[[noreturn]] void not_installed() {
  const char* why = dlerror();
  throw Error(Problem::failed, SHMIM_CFITSIO_SONAME,
              fmt::format("cfitsio, which reads and writes FITS, is not installed: {}",
                          why != nullptr ? why : "no reason given"));
}

void* library() {
  // Never closed: libcurl, which comes with it, does not survive that.
  static void* const opened = dlopen(SHMIM_CFITSIO_SONAME, RTLD_NOW | RTLD_LOCAL);
  if (opened == nullptr) {
    not_installed();
  }
  return opened;
}

Functions load_functions() {
  Functions functions{};
#define SHMIM_CFITSIO_TEXT(symbol) #symbol
#define SHMIM_CFITSIO_LOAD(function) \
  functions.function = symbol<decltype(functions.function)>(SHMIM_CFITSIO_TEXT(function));
  SHMIM_CFITSIO_FUNCTIONS(SHMIM_CFITSIO_LOAD)
#undef SHMIM_CFITSIO_LOAD
#undef SHMIM_CFITSIO_TEXT
  return functions;
}

/// The first message on cfitsio's stack, which tells most; the others retell it on the way up.
std::string first_message(const Functions& fits) {
  std::array<char, FLEN_ERRMSG> text{};
  fits.fits_read_errmsg(text.data());
  fits.fits_clear_errmsg();
  std::string_view message(text.data());
  message = message.substr(0, message.find_last_not_of(" :") + 1);
  return printable(message);
}

}  // namespace

void* find_symbol(const char* name) {
  void* const found = dlsym(library(), name);
  if (found == nullptr) {
    not_installed();
  }
  return found;
}

const Functions& functions() {
  static const Functions loaded = load_functions();
  return loaded;
}

std::mutex& mutex() {
  static std::mutex instance;
  return instance;
}

Error File::error(const Functions& fits, int status, const std::string& subject) {
  if (const int error_number = errno;
      error_number != 0 && (status == WRITE_ERROR || status == SEEK_ERROR)) {
    fits.fits_clear_errmsg();
    return Error::system(subject, "cannot be written", error_number);
  }
  std::array<char, FLEN_STATUS> text{};
  fits.fits_get_errstatus(status, text.data());
  const std::string message = first_message(fits);
  const bool ends_early = status == END_OF_FILE || status == READ_ERROR;
  return Error(
      status == UNKNOWN_REC ? Problem::not_an_image : Problem::failed, subject,
      fmt::format("{}{} (cfitsio {}{}{})", ends_early ? "is truncated or cannot be read: " : "",
                  text.data(), status, message.empty() ? "" : ": ", message));
}

File::Memory::~Memory() {
  if (owner == nullptr) {
    std::free(begin);  // NOLINT(cppcoreguidelines-no-malloc): see create()
  }
}

void File::close() {
  const Functions& fits = functions();
  const std::lock_guard lock(mutex());
  int status = 0;
  errno = 0;
  fits.fits_close_file(handle_.release(), &status);
  if (status > 0) {
    throw error(fits, status, subject_);
  }
}

void File::Close::operator()(fitsfile* file) const {
  const Functions& fits = functions();
  const std::lock_guard lock(mutex());
  int status = 0;
  fits.fits_close_file(file, &status);
  fits.fits_clear_errmsg();
}

template <class Function, class... Arguments>
void File::open_with(Function Functions::*function, Arguments... arguments) {
  const Functions& fits = functions();
  const std::lock_guard lock(mutex());
  int status = 0;
  fitsfile* opened = nullptr;
  (fits.*function)(&opened, arguments..., &status);
  if (status > 0) {
    throw error(fits, status, subject_);
  }
  handle_.reset(opened);
}

File File::open(const std::string& path, const std::string& subject, int mode) {
  File file(subject);
  // A relative path gets a "./", because cfitsio gives a leading '~' a meaning.
  const std::string plain = path.starts_with('/') ? path : "./" + path;
  file.open_with(&Functions::fits_open_diskfile, plain.c_str(), mode);
  return file;
}

File File::open(const std::string& path, const std::string& subject) {
  return open(path, subject, READONLY);
}

File File::open_for_writing(const std::string& path, const std::string& subject) {
  return open(path, subject, READWRITE);
}

File File::open(std::shared_ptr<const std::vector<std::byte>> bytes, std::size_t size,
                const std::string& subject) {
  File file(subject);
  file.memory_ = std::make_unique<Memory>();
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): opened for reading, nothing is written
  file.memory_->begin = const_cast<std::byte*>(bytes->data());
  file.memory_->size = bytes->size();
  file.memory_->file_size = size;
  file.memory_->owner = std::move(bytes);
  file.open_with(&Functions::fits_open_memfile, "memory", READONLY, &file.memory_->begin,
                 &file.memory_->size, std::size_t{0}, nullptr);
  return file;
}

File File::create(std::size_t bytes, const std::string& subject) {
  File file(subject);
  file.memory_ = std::make_unique<Memory>();
  // NOLINTNEXTLINE(cppcoreguidelines-no-malloc): cfitsio makes it grow with realloc
  file.memory_->begin = std::malloc(bytes);
  if (file.memory_->begin == nullptr) {
    throw std::bad_alloc();
  }
  file.memory_->size = bytes;
  file.open_with(&Functions::fits_create_memfile, &file.memory_->begin, &file.memory_->size,
                 std::size_t{IOBUFLEN} * 16, &std::realloc);
  return file;
}

int File::hdu() const {
  int number = 0;
  functions().fits_get_hdu_num(handle_.get(), &number);
  return number;
}

bool File::is_compressed() const {
  int status = 0;
  return functions().fits_is_compressed_image(handle_.get(), &status) != 0;
}

std::uint64_t File::size() const noexcept {
  if (memory_ != nullptr) {
    return memory_->file_size;
  }
  // The one number that cfitsio knows of files plain and gzip, and has no function for.
  return static_cast<std::uint64_t>(handle_->Fptr->filesize);
}

std::span<const std::byte> File::bytes() const noexcept {
  return {static_cast<const std::byte*>(memory_->begin), memory_->size};
}

}  // namespace shmim::cfitsio
