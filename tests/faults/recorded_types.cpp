// Recordings of every type, for others to read: recorded.bats says what must be in them.

#include <fmt/format.h>
#include <shmim/recording.hpp>

#include "harness.hpp"

namespace shmim::faults {
namespace {

constexpr std::uint64_t number_of_frames = 50;

Tai recorded_at(std::uint64_t frame) {
  return Tai{std::chrono::nanoseconds{1'700'000'000'123'456'789 +
                                      static_cast<std::int64_t>(frame) * 1'000'001}};
}

std::vector<Keyword> keywords_at(std::uint64_t frame) {
  const auto number = static_cast<std::int64_t>(frame);
  std::vector<Keyword> keywords{
      {"CONST", std::int64_t{42}, "stays"},
      {"long.name", std::string("it's"), "stays, too"},
      {"GAIN", number * number, "integer"},
      {"TEMP", 21.5 + 0.1 * static_cast<double>(frame), "real"},
      {"FILTER", std::string(frame % 2 == 0 ? "R" : "sloan r'"), "text"},
      {"MIXED", number, "integer, then real"},
      {"ATIME", number, "has the name of one of ours"},
      {"Temp", number, "differs in its small letters"},
      {"x y-z", number, "has no name for a column"},
  };
  if (frame >= 3) {
    keywords[5].value = 0.5 * static_cast<double>(frame);
  }
  if (frame >= 4) {
    keywords.push_back({"LATE", -number, "comes later"});
  }
  if (frame < 5) {
    keywords.push_back({"GONE", 0.25 * static_cast<double>(frame), "goes"});
    keywords.push_back({"GONEINT", number, "goes"});
    keywords.push_back({"GONETEXT", std::string("here"), "goes"});
  }
  return keywords;
}

}  // namespace

void record_types(const std::filesystem::path& directory) {
  for (const DataType type :
       {DataType::uint8, DataType::int8, DataType::uint16, DataType::int16, DataType::uint32,
        DataType::int32, DataType::uint64, DataType::int64, DataType::float32, DataType::float64,
        DataType::complex64, DataType::complex128, DataType::float16}) {
    RecordedStream stream;
    stream.name = "cam";
    stream.type = type;
    stream.shape = Shape{40, 30};
    stream.keywords = keywords_at(1);
    TraceEntry maker;
    maker.pid = 7;
    maker.cnt0 = 8;
    maker.trigger_inode = 9;
    stream.trace = {maker};
    RecordingWriter writer(directory / fmt::format("{}.fits", to_string(type)), stream);
    std::vector<std::byte> pixels(stream.frame_bytes());
    std::uint64_t cnt0 = 0;
    for (std::uint64_t frame = 1; frame <= number_of_frames; ++frame) {
      for (std::size_t at = 0; at < pixels.size(); ++at) {
        pixels[at] = static_cast<std::byte>(at * 7 + frame * 31);
      }
      // Before all frames but the first and the third one more is lacking than before the last.
      const std::uint64_t missed = frame == 1 || frame == 3 ? 0 : frame;
      FrameInfo info;
      info.cnt0 = cnt0 += missed + 1;
      info.cnt1 = frame % 4;
      if (frame != 3) {
        info.atime = recorded_at(frame);
        info.writetime = recorded_at(frame) + std::chrono::nanoseconds{4321};
      }
      writer.write(info, missed, keywords_at(frame), pixels);
    }
    writer.finish();
  }
}

void compress_types(const std::filesystem::path& directory) {
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().extension() == ".fits") {
      const CompressedRecording result = compress_recording(entry.path());
      if (result.end != CompressedRecording::End::done) {
        fmt::print("{}\n", entry.path().stem().string());
      }
    }
  }
}

}  // namespace shmim::faults
