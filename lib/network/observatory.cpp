#include "network/observatory.hpp"

#include <algorithm>
#include <utility>

#include "shmim/error.hpp"
#include "shmim/pattern.hpp"

namespace shmim::network {
namespace {

/// What a hostile receiver can cost.
constexpr std::size_t most_questions = 64;
constexpr std::size_t most_patterns = 256;
constexpr std::size_t most_unsent_answers = 2;
constexpr std::chrono::seconds watched_for_nobody{5};

}  // namespace

Observatory::Observatory(std::filesystem::path directory, std::vector<std::string> patterns,
                         Answer answer, Refuse refuse)
    : directory_(std::move(directory)),
      patterns_(std::move(patterns)),
      answer_(std::move(answer)),
      refuse_(std::move(refuse)),
      thread_([this] { run(); }) {}

Observatory::~Observatory() {
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  asked_.notify_all();
  thread_.join();
}

bool Observatory::serves(const std::string& name) const { return matches_any(patterns_, name); }

void Observatory::ask(const std::string& receiver, Look look) {
  const std::lock_guard lock(mutex_);
  const auto is_sent = [](const std::weak_ptr<std::string>& answer) { return answer.expired(); };
  std::erase_if(answers_,
                [&](const auto& entry) { return std::ranges::all_of(entry.second, is_sent); });
  if (const auto unsent = answers_.find(receiver); unsent != answers_.end()) {
    std::erase_if(unsent->second, is_sent);
    if (unsent->second.size() >= most_unsent_answers) {
      return;
    }
  }
  const auto [question, is_new] = questions_.try_emplace(receiver);
  if (is_new) {
    if (questions_.size() > most_questions) {
      questions_.erase(question);
      return;
    }
    order_.push_back(receiver);
  }
  question->second = std::move(look);
  asked_.notify_one();
}

void Observatory::run() {
  std::unique_lock lock(mutex_);
  while (!is_over_) {
    if (order_.empty()) {
      if (asked_.wait_for(lock, watched_for_nobody) == std::cv_status::timeout && order_.empty()) {
        watcher_.reset();
      }
      continue;
    }
    const std::string receiver = std::move(order_.front());
    order_.pop_front();
    const Look look = std::move(questions_.extract(receiver).mapped());
    lock.unlock();
    answer(receiver, look);
    lock.lock();
  }
}

void Observatory::answer(const std::string& receiver, const Look& look) {
  try {
    if (look.request.patterns.size() > most_patterns) {
      throw Error(Problem::failed, "", "too many patterns at a time");
    }
    if (look.request.rates && !watcher_) {
      watcher_.emplace(directory_);
    }
    Sight sight = look_at(directory_, look.request, watcher_ ? &*watcher_ : nullptr);
    for (std::size_t i = sight.streams.size(); i > 0; --i) {
      const auto at = static_cast<std::ptrdiff_t>(i - 1);
      if (serves(sight.streams[i - 1].description.name)) {
        continue;
      }
      sight.streams.erase(sight.streams.begin() + at);
      if (!sight.holders.empty()) {
        sight.holders.erase(sight.holders.begin() + at);
      }
    }
    std::erase_if(sight.names, [this](const auto& named) { return !serves(named.second); });
    std::erase_if(sight.removed, [this](const HolderTable::Removed& removed) {
      return !serves(stream_name(removed.path));
    });
    answer_(receiver, look.id, lend(receiver, encode_sight(sight)));
  } catch (const Error& error) {
    refuse_(receiver, {look.id, error.problem(), error.what()});
  }
}

/// Remembers it until ZeroMQ has sent it.
zmq::message_t Observatory::lend(const std::string& receiver, std::string sight) {
  auto kept = std::make_shared<std::string>(std::move(sight));
  {
    const std::lock_guard lock(mutex_);
    answers_[receiver].push_back(kept);
  }
  auto hint = std::make_unique<std::shared_ptr<std::string>>(kept);
  zmq::message_t message(
      kept->data(), kept->size(),
      [](void* /*bytes*/, void* mine) {
        const std::unique_ptr<std::shared_ptr<std::string>> done(
            static_cast<std::shared_ptr<std::string>*>(mine));
      },
      hint.get());
  static_cast<void>(hint.release());  // the message has it
  return message;
}

}  // namespace shmim::network
