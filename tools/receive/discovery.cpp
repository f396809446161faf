#include "receive/discovery.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <shmim/error.hpp>
#include <shmim/text.hpp>

#include "common/app/network.hpp"
#include "common/io/interrupt.hpp"
#include "common/print/json.hpp"

namespace shmim::tools {
namespace {

constexpr const char* browsing = "avahi-browse";

/// The next of what a sign divides, which is taken off.
std::string_view next_field(std::string_view& rest, char sign) {
  const std::string_view field = rest.substr(0, rest.find(sign));
  rest.remove_prefix(std::min(field.size() + 1, rest.size()));
  return field;
}

/// Of `"streams=cam dm" "security=curve"`.
std::string_view announced_text(std::string_view texts, const std::string& key) {
  const std::string begin = "\"" + key + "=";
  const auto found = texts.find(begin);
  if (found == std::string_view::npos) {
    return {};
  }
  texts.remove_prefix(found + begin.size());
  return texts.substr(0, texts.find('"'));
}

/// Of a line as avahi-browse --parsable has it:
/// `=;eth0;IPv4;camhost\0585555;_shmim._tcp;local;camhost.local;192.168.1.5;5555;"streams=cam"`
std::optional<Announced> announced_in(std::string_view line) {
  const bool is_resolved = next_field(line, ';') == "=";
  next_field(line, ';');
  const bool is_of_ipv6 = next_field(line, ';') == "IPv6";
  for (int i = 0; i < 3; ++i) {  // what it is called, of what kind, and where
    next_field(line, ';');
  }
  Announced announced;
  announced.host = next_field(line, ';');
  const std::string_view address = next_field(line, ';');
  const std::string_view port = next_field(line, ';');
  // One of the link alone would need the name of the device here.
  if (!is_resolved || port.empty() || address.starts_with("fe80:")) {
    return std::nullopt;
  }
  announced.endpoint = fmt::format("tcp://{1}{0}{2}:{3}", address, is_of_ipv6 ? "[" : "",
                                   is_of_ipv6 ? "]" : "", port);
  announced.is_encrypted = announced_text(line, "security") == "curve";
  for (std::string_view names = announced_text(line, "streams"); !names.empty();) {
    announced.streams.emplace_back(next_field(names, ' '));
  }
  return announced;
}

}  // namespace

std::vector<Announced> discover() {
  std::map<std::string, Announced> found;
  const auto browser = start_avahi(
      {browsing, "--resolve", "--parsable", "--terminate", announced_type}, Child::Reads::output);
  while (const auto line = browser->line()) {
    if (auto announced = announced_in(*line)) {
      found.try_emplace(announced->endpoint, *announced);
    }
  }
  if (const int status = browser->wait(); status != 0) {
    throw_if_interrupted();
    throw Error(Problem::failed, browsing,
                fmt::format("ended with status {}: does avahi-daemon run?", status));
  }
  std::vector<Announced> all;
  all.reserve(found.size());
  for (auto& [endpoint, announced] : found) {
    all.push_back(std::move(announced));
  }
  return all;
}

std::string to_text(const std::vector<Announced>& all, bool json) {
  std::vector<std::vector<std::string>> cells{{"ENDPOINT", "HOST", "SECURITY", "STREAMS"}};
  std::string lines;
  for (const Announced& announced : all) {
    lines += to_json_line({{"endpoint", announced.endpoint},
                           {"host", announced.host},
                           {"encrypted", announced.is_encrypted},
                           {"streams", announced.streams}});
    cells.push_back({printable(announced.endpoint), printable(announced.host),
                     announced.is_encrypted ? "--curve" : "--insecure",
                     printable(fmt::format("{}", fmt::join(announced.streams, " ")))});
  }
  return json ? lines : all.empty() ? "" : to_table(cells);
}

}  // namespace shmim::tools
