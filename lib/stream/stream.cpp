#include "shmim/stream.hpp"

#include <algorithm>
#include <cctype>
#include <ctime>
#include <utility>

#include <fmt/format.h>

#include "parts/draft.hpp"
#include "shmim/error.hpp"
#include "shmim/process.hpp"
#include "shmim/text.hpp"
#include "stream/core.hpp"

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
                "has no version string: it is being made by another program, or is not a stream");
  }
  if (std::isdigit(static_cast<unsigned char>(version.front())) != 0) {
    throw Error(Problem::other_version, name,
                fmt::format("has version {} of the layout, and we read version {}",
                            printable(version), ours));
  }
  throw Error(
      Problem::dao_layout, name,
      fmt::format("is not an ImageStreamIO stream: it begins with '{}', as files of the DAO "
                  "toolkit do with their name",
                  printable(version)));
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

Stream::Stream(std::shared_ptr<const Core> core) noexcept
    : core_(std::move(core)), header_(&core_->header()) {}
Stream::~Stream() = default;
Stream::Stream(const Stream& other) noexcept = default;
Stream& Stream::operator=(const Stream& other) noexcept = default;

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
  return Stream(std::make_shared<const Core>(std::move(segment), std::move(name), path,
                                             format_of(geometry), regions));
}

Stream Stream::make(Segment segment, const std::string& name, const std::filesystem::path& path,
                    const Format& format) {
  const layout::Geometry geometry = geometry_of(format);
  Stream stream(std::make_shared<const Core>(std::move(segment), name, path, format,
                                             *layout::lay_out(geometry)));
  const Core& core = *stream.core_;
  Metadata& header = core.header();
  std::copy(layout::version.begin(), layout::version.end(), header.version.begin());
  std::copy(name.begin(), name.end(), header.name.begin());
  header.naxis = geometry.naxis;
  header.size = geometry.size;
  header.nelement = format.shape.elements();
  header.datatype = geometry.datatype;
  header.imagetype = geometry.imagetype;
  header.creationtime = to_timespec(TaiClock::now());
  header.lastaccesstime = header.creationtime;
  header.creator_pid = this_process();
  header.shared = 1;
  header.inode = stream.identity().inode;
  header.location = geometry.location;
  header.sem = geometry.semaphores;
  header.nb_proctrace = geometry.trace_entries;
  header.nb_kw = geometry.keywords;
  header.cb_size = geometry.circular_buffer;
  header.imdatamemsize = core.regions.array_bytes;
  initialise(core.keywords());
  const Semaphores::Regions semaphores = core.semaphores();
  initialise(semaphores.semaphores);
  initialise(std::span(semaphores.log, 1));
  initialise(semaphores.read_pid);
  initialise(semaphores.write_pid);
  initialise(core.trace());
  return stream;
}

namespace {

void require_makeable(const std::string& name, const Format& format) {
  if (name.empty() || name.size() >= layout::name_bytes) {
    throw Error(Problem::usage, name,
                fmt::format("a name of {} bytes: a stream's has 1 to {}", name.size(),
                            layout::name_bytes - 1));
  }
  if (layout::has_slice_arrays(format.image_type) && format.shape.axes() != layout::max_axes) {
    throw Error(Problem::usage, name,
                fmt::format("a stream whose z axis is time needs three axes, and {} has {}",
                            to_string(format.shape), format.shape.axes()));
  }
}

void require_in_cpu_memory(const std::string& name, const Format& format) {
  if (format.location != -1) {
    throw Error(Problem::on_gpu, name, "streams in the memory of a GPU cannot be made here");
  }
}

}  // namespace

Stream Stream::draft(const std::filesystem::path& directory, const std::string& name,
                     const Format& format, std::optional<mode_t> mode) {
  require_in_cpu_memory(name, format);
  return draft_anywhere(directory, name, format, mode);
}

Stream Stream::draft_on_gpu(const std::filesystem::path& directory, const std::string& name,
                            const Format& format, std::optional<mode_t> mode) {
  if (format.location < 0) {
    throw Error(Problem::usage, name, fmt::format("there is no GPU {}", format.location));
  }
  return draft_anywhere(directory, name, format, mode);
}

Stream Stream::draft_anywhere(const std::filesystem::path& directory, const std::string& name,
                              const Format& format, std::optional<mode_t> mode) {
  require_makeable(name, format);
  Segment segment = Segment::draft(directory, format.file_bytes(), mode);
  return make(std::move(segment), name, directory / (name + std::string(stream_suffix)), format);
}

Stream Stream::local(const std::string& name, const Format& format) {
  require_in_cpu_memory(name, format);
  require_makeable(name, format);
  return make(Segment::local(name, format.file_bytes()), name, {}, format);
}

bool Stream::publish() { return core_->segment.publish(path()); }

std::optional<uid_t> Stream::publish_over() {
  std::optional<Stream> replaced;
  try {
    replaced = Stream::open(path(), Access::read_write);
  } catch (const Error&) {
    // Nothing there, or nothing whose readers we could wake: they will look within the second.
  }
  const auto previous_owner = core_->segment.publish_over(path());
  if (replaced) {
    replaced->semaphores().wake_readers();
  }
  return previous_owner;
}

Stream Stream::duplicate() const {
  return Stream(std::make_shared<const Core>(core_->segment.duplicate(), name(), path(), format(),
                                             core_->regions));
}

Segment Stream::duplicate_segment() const { return core_->segment.duplicate(); }

const std::string& Stream::name() const noexcept { return core_->name; }
const std::filesystem::path& Stream::path() const noexcept { return core_->path; }
const Format& Stream::format() const noexcept { return core_->format; }
Identity Stream::identity() const noexcept { return core_->segment.identity(); }
std::uint64_t Stream::file_bytes() const noexcept { return core_->segment.size(); }
bool Stream::writable() const noexcept { return core_->segment.writable(); }

bool Stream::is_current() const { return path().empty() || identity_of(path()) == identity(); }

void Stream::Core::throw_cut_short() const {
  throw Error(Problem::wrong_size, name, "was cut short by another program while we had it open");
}

void Stream::require_intact() const {
  if (!core_->segment.is_intact()) {
    core_->throw_cut_short();
  }
}

void Stream::require_not_lost() const { core_->require_not_lost(); }

void Stream::set_owner(pid_t pid) const {
  if (!writable()) {
    throw Error(Problem::not_ours_to_write, name(),
                "its owner cannot be set: it is read-only for us");
  }
  layout::store(core_->header().owner_pid, pid);
}

std::shared_ptr<const std::string> Stream::shared_name() const noexcept {
  return {core_, &core_->name};
}

Keywords Stream::keywords() const noexcept {
  return {core_->keywords(), writable(), shared_name()};
}

Semaphores Stream::semaphores() const noexcept {
  return {core_->semaphores(), core_->segment, shared_name()};
}

PlaneRing Stream::plane_ring() const { return core_->planes().kept_by(core_); }

Trace Stream::trace() const noexcept { return Trace(core_->trace(), core_); }

CircularBuffer Stream::circular_buffer() const noexcept {
  return {header(), core_->buffer_slots(), core_->buffer_frames(), core_->regions.array_bytes,
          core_};
}

void Stream::Core::throw_on_gpu() const {
  throw Error(
      Problem::on_gpu, name,
      fmt::format("its array is in the memory of GPU {}, which we cannot read", format.location));
}

std::span<const std::byte> Stream::unguarded_pixels() const& { return core_->array(); }

std::span<std::byte> Stream::unguarded_writable_pixels() & {
  if (!writable()) {
    throw Error(Problem::not_ours_to_write, name(), "cannot be written: it is read-only for us");
  }
  return core_->array();
}

void Stream::Core::store_slice_info(const FrameInfo& info) const noexcept {
  if (layout::has_slice_arrays(format.image_type) && info.cnt1 < format.shape[2]) {
    const auto slice = static_cast<std::size_t>(info.cnt1);
    const std::size_t slices = format.shape[2];
    layout::store(region<layout::Timespec>(regions.slice_atime, slices)[slice],
                  to_timespec(info.atime));
    layout::store(region<layout::Timespec>(regions.slice_writetime, slices)[slice],
                  to_timespec(info.writetime));
    layout::store(region<std::uint64_t>(regions.slice_cnt, slices)[slice], info.cnt0);
  }
}

void Stream::Core::withdraw_uncounted_slices() const noexcept {
  if (layout::has_slice_arrays(format.image_type)) {
    for (std::uint64_t& number :
         region<std::uint64_t>(regions.slice_cnt, std::size_t{format.shape[2]})) {
      if (layout::load(number) > layout::cnt0(header())) {
        layout::store(number, std::uint64_t{0});
      }
    }
  }
}

void Stream::Core::throw_claimed(pid_t holder) const {
  throw Error(Problem::claimed, name,
              fmt::format("process {} has claimed the right to write it",
                          segment.describe_user(holder, true)));
}

pid_t Stream::claimed_by() const noexcept { return core_->segment.claimed_by(); }

Liveness Stream::liveness_of(pid_t pid) const noexcept { return core_->segment.liveness_of(pid); }

void Stream::Core::require_unclaimed() const {
  if (const pid_t holder = segment.claimed_by(); holder != 0 && holder != this_process()) {
    throw_claimed(holder);
  }
}

void Stream::Core::respect_claim() const {
  // The coarse clock is a load; the exact one takes as long as all the rest of an empty frame.
  constexpr std::int64_t interval = 10'000'000;
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
  const std::int64_t moment = std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
  if (moment - looked_for_claim.load(std::memory_order_relaxed) >= interval) {
    require_unclaimed();
    looked_for_claim.store(moment, std::memory_order_relaxed);
  }
}

void Stream::Core::announce_anew() const noexcept {
  const std::lock_guard only_one(announcing);
  try {
    announcement.reset();
    announcement.emplace(segment.announce());
  } catch (...) {
    // Without a descriptor to spare: others judge us by what /proc says.
  }
  announced.store(this_process(), std::memory_order_relaxed);
}

void Stream::require_unclaimed() const { core_->require_unclaimed(); }

Claim Stream::claim_writing() const {
  if (!writable()) {
    throw Error(Problem::not_ours_to_write, name(), "cannot be claimed: it is read-only for us");
  }
  auto claim = core_->segment.claim();
  if (!claim) {
    core_->throw_claimed(claimed_by());
  }
  return *std::move(claim);
}

}  // namespace shmim
