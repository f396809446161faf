#include "diff/sequence.hpp"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "common/io/interrupt.hpp"
#include "common/print/words.hpp"

namespace shmim::tools {
namespace {

/// Which frame it is.
struct FrameKey {
  std::uint64_t run = 0;  ///< how often the count went back before
  std::uint64_t number = 0;
  std::uint64_t copy = 0;  ///< how many of that number came before
  friend bool operator<(const FrameKey& a, const FrameKey& b) {
    return std::tie(a.run, a.number, a.copy) < std::tie(b.run, b.number, b.copy);
  }
};

/// The frames of a side, one after the other.
class Frames {
 public:
  explicit Frames(Side& side) : side_(side) { read(); }

  [[nodiscard]] bool is_over() const noexcept { return is_over_; }
  [[nodiscard]] const SideFrame& frame() const noexcept { return frame_; }
  /// Of no frame at all nothing speaks against it.
  [[nodiscard]] bool may_tell_cnt0() const noexcept { return is_over_ || frame_.cnt0; }
  [[nodiscard]] const FrameKey& key() const noexcept { return key_; }

  void number_by_cnt0() {
    are_by_cnt0_ = true;
    key_ = {0, frame_.cnt0.value_or(0), 0};
  }

  void advance() {
    read();
    if (is_over_) {
      return;
    }
    const std::uint64_t number = are_by_cnt0_ ? frame_.cnt0.value_or(0) : key_.number + 1;
    key_ = number == key_.number ? FrameKey{key_.run, number, key_.copy + 1}
                                 : FrameKey{key_.run + (number < key_.number ? 1 : 0), number, 0};
  }

 private:
  void read() {
    throw_if_interrupted();
    is_over_ = !side_.next(frame_);
  }

  Side& side_;
  SideFrame frame_;
  FrameKey key_;
  bool are_by_cnt0_ = false;
  bool is_over_ = false;
};

void add_to(std::vector<FrameRange>& ranges, std::uint64_t number) {
  if (!ranges.empty() && ranges.back().last + 1 == number) {
    ranges.back().last = number;
  } else {
    ranges.push_back({number, number});
  }
}

std::uint64_t frames_in(const std::vector<FrameRange>& ranges) {
  std::uint64_t count = 0;
  for (const FrameRange& range : ranges) {
    count += range.last - range.first + 1;
  }
  return count;
}

/// `frames only in run1.frames: 4: 10-12, 15`
std::string only_in_words(const std::vector<FrameRange>& ranges, const std::string& name) {
  if (ranges.empty()) {
    return {};
  }
  constexpr std::size_t most = 10;
  std::string text =
      fmt::format("only in {}: {}:", printable(name), counted(frames_in(ranges), "frame"));
  for (std::size_t i = 0; i < std::min(ranges.size(), most); ++i) {
    const FrameRange& range = ranges[i];
    text += fmt::format("{}{}", i == 0 ? " " : ", ", range.first);
    text += range.last > range.first ? fmt::format("-{}", range.last) : "";
  }
  return text + (ranges.size() > most ? ", ...\n" : "\n");
}

Record json_of(const std::vector<FrameRange>& ranges) {
  Record list = Record::array();
  for (const FrameRange& range : ranges) {
    list.push_back({range.first, range.last});
  }
  return list;
}

}  // namespace

SequenceDifferences compare_sequences(Side& a, Side& b, const CompareFrames& compare) {
  constexpr std::size_t told = 10;
  Frames of_a(a);
  Frames of_b(b);
  SequenceDifferences found;
  found.are_by_cnt0 = of_a.may_tell_cnt0() && of_b.may_tell_cnt0();
  if (found.are_by_cnt0) {
    of_a.number_by_cnt0();
    of_b.number_by_cnt0();
  }
  while (!of_a.is_over() || !of_b.is_over()) {
    if (of_b.is_over() || (!of_a.is_over() && of_a.key() < of_b.key())) {
      add_to(found.only_in_a, of_a.key().number);
      of_a.advance();
      continue;
    }
    if (of_a.is_over() || of_b.key() < of_a.key()) {
      add_to(found.only_in_b, of_b.key().number);
      of_b.advance();
      continue;
    }
    FrameDifferences differences = compare(of_a.frame(), of_b.frame());
    ++found.compared;
    if (!differences.is_same()) {
      ++found.differing;
      if (found.first.size() < told) {
        found.first.emplace_back(of_a.key().number, std::move(differences));
      }
    }
    of_a.advance();
    of_b.advance();
  }
  return found;
}

std::string to_text(const SequenceDifferences& differences, const std::string& name_of_a,
                    const std::string& name_of_b) {
  if (differences.is_same()) {
    return {};
  }
  std::string text = only_in_words(differences.only_in_a, name_of_a) +
                     only_in_words(differences.only_in_b, name_of_b);
  for (const auto& [number, frame] : differences.first) {
    text += to_text(frame, fmt::format("frame {}: ", number));
  }
  return text + fmt::format("frames: {} of {} differ, matched by {}\n", differences.differing,
                            differences.compared, differences.are_by_cnt0 ? "cnt0" : "place");
}

Record to_json(const SequenceDifferences& differences) {
  Record first = Record::array();
  for (const auto& [number, frame] : differences.first) {
    Record record{{"frame", number}};
    record.update(to_json(frame));
    first.push_back(std::move(record));
  }
  return {{"same", differences.is_same()},
          {"matched_by", differences.are_by_cnt0 ? "cnt0" : "place"},
          {"compared", differences.compared},
          {"differing", differences.differing},
          {"only_in_a", json_of(differences.only_in_a)},
          {"only_in_b", json_of(differences.only_in_b)},
          {"first", std::move(first)}};
}

}  // namespace shmim::tools
