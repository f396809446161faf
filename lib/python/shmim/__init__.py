"""Shared memory streams of images: read, written and followed from Python, with numpy.

    >>> import shmim
    >>> cam = shmim.create("cam", (240, 320), "u2", circular_buffer=16)
    >>> cam.write(image)
    1
    >>> for frame in shmim.frames("cam", timeout=2):
    ...     dm.write(commands(frame.array), trigger=frame.trigger)

A stream is a file in shared memory that holds the newest frame of a camera or a computation, with its keywords,
semaphores to wait on and a trace of who made it: those of ImageStreamIO, milk, cacao and pyMilk. See shmim(7).

shmim.pymilk is for programs written for pyMilk, shmim.imagestreamio for those that import ImageStreamIOWrap.

For Debian's interpreter `sudo apt install ./python3-shmim_*.deb` installs this package, for any other `pip install
./lib/python`; either is over the libshmim.so.0 that comes with the programs, or the one that SHMIM_LIBRARY names.
"""

from . import _abi
from ._errors import (
    Busy,
    Claimed,
    Error,
    Exists,
    Mismatch,
    NoDirectory,
    NoPermission,
    NoSpace,
    NotAStream,
    NotFound,
    Removed,
    Unfinished,
    UsageError,
)
from ._keywords import Keywords
from ._streams import Format, Frame, Frames, Step, Stream, Trigger, create, frames, open, remove, streams

__version__ = _abi.library.shmim_version().decode()

__all__ = [
    "Busy",
    "Claimed",
    "Error",
    "Exists",
    "Format",
    "Frame",
    "Frames",
    "Keywords",
    "Mismatch",
    "NoDirectory",
    "NoPermission",
    "NoSpace",
    "NotAStream",
    "NotFound",
    "Removed",
    "Step",
    "Stream",
    "Trigger",
    "Unfinished",
    "UsageError",
    "create",
    "frames",
    "open",
    "remove",
    "streams",
]
