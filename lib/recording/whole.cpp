// From the pixels and the journal of a recording to a whole file: when it ends, and after a crash.

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <limits>
#include <variant>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fits/cards.hpp"
#include "fits/image.hpp"
#include "recording/files.hpp"
#include "recording/pixel_file.hpp"
#include "recording/summary.hpp"
#include "shmim/error.hpp"
#include "shmim/file.hpp"

namespace shmim::recording {
namespace {

constexpr std::int64_t no_number = std::numeric_limits<std::int64_t>::min();
constexpr std::size_t text_column_bytes = 24;  // of any number, too
constexpr std::size_t most_lost_ranges = 40;

// ---- The header of the cube.

std::string iso_date(Tai time) {
  std::string text = to_utc(time);
  text.pop_back();  // FITS knows no Z: TIMESYS says it
  return text;
}

class Cards {
 public:
  Cards(DataType type, std::vector<Keyword> keywords)
      : type_(type), keywords_(std::move(keywords)) {}
  /// Unless the stream has a keyword of that name.
  void add(std::string name, decltype(Keyword::value) value, std::string comment) {
    if (std::ranges::find(keywords_, name, &Keyword::name) == keywords_.end()) {
      ours_.push_back({std::move(name), std::move(value), std::move(comment)});
    }
  }
  [[nodiscard]] std::vector<std::string> all() && {
    ours_.insert(ours_.end(), keywords_.begin(), keywords_.end());
    return fits::image_cards(type_, ours_);
  }

 private:
  DataType type_;
  std::vector<Keyword> keywords_;
  std::vector<Keyword> ours_;
};

void add_stream(Cards& cards, const RecordedStream& stream) {
  cards.add("EXTNAME", stream.name, "stream");
  cards.add("IMGTYPE", static_cast<std::int64_t>(stream.image_type), "image type of the stream");
  std::size_t step = 0;
  for (const TraceEntry& entry : stream.trace) {
    cards.add(fmt::format("TRACE{}", ++step),
              fmt::format("pid {} cnt0 {} of inode {}", entry.pid, entry.cnt0, entry.trigger_inode),
              "who made the first frame, of which");
  }
}

void add_summary(Cards& cards, const Summary& summary) {
  cards.add("MISSED", static_cast<std::int64_t>(summary.missed), "frames that are lacking");
  for (std::size_t i = 0; i < std::min(most_lost_ranges, summary.lost.size()); ++i) {
    const auto [first, last] = summary.lost[i];
    cards.add(fmt::format("LOST{}", i + 1), fmt::format("{}-{}", first, last),
              "cnt0 of such frames");
  }
  if (summary.begin != never) {
    cards.add("TIMESYS", "UTC", "time scale of the dates");
    cards.add("DATE-OBS", iso_date(summary.begin), "when the first frame was acquired");
    cards.add("DATE-END", iso_date(summary.end), "when the last frame was acquired");
  }
}

std::vector<std::byte> cube_header(const RecordedStream& stream, std::uint64_t frames,
                                   Cards cards) {
  std::vector<LONGLONG> axes = fits::image_axes(stream.type, stream.shape);
  axes.push_back(static_cast<LONGLONG>(frames));
  return fits::image_header(Hdu::primary, stream.type, axes, std::move(cards).all());
}

/// Fills a header with blank cards up to so many bytes: END is the last.
void extend(std::vector<std::byte>& header, std::size_t bytes) {
  std::array<std::byte, fits::card_bytes> end{};
  end.fill(std::byte{' '});
  std::memcpy(end.data(), "END", 3);
  for (std::size_t at = 0; at < header.size(); at += end.size()) {
    if (std::memcmp(&header[at], end.data(), end.size()) == 0) {
      std::memset(&header[at], ' ', end.size());
    }
  }
  header.resize(bytes, std::byte{' '});
  std::memcpy(&header[bytes - end.size()], end.data(), end.size());
}

std::vector<std::byte> last_header(const Beginning& beginning, const Summary& summary) {
  std::vector<Keyword> constant = beginning.stream.keywords;
  std::erase_if(constant, [&summary](const Keyword& keyword) {
    return std::ranges::find(summary.changing, keyword.name, &ChangingKeyword::name) !=
           summary.changing.end();
  });
  Cards cards(beginning.stream.type, std::move(constant));
  add_stream(cards, beginning.stream);
  add_summary(cards, summary);
  std::vector<std::byte> header = cube_header(beginning.stream, summary.frames, std::move(cards));
  if (header.size() > beginning.header_bytes) {
    throw Error(Problem::failed, beginning.stream.name, "its header has no room");
  }
  extend(header, beginning.header_bytes);
  return header;
}

// ---- The table of the frames.

/// What FITS allows in the name of a column, and no name of ours.
std::string column_name(const std::string& keyword) {
  std::string name = keyword;
  for (char& letter : name) {
    const bool is_plain = (letter >= '0' && letter <= '9') || (letter >= 'A' && letter <= 'Z') ||
                          (letter >= 'a' && letter <= 'z');
    letter = is_plain || letter == '-' ? letter : '_';
  }
  constexpr std::array<std::string_view, 5> ours{"CNT0", "CNT1", "ATIME", "WRITETIME", "MISSED"};
  return std::ranges::find(ours, name) == ours.end() ? name : name + "_KW";
}

std::vector<std::byte> frames_header(const Beginning& beginning, const Summary& summary) {
  std::vector<fits::Column> columns{
      {"CNT0", "1K", "", "frames published, up to this one"},
      {"CNT1", "1K", "", "slice written last"},
      {"ATIME", "1K", "ns", "acquired, since 1970 on CLOCK_TAI"},
      {"WRITETIME", "1K", "ns", "written, since 1970 on CLOCK_TAI"},
      {"MISSED", "1K", "", "frames before it that are lacking"},
  };
  std::vector<std::string> cards;
  const auto add_null = [&](std::size_t column) {
    cards.push_back(fits::make_card({fmt::format("TNULL{}", column), no_number, "not known"}));
  };
  add_null(3);
  add_null(4);
  for (const ChangingKeyword& keyword : summary.changing) {
    const std::string form = keyword.kind == ChangingKeyword::Kind::integer ? "1K"
                             : keyword.kind == ChangingKeyword::Kind::real
                                 ? "1D"
                                 : fmt::format("{}A", text_column_bytes);
    columns.push_back({column_name(keyword.name), form, "", keyword.comment});
    if (keyword.kind == ChangingKeyword::Kind::integer) {
      add_null(columns.size());
    }
  }
  cards.push_back(fits::make_card({"TAIUTC", beginning.seconds_of_utc, "[s] TAI minus UTC"}));
  return fits::table_header("FRAMES", columns, static_cast<LONGLONG>(summary.frames), cards);
}

void append_number(std::vector<std::byte>& row, std::uint64_t number) {
  for (int bits = 56; bits >= 0; bits -= 8) {
    row.push_back(static_cast<std::byte>(number >> bits & 0xFF));
  }
}

void append_time(std::vector<std::byte>& row, Tai time) {
  append_number(
      row, static_cast<std::uint64_t>(time == never ? no_number : time.time_since_epoch().count()));
}

void append_cell(std::vector<std::byte>& row, const ChangingKeyword& column, const Keyword* value) {
  switch (column.kind) {
    case ChangingKeyword::Kind::integer:
      append_number(row, static_cast<std::uint64_t>(
                             value != nullptr ? std::get<std::int64_t>(value->value) : no_number));
      return;
    case ChangingKeyword::Kind::real: {
      double number = std::numeric_limits<double>::quiet_NaN();
      if (value != nullptr) {
        const auto* integer = std::get_if<std::int64_t>(&value->value);
        number =
            integer != nullptr ? static_cast<double>(*integer) : std::get<double>(value->value);
      }
      append_number(row, std::bit_cast<std::uint64_t>(number));
      return;
    }
    case ChangingKeyword::Kind::text: {
      std::string text = value != nullptr ? to_string(*value) : "";
      text.resize(text_column_bytes);
      for (const char letter : text) {
        const bool is_printable = letter == '\0' || (letter >= ' ' && letter <= '~');
        row.push_back(static_cast<std::byte>(is_printable ? letter : '?'));
      }
      return;
    }
  }
}

/// The keywords of a stream, from frame to frame.
class Known {
 public:
  explicit Known(const std::vector<Keyword>& keywords) : keywords_(keywords) {}
  void follow(const JournalFrame& frame) {
    for (const Keyword& keyword : frame.set) {
      const auto found = std::ranges::find(keywords_, keyword.name, &Keyword::name);
      found != keywords_.end() ? void(*found = keyword) : keywords_.push_back(keyword);
    }
    for (const std::string& name : frame.erased) {
      std::erase_if(keywords_, [&name](const Keyword& keyword) { return keyword.name == name; });
    }
  }
  [[nodiscard]] const Keyword* find(const std::string& name) const {
    const auto found = std::ranges::find(keywords_, name, &Keyword::name);
    return found == keywords_.end() ? nullptr : &*found;
  }

 private:
  std::vector<Keyword> keywords_;
};

/// Writes to a file from some place on, in larger pieces.
class Appender {
 public:
  Appender(int file, std::uint64_t offset, std::string subject)
      : file_(file), offset_(offset), subject_(std::move(subject)) {}
  std::vector<std::byte>& bytes() noexcept { return bytes_; }
  void write_when_large() {
    constexpr std::size_t large = std::size_t{1} << 20;
    if (bytes_.size() >= large) {
      write();
    }
  }
  void write() {
    write_at(file_, bytes_, offset_, subject_);
    offset_ += bytes_.size();
    bytes_.clear();
  }

 private:
  int file_;
  std::uint64_t offset_;
  std::string subject_;
  std::vector<std::byte> bytes_;
};

/// Writes what comes behind the pixels, and gives its size.
void append_table(int file, const Names& names, std::uint64_t pixels_end,
                  const Beginning& beginning, const Summary& summary) {
  Appender out(file, pixels_end, names.pixels.string());
  out.bytes().resize(fits::padding_of(pixels_end));
  const std::vector<std::byte> header = frames_header(beginning, summary);
  out.bytes().insert(out.bytes().end(), header.begin(), header.end());
  out.write();
  JournalReader journal(names.journal);
  Known known(beginning.stream.keywords);
  std::uint64_t rows_bytes = 0;
  for (std::uint64_t row = 0; row < summary.frames; ++row) {
    const std::optional<JournalFrame> frame = journal.next();
    if (!frame) {
      throw Error(Problem::failed, names.journal.string(), "was altered meanwhile");
    }
    known.follow(*frame);
    const std::size_t before = out.bytes().size();
    append_number(out.bytes(), frame->info.cnt0);
    append_number(out.bytes(), frame->info.cnt1);
    append_time(out.bytes(), frame->info.atime);
    append_time(out.bytes(), frame->info.writetime);
    append_number(out.bytes(), frame->missed);
    for (const ChangingKeyword& column : summary.changing) {
      append_cell(out.bytes(), column, known.find(column.name));
    }
    rows_bytes += out.bytes().size() - before;
    out.write_when_large();
  }
  out.bytes().resize(out.bytes().size() + fits::padding_of(rows_bytes));
  out.write();
}

// ---- The file.

void cut(int file, std::uint64_t bytes, const std::string& subject) {
  if (::ftruncate(file, static_cast<off_t>(bytes)) != 0) {
    throw Error::system(subject, "cannot be cut", errno);
  }
}

void sync_directory(const std::filesystem::path& file) {
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
  const FileDescriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  static_cast<void>(::fsync(directory.get()));  // not all file systems can
}

void give_name(const Names& names, bool replaces) {
  const auto rename = [&names](unsigned flags) {
    return ::renameat2(AT_FDCWD, names.pixels.c_str(), AT_FDCWD, names.whole.c_str(), flags) == 0;
  };
  bool is_done = rename(replaces ? 0 : RENAME_NOREPLACE);
  if (!is_done && errno == EINVAL) {  // a file system that cannot tell: a link never replaces
    is_done = ::link(names.pixels.c_str(), names.whole.c_str()) == 0;
    if (is_done) {
      ::unlink(names.pixels.c_str());
    }
  }
  if (!is_done && errno == EEXIST) {
    throw Error(
        Problem::exists, names.whole.string(),
        fmt::format("was made by others meanwhile; the recording is {}", names.pixels.string()));
  }
  if (!is_done) {
    throw Error::system(names.whole.string(), "cannot be named", errno);
  }
}

/// How many frames the pixels are enough for.
std::uint64_t frames_in(int file, const Beginning& beginning, std::uint64_t frame_bytes) {
  struct stat status {};
  if (::fstat(file, &status) != 0 || std::cmp_less(status.st_size, beginning.header_bytes)) {
    return 0;
  }
  return (static_cast<std::uint64_t>(status.st_size) - beginning.header_bytes) / frame_bytes;
}

}  // namespace

std::vector<std::byte> first_header(const RecordedStream& stream) {
  Cards cards(stream.type, stream.keywords);
  add_stream(cards, stream);
  std::vector<std::byte> header = cube_header(stream, 0, std::move(cards));
  // Whatever is added to it at the end.
  static_assert((most_lost_ranges + 4) * fits::card_bytes <= 2 * fits::block_bytes);
  extend(header, header.size() + 2 * fits::block_bytes);
  return header;
}

std::uint64_t make_whole(const Names& names, bool replaces) {
  const FileDescriptor pixels(::open(names.pixels.c_str(), O_RDWR | O_CLOEXEC));
  if (pixels.get() < 0 && errno == ENOENT) {  // it has its name already, or never had a frame
    ::unlink(names.journal.c_str());
    throw Error(Problem::not_found, names.whole.string(), "none of its frames is left");
  }
  if (pixels.get() < 0) {
    throw Error::system(names.pixels.string(), "cannot be written", errno);
  }
  const Beginning beginning = JournalReader(names.journal).beginning();
  const std::uint64_t frame_bytes =
      fits::encoded_bytes(beginning.stream.type, beginning.stream.frame_bytes());
  std::uint64_t limit = frames_in(pixels.get(), beginning, frame_bytes);
  for (;;) {
    const Summary summary = summarize(names.journal, limit);
    const std::uint64_t pixels_end = beginning.header_bytes + summary.frames * frame_bytes;
    cut(pixels.get(), pixels_end, names.pixels.string());
    try {
      append_table(pixels.get(), names, pixels_end, beginning, summary);
      write_at(pixels.get(), last_header(beginning, summary), 0, names.pixels.string());
      if (::fsync(pixels.get()) != 0) {
        throw Error::system(names.pixels.string(), "cannot be written", errno);
      }
      give_name(names, replaces);
      sync_directory(names.whole);
      ::unlink(names.journal.c_str());
      return summary.frames;
    } catch (const Error& error) {
      if (error.problem() != Problem::no_space || summary.frames == 0) {
        throw;
      }
      // The last frames give way to the table.
      constexpr std::uint64_t row_bytes = 64;
      const std::uint64_t needed = summary.frames * row_bytes / frame_bytes + 1;
      limit = summary.frames - std::min(summary.frames, needed);
    }
  }
}

}  // namespace shmim::recording
