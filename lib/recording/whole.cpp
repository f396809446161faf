// From the pixels and the journal of a recording to a whole file: when it ends, and after a crash.

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <limits>
#include <span>
#include <string_view>
#include <utility>
#include <variant>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fits/cards.hpp"
#include "fits/image.hpp"
#include "recording/cards.hpp"
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

/// With the UTC of the machine that recorded, which need not be this one.
std::string iso_date(Tai time, std::int64_t seconds_of_utc) {
  std::string text = to_utc(time - std::chrono::seconds{seconds_of_utc} + tai_offset());
  text.pop_back();  // FITS knows no Z: TIMESYS says it
  return text;
}

class Cards {
 public:
  Cards(DataType type, std::vector<Keyword> keywords)
      : type_(type), keywords_(std::move(keywords)) {}
  /// Unless the stream has a keyword of that name.
  void add(const Card& card, decltype(Keyword::value) value, std::size_t number = 0) {
    std::string name(card.name);
    if (number > 0) {
      name.replace(name.size() - 1, 1, fmt::to_string(number));
    }
    if (std::ranges::find(keywords_, name, &Keyword::name) == keywords_.end()) {
      ours_.push_back({std::move(name), std::move(value), std::string(card.comment)});
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

void add_stream(Cards& cards, const RecordedStream& stream, std::int64_t seconds_of_utc) {
  cards.add({"EXTNAME", "stream"}, stream.name);
  cards.add(image_type_card, static_cast<std::int64_t>(stream.image_type));
  std::size_t step = 0;
  for (const TraceEntry& entry : stream.trace) {
    const std::string cause =
        entry.trigger_inode != 0
            ? fmt::format(", of frame {} of inode {}", entry.cnt0, entry.trigger_inode)
            : "";
    cards.add(trace_card, fmt::format("by pid {}{}", entry.pid, cause), ++step);
  }
  if (stream.trigger) {
    cards.add(trigger_card, stream.trigger->what);
    if (!stream.trigger->stream.empty()) {
      cards.add(trigger_stream_card, stream.trigger->stream);
    }
    cards.add(trigger_time_card, iso_date(stream.trigger->time, seconds_of_utc));
  }
}

/// The keywords that have a column. There is room for so many; others are in no header either, for
/// there they would be taken for constant.
std::span<const ChangingKeyword> columns_of(const Summary& summary) {
  constexpr std::size_t most = 999 - 5;
  return std::span(summary.changing).first(std::min(most, summary.changing.size()));
}

/// The others.
std::span<const ChangingKeyword> left_out_of(const Summary& summary) {
  return std::span(summary.changing).subspan(columns_of(summary).size());
}

void add_begin(Cards& cards, Tai begin, std::int64_t seconds_of_utc) {
  cards.add({"TIMESYS", "time scale of the dates"}, "UTC");
  cards.add(begin_card, iso_date(begin, seconds_of_utc));
}

void add_summary(Cards& cards, const Summary& summary, std::int64_t seconds_of_utc) {
  cards.add(missed_card, static_cast<std::int64_t>(summary.missed));
  for (std::size_t i = 0; i < std::min(most_lost_ranges, summary.lost.size()); ++i) {
    const auto [first, last] = summary.lost[i];
    cards.add(lost_card, fmt::format("{}-{}", first, last), i + 1);
  }
  if (const std::size_t left_out = left_out_of(summary).size(); left_out > 0) {
    cards.add(left_out_card, static_cast<std::int64_t>(left_out));
  }
  if (summary.begin != never) {
    add_begin(cards, summary.begin, seconds_of_utc);
    cards.add(end_card, iso_date(summary.end, seconds_of_utc));
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

// ---- The table of the frames.

char upper(char letter) {
  return letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter;
}

/// What FITS recommends for the name of a column, where capitals and small letters are the same,
/// and no name of those that there are.
std::string column_name(const std::string& keyword, const std::vector<fits::Column>& columns) {
  std::string plain = keyword;
  for (char& letter : plain) {
    const bool is_plain =
        (letter >= '0' && letter <= '9') || (upper(letter) >= 'A' && upper(letter) <= 'Z');
    letter = is_plain ? letter : '_';
  }
  const auto is_there = [&columns](const std::string& name) {
    return std::ranges::any_of(columns, [&name](const fits::Column& column) {
      return std::ranges::equal(column.name, name, {}, upper, upper);
    });
  };
  std::string name = plain;
  for (unsigned number = 1; name.empty() || is_there(name); ++number) {
    name = fmt::format("{}_KW{}", plain, number == 1 ? "" : std::to_string(number));
  }
  return name;
}

/// Their names, as many on a line as there is room for.
void add_left_out(std::vector<std::string>& cards, const Summary& summary) {
  constexpr std::string_view comment = "COMMENT  ";
  std::string line = fmt::format("{}Keywords that changed, in no column:", comment);
  for (const ChangingKeyword& keyword : left_out_of(summary)) {
    std::string name = keyword.name;
    std::ranges::replace_if(
        name, [](char letter) { return letter < ' ' || letter > '~'; }, '?');
    if (line.size() + 1 + name.size() > fits::card_bytes) {
      cards.push_back(std::exchange(line, std::string(comment)));
    }
    line += " " + name;
  }
  if (!left_out_of(summary).empty()) {
    cards.push_back(line);
  }
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
  for (const ChangingKeyword& keyword : columns_of(summary)) {
    const std::string form = keyword.kind == ChangingKeyword::Kind::integer ? "1K"
                             : keyword.kind == ChangingKeyword::Kind::real
                                 ? "1D"
                                 : fmt::format("{}A", text_column_bytes);
    columns.push_back({column_name(keyword.name, columns), form, "", keyword.comment});
    if (keyword.kind == ChangingKeyword::Kind::integer) {
      add_null(columns.size());
    }
  }
  cards.push_back(fits::make_card({"TAIUTC", beginning.seconds_of_utc, "[s] TAI minus UTC"}));
  add_left_out(cards, summary);
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
  explicit Known(std::vector<Keyword> keywords) : keywords_(std::move(keywords)) {}
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

// ---- The file.

void cut(int file, std::uint64_t bytes, const std::string& subject) {
  if (::ftruncate(file, static_cast<off_t>(bytes)) != 0) {
    throw Error::system(subject, "cannot be cut", errno);
  }
}

std::uint64_t size_of(int file) {
  struct stat status {};
  return ::fstat(file, &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

void cut_journal(const std::filesystem::path& path, std::uint64_t bytes) {
  const FileDescriptor journal(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (journal.get() < 0) {
    throw Error::system(path.string(), "cannot be written", errno);
  }
  cut(journal.get(), bytes, path.string());
  if (::fdatasync(journal.get()) != 0) {
    throw Error::system(path.string(), "cannot be written", errno);
  }
}

void give_name(const Names& names, bool replaces) {
  const auto rename = [&names](unsigned flags) {
    return ::renameat2(AT_FDCWD, names.pixels.c_str(), AT_FDCWD, names.whole.c_str(), flags) == 0;
  };
  bool is_done = rename(replaces ? 0 : RENAME_NOREPLACE);
  if (!is_done && errno == EINVAL && !replaces) {
    // A file system that cannot tell. A link never replaces, but is a second name of what may still
    // be repaired.
    errno = EEXIST;
    is_done = !is_there(names.whole) && rename(0);
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

/// How many frames there can be with their rows, in a file that could not grow beyond this. What
/// the journal says of those that give way makes room, too.
std::uint64_t frames_with_rows(int file, const Beginning& beginning, std::uint64_t frame_bytes,
                               const Summary& summary) {
  const std::uint64_t changing = columns_of(summary).size();
  const std::uint64_t row_bytes = 5 * sizeof(std::uint64_t) + changing * text_column_bytes;
  // Headers, what fills up their blocks, and those of the file system.
  const std::uint64_t around =
      beginning.header_bytes + 8 * fits::block_bytes + 4 * fits::card_bytes * changing;
  const std::uint64_t room = size_of(file) + summary.journal_bytes;
  if (room < around || summary.frames == 0) {
    return 0;
  }
  const double journal_bytes =
      static_cast<double>(summary.journal_bytes) / static_cast<double>(summary.frames);
  const double fit = static_cast<double>(room - around) /
                     (static_cast<double>(frame_bytes + row_bytes) + journal_bytes);
  return std::min(summary.frames - 1, static_cast<std::uint64_t>(fit));
}

/// How many frames the pixels are enough for.
std::uint64_t frames_in(int file, const Beginning& beginning, std::uint64_t frame_bytes) {
  const std::uint64_t size = size_of(file);
  return (size - std::min(size, beginning.header_bytes)) / frame_bytes;
}

}  // namespace

void sync_directory(const std::filesystem::path& file) {
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
  const FileDescriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  static_cast<void>(::fsync(directory.get()));  // not all file systems can
}

bool is_there(const std::filesystem::path& path) noexcept {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

std::vector<std::byte> first_header(const RecordedStream& stream, std::uint64_t frames, Tai begin) {
  Cards cards(stream.type, stream.keywords);
  add_stream(cards, stream, tai_offset().count());
  if (begin != never) {
    add_begin(cards, begin, tai_offset().count());
  }
  std::vector<std::byte> header = cube_header(stream, frames, std::move(cards));
  // Whatever is added to it at the end.
  static_assert((most_lost_ranges + 5) * fits::card_bytes <= 2 * fits::block_bytes);
  extend(header, header.size() + 2 * fits::block_bytes);
  return header;
}

std::vector<std::byte> last_header(const Beginning& beginning, const Summary& summary) {
  std::vector<Keyword> constant = beginning.stream.keywords;
  std::erase_if(constant, [&summary](const Keyword& keyword) {
    return std::ranges::find(summary.changing, keyword.name, &ChangingKeyword::name) !=
           summary.changing.end();
  });
  Cards cards(beginning.stream.type, std::move(constant));
  add_stream(cards, beginning.stream, beginning.seconds_of_utc);
  add_summary(cards, summary, beginning.seconds_of_utc);
  std::vector<std::byte> header = cube_header(beginning.stream, summary.frames, std::move(cards));
  if (header.size() > beginning.header_bytes) {
    throw Error(Problem::failed, beginning.stream.name, "its header has no room");
  }
  extend(header, beginning.header_bytes);
  return header;
}

void write_table(const WriteBytes& write, const std::filesystem::path& journal,
                 const Beginning& beginning, const Summary& summary) {
  const std::uint64_t pixels =
      summary.frames * fits::encoded_bytes(beginning.stream.type, beginning.stream.frame_bytes());
  std::vector<std::byte> bytes(fits::padding_of(pixels));
  const auto hand_over = [&] {
    write(bytes);
    bytes.clear();
  };
  const std::vector<std::byte> header = frames_header(beginning, summary);
  bytes.insert(bytes.end(), header.begin(), header.end());
  hand_over();
  JournalReader reader(journal);
  Known known(beginning.stream.keywords);
  std::uint64_t rows_bytes = 0;
  for (std::uint64_t row = 0; row < summary.frames; ++row) {
    const std::optional<JournalFrame> frame = reader.next();
    if (!frame) {
      throw Error(Problem::failed, journal.string(), "was altered meanwhile");
    }
    known.follow(*frame);
    const std::size_t before = bytes.size();
    append_number(bytes, frame->info.cnt0);
    append_number(bytes, frame->info.cnt1);
    append_time(bytes, frame->info.atime);
    append_time(bytes, frame->info.writetime);
    append_number(bytes, frame->missed);
    for (const ChangingKeyword& column : columns_of(summary)) {
      append_cell(bytes, column, known.find(column.name));
    }
    rows_bytes += bytes.size() - before;
    constexpr std::size_t large = std::size_t{1} << 20;
    if (bytes.size() >= large) {
      hand_over();
    }
  }
  bytes.resize(bytes.size() + fits::padding_of(rows_bytes));
  hand_over();
}

std::uint64_t make_whole(const Names& names, bool replaces) {
  const FileDescriptor pixels(::open(names.pixels.c_str(), O_RDWR | O_CLOEXEC));
  if (pixels.get() < 0 && errno != ENOENT) {
    throw Error::system(names.pixels.string(), "cannot be written", errno);
  }
  // It has its name already, or died before it had a frame: the journal begins before the pixels.
  if (pixels.get() < 0 || size_of(pixels.get()) == 0) {
    ::unlink(names.pixels.c_str());
    ::unlink(names.journal.c_str());
    throw Error(Problem::not_found, names.whole.string(),
                is_there(names.whole) ? "is whole: there is nothing to repair"
                                      : "none of its frames is left");
  }
  const Beginning beginning = JournalReader(names.journal).beginning();
  const std::uint64_t frame_bytes =
      fits::encoded_bytes(beginning.stream.type, beginning.stream.frame_bytes());
  std::uint64_t limit = frames_in(pixels.get(), beginning, frame_bytes);
  for (;;) {
    const Summary summary = summarize(names.journal, limit);
    const std::uint64_t pixels_end = beginning.header_bytes + summary.frames * frame_bytes;
    // The journal first: where this dies, none of the table's bytes are taken for pixels.
    cut_journal(names.journal, summary.journal_bytes);
    cut(pixels.get(), pixels_end, names.pixels.string());
    try {
      std::uint64_t end = pixels_end;
      const auto append = [&](std::span<const std::byte> bytes) {
        write_at(pixels.get(), bytes, end, names.pixels.string());
        end += bytes.size();
      };
      write_table(append, names.journal, beginning, summary);
      write_at(pixels.get(), last_header(beginning, summary), 0, names.pixels.string());
      if (::fsync(pixels.get()) != 0) {
        throw Error::system(names.pixels.string(), "cannot be written", errno);
      }
      give_name(names, replaces);
      sync_directory(names.whole);
      ::unlink(names.journal.c_str());
      return summary.frames;
    } catch (const Error& error) {
      // The last frames give way to the table.
      limit = frames_with_rows(pixels.get(), beginning, frame_bytes, summary);
      if (error.problem() != Problem::no_space || limit == 0) {
        throw;
      }
    }
  }
}

}  // namespace shmim::recording
