#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "fits/cfitsio.hpp"
#include "fits/section.hpp"
#include "shmim/element.hpp"

namespace shmim::fits {

/// The pixels of an image, of a type that holds all their values. Each call is for a file whose
/// current HDU is that image. Throw Error (failed): also where they are more than there can be,
/// as a header of compressed ones may say.
class Pixels {
 public:
  explicit Pixels(const cfitsio::File& file);

  [[nodiscard]] DataType type() const noexcept { return type_; }
  [[nodiscard]] const std::vector<LONGLONG>& axes() const noexcept { return axes_; }
  /// They are integers as they are in the file.
  [[nodiscard]] bool is_exact() const noexcept { return is_exact_; }

  /// A section, or all of the image where that is empty. `pixels` has room for it, and no more.
  void read(const cfitsio::File& file, const Section& section, std::span<std::byte> pixels) const;
  /// Writes a section of an image in another file, of the same type and axes. Gives back what
  /// read() has given of it.
  void write(const cfitsio::File& file, const Section& section, std::span<std::byte> pixels) const;
  /// What stands at indices of the last axis, from `first` on, counted from 0; as much of it as
  /// `pixels` has room for. Nothing else is read, tiles that go beyond it apart.
  void read_planes(const cfitsio::File& file, std::uint64_t first,
                   std::span<std::byte> pixels) const;

 private:
  struct Part {
    LONGLONG first = 1;  ///< element, counted from 1
    Section section;     ///< in its place, unless it is empty
  };
  void read(const cfitsio::File& file, const Part& part, std::span<std::byte> pixels) const;
  bool read_into(const cfitsio::File& file, const Part& part, std::span<std::byte> pixels,
                 void* blank) const;
  template <class T>
  void restore_infinity(const cfitsio::File& file, const Part& part,
                        std::span<std::byte> pixels) const;

  std::vector<LONGLONG> axes_;
  DataType type_;
  bool is_compressed_;
  bool is_exact_;
  bool has_blanks_;
  bool may_hold_infinity_;
};

}  // namespace shmim::fits
