#include "cat/line.hpp"

#include <utility>

#include <nlohmann/json.hpp>

#include "common/io/stdout.hpp"
#include "common/print/frame_line.hpp"
#include "common/print/frame_text.hpp"

namespace shmim::tools {

void check_line(const std::string& text, const std::string& name) {
  check_frame_line(text, name, {{"data", ""}});
}

void print_line(const std::string& text, const Stream& stream, const TakenFrame& taken,
                std::span<const std::byte> elements, const Selection& selection) {
  Record record = frame_record(stream, taken);
  record["data"] = "";
  if (text.find("{data") != text.npos) {
    // As one row, whatever its shape.
    const Shape row{static_cast<std::uint32_t>(selection.shape().elements())};
    std::string data = to_text(elements, selection.type(), row);
    data.pop_back();  // the end of the line
    record["data"] = std::move(data);
  }
  write_stdout(frame_line(text, stream, record));
}

}  // namespace shmim::tools
