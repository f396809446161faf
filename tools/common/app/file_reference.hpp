#pragma once

#include <string>
#include <string_view>

namespace shmim::tools {

/// What a user writes who names a stream by its file, as a shell completes it.
struct FileReference {
  std::string reference;  ///< the text with the stream's name in the place of the file
  std::string directory;  ///< of the file; empty where the text has none
};

/// Of `@S:/dev/shm/cam.im.shm[0:9]` it is `@S:cam[0:9]` in `/dev/shm`. A text that names no file is
/// left as it is.
FileReference file_reference(std::string_view text);

}  // namespace shmim::tools
