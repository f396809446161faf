#pragma once

#include <string>
#include <variant>

#include "fits/section.hpp"

namespace shmim::fits {

/// What `path[HDU][section]` names.
struct FileName {
  struct FirstImage {};
  struct Number {
    int number;  ///< 0 is the primary HDU
  };
  struct Name {
    std::string name;
    int version;  ///< EXTVER, or 0 for any
  };

  std::string path;
  std::variant<FirstImage, Number, Name> hdu;
  Section section;  ///< empty for the whole image
};

/// Takes a name apart. Where there is a file of the whole name, brackets and all, that is meant. Of
/// cfitsio's extended syntax only an HDU and an image section are let through: a file that is read
/// runs no expression, fetches nothing and writes nothing. Throws Error (usage).
FileName parse_file_name(const std::string& file);

}  // namespace shmim::fits
