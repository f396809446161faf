#include "common/print/frame_line.hpp"

#include <nlohmann/json.hpp>

#include "common/print/words.hpp"

namespace shmim::tools {
namespace {

Record date_or_null(Tai time, StampClock clock) {
  return time == never ? Record() : Record(to_utc(time, clock));
}

}  // namespace

Record frame_record(const Stream& stream, const TakenFrame& frame) {
  const StampClock clock = clock_of(stream);
  const Tai written = frame.info.writetime;
  const Seconds latency = elapsed(written, now_on(clock));
  return {{"name", stream.name()},
          {"cnt0", frame.info.cnt0},
          {"cnt1", frame.info.cnt1},
          {"atime", date_or_null(frame.info.atime, clock)},
          {"writetime", date_or_null(written, clock)},
          {"latency", is_date(written) ? Record(latency.count()) : Record()},
          {"missed", frame.missed},
          {"semaphore", frame.semaphore ? static_cast<int>(*frame.semaphore) : -1}};
}

std::string frame_line(const std::string& text, const Stream& stream, const Record& record) {
  return render(text, record, [&](const std::string& name) {
    const auto keyword = stream.keywords().find(name);
    return keyword ? to_json(*keyword).at("value") : Record();
  });
}

void check_frame_line(const std::string& text, const std::string& name, const Record& more) {
  Format smallest;
  smallest.shape = Shape{1};
  const Stream example = Stream::local(name, smallest);  // the one that is meant may be missing
  TakenFrame frame;
  frame.info.atime = frame.info.writetime = TaiClock::now();
  Record record = frame_record(example, frame);
  record.update(more);
  static_cast<void>(render(text, record, [](const std::string&) { return Record(); }));
}

}  // namespace shmim::tools
