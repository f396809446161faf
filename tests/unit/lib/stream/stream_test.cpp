#include <array>
#include <atomic>
#include <csignal>
#include <stdexcept>
#include <thread>

#include "support/unit.hpp"

using namespace shmim;
using namespace shmim::test;

namespace {

std::uint16_t value_of(const std::vector<std::byte>& frame) {
  std::uint16_t value = 0;
  std::memcpy(&value, frame.data(), sizeof(value));
  return value;
}

/// Changes bytes of a stream's file.
template <class T>
void poke(const std::filesystem::path& path, std::size_t offset, T value) {
  auto bytes = bytes_of(path);
  std::memcpy(&bytes[offset], &value, sizeof(value));
  write_bytes(path, bytes);
}

Problem problem_opening(const Directory& directory, std::string_view words) {
  const Error error = error_of([&] { Stream::open(directory.stream("im1"), Access::read); });
  CHECK_MESSAGE(says(error, words), std::string(error.what()));
  return error.problem();
}

/// Begins a frame in a child and ends without finishing it.
pid_t die_in_mid_frame(Stream& stream) {
  const pid_t child = in_child([&] {
    WriteGuard guard(stream);
    guard.pixels()[0] = std::byte{0xEE};
    ::kill(::getpid(), SIGKILL);
  });
  CHECK(reap(child) == 128 + SIGKILL);
  return child;
}

}  // namespace

TEST_CASE("a new stream has the C library's defaults") {
  const Directory directory;
  Stream stream = directory.make("im1");
  CHECK(stream.cnt0() == 0);
  CHECK(stream.owner() == 0);
  CHECK(stream.creator() == ::getpid());
  CHECK(stream.written() == never);
  CHECK(TaiClock::now() - stream.created() < std::chrono::minutes{1});
  CHECK(stream.keywords().capacity() == 10);
  CHECK(stream.keywords().all().empty());
  CHECK(stream.semaphores().count() == 10);
  CHECK(stream.semaphores().reader(0) == -1);
  CHECK(stream.trace().capacity() == 10);
  CHECK_FALSE(stream.trace().newest());
  CHECK_FALSE(stream.is_being_written());
}

TEST_CASE("every type and number of axes can be made, and read back") {
  const Directory directory;
  for (const DataType type : data_types()) {
    for (const Shape& shape : {Shape{5}, Shape{5, 3}, Shape{5, 3, 2}}) {
      Format format;
      format.type = type;
      format.shape = shape;
      const std::string name = std::string(to_string(type)) + "_" + to_string(shape);
      directory.make(name, format);
      Stream stream = Stream::open(directory.stream(name));
      CHECK(stream.format() == format);
      CHECK(stream.unguarded_pixels().size() == shape.elements() * element_size(type));
    }
  }
}

TEST_CASE("a stream of more than 2 GiB counts its bytes in 64 bits") {
  // Described and laid out, not allocated: its middle is a hole.
  const Directory directory;
  Format format;
  format.type = DataType::float64;
  format.shape = Shape{65536, 8192};
  const std::uint64_t total = format.file_bytes();
  REQUIRE(total > std::uint64_t{4} << 30);
  directory.make("small");
  auto header = bytes_of(directory.stream("small"));
  header.resize(sizeof(layout::Metadata));
  auto& metadata = *reinterpret_cast<layout::Metadata*>(header.data());
  metadata.size = {65536, 8192, 0};
  metadata.nelement = format.shape.elements();
  metadata.datatype = static_cast<std::uint8_t>(format.type);
  metadata.imdatamemsize = format.bytes();
  write_bytes(directory.stream("big"), header);
  std::filesystem::resize_file(directory.stream("big"), total);
  Stream stream = Stream::open(directory.stream("big"));
  CHECK(stream.format().bytes() == std::uint64_t{4} << 30);
  stream.unguarded_writable_pixels().back() = std::byte{9};
  const Selection corner(parse_slice("-1,-1"), stream.format().shape, stream.format().type);
  std::vector<std::byte> element(corner.bytes());
  CHECK(stream.snapshot([&](auto frame) { corner.take(frame, element); }).state ==
        FrameState::whole);
  CHECK(element.back() == std::byte{9});
  CHECK(WriteGuard(stream).publish() == 1);
}

TEST_CASE("what is not a stream of ours is told apart") {
  const Directory directory;
  directory.make("im1");
  const auto path = directory.stream("im1");
  SUBCASE("too short") {
    std::filesystem::resize_file(path, 100);
    CHECK(problem_opening(directory, "im1: has 100 bytes, fewer than the 384 of a header") ==
          Problem::too_short);
  }
  SUBCASE("no version") {
    poke(path, 0, '\0');
    CHECK(problem_opening(directory, "has no version string") == Problem::no_version);
  }
  SUBCASE("another version") {
    poke(path, 0, std::array{'2', '.', '0', '1', '\0'});
    CHECK(problem_opening(directory, "has version 2.01 of the layout, and we read version 2.00") ==
          Problem::other_version);
  }
  SUBCASE("the DAO toolkit's") {
    poke(path, 0, std::array{'d', 'm', '\033', '\0'});
    CHECK(problem_opening(directory, "begins with 'dm\\x1b'") == Problem::dao_layout);
  }
  SUBCASE("a DAO build's") {
    std::filesystem::resize_file(path, std::filesystem::file_size(path) + 4496 - 384);
    CHECK(problem_opening(directory, "DAO build of the C library") == Problem::dao_layout);
  }
  SUBCASE("wrong size") {
    std::filesystem::resize_file(path, 3000);
    const std::string asked = std::to_string(Directory::small_format().file_bytes());
    CHECK(problem_opening(directory, "has 3000 bytes, but its header asks for " + asked) ==
          Problem::wrong_size);
  }
  SUBCASE("nonsense in the header") {
    poke(path, offsetof(layout::Metadata, naxis), std::uint8_t{7});
    CHECK(problem_opening(directory, "its header makes no stream: 7 axes") == Problem::bad_header);
  }
  SUBCASE("an unknown type") {
    poke(path, offsetof(layout::Metadata, datatype), std::uint8_t{99});
    CHECK(problem_opening(directory, "data type 99") == Problem::bad_header);
  }
}

TEST_CASE("an array on a GPU is not read") {
  const Directory directory;
  directory.make("im1");
  const auto path = directory.stream("im1");
  poke(path, offsetof(layout::Metadata, location), std::int8_t{2});
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 24);
  Stream stream = Stream::open(path);
  const Error error = error_of([&] { static_cast<void>(stream.unguarded_pixels()); });
  CHECK(error.problem() == Problem::on_gpu);
  CHECK(says(error, "its array is in the memory of GPU 2"));
}

TEST_CASE("a stream for the memory of a GPU has all but the array") {
  const Directory directory;
  Format format = Directory::small_format();
  format.location = 3;
  CHECK(error_of([&] { Stream::draft(directory.path(), "im1", format); }).problem() ==
        Problem::on_gpu);
  CHECK(error_of([&] { Stream::local("im1", format); }).problem() == Problem::on_gpu);
  REQUIRE(Stream::draft_on_gpu(directory.path(), "im1", format).publish());
  const Stream stream = Stream::open(directory.stream("im1"));
  CHECK(stream.format() == format);
  CHECK(error_of([&] { static_cast<void>(stream.unguarded_pixels()); }).problem() ==
        Problem::on_gpu);
  CHECK(stream.file_bytes() == Directory::small_format().file_bytes() - 24);
  format.location = -1;
  CHECK(says(error_of([&] { Stream::draft_on_gpu(directory.path(), "im2", format); }),
             "there is no GPU -1"));
}

TEST_CASE("a draft can be published as a segment, under another name, and nobody is woken") {
  const Directory directory;
  const Stream replaced = directory.make("im1");
  const SemaphoreClaim claim = replaced.semaphores().claim();
  const Stream draft = Stream::draft(directory.path(), "im2", replaced.format(), 0666);
  const Segment segment = draft.duplicate_segment();
  CHECK(segment.identity() == draft.identity());
  CHECK_FALSE(segment.publish(replaced.path()));
  segment.publish_over(replaced.path());
  CHECK_FALSE(replaced.is_current());
  CHECK(replaced.semaphores().value(claim.index()) == 0);
  CHECK(Stream::open(replaced.path()).identity() == draft.identity());
}

TEST_CASE("formats that cannot be made are refused") {
  const Directory directory;
  const auto make = [&](const std::string& name, const Format& format) {
    return error_of([&] { Stream::draft(directory.path(), name, format); });
  };
  Format format = Directory::small_format();
  CHECK(make("", format).problem() == Problem::usage);
  CHECK(says(make(std::string(80, 'x'), format), "a stream's has 1 to 79"));
  format.image_type = 0x20001;
  CHECK(says(make("im1", format), "needs three axes, and 4x3 has 2"));
  CHECK(std::filesystem::is_empty(directory.path()));
}

TEST_CASE("publishing shows the frame, its times and its trace") {
  const Directory directory;
  Stream stream = directory.make("im1");
  const Tai before = TaiClock::now();
  CHECK(publish(stream, std::uint16_t{7}) == 1);
  CHECK(stream.cnt0() == 1);
  CHECK_FALSE(stream.is_being_written());
  CHECK(stream.written() >= before);
  CHECK(stream.acquired() == stream.written());
  CHECK(stream.semaphores().value(9) == 1);
  CHECK(stream.semaphores().log_value() == 1);
  std::vector<std::byte> pixels(stream.format().bytes());
  const Snapshot snapshot = stream.snapshot(pixels);
  CHECK(snapshot.state == FrameState::whole);
  CHECK(snapshot.info.cnt0 == 1);
  CHECK(snapshot.info.writetime == stream.written());
  CHECK(value_of(pixels) == 7);
  std::vector<std::byte> once(pixels.size());
  CHECK(stream.snapshot_once(once).info.cnt0 == 1);
  CHECK(once == pixels);
  REQUIRE(stream.trace().entries().size() == 1);
  const TraceEntry entry = stream.trace().entries().front();
  CHECK(entry.pid == ::getpid());
  CHECK(entry.written == stream.written());
  CHECK(entry.trigger_inode == 0);
}

TEST_CASE("a trace carries its ancestors, and drops the oldest") {
  const Directory directory;
  Format format = Directory::small_format();
  format.trace_entries = 2;
  Stream a = directory.make("a");
  Stream b = directory.make("b");
  Stream c = directory.make("c", format);
  publish(a, std::uint16_t{1});
  for (const auto& [in, out] : {std::pair(&a, &b), std::pair(&b, &c)}) {
    const Trigger trigger = in->trigger(TriggerMode::semaphore, 3);
    WriteGuard guard(*out);
    guard.set_trigger(trigger);
    guard.set_pid(1);
    guard.set_atime(in->acquired());
    guard.publish();
  }
  CHECK(b.trace().entries().size() == 2);
  const auto entries = c.trace().entries();
  REQUIRE(entries.size() == 2);
  CHECK(entries[0].trigger_inode == b.identity().inode);
  CHECK(entries[0].pid == 1);
  CHECK(entries[0].semaphore == 3);
  CHECK(entries[0].mode == TriggerMode::semaphore);
  CHECK(entries[0].status == TriggerStatus::received);
  CHECK(entries[0].cnt0 == 1);
  CHECK(entries[1].trigger_inode == a.identity().inode);
  CHECK(entries[0].written >= entries[0].triggered);
  CHECK(entries[0].triggered >= entries[1].written);
  CHECK(c.acquired() == a.acquired());
}

TEST_CASE("a slice of a circular stream is published with its number") {
  const Directory directory;
  Format format = Directory::small_format();
  format.shape = Shape{4, 3, 5};
  format.image_type = 0x20001;
  Stream stream = directory.make("cube", format);
  WriteGuard guard(stream);
  const auto slice = guard.plane(2);
  CHECK(slice.size() == 24);
  CHECK(slice.data() == guard.pixels().data() + 48);
  guard.publish();
  CHECK(stream.cnt1() == 2);
  const auto regions = *layout::lay_out(geometry_of(format));
  const auto bytes = bytes_of(directory.stream("cube"));
  std::array<std::uint64_t, 5> counts{};
  std::memcpy(counts.data(), &bytes[regions.slice_cnt], sizeof(counts));
  CHECK(counts == std::array<std::uint64_t, 5>{0, 0, 1, 0, 0});
}

TEST_CASE("a frame that is read by way of the file is not made up once that is cut short") {
  const Directory directory;
  Stream stream = directory.make("im1");
  publish(stream, std::uint16_t{5});
  std::vector<std::byte> pixels(stream.format().bytes());
  std::filesystem::resize_file(stream.path(), 100);
  CHECK(says(error_of([&] { static_cast<void>(stream.snapshot_once(pixels)); }),
             "was cut short by another program"));
}

TEST_CASE("a read-only stream can be read and not written") {
  const Directory directory;
  publish(directory.make("im1"), std::uint16_t{5});
  Stream stream = Stream::open(directory.stream("im1"), Access::read);
  std::vector<std::byte> pixels(stream.format().bytes());
  CHECK(stream.snapshot(pixels).state == FrameState::whole);
  CHECK(error_of([&] { WriteGuard guard(stream); }).problem() == Problem::not_ours_to_write);
  CHECK(error_of([&] { static_cast<void>(stream.claim_writing()); }).problem() ==
        Problem::not_ours_to_write);
  CHECK(error_of([&] { stream.set_owner(1); }).problem() == Problem::not_ours_to_write);
}

TEST_CASE("a cancelled frame leaves no trace") {
  const Directory directory;
  Stream stream = directory.make("im1");
  publish(stream, std::uint16_t{1});
  const auto before = bytes_of(directory.stream("im1"));
  WriteGuard(stream).cancel();
  CHECK(bytes_of(directory.stream("im1")) == before);
}

TEST_CASE("a frame whose writer died is told from a whole one, and repaired by the next writer") {
  if (!knows_who_died()) {
    return;
  }
  const Directory directory;
  Stream stream = directory.make("im1");
  publish(stream, std::uint16_t{1});
  const pid_t dead = die_in_mid_frame(stream);
  CHECK(stream.is_being_written());
  std::vector<std::byte> pixels(stream.format().bytes());
  const Snapshot snapshot = stream.snapshot(pixels);
  CHECK(snapshot.state == FrameState::unfinished);
  CHECK(snapshot.writer == dead);
  const Error error = error_of([&] { stream.require_whole(snapshot); });
  CHECK(error.problem() == Problem::unfinished);
  CHECK(says(error, "holds an unfinished frame by process " + std::to_string(dead) + ", dead"));

  {  // a writer that has nothing whole to write leaves it as it is
    WriteGuard guard(stream);
    CHECK(guard.needs_whole_frame());
    guard.cancel();
  }
  CHECK(stream.snapshot(pixels).state == FrameState::unfinished);
  CHECK(publish(stream, std::uint16_t{2}) == 2);
  CHECK(stream.snapshot(pixels).state == FrameState::whole);
  CHECK(value_of(pixels) == 2);
}

TEST_CASE("a writer that leaves before it has touched a pixel leaves the stream as it was") {
  const Directory directory;
  Stream stream = directory.make("im1");
  publish(stream, std::uint16_t{1});
  const auto before = bytes_of(directory.stream("im1"));
  CHECK_THROWS([&] {
    const WriteGuard guard(stream);
    throw std::runtime_error("no data");
  }());
  CHECK(bytes_of(directory.stream("im1")) == before);
}

TEST_CASE("a writer that leaves by an exception is told from a living one") {
  const Directory directory;
  Stream stream = directory.make("im1");
  try {
    WriteGuard guard(stream);
    guard.pixels()[0] = std::byte{0xEE};
    throw std::runtime_error("out of data");
  } catch (const std::runtime_error&) {
  }
  std::vector<std::byte> pixels(stream.format().bytes());
  const Snapshot snapshot = stream.snapshot(pixels);
  CHECK(snapshot.state == FrameState::unfinished);
  CHECK(snapshot.writer == ::getpid());
  CHECK(says(error_of([&] { stream.require_whole(snapshot); }), "which gave up"));
  CHECK(publish(stream, std::uint16_t{2}) == 1);
  CHECK(stream.snapshot(pixels).state == FrameState::whole);
}

TEST_CASE("with a circular buffer a dead writer costs no frame") {
  const Directory directory;
  Format format = Directory::small_format();
  format.circular_buffer = 4;
  Stream stream = directory.make("im1", format);
  publish(stream, std::uint16_t{1});
  publish(stream, std::uint16_t{2});
  die_in_mid_frame(stream);
  std::vector<std::byte> pixels(stream.format().bytes());
  const Snapshot snapshot = stream.snapshot(pixels);
  CHECK(snapshot.state == FrameState::whole);
  CHECK(snapshot.info.cnt0 == 2);
  CHECK(value_of(pixels) == 2);
  WriteGuard guard(stream);
  CHECK_FALSE(guard.needs_whole_frame());
  CHECK(std::vector<std::byte>(guard.pixels().begin(), guard.pixels().end()) ==
        frame_of(stream, std::uint16_t{2}));
  guard.publish();
}

TEST_CASE("a living writer is waited for, and named when it takes too long") {
  const Directory directory;
  Stream stream = directory.make("im1");
  WriteGuard first(stream);
  const Error error = error_of(
      [&] { const WriteGuard second(stream, deadline_after(std::chrono::milliseconds{20})); });
  CHECK(error.problem() == Problem::busy);
  CHECK(says(error, "process " + std::to_string(::getpid())));
  std::vector<std::byte> pixels(stream.format().bytes());
  const Snapshot snapshot = stream.snapshot(pixels, deadline_after(std::chrono::milliseconds{20}));
  CHECK(snapshot.state == FrameState::busy);
  CHECK(error_of([&] { stream.require_whole(snapshot); }).problem() == Problem::busy);
  first.publish();
  CHECK(stream.snapshot(pixels).state == FrameState::whole);
}

TEST_CASE("a writer that names itself to nobody is waited for, then taken over from") {
  const Directory directory;
  Stream stream = directory.make("im1");
  const auto path = directory.stream("im1");
  poke(path, offsetof(layout::Metadata, write), std::uint8_t{1});  // as the C library leaves it
  WriteGuard guard(stream, deadline_after(std::chrono::milliseconds{20}));
  CHECK(guard.needs_whole_frame());
  guard.publish();
  CHECK_FALSE(stream.is_being_written());
}

TEST_CASE("of several that wait for a writer that names itself to nobody, one takes over") {
  const Directory directory;
  Stream stream = directory.make("im1");
  publish(stream, std::uint16_t{1});
  poke(directory.stream("im1"), offsetof(layout::Metadata, write), std::uint8_t{1});
  constexpr int took_over = 7;
  std::array<pid_t, 4> waiting{};
  for (pid_t& child : waiting) {
    child = in_child([&] {
      Stream mine = Stream::open(directory.stream("im1"));
      try {
        WriteGuard guard(mine, deadline_after(std::chrono::milliseconds{50}));
        const bool is_mine = guard.needs_whole_frame();
        std::this_thread::sleep_for(std::chrono::milliseconds{100});
        guard.write(frame_of(mine, std::uint16_t{2}));
        guard.publish();
        ::_exit(is_mine ? took_over : 0);
      } catch (const Error& error) {
        ::_exit(error.problem() == Problem::busy ? 1 : 2);
      }
    });
  }
  int winners = 0;
  for (const pid_t child : waiting) {
    const int status = reap(child);
    CHECK(status != 2);
    winners += status == took_over ? 1 : 0;
  }
  CHECK(winners == 1);
  CHECK_FALSE(stream.is_being_written());
}

TEST_CASE("readers never see parts of two frames" * doctest::test_suite("threads")) {
  for (const std::uint32_t buffer : {0U, 16U}) {
    CAPTURE(buffer);
    const Directory directory;
    Format format = Directory::small_format();
    format.shape = Shape{64, 64};
    format.circular_buffer = buffer;
    Stream stream = directory.make("im1", format);
    std::atomic<bool> stop{false};
    std::thread writer([&] {
      Stream mine = Stream::open(directory.stream("im1"));
      for (std::uint16_t value = 0; !stop; ++value) {
        publish(mine, value);
      }
    });
    std::vector<std::byte> pixels(format.bytes());
    int whole = 0;
    int torn = 0;
    for (int i = 0; i < 2000; ++i) {
      if (stream.snapshot(pixels).state == FrameState::whole) {
        ++whole;
        torn += pixels == frame_of(stream, value_of(pixels)) ? 0 : 1;
      }
    }
    stop = true;
    writer.join();
    CHECK(torn == 0);
    CHECK(whole > 0);
    if (buffer > 0) {
      CHECK(whole == 2000);
    }
  }
}

TEST_CASE("two writers lose no count and mix no frames" * doctest::test_suite("threads")) {
  const Directory directory;
  Stream stream = directory.make("im1");
  constexpr int frames = 5000;
  std::vector<std::thread> writers;
  writers.reserve(2);
  for (int i = 0; i < 2; ++i) {
    writers.emplace_back([&, i] {
      Stream mine = Stream::open(directory.stream("im1"));
      for (int frame = 0; frame < frames; ++frame) {
        publish(mine, static_cast<std::uint16_t>(i));
      }
    });
  }
  for (std::thread& writer : writers) {
    writer.join();
  }
  CHECK(stream.cnt0() == 2 * frames);
}

TEST_CASE("a frame written at once is in the array and in the circular buffer, at any size") {
  const Directory directory;
  // It is copied past the caches, from and to where nothing is aligned. Two in one buffer will do,
  // since sanitizers take seconds over each.
  constexpr std::uint32_t largest = (33U << 20) + 13U;
  for (const std::uint32_t size : {1U, 63U, 100'000U, largest}) {
    for (const std::uint32_t slots : {0U, 1U, 3U}) {
      if (size == largest && slots != 1) {
        continue;
      }
      CAPTURE(size);
      CAPTURE(slots);
      Format format;
      format.type = DataType::uint8;
      format.shape = Shape{size};
      format.circular_buffer = slots;
      Stream stream = Stream::local("frames", format);
      std::vector<std::byte> frame(size);
      for (std::uint64_t count = 1; count <= (size == largest ? 2U : 4U); ++count) {
        for (std::size_t i = 0; i < frame.size(); ++i) {
          frame[i] = static_cast<std::byte>(i * 7 + i / 251 + count);
        }
        WriteGuard guard(stream);
        guard.write(frame);
        CHECK(guard.publish() == count);
        CHECK(are_alike(stream.unguarded_pixels(), frame));
        std::vector<std::byte> read(size);
        REQUIRE(stream.snapshot(read).state == FrameState::whole);
        CHECK(are_alike(read, frame));
        const auto newest = stream.circular_buffer().newest();
        CHECK(newest.has_value() == (slots > 1));  // one slot is no more than the array
        CHECK((!newest || newest->cnt0 == count));
      }
    }
  }
}

TEST_CASE(
    "a frame that is stored by way of pixels() is put into the circular buffer at publication") {
  Format format;
  format.type = DataType::uint8;
  format.shape = Shape{8};
  format.circular_buffer = 3;
  Stream stream = Stream::local("frames", format);
  const std::vector<std::byte> ones(8, std::byte{1});
  {
    WriteGuard guard(stream);
    guard.write(ones);
    guard.publish();
  }
  WriteGuard guard(stream);
  std::fill(guard.pixels().begin(), guard.pixels().end(), std::byte{2});
  guard.publish();
  std::vector<std::byte> read(8);
  FrameInfo info;
  const auto newest = stream.circular_buffer().newest();
  const CopyFrame copy = [&](std::span<const std::byte> frame) {
    read.assign(frame.begin(), frame.end());
  };
  REQUIRE(stream.circular_buffer().read(*newest, 2, copy, info));
  CHECK(read == std::vector<std::byte>(8, std::byte{2}));
  REQUIRE(stream.circular_buffer().read(*newest, 1, copy, info));
  CHECK(read == ones);
  CHECK(stream.snapshot_once(read).info.cnt0 == 2);
  CHECK(read == std::vector<std::byte>(8, std::byte{2}));
}

TEST_CASE("a writer that changed nothing leaves the trace as it was") {
  const Directory directory;
  Stream stream = directory.make("im1");
  WriteGuard(stream).publish();
  const TraceEntry before = *stream.trace().newest();
  {
    WriteGuard guard(stream);
    CHECK(stream.trace().newest()->writing == Writing::begun);
    guard.cancel();
  }
  const TraceEntry after = *stream.trace().newest();
  CHECK(after.pid == before.pid);
  CHECK(after.written == before.written);
  CHECK(after.triggered == before.triggered);
  CHECK_FALSE(stream.is_being_written());
  CHECK(stream.cnt0() == 1);
}
