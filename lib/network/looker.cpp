#include <array>
#include <utility>

#include <fmt/format.h>

#include "network/message.hpp"
#include "network/socket.hpp"
#include "shmim/error.hpp"
#include "shmim/text.hpp"

namespace shmim {

class Looker::Eye {
 public:
  Eye(std::string endpoint, LookerOptions options)
      : endpoint_(std::move(endpoint)),
        called_(options.called.empty() ? endpoint_ : options.called),
        options_(std::move(options)),
        context_(1),
        socket_(context_, zmq::socket_type::dealer),
        monitor_(context_, socket_) {
    network::require_endpoint(endpoint_);
    network::set_up(socket_);
    socket_.set(zmq::sockopt::immediate, true);
    constexpr std::int64_t longest_message = 256 << 20;
    socket_.set(zmq::sockopt::maxmsgsize, longest_message);
    network::connect(socket_, endpoint_, options_.keys, options_.sender);
  }

  std::string look(const SightRequest& request, Deadline deadline) {
    using std::chrono::steady_clock;
    const network::Look look{++id_, request};
    const std::string question = network::encode(network::FromReceiver(look));
    constexpr std::chrono::milliseconds between_questions{1000};
    auto next_question = steady_clock::now();
    std::array<zmq::pollitem_t, 2> items{
        {{socket_.handle(), 0, ZMQ_POLLIN, 0}, {monitor_.events().handle(), 0, ZMQ_POLLIN, 0}}};
    while (true) {
      const auto now = steady_clock::now();
      if (now >= next_question) {
        // Where there is no connection, nobody is to hear it later.
        socket_.send(zmq::message_t(question), zmq::send_flags::dontwait);
        next_question = now + between_questions;
      }
      constexpr std::chrono::milliseconds longest{50};
      static_cast<void>(network::wait_for(items, longest));
      while (const auto news = monitor_.next()) {
        note(*news);
        next_question = now;
      }
      while (auto sight = take_message(look.id)) {
        if (!sight->empty()) {
          return *std::move(sight);
        }
      }
      if (options_.cancelled && options_.cancelled()) {
        throw Error(Problem::failed, called_, "the look was given up");
      }
      if (deadline && steady_clock::now() >= *deadline) {
        throw Error(
            Problem::failed, called_,
            is_connected_ ? "does not answer" : "cannot be reached: no shmim-serve answers there");
      }
    }
  }

 private:
  void note(const network::Monitor::News& news) {
    switch (news.change) {
      case network::Monitor::Change::connected:
        is_connected_ = true;
        break;
      case network::Monitor::Change::down:
        if (!std::exchange(is_connected_, false) && options_.keys) {
          throw Error(Problem::failed, called_,
                      "refused: the connection ended before both had agreed on keys: is the other "
                      "one's the right key?");
        }
        break;
      case network::Monitor::Change::refused:
        if (options_.is_tunnel) {
          break;
        }
        throw Error(Problem::failed, called_, "refused: " + news.why);
    }
  }

  /// The sight, empty for another message; nullopt where there is none. Throws what the other end
  /// says.
  std::optional<std::string> take_message(std::uint64_t id) {
    zmq::message_t head;
    zmq::message_t body;
    if (!socket_.recv(head, zmq::recv_flags::dontwait)) {
      return std::nullopt;
    }
    bool has_more = head.more();
    while (has_more) {
      if (!socket_.recv(body, zmq::recv_flags::none)) {
        return std::nullopt;
      }
      has_more = body.more();
    }
    const network::FromSender message =
        network::decode_from_sender({head.data<std::byte>(), head.size()});
    if (const auto* failure = std::get_if<network::Failure>(&message);
        failure != nullptr && failure->id == id) {
      throw Error(failure->problem, called_, printable(failure->why));
    }
    const auto* seen = std::get_if<network::Seen>(&message);
    return seen != nullptr && seen->id == id ? body.to_string() : std::string();
  }

  std::string endpoint_;
  std::string called_;
  LookerOptions options_;
  zmq::context_t context_;
  zmq::socket_t socket_;
  network::Monitor monitor_;
  bool is_connected_ = false;
  std::uint64_t id_ = 0;
};

Looker::Looker(const std::string& endpoint, LookerOptions options)
    : eye_(std::make_unique<Eye>(endpoint, std::move(options))) {}
Looker::~Looker() = default;
std::string Looker::look(const SightRequest& request, Deadline deadline) {
  return eye_->look(request, deadline);
}

}  // namespace shmim
