#pragma once

#include <cstddef>
#include <cstdlib>
#include <span>
#include <string>

#include "ImageStreamIO/ImageStreamIO.h"
#include "parts/semaphores_post.hpp"
#include "shmim/error.hpp"
#include "shmim/layout.hpp"
#include "shmim/segment.hpp"
#include "shmim/semaphores.hpp"

// Exported by the C library as well, and declared in none of its headers.
extern "C" {
// NOLINTBEGIN(readability-identifier-naming): the C library's names
extern errno_t (*internal_printError)(const char*, const char*, int, errno_t, char*);
/// The directory of streams as it would be found now, with room for STRINGMAXLEN_DIR_NAME bytes.
errno_t ImageStreamIO_shmdirname(char* shmdname);
errno_t ImageStreamIO_printERROR_(const char* file, const char* func, int line, errno_t code,
                                  char* errmessage);
errno_t ImageStreamIO_printWARNING(char* warnmessage);
errno_t ImageStreamIO_write_process_log(char* msg);
uint64_t ImageStreamIO_offset_data(IMAGE* image, void* map);
uint64_t ImageStreamIO_initialize_buffer(IMAGE* image);
errno_t ImageStreamIO_store_image_inode(IMAGE* image);
errno_t ImageStreamIO_image_sizing(IMAGE* image, uint8_t* map);
errno_t ImageStreamIO_image_sizing_from_scratch(IMAGE* image, const char* name, long naxis,
                                                uint32_t* size, uint8_t datatype, int8_t location,
                                                int shared, int NBsem, int NBkw, uint64_t imagetype,
                                                uint32_t CBsize, uint8_t* map);
// NOLINTEND(readability-identifier-naming)
}

/// What the functions of libImageStreamIO have in common. All that there is of an image is in its
/// IMAGE, which callers copy and move as they like: nothing is known here by its address.
namespace shmim::imagestreamio {

/// Tells the caller's function of a failure, if he has one, and gives `code`.
errno_t report(errno_t code, const std::string& message,
               const char* function = __builtin_FUNCTION(), int line = __builtin_LINE()) noexcept;
/// The same for what the library has thrown; `other` is for what has no code of its own.
errno_t report(const Error& error, errno_t other, const char* function, int line) noexcept;

/// Runs the body of a function of C: what it throws is reported, and becomes a code.
template <class Body>
errno_t guarded(errno_t other, Body&& body, const char* function = __builtin_FUNCTION(),
                int line = __builtin_LINE()) noexcept {
  try {
    return body();
  } catch (const Error& error) {
    return report(error, other, function, line);
  } catch (...) {
    return report(IMAGESTREAMIO_BADALLOC, "no memory", function, line);
  }
}

/// The file of a stream, however long its name is. Throws Error (no_directory).
std::string path_of(const std::string& name);

/// The header of an image, as the library has it.
inline layout::Metadata& header_of(const IMAGE& image) noexcept {
  return *reinterpret_cast<layout::Metadata*>(image.md);
}
/// Its pixels, whatever their type. NULL: they are not in this process.
inline void* pixels_of(const IMAGE& image) noexcept {
  return image.array.raw;  // NOLINT(cppcoreguidelines-pro-type-union-access): all are pointers
}
inline void set_pixels(IMAGE& image, void* pixels) noexcept {
  image.array.raw = pixels;  // NOLINT(cppcoreguidelines-pro-type-union-access): likewise
}

// NOLINTBEGIN(cppcoreguidelines-no-malloc,bugprone-sizeof-expression): what an IMAGE owns is of
// malloc(), as its callers free()
/// Zeros; nullptr if there is no memory.
template <class T>
T* allocate(std::size_t count) noexcept {
  return static_cast<T*>(std::calloc(count, sizeof(T)));
}
inline void deallocate(void* memory) noexcept { std::free(memory); }
// NOLINTEND(cppcoreguidelines-no-malloc,bugprone-sizeof-expression)

Semaphores::Regions semaphores_of(const IMAGE& image) noexcept;
/// Posts the log semaphore, unless the caller has taken it out of his image, and then those of
/// which `is_one` is true: whoever is woken by one may look at the log at once.
template <class IsOne>
void post(const IMAGE& image, IsOne&& is_one) noexcept {
  const Semaphores::Regions semaphores = semaphores_of(image);
  if (semaphores.log != nullptr) {
    post_log(semaphores);
  }
  for (unsigned index = 0; index < semaphores.semaphores.size(); ++index) {
    if (is_one(index)) {
      post_one(semaphores, index);
    }
  }
}

/// True for an image in a file.
inline bool is_shared(const IMAGE& image) noexcept {
  return image.md != nullptr && image.md->shared == 1;
}

/// What points to nothing.
inline constexpr int no_file = -1;

/// Points an image to the regions of its mapping. Its name, `used` and `createcnt` are the
/// caller's.
void point_into(IMAGE& image, std::byte* data, const layout::Regions& regions) noexcept;
/// Makes it the owner of a mapping whose header is known to be one of a stream. Takes the mapping
/// over at the end, unless there is no memory: then std::bad_alloc, and nothing has changed.
void take_over(IMAGE& image, Segment segment, const std::string& name);

/// Copies as much of a name as there is room for, with its NUL.
void copy_name(std::span<char> to, const std::string& name) noexcept;

}  // namespace shmim::imagestreamio
