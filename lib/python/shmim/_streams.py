"""Streams, and the frames of them."""

import contextlib
import ctypes
import os
import time
from typing import Iterator, List, NamedTuple, Optional, Union

import numpy

from . import _abi
from ._errors import Error, UsageError, check
from ._keywords import Keywords

_DTYPES = {
    1: "u1", 2: "i1", 3: "<u2", 4: "<i2", 5: "<u4", 6: "<i4", 7: "<u8", 8: "<i8",
    9: "<f4", 10: "<f8", 11: "<c8", 12: "<c16", 13: "<f2",
}  # fmt: skip
_CODES = {numpy.dtype(dtype): code for code, dtype in _DTYPES.items()}
# Between two looks for a signal, of a wait: what comes sooner is taken at once.
_LOOK = 0.05

Seconds = Optional[float]
"""A time to wait; None: without end."""


def _nanoseconds(seconds: Seconds) -> int:
    return -1 if seconds is None else max(0, round(seconds * 1e9))


def _directory(directory: Union[str, os.PathLike, None]) -> Optional[bytes]:
    return None if directory is None else os.fsencode(directory)


def _utc(tai: int) -> numpy.datetime64:
    return numpy.datetime64("NaT") if tai == 0 else numpy.datetime64(tai - _offset(), "ns")


def _seconds(tai: int) -> float:
    return float("nan") if tai == 0 else (tai - _offset()) / 1e9


def _offset() -> int:
    return _abi.library.shmim_tai_offset() * 1_000_000_000


def _tai(utc: Union[float, numpy.datetime64, None]) -> int:
    if utc is None:
        return 0
    if isinstance(utc, numpy.datetime64):
        return int(utc.astype("datetime64[ns]").astype("i8")) + _offset()
    return round(utc * 1e9) + _offset()


class Format(NamedTuple):
    """What a stream is made with, fixed for its life."""

    dtype: numpy.dtype
    shape: tuple  #: as numpy has it: rows, columns
    keywords: int  #: slots
    circular_buffer: int  #: frames; 0 none
    semaphores: int
    image_type: int


class Step(NamedTuple):
    """One step in the making of a frame: a process that wrote a stream, and what made it do so."""

    pid: int
    written: numpy.datetime64  #: UTC; NaT unless it is done
    trigger_inode: int  #: of the stream that triggered it; 0 none
    cnt0: int  #: the trigger stream's, at trigger
    triggered: numpy.datetime64
    semaphore: int  #: index in the trigger stream; -1 none


class Trigger:
    """What a process that was triggered by a frame should put in its trace, however much later it publishes."""

    def __init__(self, call, of):
        handle, error = ctypes.c_void_p(), _abi.Error()
        check(call(of, handle, error), error)
        self._handle = handle

    def __del__(self):
        if hasattr(self, "_handle"):
            _abi.library.shmim_free_trigger(self._handle)


class Frame:
    """A whole frame in memory of its own, with what is known of it."""

    def __init__(self, array: numpy.ndarray, known: _abi.Frame, trigger: Optional[Trigger] = None):
        self.array = array  #: its pixels
        self.cnt0: int = known.cnt0  #: its number
        self.cnt1: int = known.cnt1  #: slice written last, of a circular stream
        self.missed: int = known.missed  #: frames before it that could not be taken
        self.trigger = trigger  #: for Stream.write(); None of a frame that was not followed
        self._atime, self._writetime = known.atime, known.writetime

    @property
    def atime(self) -> numpy.datetime64:
        """When its data was acquired, in UTC; NaT if that is not known."""
        return _utc(self._atime)

    @property
    def writetime(self) -> numpy.datetime64:
        """When it was written, in UTC; NaT if its writer stamps no time."""
        return _utc(self._writetime)

    @property
    def acquired(self) -> float:
        """When its data was acquired, in seconds of UTC since 1970, as time.time() has them; NaN if not known."""
        return _seconds(self._atime)

    @property
    def written(self) -> float:
        """When it was written, likewise."""
        return _seconds(self._writetime)

    def __repr__(self) -> str:
        return f"<frame {self.cnt0} of {self.array.shape} {self.array.dtype}, written {self.writetime}>"


class Stream:
    """An open stream; see open() and create(). For one thread at a time.

    Arrays have numpy's order: the last axis varies fastest, an image is [row, column], a cube [plane, row, column].
    """

    def __init__(self, handle: ctypes.c_void_p):
        self._handle = handle

    def close(self) -> None:
        """Gives it back; arrays that live() gave must not be used any more."""
        if self._handle:
            _abi.library.shmim_close(self._handle)
            self._handle = None

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def __del__(self):
        self.close()

    @property
    def _open(self) -> ctypes.c_void_p:
        if not self._handle:
            raise UsageError("the stream is closed")
        return self._handle

    @property
    def name(self) -> str:
        return os.fsdecode(_abi.library.shmim_name(self._open))

    @property
    def path(self) -> str:
        return os.fsdecode(_abi.library.shmim_path(self._open))

    @property
    def format(self) -> Format:
        found = _abi.Format()
        _abi.library.shmim_get_format(self._open, found)
        return Format(
            numpy.dtype(_DTYPES[found.type]),
            tuple(found.size[: found.axes][::-1]),
            found.keywords,
            found.circular_buffer,
            found.semaphores,
            found.image_type,
        )

    @property
    def dtype(self) -> numpy.dtype:
        return self.format.dtype

    @property
    def shape(self) -> tuple:
        return self.format.shape

    @property
    def frame_shape(self) -> tuple:
        """Shape of what is published at a time: of the array, or of one plane where z is time."""
        form = self.format
        bytes_ = _abi.library.shmim_frame_bytes(self._open)
        whole = numpy.prod(form.shape, dtype=int) * form.dtype.itemsize
        return form.shape if bytes_ == whole else (1, *form.shape[1:])

    @property
    def writable(self) -> bool:
        return bool(_abi.library.shmim_is_writable(self._open))

    @property
    def is_current(self) -> bool:
        """True while its path leads to it: not removed, nor re-created."""
        return bool(_abi.library.shmim_is_current(self._open))

    @property
    def inode(self) -> int:
        """By which traces name the stream."""
        return _abi.library.shmim_inode(self._open)

    @property
    def cnt0(self) -> int:
        """Frames ever published."""
        frame = _abi.Frame()
        _abi.library.shmim_newest(self._open, frame)
        return frame.cnt0

    @property
    def keywords(self) -> Keywords:
        self._open
        return Keywords(self)

    def live(self) -> numpy.ndarray:
        """The array itself, read-only: a writer may alter it while you look. Valid until close()."""
        form = self.format
        address = _abi.library.shmim_array(self._open)
        if not address:
            raise Error(f"{self.name}: the pixels are in the memory of a GPU")
        array = self._view(address, form)
        array.flags.writeable = False
        return array

    def _view(self, address: int, form: Format) -> numpy.ndarray:
        count = int(numpy.prod(form.shape, dtype=int))
        memory = (ctypes.c_byte * (count * form.dtype.itemsize)).from_address(address)
        memory.stream = self  # which is closed when nobody has it any more
        return numpy.frombuffer(memory, form.dtype, count).reshape(form.shape)

    def read(self, timeout: Seconds = 1.0) -> Frame:
        """One whole frame, never parts of two. Waits for a writer in mid-frame; Busy if that takes longer."""
        form = self.format
        array = numpy.empty(form.shape, form.dtype)
        known, error = _abi.Frame(), _abi.Error()
        check(
            _abi.library.shmim_snapshot(
                self._open, array.ctypes.data, array.nbytes, _nanoseconds(timeout), known, error
            ),
            error,
        )
        return Frame(array, known)

    def write(
        self,
        array,
        trigger: Optional[Trigger] = None,
        atime: Union[float, numpy.datetime64, None] = None,
        lost: int = 0,
    ) -> int:
        """Publishes a frame, and gives its number.

        The array has frame_shape and the stream's type, or one that goes into it without another kind of number
        (TypeError). trigger is Frame.trigger of what it was made of, atime when its data was acquired, in UTC (now),
        lost how many frames before it are lost at the source. Waits a second at most for another writer.
        """
        pixels = numpy.asarray(array).astype(self.dtype, order="C", casting="same_kind", copy=False)
        shape = self.frame_shape
        if pixels.shape != shape and (1, *pixels.shape) != shape:
            raise UsageError(f"{self.name}: an array of {pixels.shape}, not {shape}")
        return self._publish(pixels.ctypes.data, pixels.nbytes, trigger, atime, lost)

    def republish(
        self, trigger: Optional[Trigger] = None, atime: Union[float, numpy.datetime64, None] = None
    ) -> int:
        """Publishes what is there once more, as a frame of its own, and gives its number."""
        return self._publish(None, 0, trigger, atime, 0)

    def _publish(self, pixels: Optional[int], size: int, trigger: Optional[Trigger], atime, lost: int) -> int:
        number, error = ctypes.c_uint64(), _abi.Error()
        cause = trigger._handle if trigger else None
        check(
            _abi.library.shmim_write(self._open, pixels, size, _tai(atime), cause, lost, number, error),
            error,
        )
        return number.value

    @contextlib.contextmanager
    def writing(
        self,
        trigger: Optional[Trigger] = None,
        atime: Union[float, numpy.datetime64, None] = None,
        timeout: Seconds = 1.0,
    ) -> Iterator[numpy.ndarray]:
        """The array to write to in place, within `with`, whose end publishes it.

        It holds the frame before. Readers wait meanwhile. Where the block raises, the frame is left unfinished, and
        readers are told so, until the next is written.
        """
        pixels, error = ctypes.c_void_p(), _abi.Error()
        check(_abi.library.shmim_begin(self._open, _nanoseconds(timeout), pixels, error), error)
        try:
            yield self._view(pixels.value, self.format)
        except BaseException:
            # What its end does to a frame that was begun is that: nothing is shown.
            _abi.library.shmim_abandon(self._handle)
            raise
        check(
            _abi.library.shmim_commit(self._handle, _tai(atime), trigger._handle if trigger else None, None, error),
            error,
        )

    def post(self, semaphore: Optional[int] = None) -> None:
        """Posts one semaphore, or all of them, without a frame."""
        error = _abi.Error()
        check(_abi.library.shmim_post(self._open, -1 if semaphore is None else semaphore, error), error)

    def trigger(self) -> Trigger:
        """Of the newest frame; of one that was followed see Frame.trigger."""
        return Trigger(_abi.library.shmim_trigger_now, self._open)

    def trace(self) -> List[Step]:
        """The steps that led to the newest frame, newest first."""
        count, error = ctypes.c_size_t(), _abi.Error()
        check(_abi.library.shmim_trace(self._open, None, 0, count, error), error)
        steps = (_abi.Step * count.value)()
        check(_abi.library.shmim_trace(self._open, steps, len(steps), count, error), error)
        return [
            Step(s.pid, _utc(s.written), s.trigger_inode, s.cnt0, _utc(s.triggered), s.semaphore)
            for s in steps[: count.value]
        ]

    def frames(self, timeout: Seconds = None, newest: bool = False, passive: bool = False) -> "Frames":
        """Each new frame from now on; see shmim.frames()."""
        return Frames(self, timeout, newest, passive)

    def __repr__(self) -> str:
        if not self._handle:
            return "<closed stream>"
        return f"<stream {self.name}: {self.shape} {self.dtype}>"


class Frames:
    """Goes through the frames of a stream as they come; an iterator. It ends when none comes in the time given."""

    def __init__(self, stream: Stream, timeout: Seconds, newest: bool, passive: bool):
        options = _abi.FollowOptions(newest=int(newest), passive=int(passive))
        handle, error = ctypes.c_void_p(), _abi.Error()
        check(_abi.library.shmim_follow(stream._open, options, handle, error), error)
        self._handle = handle
        self._timeout = timeout
        self._shape, self._dtype = stream.frame_shape, stream.dtype

    def __iter__(self) -> "Frames":
        return self

    def __next__(self) -> Frame:
        """The next frame. Removed, or Mismatch after a re-creation in another format, where there is none any more.

        Other threads run while it waits, and a signal, as of Ctrl-C, is handled within 50 ms.
        """
        if not self._handle:
            raise StopIteration
        array = numpy.empty(self._shape, self._dtype)
        known, error = _abi.Frame(), _abi.Error()
        deadline = None if self._timeout is None else time.monotonic() + self._timeout
        while True:
            left = _LOOK if deadline is None else min(_LOOK, max(0.0, deadline - time.monotonic()))
            problem = _abi.library.shmim_next(
                self._handle, array.ctypes.data, array.nbytes, _nanoseconds(left), known, error
            )
            if problem != _abi.TIMED_OUT:
                check(problem, error)
                return Frame(array, known, Trigger(_abi.library.shmim_trigger_of, self._handle))
            if deadline is not None and time.monotonic() >= deadline:
                raise StopIteration

    def close(self) -> None:
        """Gives its semaphore back."""
        if getattr(self, "_handle", None):
            _abi.library.shmim_unfollow(self._handle)
            self._handle = None

    def __del__(self):
        self.close()


def open(reference: str, directory: Union[str, os.PathLike, None] = None) -> Stream:
    """Opens the stream that a reference names, as `cam` or `tui16>cam`; for writing too where that is permitted.

    directory is MILK_SHM_DIR, else /milk/shm, else /dev/shm, unless it is given. NotFound, Mismatch, NotAStream.
    """
    handle, error = ctypes.c_void_p(), _abi.Error()
    check(_abi.library.shmim_open(reference.encode(), _directory(directory), handle, error), error)
    return Stream(handle)


def create(
    name: str,
    shape,
    dtype=numpy.float32,
    *,
    keywords: int = 10,
    circular_buffer: int = 0,
    semaphores: int = 10,
    image_type: Optional[int] = None,
    exist_ok: bool = False,
    replace: bool = False,
    directory: Union[str, os.PathLike, None] = None,
) -> Stream:
    """Makes a stream, whole and in one step, of a shape in numpy's order: (rows, columns).

    With exist_ok one of that type, shape and circular buffer is opened, and another is a Mismatch; with replace
    whatever has the name gives way. Else Exists. circular_buffer is how many past frames it keeps for those who
    follow it.
    """
    lengths = tuple(int(n) for n in (shape if hasattr(shape, "__len__") else (shape,)))
    code = _CODES.get(numpy.dtype(dtype).newbyteorder("<"), None)
    if code is None:
        raise UsageError(f"{name}: there are no streams of {numpy.dtype(dtype)}")
    if any(not 0 < n < 2**32 for n in lengths):
        raise UsageError(f"{name}: no shape of a stream: {lengths}")
    form = _abi.Format()
    sizes = (ctypes.c_uint32 * max(3, len(lengths)))(*reversed(lengths))
    _abi.library.shmim_default_format(form, code, len(lengths), sizes)
    form.keywords, form.circular_buffer, form.semaphores = keywords, circular_buffer, semaphores
    if image_type is not None:
        form.image_type = image_type
    way = _abi.REPLACE if replace else _abi.IF_MISSING if exist_ok else _abi.NEW
    handle, error = ctypes.c_void_p(), _abi.Error()
    check(_abi.library.shmim_create(name.encode(), form, way, _directory(directory), handle, error), error)
    return Stream(handle)


def frames(
    stream: Union[str, Stream], timeout: Seconds = None, newest: bool = False, passive: bool = False
) -> Frames:
    """Each new frame of a stream, from now on, until none comes for `timeout` seconds.

    In order, from the circular buffer if the stream has one; with newest, the newest, skipping what was missed. With
    passive no semaphore is claimed: it disturbs nobody, and costs more of a processor.
    """
    return (open(stream) if isinstance(stream, str) else stream).frames(timeout, newest, passive)


def streams(pattern: str = "*", directory: Union[str, os.PathLike, None] = None) -> List[str]:
    """Names of the streams that match a shell pattern, sorted."""
    names, error = ctypes.POINTER(ctypes.c_char_p)(), _abi.Error()
    check(_abi.library.shmim_list(_directory(directory), pattern.encode(), names, error), error)
    try:
        found, index = [], 0
        while names[index] is not None:
            found.append(os.fsdecode(names[index]))
            index += 1
        return found
    finally:
        _abi.library.shmim_free_names(names)


def remove(name: str, directory: Union[str, os.PathLike, None] = None) -> None:
    """Removes a stream, and wakes whoever waits on it. NotFound."""
    error = _abi.Error()
    check(_abi.library.shmim_remove(name.encode(), _directory(directory), error), error)
