#include "shmim/stream.hpp"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "base/copy.hpp"
#include "parts/circular_buffer_writer.hpp"
#include "parts/draft.hpp"
#include "shmim/error.hpp"
#include "shmim/process.hpp"
#include "shmim/text.hpp"
#include "stream/backoff.hpp"
#include "stream/mid_frame.hpp"

namespace shmim {
namespace {

using layout::Metadata;

/// Refuses a file that does not begin with our version of the layout, and says what it is instead.
void check_version(const Metadata& header, const std::string& name) {
  const std::string version = layout::text_of(layout::load(header.version));
  const std::string_view ours(layout::version.data());
  if (version == ours) {
    return;
  }
  if (version.empty()) {
    throw Error(Problem::no_version, name,
                "has no version string: it is being made by another program, or is no stream");
  }
  if (std::isdigit(static_cast<unsigned char>(version.front())) != 0) {
    throw Error(Problem::other_version, name,
                fmt::format("has version {} of the layout, and we read version {}",
                            printable(version), ours));
  }
  throw Error(Problem::dao_layout, name,
              fmt::format("is no ImageStreamIO stream: it begins with '{}', as files of the DAO "
                          "toolkit do with their name",
                          printable(version)));
}

Format format_of(const layout::Geometry& geometry) {
  Format format;
  format.type = static_cast<DataType>(geometry.datatype);
  format.shape = Shape(std::span(geometry.size).first(geometry.naxis));
  format.keywords = geometry.keywords;
  format.circular_buffer = geometry.circular_buffer;
  format.semaphores = geometry.semaphores;
  format.trace_entries = geometry.trace_entries;
  format.image_type = geometry.imagetype;
  format.location = geometry.location;
  return format;
}

layout::Regions require_regions(const layout::Geometry& geometry, std::size_t file_bytes,
                                const std::string& name) {
  const auto regions = layout::lay_out(geometry);
  if (!regions) {
    throw Error(Problem::bad_header, name,
                fmt::format("its header makes no stream: {} axes, size {}x{}x{}, data type {}",
                            geometry.naxis, geometry.size[0], geometry.size[1], geometry.size[2],
                            geometry.datatype));
  }
  if (regions->total == file_bytes) {
    return *regions;
  }
  const auto dao = layout::lay_out(geometry, layout::dao_metadata_bytes);
  if (dao && dao->total == file_bytes) {
    throw Error(Problem::dao_layout, name,
                "was made by a DAO build of the C library, whose header is longer than ours");
  }
  throw Error(Problem::wrong_size, name,
              fmt::format("has {} bytes, but its header asks for {}", file_bytes, regions->total));
}

}  // namespace

std::string stream_name(const std::filesystem::path& path) {
  std::string name = path.filename().string();
  if (name.ends_with(stream_suffix)) {
    name.resize(name.size() - stream_suffix.size());
  }
  return name;
}

Stream::Stream(Segment segment, std::string name, std::filesystem::path path, const Format& format,
               const layout::Regions& regions)
    : segment_(std::move(segment)),
      name_(std::move(name)),
      path_(std::move(path)),
      format_(format),
      regions_(regions) {}

Stream Stream::open(const std::filesystem::path& path, Access access) {
  Segment segment = Segment::open(path, access);
  std::string name = stream_name(path);
  if (segment.size() < sizeof(Metadata)) {
    throw Error(Problem::too_short, name,
                fmt::format("has {} bytes, fewer than the {} of a header: no stream (yet)",
                            segment.size(), sizeof(Metadata)));
  }
  const auto& header = *reinterpret_cast<const Metadata*>(segment.data());
  check_version(header, name);
  const layout::Geometry geometry = layout::geometry_in(header);
  const layout::Regions regions = require_regions(geometry, segment.size(), name);
  return {std::move(segment), std::move(name), path, format_of(geometry), regions};
}

Stream Stream::make(Segment segment, const std::string& name, std::filesystem::path path,
                    const Format& format) {
  const layout::Geometry geometry = geometry_of(format);
  Stream stream(std::move(segment), name, std::move(path), format, *layout::lay_out(geometry));
  Metadata& header = stream.header();
  std::copy(layout::version.begin(), layout::version.end(), header.version.begin());
  std::copy(name.begin(), name.end(), header.name.begin());
  header.naxis = geometry.naxis;
  header.size = geometry.size;
  header.nelement = format.shape.elements();
  header.datatype = geometry.datatype;
  header.imagetype = geometry.imagetype;
  header.creationtime = to_timespec(now());
  header.lastaccesstime = header.creationtime;
  header.creator_pid = this_process();
  header.shared = 1;
  header.inode = stream.identity().inode;
  header.location = geometry.location;
  header.sem = geometry.semaphores;
  header.nb_proctrace = geometry.trace_entries;
  header.nb_kw = geometry.keywords;
  header.cb_size = geometry.circular_buffer;
  header.imdatamemsize = stream.regions_.array_bytes;
  initialise(stream.region<layout::KeywordSlot>(stream.regions_.keywords, format.keywords));
  const Semaphores::Regions semaphores = stream.semaphore_regions();
  initialise(semaphores.semaphores);
  initialise(std::span(semaphores.log, 1));
  initialise(semaphores.read_pid);
  initialise(semaphores.write_pid);
  initialise(stream.trace_slots());
  return stream;
}

namespace {

void require_makeable(const std::string& name, const Format& format) {
  if (name.empty() || name.size() >= layout::name_bytes) {
    throw Error(Problem::usage, name,
                fmt::format("a name of {} bytes: a stream's has 1 to {}", name.size(),
                            layout::name_bytes - 1));
  }
  if (format.is_circular() && format.shape.axes() != layout::max_axes) {
    throw Error(Problem::usage, name,
                fmt::format("a stream whose z axis is time needs three axes, and {} has {}",
                            to_string(format.shape), format.shape.axes()));
  }
  if (format.location != -1) {
    throw Error(Problem::on_gpu, name, "streams in the memory of a GPU cannot be made here");
  }
}

}  // namespace

Stream Stream::draft(const std::filesystem::path& directory, const std::string& name,
                     const Format& format, std::optional<mode_t> mode) {
  require_makeable(name, format);
  Segment segment = Segment::draft(directory, format.file_bytes(), mode);
  return make(std::move(segment), name, directory / (name + std::string(stream_suffix)), format);
}

Stream Stream::local(const std::string& name, const Format& format) {
  require_makeable(name, format);
  return make(Segment::local(name, format.file_bytes()), name, {}, format);
}

bool Stream::publish() { return segment_.publish(path_); }

std::optional<uid_t> Stream::publish_over() {
  std::optional<Stream> replaced;
  try {
    replaced = Stream::open(path_, Access::read_write);
  } catch (const Error&) {
    // Nothing there, or nothing whose readers we could wake: they will look within the second.
  }
  const auto previous_owner = segment_.publish_over(path_);
  if (replaced) {
    replaced->semaphores().post_checked(SemaphoreSet::all());
  }
  return previous_owner;
}

Stream Stream::duplicate() const { return {segment_.duplicate(), name_, path_, format_, regions_}; }

bool Stream::is_current() const { return path_.empty() || identity_of(path_) == identity(); }

void Stream::throw_cut_short() const {
  throw Error(Problem::wrong_size, name_, "was cut short by another program while we had it open");
}

void Stream::require_intact() const {
  if (!segment_.is_intact()) {
    throw_cut_short();
  }
}

void Stream::require_not_lost() const {
  if (segment_.is_lost()) {
    throw_cut_short();
  }
}

Metadata& Stream::header() const noexcept { return *reinterpret_cast<Metadata*>(segment_.data()); }

template <class T>
std::span<T> Stream::region(std::uint64_t offset, std::size_t count) const noexcept {
  return {reinterpret_cast<T*>(segment_.data() + offset), count};
}

void Stream::set_owner(pid_t pid) const {
  if (!writable()) {
    throw Error(Problem::not_ours_to_write, name_,
                "its owner cannot be set: it is read-only for us");
  }
  layout::store(header().owner_pid, pid);
}

Keywords Stream::keywords() const noexcept {
  return {region<layout::KeywordSlot>(regions_.keywords, format_.keywords), writable()};
}

Semaphores::Regions Stream::semaphore_regions() const noexcept {
  const std::size_t count = format_.semaphores;
  return {region<sem_t>(regions_.semaphores, count),
          region<sem_t>(regions_.log_semaphore, 1).data(),
          region<pid_t>(regions_.read_pid, count),
          region<pid_t>(regions_.write_pid, count),
          region<std::uint32_t>(regions_.control, count),
          region<std::uint32_t>(regions_.status, count)};
}

Semaphores Stream::semaphores() const noexcept { return {semaphore_regions(), writable()}; }

std::span<layout::TraceSlot> Stream::trace_slots() const noexcept {
  return region<layout::TraceSlot>(regions_.trace, format_.trace_entries);
}

Trace Stream::trace() const noexcept { return Trace(trace_slots()); }

CircularBufferWriter Stream::buffer_writer() const noexcept {
  const std::size_t frames = format_.circular_buffer;
  return {header(), region<layout::CircularBufferSlot>(regions_.buffer_metadata, frames),
          region<std::byte>(regions_.buffer_frames, frames * regions_.array_bytes),
          regions_.array_bytes};
}

CircularBuffer Stream::circular_buffer() const noexcept {
  const std::size_t frames = format_.circular_buffer;
  return {header(), region<layout::CircularBufferSlot>(regions_.buffer_metadata, frames),
          region<std::byte>(regions_.buffer_frames, frames * regions_.array_bytes),
          regions_.array_bytes};
}

std::span<std::byte> Stream::unguarded_pixels() const {
  if (format_.location != -1) {
    throw Error(Problem::on_gpu, name_,
                fmt::format("its array is in the memory of GPU {}, which we cannot read",
                            format_.location));
  }
  return region<std::byte>(regions_.array, regions_.array_bytes);
}

void Stream::store_slice_info(const FrameInfo& info) const noexcept {
  if (format_.is_circular() && info.cnt1 < format_.shape[2]) {
    const auto slice = static_cast<std::size_t>(info.cnt1);
    const std::size_t slices = format_.shape[2];
    layout::store(region<layout::Timespec>(regions_.slice_atime, slices)[slice],
                  to_timespec(info.atime));
    layout::store(region<layout::Timespec>(regions_.slice_writetime, slices)[slice],
                  to_timespec(info.writetime));
    layout::store(region<std::uint64_t>(regions_.slice_cnt, slices)[slice], info.cnt0);
  }
}

void Stream::throw_claimed(pid_t holder) const {
  throw Error(
      Problem::claimed, name_,
      fmt::format("process {} has claimed the right to write it", describe_process(holder)));
}

void Stream::require_unclaimed() const {
  if (const pid_t holder = claimed_by(); holder != 0 && holder != this_process()) {
    throw_claimed(holder);
  }
}

Claim Stream::claim_writing() const {
  if (!writable()) {
    throw Error(Problem::not_ours_to_write, name_, "cannot be claimed: it is read-only for us");
  }
  auto claim = segment_.claim();
  if (!claim) {
    throw_claimed(claimed_by());
  }
  return *std::move(claim);
}

}  // namespace shmim
