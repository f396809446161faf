"""For programs that say `from pyMilk.interfacing.shm import SHM`: the same names with the same meaning, over shmim.

    >>> from shmim.pymilk import SHM
    >>> image = SHM("cam").get_data(check=True, timeout=2)

What is better here: get_data() gives one whole frame, never parts of two; a wait that times out raises nothing and gives
None only where it was asked to, but waits as long as it was told, and lets other threads run and Ctrl-C through; frames
are counted before they are announced, with times, and go into the circular buffer; a semaphore is claimed for waiting,
and given back by close().
"""

import enum
import os
import time
from typing import Dict, List, Mapping, Optional, Tuple, Union

import numpy

from . import _streams
from ._errors import Mismatch, NotFound, Removed, UsageError
from .imagestreamio import Image, Image_kw, Image_md

Value = Union[int, float, str]


class AutoRelinkError(Exception):
    """The stream was re-created, and is another than the one that was opened."""


class AutoRelinkTypeError(AutoRelinkError):
    pass


class AutoRelinkSizeError(AutoRelinkError):
    pass


class Which3DState(enum.IntEnum):
    """Where the axis of the planes is: in the stream, and in the arrays of the user."""

    LAST2LAST = 0
    LAST2FRONT = 1
    FRONT2FRONT = 2
    FRONT2LAST = 3


def _require_symcode(symcode: int) -> None:
    if not 0 <= symcode <= 7:
        raise ValueError("symcode s must be 0-7")


def _turned(array: numpy.ndarray, symcode: int, axes: Tuple[int, int], back: bool) -> numpy.ndarray:
    """One of the eight ways to lay a square upon itself: bit 2 exchanges the axes, then bits 0 and 1 turn round the
    first and the second; `back` undoes it."""
    _require_symcode(symcode)
    if symcode & 4 and not back:
        array = array.swapaxes(*axes)
    turned = [axes[i] for i in (0, 1) if symcode >> i & 1]
    array = numpy.flip(array, turned) if turned else array
    return array.swapaxes(*axes) if symcode & 4 and back else array


def _to_stream(array: numpy.ndarray, symcode: int, tri_dim: int) -> numpy.ndarray:
    """From an array of the user to one that is indexed as the stream is: [axis 0, axis 1, axis 2]."""
    if array.ndim == 2:
        return _turned(array, symcode, (0, 1), back=False)
    if array.ndim != 3:
        return array
    in_front = tri_dim in (Which3DState.FRONT2FRONT, Which3DState.FRONT2LAST)
    array = _turned(array, symcode, (1, 2) if in_front else (0, 1), back=False)
    if tri_dim == Which3DState.LAST2FRONT:
        return numpy.moveaxis(array, 2, 0)
    if tri_dim == Which3DState.FRONT2LAST:
        return numpy.moveaxis(array, 0, 2)
    return array


def _from_stream(array: numpy.ndarray, symcode: int, tri_dim: int) -> numpy.ndarray:
    """The way back."""
    if array.ndim == 2:
        return _turned(array, symcode, (0, 1), back=True)
    if array.ndim != 3:
        return array
    if tri_dim == Which3DState.LAST2FRONT:
        array = numpy.moveaxis(array, 0, 2)
    elif tri_dim == Which3DState.FRONT2LAST:
        array = numpy.moveaxis(array, 2, 0)
    in_front = tri_dim in (Which3DState.FRONT2FRONT, Which3DState.FRONT2LAST)
    return _turned(array, symcode, (1, 2) if in_front else (0, 1), back=True)


def check_SHM_name(fname: str) -> str:
    """The name of a stream, which may be given as its file in the shm directory."""
    folder, name = os.path.split(fname)
    if folder and os.path.realpath(folder) != os.path.realpath(os.environ.get("MILK_SHM_DIR", folder)):
        raise ValueError(f"Only files in MILK_SHM_DIR ({os.environ['MILK_SHM_DIR']}) are supported")
    return name[: -len(".im.shm")] if name.endswith(".im.shm") else name


class SHM:
    """A stream, opened, or made of `data`: an array or (shape, type), in place of one of that name.

    symcode and triDim say how the user's arrays lie to the stream's, autoSqueeze whether axes of length 1 are left out.
    FileNotFoundError if there is no such stream. verbose and packed have no meaning.
    """

    def __init__(
        self,
        fname: str,
        data=None,
        nbkw: int = 50,
        shared: bool = True,
        location: int = -1,
        verbose: bool = False,
        packed: bool = False,
        autoSqueeze: bool = True,
        symcode: int = 4,
        triDim: int = Which3DState.LAST2LAST,
    ):
        _require_symcode(symcode)
        if not shared or location >= 0:
            raise NotImplementedError("streams are in shared memory of the CPU here")
        self.FNAME = check_SHM_name(fname)
        self.location, self.symcode, self.triDimState = location, symcode, triDim
        self._frames: Optional[_streams.Frames] = None
        self._squeezes = autoSqueeze and data is None
        self.IMAGE = Image()  #: the stream itself, indexed as it is
        if data is None:
            self.IMAGE._stream = self._opened()
        else:
            array = data if isinstance(data, numpy.ndarray) else numpy.zeros(data[0], dtype=data[1])
            in_stream = _to_stream(array, symcode, triDim)
            self.IMAGE._stream = _streams.create(
                self.FNAME, in_stream.shape[::-1], array.dtype, keywords=nbkw, replace=True
            )
            self._stream.write(in_stream.T)
        self.FILEPATH = self._stream.path
        self.nptype = self._stream.dtype
        self.shape_c = self._stream.shape[::-1]
        self.shape = self._from_stream(numpy.broadcast_to(0, self._stream.shape)).shape
        self.nDim = len(self.shape)

    @property
    def _stream(self) -> _streams.Stream:
        return self.IMAGE._opened

    def _opened(self) -> _streams.Stream:
        try:
            return _streams.open(self.FNAME)
        except NotFound as error:
            raise FileNotFoundError(f"Requested SHM {self.FNAME} does not exist") from error

    def _from_stream(self, array: numpy.ndarray) -> numpy.ndarray:
        array = array.T
        if self._squeezes:
            array = array.squeeze()
        return _from_stream(array, self.symcode, self.triDimState)

    def _relink(self) -> None:
        if self._stream.is_current:
            return
        found = self._opened()
        if found.shape != self._stream.shape:
            raise AutoRelinkSizeError(f"{self.FNAME}: size mismatch {self.shape_c} vs. {found.shape[::-1]}")
        if found.dtype != self._stream.dtype:
            raise AutoRelinkTypeError(f"{self.FNAME}: type mismatch {self.nptype} vs. {found.dtype}")
        self._stop_waiting()
        self.IMAGE.close()
        self.IMAGE._stream = found

    def _stop_waiting(self) -> None:
        if self._frames is not None:
            self._frames.close()
            self._frames = None

    def _next(self, timeout: Optional[float]) -> Optional[_streams.Frame]:
        """The newest frame that has not been taken; None if none comes in that time."""
        if self._frames is None:
            self._frames = self._stream.frames(newest=True)
        self._frames._timeout = timeout
        try:
            return next(self._frames, None)
        except (Removed, Mismatch) as error:
            self._stop_waiting()
            raise AutoRelinkError(str(error)) from error

    def __enter__(self) -> "SHM":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        """Gives it back. Once more is harmless."""
        self._stop_waiting()
        if self.IMAGE.used:
            self.IMAGE.close()

    def destroy(self) -> None:
        """Removes the stream, if it is still this one."""
        if self.IMAGE.used:
            self.IMAGE.destroy()
        self.close()

    def get_data(
        self,
        check: bool = False,
        timeout: Optional[float] = 5.0,
        copy: bool = True,
        checkSemAndFlush: bool = True,
        autorelink_if_need: bool = True,
        return_none_on_timeout: bool = False,
    ) -> Optional[numpy.ndarray]:
        """One whole frame, as an array of `shape`.

        With check one that is written after the call (with checkSemAndFlush=False: after the last that was taken); if
        none comes in `timeout` seconds (None or 0: waits without end), the old one with a warning, or None with
        return_none_on_timeout. With copy=False the live array, read-only, which a writer may alter.
        """
        if autorelink_if_need:
            self._relink()
        if check:
            if checkSemAndFlush:
                self._next(0)
            frame = self._next(timeout or None)
            if frame is None:
                print(f"Warning SHM {self.FNAME}: timed out: this is old data")
                if return_none_on_timeout:
                    return None
            elif copy:
                return self._from_stream(frame.array)
        return self._from_stream(self._stream.read().array if copy else self._stream.live())

    def set_data(self, data: numpy.ndarray, check_dt: bool = False, autorelink_if_need: bool = False) -> None:
        """Publishes a frame; with check_dt, whatever the type of `data` is."""
        if autorelink_if_need:
            self._relink()
        array = numpy.asarray(data)
        array = array.astype(self.nptype) if check_dt else array
        if array.shape != self.shape:
            raise UsageError(f"{self.FNAME}: an array of {array.shape}, not {self.shape}")
        in_stream = _to_stream(array, self.symcode, self.triDimState)
        self._stream.write(in_stream.reshape(self.shape_c).T)

    def repost(self, atime=None) -> None:
        """Counts and posts what is there once more."""
        self._stream.republish(atime=None if atime is None else atime.timestamp())

    def multi_recv_data(
        self, n: int, output_as_cube: bool = False, monitorCount: bool = False, timeout: Optional[float] = 5.0
    ) -> Union[List[numpy.ndarray], numpy.ndarray]:
        """The next n frames, as a list or one array."""
        self._relink()
        self._next(0)
        arrays, missed = [], 0
        for _ in range(n):
            frame = self._next(timeout or None)
            missed += frame.missed if frame else 0
            arrays.append(self._from_stream(frame.array if frame else self._stream.read().array))
        if monitorCount:
            print(f"{missed} missed")
        return numpy.array(arrays) if output_as_cube else arrays

    def print_meta_data(self) -> None:
        print(self.IMAGE.md)

    def get_counter(self) -> int:
        return self._stream.cnt0

    def check_sem_trywait(self) -> bool:
        """True if a frame has come since the last that was taken."""
        return self._next(0) is not None

    def non_block_wait_semaphore(self, sleep_time: float = 0.1) -> int:
        """Waits for a frame, of a stream that is re-created too. AutoRelinkError if that is another."""
        self._relink()
        self._next(0)
        while self._next(sleep_time) is None:
            self._relink()
        return 0

    def non_block_wait_until_recreation(self, sleep_time: float = 0.1) -> "SHM":
        """Waits likewise, and gives what then has the name, be it another."""
        while True:
            try:
                self.non_block_wait_semaphore(sleep_time)
                return self
            except (AutoRelinkError, FileNotFoundError):
                try:
                    return SHM(self.FNAME)
                except FileNotFoundError:
                    time.sleep(sleep_time)

    @property
    def keywords(self) -> Dict[str, Value]:
        return self.get_keywords()

    def get_keywords(self, comments: bool = False, n_tries: int = 4) -> Dict[str, Union[Value, Tuple[Value, str]]]:
        """Names to values, or with comments to (value, comment)."""
        self._relink()
        keywords = self._stream.keywords
        return {name: (keywords[name], keywords.comment(name)) if comments else keywords[name] for name in keywords}

    def set_keywords(self, kw_dict: Mapping[str, Union[Value, tuple]]) -> None:
        """Sets keywords, to value, (value,) or (value, comment), and leaves the others. A comment is as it is given:
        none takes away the one that was there."""
        keywords = self._stream.keywords
        wanted = {name: _with_comment(value) for name, value in kw_dict.items()}
        for name, (_, comment) in wanted.items():
            if not comment and name in keywords and keywords.comment(name):
                del keywords[name]
        keywords.update(wanted)

    def reset_keywords(self, kw_dict: Mapping[str, Union[Value, tuple]]) -> None:
        """Sets keywords, and removes the others."""
        for name in list(self._stream.keywords):
            del self._stream.keywords[name]
        self.set_keywords(kw_dict)

    def update_keyword(self, name: str, value: Value, comment: Optional[str] = None) -> None:
        """Sets one that is there, else AssertionError; its comment stays unless one is given."""
        if name not in self._stream.keywords:
            raise AssertionError("Updating a keyword that does not exist yet.")
        if comment is None:
            self._stream.keywords[name] = value
        else:
            self.set_keywords({name: (value, comment)})

    def _first_of(self, names: Tuple[str, ...], otherwise: Value) -> Value:
        keywords = self.get_keywords()
        return next((keywords[name] for name in names if name in keywords), otherwise)

    def get_expt(self) -> float:
        """Exposure time in seconds: EXPTIME, or tint."""
        return float(self._first_of(("EXPTIME", "tint"), 0.1234))

    def get_fps(self) -> float:
        """Frames a second, as the keywords say: FRATE, or fps."""
        return float(self._first_of(("FRATE", "fps"), 0.0))

    def get_ndr(self) -> int:
        """Number of non-destructive reads: DET-NSMP, or NDR."""
        return int(self._first_of(("DET-NSMP", "NDR"), 1))

    def get_crop(self) -> Tuple[int, int, int, int]:
        """First and last column, first and last row of the part of the detector that is read."""
        keywords = self.get_keywords()
        for names, is_length in (
            (("PRD-MIN1", "PRD-RNG1", "PRD-MIN2", "PRD-RNG2"), True),
            (("CROP_OR1", "CROP_EN1", "CROP_OR2", "CROP_EN2"), False),
            (("x0", "x1", "y0", "y1"), True),
        ):
            if names[0] in keywords:
                x, x1, y, y1 = (int(keywords[name]) for name in names)
                return (x, x + x1 - 1, y, y + y1 - 1) if is_length else (x, x1, y, y1)
        return (0, 0, self.shape[0], self.shape[1])

    def save_as_fits(self, fitsname: str, **options) -> int:
        """The frame as a FITS file, its axes those of the stream. With astropy."""
        from astropy.io import fits

        data = self.get_data(**options)
        in_stream = _to_stream(data, self.symcode, self.triDimState).reshape(self.shape_c)
        fits.writeto(fitsname, in_stream.T, overwrite=True)
        return 0


def _with_comment(value: Union[Value, tuple]) -> Tuple[Value, str]:
    return value if isinstance(value, tuple) and len(value) == 2 else (value[0] if isinstance(value, tuple) else value, "")


__all__ = [
    "AutoRelinkError",
    "AutoRelinkSizeError",
    "AutoRelinkTypeError",
    "Image",
    "Image_kw",
    "Image_md",
    "SHM",
    "Which3DState",
]
