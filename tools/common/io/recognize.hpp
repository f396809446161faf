#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "common/io/input.hpp"

namespace shmim::tools {

/// What frames look like.
enum class FrameFormat { raw, text, npy, fits, frames, compressed };

/// A format that begins in a way of its own.
struct Known {
  std::string_view beginning;
  FrameFormat format;
  std::string_view name;
  std::string_view unpack;  ///< the command that writes what is in it, of what is compressed
  bool is_read_by_cfitsio = false;  ///< and cfitsio unpacks it for itself, in a file
};

/// The format whose beginning the input has; nullptr where it is none of them. Looks at no more
/// bytes than it takes to tell.
const Known* known_beginning(Input& input);

/// True of a name with cfitsio's extended syntax behind it, and of no file.
bool is_bracketed(const std::string& file);
/// True of what can be opened by its name as often as one likes: no pipe, nor `-`.
bool is_regular_file(const std::string& file);

/// True where an input that has no known beginning is text: where what is seen of it is what
/// numbers are written with, and nothing else. Seen is a frame, of so many elements in text or so
/// many bytes as pixels, whichever is there first, but not more than 4 KiB. So whoever sends one
/// frame need not send another for it to be published, and in what pieces it comes makes no
/// difference.
bool looks_like_text(Input& input, std::size_t elements, std::size_t frame_bytes);

}  // namespace shmim::tools
