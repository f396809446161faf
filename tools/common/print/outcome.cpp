#include "common/print/outcome.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "common/print/json.hpp"
#include "common/print/words.hpp"

namespace shmim::tools {
namespace {

const char* words(Origin origin) noexcept {
  switch (origin) {
    case Origin::nowhere:
      return "no place";
    case Origin::local_memory:
      return "local memory";
    case Origin::shared_memory:
      return "shm";
    case Origin::conf_fits:
      return "conf FITS";
    case Origin::conf_name:
      return "conf name";
  }
  return "";
}

}  // namespace

std::string OutcomeLine::to_text() const {
  const Format& format = stream.format();
  const std::string path = stream.path().empty() ? "-" : stream.path().string();
  std::string line = fmt::format("{} {} {} {} {} bytes {}", outcome, printable(stream.name()),
                                 to_string(format.type), to_string(format.shape),
                                 stream.file_bytes(), printable(path));
  if (found) {
    const bool is_file = found->origin == Origin::conf_fits || found->origin == Origin::conf_name;
    line += is_file ? fmt::format(", found as {} {}", words(found->origin),
                                  printable(found->file.string()))
                    : fmt::format(", found in {}", words(found->origin));
  }
  return line + "\n";
}

std::string OutcomeLine::to_json_line() const {
  const Format& format = stream.format();
  Record record{{"outcome", outcome},
                {"name", stream.name()},
                {"datatype", to_string(format.type)},
                {"size", to_json(format.shape)},
                {"bytes", stream.file_bytes()},
                {"path", stream.path().string()}};
  if (found) {
    record["found"] = words(found->origin);
    record["file"] = found->file.string();
  }
  return tools::to_json_line(record);
}

}  // namespace shmim::tools
