#include "common/print/network_event.hpp"

#include <nlohmann/json.hpp>

#include "common/print/json.hpp"

namespace shmim::tools {

std::string to_json_line(const NetworkEvent& event) {
  Record record{{"event", std::string(to_string(event.kind))},
                {"name", event.subject},
                {"message", event.text}};
  if (event.count > 0) {
    record[event.kind == NetworkEvent::Kind::compression ? "bytes" : "count"] = event.count;
  }
  return to_json_line(record);
}

}  // namespace shmim::tools
