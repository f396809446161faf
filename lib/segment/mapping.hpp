#pragma once

#include <cstddef>

namespace shmim {

/// A mapping that the SIGBUS handler knows of.
struct Mapping;

/// Lets the handler know; `data` must stay mapped until forget().
Mapping* remember(std::byte* data, std::size_t size);
void forget(Mapping* mapping) noexcept;
/// True once the handler has replaced the mapping, part of whose file was gone.
bool is_lost(const Mapping* mapping) noexcept;

}  // namespace shmim
