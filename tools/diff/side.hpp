#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <shmim/shmim.hpp>

#include "common/app/context.hpp"
#include "common/io/input.hpp"

namespace shmim::tools {

/// A frame of one of the two that are compared.
struct SideFrame {
  DataType type = DataType::uint8;
  Shape shape;
  std::vector<std::byte> pixels;
  std::optional<std::vector<Keyword>> keywords;  ///< nullopt where the format has none
  std::optional<std::uint64_t> cnt0;             ///< nullopt where it is not told
};

/// How what a side has is taken.
enum class Reading {
  image,   ///< as one
  frames,  ///< one after the other; a cube without a counter is its planes
};

/// One of the two that are compared: a class for each format.
class Side {
 public:
  Side() = default;
  Side(const Side&) = delete;
  Side(Side&&) = delete;
  Side& operator=(const Side&) = delete;
  Side& operator=(Side&&) = delete;
  virtual ~Side() = default;

  /// Reads the next frame into one that may be another's, whose memory is used again; false at the
  /// end. No more than a few frames are in memory. Throws Error.
  virtual bool next(SideFrame& frame) = 0;
  /// `NAME (why)` of those keywords of the frame that was read last that cannot be compared.
  [[nodiscard]] virtual std::vector<std::string> unfit_keywords() const { return {}; }
  /// FITS adds keywords of its own, and cuts comments.
  [[nodiscard]] virtual bool is_fits() const noexcept { return false; }
  /// Of one with several frames, of which one was to be compared.
  struct Several {
    std::string why;
    std::string one;  ///< what names one of them; may be empty
  };
  [[nodiscard]] virtual Several several() const {
    return {fmt::format("has several frames: {} them all",
                        is_fits() ? "name one, as in FILE.fits[1], or compare" : "compare"),
            ""};
  }
};

/// What a word on the command line names. A word with a slash, or an ending like .fits, is a file,
/// whose format its first bytes say, and `-` is standard input; any other is a reference, and what
/// it names is neither made nor altered. Throws Error.
[[nodiscard]] std::unique_ptr<Side> open_side(const Context& context, const std::string& text,
                                              Reading reading);
/// True of a word that names a file.
[[nodiscard]] bool names_file(const std::string& text);

/// Room for the pixels of a frame of that type and shape, which come from `input`. Throws Error
/// (failed) where these are more than a file has, or than there can be.
void make_room(SideFrame& frame, DataType type, const Shape& shape, const Input& input);

/// The newest frame of a stream, whole.
[[nodiscard]] std::unique_ptr<Side> stream_side(Stream stream, const Slice& slice);
/// Images that cfitsio reads: of the file of that name, which may have an HDU and a section behind
/// it.
[[nodiscard]] std::unique_ptr<Side> fits_side(const std::string& file, Reading reading);
/// Of a FITS file that comes through a pipe: it is read whole.
[[nodiscard]] std::unique_ptr<Side> fits_side(Input& input, Reading reading);
/// The frames of what shmim-record wrote.
[[nodiscard]] std::unique_ptr<Side> recording_side(const std::string& file);
/// What the brackets behind the name of such a file are of it.
[[nodiscard]] std::unique_ptr<Side> recorded_section(const std::string& file,
                                                     const std::string& brackets);
[[nodiscard]] std::unique_ptr<Side> npy_side(std::unique_ptr<Input> input, Reading reading);
/// What shmim-cat -o frames writes.
[[nodiscard]] std::unique_ptr<Side> frames_side(std::unique_ptr<Input> input);

}  // namespace shmim::tools
