// The structures of the headers are those of the layout, and IMAGE is the C library's.

#include <cstddef>

#include "imagestreamio/image.hpp"

namespace {

using namespace shmim::layout;

#define SHMIM_SAME(theirs, their_member, ours, member)                     \
  static_assert(offsetof(theirs, their_member) == offsetof(ours, member)); \
  static_assert(sizeof(theirs::their_member) == sizeof(ours::member))
SHMIM_SAME(IMAGE_METADATA, version, Metadata, version);
SHMIM_SAME(IMAGE_METADATA, name, Metadata, name);
SHMIM_SAME(IMAGE_METADATA, naxis, Metadata, naxis);
SHMIM_SAME(IMAGE_METADATA, size, Metadata, size);
SHMIM_SAME(IMAGE_METADATA, nelement, Metadata, nelement);
SHMIM_SAME(IMAGE_METADATA, datatype, Metadata, datatype);
SHMIM_SAME(IMAGE_METADATA, imagetype, Metadata, imagetype);
SHMIM_SAME(IMAGE_METADATA, creationtime, Metadata, creationtime);
SHMIM_SAME(IMAGE_METADATA, lastaccesstime, Metadata, lastaccesstime);
SHMIM_SAME(IMAGE_METADATA, atime, Metadata, atime);
SHMIM_SAME(IMAGE_METADATA, writetime, Metadata, writetime);
SHMIM_SAME(IMAGE_METADATA, creatorPID, Metadata, creator_pid);
SHMIM_SAME(IMAGE_METADATA, ownerPID, Metadata, owner_pid);
SHMIM_SAME(IMAGE_METADATA, shared, Metadata, shared);
SHMIM_SAME(IMAGE_METADATA, inode, Metadata, inode);
SHMIM_SAME(IMAGE_METADATA, location, Metadata, location);
SHMIM_SAME(IMAGE_METADATA, status, Metadata, status);
SHMIM_SAME(IMAGE_METADATA, flag, Metadata, flag);
SHMIM_SAME(IMAGE_METADATA, logflag, Metadata, logflag);
SHMIM_SAME(IMAGE_METADATA, sem, Metadata, sem);
SHMIM_SAME(IMAGE_METADATA, NBproctrace, Metadata, nb_proctrace);
SHMIM_SAME(IMAGE_METADATA, cnt0, Metadata, cnt0);
SHMIM_SAME(IMAGE_METADATA, cnt1, Metadata, cnt1);
SHMIM_SAME(IMAGE_METADATA, cnt2, Metadata, cnt2);
SHMIM_SAME(IMAGE_METADATA, write, Metadata, write);
SHMIM_SAME(IMAGE_METADATA, NBkw, Metadata, nb_kw);
SHMIM_SAME(IMAGE_METADATA, CBsize, Metadata, cb_size);
SHMIM_SAME(IMAGE_METADATA, CBindex, Metadata, cb_index);
SHMIM_SAME(IMAGE_METADATA, CBcycle, Metadata, cb_cycle);
SHMIM_SAME(IMAGE_METADATA, imdatamemsize, Metadata, imdatamemsize);
SHMIM_SAME(IMAGE_METADATA, cudaMemHandle, Metadata, cuda_mem_handle);
static_assert(sizeof(IMAGE_METADATA) == sizeof(Metadata));
SHMIM_SAME(IMAGE_KEYWORD, name, KeywordSlot, name);
SHMIM_SAME(IMAGE_KEYWORD, type, KeywordSlot, type);
SHMIM_SAME(IMAGE_KEYWORD, value, KeywordSlot, value);
SHMIM_SAME(IMAGE_KEYWORD, cnt, KeywordSlot, cnt);
SHMIM_SAME(IMAGE_KEYWORD, comment, KeywordSlot, comment);
static_assert(sizeof(IMAGE_KEYWORD) == sizeof(KeywordSlot));
SHMIM_SAME(STREAM_PROC_TRACE, triggermode, TraceSlot, triggermode);
SHMIM_SAME(STREAM_PROC_TRACE, procwrite_PID, TraceSlot, procwrite_pid);
SHMIM_SAME(STREAM_PROC_TRACE, trigger_inode, TraceSlot, trigger_inode);
SHMIM_SAME(STREAM_PROC_TRACE, ts_procstart, TraceSlot, ts_procstart);
SHMIM_SAME(STREAM_PROC_TRACE, ts_streamupdate, TraceSlot, ts_streamupdate);
SHMIM_SAME(STREAM_PROC_TRACE, trigsemindex, TraceSlot, trigsemindex);
SHMIM_SAME(STREAM_PROC_TRACE, triggerstatus, TraceSlot, triggerstatus);
SHMIM_SAME(STREAM_PROC_TRACE, cnt0, TraceSlot, cnt0);
static_assert(sizeof(STREAM_PROC_TRACE) == sizeof(TraceSlot));
SHMIM_SAME(CBFRAMEMD, cnt0, CircularBufferSlot, cnt0);
SHMIM_SAME(CBFRAMEMD, cnt1, CircularBufferSlot, cnt1);
SHMIM_SAME(CBFRAMEMD, atime, CircularBufferSlot, atime);
SHMIM_SAME(CBFRAMEMD, writetime, CircularBufferSlot, writetime);
static_assert(sizeof(CBFRAMEMD) == sizeof(CircularBufferSlot));
#undef SHMIM_SAME
static_assert(sizeof(timespec) == sizeof(Timespec) && sizeof(SEMFILEDATA) == sizeof(sem_t));

#define SHMIM_AT(member, offset) static_assert(offsetof(IMAGE, member) == (offset))
SHMIM_AT(name, 0);
SHMIM_AT(used, 80);
SHMIM_AT(createcnt, 88);
SHMIM_AT(shmfd, 96);
SHMIM_AT(memsize, 104);
SHMIM_AT(semlog, 112);
SHMIM_AT(md, 120);
SHMIM_AT(array, 128);
SHMIM_AT(semptr, 136);
SHMIM_AT(kw, 144);
SHMIM_AT(semfile, 152);
SHMIM_AT(semReadPID, 160);
SHMIM_AT(semWritePID, 168);
SHMIM_AT(semctrl, 176);
SHMIM_AT(semstatus, 184);
SHMIM_AT(streamproctrace, 192);
SHMIM_AT(flagarray, 200);
SHMIM_AT(cntarray, 208);
SHMIM_AT(atimearray, 216);
SHMIM_AT(writetimearray, 224);
SHMIM_AT(CircBuff_md, 232);
SHMIM_AT(CBimdata, 240);
#undef SHMIM_AT
static_assert(sizeof(IMAGE) == 248);

static_assert(STRINGMAXLEN_IMAGE_NAME == name_bytes && SEMAPHORE_MAXVAL == semaphore_max);
static_assert(CIRCULAR_BUFFER == image_circular && MATH_DATA == image_math_data &&
              IMG_RECV == image_received && IMG_SENT == image_sent &&
              ZAXIS_TEMPORAL == image_z_time);

}  // namespace
