#pragma once

// cfitsio, opened with dlopen when the first FITS file is: a program that reads none does not pay
// for its start-up, which pulls in libcurl. Nothing outside this folder knows of it.

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fitsio.h>

#include "shmim/error.hpp"

namespace shmim::cfitsio {

// The long names are fitsio.h's macros for the short ones, which are the symbols: `fits_close_file`
// below declares, loads and calls `ffclos`.
#define SHMIM_CFITSIO_FUNCTIONS(DO) \
  DO(fits_clear_errmsg)             \
  DO(fits_close_file)               \
  DO(fits_create_imgll)             \
  DO(fits_create_memfile)           \
  DO(fits_create_tbl)               \
  DO(fits_delete_key)               \
  DO(fits_flush_file)               \
  DO(fits_get_errstatus)            \
  DO(fits_get_hdrspace)             \
  DO(fits_get_hdu_num)              \
  DO(fits_get_hdu_type)             \
  DO(fits_get_hduaddrll)            \
  DO(fits_get_img_dim)              \
  DO(fits_get_img_sizell)           \
  DO(fits_get_img_type)             \
  DO(fits_get_keyclass)             \
  DO(fits_get_keyname)              \
  DO(fits_is_compressed_image)      \
  DO(fits_modify_comment)           \
  DO(fits_movabs_hdu)               \
  DO(fits_movnam_hdu)               \
  DO(fits_open_diskfile)            \
  DO(fits_open_memfile)             \
  DO(fits_parse_value)              \
  DO(fits_read_errmsg)              \
  DO(fits_read_img)                 \
  DO(fits_read_key)                 \
  DO(fits_read_record)              \
  DO(fits_read_subset)              \
  DO(fits_read_tblbytes)            \
  DO(fits_set_compression_type)     \
  DO(fits_set_huge_hdu)             \
  DO(fits_set_quantize_level)       \
  DO(fits_set_tile_dim)             \
  DO(fits_write_record)             \
  DO(fits_write_subset)

struct Functions {
#define SHMIM_CFITSIO_MEMBER(function) \
  decltype(&::function) function;  // NOLINT(bugprone-macro-parentheses): it declares
  SHMIM_CFITSIO_FUNCTIONS(SHMIM_CFITSIO_MEMBER)
#undef SHMIM_CFITSIO_MEMBER
};

/// Loads cfitsio the first time. Throws Error (failed) where it is not installed.
const Functions& functions();

/// A function of cfitsio, or of what is loaded with it. Throws as functions() does.
void* find_symbol(const char* name);
template <class Function>
Function symbol(const char* name) {
  return reinterpret_cast<Function>(find_symbol(name));
}

/// Held around each call: cfitsio has one stack of messages for the whole process, and need not
/// have been built for threads at all.
std::mutex& mutex();

/// Calls a function that needs no file, and whose failure is not an error. Gives cfitsio's status.
template <class Function, class... Arguments>
int attempt(Function Functions::*function, Arguments... arguments) {
  const Functions& fits = functions();
  const std::lock_guard lock(mutex());
  int status = 0;
  (fits.*function)(arguments..., &status);
  if (status > 0) {
    fits.fits_clear_errmsg();
  }
  return status;
}

/// A FITS file that is open, on disk or in memory.
class File {
 public:
  /// `path` is taken as it stands: no URL, no filter, no output file. `subject` is for messages.
  static File open(const std::string& path, const std::string& subject);
  /// The same, to be written to: what cfitsio has not written yet is lost without close().
  static File open_for_writing(const std::string& path, const std::string& subject);
  /// Memory, of which the first `size` bytes are the file's: the rest fills up its last block.
  static File open(std::shared_ptr<const std::vector<std::byte>> bytes, std::size_t size,
                   const std::string& subject);
  /// A new file in memory, which has room for `bytes` before it has to grow.
  static File create(std::size_t bytes, const std::string& subject);

  /// Calls `function(file, arguments..., &status)`. Throws Error.
  template <class Function, class... Arguments>
  void call(Function Functions::*function, Arguments... arguments) const {
    call_unless(0, function, arguments...);
  }
  /// The same, but one failure is not an error: false where it was `expected`.
  template <class Function, class... Arguments>
  bool call_unless(int expected, Function Functions::*function, Arguments... arguments) const {
    const Functions& fits = functions();
    const std::lock_guard lock(mutex());
    int status = 0;
    errno = 0;
    (fits.*function)(handle_.get(), arguments..., &status);
    if (status > 0 && status != expected) {
      throw error(fits, status, subject_);
    }
    fits.fits_clear_errmsg();
    return status <= 0;
  }

  /// Writes what is left to be written. Throws Error; no function is called after it.
  void close();

  [[nodiscard]] fitsfile* handle() const noexcept { return handle_.get(); }
  [[nodiscard]] const std::string& subject() const noexcept { return subject_; }
  /// Number of the current HDU, from 1.
  [[nodiscard]] int hdu() const;
  /// True where the current HDU is a tile-compressed image.
  [[nodiscard]] bool is_compressed() const;
  /// Bytes there are, decompressed where the file is gzip.
  [[nodiscard]] std::uint64_t size() const noexcept;
  /// What a file made by create() holds so far. Invalid after the next call.
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept;

 private:
  /// Memory that cfitsio reads from or writes to, by the addresses of these members.
  struct Memory {
    Memory() = default;
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;
    ~Memory();

    void* begin = nullptr;
    std::size_t size = 0;
    std::size_t file_size = 0;                            ///< of it, the file's own
    std::shared_ptr<const std::vector<std::byte>> owner;  ///< not set: `begin` is from malloc
  };
  struct Close {
    void operator()(fitsfile* file) const;
  };

  explicit File(std::string subject) : subject_(std::move(subject)) {}
  static File open(const std::string& path, const std::string& subject, int mode);
  template <class Function, class... Arguments>
  void open_with(Function Functions::*function, Arguments... arguments);
  /// Takes cfitsio's messages from its stack, and of what could not be written, which it says in
  /// no more words, why from errno. The mutex is held.
  static Error error(const Functions& fits, int status, const std::string& subject);

  std::string subject_;
  std::unique_ptr<Memory> memory_;
  std::unique_ptr<fitsfile, Close> handle_;  // after memory_, so that it is closed first
};

}  // namespace shmim::cfitsio
