#pragma once

#include <optional>
#include <string>
#include <vector>

#include <shmim/shmim.hpp>

#include "common/print/json.hpp"
#include "diff/side.hpp"

namespace shmim::tools {

/// What counts as a difference.
struct Rules {
  Tolerance tolerance;
  bool compares_types = true;
  std::vector<std::string> ignored;  ///< patterns of names of keywords
  bool cuts_comments = false;        ///< one of the two does: FITS, where a card ends

  /// Of a keyword of that name.
  [[nodiscard]] bool ignores(const std::string& name) const;
};

/// A keyword that only one has, or that they do not agree on.
struct KeywordPair {
  std::optional<Keyword> a;
  std::optional<Keyword> b;
};

/// What two frames differ in.
struct FrameDifferences {
  DataType type_of_a = DataType::uint8;
  DataType type_of_b = DataType::uint8;
  bool differ_in_type = false;
  Shape shape_of_a;
  Shape shape_of_b;
  std::vector<KeywordPair> keywords;  ///< their values, or the types of these
  std::vector<KeywordPair> comments;  ///< of keywords that have the same value
  std::optional<Comparison> pixels;   ///< nullopt: not compared, as the sizes differ
  std::string value_of_a;             ///< where they differ most
  std::string value_of_b;

  [[nodiscard]] bool is_same() const noexcept;
};

/// Two sizes are the same where they differ in last axes of length 1 alone.
[[nodiscard]] FrameDifferences differences_of(const SideFrame& a, const SideFrame& b,
                                              const Rules& rules,
                                              const OnDifference& on_difference = {});

/// A line for each kind of difference, each behind `before`; nothing where they are the same.
[[nodiscard]] std::string to_text(const FrameDifferences& differences,
                                  const std::string& before = {});
[[nodiscard]] Record to_json(const FrameDifferences& differences);

}  // namespace shmim::tools
