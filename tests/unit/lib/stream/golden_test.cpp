// Streams that the C library wrote, and what it says is in them.

#include <bit>

#include <nlohmann/json.hpp>

#include "support/unit.hpp"

using namespace shmim;
using namespace shmim::test;
using nlohmann::json;

namespace {

std::filesystem::path golden() { return std::filesystem::path(SHMIM_SOURCE_DIR) / "tests/golden"; }

std::vector<std::string> golden_names() { return list_streams(golden()); }

json decoded(const std::string& name) {
  return json::parse(std::ifstream(golden() / (name + ".json")));
}

Tai time_in(const json& pair) {
  return to_tai({pair[0].get<std::int64_t>(), pair[1].get<std::int64_t>()});
}

Format format_in(const json& header) {
  Format format;
  format.type = static_cast<DataType>(header["datatype"].get<int>());
  std::vector<std::uint32_t> axes = header["size"];
  axes.resize(header["naxis"].get<std::size_t>());
  format.shape = Shape(axes);
  format.keywords = header["NBkw"];
  format.circular_buffer = header["CBsize"];
  format.semaphores = header["sem"];
  format.trace_entries = header["NBproctrace"];
  format.image_type = header["imagetype"];
  return format;
}

std::vector<Keyword> keywords_in(const json& header) {
  std::vector<Keyword> keywords;
  for (const json& entry : header["keywords"]) {
    Keyword keyword{entry["name"], {}, entry["comment"]};
    if (entry["type"] == "L") {
      keyword.value = entry["value"].get<std::int64_t>();
    } else if (entry["type"] == "D") {
      keyword.value = entry["value"].get<double>();
    } else {
      keyword.value = entry["value"].get<std::string>();
    }
    keywords.push_back(keyword);
  }
  return keywords;
}

}  // namespace

TEST_CASE("every field of the C library's streams reads as the C library decodes it") {
  REQUIRE(golden_names().size() == 19);
  for (const std::string& name : golden_names()) {
    CAPTURE(name);
    const json header = decoded(name);
    const Stream stream = Stream::open(golden() / (name + ".im.shm"), Access::read);
    CHECK(stream.name() == header["name"].get<std::string>());
    CHECK(stream.format() == format_in(header));
    CHECK(stream.format().bytes() == header["imdatamemsize"]);
    CHECK(stream.format().shape.elements() == header["nelement"]);
    CHECK(stream.file_bytes() == header["file_size"]);
    CHECK(stream.created() == time_in(header["creationtime"]));
    CHECK(stream.acquired() == time_in(header["atime"]));
    CHECK(stream.written() == time_in(header["writetime"]));
    CHECK(stream.creator() == header["creatorPID"]);
    CHECK(stream.owner() == header["ownerPID"]);
    CHECK(stream.cnt0() == header["cnt0"]);
    CHECK(stream.cnt1() == header["cnt1"]);
    CHECK(stream.cnt2() == header["cnt2"]);
    CHECK(stream.is_being_written() == (header["write"] == 1));
    CHECK(stream.keywords().all() == keywords_in(header));
    const Semaphores semaphores = stream.semaphores();
    for (unsigned i = 0; i < semaphores.count(); ++i) {
      CHECK(semaphores.value(i) == header["semvalue"][i]);
      CHECK(semaphores.reader(i) == header["semReadPID"][i]);
      CHECK(semaphores.poster(i) == header["semWritePID"][i]);
      CHECK(semaphores.status(i) == header["semstatus"][i]);
    }
    CHECK(semaphores.log_value() == header["semlog"]);
    CHECK(stream.trace().capacity() == header["trace"].size());
    CHECK(stream.trace().entries().empty());
  }
}

TEST_CASE("regions lie where the C library has them") {
  for (const std::string& name : golden_names()) {
    CAPTURE(name);
    const json header = decoded(name);
    const json& at = header["regions"];
    const auto regions = layout::lay_out(geometry_of(format_in(header)));
    REQUIRE(regions);
    CHECK(regions->array == at["array"]);
    CHECK(regions->keywords == at["kw"]);
    CHECK(regions->semaphores == at["semfile"]);
    CHECK(regions->log_semaphore == at["semlog"]);
    CHECK(regions->read_pid == at["semReadPID"]);
    CHECK(regions->write_pid == at["semWritePID"]);
    CHECK(regions->control == at["semctrl"]);
    CHECK(regions->status == at["semstatus"]);
    CHECK(regions->trace == at["trace"]);
    CHECK(regions->buffer_metadata == at["CBmd"]);
    CHECK(regions->buffer_frames == at["CBdata"]);
    CHECK(regions->total == at["total"]);
  }
}

TEST_CASE("a stream that we make and write is, byte for byte, what the C library would have made") {
  const Directory directory;
  for (const std::string& name : golden_names()) {
    CAPTURE(name);
    const json header = decoded(name);
    const Format format = format_in(header);
    Stream theirs = Stream::open(golden() / (name + ".im.shm"), Access::read);
    Stream ours = Stream::draft(directory.path(), name, format);
    for (const Keyword& keyword : theirs.keywords().all()) {
      ours.keywords().set(keyword);
    }
    const auto pixels = theirs.unguarded_pixels();
    std::memcpy(ours.unguarded_writable_pixels().data(), pixels.data(), pixels.size());
    while (ours.cnt0() < theirs.cnt0()) {
      WriteGuard(ours).publish();
    }
    REQUIRE(ours.publish());

    std::vector<std::byte> mine = bytes_of(directory.stream(name));
    std::vector<std::byte> wanted = bytes_of(golden() / (name + ".im.shm"));
    REQUIRE(mine.size() == wanted.size());
    const auto regions = *layout::lay_out(geometry_of(format));
    const auto ignore = [&](std::size_t begin, std::size_t bytes) {
      std::fill_n(mine.begin() + static_cast<std::ptrdiff_t>(begin), bytes, std::byte{0});
      std::fill_n(wanted.begin() + static_cast<std::ptrdiff_t>(begin), bytes, std::byte{0});
    };
    ignore(offsetof(layout::Metadata, creationtime), 4 * sizeof(layout::Timespec));
    ignore(offsetof(layout::Metadata, creator_pid), sizeof(pid_t));
    ignore(offsetof(layout::Metadata, inode), sizeof(std::uint64_t));
    for (std::size_t i = 0; i < format.keywords; ++i) {  // ours counts writes, theirs never did
      ignore(
          regions.keywords + i * sizeof(layout::KeywordSlot) + offsetof(layout::KeywordSlot, cnt),
          8);
    }
    ignore(regions.log_semaphore, sizeof(sem_t));  // ours is process-shared
    ignore(regions.write_pid, sizeof(pid_t) * format.semaphores);
    ignore(regions.trace, sizeof(layout::TraceSlot));  // ours says who wrote
    ignore(regions.slice_atime, regions.buffer_metadata - regions.slice_atime);
    ignore(regions.buffer_metadata,
           regions.buffer_frames - regions.buffer_metadata);  // ours fills it
    // Only the frames that went through the buffer since: theirs had other pixels.
    ignore(regions.buffer_frames, regions.total - regions.buffer_frames);
    for (std::size_t i = 0; i < mine.size(); ++i) {
      if (mine[i] != wanted[i]) {
        CAPTURE(i);
        CHECK(mine[i] == wanted[i]);
        break;
      }
    }
  }
}

TEST_CASE("the log semaphore that we make is process-shared") {
  const Directory directory;
  Stream stream = directory.make("im1");
  const auto regions = *layout::lay_out(geometry_of(stream.format()));
  const auto bytes = bytes_of(directory.stream("im1"));
  // As the other semaphores are, byte for byte.
  CHECK(
      std::equal(bytes.begin() + static_cast<std::ptrdiff_t>(regions.log_semaphore),
                 bytes.begin() + static_cast<std::ptrdiff_t>(regions.log_semaphore + sizeof(sem_t)),
                 bytes.begin() + static_cast<std::ptrdiff_t>(regions.semaphores)));
}

TEST_CASE("the circular buffer and the slices are filled as the C library fills them") {
  const Directory directory;
  Format format = Directory::small_format();
  format.circular_buffer = 3;
  Stream stream = directory.make("im1", format);
  for (std::uint16_t i = 1; i <= 7; ++i) {
    publish(stream, i);
  }
  // Frame 1 went to slot 1, so frame 7 to slot 1 of the third round.
  const auto bytes = bytes_of(directory.stream("im1"));
  layout::Metadata header{};
  std::memcpy(&header, bytes.data(), sizeof(header));
  CHECK(header.cb_index == 1);
  CHECK(header.cb_cycle == 2);
  const auto regions = *layout::lay_out(geometry_of(format));
  for (std::uint32_t slot = 0; slot < 3; ++slot) {
    std::uint16_t value = 0;
    std::memcpy(&value, &bytes[regions.buffer_frames + slot * format.bytes()], sizeof(value));
    layout::CircularBufferSlot metadata{};
    std::memcpy(&metadata, &bytes[regions.buffer_metadata + slot * sizeof(metadata)],
                sizeof(metadata));
    CHECK(value % 3 == slot);
    CHECK(metadata.cnt0 == value);
  }
}
