// kill -9 of a recorder at every system call, of the repair that follows at another, and a second
// repair of what those two left; and of the compression of a whole recording.

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <shmim/fits.hpp>
#include <shmim/recording.hpp>

#include "harness.hpp"
#include "traced.hpp"

namespace shmim::faults {
namespace {

constexpr std::uint64_t recorded_frames = 7;
constexpr std::uint64_t frames_in_a_flush = 2;
constexpr std::string_view tally_suffix = ".flushed";

RecordedStream recorded_stream() {
  RecordedStream stream;
  stream.name = "cam";
  stream.type = DataType::uint64;
  stream.shape = Shape{37, 5};
  stream.keywords = {{"GAIN", std::int64_t{1}, ""}};
  return stream;
}

std::vector<std::byte> recorded_frame(std::uint64_t number) {
  std::vector<std::byte> frame(recorded_stream().frame_bytes());
  fill_frame(frame, number * 0x0101010101010101U);
  return frame;
}

std::string content_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// cfitsio's start is some hundred system calls, at none of which a recording is in danger.
void load_cfitsio() {
  const std::array<std::byte, 1> pixel{};
  static_cast<void>(to_fits(Hdu::primary, DataType::uint8, Shape{1}, pixel, {}));
}

/// A directory on the disk, which has direct I/O where shared memory has none, or there.
class Place {
 public:
  explicit Place(bool is_on_disk) {
    std::string name =
        (is_on_disk ? std::filesystem::temp_directory_path() : shm_.path()) / "recording.XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) {
      throw Error::system(name, "cannot be made", errno);
    }
    path_ = name;
  }
  ~Place() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  [[nodiscard]] std::filesystem::path file() const { return path_ / "cam.fits"; }

 private:
  Directory shm_;
  std::filesystem::path path_;
};

/// `role` at this place, stopped at its first system call there.
struct Stopped {
  Stopped(const Place& place, const char* role)
      : process(place.path(), {"/proc/self/exe", "--tools", tools_directory().string(), "peer",
                               role, place.file().string()}) {
    while (process.to_next_system_call() && !process.is_entering_call_on(place.path())) {
    }
  }
  /// So many calls on; false where it has ended before.
  bool run(std::uint64_t calls) {
    while (calls > 0 && process.to_next_system_call()) {
      --calls;
    }
    return calls == 0;
  }
  Traced process;
};

class RecordingInquest {
 public:
  RecordingInquest(const Place& place, std::string where, Verdict& verdict)
      : place_(place), where_(std::move(where)), verdict_(verdict) {}

  /// What has the name of a recording is one.
  void look() const {
    if (std::filesystem::exists(place_.file())) {
      look_at_whole(recorded_frames);
    }
  }

  /// Gives the number of frames.
  std::uint64_t repair() const {
    const std::uint64_t flushed = content_of(place_.file().string() + tally_suffix.data()).size();
    const bool was_named = std::filesystem::exists(place_.file());
    std::uint64_t frames = 0;
    try {
      frames = repair_recording(place_.file());
      look_at_whole(frames);
    } catch (const Error& error) {
      expect(error.problem() == Problem::not_found, error.what());
      expect(was_named || flushed == 0, "all frames are lost");
      frames = was_named ? frames_in(content_of(place_.file())) : 0;
    }
    expect(frames >= flushed,
           fmt::format("{} frames are left, and {} had been flushed", frames, flushed));
    for (const auto& entry : std::filesystem::directory_iterator(place_.path())) {
      expect(!entry.path().filename().string().starts_with('.'),
             entry.path().filename().string() + " is left");
    }
    return frames;
  }

 private:
  void expect(bool holds, std::string_view what) const {
    verdict_.expect(holds, fmt::format("killed {}: {}", where_, what));
  }

  [[nodiscard]] static std::uint64_t frames_in(const std::string& bytes) {
    constexpr std::string_view card = "NAXIS3  = ";
    const auto at = bytes.find(card);
    return at == std::string::npos ? 0 : std::stoull(bytes.substr(at + card.size(), 20));
  }

  void look_at_whole(std::uint64_t most) const {
    const std::string bytes = content_of(place_.file());
    expect(bytes.size() % 2880 == 0 && bytes.find("EXTNAME = 'FRAMES") != std::string::npos,
           "half a file has the name");
    const std::uint64_t frames = frames_in(bytes);
    expect(frames <= most && frames <= recorded_frames, "more frames than there were");
    if (frames == 0) {
      return;
    }
    const auto images = open_fits_images(place_.file().string());
    std::vector<std::byte> cube(images.at(0)->format().bytes());
    images[0]->read(cube);
    constexpr std::size_t row_bytes = 40;
    constexpr std::size_t block = 2880;
    const std::size_t rows = bytes.size() - (frames * row_bytes + block - 1) / block * block;
    for (std::uint64_t frame = 0; frame < frames; ++frame) {
      const std::vector<std::byte> wanted = recorded_frame(frame + 1);
      expect(std::memcmp(&cube[frame * wanted.size()], wanted.data(), wanted.size()) == 0,
             fmt::format("frame {} is another", frame));
      expect(static_cast<std::uint8_t>(bytes[rows + frame * row_bytes + 7]) == frame + 1,
             fmt::format("row {} is another", frame));
    }
  }

  const Place& place_;
  std::string where_;
  Verdict& verdict_;
};

std::uint64_t calls_of(const Place& place, const char* role, Verdict& verdict) {
  Stopped stopped(place, role);
  std::uint64_t calls = 0;
  while (stopped.run(1)) {
    ++calls;
  }
  verdict.expect(stopped.process.exit_status() == 0,
                 fmt::format("{}: without a death it ends with status {}", role,
                             stopped.process.exit_status()));
  return calls;
}

void die_everywhere(bool is_on_disk, unsigned stride, Verdict& verdict) {
  std::uint64_t repair_calls = 0;
  std::uint64_t calls = 0;
  {
    const Place place(is_on_disk);
    calls = calls_of(place, "record", verdict);
    RecordingInquest(place, "never", verdict).look();
  }
  {
    const Place place(is_on_disk);
    Stopped recorder(place, "record");
    recorder.run(calls - calls / 4);
    recorder.process.kill();
    repair_calls = calls_of(place, "repair", verdict);
  }
  std::uint64_t deaths = 0;
  std::array<std::uint64_t, recorded_frames + 1> kept{};
  for (std::uint64_t call = 0; call < calls; call += stride) {
    const Place place(is_on_disk);
    {
      Stopped recorder(place, "record");
      recorder.run(call);
      recorder.process.kill();
    }
    RecordingInquest(place, fmt::format("at call {} of {}", call, calls), verdict).look();
    // Another step of the repair each time: with all deaths together, each of them often.
    const std::uint64_t repair_call = call * 7 % repair_calls;
    {
      Stopped repair(place, "repair");
      repair.run(repair_call);
      repair.process.kill();
    }
    const RecordingInquest inquest(
        place,
        fmt::format("at call {} of {}, and at call {} of the repair", call, calls, repair_call),
        verdict);
    inquest.look();
    ++kept.at(std::min(inquest.repair(), recorded_frames));
    deaths += 2;
  }
  fmt::print("{}: {} deaths; recordings of 0 to {} frames: {}\n",
             is_on_disk ? "on the disk" : "in shared memory", deaths, recorded_frames,
             fmt::join(kept, " "));
  verdict.expect(kept.front() > 0 && kept.back() > 0 && kept[frames_in_a_flush] > 0,
                 "no death came between two flushes");
}

// ---- Compression.

RecordedStream compressed_stream() {
  RecordedStream stream;
  stream.name = "cam";
  stream.type = DataType::uint16;
  stream.shape = Shape{300, 200};
  return stream;
}

std::vector<std::byte> compressed_frame(std::uint64_t number) {
  return std::vector<std::byte>(compressed_stream().frame_bytes(), static_cast<std::byte>(number));
}

void record_compressed(const std::filesystem::path& file) {
  RecordingWriter writer(file, compressed_stream());
  for (std::uint64_t number = 1; number <= recorded_frames; ++number) {
    FrameInfo info;
    info.cnt0 = number;
    writer.write(info, 0, {}, compressed_frame(number));
  }
  writer.finish();
}

/// Of all frames that were recorded.
bool is_whole(const std::filesystem::path& file) {
  const Recording recording(file);
  std::vector<std::byte> pixels(recording.stream().frame_bytes());
  for (std::uint64_t number = 1; number <= recording.frames(); ++number) {
    recording.read(number - 1, pixels);
    if (pixels != compressed_frame(number) || recording.frame(number - 1).info.cnt0 != number) {
      return false;
    }
  }
  return recording.frames() == recorded_frames;
}

void die_compressing(unsigned stride, Verdict& verdict) {
  using End = CompressedRecording::End;
  constexpr bool on_disk = true;
  std::uint64_t calls = 0;
  {
    const Place place(on_disk);
    record_compressed(place.file());
    calls = calls_of(place, "compress", verdict);
  }
  std::uint64_t deaths = 0;
  std::uint64_t compressed = 0;
  // Hundreds of the steps write tile after tile; at the end each does something of its own.
  constexpr std::uint64_t last_steps = 60;
  constexpr std::uint64_t of_tiles = 10;
  for (std::uint64_t call = 0; call < calls;
       call += call + last_steps < calls ? of_tiles * stride : stride, ++deaths) {
    const Place place(on_disk);
    record_compressed(place.file());
    {
      Stopped victim(place, "compress");
      victim.run(call);
      victim.process.kill();
    }
    const std::string when =
        fmt::format("killed at call {} of {} of the compression: ", call, calls);
    verdict.expect(is_whole(place.file()), when + "it is not whole");
    const End end = compress_recording(place.file()).end;
    compressed += end == End::was_compressed ? 1 : 0;
    verdict.expect(end == End::done || end == End::was_compressed,
                   when + "it cannot be compressed");
    verdict.expect(is_whole(place.file()), when + "it is not whole in the end");
    verdict.expect(std::distance(std::filesystem::directory_iterator(place.path()), {}) == 1,
                   when + "something is left");
  }
  fmt::print("compression: {} deaths; compressed all the same: {}\n", deaths, compressed);
  verdict.expect(0 < compressed && compressed < deaths, "no death came before, or behind, the end");
}

}  // namespace

void record_frames(const std::filesystem::path& file) {
  load_cfitsio();
  const RecordedStream stream = recorded_stream();
  RecordingWriter writer(file, stream);
  std::ofstream tally(file.string() + tally_suffix.data());
  for (std::uint64_t number = 1; number <= recorded_frames; ++number) {
    FrameInfo info;
    info.cnt0 = number;
    writer.write(info, 0, stream.keywords, recorded_frame(number));
    if (number % frames_in_a_flush == 0) {
      writer.flush();
      tally << std::string(frames_in_a_flush, '.') << std::flush;
    }
  }
  writer.sync();
  tally << "." << std::flush;
  writer.finish();
}

void record_until_full(const PeerOptions& options) {
  RecordedStream stream;
  stream.name = "cam";
  stream.shape = parse_shape(options.size);
  std::vector<std::byte> frame(stream.frame_bytes());
  const auto fill = [&frame](std::uint64_t number) {
    std::fill(frame.begin(), frame.end(), static_cast<std::byte>(number % 251));
  };
  static_cast<void>(std::signal(SIGXFSZ, SIG_IGN));
  RecordingWriter writer(options.path, stream);
  try {
    for (std::uint64_t number = 1; number <= options.frames; ++number) {
      fill(number);
      writer.write({}, 0, {}, frame);
    }
    fmt::print("all frames had room\n");
  } catch (const Error& error) {
    fmt::print("{}: {}\n", error.problem() == Problem::no_space ? "no space" : "failed",
               error.why());
  }
  writer.finish();
  const auto images = open_fits_images(options.path.string());
  const auto& image = images.at(0);
  std::vector<std::byte> cube(image->format().bytes());
  image->read(cube);
  bool is_whole = cube.size() == writer.frames() * frame.size();
  for (std::uint64_t number = 1; is_whole && number <= writer.frames(); ++number) {
    fill(number);
    is_whole = std::memcmp(&cube[(number - 1) * frame.size()], frame.data(), frame.size()) == 0;
  }
  fmt::print("{} frames, {}\n", writer.frames(), is_whole ? "whole" : "NOT WHOLE");
}

void repair_recorded(const std::filesystem::path& file) {
  load_cfitsio();
  try {
    repair_recording(file);
  } catch (const Error& error) {
    if (error.problem() != Problem::not_found) {
      throw;
    }
  }
}

void compress_recorded(const std::filesystem::path& file) {
  load_cfitsio();
  static_cast<void>(compress_recording(file));
}

int recordings(const RecorderOptions& options) {
  constexpr int skipped = 77;
  if (!Traced::is_permitted()) {
    fmt::print("skipped: ptrace is not permitted here\n");
    return skipped;
  }
  Verdict verdict;
  die_everywhere(false, std::max(options.stride, 1U), verdict);
  die_everywhere(true, std::max(options.stride, 1U), verdict);
  die_compressing(std::max(options.stride, 1U), verdict);
  return verdict.exit_status();
}

}  // namespace shmim::faults
