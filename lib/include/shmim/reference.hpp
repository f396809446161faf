#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "shmim/export.hpp"
#include "shmim/layout.hpp"
#include "shmim/slice.hpp"

namespace shmim {

/// Modifiers `S` and `L`.
enum class Location { any, shared, local };
/// Modifiers `E` and `N`.
enum class Existence { any, must_exist, must_be_new };

/// Where the streams of another host are looked at: `tcp://HOST[:PORT]/`, `ipc://PATH/` or
/// `ssh://[USER@]HOST[:PORT]/` before the rest of a reference.
struct SHMIM_EXPORT Address {
  /// That of shmim-serve, where none is given.
  static constexpr std::uint16_t default_port = 5556;
  enum class Way {
    tcp,
    ipc,
    ssh,  ///< by the system's ssh; nothing need run there
  };
  Way way = Way::tcp;
  std::string host;        ///< of IPv6 in brackets; `USER@HOST` for ssh; the path of ipc
  std::uint16_t port = 0;  ///< of tcp; of ssh where it was given, else 0

  friend bool operator==(const Address&, const Address&) = default;
};
/// `tcp://camhost:5556`, without the slash that ends it.
[[nodiscard]] SHMIM_EXPORT std::string to_string(const Address& address);

/// A text that may begin with an address.
struct Addressed {
  std::optional<Address> address;
  std::string_view rest;  ///< behind it, in the text
};
/// Parts them: an address ends with the last slash, since nothing behind it holds one. Throws Error
/// (usage).
[[nodiscard]] SHMIM_EXPORT Addressed split_address(std::string_view text);

/// What a user writes to name a stream: `@SE:tf32>wfs[0:63,0:63]`, behind an address if it is one
/// of another host.
struct Reference {
  std::optional<Address> address;  ///< nullopt: of this host
  Location location = Location::any;
  Existence existence = Existence::any;
  std::optional<DataType> type;  ///< demanded of the stream
  std::string name;
  Slice slice;
  std::string text;  ///< as it was written
};

/// Throws Error (usage), naming what is wrong and, where that helps, the column (from 1).
[[nodiscard]] SHMIM_EXPORT Reference parse_reference(std::string_view text);

/// Throws Error (usage) for a reference to a stream of another host, which nothing here can open.
SHMIM_EXPORT void require_of_this_host(const Reference& reference);

/// Why this cannot be a stream's name; nullopt if it can.
[[nodiscard]] SHMIM_EXPORT std::optional<std::string> name_error(std::string_view name);

}  // namespace shmim
