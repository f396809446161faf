#pragma once

// The bytes of a stream file (ImageStreamIO structure version 2.00), and the only way to touch
// them.
//
// A stream NAME is the file NAME.im.shm in the shm directory. It is mapped, whole, by every process
// that writes or reads the stream, among them programs linked to the C library. Numbers are
// little-endian; the regions follow one another, each rounded up to 8 bytes, and the file's size is
// exactly their sum:
//
//    1  metadata                384                 always
//    2  pixel array             imdatamemsize       when location is -1 (in CPU memory)
//    3  keywords                128 x NBkw
//    4  semaphores               32 x sem           sem_t, process-shared
//    5  log semaphore            32                 always
//    6  semReadPID                4 x sem
//    7  semWritePID               4 x sem
//    8  semctrl                   4 x sem
//    9  semstatus                 4 x sem
//   10  process trace            64 x NBproctrace
//   11  atimearray               16 x size[2]      11 to 13: when z slices are frames in time
//   12  writetimearray           16 x size[2]
//   13  cntarray                  8 x size[2]
//   14  circular-buffer metadata 48 x CBsize
//   15  circular-buffer frames   imdatamemsize x CBsize
//
// Who writes what, and how it becomes visible to the others:
//
//   by the creator, before the file has a name, then never again
//       version name naxis size nelement datatype imagetype creationtime creatorPID shared inode
//       location sem NBproctrace NBkw CBsize imdatamemsize
//       A reader copies and checks them once, when it opens the file: a hostile peer that alters
//       them later alters nothing that the reader relies on.
//
//   by whoever is writing a frame (one at a time), between write = 1 and write = 0
//       pixels atime writetime cnt1 CBindex CBcycle, the trace, the circular buffer, the slice
//       arrays. Published by cnt0 + 1 and then write = 0, each a release; a reader brackets its
//       copy between acquire loads of the two and takes it only when neither moved.
//
//   by whoever writes a keyword
//       the slot's name, type, value and comment. The C library protects nothing here; ours raises
//       the top bit of the slot's cnt meanwhile, then publishes by cnt + 1, a release.
//
//   by anyone, at any time, each a single atomic word
//       semReadPID (claimed with compare-and-swap), semWritePID, semctrl, semstatus, ownerPID,
//       status, flag, logflag, cnt2.
//
// Semaphores are glibc's: they are only ever handed to sem_post and its relatives.
//
// Every live field is read and written through the accessors at the end of this file, never
// plainly.

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include <semaphore.h>
#include <sys/types.h>

#include "shmim/clock.hpp"

namespace shmim {

/// Type of one element of a stream's array. The values are the codes in the file.
enum class DataType : std::uint8_t {
  uint8 = 1,
  int8 = 2,
  uint16 = 3,
  int16 = 4,
  uint32 = 5,
  int32 = 6,
  uint64 = 7,
  int64 = 8,
  float32 = 9,
  float64 = 10,
  complex64 = 11,   ///< two float32: real, imaginary
  complex128 = 12,  ///< two float64: real, imaginary
  float16 = 13,     ///< IEEE 754 binary16
};

/// Bytes of one element, or 0 for a code that is not a data type.
[[nodiscard]] constexpr std::size_t element_size(DataType type) noexcept {
  switch (type) {
    case DataType::uint8:
    case DataType::int8:
      return 1;
    case DataType::uint16:
    case DataType::int16:
    case DataType::float16:
      return 2;
    case DataType::uint32:
    case DataType::int32:
    case DataType::float32:
      return 4;
    case DataType::uint64:
    case DataType::int64:
    case DataType::float64:
    case DataType::complex64:
      return 8;
    case DataType::complex128:
      return 16;
  }
  return 0;
}

namespace layout {

inline constexpr std::array<char, 5> version{"2.00"};
inline constexpr std::size_t version_bytes = 32;
inline constexpr std::size_t name_bytes = 80;  ///< with the terminating NUL
inline constexpr std::size_t max_axes = 3;
inline constexpr std::size_t dao_metadata_bytes = 4496;  ///< of the C library's DAO build
inline constexpr int semaphore_max =
    10;  ///< posts are withheld from a semaphore that has reached it

inline constexpr std::uint64_t image_circular = 0x1;
inline constexpr std::uint64_t image_math_data = 0x2;
inline constexpr std::uint64_t image_received = 0x4;
inline constexpr std::uint64_t image_sent = 0x8;
inline constexpr std::uint64_t image_z_mask = 0xF0000;
inline constexpr std::uint64_t image_z_time = 0x20000;

/// True where z is time: each plane is a frame, and they are written in turn.
[[nodiscard]] constexpr bool is_plane_ring(std::uint64_t imagetype) noexcept {
  return (imagetype & 0xF) == image_circular;
}
/// True where z is time and is said to be, so that the file has the slice arrays.
[[nodiscard]] constexpr bool has_slice_arrays(std::uint64_t imagetype) noexcept {
  return (imagetype & (image_z_mask | 0xF)) == (image_z_time | image_circular);
}

inline constexpr std::uint32_t status_connected = 0x1;
inline constexpr std::uint32_t status_waiting = 0x2;
inline constexpr std::uint32_t status_waiting_ready = 0x4;
inline constexpr std::uint32_t status_timed_out = 0x8;

/// "Connected" by a process of this library, with its PID in the upper 24 bits (a PID has 22 at
/// most): what it says is over as soon as another program puts its PID where ours was.
[[nodiscard]] constexpr std::uint32_t connected_as(std::int32_t pid) noexcept {
  return static_cast<std::uint32_t>(pid) << 8U | status_connected;
}
[[nodiscard]] constexpr bool is_connected_as(std::uint32_t status, std::int32_t pid) noexcept {
  return (status & ~0xFEU) == connected_as(pid);
}

/// A CLOCK_TAI time as the file holds it.
struct Timespec {
  std::int64_t seconds;
  std::int64_t nanoseconds;
};

struct Metadata {
  std::array<char, version_bytes> version;
  std::array<char, name_bytes> name;
  std::uint8_t naxis;
  std::array<std::uint32_t, max_axes> size;
  std::uint64_t nelement;
  std::uint8_t datatype;
  std::uint64_t imagetype;
  Timespec creationtime;
  Timespec lastaccesstime;
  Timespec atime;
  Timespec writetime;
  std::int32_t creator_pid;
  std::int32_t owner_pid;
  std::uint8_t shared;
  std::uint64_t inode;
  std::int8_t location;
  std::uint8_t status;
  std::uint64_t flag;
  std::uint8_t logflag;
  std::uint16_t sem;
  std::uint16_t nb_proctrace;
  std::uint64_t cnt0;
  std::uint64_t cnt1;
  std::uint64_t cnt2;
  std::uint8_t write;
  std::uint16_t nb_kw;
  std::uint32_t cb_size;
  std::uint32_t cb_index;
  std::uint64_t cb_cycle;
  std::uint64_t imdatamemsize;
  std::array<std::byte, 64> cuda_mem_handle;
};

struct KeywordSlot {
  std::array<char, 16> name;
  char type;                           ///< 'N' unused, 'L' int64, 'D' double, 'S' string
  std::array<std::uint64_t, 2> value;  ///< the bits of an int64, of a double, or 16 characters
  std::uint64_t cnt;
  std::array<char, 80> comment;
};

struct TraceSlot {
  std::int32_t triggermode;
  std::int32_t procwrite_pid;
  std::uint64_t trigger_inode;
  Timespec ts_procstart;
  Timespec ts_streamupdate;
  std::int32_t trigsemindex;
  std::int32_t triggerstatus;
  std::uint64_t cnt0;
};

struct CircularBufferSlot {
  std::uint64_t cnt0;  ///< 0 where a program of the C library, which does not say, filled it first
  std::uint64_t cnt1;
  Timespec atime;
  Timespec writetime;
};

#define SHMIM_AT(type, member, offset, bytes)        \
  static_assert(offsetof(type, member) == (offset)); \
  static_assert(sizeof(type::member) == (bytes))
SHMIM_AT(Metadata, version, 0, 32);
SHMIM_AT(Metadata, name, 32, 80);
SHMIM_AT(Metadata, naxis, 112, 1);
SHMIM_AT(Metadata, size, 116, 12);
SHMIM_AT(Metadata, nelement, 128, 8);
SHMIM_AT(Metadata, datatype, 136, 1);
SHMIM_AT(Metadata, imagetype, 144, 8);
SHMIM_AT(Metadata, creationtime, 152, 16);
SHMIM_AT(Metadata, lastaccesstime, 168, 16);
SHMIM_AT(Metadata, atime, 184, 16);
SHMIM_AT(Metadata, writetime, 200, 16);
SHMIM_AT(Metadata, creator_pid, 216, 4);
SHMIM_AT(Metadata, owner_pid, 220, 4);
SHMIM_AT(Metadata, shared, 224, 1);
SHMIM_AT(Metadata, inode, 232, 8);
SHMIM_AT(Metadata, location, 240, 1);
SHMIM_AT(Metadata, status, 241, 1);
SHMIM_AT(Metadata, flag, 248, 8);
SHMIM_AT(Metadata, logflag, 256, 1);
SHMIM_AT(Metadata, sem, 258, 2);
SHMIM_AT(Metadata, nb_proctrace, 260, 2);
SHMIM_AT(Metadata, cnt0, 264, 8);
SHMIM_AT(Metadata, cnt1, 272, 8);
SHMIM_AT(Metadata, cnt2, 280, 8);
SHMIM_AT(Metadata, write, 288, 1);
SHMIM_AT(Metadata, nb_kw, 290, 2);
SHMIM_AT(Metadata, cb_size, 292, 4);
SHMIM_AT(Metadata, cb_index, 296, 4);
SHMIM_AT(Metadata, cb_cycle, 304, 8);
SHMIM_AT(Metadata, imdatamemsize, 312, 8);
SHMIM_AT(Metadata, cuda_mem_handle, 320, 64);
static_assert(sizeof(Metadata) == 384);
SHMIM_AT(KeywordSlot, name, 0, 16);
SHMIM_AT(KeywordSlot, type, 16, 1);
SHMIM_AT(KeywordSlot, value, 24, 16);
SHMIM_AT(KeywordSlot, cnt, 40, 8);
SHMIM_AT(KeywordSlot, comment, 48, 80);
static_assert(sizeof(KeywordSlot) == 128);
SHMIM_AT(TraceSlot, triggermode, 0, 4);
SHMIM_AT(TraceSlot, procwrite_pid, 4, 4);
SHMIM_AT(TraceSlot, trigger_inode, 8, 8);
SHMIM_AT(TraceSlot, ts_procstart, 16, 16);
SHMIM_AT(TraceSlot, ts_streamupdate, 32, 16);
SHMIM_AT(TraceSlot, trigsemindex, 48, 4);
SHMIM_AT(TraceSlot, triggerstatus, 52, 4);
SHMIM_AT(TraceSlot, cnt0, 56, 8);
static_assert(sizeof(TraceSlot) == 64);
SHMIM_AT(CircularBufferSlot, cnt0, 0, 8);
SHMIM_AT(CircularBufferSlot, cnt1, 8, 8);
SHMIM_AT(CircularBufferSlot, atime, 16, 16);
SHMIM_AT(CircularBufferSlot, writetime, 32, 16);
static_assert(sizeof(CircularBufferSlot) == 48);
#undef SHMIM_AT
static_assert(sizeof(sem_t) == 32 && alignof(sem_t) == 8);
static_assert(sizeof(pid_t) == 4);

/// The numbers that fix where every region lies. Taken from a header once, then checked and kept.
struct Geometry {
  std::uint8_t naxis = 0;
  std::array<std::uint32_t, max_axes> size{};
  std::uint8_t datatype = 0;
  std::uint64_t imagetype = image_math_data;
  std::int8_t location = -1;
  std::uint16_t semaphores = 10;
  std::uint16_t trace_entries = 10;
  std::uint16_t keywords = 10;
  std::uint32_t circular_buffer = 0;
};

/// Where each region begins, in bytes from the start of the file.
struct Regions {
  std::uint64_t array_bytes = 0;  ///< imdatamemsize
  std::uint64_t array = 0;
  std::uint64_t keywords = 0;
  std::uint64_t semaphores = 0;
  std::uint64_t log_semaphore = 0;
  std::uint64_t read_pid = 0;
  std::uint64_t write_pid = 0;
  std::uint64_t control = 0;
  std::uint64_t status = 0;
  std::uint64_t trace = 0;
  std::uint64_t slice_atime = 0;
  std::uint64_t slice_writetime = 0;
  std::uint64_t slice_cnt = 0;
  std::uint64_t buffer_metadata = 0;
  std::uint64_t buffer_frames = 0;
  std::uint64_t total = 0;  ///< the file's size
};

/// Lays the regions out. nullopt if the numbers cannot be a stream's: no axis or more than three,
/// an axis of length 0, an unknown data type, or a file that 63 bits cannot address.
[[nodiscard]] constexpr std::optional<Regions> lay_out(
    const Geometry& geometry, std::size_t metadata_bytes = sizeof(Metadata)) noexcept {
  constexpr std::uint64_t limit = std::uint64_t{1} << 62;
  const std::uint64_t element = element_size(static_cast<DataType>(geometry.datatype));
  if (geometry.naxis < 1 || geometry.naxis > max_axes || element == 0) {
    return std::nullopt;
  }
  std::uint64_t array_bytes = element;
  for (std::size_t axis = 0; axis < geometry.naxis; ++axis) {
    if (geometry.size[axis] == 0 || array_bytes > limit / geometry.size[axis]) {
      return std::nullopt;
    }
    array_bytes *= geometry.size[axis];
  }
  if (geometry.circular_buffer > 0 && array_bytes > limit / (geometry.circular_buffer + 1ULL)) {
    return std::nullopt;
  }

  Regions regions;
  regions.array_bytes = array_bytes;
  std::uint64_t end = metadata_bytes;
  const auto place = [&end](std::uint64_t bytes) {
    const std::uint64_t begin = end;
    end += (bytes + 7) / 8 * 8;
    return begin;
  };
  regions.array = place(geometry.location == -1 ? array_bytes : 0);
  regions.keywords = place(sizeof(KeywordSlot) * geometry.keywords);
  regions.semaphores = place(sizeof(sem_t) * geometry.semaphores);
  regions.log_semaphore = place(sizeof(sem_t));
  regions.read_pid = place(sizeof(pid_t) * geometry.semaphores);
  regions.write_pid = place(sizeof(pid_t) * geometry.semaphores);
  regions.control = place(sizeof(std::uint32_t) * geometry.semaphores);
  regions.status = place(sizeof(std::uint32_t) * geometry.semaphores);
  regions.trace = place(sizeof(TraceSlot) * geometry.trace_entries);
  const std::uint64_t slices = has_slice_arrays(geometry.imagetype) ? geometry.size[2] : 0;
  regions.slice_atime = place(sizeof(Timespec) * slices);
  regions.slice_writetime = place(sizeof(Timespec) * slices);
  regions.slice_cnt = place(sizeof(std::uint64_t) * slices);
  regions.buffer_metadata = place(sizeof(CircularBufferSlot) * geometry.circular_buffer);
  regions.buffer_frames = place(array_bytes * geometry.circular_buffer);
  regions.total = end;
  return regions;
}

// ---------------------------------------------------------------------------------------------
// Accessors. std::atomic_ref works on plain objects in memory that other processes share, as long
// as the operations are lock-free; the static_asserts say that they are.

static_assert(std::atomic_ref<std::uint8_t>::is_always_lock_free);
static_assert(std::atomic_ref<std::uint64_t>::is_always_lock_free);

/// A view of a field for reading. C++20's atomic_ref takes no const object although a load alters
/// none: this is the one const_cast. Memory mapped read-only is never written through it.
template <class T>
std::atomic_ref<T> shared_ref(const T& field) noexcept {
  return std::atomic_ref<T>(
      const_cast<T&>(field));  // NOLINT(cppcoreguidelines-pro-type-const-cast)
}

/// A field that orders nothing by itself: either it never changes, or the write flag and cnt0
/// bracket it, or a stale value is as good as a new one.
template <class T>
T load(const T& field) noexcept {
  return shared_ref(field).load(std::memory_order_relaxed);
}
template <class T>
void store(T& field, T value) noexcept {
  shared_ref(field).store(value, std::memory_order_relaxed);
}

inline Timespec load(const Timespec& time) noexcept {
  return {load(time.seconds), load(time.nanoseconds)};
}
inline void store(Timespec& time, Timespec value) noexcept {
  store(time.seconds, value.seconds);
  store(time.nanoseconds, value.nanoseconds);
}

/// Text fields, byte by byte: a peer may be writing them.
template <std::size_t N>
std::array<char, N> load(const std::array<char, N>& text) noexcept {
  std::array<char, N> copy{};
  for (std::size_t i = 0; i < N; ++i) {
    copy[i] = load(text[i]);
  }
  return copy;
}
template <std::size_t N>
void store(std::array<char, N>& text, const std::array<char, N>& value) noexcept {
  for (std::size_t i = 0; i < N; ++i) {
    store(text[i], value[i]);
  }
}

/// Every field of a header, each loaded by itself: those that change may be of different moments.
inline Metadata load(const Metadata& header) noexcept {
  Metadata copy{};
  copy.version = load(header.version);
  copy.name = load(header.name);
  copy.naxis = load(header.naxis);
  for (std::size_t axis = 0; axis < max_axes; ++axis) {
    copy.size[axis] = load(header.size[axis]);
  }
  copy.nelement = load(header.nelement);
  copy.datatype = load(header.datatype);
  copy.imagetype = load(header.imagetype);
  copy.creationtime = load(header.creationtime);
  copy.lastaccesstime = load(header.lastaccesstime);
  copy.atime = load(header.atime);
  copy.writetime = load(header.writetime);
  copy.creator_pid = load(header.creator_pid);
  copy.owner_pid = load(header.owner_pid);
  copy.shared = load(header.shared);
  copy.inode = load(header.inode);
  copy.location = load(header.location);
  copy.status = load(header.status);
  copy.flag = load(header.flag);
  copy.logflag = load(header.logflag);
  copy.sem = load(header.sem);
  copy.nb_proctrace = load(header.nb_proctrace);
  copy.cnt0 = load(header.cnt0);
  copy.cnt1 = load(header.cnt1);
  copy.cnt2 = load(header.cnt2);
  copy.write = load(header.write);
  copy.nb_kw = load(header.nb_kw);
  copy.cb_size = load(header.cb_size);
  copy.cb_index = load(header.cb_index);
  copy.cb_cycle = load(header.cb_cycle);
  copy.imdatamemsize = load(header.imdatamemsize);
  for (std::size_t i = 0; i < copy.cuda_mem_handle.size(); ++i) {
    copy.cuda_mem_handle[i] = load(header.cuda_mem_handle[i]);
  }
  return copy;
}

/// A text of a header, up to its first NUL or its end.
template <std::size_t N>
std::string text_of(const std::array<char, N>& text) {
  return {text.begin(), std::find(text.begin(), text.end(), '\0')};
}

/// The geometry that a header tells, whatever it is worth: lay_out() checks it.
inline Geometry geometry_in(const Metadata& header) noexcept {
  Geometry geometry;
  geometry.naxis = load(header.naxis);
  for (std::size_t axis = 0; axis < geometry.naxis && axis < max_axes; ++axis) {
    geometry.size[axis] = load(header.size[axis]);
  }
  geometry.datatype = load(header.datatype);
  geometry.imagetype = load(header.imagetype);
  geometry.location = load(header.location);
  geometry.semaphores = load(header.sem);
  geometry.trace_entries = load(header.nb_proctrace);
  geometry.keywords = load(header.nb_kw);
  geometry.circular_buffer = load(header.cb_size);
  return geometry;
}

/// The frame counter. Acquire pairs with count_frame's release: whoever sees the new count sees the
/// pixels, times and trace of that frame.
inline std::uint64_t cnt0(const Metadata& header) noexcept {
  return shared_ref(header.cnt0).load(std::memory_order_acquire);
}
/// Counts a frame, and those before it that never came, and gives its number. An atomic addition,
/// so that writers who do not know of one another lose no count. Release: not visible before the
/// frame is.
inline std::uint64_t count_frame(Metadata& header, std::uint64_t lost = 0) noexcept {
  return shared_ref(header.cnt0).fetch_add(lost + 1, std::memory_order_release) + lost + 1;
}

/// The write flag. Acquire pairs with end_writing's release: a reader that sees it clear sees all
/// of the frame before.
inline bool is_writing(const Metadata& header) noexcept {
  return shared_ref(header.write).load(std::memory_order_acquire) != 0;
}
/// Raises the write flag; false where it was up already (another writer, or a dead one's). Acquire
/// orders us after the writer before; the fence keeps our first pixel from being seen before the
/// flag (a release store alone would only hold back what stands before it).
inline bool begin_writing(Metadata& header) noexcept {
  const bool was_clear = shared_ref(header.write).exchange(1, std::memory_order_acquire) == 0;
  std::atomic_thread_fence(std::memory_order_release);
  return was_clear;
}
/// Clears the write flag. Release: not visible before the frame and its count are.
inline void end_writing(Metadata& header) noexcept {
  shared_ref(header.write).store(0, std::memory_order_release);
}

/// Stands between a reader's copy and its second look at the flag and the counter: the copy may not
/// be read later than they are. Pairs with begin_writing's fence.
inline void finish_copy() noexcept { std::atomic_thread_fence(std::memory_order_acquire); }

/// Where the circular buffer stands. Acquire and release: a slot is whole once the index names it.
inline std::uint32_t buffer_index(const Metadata& header) noexcept {
  return shared_ref(header.cb_index).load(std::memory_order_acquire);
}
inline void set_buffer_index(Metadata& header, std::uint32_t index) noexcept {
  shared_ref(header.cb_index).store(index, std::memory_order_release);
}

/// In the place of a slot's cnt0: one of ours is filling it, or died while it did.
inline constexpr std::uint64_t being_filled = ~std::uint64_t{0};

/// The number of the frame in a slot. Acquire pairs with number_slot(): whoever finds the number
/// sees that frame.
inline std::uint64_t number_in(const CircularBufferSlot& slot) noexcept {
  return shared_ref(slot.cnt0).load(std::memory_order_acquire);
}
/// Takes the number away before the frame is altered: the fence keeps what we write from being seen
/// before. So a reader that finds the same number before and after its copy has one frame.
inline void begin_filling(CircularBufferSlot& slot) noexcept {
  shared_ref(slot.cnt0).store(being_filled, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
}
/// Release: not visible before what was written.
inline void number_slot(CircularBufferSlot& slot, std::uint64_t cnt0) noexcept {
  shared_ref(slot.cnt0).store(cnt0, std::memory_order_release);
}

/// Takes a word from one value to another in one step, or leaves it. Acquire and release: who
/// claims a semaphore sees what its holder before did to it.
template <class T>
bool exchange_if(T& word, T expected, T desired) noexcept {
  return shared_ref(word).compare_exchange_strong(expected, desired, std::memory_order_acq_rel);
}
template <class T>
void set_bits(T& word, T bits) noexcept {
  shared_ref(word).fetch_or(bits, std::memory_order_relaxed);
}
template <class T>
void clear_bits(T& word, T bits) noexcept {
  shared_ref(word).fetch_and(static_cast<T>(~bits), std::memory_order_relaxed);
}

/// Takes all posts of a semaphore in one step, however many there are, and says how many there
/// were. glibc keeps their number in the first word, which waiters sleep on. Acquire, as
/// sem_wait().
inline std::uint32_t take_posts(sem_t& semaphore) noexcept {
  static_assert(std::endian::native == std::endian::little);
  return shared_ref(reinterpret_cast<std::uint32_t&>(semaphore))
      .exchange(0, std::memory_order_acquire);
}

/// False of a damaged semaphore. Its third word says whether processes share it, 0 or 128; with any
/// other, glibc ends the process that waits on it, or that posts it while somebody waits.
inline bool is_usable(const sem_t& semaphore) noexcept {
  constexpr std::ptrdiff_t sharing = 2;
  constexpr std::uint32_t other_way = 128;
  const std::uint32_t word = load(*(reinterpret_cast<const std::uint32_t*>(&semaphore) + sharing));
  return word == 0 || word == other_way;
}

/// Top bit of a keyword slot's counter: one of ours is writing the slot.
inline constexpr std::uint64_t keyword_busy = std::uint64_t{1} << 63;

/// A keyword slot's counter. Acquire pairs with end_keyword: a reader that finds the same count
/// before and after its copy, and not busy, has one value and not parts of two.
inline std::uint64_t keyword_count(const KeywordSlot& slot) noexcept {
  return shared_ref(slot.cnt).load(std::memory_order_acquire);
}
/// Marks the slot busy; false where it was. The fence keeps what we write from being seen before.
inline bool begin_keyword(KeywordSlot& slot) noexcept {
  const std::uint64_t before =
      shared_ref(slot.cnt).fetch_or(keyword_busy, std::memory_order_acquire);
  std::atomic_thread_fence(std::memory_order_release);
  return (before & keyword_busy) == 0;
}
/// Counts the write and ends it. Release: not visible before what was written.
inline void end_keyword(KeywordSlot& slot) noexcept {
  const std::uint64_t count = load(slot.cnt) & ~keyword_busy;
  shared_ref(slot.cnt).store((count + 1) & ~keyword_busy, std::memory_order_release);
}

}  // namespace layout

/// out_of_range for what is no date of ours.
[[nodiscard]] constexpr Tai to_tai(layout::Timespec time) noexcept {
  std::int64_t nanoseconds = 0;
  return __builtin_mul_overflow(time.seconds, std::int64_t{1'000'000'000}, &nanoseconds) ||
                 __builtin_add_overflow(nanoseconds, time.nanoseconds, &nanoseconds)
             ? out_of_range
             : Tai{TaiClock::duration{nanoseconds}};
}
[[nodiscard]] constexpr layout::Timespec to_timespec(Tai time) noexcept {
  const std::int64_t nanoseconds = time.time_since_epoch().count();
  return {nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
}

}  // namespace shmim
