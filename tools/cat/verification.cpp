#include "cat/verification.hpp"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <shmim/file.hpp>
#include <shmim/frames.hpp>
#include <unistd.h>

#include "common/io/descriptor.hpp"
#include "common/io/pipe.hpp"
#include "common/print/words.hpp"

namespace shmim::tools {

void Verification::take(std::span<const std::byte> frame, const CounterCheckFrame& known) {
  for (const CounterFault& fault : check_.take(frame, known)) {
    const std::string which = known.cnt0 ? fmt::format("cnt0 {}", *known.cnt0)
                                         : fmt::format("item {}", check_.tally().frames);
    context_.report(Error(Problem::failed, name_, fmt::format("{}: {}", which, to_string(fault))));
  }
}

bool Verification::conclude() const {
  const CounterTally& tally = check_.tally();
  context_.note(
      name_,
      fmt::format("{} checked: {} torn, {} lost, {} doubled, {} out of order, {} late{}",
                  counted(tally.frames, "frame"), tally.torn, tally.lost, tally.doubled,
                  tally.out_of_order, tally.late,
                  tally.unmarked == 0 ? "" : fmt::format(", {} not of a counter", tally.unmarked)));
  return tally.is_clean();
}

bool verify_recorded(const Context& context, const std::string& file,
                     std::optional<std::uint64_t> count, const CounterCheckOptions& options) {
  const std::string name = file == "-" ? "standard input" : file;
  const FileDescriptor input(file == "-" ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                                         : ::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (input.get() < 0) {
    throw Error(Problem::failed, name,
                fmt::format("cannot open: {}", std::generic_category().message(errno)));
  }
  FrameReader reader(name,
                     [&](std::span<std::byte> room) { return read_some(input.get(), room, name); });
  std::optional<Verification> verification;
  FrameRecord first;
  std::vector<std::byte> pixels;
  std::uint64_t checked = 0;
  for (; !count || checked < *count; ++checked) {
    const auto record = reader.next();
    if (!record) {
      break;
    }
    if (!verification) {
      first = *record;
      verification.emplace(context, name, first.type, first.shape, options);
      pixels.resize(first.bytes());
      widen_pipe(input.get(), pixels.size());
    } else if (record->type != first.type || record->shape != first.shape) {
      throw Error(
          Problem::mismatch, name,
          fmt::format("has a frame of {} {} behind one of {} {}", to_string(record->type),
                      to_string(record->shape), to_string(first.type), to_string(first.shape)));
    }
    reader.read(pixels);
    const FrameInfo& info = record->info;
    verification->take(pixels, {info.cnt0 > 0 ? std::optional(info.cnt0) : std::nullopt,
                                is_date(info.writetime) ? info.writetime : never});
  }
  const bool is_clean = verification && verification->conclude();
  if (checked < count.value_or(1)) {
    throw Error(Problem::failed, name,
                count ? fmt::format("ended after {} of {}", checked, counted(*count, "frame"))
                      : "ended without a frame");
  }
  return is_clean;
}

}  // namespace shmim::tools
