#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "shmim/circular_buffer.hpp"
#include "shmim/clock.hpp"
#include "shmim/export.hpp"
#include "shmim/format.hpp"
#include "shmim/keywords.hpp"
#include "shmim/reference.hpp"
#include "shmim/stream.hpp"

namespace shmim {

/// A file that a stream can be made from.
class SHMIM_EXPORT ImageFile {
 public:
  virtual ~ImageFile() = default;
  /// Type and shape of the image; enough keyword slots for keywords().
  [[nodiscard]] virtual Format format() const = 0;
  /// Those that a stream can hold, in order.
  [[nodiscard]] virtual const std::vector<Keyword>& keywords() const = 0;
  /// Names of those that it cannot, each with the reason.
  [[nodiscard]] virtual const std::vector<std::string>& unfit_keywords() const = 0;
  /// The frame that the image was, where the file says so; times that it does not say are `never`.
  [[nodiscard]] virtual std::optional<FrameInfo> frame() const { return std::nullopt; }
  /// Reads the image into `pixels`, which has format().bytes(). Throws Error.
  virtual void read(std::span<std::byte> pixels) = 0;
  /// Reads what stands at indices of the last axis, from `first` on, counted from 0; as much of it
  /// as `pixels` has room for: frames of a cube, say. Throws Error: usage (there are not so many,
  /// or it is no whole number of them), and as read() does.
  virtual void read_planes(std::uint64_t first, std::span<std::byte> pixels);

 protected:
  /// Throws Error (usage) where read_planes() does.
  void require_planes(std::uint64_t first, std::uint64_t bytes) const;
};

/// Opens a file by name (with cfitsio's extended syntax, for `shmim::open_fits`). Throws Error.
using OpenImage = std::function<std::unique_ptr<ImageFile>(const std::string& file)>;

/// Where references are looked up, and how files are read.
struct SearchPath {
  std::filesystem::path shm;            ///< see default_shm_directory()
  std::filesystem::path conf = "conf";  ///< empty: no files are looked for
  OpenImage open_image;                 ///< not set: files are found but cannot be loaded
  std::optional<mode_t> mode = {};      ///< of streams made from files; see CreateOptions
};

/// Where a reference was found.
enum class Origin {
  nowhere,
  local_memory,
  shared_memory,
  conf_fits,  ///< conf/shmim.NAME.fits
  conf_name,  ///< the file that conf/shmim.NAME.fname.txt names
};

struct SearchResult {
  Origin origin = Origin::nowhere;
  std::filesystem::path file;  ///< the stream or the FITS file
};

/// Looks in local memory, the shm directory, conf/shmim.NAME.fits and conf/shmim.NAME.fname.txt, in
/// this order; `@L:` passes over the second, `@S:` over the first. Opens nothing.
[[nodiscard]] SHMIM_EXPORT SearchResult find(const Reference& reference,
                                             const SearchPath& search_path);

/// The last two search_path alone.
[[nodiscard]] SHMIM_EXPORT SearchResult find_file(const std::string& name,
                                                  const SearchPath& search_path);

/// The stream that conf/streamlink.NAME.name.txt names, in its first line. Throws Error (not_found)
/// if there is no such file.
[[nodiscard]] SHMIM_EXPORT std::string linked_stream(const std::string& name,
                                                     const SearchPath& search_path);

enum class Outcome { connected, created, recreated, not_found, mismatch };

/// What connecting did, and the stream where there is one.
struct Connection {
  Outcome outcome = Outcome::not_found;
  Origin origin = Origin::nowhere;  ///< where it was found; nowhere when made from nothing
  std::filesystem::path file;
  std::optional<Stream> stream;
  std::vector<Difference> differences;      ///< of a mismatch
  std::vector<std::string> unfit_keywords;  ///< of the file it was loaded from
  std::optional<uid_t> previous_owner;      ///< user whose stream, or link, was replaced
};

/// How a stream is made where one has to be.
struct CreateOptions {
  Format format;
  std::optional<mode_t> mode;  ///< 0666 less the umask where it is not set
  /// Runs on the stream before anybody can see it, to fill in pixels and keywords.
  std::function<void(Stream&)> prepare;
};

/// Whatever is there. A stream found as a file is made in shared memory (with `@L:`, in local
/// memory). A type in the reference is a requirement. `@N:` throws Error (exists) where something
/// is found.
[[nodiscard]] SHMIM_EXPORT Connection connect(const Reference& reference,
                                              const SearchPath& search_path,
                                              Access access = Access::best);
/// Connects as connect() does to a stream that must be as required: one that is not is a mismatch,
/// and stays as it is.
[[nodiscard]] SHMIM_EXPORT Connection connect_checked(const Reference& reference,
                                                      const Requirement& requirement,
                                                      const SearchPath& search_path,
                                                      Access access = Access::best);

struct AwaitOptions {
  Deadline deadline;                ///< nullopt: waits until there is a stream
  std::function<bool()> cancelled;  ///< asked every few milliseconds; true ends the waiting
  std::function<void()> begun;      ///< called once, if there is something to wait for
};

/// connect_checked(), again and again until there is a stream. Looks every 5 ms; a file that
/// another program is still making is waited for too. If the deadline passes, the outcome is
/// not_found; or the Error is thrown that tells why a file of that name is not a stream yet.
[[nodiscard]] SHMIM_EXPORT Connection await(const Reference& reference,
                                            const Requirement& requirement,
                                            const SearchPath& search_path,
                                            const AwaitOptions& options,
                                            Access access = Access::best);

/// Connects to a stream that must be as required; one that is missing is made, and one that differs
/// is re-created. Files are looked at as connect() does. Blocks, for 5 s at most, while others
/// replace streams in the same directory; then Error (claimed). Of any
/// number of processes that do this at once, one makes the stream and the others find it.
[[nodiscard]] SHMIM_EXPORT Connection connect_or_create(const Reference& reference,
                                                        const Requirement& requirement,
                                                        const CreateOptions& creation,
                                                        const SearchPath& search_path);

/// Connects to a stream in memory that must be as required; one that is missing is made, and one
/// that differs is a mismatch and stays as it is. No file is looked at.
[[nodiscard]] SHMIM_EXPORT Connection create_if_missing(const Reference& reference,
                                                        const Requirement& requirement,
                                                        const CreateOptions& creation,
                                                        const SearchPath& search_path);

/// Makes a new stream under the reference's name, or fails: Error (exists) where there is one.
[[nodiscard]] SHMIM_EXPORT Stream create(const Reference& reference, const CreateOptions& creation,
                                         const SearchPath& search_path);
/// Makes a stream in the place of whatever has its name, whose readers are woken: recreated, or
/// created where there was nothing.
[[nodiscard]] SHMIM_EXPORT Connection recreate(const Reference& reference,
                                               const CreateOptions& creation,
                                               const SearchPath& search_path);

/// Puts the image and the keywords of a file into a draft of its format, as its first frame, which
/// was acquired when the file says; for CreateOptions::prepare. Gives the keywords that the stream
/// cannot hold, each with the reason.
[[nodiscard]] SHMIM_EXPORT std::vector<std::string> fill(ImageFile& image, Stream& draft);

/// Puts the image and the keywords of a file into a stream that others see: a new frame, with
/// cnt0 + 1 and posts, which was acquired when the file says. Blocks for one second at most while
/// another writer is in mid-frame. A file that cannot be read leaves the stream as it was.
[[nodiscard]] SHMIM_EXPORT std::vector<std::string> load_frame(ImageFile& image, Stream& stream);

/// The stream, which must be in local or shared memory already: no file is looked at. Throws Error:
/// not_found, mismatch (its type), and what Stream::open throws.
[[nodiscard]] SHMIM_EXPORT Stream open_existing(const Reference& reference,
                                                const SearchPath& search_path,
                                                Access access = Access::best);

}  // namespace shmim
