// Frames to standard output. The floor of a whole frame is cat of the file that holds it, though
// cat may print parts of two; of a stream that is followed, a loop of snapshot and write; of frames
// with their identity, the pixels alone.

#include <array>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench/measure.hpp"
#include "bench/process.hpp"
#include "common/app/tool.hpp"
#include "common/io/pipe.hpp"

namespace shmim::tools::bench {
namespace {

/// Reads so many bytes of a pipe, or all there are, and forgets them.
std::uint64_t drain(int pipe, std::uint64_t bytes = UINT64_MAX) {
  static std::vector<std::byte> buffer(std::size_t{128} << 10);
  std::uint64_t done = 0;
  while (done < bytes) {
    const ssize_t got =
        ::read(pipe, buffer.data(), std::min<std::uint64_t>(buffer.size(), bytes - done));
    throw_if_interrupted();
    if (got <= 0) {
      break;
    }
    done += static_cast<std::uint64_t>(got);
  }
  return done;
}

void measure_whole(const Bench& bench, std::uint64_t size) {
  Temporary temporary(bench.scratch, "cat", size);
  {
    WriteGuard guard(temporary.stream());
    std::fill(guard.pixels().begin(), guard.pixels().end(), std::byte{1});
    guard.publish();
  }
  const Command plain{{"/bin/cat", temporary.stream().path().string()}};
  const Command ours{
      {sibling("cat").string(), "cat", "-o", "raw", "--dir", bench.scratch.path().string()}};
  const std::string copy = (bench.scratch.path() / "copy").string();
  struct Sink {
    const char* name;
    std::function<double(Command)> run;
  };
  const std::array sinks{
      Sink{"a pipe",
           [](const Command& command) {
             return run_into_pipe(command, [](int pipe) { drain(pipe); }).nanoseconds;
           }},
      Sink{"/dev/null", [](const Command& command) { return run_program(command).nanoseconds; }},
      Sink{"a file", [&](Command command) {
             const FileDescriptor file(
                 ::open(copy.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
             command.output = file.get();
             return run_program(command).nanoseconds;
           }}};
  for (const Sink& sink : sinks) {
    Case contest{"cat", fmt::format("{} to {}", bytes_text(size), sink.name), {}, 20};
    if (::access(plain.words.front().c_str(), X_OK) == 0) {
      contest.contenders.push_back({"cat FILE", [&] { return sink.run(plain); }});
    } else {
      contest.without_floor = "there is no /bin/cat: there is no floor";
    }
    contest.contenders.push_back({"shmim-cat -o raw", [&] { return sink.run(ours); }});
    bench.run(contest);
  }
  ::unlink(copy.c_str());
}

/// A process that writes each frame of a stream to a pipe, and how long a frame is on its way.
class Writer {
 public:
  /// `job` is given the end of the pipe to write to, in a process of its own.
  Writer(const Bench& bench, const std::string& name, std::uint64_t size,
         const std::function<void(const Stream&, int)>& job)
      : stream_(bench.scratch, name, size), frame_(size, std::byte{1}) {
    Pipe pipe = make_pipe();
    reading_ = std::move(pipe.reading);
    peer_.emplace(bench.settings, [&] { job(stream_.stream(), pipe.writing.get()); });
    const Semaphores semaphores = stream_.stream().semaphores();
    while (semaphores.reader(semaphores.count() - 1) <= 0) {  // until it follows
      throw_if_interrupted();
    }
  }
  [[nodiscard]] double sample() {
    peer_->await_sleep();
    int left = 0;  // behind as many bytes as the pixels are
    ::ioctl(reading_.get(), FIONREAD, &left);
    drain(reading_.get(), static_cast<std::uint64_t>(left));
    return timed([&] {
      WriteGuard guard(stream_.stream());
      guard.write(frame_);
      guard.publish();
      if (drain(reading_.get(), frame_.size()) != frame_.size()) {
        throw Error(Problem::failed, stream_.stream().name(), "its reader has ended");
      }
    });
  }

 private:
  Temporary stream_;
  std::vector<std::byte> frame_;
  FileDescriptor reading_;
  std::optional<Peer> peer_;
};

/// shmim-cat in that format.
Writer following(const Bench& bench, const std::string& format, std::uint64_t size) {
  const std::string program = sibling("cat").string();
  const std::string dir = bench.scratch.path().string();
  return {bench, format, size, [&](const Stream& stream, int pipe) {
            ::dup2(pipe, STDOUT_FILENO);
            ::execl(program.c_str(), program.c_str(), stream.name().c_str(), "-f", "-o",
                    format.c_str(), "--dir", dir.c_str(), nullptr);
          }};
}

void measure_followed(const Bench& bench, std::uint64_t size) {
  Writer loop(bench, "loop", size, [&](const Stream& stream, int pipe) {
    ::dup2(pipe, STDOUT_FILENO);
    widen_pipe(STDOUT_FILENO, size);  // or it would be the size of the pipe that is compared
    Follower follower(stream.duplicate());
    std::vector<std::byte> frame(size);
    while (follower.wait(std::nullopt) == Arrival::arrived) {
      static_cast<void>(stream.snapshot(frame));
      write_stdout(frame);
    }
  });
  Writer ours = following(bench, "raw", size);
  Case contest{"cat", fmt::format("-f, frames of {}", bytes_text(size)), {}, 500};
  contest.contenders.push_back({"a loop of snapshot and write", [&] { return loop.sample(); }});
  contest.contenders.push_back({"shmim-cat -f -o raw", [&] { return ours.sample(); }});
  bench.run(contest);
}

void measure_identity(const Bench& bench, std::uint64_t size) {
  Writer pixels = following(bench, "raw", size);
  Writer frames = following(bench, "frames", size);
  Case contest{"frames", fmt::format("frames of {}", bytes_text(size)), {}, 500};
  contest.contenders.push_back({"shmim-cat -f -o raw", [&] { return pixels.sample(); }});
  contest.contenders.push_back({"shmim-cat -f -o frames", [&] { return frames.sample(); }});
  bench.run(contest);
}

}  // namespace

void measure_frames(const Bench& bench) {
  for (const std::uint64_t size : bench.sizes_or({400, 512 << 10, 8 << 20})) {
    measure_identity(bench, size);
  }
}

void measure_cat(const Bench& bench) {
  for (const std::uint64_t size : bench.sizes_or({64 << 20})) {
    measure_whole(bench, size);
  }
  for (const std::uint64_t size : bench.sizes_or({128 << 10})) {
    measure_followed(bench, size);
  }
}

}  // namespace shmim::tools::bench
