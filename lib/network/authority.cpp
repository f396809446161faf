#include "network/authority.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "network/socket.hpp"
#include "shmim/text.hpp"

namespace shmim::network {
namespace {

constexpr const char* ending = "inproc://end-of-authority";

std::string z85_of(const zmq::message_t& key) {
  constexpr std::size_t bytes_of_key = 32;
  constexpr std::size_t characters = 40;
  if (key.size() != bytes_of_key) {
    return {};
  }
  std::array<char, characters + 1> text{};
  zmq_z85_encode(text.data(), key.data<std::uint8_t>(), key.size());
  return text.data();
}

}  // namespace

Authority::Authority(zmq::context_t& context, std::vector<std::string> known, Refused refused)
    : known_(std::move(known)),
      refused_(std::move(refused)),
      end_(context, zmq::socket_type::pair) {
  end_.bind(ending);
  zmq::socket_t questions(context, zmq::socket_type::rep);
  questions.bind("inproc://zeromq.zap.01");
  zmq::socket_t told(context, zmq::socket_type::pair);
  told.connect(ending);
  thread_ = std::thread([this, questions = std::move(questions), told = std::move(told)]() mutable {
    std::array<zmq::pollitem_t, 2> items{
        {{questions.handle(), 0, ZMQ_POLLIN, 0}, {told.handle(), 0, ZMQ_POLLIN, 0}}};
    for (;;) {
      if (!wait_for(items, std::chrono::milliseconds{-1})) {
        continue;
      }
      if ((items[1].revents & ZMQ_POLLIN) != 0) {
        return;
      }
      answer(questions);
    }
  });
}

Authority::~Authority() {
  try {
    end_.send(zmq::str_buffer("end"), zmq::send_flags::none);
  } catch (const zmq::error_t&) {
    // Then the context has been ended, and the thread with it.
  }
  thread_.join();
}

void Authority::answer(zmq::socket_t& questions) {
  // Version, request, domain, address, identity, mechanism, credentials.
  constexpr std::size_t address = 3;
  constexpr std::size_t mechanism = 5;
  constexpr std::size_t credentials = 6;
  std::vector<zmq::message_t> parts;
  do {
    parts.emplace_back();
    if (!questions.recv(parts.back(), zmq::recv_flags::none)) {
      return;
    }
  } while (parts.back().more());
  const bool is_question = parts.size() == credentials + 1;
  const std::string key = is_question && parts[mechanism].to_string_view() == "CURVE"
                              ? z85_of(parts[credentials])
                              : std::string();
  const bool is_known = !key.empty() && std::ranges::find(known_, key) != known_.end();
  if (!is_known && is_question) {
    refused_(printable(parts[address].to_string_view()), key);
  }
  zmq::message_t request;
  if (parts.size() > 1) {
    request.move(parts[1]);
  }
  questions.send(zmq::str_buffer("1.0"), zmq::send_flags::sndmore);
  questions.send(request, zmq::send_flags::sndmore);
  questions.send(is_known ? zmq::str_buffer("200") : zmq::str_buffer("400"),
                 zmq::send_flags::sndmore);
  questions.send(zmq::str_buffer(""), zmq::send_flags::sndmore);
  questions.send(zmq::str_buffer(""), zmq::send_flags::sndmore);
  questions.send(zmq::str_buffer(""), zmq::send_flags::none);
}

}  // namespace shmim::network
