#include "simulate/counter.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include <fmt/format.h>

#include "shmim/error.hpp"
#include "simulate/number.hpp"

namespace shmim {
namespace simulate {
namespace {

using Digits = std::array<std::uint64_t, group>;

std::uint64_t microseconds(Tai time) noexcept {
  return static_cast<std::uint64_t>(time.time_since_epoch().count()) / 1000;
}

Digits digits_of(const CounterMark& mark) noexcept {
  const std::uint64_t time = microseconds(mark.time);
  Digits digits{};
  for (std::size_t i = 0; i < group; ++i) {
    digits[i] = i < number_digits ? mark.number >> (digit_bits * i) & digit_mask
                                  : time >> (digit_bits * (i - number_digits)) & digit_mask;
  }
  digits[0] += first_digit;
  digits[number_digits] += first_digit;
  return digits;
}

/// Of so many digits from the first.
CounterMark mark_from(const Digits& digits, std::size_t count) noexcept {
  CounterMark mark;
  std::uint64_t time = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t digit = digits[i] & digit_mask;
    if (i < number_digits) {
      mark.number |= digit << (digit_bits * i);
    } else {
      time |= digit << (digit_bits * (i - number_digits));
    }
  }
  if (count == group) {
    constexpr std::uint64_t last_date = std::numeric_limits<std::int64_t>::max() / 1000;
    mark.time = time > last_date ? out_of_range
                                 : Tai(std::chrono::microseconds{static_cast<std::int64_t>(time)});
  }
  return mark;
}

/// The number that stands at `bytes`, if it can be a digit; else what is none.
constexpr std::uint64_t no_digit = 2 * first_digit;
template <class Number>
std::uint64_t digit_at(const std::byte* bytes) noexcept {
  Number number{};
  std::memcpy(&number, bytes, sizeof(Number));
  double value = 0;
  if constexpr (std::is_same_v<Number, Float16>) {
    value = float16_to_float(number.bits);
  } else {
    value = static_cast<double>(number);
  }
  if (!(value >= 0 && value < no_digit)) {
    return no_digit;
  }
  const auto digit = static_cast<std::uint64_t>(value);
  return static_cast<double>(digit) == value ? digit : no_digit;
}

template <class Visit>
decltype(auto) visit_number(DataType type, const Visit& visit) {
  return shmim::visit(type, [&]<class T>(std::type_identity<T>) {
    return visit(std::type_identity<typename Parts<T>::Number>{});
  });
}

std::size_t number_bytes(DataType type) {
  return visit_number(type,
                      []<class Number>(std::type_identity<Number>) { return sizeof(Number); });
}

/// Reads the group that `count` numbers hold, or the beginning of it.
std::optional<CounterMark> find_group(const std::byte* numbers, std::size_t count, DataType type) {
  count = std::min(count, group);
  Digits digits{};
  const std::size_t size = number_bytes(type);
  visit_number(type, [&]<class Number>(std::type_identity<Number>) {
    for (std::size_t i = 0; i < count; ++i) {
      digits[i] = digit_at<Number>(numbers + i * size);
    }
  });
  // A part of a frame may begin with any digit of a group; a frame that holds no group, with the
  // first.
  const std::size_t turns = count == group ? group : 1;
  for (std::size_t turn = 0; turn < turns; ++turn) {
    std::size_t good = 0;
    while (good < count && digits[good] < no_digit &&
           (digits[good] >= first_digit) == (good == 0 || good == number_digits)) {
      ++good;
    }
    if (good == count) {
      return mark_from(digits, count);
    }
    std::rotate(digits.begin(), digits.begin() + 1, digits.end());
  }
  return std::nullopt;
}

/// How many numbers of `size` bytes two stretches of memory have in common, from their beginnings.
std::size_t first_difference(const std::byte* one, const std::byte* other, std::size_t numbers,
                             std::size_t size) noexcept {
  if (std::memcmp(one, other, numbers * size) == 0) {
    return numbers;
  }
  const auto* place = std::mismatch(one, one + numbers * size, other).first;
  return static_cast<std::size_t>(place - one) / size;
}

}  // namespace

CounterRows counter_rows(DataType type, const Shape& shape) {
  const std::size_t parts =
      visit(type, []<class T>(std::type_identity<T>) { return Parts<T>::count; });
  CounterRows rows{parts, shape.elements()};
  for (std::size_t axis = 0; axis < shape.axes() && rows.length < group; ++axis) {
    rows.length *= shape[axis];
    rows.count /= shape[axis];
  }
  return rows;
}

void write_counter(const CounterMark& mark, DataType type, const CounterRows& rows,
                   std::byte* frame) {
  const Digits digits = digits_of(mark);
  const std::size_t size = number_bytes(type);
  visit_number(type, [&]<class Number>(std::type_identity<Number>) {
    std::array<Number, group> numbers{};
    std::transform(digits.begin(), digits.end(), numbers.begin(),
                   [](std::uint64_t digit) { return nearest<Number>(static_cast<double>(digit)); });
    for (std::size_t i = 0; i < rows.length; i += group) {
      std::memcpy(frame + i * size, numbers.data(), std::min(group, rows.length - i) * size);
    }
  });
  for (std::size_t row = 1; row < rows.count; ++row) {
    std::memcpy(frame + row * rows.length * size, frame, rows.length * size);
  }
}

}  // namespace simulate

using simulate::CounterRows;

std::string to_string(const CounterFault& fault) {
  const auto frames = [](std::uint64_t count) {
    return fmt::format("{} frame{}", count, count == 1 ? "" : "s");
  };
  switch (fault.kind) {
    case CounterFault::Kind::unmarked:
      return "not of a counter";
    case CounterFault::Kind::torn:
      return fault.other == fault.number
                 ? fmt::format("torn: element {} is not of frame {}", fault.element, fault.number)
                 : fmt::format("torn: frame {}, and from element {} on frame {}", fault.number,
                               fault.element, fault.other);
    case CounterFault::Kind::lost: {
      const std::uint64_t count = fault.other - fault.number + 1;
      const std::string which = count == 1 ? fmt::format("{}", fault.number)
                                           : fmt::format("{} to {}", fault.number, fault.other);
      return fmt::format(
          "lost {}: {}{}", frames(count), which,
          fault.missed == 0 ? "" : fmt::format(" ({} published and not taken)", fault.missed));
    }
    case CounterFault::Kind::doubled:
      return fmt::format("frame {} came twice", fault.number);
    case CounterFault::Kind::out_of_order:
      return fmt::format("frame {} came after frame {}", fault.number, fault.other);
    case CounterFault::Kind::late:
      return fmt::format("frame {} is late: it was made {:.6f} s before", fault.number,
                         std::chrono::duration<double>(fault.age).count());
  }
  return "";
}

CounterCheck::CounterCheck(DataType type, const Shape& shape, const CounterCheckOptions& options)
    : type_(type), options_(options) {
  const CounterRows rows = simulate::counter_rows(type, shape);
  row_ = rows.length;
  rows_ = rows.count;
}

std::optional<CounterMark> CounterCheck::mark_of(std::span<const std::byte> frame) const {
  const std::size_t bytes = row_ * rows_ * simulate::number_bytes(type_);
  if (frame.size() != bytes) {
    throw Error(Problem::usage, "",
                fmt::format("a frame of {} bytes: it has {}", bytes, frame.size()));
  }
  return simulate::find_group(frame.data(), row_, type_);
}

std::vector<CounterFault> CounterCheck::take(std::span<const std::byte> frame,
                                             const CounterCheckFrame& known) {
  if (cnt0_ && known.cnt0 && *known.cnt0 < *cnt0_) {
    number_.reset();
  }
  std::vector<CounterFault> faults;
  const auto mark = mark_of(frame);
  if (const auto torn = tear_in(frame, mark)) {
    faults.push_back(*torn);
    number_.reset();  // what of it came before, and what is still to come, nobody knows
  } else if (mark) {
    compare(mark->number, known, faults);
  } else {
    faults.push_back({CounterFault::Kind::unmarked});
  }
  if (options_.late && mark && is_date(mark->time) && known.taken > mark->time &&
      elapsed(mark->time, known.taken) > *options_.late) {
    CounterFault fault{CounterFault::Kind::late, mark->number};
    fault.age = elapsed(mark->time, known.taken);
    faults.push_back(fault);
  }
  cnt0_ = known.cnt0;
  ++tally_.frames;
  for (const CounterFault& fault : faults) {
    count(fault);
  }
  return faults;
}

/// Where a frame is no longer of the mark that it begins with; nullopt where all of it is, or of
/// none.
std::optional<CounterFault> CounterCheck::tear_in(std::span<const std::byte> frame,
                                                  const std::optional<CounterMark>& mark) const {
  using simulate::first_difference;
  using simulate::group;
  const std::size_t size = simulate::number_bytes(type_);
  const std::byte* begin = frame.data();
  // The first row repeats its first group, and each other row is the first.
  const std::size_t once = std::min(row_, group);
  const std::size_t all = row_ * rows_;
  std::size_t same = once + first_difference(begin, begin + once * size, row_ - once, size);
  for (std::size_t row = 1; row < rows_ && same == row * row_; ++row) {
    same += first_difference(begin, begin + row * row_ * size, row_, size);
  }
  const auto last = simulate::find_group(begin + (all - once) * size, once, type_);
  if (same == all || !(mark || last)) {
    return std::nullopt;
  }
  CounterFault torn{CounterFault::Kind::torn, mark ? mark->number : last->number,
                    last ? last->number : mark->number};
  torn.element = mark ? same * size / element_size(type_) : 0;
  return torn;
}

/// Numbers are known but for the digits that a frame has no room for.
std::uint64_t CounterCheck::ahead(std::uint64_t number, std::uint64_t of) const noexcept {
  const std::size_t bits = simulate::digit_bits * std::min(row_, simulate::number_digits);
  return (number - of) & ((std::uint64_t{1} << bits) - 1);
}

void CounterCheck::compare(std::uint64_t number, const CounterCheckFrame& known,
                           std::vector<CounterFault>& faults) {
  if (!number_) {
    number_ = number;
    return;
  }
  const std::uint64_t before = *number_;
  const std::uint64_t steps = ahead(number, before);
  if (steps == 0) {
    faults.push_back({CounterFault::Kind::doubled, before});
  } else if (steps < ahead(before, number)) {
    number_ = before + steps;
    const std::uint64_t lost = steps - 1;
    const std::uint64_t passed = known.cnt0 && cnt0_ ? *known.cnt0 - *cnt0_ : 1;
    const std::uint64_t missed = std::min(lost, passed - std::min<std::uint64_t>(passed, 1));
    if (lost > (options_.may_miss ? missed : 0)) {
      CounterFault fault{CounterFault::Kind::lost, before + 1, *number_ - 1};
      fault.missed = missed;
      faults.push_back(fault);
    }
  } else {
    number_ = number;
    faults.push_back({CounterFault::Kind::out_of_order, number, before});
  }
}

void CounterCheck::count(const CounterFault& fault) {
  switch (fault.kind) {
    case CounterFault::Kind::unmarked:
      ++tally_.unmarked;
      break;
    case CounterFault::Kind::torn:
      ++tally_.torn;
      break;
    case CounterFault::Kind::lost:
      tally_.lost += fault.other - fault.number + 1 - (options_.may_miss ? fault.missed : 0);
      break;
    case CounterFault::Kind::doubled:
      ++tally_.doubled;
      break;
    case CounterFault::Kind::out_of_order:
      ++tally_.out_of_order;
      break;
    case CounterFault::Kind::late:
      ++tally_.late;
      break;
  }
}

}  // namespace shmim
