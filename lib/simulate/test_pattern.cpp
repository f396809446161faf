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

/// What a pattern is to look like is read and judged once, for all types; a type has only what
/// fills a frame of it.
struct Ramp {
  Ramp(const Reading& reading, double usual_high)
      : low(reading.value("low")), step(reading.value("step")) {
    const double high = reading.value_or("high", usual_high);
    if (high < low) {
      reading.refuse(fmt::format("high, which is {:g}, is below low", high));
    }
    constexpr double most_values = 4294967296;
    const double values = (high - low) / step;
    if (!(values < most_values)) {
      reading.refuse("there are more than 4294967296 steps from low to high");
    }
    count = static_cast<std::uint64_t>(values) + 1;
    speed = reading.whole("speed") % count;
  }
  double low;
  double step;
  std::uint64_t count = 0;
  std::uint64_t speed = 0;
};

template <class T>
Make make_ramp(const Ramp& ramp, const Size& size) {
  const auto value_at = [ramp](std::uint64_t place) {
    return element_of<T>(ramp.low +
                         static_cast<double>(static_cast<std::int64_t>(place)) * ramp.step);
  };
  // All its values, over and over again where they are few, to be copied from.
  constexpr std::uint64_t most_kept = 1 << 20;
  std::vector<T> kept;
  if (ramp.count <= most_kept) {
    kept.resize(std::max<std::uint64_t>(piece / ramp.count, 1) * ramp.count);
    for (std::size_t i = 0; i < kept.size(); ++i) {
      kept[i] = value_at(i % ramp.count);
    }
  }
  return [=, kept = std::move(kept), elements = size.elements()](std::uint64_t number, Tai,
                                                                 std::byte* frame) {
    const std::uint64_t begin = number % ramp.count * ramp.speed % ramp.count;
    if (!kept.empty()) {
      repeat(kept, begin, elements, frame);
      return;
    }
    for (std::size_t i = 0; i < elements; ++i) {
      const T value = value_at((begin + i) % ramp.count);
      std::memcpy(frame + i * sizeof(T), &value, sizeof(T));
    }
  };
}

constexpr std::size_t normal_entries = 65536;

/// Normally distributed numbers, to be taken at random.
std::vector<double> normal_table(double mean, double sigma) {
  std::vector<double> table(normal_entries);
  fill_with_normal_quantiles(table);
  for (double& entry : table) {
    entry = mean + sigma * entry;
  }
  return table;
}

/// Likewise, of a type.
template <class Number>
std::vector<Number> noise_table(double mean, double sigma) {
  const std::vector<double> exact = normal_table(mean, sigma);
  std::vector<Number> table(normal_entries);
  std::transform(exact.begin(), exact.end(), table.begin(), nearest<Number>);
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

struct Noise {
  explicit Noise(const Reading& reading)
      : mean(reading.value("mean")), sigma(reading.value("sigma")) {}
  double mean;
  double sigma;
};

template <class T>
Make make_noise(const Noise& noise, const Size& size, std::uint64_t seed) {
  using Number = typename Parts<T>::Number;
  return [table = noise_table<Number>(noise.mean, noise.sigma),
          numbers = size.elements() * Parts<T>::count,
          seed](std::uint64_t number, Tai, std::byte* frame) {
    Random random(seed, number);
    fill_with_noise(table, random, numbers, frame);
  };
}

struct Sine {
  explicit Sine(const Reading& reading)
      : amplitude(reading.value("amplitude")),
        offset(reading.value("offset")),
        period(reading.value("period")),
        speed(reading.value("speed")) {}
  double amplitude;
  double offset;
  double period;
  double speed;
};

template <class T>
Make make_sine(const Sine& sine, const Size& size) {
  return [=](std::uint64_t number, Tai, std::byte* frame) {
    std::vector<T> row(size.x);
    const double moved = static_cast<double>(number) * sine.speed;
    const auto at = [&](double turns) {
      return sine.offset + sine.amplitude * sine_of_turns(turns);
    };
    for (std::size_t x = 0; x < size.x; ++x) {
      const double turns = (static_cast<double>(x) + moved) / sine.period;
      row[x] = element_of<T>(at(turns), Parts<T>::count == 2 ? at(turns + 0.25) : 0);
    }
    repeat(row, 0, size.elements(), frame);
  };
}

struct Checker {
  explicit Checker(const Reading& reading)
      : low(reading.value("low")),
        high(reading.value("high")),
        side(reading.whole("size")),
        speed(reading.whole("speed")) {}
  double low;
  double high;
  std::uint64_t side;
  std::uint64_t speed;
};

template <class T>
Make make_checker(const Checker& checker, const Size& size) {
  const std::array levels{element_of<T>(checker.low), element_of<T>(checker.high)};
  return [levels, side = checker.side, speed = checker.speed, size](std::uint64_t number, Tai,
                                                                    std::byte* frame) {
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

/// Adds a spot to a plane of so many columns.
using AddSpot = void (*)(const Profile::Part& across, const Profile::Part& along, double peak,
                         std::size_t width, std::byte* plane);

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

class Spots {
 public:
  Spots(const Reading& reading, const Size& size)
      : background_(reading.value("background")),
        noise_(reading.value("noise")),
        size_(size),
        columns_(count(reading, "columns", size.x)),
        rows_(count(reading, "rows", size.y)),
        peak_(reading.value("peak")),
        away_(normal_table(0, reading.value("jitter"))),
        profile_(reading.value("fwhm")) {}

  void add_to(std::byte* frame, Random& random, AddSpot add, std::size_t element_size) const {
    for (std::size_t z = 0; z < size_.z; ++z) {
      for (std::size_t spot = 0; spot < columns_ * rows_; ++spot) {
        const std::uint64_t chosen = random.next();
        add(profile_.around(middle(spot % columns_, columns_, size_.x, chosen), size_.x),
            profile_.around(middle(spot / columns_, rows_, size_.y, chosen >> 16), size_.y), peak_,
            size_.x, frame + z * size_.x * size_.y * element_size);
      }
    }
  }

  [[nodiscard]] double background() const noexcept { return background_; }
  /// The standard deviation of what is added to it.
  [[nodiscard]] double noise() const noexcept { return noise_; }

 private:
  static std::size_t count(const Reading& reading, std::string_view key, std::size_t length) {
    constexpr std::size_t apart = 32;
    const double usual = static_cast<double>(std::max<std::size_t>(length / apart, 1));
    const double count = reading.value_or(key, usual);
    if (count > static_cast<double>(length)) {
      reading.refuse(
          fmt::format("{} {:g} of spots are more than the pixels, {}", key, count, length));
    }
    return static_cast<std::size_t>(count);
  }
  [[nodiscard]] double middle(std::size_t i, std::size_t count, std::size_t length,
                              std::uint64_t chosen) const {
    return (static_cast<double>(i) + 0.5) * static_cast<double>(length) /
               static_cast<double>(count) -
           0.5 + away_[chosen & 0xFFFF];
  }

  double background_;
  double noise_;
  Size size_;
  std::size_t columns_;
  std::size_t rows_;
  double peak_;
  std::vector<double> away_;  ///< from where a spot stands without jitter
  Profile profile_;
};

template <class T>
Make make_spots(Spots spots, const Size& size, std::uint64_t seed) {
  using Number = typename Parts<T>::Number;
  auto noise = spots.noise() > 0 ? noise_table<Number>(spots.background(), spots.noise())
                                 : std::vector<Number>();
  return [spots = std::move(spots), noise = std::move(noise), size, seed](std::uint64_t number, Tai,
                                                                          std::byte* frame) {
    Random random(seed, number);
    if (!noise.empty()) {
      fill_with_noise(noise, random, size.elements() * Parts<T>::count, frame);
    } else {
      repeat(std::vector<T>(size.x, element_of<T>(spots.background())), 0, size.elements(), frame);
    }
    spots.add_to(frame, random, add_spot<T>, sizeof(T));
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
  const Size size(shape);
  make_ = visit(type, [&]<class T>(std::type_identity<T>) {
    using Number = typename Parts<T>::Number;
    return reading.kind() == "ramp"      ? make_ramp<T>(Ramp(reading, end_of_ramp<Number>()), size)
           : reading.kind() == "noise"   ? make_noise<T>(Noise(reading), size, seed)
           : reading.kind() == "spots"   ? make_spots<T>(Spots(reading, size), size, seed)
           : reading.kind() == "sine"    ? make_sine<T>(Sine(reading), size)
           : reading.kind() == "checker" ? make_checker<T>(Checker(reading), size)
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
