#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "shmim/error.hpp"
#include "shmim/reference.hpp"
#include "shmim/text.hpp"

namespace shmim {
namespace {

struct WayName {
  Address::Way way;
  std::string_view scheme;
};
constexpr std::string_view scheme_end = "://";
constexpr std::array ways{WayName{Address::Way::tcp, "tcp"}, WayName{Address::Way::ipc, "ipc"},
                          WayName{Address::Way::ssh, "ssh"}};

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
  throw Error(Problem::usage, std::string(text), "not an address: " + why);
}

/// HOST, [HOST], and for ssh USER@HOST; with :PORT behind it or not.
Address host_and_port(std::string_view whole, Address::Way way, std::string_view place) {
  Address address{way, {}, way == Address::Way::tcp ? Address::default_port : std::uint16_t{0}};
  const std::size_t bracket = place.find('[');
  std::size_t end = 0;
  if (bracket != place.npos) {
    const std::size_t closing = place.find(']', bracket);
    if (closing == place.npos) {
      refuse(whole, "no closing ] behind the host");
    }
    end = closing + 1;
  } else {
    end = std::min(place.find(':'), place.size());
    if (place.find(':', end + 1) != place.npos) {
      refuse(whole, "a host with colons stands in brackets: tcp://[::1]:5556/NAME");
    }
  }
  address.host = place.substr(0, end);
  const std::string_view host = place.substr(0, end).substr(place.substr(0, end).find('@') + 1);
  if (host.empty() || host == "[]") {
    refuse(whole, "no host");
  }
  const auto is_odd = [way](char character) {
    return character <= ' ' || character == '\x7F' || character == '/' ||
           (character == '@' && way == Address::Way::tcp);
  };
  // What begins with a dash ssh would take for an option.
  if (address.host.front() == '-' || std::ranges::any_of(address.host, is_odd)) {
    refuse(whole, fmt::format("'{}' is no host", printable(address.host)));
  }
  if (end == place.size()) {
    return address;
  }
  const std::string_view digits = place.substr(end + 1);
  const auto* last = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), last, address.port);
  if (place[end] != ':' || error != std::errc{} || stop != last || address.port == 0) {
    refuse(whole, fmt::format("'{}' is no port, 1 to 65535", printable(place.substr(end))));
  }
  return address;
}

}  // namespace

std::string to_string(const Address& address) {
  const auto* way = std::ranges::find(ways, address.way, &WayName::way);
  return fmt::format("{}{}{}{}", way->scheme, scheme_end, address.host,
                     address.port == 0 ? "" : fmt::format(":{}", address.port));
}

Addressed split_address(std::string_view text) {
  const std::size_t scheme = text.find(scheme_end);
  if (scheme == text.npos) {
    return {std::nullopt, text};
  }
  if (const std::size_t mark = text.substr(0, scheme).find_last_of(":>"); mark != text.npos) {
    refuse(text, fmt::format("it stands before all else: {}{}",
                             printable(text.substr(mark + 1, text.rfind('/') - mark)),
                             printable(text.substr(0, mark + 1)) +
                                 printable(text.substr(text.rfind('/') + 1))));
  }
  const auto* way = std::ranges::find(ways, text.substr(0, scheme), &WayName::scheme);
  if (way == ways.end()) {
    refuse(text, fmt::format("there is no way {}{}, but tcp:// ipc:// and ssh://",
                             printable(text.substr(0, scheme)), scheme_end));
  }
  const std::size_t begin = scheme + scheme_end.size();
  const std::size_t slash = text.rfind('/');
  if (slash < begin) {
    refuse(text, fmt::format("a slash ends it: {}/ for all streams there, {}/NAME for one",
                             printable(text), printable(text)));
  }
  const std::string_view place = text.substr(begin, slash - begin);
  const std::string_view rest = text.substr(slash + 1);
  if (way->way != Address::Way::ipc) {
    return {host_and_port(text, way->way, place), rest};
  }
  if (place.empty()) {
    refuse(text, "no path of a socket: ipc:///run/shmim/socket/NAME");
  }
  return {Address{Address::Way::ipc, std::string(place), 0}, rest};
}

}  // namespace shmim
