#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "fits/cards.hpp"
#include "fits/cfitsio.hpp"
#include "fits/image.hpp"
#include "fits/open.hpp"
#include "fits/pixels.hpp"
#include "recording/cards.hpp"
#include "shmim/clock.hpp"
#include "shmim/error.hpp"
#include "shmim/float16.hpp"
#include "shmim/recording.hpp"
#include "shmim/text.hpp"

namespace shmim {
namespace {

using cfitsio::Functions;
using OpenFile = std::shared_ptr<const cfitsio::File>;

constexpr const char* table_name = "FRAMES";
/// Of a column: it may have any number among its texts.
constexpr unsigned most_text_bytes = 80;
constexpr unsigned keyword_text_bytes = sizeof(layout::KeywordSlot::value);
/// What stands in a row where there is nothing to be said.
constexpr std::int64_t nothing = std::numeric_limits<std::int64_t>::min();

[[noreturn]] void refuse_recording(const OpenFile& file, const std::string& why) {
  throw Error(Problem::failed, file->subject(), why);
}

/// False where the file has no such table.
bool move_to_table(const OpenFile& file) {
  std::string name = table_name;
  return file->call_unless(BAD_HDU_NUM, &Functions::fits_movnam_hdu, int{BINARY_TBL}, name.data(),
                           0);
}

LONGLONG integer_card(const OpenFile& file, const char* name) {
  LONGLONG value = 0;
  file->call(&Functions::fits_read_key, int{TLONGLONG}, name, static_cast<void*>(&value),
             static_cast<char*>(nullptr));
  return value;
}

LONGLONG integer_card(const OpenFile& file, const char* name, LONGLONG otherwise) {
  LONGLONG value = otherwise;
  file->call_unless(KEY_NO_EXIST, &Functions::fits_read_key, int{TLONGLONG}, name,
                    static_cast<void*>(&value), static_cast<char*>(nullptr));
  return value;
}

struct TextCard {
  std::string value;
  std::string comment;
};

/// Empty where there is none.
TextCard text_card(const OpenFile& file, const std::string& name) {
  std::array<char, FLEN_VALUE> value{};
  std::array<char, FLEN_COMMENT> comment{};
  file->call_unless(KEY_NO_EXIST, &Functions::fits_read_key, int{TSTRING}, name.c_str(),
                    static_cast<void*>(value.data()), comment.data());
  return {value.data(), comment.data()};
}

constexpr std::array recording_cards{
    recording::image_type_card,
    recording::trace_card,
    recording::trigger_card,
    recording::trigger_stream_card,
    recording::trigger_time_card,
    recording::missed_card,
    recording::lost_card,
    recording::left_out_card,
    recording::begin_card,
    recording::end_card,
    recording::Card{"SHMIMTYP", "element type of the stream"},
};

bool is_card(const Keyword& keyword, const recording::Card& card) {
  const std::string_view name = keyword.name;
  const std::string_view stem = card.name.substr(0, card.name.size() - 1);
  const bool is_named =
      card.name.back() == 'n'
          ? name.starts_with(stem) && parse_number<unsigned>(name.substr(stem.size()))
          : name == card.name;
  return is_named && keyword.comment == card.comment;
}

/// True of what is said of a recording, and is no keyword of the stream.
bool is_of_recording(const Keyword& keyword) {
  return std::ranges::any_of(
      recording_cards, [&keyword](const recording::Card& card) { return is_card(keyword, card); });
}

/// The columns that every table has.
constexpr std::array<std::string_view, 5> frame_columns{"CNT0", "CNT1", "ATIME", "WRITETIME",
                                                        "MISSED"};

}  // namespace

// Not in a namespace without a name: Recording::File has members of these.
namespace recording {

/// A column of the table.
struct TableColumn {
  enum class Form { integer, real, text };
  std::string name;
  std::string comment;
  Form form = Form::integer;
  std::size_t begin = 0;  ///< in a row
  std::size_t bytes = sizeof(std::int64_t);

  [[nodiscard]] std::string_view in(std::span<const std::byte> row) const {
    return {reinterpret_cast<const char*>(row.data()) + begin, bytes};
  }
  /// The most significant byte of a number comes first.
  [[nodiscard]] std::uint64_t bits_in(std::span<const std::byte> row) const {
    std::uint64_t bits = 0;
    for (const char byte : in(row)) {
      bits = bits << 8U | static_cast<unsigned char>(byte);
    }
    return bits;
  }
  /// nullopt where the stream did not have it.
  [[nodiscard]] std::optional<Keyword> keyword_in(std::span<const std::byte> row) const;
};

std::optional<Keyword> TableColumn::keyword_in(std::span<const std::byte> row) const {
  if (form == Form::text) {
    std::string_view text = in(row);
    text = text.substr(0, text.find('\0'));
    text = text.substr(0, text.find_last_not_of(' ') + 1);
    if (text.empty()) {
      return std::nullopt;
    }
    // Among texts a number is one too; what no string of a keyword has room for was a number.
    const auto number =
        text.size() > keyword_text_bytes ? parse_number<double>(text) : std::nullopt;
    return number ? Keyword{name, *number, comment} : Keyword{name, std::string(text), comment};
  }
  if (form == Form::real) {
    const auto value = std::bit_cast<double>(bits_in(row));
    return std::isnan(value) ? std::nullopt : std::optional(Keyword{name, value, comment});
  }
  const auto value = static_cast<std::int64_t>(bits_in(row));
  return value == nothing ? std::nullopt : std::optional(Keyword{name, value, comment});
}

namespace {

TableColumn column_of(const OpenFile& file, LONGLONG number, std::size_t begin) {
  const TextCard name = text_card(file, fmt::format("TTYPE{}", number));
  const std::string form = text_card(file, fmt::format("TFORM{}", number)).value;
  TableColumn column{name.value, name.comment, TableColumn::Form::integer, begin};
  const std::string_view count =
      std::string_view(form).substr(0, form.find_first_not_of("0123456789"));
  const auto repeat = count.empty() ? std::optional(1U) : parse_number<unsigned>(count);
  const std::string_view letter = std::string_view(form).substr(count.size());
  if (letter == "A" && repeat && *repeat > 0 && *repeat <= most_text_bytes) {
    column.form = TableColumn::Form::text;
    column.bytes = *repeat;
  } else if (letter == "D" && repeat == 1U) {
    column.form = TableColumn::Form::real;
  } else if (letter != "K" || repeat != 1U) {
    refuse_recording(file, fmt::format("the column {} of its table {} has the form {}, which none "
                                       "of a recording has",
                                       column.name, table_name, form));
  }
  return column;
}

}  // namespace

/// The table: a row for each frame, read some thousand at a time.
class Rows {
 public:
  explicit Rows(OpenFile file);

  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  [[nodiscard]] std::chrono::seconds tai_offset() const noexcept { return tai_offset_; }
  /// Adds what stands in the row `index`.
  void read(std::uint64_t index, RecordedFrame& frame);
  /// A keyword of that name changed while the stream was recorded.
  [[nodiscard]] bool has_keyword(std::string_view name) const;

 private:
  [[nodiscard]] std::span<const std::byte> row(std::uint64_t index);
  OpenFile file_;
  int hdu_;
  std::uint64_t count_ = 0;
  std::chrono::seconds tai_offset_{};
  std::size_t row_bytes_ = 0;
  std::array<std::optional<TableColumn>, frame_columns.size()> of_frame_;
  std::vector<TableColumn> of_keywords_;
  std::vector<std::byte> rows_;  ///< that were read last
  std::uint64_t first_ = 0;      ///< of them
};

Rows::Rows(OpenFile file) : file_(std::move(file)) {
  if (!move_to_table(file_)) {
    throw Error(Problem::not_an_image, file_->subject(),
                fmt::format("is FITS, and no recording: it has no table {}", table_name));
  }
  fits::check_complete(*file_);
  hdu_ = file_->hdu();
  count_ = static_cast<std::uint64_t>(integer_card(file_, "NAXIS2"));
  constexpr LONGLONG beyond_reason = 86400;
  const LONGLONG here = shmim::tai_offset().count();
  const LONGLONG told = integer_card(file_, "TAIUTC", here);
  tai_offset_ = std::chrono::seconds{told > -beyond_reason && told < beyond_reason ? told : here};
  const LONGLONG columns = integer_card(file_, "TFIELDS");
  for (LONGLONG number = 1; number <= columns; ++number) {
    TableColumn column = column_of(file_, number, row_bytes_);
    row_bytes_ += column.bytes;
    const auto* const place = std::ranges::find(frame_columns, column.name);
    if (place == frame_columns.end()) {
      of_keywords_.push_back(std::move(column));
    } else if (column.form == TableColumn::Form::integer) {
      of_frame_[static_cast<std::size_t>(place - frame_columns.begin())] = std::move(column);
    }
  }
  for (std::size_t i = 0; i < frame_columns.size(); ++i) {
    if (!of_frame_[i]) {
      refuse_recording(file_, fmt::format("its table {} has no column {} of integers", table_name,
                                          frame_columns[i]));
    }
  }
}

bool Rows::has_keyword(std::string_view name) const {
  return std::ranges::find(of_keywords_, name, &TableColumn::name) != of_keywords_.end();
}

std::span<const std::byte> Rows::row(std::uint64_t index) {
  if (index < first_ || index - first_ >= rows_.size() / row_bytes_) {
    constexpr std::uint64_t at_once = 8192;
    const std::uint64_t rows = std::min(at_once, count_ - index);
    rows_.resize(rows * row_bytes_);
    file_->call(&Functions::fits_movabs_hdu, hdu_, static_cast<int*>(nullptr));
    file_->call(&Functions::fits_read_tblbytes, static_cast<LONGLONG>(index) + 1, LONGLONG{1},
                static_cast<LONGLONG>(rows_.size()),
                reinterpret_cast<unsigned char*>(rows_.data()));
    first_ = index;
  }
  return std::span(rows_).subspan((index - first_) * row_bytes_, row_bytes_);
}

void Rows::read(std::uint64_t index, RecordedFrame& frame) {
  const std::span<const std::byte> row = this->row(index);
  std::array<std::uint64_t, frame_columns.size()> numbers{};
  std::ranges::transform(of_frame_, numbers.begin(),
                         [&](const auto& column) { return column->bits_in(row); });
  const auto time = [](std::uint64_t bits) {
    const auto nanoseconds = static_cast<std::int64_t>(bits);
    return nanoseconds == nothing ? never : Tai{std::chrono::nanoseconds{nanoseconds}};
  };
  const auto& [cnt0, cnt1, atime, writetime, missed] = numbers;
  frame.info = {cnt0, cnt1, time(atime), time(writetime), {}};
  frame.missed = missed;
  for (const TableColumn& column : of_keywords_) {
    if (auto keyword = column.keyword_in(row)) {
      frame.keywords.push_back(*std::move(keyword));
    }
  }
}

}  // namespace recording

class Recording::File {
 public:
  explicit File(const std::filesystem::path& path);

  [[nodiscard]] const RecordedStream& stream() const noexcept { return stream_; }
  [[nodiscard]] std::uint64_t frames() const noexcept { return rows_.count(); }
  [[nodiscard]] std::chrono::seconds tai_offset() const noexcept { return rows_.tai_offset(); }
  [[nodiscard]] RecordedFrame frame(std::uint64_t index);
  void read(std::uint64_t index, std::span<std::byte> pixels);

 private:
  void move_to_cube() const {
    file_->call(&Functions::fits_movabs_hdu, hdu_, static_cast<int*>(nullptr));
  }
  [[nodiscard]] DataType type_of_stream() const;
  [[nodiscard]] Shape shape_of_frames() const;
  void read_keywords();
  void require(std::uint64_t index) const;
  OpenFile file_;
  recording::Rows rows_;
  int hdu_;  ///< of the frames
  fits::Pixels pixels_;
  RecordedStream stream_;
  std::vector<float> wide_;  ///< elements of a frame that FITS has no type for
};

namespace {

/// Gives the HDU of the frames, which is then the current one.
int move_to_cube_of(const OpenFile& file) {
  fits::move_to_first_image(*file);
  fits::check_complete(*file);
  return file->hdu();
}

}  // namespace

Recording::File::File(const std::filesystem::path& path)
    : file_(fits::open_file(path.string(), path.string())),
      rows_(file_),
      hdu_(move_to_cube_of(file_)),
      pixels_(*file_) {
  stream_.name = text_card(file_, "EXTNAME").value;
  stream_.type = type_of_stream();
  stream_.shape = shape_of_frames();
  read_keywords();
  if (const auto frames = static_cast<std::uint64_t>(pixels_.axes().back());
      frames != rows_.count()) {
    refuse_recording(file_, fmt::format("has {} frames, and {} rows in its table {}", frames,
                                        rows_.count(), table_name));
  }
}

DataType Recording::File::type_of_stream() const {
  const DataType of_pixels = pixels_.type();
  const auto named = parse_data_type(text_card(file_, "SHMIMTYP").value);
  if (!named || !fits::is_alien(*named)) {
    return of_pixels;
  }
  const bool is_complex = *named != DataType::float16;
  const DataType part = *named == DataType::complex128 ? DataType::float64 : DataType::float32;
  if (of_pixels != part || (is_complex && pixels_.axes().front() != 2)) {
    refuse_recording(
        file_, fmt::format("says that it is of {}, which its pixels are not", to_string(*named)));
  }
  return *named;
}

Shape Recording::File::shape_of_frames() const {
  const std::vector<LONGLONG>& axes = pixels_.axes();
  const bool is_complex =
      stream_.type == DataType::complex64 || stream_.type == DataType::complex128;
  std::vector<std::uint32_t> lengths;
  for (std::size_t axis = is_complex ? 1 : 0; axis + 1 < axes.size(); ++axis) {
    lengths.push_back(
        std::in_range<std::uint32_t>(axes[axis]) ? static_cast<std::uint32_t>(axes[axis]) : 0);
  }
  try {
    return Shape(lengths);
  } catch (const Error& error) {
    refuse_recording(file_, fmt::format("its frames are none of a stream: {}", error.why()));
  }
}

void Recording::File::read_keywords() {
  for (Keyword& keyword : fits::read_header(*file_, pixels_.is_exact()).keywords) {
    const auto* number = std::get_if<std::int64_t>(&keyword.value);
    if (is_card(keyword, recording::image_type_card) && number != nullptr) {
      stream_.image_type = static_cast<std::uint64_t>(*number);
    }
    if (!is_of_recording(keyword) && !rows_.has_keyword(keyword.name)) {
      stream_.keywords.push_back(std::move(keyword));
    }
  }
}

void Recording::File::require(std::uint64_t index) const {
  if (index >= frames()) {
    throw Error(Problem::usage, file_->subject(),
                fmt::format("there is no frame {}: it has {}", index, frames()));
  }
}

RecordedFrame Recording::File::frame(std::uint64_t index) {
  require(index);
  RecordedFrame frame;
  frame.keywords = stream_.keywords;
  rows_.read(index, frame);
  return frame;
}

void Recording::File::read(std::uint64_t index, std::span<std::byte> pixels) {
  require(index);
  if (pixels.size() != stream_.frame_bytes()) {
    throw Error(
        Problem::usage, file_->subject(),
        fmt::format("{} bytes given for a frame of {}", pixels.size(), stream_.frame_bytes()));
  }
  move_to_cube();
  if (stream_.type != DataType::float16) {
    return pixels_.read_planes(*file_, index, pixels);
  }
  wide_.resize(pixels.size() / sizeof(std::uint16_t));
  pixels_.read_planes(*file_, index, std::as_writable_bytes(std::span(wide_)));
  for (std::size_t i = 0; i < wide_.size(); ++i) {
    const std::uint16_t half = float_to_float16(wide_[i]);
    std::memcpy(&pixels[i * sizeof half], &half, sizeof half);
  }
}

Recording::Recording(const std::filesystem::path& file) : file_(std::make_unique<File>(file)) {}
Recording::~Recording() = default;
Recording::Recording(Recording&&) noexcept = default;
Recording& Recording::operator=(Recording&&) noexcept = default;

const RecordedStream& Recording::stream() const noexcept { return file_->stream(); }
std::uint64_t Recording::frames() const noexcept { return file_->frames(); }
std::chrono::seconds Recording::tai_offset() const noexcept { return file_->tai_offset(); }
RecordedFrame Recording::frame(std::uint64_t index) const { return file_->frame(index); }
void Recording::read(std::uint64_t index, std::span<std::byte> pixels) const {
  file_->read(index, pixels);
}

bool is_recording(const std::filesystem::path& file) {
  try {
    return move_to_table(fits::open_file(file.string(), file.string()));
  } catch (const Error& error) {
    if (error.problem() == Problem::not_an_image) {
      return false;
    }
    throw;
  }
}

}  // namespace shmim
