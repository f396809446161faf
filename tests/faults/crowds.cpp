// Many processes want one thing at the same moment: a name, a semaphore, the right to write.

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <set>

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include "c_library.hpp"
#include "harness.hpp"

namespace shmim::faults {
namespace {

constexpr unsigned most_processes = 256;
constexpr int got_nothing = -1;

/// What one process of the crowd got in this round.
struct Result {
  pid_t pid = 0;
  int got = got_nothing;         ///< an index, or an outcome
  bool is_sound = false;         ///< it saw what it must
  std::array<char, 2048> why{};  ///< where it got nothing
};

struct Meeting {
  pthread_barrier_t barrier{};
  std::atomic<bool> is_over{false};
  std::array<Result, most_processes> results{};
};

/// The crowd, started once; each round it does `contend`, holds what it got while `judge` looks,
/// and lets it go.
class Crowd {
 public:
  using Contend = std::function<std::shared_ptr<void>(unsigned index, Result& result)>;
  Crowd(unsigned size, const Contend& contend) : size_(size) {
    pthread_barrierattr_t attributes{};
    pthread_barrierattr_init(&attributes);
    pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&meeting_->barrier, &attributes, size + 1);
    for (unsigned index = 0; index < size; ++index) {
      children_.emplace_back([this, index, &contend] {
        while (true) {
          meet();
          if (meeting_->is_over) {
            return;
          }
          Result& result = meeting_->results[index];
          result = {};
          result.pid = ::getpid();
          const auto held = contend(index, result);
          meet();
          meet();
        }
      });
    }
  }
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;
  ~Crowd() {
    meeting_->is_over = true;
    meet();
    for (Child& child : children_) {
      child.wait();
    }
  }

  /// One round; what they got is valid, and held, until done().
  std::span<const Result> contend() {
    meet();
    meet();
    return std::span(meeting_->results).first(size_);
  }
  void done() { meet(); }

 private:
  void meet() { pthread_barrier_wait(&meeting_->barrier); }
  unsigned size_;
  Shared<Meeting> meeting_;
  std::vector<Child> children_;
};

void explain(Result& result, const Error& error) {
  const std::string_view text = error.what();
  std::copy_n(text.begin(), std::min(text.size(), result.why.size() - 1), result.why.begin());
}

std::uint64_t count(std::span<const Result> results, const std::function<bool(const Result&)>& is) {
  return static_cast<std::uint64_t>(std::count_if(results.begin(), results.end(), is));
}

bool names_everyone(const Result& loser, std::span<const Result> winners) {
  const std::string_view why(loser.why.data());
  return std::all_of(winners.begin(), winners.end(), [why](const Result& winner) {
    return winner.got == got_nothing ||
           why.find(fmt::format("{} (", winner.pid)) != std::string_view::npos;
  });
}

/// All create one name.
void create_one_name(const CrowdOptions& options, Verdict& verdict) {
  const Directory directory;
  Reference reference;
  reference.name = "crowd";
  const Format format = numbers(512);
  Crowd crowd(options.processes, [&](unsigned index, Result& result) -> std::shared_ptr<void> {
    CreateOptions creation{
        format, {}, [index](Stream& stream) {
          fill_frame(stream.unguarded_writable_pixels(), index + 1);
          stream.keywords().set({"MAKER", std::int64_t{index + 1}, "of the crowd"});
        }};
    const Connection connection =
        create_if_missing(reference, requirement_of(format), creation, {directory.path(), {}, {}});
    result.got = static_cast<int>(connection.outcome);
    const auto maker = connection.stream->keywords().find("MAKER");
    const auto pixels = connection.stream->unguarded_pixels();
    result.is_sound =
        maker && is_uniform(pixels) &&
        std::get<std::int64_t>(maker->value) == static_cast<std::int64_t>(number_in(pixels)) &&
        (connection.outcome == Outcome::connected || number_in(pixels) == index + 1);
    return {};
  });
  for (unsigned round = 0; round < options.rounds; ++round) {
    const auto results = crowd.contend();
    const auto made = count(results, [](const Result& result) {
      return result.got == static_cast<int>(Outcome::created);
    });
    const auto found = count(results, [](const Result& result) {
      return result.got == static_cast<int>(Outcome::connected);
    });
    const auto sound = count(results, [](const Result& result) { return result.is_sound; });
    verdict.expect(made == 1 && found == options.processes - 1 && sound == options.processes,
                   fmt::format("create, round {}: {} made it, {} found it, {} saw all of it", round,
                               made, found, sound));
    verdict.expect(directory.names() == std::vector<std::string>{"crowd.im.shm"},
                   fmt::format("create, round {}: other files are left", round));
    directory.clear();
    crowd.done();
  }
  fmt::print("{} processes create one name: {} rounds, in each one made it and {} found it whole\n",
             options.processes, options.rounds, options.processes - 1);
}

/// All claim one of ten semaphores.
void claim_semaphores(const CrowdOptions& options, Verdict& verdict) {
  const Directory directory;
  Stream stream = Stream::draft(directory.path(), "crowd", numbers(512));
  verdict.expect(stream.publish(), "a stream of our own");
  Crowd crowd(options.processes, [&](unsigned, Result& result) -> std::shared_ptr<void> {
    try {
      auto claim = std::make_shared<SemaphoreClaim>(stream.semaphores().claim());
      result.got = static_cast<int>(claim->index());
      return claim;
    } catch (const Error& error) {
      explain(result, error);
      return {};
    }
  });
  const unsigned semaphores = stream.semaphores().count();
  for (unsigned round = 0; round < options.rounds; ++round) {
    const auto results = crowd.contend();
    std::set<int> taken;
    for (const Result& result : results) {
      taken.insert(result.got);
      verdict.expect(result.got != got_nothing || names_everyone(result, results),
                     fmt::format("semaphores, round {}: '{}' does not name all who hold them",
                                 round, result.why.data()));
    }
    taken.erase(got_nothing);
    const auto winners =
        count(results, [](const Result& result) { return result.got != got_nothing; });
    verdict.expect(
        taken.size() == semaphores && winners == semaphores,
        fmt::format("semaphores, round {}: {} have one of {}", round, winners, taken.size()));
    crowd.done();
  }
  fmt::print("{} processes claim {} semaphores: {} rounds, in each {} have one of their own\n",
             options.processes, semaphores, options.rounds, semaphores);
}

/// All claim the right to write.
void claim_writing(const CrowdOptions& options, Verdict& verdict) {
  const Directory directory;
  Stream stream = Stream::draft(directory.path(), "crowd", numbers(512));
  verdict.expect(stream.publish(), "a stream of our own");
  Crowd crowd(options.processes, [&](unsigned, Result& result) -> std::shared_ptr<void> {
    try {
      auto claim = std::make_shared<Claim>(stream.claim_writing());
      result.got = 1;
      return claim;
    } catch (const Error& error) {
      explain(result, error);
      return {};
    }
  });
  for (unsigned round = 0; round < options.rounds; ++round) {
    const auto results = crowd.contend();
    const auto winners =
        count(results, [](const Result& result) { return result.got != got_nothing; });
    verdict.expect(winners == 1, fmt::format("writing, round {}: {} have it", round, winners));
    verdict.expect(count(results,
                         [&](const Result& result) {
                           return result.got == got_nothing && !names_everyone(result, results);
                         }) == 0,
                   fmt::format("writing, round {}: an error does not name who has it", round));
    crowd.done();
  }
  fmt::print("{} processes claim the right to write: {} rounds, in each one has it\n",
             options.processes, options.rounds);
}

bool is_ours(unsigned index) { return index % 2 == 0; }

/// What was seen of claims beside programs of the C library.
struct Mixture {
  std::uint64_t ours = 0;
  std::uint64_t taken_from_us = 0;
  std::uint64_t doubled_by_theirs = 0;

  void judge(std::span<const Result> results, const Stream& stream, Verdict& verdict) {
    std::map<int, pid_t> holder_of_ours;
    std::set<int> theirs;
    for (unsigned index = 0; index < results.size(); ++index) {
      const Result& result = results[index];
      if (result.got == got_nothing) {
        continue;
      }
      if (is_ours(index)) {
        ++ours;
        verdict.expect(holder_of_ours.try_emplace(result.got, result.pid).second,
                       fmt::format("two of ours have semaphore {}", result.got));
      } else {
        doubled_by_theirs += theirs.insert(result.got).second ? 0 : 1;
      }
    }
    for (const auto& [semaphore, pid] : holder_of_ours) {
      const bool is_still_ours =
          stream.semaphores().reader(static_cast<unsigned>(semaphore)) == pid;
      taken_from_us += is_still_ours ? 0 : 1;
      verdict.expect(!is_still_ours || !theirs.contains(semaphore),
                     fmt::format("ours took semaphore {} from theirs", semaphore));
    }
  }
};

/// Every other one claims as the C library does.
void claim_beside_the_c_library(const CrowdOptions& options, Verdict& verdict) {
  const Directory directory;
  Stream stream = Stream::draft(directory.path(), "crowd", numbers(512));
  verdict.expect(stream.publish(), "a stream of our own");
  const c_library::Image image = c_library::open(directory.stream("crowd"));
  Crowd crowd(options.processes, [&](unsigned index, Result& result) -> std::shared_ptr<void> {
    if (!is_ours(index)) {
      const auto semaphore = c_library::claim_semaphore(image);
      result.got = semaphore ? static_cast<int>(*semaphore) : got_nothing;
      return {};
    }
    try {
      auto claim = std::make_shared<SemaphoreClaim>(stream.semaphores().claim());
      result.got = static_cast<int>(claim->index());
      return claim;
    } catch (const Error&) {
      return {};
    }
  });
  Mixture seen;
  for (unsigned round = 0; round < options.rounds; ++round) {
    seen.judge(crowd.contend(), stream, verdict);
    crowd.done();
    // Those of the C library give nothing back.
    std::fill_n(image.semReadPID, stream.semaphores().count(), 0);
  }
  fmt::print(
      "{} processes, half of them of the C library, claim semaphores: {} rounds, {} claims of "
      "ours, none doubled by ours; {} taken from us and {} doubled by theirs\n",
      options.processes, options.rounds, seen.ours, seen.taken_from_us, seen.doubled_by_theirs);
}

}  // namespace

int crowds(const CrowdOptions& options) {
  if (options.processes < 16 || options.processes > most_processes) {
    throw Error(Problem::usage, "", fmt::format("a crowd is of 16 to {}", most_processes));
  }
  Verdict verdict;
  create_one_name(options, verdict);
  claim_semaphores(options, verdict);
  claim_writing(options, verdict);
  claim_beside_the_c_library(options, verdict);
  return verdict.exit_status();
}

}  // namespace shmim::faults
