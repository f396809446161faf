#include "common/print/frame_record.hpp"

#include <shmim/fits.hpp>

namespace shmim::tools {

FrameRecord record_of(const Stream& stream, const TakenFrame& taken, const Selection& selection) {
  static const std::string boot = boot_id();
  const StampClock clock = clock_of(stream);
  FrameRecord record;
  record.name = stream.name();
  record.type = selection.type();
  record.shape = selection.shape();
  record.image_type = stream.format().image_type;
  record.info = taken.info;
  record.info.atime = on_tai(taken.info.atime, clock);
  record.info.writetime = on_tai(taken.info.writetime, clock);
  record.missed = taken.missed;
  record.keywords = move_world(stream.keywords().all(), selection);
  record.trace = taken.trace;
  record.inode = taken.inode;
  record.boot = boot;
  return record;
}

}  // namespace shmim::tools
