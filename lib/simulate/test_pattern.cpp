#include "shmim/test_pattern.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "shmim/error.hpp"
#include "shmim/text.hpp"
#include "simulate/counter.hpp"
#include "simulate/number.hpp"
#include "simulate/real.hpp"

namespace shmim {
namespace {

using namespace simulate;

using Make = std::function<void(std::uint64_t number, Tai time, std::byte* frame)>;

constexpr double any = std::numeric_limits<double>::max();

/// What a value has to be.
enum class Sort {
  real,
  whole,
  level,  ///< of a pixel: a number that the type holds
};

struct Key {
  std::string_view name;
  double otherwise;
  Sort sort = Sort::real;
  double least = -any;
  double most = any;
};

struct Kind {
  std::string_view name;
  std::vector<Key> keys;
};

constexpr double above_zero = std::numeric_limits<double>::min();
constexpr double many = 1e6;
constexpr double not_given = -any;

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all{
      {"ramp",
       {{"low", 0, Sort::level},
        {"high", not_given, Sort::level},
        {"step", 1, Sort::real, above_zero},
        {"speed", 1, Sort::whole, 0, many}}},
      {"noise", {{"mean", 100, Sort::level}, {"sigma", 10, Sort::real, 0}}},
      {"spots",
       {{"columns", not_given, Sort::whole, 1, many},
        {"rows", not_given, Sort::whole, 1, many},
        {"fwhm", 4, Sort::real, above_zero, 1000},
        {"peak", 100},
        {"jitter", 0, Sort::real, 0, many},
        {"background", 10, Sort::level},
        {"noise", 0, Sort::real, 0}}},
      {"sine",
       {{"period", 64, Sort::real, above_zero},
        {"amplitude", 50, Sort::real, 0},
        {"offset", 60, Sort::level},
        {"speed", 1, Sort::real, 0, many}}},
      {"checker",
       {{"size", 8, Sort::whole, 1, many},
        {"low", 10, Sort::level},
        {"high", 110, Sort::level},
        {"speed", 1, Sort::whole, 0, many}}},
      {"counter", {}},
  };
  return all;
}

/// The range of the numbers that elements of a type are made of.
struct Range {
  double lowest;
  double highest;
};
Range range_of(DataType type) {
  return visit(type, []<class T>(std::type_identity<T>) {
    using Number = typename Parts<T>::Number;
    return Range{lowest<Number>(), highest<Number>()};
  });
}

/// A pattern as it was written: what messages call it, its kind, and the values of all its keys.
class Reading {
 public:
  Reading(std::string_view text, DataType type) : text_(text), type_(type) {
    const std::string_view name = text.substr(0, text.find(','));
    const auto found = std::ranges::find(kinds(), name, &Kind::name);
    if (found == kinds().end()) {
      refuse(fmt::format("there is no such pattern; there are {}",
                         fmt::join(TestPattern::names(), ", ")));
    }
    kind_ = &*found;
    for (const Key& key : kind_->keys) {
      values_.push_back(key.otherwise);
    }
    text.remove_prefix(name.size());
    while (!text.empty()) {
      text.remove_prefix(1);
      const std::string_view assignment = text.substr(0, text.find(','));
      assign(assignment);
      text.remove_prefix(assignment.size());
    }
  }

  [[nodiscard]] std::string_view kind() const noexcept { return kind_->name; }
  [[nodiscard]] double value(std::string_view key) const {
    return values_[static_cast<std::size_t>(std::ranges::find(kind_->keys, key, &Key::name) -
                                            kind_->keys.begin())];
  }
  [[nodiscard]] double value_or(std::string_view key, double otherwise) const {
    return value(key) == not_given ? otherwise : value(key);
  }
  /// Of what is not negative.
  [[nodiscard]] std::uint64_t whole(std::string_view key) const {
    return static_cast<std::uint64_t>(value(key));
  }
  [[noreturn]] void refuse(const std::string& why) const {
    throw Error(Problem::usage, printable(text_), why);
  }

 private:
  void assign(std::string_view assignment) {
    const std::size_t equals = assignment.find('=');
    const std::string_view name = assignment.substr(0, equals);
    const auto key = std::ranges::find(kind_->keys, name, &Key::name);
    if (key == kind_->keys.end()) {
      std::vector<std::string_view> names;
      for (const Key& known : kind_->keys) {
        names.push_back(known.name);
      }
      refuse(fmt::format(
          "{} has no key '{}'; {}", kind_->name, printable(name),
          names.empty() ? "it has none" : fmt::format("there are {}", fmt::join(names, ", "))));
    }
    if (equals == assignment.npos) {
      refuse(fmt::format("{0} needs a value, as in {0}=10", name));
    }
    const std::string_view text = assignment.substr(equals + 1);
    const auto value = parse_number<double>(text);
    if (!value || !(*value >= -any && *value <= any)) {
      refuse(fmt::format("{}: '{}' is not a number", name, printable(text)));
    }
    require(*key, *value);
    values_[static_cast<std::size_t>(key - kind_->keys.begin())] = *value;
  }

  void require(const Key& key, double value) const {
    if (value < key.least) {
      refuse(key.least == above_zero
                 ? fmt::format("{} must be above 0", key.name)
                 : fmt::format("{} must be {:g} at least", key.name, key.least));
    }
    if (value > key.most) {
      refuse(fmt::format("{} must be {:g} at most", key.name, key.most));
    }
    if (key.sort == Sort::whole &&
        value != static_cast<double>(static_cast<std::uint64_t>(value))) {
      refuse(fmt::format("{} must be a whole number", key.name));
    }
    if (const Range range = range_of(type_);
        key.sort == Sort::level && (value < range.lowest || value > range.highest)) {
      refuse(fmt::format("{}: {} holds {:.17g} to {:.17g}", key.name, to_string(type_),
                         range.lowest, range.highest));
    }
  }

  std::string_view text_;
  DataType type_;
  const Kind* kind_;
  std::vector<double> values_;
};

/// Axes that are not there have the length 1.
struct Size {
  explicit Size(const Shape& shape)
      : x(shape[0]), y(shape.axes() > 1 ? shape[1] : 1), z(shape.axes() > 2 ? shape[2] : 1) {}
  std::size_t x;
  std::size_t y;
  std::size_t z;
  [[nodiscard]] std::size_t rows() const noexcept { return y * z; }
  [[nodiscard]] std::size_t elements() const noexcept { return x * rows(); }
};

/// So many numbers are made at a time, which stay in the processor's nearest memory.
constexpr std::size_t piece = 2048;

/// Fills with `elements` of those values, from place `at` of them on and over again.
template <class T>
void repeat(const std::vector<T>& values, std::size_t at, std::size_t elements, std::byte* frame) {
  for (std::size_t done = 0; done < elements;) {
    const std::size_t run = std::min(values.size() - at, elements - done);
    std::memcpy(frame + done * sizeof(T), &values[at], run * sizeof(T));
    done += run;
    at = 0;
  }
}

/// The largest value of a ramp that none is named for: all that small types have, and whole numbers
/// that others hold exactly.
template <class Number>
constexpr double end_of_ramp() noexcept {
  constexpr double usual = 65535;
  return std::is_same_v<Number, Float16> ? 2047 : std::min(usual, highest<Number>());
}

template <class T>
Make make_ramp(const Reading& reading, const Shape& shape) {
  const double low = reading.value("low");
  const double high = reading.value_or("high", end_of_ramp<typename Parts<T>::Number>());
  const double step = reading.value("step");
  if (high < low) {
    reading.refuse(fmt::format("high, which is {:g}, is below low", high));
  }
  constexpr double most_values = 4294967296;
  const double values = (high - low) / step;
  if (!(values < most_values)) {
    reading.refuse("there are more than 4294967296 steps from low to high");
  }
  const std::uint64_t count = static_cast<std::uint64_t>(values) + 1;
  const std::uint64_t speed = reading.whole("speed") % count;
  const auto value_at = [=](std::uint64_t place) {
    return element_of<T>(low + static_cast<double>(static_cast<std::int64_t>(place)) * step);
  };
  // All its values, over and over again where they are few, to be copied from.
  constexpr std::uint64_t most_kept = 1 << 20;
  std::vector<T> kept;
  if (count <= most_kept) {
    kept.resize(std::max<std::uint64_t>(piece / count, 1) * count);
    for (std::size_t i = 0; i < kept.size(); ++i) {
      kept[i] = value_at(i % count);
    }
  }
  return [=, kept = std::move(kept), elements = Size(shape).elements()](std::uint64_t number, Tai,
                                                                        std::byte* frame) {
    const std::uint64_t begin = number % count * speed % count;
    if (!kept.empty()) {
      repeat(kept, begin, elements, frame);
      return;
    }
    for (std::size_t i = 0; i < elements; ++i) {
      const T value = value_at((begin + i) % count);
      std::memcpy(frame + i * sizeof(T), &value, sizeof(T));
    }
  };
}

constexpr std::size_t normal_entries = 65536;

/// Normally distributed numbers of a type, to be taken at random.
template <class Number>
std::vector<Number> noise_table(double mean, double sigma) {
  std::vector<double> quantiles(normal_entries);
  fill_with_normal_quantiles(quantiles);
  std::vector<Number> table(normal_entries);
  std::transform(quantiles.begin(), quantiles.end(), table.begin(),
                 [&](double quantile) { return nearest<Number>(mean + sigma * quantile); });
  return table;
}

template <class Number>
void fill_with_noise(const std::vector<Number>& table, Random& random, std::size_t numbers,
                     std::byte* frame) {
  std::array<Number, piece> made{};
  for (std::size_t done = 0; done < numbers;) {
    const std::size_t run = std::min(piece, numbers - done);
    for (std::size_t i = 0; i < run; i += 4) {
      const std::uint64_t bits = random.next();
      made[i] = table[bits & 0xFFFF];
      made[i + 1] = table[bits >> 16 & 0xFFFF];
      made[i + 2] = table[bits >> 32 & 0xFFFF];
      made[i + 3] = table[bits >> 48];
    }
    std::memcpy(frame + done * sizeof(Number), made.data(), run * sizeof(Number));
    done += run;
  }
}

template <class T>
Make make_noise(const Reading& reading, const Shape& shape, std::uint64_t seed) {
  using Number = typename Parts<T>::Number;
  return [table = noise_table<Number>(reading.value("mean"), reading.value("sigma")),
          numbers = Size(shape).elements() * Parts<T>::count,
          seed](std::uint64_t number, Tai, std::byte* frame) {
    Random random(seed, number);
    fill_with_noise(table, random, numbers, frame);
  };
}

template <class T>
Make make_sine(const Reading& reading, const Shape& shape) {
  const double amplitude = reading.value("amplitude");
  const double offset = reading.value("offset");
  const double period = reading.value("period");
  const double speed = reading.value("speed");
  return [=, size = Size(shape)](std::uint64_t number, Tai, std::byte* frame) {
    std::vector<T> row(size.x);
    const double moved = static_cast<double>(number) * speed;
    for (std::size_t x = 0; x < size.x; ++x) {
      const double turns = (static_cast<double>(x) + moved) / period;
      const double imaginary =
          Parts<T>::count == 2 ? offset + amplitude * sine_of_turns(turns + 0.25) : 0;
      row[x] = element_of<T>(offset + amplitude * sine_of_turns(turns), imaginary);
    }
    repeat(row, 0, size.elements(), frame);
  };
}

template <class T>
Make make_checker(const Reading& reading, const Shape& shape) {
  const std::array levels{element_of<T>(reading.value("low")),
                          element_of<T>(reading.value("high"))};
  const std::uint64_t side = reading.whole("size");
  const std::uint64_t speed = reading.whole("speed");
  return [=, size = Size(shape)](std::uint64_t number, Tai, std::byte* frame) {
    // It looks the same again when it has moved by two squares.
    const std::uint64_t moved = number % (2 * side) * (speed % (2 * side)) % (2 * side);
    std::array<std::vector<T>, 2> rows{std::vector<T>(size.x), std::vector<T>(size.x)};
    for (std::size_t x = 0; x < size.x; ++x) {
      const std::size_t which = (x + moved) / side % 2;
      rows[0][x] = levels[which];
      rows[1][x] = levels[1 - which];
    }
    for (std::size_t y = 0; y < size.rows(); ++y) {
      const std::size_t which = (y % size.y / side + y / size.y / side) % 2;
      std::memcpy(frame + y * size.x * sizeof(T), rows[which].data(), size.x * sizeof(T));
    }
  };
}

/// The profile of a spot, whose middle is on one of `phases` places in a pixel.
class Profile {
 public:
  static constexpr std::int64_t phases = 64;
  explicit Profile(double fwhm) {
    constexpr double fwhm_of_sigma = 2.35482004503094938;
    const double sigma = fwhm / fwhm_of_sigma;
    reach_ = static_cast<std::int64_t>(3.5 * sigma) + 1;
    for (std::int64_t phase = 0; phase < phases; ++phase) {
      for (std::int64_t x = -reach_; x <= reach_ + 1; ++x) {
        const double from_middle =
            (static_cast<double>(x) - static_cast<double>(phase) / phases) / sigma;
        values_.push_back(exponential(-0.5 * from_middle * from_middle));
      }
    }
  }
  /// The pixels that a spot is seen in, along an axis, and how much of its peak is in each.
  struct Part {
    std::size_t begin = 0;
    std::span<const double> values;
  };
  [[nodiscard]] Part around(double middle, std::size_t length) const {
    // Far outside of the frame is as good as outside.
    constexpr double half_a_step = 0.5 / phases;
    const double reach = static_cast<double>(reach_) + 2;
    const double held = std::min(std::max(middle, -reach), static_cast<double>(length) + reach);
    const auto steps = static_cast<std::int64_t>((held + 2 * reach + half_a_step) * phases) -
                       static_cast<std::int64_t>(2 * reach * phases);
    const std::int64_t phase = steps & (phases - 1);
    const std::int64_t first = (steps - phase) / phases - reach_;
    const auto size = static_cast<std::size_t>(2 * reach_ + 2);
    const std::int64_t begin = std::max<std::int64_t>(first, 0);
    const std::int64_t end =
        std::min(first + static_cast<std::int64_t>(size), static_cast<std::int64_t>(length));
    if (end <= begin) {
      return {};
    }
    return {static_cast<std::size_t>(begin),
            std::span(values_).subspan(
                static_cast<std::size_t>(phase) * size + static_cast<std::size_t>(begin - first),
                static_cast<std::size_t>(end - begin))};
  }

 private:
  std::int64_t reach_;
  std::vector<double> values_;
};

template <class T>
double real_part(T element) noexcept {
  if constexpr (Parts<T>::count == 2) {
    return static_cast<double>(element.real());
  } else if constexpr (std::is_same_v<T, Float16>) {
    return float16_to_float(element.bits);
  } else {
    return static_cast<double>(element);
  }
}

template <class T>
double imaginary_part([[maybe_unused]] T element) noexcept {
  if constexpr (Parts<T>::count == 2) {
    return static_cast<double>(element.imag());
  } else {
    return 0;
  }
}

template <class T>
void add_spot(const Profile::Part& across, const Profile::Part& along, double peak,
              std::size_t width, std::byte* plane) {
  for (std::size_t y = 0; y < along.values.size(); ++y) {
    std::byte* place = plane + ((along.begin + y) * width + across.begin) * sizeof(T);
    const double of_row = peak * along.values[y];
    for (const double of_column : across.values) {
      T pixel{};
      std::memcpy(&pixel, place, sizeof(T));
      pixel = element_of<T>(real_part(pixel) + of_row * of_column, imaginary_part(pixel));
      std::memcpy(place, &pixel, sizeof(T));
      place += sizeof(T);
    }
  }
}

template <class T>
Make make_spots(const Reading& reading, const Shape& shape, std::uint64_t seed) {
  using Number = typename Parts<T>::Number;
  const Size size(shape);
  constexpr std::size_t apart = 32;
  const auto along = [&](std::string_view key, std::size_t length) {
    const double usual = static_cast<double>(std::max<std::size_t>(length / apart, 1));
    const double count = reading.value_or(key, usual);
    if (count > static_cast<double>(length)) {
      reading.refuse(
          fmt::format("{} {:g} of spots are more than the pixels, {}", key, count, length));
    }
    return static_cast<std::size_t>(count);
  };
  const std::size_t columns = along("columns", size.x);
  const std::size_t rows = along("rows", size.y);
  const double peak = reading.value("peak");
  const double background = reading.value("background");
  const bool is_noisy = reading.value("noise") > 0;
  std::vector<double> normal(normal_entries);
  fill_with_normal_quantiles(normal);
  const double jitter = reading.value("jitter");
  for (double& entry : normal) {
    entry *= jitter;
  }
  return [=, normal = std::move(normal), profile = Profile(reading.value("fwhm")),
          noise = is_noisy ? noise_table<Number>(background, reading.value("noise"))
                           : std::vector<Number>()](std::uint64_t number, Tai, std::byte* frame) {
    Random random(seed, number);
    if (is_noisy) {
      fill_with_noise(noise, random, size.elements() * Parts<T>::count, frame);
    } else {
      repeat(std::vector<T>(size.x, element_of<T>(background)), 0, size.elements(), frame);
    }
    const auto place = [&](std::size_t i, std::size_t count, std::size_t length,
                           std::uint64_t chosen) {
      return (static_cast<double>(i) + 0.5) * static_cast<double>(length) /
                 static_cast<double>(count) -
             0.5 + normal[chosen & 0xFFFF];
    };
    for (std::size_t z = 0; z < size.z; ++z) {
      for (std::size_t spot = 0; spot < columns * rows; ++spot) {
        const std::uint64_t chosen = random.next();
        add_spot<T>(profile.around(place(spot % columns, columns, size.x, chosen), size.x),
                    profile.around(place(spot / columns, rows, size.y, chosen >> 16), size.y), peak,
                    size.x, frame + z * size.x * size.y * sizeof(T));
      }
    }
  };
}

Make make_counter(DataType type, const Shape& shape) {
  return
      [type, rows = counter_rows(type, shape)](std::uint64_t number, Tai time, std::byte* frame) {
        write_counter({number, time}, type, rows, frame);
      };
}

}  // namespace

TestPattern::TestPattern(std::string_view text, DataType type, const Shape& shape,
                         std::uint64_t seed)
    : bytes_(shape.elements() * element_size(type)) {
  const Reading reading(text, type);
  is_counter_ = reading.kind() == "counter";
  make_ = visit(type, [&]<class T>(std::type_identity<T>) {
    return reading.kind() == "ramp"      ? make_ramp<T>(reading, shape)
           : reading.kind() == "noise"   ? make_noise<T>(reading, shape, seed)
           : reading.kind() == "spots"   ? make_spots<T>(reading, shape, seed)
           : reading.kind() == "sine"    ? make_sine<T>(reading, shape)
           : reading.kind() == "checker" ? make_checker<T>(reading, shape)
                                         : make_counter(type, shape);
  });
}

std::span<const std::string_view> TestPattern::names() noexcept {
  static constexpr std::array<std::string_view, 6> all{"ramp", "noise",   "spots",
                                                       "sine", "checker", "counter"};
  return all;
}

void TestPattern::fill(std::uint64_t number, Tai time, std::span<std::byte> frame) const {
  if (frame.size() != bytes_) {
    throw Error(Problem::usage, "",
                fmt::format("a frame of {} bytes: it has {}", bytes_, frame.size()));
  }
  make_(number, time, frame.data());
}

}  // namespace shmim
