#pragma once

#include <cstddef>
#include <span>
#include <string>

#include <shmim/shmim.hpp>

namespace shmim::tools {

/// Throws UsageError for a mistake in a template of print_line(), before any frame comes.
void check_line(const std::string& text, const std::string& name);

/// Prints `text` filled in with what is known of a frame that was taken from `stream`, and {data}:
/// the elements that were selected of it.
void print_line(const std::string& text, const Stream& stream, const TakenFrame& taken,
                std::span<const std::byte> elements, const Selection& selection);

}  // namespace shmim::tools
