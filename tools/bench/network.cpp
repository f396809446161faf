// Frames from a stream to one of another directory, by way of the loopback device. The floor is
// the same sockets of ZeroMQ with no stream at either end; beside it, what a program would do by
// hand with them, from stream to stream: no keywords, no times, no credit.

#include <algorithm>
#include <memory>
#include <thread>

#include <fmt/format.h>
#include <shmim/network.hpp>

#include "bench/measure.hpp"
#include "bench/process.hpp"
#include "bench/zeromq.hpp"
#include "common/io/interrupt.hpp"

namespace shmim::tools::bench {
namespace {

constexpr std::chrono::seconds patience{10};
constexpr unsigned many = 64;
constexpr unsigned fewer = 16;  ///< of those that take longer

SearchPath search_path_of(const std::filesystem::path& directory) {
  SearchPath path;
  path.shm = directory;
  path.conf.clear();
  return path;
}

/// How frames go over.
struct Way {
  bool by_hand = false;
  std::optional<Keys> keys = std::nullopt;
  Compression compression = Compression::none;
};

/// A stream here, one there, and what takes frames from the one to the other. All that are compared
/// send the same frame: how long it takes to read another differs by where it lies.
class Bridge {
 public:
  Bridge(const Bench& bench, const std::string& name, const Format& format,
         std::span<const std::byte> frame, const Way& way)
      : near_(bench.scratch, name + "-near", format), publisher_(near_.stream()), frame_(frame) {
    const std::filesystem::path& directory = bench.scratch.path();
    const std::filesystem::path there = directory / (name + "-far");
    std::filesystem::remove_all(there);
    std::filesystem::create_directory(there);
    const std::filesystem::path far = stream_path(there, name + "-near");
    publisher_.publish(frame_);
    if (way.by_hand) {
      Stream draft = Stream::draft(there, name + "-near", near_.stream().format());
      static_cast<void>(draft.publish());
      sender_ = std::make_unique<Peer>(
          bench.settings, [&] { send_by_hand(near_.stream().path(), *meeting_, way.keys); });
      receiver_ = std::make_unique<Peer>(bench.settings,
                                         [&] { receive_by_hand(far, *meeting_, way.keys); });
    } else {
      sender_ = std::make_unique<Peer>(bench.settings, [&] { send(directory, name, way.keys); });
      receiver_ = std::make_unique<Peer>(bench.settings, [&] { receive(there, way); });
    }
    AwaitOptions waiting;
    waiting.deadline = deadline_after(patience);
    const Connection found =
        await(parse_reference(name + "-near"), {}, search_path_of(there), waiting);
    if (!found.stream) {
      throw Error(Problem::failed, "network", "the bridge was not made in time");
    }
    follower_.emplace(*found.stream);
    // Until one has come over.
    while (follower_->wait(deadline_after(std::chrono::milliseconds{100})) != Arrival::arrived) {
      throw_if_interrupted();
      publisher_.publish(frame_);
    }
    settle_down();
  }

  /// From here to there.
  double one() {
    return timed([this] {
      publisher_.publish(frame_);
      wait();
    });
  }
  /// For each that arrives, of which the next are always there. Not for as many as can be written:
  /// who writes them would take a processor from who sends them.
  double one_of(unsigned frames) {
    constexpr std::uint64_t ahead = 3;
    const auto go_on = [this] {
      while (publisher_.stream().cnt0() < follower_->stream().cnt0() + ahead) {
        publisher_.publish(frame_);
      }
    };
    go_on();
    wait();
    const double taken = timed(
        [&] {
          go_on();
          wait();
        },
        frames);
    settle_down();
    return taken;
  }
  /// What the writer has of it.
  double publication() {
    return timed([this] { publisher_.publish(frame_); });
  }
  /// Of the last frame that came compressed.
  [[nodiscard]] double packed_bytes() const { return static_cast<double>(meeting_->packed_bytes); }

 private:
  void send(const std::filesystem::path& directory, const std::string& name,
            const std::optional<Keys>& keys) {
    SenderOptions options;
    if (keys) {
      options.keys = keys->sender;
      options.receivers = {keys->receiver.public_key};
    }
    Sender sender({parse_reference(name + "-near")}, search_path_of(directory), options);
    tell_port(*meeting_, sender.bind("tcp://127.0.0.1:*"));
    sender.run();
  }
  void receive(const std::filesystem::path& directory, const Way& way) {
    ReceiverOptions options;
    if (way.keys) {
      options.keys = way.keys->receiver;
      options.sender = way.keys->sender.public_key;
    }
    options.compression = way.compression;
    options.tell = [this](const NetworkEvent& event) {
      if (event.kind == NetworkEvent::Kind::compression) {
        meeting_->packed_bytes = event.count;
      }
    };
    Receiver(endpoint_at(*meeting_), {}, search_path_of(directory), options).run();
  }
  void wait() {
    if (follower_->wait(deadline_after(patience)) != Arrival::arrived) {
      throw_if_interrupted();
      throw Error(Problem::failed, "network", "no frame came over");
    }
  }
  void settle_down() {
    while (follower_->wait(deadline_after(std::chrono::milliseconds{50})) == Arrival::arrived) {
    }
  }
  Temporary near_;
  Publisher publisher_;
  std::span<const std::byte> frame_;
  Shared<Meeting> meeting_;
  std::unique_ptr<Peer> sender_;
  std::unique_ptr<Peer> receiver_;
  std::optional<Follower> follower_;
};

/// With a circular buffer, or a writer without a pause leaves no whole frame.
constexpr std::uint32_t ring_slots = 4;

/// How often each is done: what takes longer, less often.
struct Times {
  std::size_t one;
  unsigned many;
};

void measure_line(const Bench& bench, const std::string& name, std::uint64_t size,
                  const std::optional<Keys>& keys, const Times& times) {
  BareLine bare(bench, size, keys);
  const std::vector<std::byte> frame(size, std::byte{1});
  const Format format = format_of(size, ring_slots);
  Bridge by_hand(bench, "hand", format, frame, {.by_hand = true, .keys = keys});
  Bridge ours(bench, "ours", format, frame, {.keys = keys});
  bench.run({"network",
             bytes_text(size) + ", one frame" + name,
             {{"ZeroMQ alone", [&] { return bare.one(); }},
              {"ZeroMQ by hand, of streams", [&] { return by_hand.one(); }},
              {"Sender and Receiver", [&] { return ours.one(); }}},
             times.one});
  bench.run({"network",
             bytes_text(size) + ", one of many" + name,
             {{"ZeroMQ alone", [&] { return bare.one_of(times.many); }},
              {"ZeroMQ by hand, of streams", [&] { return by_hand.one_of(times.many); }},
              {"Sender and Receiver", [&] { return ours.one_of(times.many); }}},
             5});
}

/// Of the picture of a camera: noise of a thousand photons.
void measure_compressed(const Bench& bench, std::uint64_t size) {
  Format format;
  format.type = DataType::uint16;
  format.shape = Shape{static_cast<std::uint32_t>(size / 2)};
  format.circular_buffer = ring_slots;
  std::vector<std::byte> picture(format.bytes());
  TestPattern("noise,mean=1000,sigma=32", format.type, format.shape).fill(0, never, picture);
  Bridge plain(bench, "plain", format, picture, {});
  Bridge lz4(bench, "lz4", format, picture, {.compression = Compression::lz4});
  Bridge zstd(bench, "zstd", format, picture, {.compression = Compression::zstd});
  const std::string name = bytes_text(size) + " of noise";
  bench.run({"network",
             name + ", one of many",
             {{"as they are", [&] { return plain.one_of(fewer); }},
              {"lz4", [&] { return lz4.one_of(fewer); }},
              {"zstd", [&] { return zstd.one_of(fewer); }}},
             5});
  bench.run({"network",
             name + ", on the line",
             {{"as they are", [&] { return static_cast<double>(format.bytes()); }},
              {"lz4", [&] { return lz4.packed_bytes(); }},
              {"zstd", [&] { return zstd.packed_bytes(); }}},
             1,
             Unit::bytes});
}

/// A stream, and a process that takes each frame of it by `copy`.
class ReadStream {
 public:
  ReadStream(const Bench& bench, const std::string& name, std::uint64_t size, const CopyFrame& copy)
      : stream_(bench.scratch, name, size, ring_slots), reader_(bench.settings, [&] {
          Follower follower(stream_.stream().duplicate());
          TakenFrame taken;
          while (follower.next(FrameOrder::latest, std::nullopt, copy, taken) == Arrival::arrived) {
          }
        }) {
    reader_.await_sleep();
  }
  [[nodiscard]] const Stream& stream() const noexcept { return stream_.stream(); }

 private:
  Temporary stream_;
  Peer reader_;
};

void measure_writer(const Bench& bench, std::uint64_t size) {
  const Temporary alone(bench.scratch, "alone", size, ring_slots);
  const std::vector<std::byte> frame(size, std::byte{1});
  std::vector<std::byte> taken(size);
  const ReadStream waking(bench, "waking", size, [](std::span<const std::byte>) {});
  const ReadStream copying(bench, "copying", size, [&](std::span<const std::byte> pixels) {
    std::ranges::copy(pixels, taken.begin());
  });
  Bridge by_hand(bench, "hand", format_of(size, ring_slots), frame, {.by_hand = true});
  Bridge ours(bench, "ours", format_of(size, ring_slots), frame, {});
  // Long enough for a frame to be there before the next, as where a camera sets the pace.
  const auto pause = std::chrono::microseconds{500} + std::chrono::nanoseconds{size};
  const auto publish_to = [&](const Stream& stream) {
    return [&frame, pause, publisher = std::make_shared<Publisher>(stream)] {
      std::this_thread::sleep_for(pause);
      return timed([&] { publisher->publish(frame); });
    };
  };
  Case contest{"network", bytes_text(size) + ", its writer", {}, 200};
  contest.contenders.push_back({"publish, nobody follows", publish_to(alone.stream())});
  contest.contenders.push_back({"publish, a reader wakes", publish_to(waking.stream())});
  contest.contenders.push_back({"publish, a reader copies", publish_to(copying.stream())});
  const auto publish_over = [pause](Bridge& bridge) {
    return [&bridge, pause] {
      std::this_thread::sleep_for(pause);
      return bridge.publication();
    };
  };
  contest.contenders.push_back({"publish, sent by hand", publish_over(by_hand)});
  contest.contenders.push_back({"publish, to a Sender", publish_over(ours)});
  for (std::uint32_t i = 0; i <= ring_slots; ++i) {
    for (const Contender& contender : contest.contenders) {
      contender.sample();  // the first time round the kernel maps the ring_slots
    }
  }
  bench.run(contest);
}

}  // namespace

void measure_network(const Bench& bench) {
  for (const std::uint64_t size : bench.sizes_or({64, 128 << 10, 512 << 10, 8 << 20})) {
    measure_line(bench, "", size, std::nullopt, {.one = 200, .many = many});
  }
  for (const std::uint64_t size : bench.sizes_or({128 << 10, 8 << 20})) {
    measure_line(bench, ", CURVE", size, Keys(), {.one = 50, .many = fewer});
    measure_writer(bench, size);
  }
  for (const std::uint64_t size : bench.sizes_or({512 << 10})) {
    measure_compressed(bench, size);
  }
}

}  // namespace shmim::tools::bench
