"""For programs that say `import ImageStreamIOWrap`: the Python module of ImageStreamIO, its classes over shmim.

    >>> import shmim.imagestreamio as ImageStreamIOWrap
    >>> image = ImageStreamIOWrap.Image()
    >>> if image.open("cam") == 0:
    ...     index = image.getsemwaitindex(0)
    ...     image.semwait(index)
    ...     pixels = image.copy()

Arrays are indexed as the stream is, [axis 0, axis 1, axis 2], of which axis 0 varies fastest: of an image, [column, row].

What is better here: copy() gives one whole frame, never parts of two; frames are counted before they are announced, with
times, and go into the circular buffer; waits let other threads run, and Ctrl-C through within 50 ms; create() shows the
stream in one step; any type can be had, complex ones and half too. Times are seconds of UTC since 1970.

What is not to be had: images in private memory (shared=0) or that of a GPU, memoryview() of an Image itself (of
numpy.asarray(image), yes), and the attributes that Image refuses with the name of what has them here.
"""

import ctypes
import datetime
import enum
import os
import sys
import time
from typing import Dict, Iterable, List, Mapping, Optional, Tuple, Union

import numpy

from . import _abi, _streams
from ._errors import Error, NoSpace, UsageError, check
from ._keywords import _keyword_of, _value_of

SUCCESS, FILEOPEN, FILEWRITE = 0, 40, 44

_ELSEWHERE = {
    "streamproctrace0": "shmim.open(name).trace() has the trace",
    "cntarray": "shmim.open(name).frames() gives each plane with its number",
    "acqtimearray": "shmim.open(name).frames() gives each plane with its atime",
    "writetimearray": "shmim.open(name).frames() gives each plane with its writetime",
    "flagarray": "nobody writes it",
    "memsize": "os.stat(shmim.open(name).path).st_size is the size of the file",
}


class ImageStreamIODataType(enum.IntEnum):
    """The types of pixels."""

    UINT8 = 1
    INT8 = 2
    UINT16 = 3
    INT16 = 4
    UINT32 = 5
    INT32 = 6
    UINT64 = 7
    INT64 = 8
    FLOAT = 9
    DOUBLE = 10
    COMPLEX_FLOAT = 11
    COMPLEX_DOUBLE = 12
    HALF = 13

    @property
    def size(self) -> int:
        """Bytes of a pixel."""
        return numpy.dtype(_streams._DTYPES[self]).itemsize


class ImageStreamIOType(enum.IntEnum):
    """What an image is, and what its third axis is: one of each, by `|`."""

    CIRCULAR_BUFFER_TYPE = 0x1
    MATH_DATA_TYPE = 0x2
    IMG_RECV_TYPE = 0x4
    IMG_SENT_TYPE = 0x8
    ZAXIS_UNDEF_TYPE = 0x0
    ZAXIS_SPACIAL_TYPE = 0x10000
    ZAXIS_TEMPORAL_TYPE = 0x20000
    ZAXIS_WAVELENGTH_TYPE = 0x30000
    ZAXIS_MAPPING_TYPE = 0x40000


class Image_kw:
    """A keyword: a name of 16 bytes at most, an int, float or str (16 bytes), and a comment (80)."""

    def __init__(self, name: str, value: Union[int, float, str], comment: str = ""):
        self._keyword = _keyword_of(name, (value, comment))

    @classmethod
    def _of(cls, keyword: _abi.Keyword) -> "Image_kw":
        made = cls.__new__(cls)
        made._keyword = keyword
        return made

    @property
    def name(self) -> str:
        return self._keyword.name.decode(errors="replace")

    @property
    def type(self) -> str:
        """`L` of an int, `D` of a float, `S` of a str."""
        return self._keyword.kind.decode()

    @property
    def value(self) -> Union[int, float, str]:
        return _value_of(self._keyword)

    @property
    def comment(self) -> str:
        return self._keyword.comment.decode(errors="replace")

    def __repr__(self) -> str:
        return f"{self.value} {self.comment}"


class Image_md:
    """The header of an image, each field as it stands when it is asked for."""

    def __init__(self, image: "Image"):
        self._image = image

    def _header(self) -> _abi.Header:
        header = _abi.Header()
        _abi.library.shmim_get_header(self._image._opened._open, header)
        return header

    def _newest(self) -> _abi.Frame:
        frame = _abi.Frame()
        _abi.library.shmim_newest(self._image._opened._open, frame)
        return frame

    def _format(self) -> _streams.Format:
        return self._image._opened.format

    @property
    def version(self) -> str:
        return self._header().version.decode()

    @property
    def name(self) -> str:
        return self._image._opened.name

    @property
    def naxis(self) -> int:
        return len(self.size)

    @property
    def size(self) -> List[int]:
        return list(self._image.shape)

    @property
    def nelement(self) -> int:
        return int(numpy.prod(self.size))

    @property
    def datatype(self) -> ImageStreamIODataType:
        return ImageStreamIODataType(_streams._CODES[self._format().dtype])

    @property
    def imagetype(self) -> int:
        """That of ImageStreamIOType which says what the image is."""
        return self._format().image_type & 0xF

    @property
    def creationtime(self) -> float:
        return _streams._seconds(self._header().created)

    @property
    def lastaccesstime(self) -> float:
        """NaN if nobody stamps it."""
        return _streams._seconds(self._header().accessed)

    @property
    def acqtime(self) -> float:
        """When the data of the newest frame was acquired; NaN if that is not known."""
        return _streams._seconds(self._newest().atime)

    @property
    def writetime(self) -> float:
        """When the newest frame was written; NaN if its writer stamps no time."""
        return _streams._seconds(self._newest().writetime)

    @property
    def shared(self) -> int:
        return self._header().shared

    @property
    def location(self) -> int:
        """-1: the memory of the CPU."""
        return -1

    @property
    def location_str(self) -> str:
        return "CPU RAM"

    @property
    def status(self) -> int:
        return self._header().status

    @property
    def inode(self) -> int:
        return self._image._opened.inode

    @property
    def logflag(self) -> int:
        return self._header().logflag

    @property
    def sem(self) -> int:
        """How many semaphores there are."""
        return self._format().semaphores

    @property
    def cnt0(self) -> int:
        """Frames ever published."""
        return self._newest().cnt0

    @property
    def cnt1(self) -> int:
        """The plane written last, where z is time."""
        return self._newest().cnt1

    @property
    def cnt2(self) -> int:
        return self._header().cnt2

    @property
    def write(self) -> int:
        """Not 0 while a frame is being written."""
        return self._header().write

    @property
    def flag(self) -> int:
        return self._header().flag

    @property
    def NBkw(self) -> int:
        """Slots for keywords."""
        return self._format().keywords

    @property
    def CBsize(self) -> int:
        """Frames of the circular buffer."""
        return self._format().circular_buffer

    def __repr__(self) -> str:
        fields = (name for name, of in vars(Image_md).items() if isinstance(of, property))
        return "\n".join(f"{name}: {getattr(self, name)}" for name in fields)


class Image:
    """A stream, once open() or create() has been called; before that, and after close(), the rest is a RuntimeError,
    close() too.

    numpy.array(image, copy=False), or image.view(), is the live array, which a writer may alter while you look, and
    which is written to without anybody being told until update(). It is valid until close(). A subclass may have methods
    and attributes of any of these names.
    """

    def __init__(self):
        self._stream: Optional[_streams.Stream] = None

    @property
    def _opened(self) -> _streams.Stream:
        if not self.used:
            raise RuntimeError("no stream is open here: open() or create() comes first")
        return self._stream

    def __getattr__(self, name: str):
        if name in _ELSEWHERE:
            raise AttributeError(f"{name} is not to be had here: {_ELSEWHERE[name]}")
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def open(self, name: str) -> int:
        """Opens the stream of that name. Gives 0; 40 if it is not there, or cannot be read, with a line on standard error.

        What was open is closed.
        """
        return Image._take(self, lambda: _streams.open(name))

    def create(
        self,
        name: str,
        buffer: numpy.ndarray,
        location: int = -1,
        shared: int = 1,
        NBsem: int = 10,
        NBkw: int = 1,
        imagetype: int = ImageStreamIOType.MATH_DATA_TYPE,
        CBsize: int = 0,
    ) -> int:
        """Makes a stream of the shape and type of an array, which is its first frame, in place of one of that name.

        NBsem is the number of semaphores, NBkw that of slots for keywords, CBsize that of frames of the circular buffer.
        Gives 0; 44 if there is no room for it, 40 if it cannot be made, with a line on standard error.
        """
        if location >= 0 or not shared:
            raise NotImplementedError("images are in shared memory of the CPU here: location -1, shared 1")
        if not hasattr(buffer, "__array_interface__"):
            raise TypeError(f"an array is asked for, as numpy.zeros({buffer!r}) makes one")

        def made() -> _streams.Stream:
            pixels = numpy.asarray(buffer)
            stream = _streams.create(
                name, pixels.shape[::-1], pixels.dtype, keywords=NBkw, circular_buffer=CBsize, semaphores=NBsem,
                image_type=int(imagetype), replace=True,
            )  # fmt: skip
            Image._publish(stream, pixels)
            return stream

        return Image._take(self, made)

    def _take(self, make) -> int:
        if self._stream is not None:
            self._stream.close()
        try:
            self._stream = make()
        except UsageError:
            raise
        except Error as error:
            print(error, file=sys.stderr)
            return FILEWRITE if isinstance(error, NoSpace) else FILEOPEN
        return SUCCESS

    @staticmethod
    def _publish(stream: _streams.Stream, pixels: Optional[numpy.ndarray], atime: Optional[float] = None) -> None:
        # In place: the array that a program looks at is this one, whatever has its name by now.
        with stream.writing(atime=atime) as array:
            if pixels is not None:
                array[...] = pixels.T

    def close(self) -> int:
        """Gives it back; arrays that view() gave must not be used any more. Gives 0."""
        self._opened.close()
        return SUCCESS

    def destroy(self) -> int:
        """Removes the stream, if its name still leads to this one, and closes it. Gives 0."""
        stream = self._opened
        if stream.is_current:
            _streams.remove(stream.name, os.path.dirname(stream.path))
        stream.close()
        return SUCCESS

    @property
    def used(self) -> int:
        """1 while a stream is open."""
        return int(self._stream is not None and bool(self._stream._handle))

    @property
    def md(self) -> Image_md:
        return Image_md(self)

    @property
    def shape(self) -> Tuple[int, ...]:
        return self._opened.shape[::-1]

    @property
    def __array_interface__(self) -> dict:
        stream = self._opened
        live = stream.live().T
        return {
            "version": 3,
            "shape": live.shape,
            "typestr": live.dtype.str,
            "strides": live.strides,
            "data": (live.ctypes.data, not stream.writable),
        }

    def view(self) -> numpy.ndarray:
        """The live array."""
        return numpy.asarray(self)

    def copy(self) -> numpy.ndarray:
        """One whole frame. Waits a second at most for a writer in mid-frame, then shmim.Busy or shmim.Unfinished."""
        return self._opened.read().array.T

    def write(self, buffer: numpy.ndarray) -> None:
        """Publishes a frame: an array of `shape` and of the stream's type, in any order in memory; else ValueError."""
        stream = self._opened
        pixels = numpy.asarray(buffer)
        wanted = f"{self._opened.dtype} of {stream.shape[::-1]}"
        if pixels.dtype != stream.dtype or pixels.shape != stream.shape[::-1]:
            raise UsageError(f"{stream.name}: an array of {pixels.dtype} of {pixels.shape}, not {wanted}")
        Image._publish(stream, pixels)

    def update(self) -> int:
        """Publishes what is in the array, as view() was written to. Gives 0."""
        Image._publish(self._opened, None)
        return SUCCESS

    def update_atime(self, atime: Union[float, datetime.datetime]) -> int:
        """Likewise, with the time at which its data was acquired."""
        seconds = atime.timestamp() if isinstance(atime, datetime.datetime) else atime
        Image._publish(self._opened, None, seconds)
        return SUCCESS

    def get_kws(self) -> Dict[str, Image_kw]:
        """The keywords by their names."""
        return {keyword.name: keyword for keyword in Image.get_kws_list(self)}

    def get_kws_list(self) -> List[Image_kw]:
        """The keywords in order."""
        return [Image_kw._of(keyword) for keyword in self._opened.keywords._all()]

    def set_kws(self, keywords: Mapping[str, Image_kw]) -> None:
        """Makes these the keywords, and no others."""
        Image.set_kws_list(self, keywords.values())

    def set_kws_list(self, keywords: Iterable[Image_kw]) -> None:
        """Likewise, of a list. shmim.UsageError if they are too many; then nothing is altered."""
        stream, wanted = self._opened, [keyword._keyword for keyword in keywords]
        if len(wanted) > stream.format.keywords:
            raise UsageError(f"{stream.name}: {len(wanted)} keywords, at most {stream.format.keywords} fit")
        stream.keywords.clear()
        error = _abi.Error()
        array = (_abi.Keyword * len(wanted))(*wanted)
        check(_abi.library.shmim_set_keywords(stream._open, array, len(wanted), error), error)

    def getsemwaitindex(self, index: int) -> int:
        """Claims a semaphore for this process, until it ends: the one that it has already, else `index` where that is
        free, else any; its number, or -1 if none is free."""
        claimed, error = ctypes.c_int(), _abi.Error()
        problem = _abi.library.shmim_claim_semaphore(self._opened._open, index, claimed, error)
        if problem == _abi.CLAIMED:
            return -1
        check(problem, error)
        return claimed.value

    def _wait(self, index: int, timeout: Optional[float]) -> int:
        error, stream = _abi.Error(), self._opened
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            left = _streams._LOOK if deadline is None else min(_streams._LOOK, deadline - time.monotonic())
            problem = _abi.library.shmim_wait_semaphore(stream._open, index, _streams._nanoseconds(left), error)
            if problem == _abi.OK:
                return SUCCESS
            if problem not in (_abi.TIMED_OUT, _abi.INTERRUPTED):
                check(problem, error)
            if deadline is not None and time.monotonic() >= deadline:
                return -1

    def semwait(self, index: int) -> int:
        """Waits for a post of that semaphore, without end, and takes it. Gives 0. shmim.UsageError if there is none."""
        return Image._wait(self, index, None)

    def semtimedwait(self, index: int, timeoutsec: float) -> int:
        """Waits likewise for so many seconds at most. Gives 0, or -1 if no post came."""
        return Image._wait(self, index, timeoutsec)

    def semtrywait(self, index: int) -> int:
        """Takes a post that is there. Gives 0, or -1 if there is none."""
        return Image._wait(self, index, 0.0)

    def sempost(self, index: int = -1) -> int:
        """Posts a semaphore, or with -1 all of them. Gives 0."""
        self._opened.post(None if index < 0 else index)
        return SUCCESS

    def semflush(self, index: int) -> int:
        """Takes all posts that are there, of one semaphore, or if index is below 0 of each. Gives 0."""
        stream, error = self._opened, _abi.Error()
        for each in range(stream.format.semaphores) if index < 0 else (index,):
            check(_abi.library.shmim_drain_semaphore(stream._open, each, None, error), error)
        return SUCCESS

    def _semaphore(self, index: int) -> _abi.Semaphore:
        semaphore, error = _abi.Semaphore(), _abi.Error()
        check(_abi.library.shmim_get_semaphore(self._opened._open, index, semaphore, error), error)
        return semaphore

    def semvalue(self, index: int) -> int:
        """How many posts there are."""
        return Image._semaphore(self, index).value

    @property
    def semReadPID(self) -> List[int]:
        """Of each semaphore the process that has claimed it; 0 or -1: nobody."""
        return [Image._semaphore(self, index).reader for index in range(self._opened.format.semaphores)]

    @property
    def semWritePID(self) -> List[int]:
        """Of each semaphore the process that posted it last; 0 or -1: nobody."""
        return [Image._semaphore(self, index).poster for index in range(self._opened.format.semaphores)]

    def __repr__(self) -> str:
        return f"<image {self._stream!r}>"


__all__ = ["Image", "ImageStreamIODataType", "ImageStreamIOType", "Image_kw", "Image_md"]
