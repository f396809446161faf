#include "bench/zeromq.hpp"

#include <array>
#include <cstring>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <zmq.hpp>

#include "bench/process.hpp"

namespace shmim::tools::bench {
namespace {

/// What is to be done with the message that follows.
constexpr std::string_view send_back = "back";
constexpr std::string_view drop = "drop";
constexpr std::string_view drop_and_say = "said";

void encrypt_sender(zmq::socket_t& socket, const Keys& keys) {
  socket.set(zmq::sockopt::curve_server, true);
  socket.set(zmq::sockopt::curve_secretkey, keys.sender.secret_key);
}

void encrypt_receiver(zmq::socket_t& socket, const Keys& keys) {
  socket.set(zmq::sockopt::curve_serverkey, keys.sender.public_key);
  socket.set(zmq::sockopt::curve_publickey, keys.receiver.public_key);
  socket.set(zmq::sockopt::curve_secretkey, keys.receiver.secret_key);
}

[[noreturn]] void answer_messages(const Meeting& meeting, const std::optional<Keys>& keys) {
  zmq::context_t context;
  zmq::socket_t socket(context, zmq::socket_type::dealer);
  if (keys) {
    encrypt_receiver(socket, *keys);
  }
  socket.connect(endpoint_at(meeting));
  socket.send(zmq::str_buffer("hello"));
  for (;;) {
    zmq::message_t what;
    zmq::message_t message;
    static_cast<void>(socket.recv(what));
    static_cast<void>(socket.recv(message));
    if (what.to_string_view() == send_back) {
      socket.send(message, zmq::send_flags::none);
    } else if (what.to_string_view() == drop_and_say) {
      socket.send(zmq::str_buffer("all"));
    }
  }
}

}  // namespace

std::string endpoint_at(const Meeting& meeting) {
  while (meeting.port == 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  return fmt::format("tcp://127.0.0.1:{}", meeting.port.load());
}

void tell_port(Meeting& meeting, const std::string& endpoint) {
  meeting.port = std::stoi(endpoint.substr(endpoint.rfind(':') + 1));
}

void send_by_hand(const std::filesystem::path& path, Meeting& meeting,
                  const std::optional<Keys>& keys) {
  zmq::context_t context;
  zmq::socket_t socket(context, zmq::socket_type::router);
  if (keys) {
    encrypt_sender(socket, *keys);
  }
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

void receive_by_hand(const std::filesystem::path& path, const Meeting& meeting,
                     const std::optional<Keys>& keys) {
  zmq::context_t context;
  zmq::socket_t socket(context, zmq::socket_type::dealer);
  if (keys) {
    encrypt_receiver(socket, *keys);
  }
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

class BareLine::Ends {
 public:
  Ends(const Bench& bench, std::uint64_t bytes, const std::optional<Keys>& keys)
      : receiver_(bench.settings, [&] { answer_messages(*meeting_, keys); }),
        socket_(context_, zmq::socket_type::router),
        memory_(bytes) {
    if (keys) {
      encrypt_sender(socket_, *keys);
    }
    socket_.bind("tcp://127.0.0.1:*");
    tell_port(*meeting_, socket_.get(zmq::sockopt::last_endpoint));
    static_cast<void>(socket_.recv(address_));
    await_answer();
  }

  void send(std::string_view what) {
    zmq::message_t to;
    to.copy(address_);
    socket_.send(to, zmq::send_flags::sndmore);
    socket_.send(zmq::buffer(what), zmq::send_flags::sndmore);
    // As a Sender does: out of memory that stays as it is, without a copy.
    zmq::message_t message(
        memory_.data(), memory_.size(), [](void*, void*) {}, nullptr);
    socket_.send(message, zmq::send_flags::none);
  }
  void await_answer() {
    zmq::message_t part;
    do {
      static_cast<void>(socket_.recv(part));
    } while (part.more());
  }

 private:
  Shared<Meeting> meeting_;
  Peer receiver_;
  zmq::context_t context_;
  zmq::socket_t socket_;
  zmq::message_t address_;
  std::vector<std::byte> memory_;
};

BareLine::BareLine(const Bench& bench, std::uint64_t bytes, const std::optional<Keys>& keys)
    : ends_(std::make_unique<Ends>(bench, bytes, keys)) {}
BareLine::~BareLine() = default;

double BareLine::one() {
  return timed([this] {
           ends_->send(send_back);
           ends_->await_answer();
         }) /
         2;
}

double BareLine::one_of(unsigned messages) {
  return timed([this, messages] {
           for (unsigned i = 1; i < messages; ++i) {
             ends_->send(drop);
           }
           ends_->send(drop_and_say);
           ends_->await_answer();
         }) /
         messages;
}

}  // namespace shmim::tools::bench
