#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include <sys/types.h>

#include "shmim/export.hpp"
#include "shmim/file.hpp"

namespace shmim {

/// Which file it is, whatever its name: two processes have the same segment when these agree.
struct Identity {
  dev_t device = 0;
  ino_t inode = 0;
  friend bool operator==(const Identity&, const Identity&) = default;
};

/// The file a path leads to now, following links; nullopt if there is none.
[[nodiscard]] SHMIM_EXPORT std::optional<Identity> identity_of(const std::filesystem::path& path);

enum class Access {
  read,        ///< mapped read-only: nothing we do can disturb the others
  read_write,  ///< fails where the file may not be written
  best,        ///< read_write where permitted, read otherwise
};

/// The right to be the only one of its kind for as long as it is held. A lock of the open file, so
/// it goes when the process does, whatever ends it, and costs the layout no byte. A forked child
/// that keeps the descriptor keeps the claim. True in every PID namespace.
class SHMIM_EXPORT Claim {
 public:
  ~Claim();
  Claim(Claim&&) noexcept = default;
  Claim& operator=(Claim&&) noexcept = delete;
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;

 private:
  friend class Segment;
  explicit Claim(FileDescriptor file) noexcept;
  FileDescriptor file_;
  pid_t pid_;
};

/// Whether a process is there that a segment has the PID of, as far as that can be known.
enum class Liveness {
  alive,
  dead,
  unknown,  ///< it may be a process of another PID namespace, or we may not look into it
};

struct Mapping;

/// What a segment is made of, for an owner that keeps it in a struct of its own: ends with munmap()
/// and close().
struct BareMapping {
  int descriptor = -1;
  std::byte* data = nullptr;
  std::size_t size = 0;
};

/// Lets this process survive that another program cuts a mapped file short: reading what is gone
/// would end it by SIGBUS. Installs a handler of that signal that puts zeros in the place of the
/// segment and passes on what is none of ours; Segment::is_intact() tells. For programs that have
/// no handler of their own; once is enough.
SHMIM_EXPORT void survive_truncation() noexcept;

/// A file mapped whole and shared with other processes. Knows nothing of streams.
class SHMIM_EXPORT Segment {
 public:
  /// Maps the file at `path`, following links. Throws Error: not_found, dangling_link,
  /// no_permission, too_short (an empty file).
  static Segment open(const std::filesystem::path& path, Access access);

  /// A file of `bytes` zeros that has no name yet, on the file system of `directory`. Its space is
  /// reserved here, so that a full file system is an Error (no_space) and not a SIGBUS later.
  /// `mode` is exact; without one it is 0666 less the umask.
  static Segment draft(const std::filesystem::path& directory, std::size_t bytes,
                       std::optional<mode_t> mode = std::nullopt);
  /// A segment that nobody else will see.
  static Segment local(const std::string& name, std::size_t bytes);

  /// Gives a draft its name in one step; false where the name is taken.
  [[nodiscard]] bool publish(const std::filesystem::path& path) const;
  /// Gives a draft its name in one step, in the place of whatever has it: a link is replaced, not
  /// what it leads to. Gives the user whose file or link that was; nullopt if there was none.
  /// Blocks, for 5 s at most, while others replace files in the directory; then Error (claimed).
  std::optional<uid_t> publish_over(const std::filesystem::path& path) const;

  Segment(Segment&& other) noexcept;
  Segment& operator=(Segment&& other) noexcept;
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;
  ~Segment();

  /// Another mapping of the same file.
  [[nodiscard]] Segment duplicate() const;
  /// Hands the mapping over to the caller. survive_truncation() knows of it no more.
  [[nodiscard]] BareMapping release() && noexcept;

  [[nodiscard]] std::byte* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] Identity identity() const noexcept { return identity_; }
  [[nodiscard]] bool writable() const noexcept { return writable_; }
  /// Copies a part of the mapping by way of the file, so that no page of it is mapped, nor unmapped
  /// in the end. False where the file was cut short.
  [[nodiscard]] bool read_once(std::span<const std::byte> part, std::byte* to) const noexcept;
  /// False once another program has cut the file short. Costs a system call.
  [[nodiscard]] bool is_intact() const noexcept;
  /// True once that has been noticed by an access, see survive_truncation(). Costs nothing.
  [[nodiscard]] bool is_lost() const noexcept;

  /// Claims the segment for this process (to be its one writer); nullopt if another has it.
  /// Needs a writable segment.
  [[nodiscard]] std::optional<Claim> claim() const;
  /// PID of the process that has claimed the segment, in its own namespace; or 0.
  [[nodiscard]] pid_t claimed_by() const noexcept;
  /// Likewise one of many places, below 2^16. Needs a writable segment.
  [[nodiscard]] std::optional<Claim> claim_place(unsigned place) const;
  [[nodiscard]] pid_t place_claimed_by(unsigned place) const noexcept;
  /// Lets all who have the segment know that this process lives, as long as the claim is kept.
  [[nodiscard]] Claim announce() const;
  [[nodiscard]] bool is_announced(pid_t pid) const noexcept;

  /// A PID says nothing across namespaces, nor when it has been given to another process. So one is
  /// believed where it is announced, and in the first namespace where that process has the segment
  /// open or mapped.
  [[nodiscard]] Liveness liveness_of(pid_t pid) const noexcept;
  /// `1234 (cam_grab)`, `1234 (dead)`, or where it lives and is none that we can see under that
  /// number `1234 (in another PID namespace)`.
  [[nodiscard]] std::string describe_user(pid_t pid, bool is_known_alive) const;

 private:
  Segment(FileDescriptor file, bool writable, const std::string& subject);
  enum class Sharing { none, with_others };
  [[nodiscard]] std::optional<Claim> lock(off_t begin, off_t bytes, Sharing sharing) const;
  FileDescriptor file_;
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  Mapping* mapping_ = nullptr;
  Identity identity_;
  bool writable_ = false;
};

enum class LinkOutcome {
  made,
  changed,  ///< it was a link to something else
  kept,     ///< it was this link already
};
/// Makes a symbolic link at `path`, or turns the one that is there to `target`, in one step. A file
/// is left alone: throws Error (exists). Blocks, for 5 s at most, while others replace files in the
/// directory; then Error (claimed).
[[nodiscard]] SHMIM_EXPORT LinkOutcome make_link(const std::filesystem::path& path,
                                                 const std::filesystem::path& target);

/// Removes the file at `path` (a link, not its target) if it is still the one that `expected` says;
/// false if it is another by now. Exact among programs that use this library. Blocks, for 5 s at
/// most, while others replace files in the directory; then Error (claimed).
[[nodiscard]] SHMIM_EXPORT bool remove_if_same(const std::filesystem::path& path,
                                               Identity expected);

}  // namespace shmim
