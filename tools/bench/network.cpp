// Frames from a stream to one of another directory, by way of the loopback device. The floor is
// what a program would do by hand with the same sockets of ZeroMQ: no keywords, no times, no
// credit.

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <thread>

#include <fmt/format.h>
#include <shmim/network.hpp>
#include <zmq.hpp>

#include "bench/measure.hpp"
#include "bench/process.hpp"

namespace shmim::tools::bench {
namespace {

constexpr std::chrono::seconds patience{10};

/// What the two processes of a bridge agree upon.
struct Meeting {
  std::atomic<int> port;  ///< 0 until it is known
};

std::string endpoint_at(const Meeting& meeting) {
  while (meeting.port == 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  return fmt::format("tcp://127.0.0.1:{}", meeting.port.load());
}

void tell_port(Meeting& meeting, const std::string& endpoint) {
  meeting.port = std::stoi(endpoint.substr(endpoint.rfind(':') + 1));
}

void send_by_hand(const std::filesystem::path& path, Meeting& meeting) {
  zmq::context_t context;
  zmq::socket_t socket(context, zmq::socket_type::router);
  socket.bind("tcp://127.0.0.1:*");
  tell_port(meeting, socket.get(zmq::sockopt::last_endpoint));
  zmq::message_t receiver;
  zmq::message_t hello;
  static_cast<void>(socket.recv(receiver));
  static_cast<void>(socket.recv(hello));
  Follower follower(Stream::open(path));
  for (;;) {
    zmq::message_t pixels(follower.stream().format().bytes());
    TakenFrame taken;
    static_cast<void>(follower.next(
        FrameOrder::latest, std::nullopt,
        [&](std::span<const std::byte> frame) {
          std::memcpy(pixels.data(), frame.data(), frame.size());
        },
        taken));
    zmq::message_t to;
    to.copy(receiver);
    socket.send(to, zmq::send_flags::sndmore);
    socket.send(zmq::message_t(&taken.info.cnt0, sizeof taken.info.cnt0), zmq::send_flags::sndmore);
    socket.send(pixels, zmq::send_flags::none);
    // One is on its way while another is published, as with the credit of a Sender.
    static_cast<void>(socket.recv(to));
    static_cast<void>(socket.recv(hello));
  }
}

void receive_by_hand(const std::filesystem::path& path, const Meeting& meeting) {
  zmq::context_t context;
  zmq::socket_t socket(context, zmq::socket_type::dealer);
  socket.connect(endpoint_at(meeting));
  Publisher publisher(Stream::open(path));
  socket.send(zmq::str_buffer("hello"));
  socket.send(zmq::str_buffer("more"));
  for (;;) {
    zmq::message_t cnt0;
    zmq::message_t pixels;
    static_cast<void>(socket.recv(cnt0));
    static_cast<void>(socket.recv(pixels));
    publisher.publish({pixels.data<std::byte>(), pixels.size()});
    socket.send(zmq::str_buffer("more"));
  }
}

SearchPath search_path_of(const std::filesystem::path& directory) {
  SearchPath path;
  path.shm = directory;
  path.conf.clear();
  return path;
}

/// A stream here, one there, and what takes frames from the one to the other.
class Bridge {
 public:
  Bridge(const Bench& bench, const std::string& name, std::uint64_t bytes, bool by_hand)
      // With a circular buffer, or a writer without a pause leaves no whole frame.
      : near_(bench.scratch, name + "-near", bytes, 4),
        publisher_(near_.stream()),
        frame_(near_.stream().format().bytes()) {
    const std::filesystem::path& directory = bench.scratch.path();
    const std::filesystem::path there = directory / (name + "-far");
    std::filesystem::remove_all(there);
    std::filesystem::create_directory(there);
    const std::filesystem::path far = stream_path(there, name + "-near");
    publisher_.publish(frame_);
    if (by_hand) {
      Stream draft = Stream::draft(there, name + "-near", near_.stream().format());
      static_cast<void>(draft.publish());
      sender_ = std::make_unique<Peer>(bench.settings,
                                       [&] { send_by_hand(near_.stream().path(), *meeting_); });
      receiver_ = std::make_unique<Peer>(bench.settings, [&] { receive_by_hand(far, *meeting_); });
    } else {
      sender_ = std::make_unique<Peer>(bench.settings, [&] {
        Sender sender({parse_reference(name + "-near")}, search_path_of(directory), {});
        tell_port(*meeting_, sender.bind("tcp://127.0.0.1:*"));
        sender.run();
      });
      receiver_ = std::make_unique<Peer>(bench.settings, [&] {
        Receiver(endpoint_at(*meeting_), {}, search_path_of(there), {}).run();
      });
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
      publisher_.publish(frame_);
    }
    settle_down();
  }

  /// From here to there.
  double one_frame() {
    return timed([this] {
      publisher_.publish(frame_);
      wait();
    });
  }
  /// For each that arrives, while more are published than go over.
  double one_of_many() {
    constexpr unsigned frames = 64;
    std::jthread writer([this](const std::stop_token& over) {
      while (!over.stop_requested()) {
        publisher_.publish(frame_);
      }
    });
    wait();
    const double taken = timed([this] { wait(); }, frames);
    writer.request_stop();
    writer.join();
    settle_down();
    return taken;
  }

 private:
  void wait() {
    if (follower_->wait(deadline_after(patience)) != Arrival::arrived) {
      throw Error(Problem::failed, "network", "no frame came over");
    }
  }
  void settle_down() {
    while (follower_->wait(deadline_after(std::chrono::milliseconds{50})) == Arrival::arrived) {
    }
  }
  Temporary near_;
  Publisher publisher_;
  std::vector<std::byte> frame_;
  Shared<Meeting> meeting_;
  std::unique_ptr<Peer> sender_;
  std::unique_ptr<Peer> receiver_;
  std::optional<Follower> follower_;
};

}  // namespace

void measure_network(const Bench& bench) {
  for (const std::uint64_t size : bench.sizes_or({64, 128 << 10, 512 << 10, 8 << 20})) {
    Bridge by_hand(bench, "hand", size, true);
    Bridge ours(bench, "ours", size, false);
    bench.run({"network",
               bytes_text(size) + ", one frame",
               {{"ZeroMQ by hand", [&] { return by_hand.one_frame(); }},
                {"Sender and Receiver", [&] { return ours.one_frame(); }}},
               200});
    bench.run({"network",
               bytes_text(size) + ", one of many",
               {{"ZeroMQ by hand", [&] { return by_hand.one_of_many(); }},
                {"Sender and Receiver", [&] { return ours.one_of_many(); }}},
               5});
  }
}

}  // namespace shmim::tools::bench
