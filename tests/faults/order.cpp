// Whoever is woken by a post sees the new cnt0, no write flag, and the frame's pixels. The writer
// goes on only when every reader has looked, so that what they see can be none but this frame.

#include <array>

#include <fmt/format.h>

#include "c_library.hpp"
#include "harness.hpp"

namespace shmim::faults {
namespace {

constexpr unsigned readers = 4;

struct Board {
  std::atomic<std::uint64_t> looked{0};    ///< by all readers together
  std::atomic<std::uint64_t> old_cnt0{0};  ///< woken, and the counter had not moved
  std::atomic<std::uint64_t> still_writing{0};
  std::atomic<std::uint64_t> old_pixels{0};
  std::atomic<unsigned> ready{0};
  std::atomic<std::uint64_t> lost{0};  ///< never woken
};

void read_for_ever(const std::filesystem::path& path, Board& board) {
  Stream stream = Stream::open(path);
  SemaphoreClaim claim = stream.semaphores().claim();
  const auto pixels = stream.unguarded_pixels();
  ++board.ready;
  for (std::uint64_t frame = 1;; ++frame) {
    if (claim.wait(deadline_after(std::chrono::seconds{20})) != WaitResult::posted) {
      ++board.lost;
      return;
    }
    board.old_cnt0 += stream.cnt0() < frame ? 1 : 0;
    board.still_writing += stream.is_being_written() ? 1 : 0;
    board.old_pixels += number_in(pixels) < frame || number_in(pixels.last(8)) < frame ? 1 : 0;
    ++board.looked;
  }
}

/// `publish` writes frame after frame; gives what the readers saw.
void run(Board& board, std::uint64_t rounds, const Directory& directory,
         const std::function<void()>& publish) {
  std::vector<Child> peers;
  for (unsigned reader = 0; reader < readers; ++reader) {
    peers.emplace_back([&] { read_for_ever(directory.stream("cam"), board); });
  }
  while (board.ready < readers) {
  }
  for (std::uint64_t frame = 1; frame <= rounds && board.lost == 0; ++frame) {
    publish();
    while (board.looked < frame * readers && board.lost == 0) {
    }
  }
}

std::uint64_t violations(const Board& board) {
  return board.old_cnt0 + board.still_writing + board.old_pixels + board.lost;
}

void report(const char* writer, const Board& board, std::uint64_t rounds) {
  fmt::print("{:<28}  {} wakes: {} saw an old cnt0, {} the write flag, {} old pixels, {} lost\n",
             writer, rounds * readers, board.old_cnt0.load(), board.still_writing.load(),
             board.old_pixels.load(), board.lost.load());
}

}  // namespace

int order(const OrderOptions& options) {
  Verdict verdict;
  {
    const Directory directory;
    Stream stream = Stream::draft(directory.path(), "cam", numbers(4096));
    verdict.expect(stream.publish(), "a stream of our own");
    const Shared<Board> board;
    run(*board, options.rounds, directory, [&] { publish_numbered(stream); });
    report("ours", *board, options.rounds);
    verdict.expect(violations(*board) == 0, "a reader was woken for what it could not see");
  }
  // The same readers beside a writer that posts first: if they see nothing then, they see nothing.
  const Directory directory;
  Stream stream = Stream::draft(directory.path(), "cam", numbers(4096));
  verdict.expect(stream.publish(), "a stream of our own");
  const c_library::Image image = c_library::open(directory.stream("cam"));
  const Shared<Board> board;
  const std::uint64_t rounds = std::min<std::uint64_t>(options.rounds, 2000);
  run(*board, rounds, directory, [&] {
    c_library::begin(image);
    fill_frame(image.array, image.md->cnt0 + 1);
    c_library::update_posting_first(image);
  });
  report("a writer that posts first", *board, rounds);
  verdict.expect(violations(*board) > 0, "a writer that posts first was not noticed");
  return verdict.exit_status();
}

}  // namespace shmim::faults
