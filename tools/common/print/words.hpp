#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <shmim/shmim.hpp>

#include "common/print/json.hpp"

namespace shmim::tools {

// How the tools that look write what they have seen: the same thing in the same words.

/// `1 frame`, `2 frames`, `2 processes`.
std::string counted(std::uint64_t count, std::string_view what);

/// `12.5us`, `3.2ms`, `1.5s`, `2m05s`, `3h07m`, `4d02h`; below zero too.
std::string in_words(Seconds duration);
/// `4711 (cam_grab)`, `4711 (dead)`, `-` where none is named.
std::string in_words(const Process& process);
/// `cam_grab`, or in parentheses why it has no name that we see: `(dead)`.
std::string command_in_words(const Process& process);
/// `999.98Hz`; `-` where it is not known.
std::string rate_in_words(const std::optional<double>& hertz);
/// What kind of file it is: `whole`, `being written`, `unfinished`, or why it is not a stream.
const char* state_of(const Description& description) noexcept;
/// `mathematical data, z is time`
std::string image_type_in_words(std::uint64_t image_type);
/// `NAME -> TARGET` of a link, with a word where it leads nowhere.
std::string name_in_words(const Description& description);

/// A process as JSON tells it; null where none is named.
Record to_json(const Process& process);
/// Seconds, or null.
Record to_json(const std::optional<Seconds>& duration);
/// Lengths of the axes in use.
Record to_json(const Shape& shape);
/// A keyword, its value in its own type.
Record to_json(const Keyword& keyword);

/// Keywords as rows of a table: name, type, value, comment.
std::vector<std::vector<std::string>> keyword_rows(std::span<const Keyword> keywords);
/// Keywords as a table with headings; nothing where there are none.
std::string keyword_table(std::span<const Keyword> keywords);

}  // namespace shmim::tools
