"""The C interface, as shmim/shmim.h has it, by ctypes: which works in every interpreter, conda's too."""

import ctypes
import ctypes.util
import os
import pathlib
from ctypes import POINTER, Structure, byref, c_char, c_char_p, c_double, c_int, c_int32, c_int64, c_size_t
from ctypes import c_uint, c_uint32, c_uint64, c_void_p

OK = 0
(FAILED, USAGE, NOT_FOUND, EXISTS, MISMATCH, NOT_A_STREAM, NO_PERMISSION, NO_SPACE, NO_DIRECTORY,
 NOT_OURS_TO_WRITE, ON_GPU, CLAIMED, UNFINISHED, BUSY, REMOVED, TIMED_OUT, INTERRUPTED, NO_MEMORY) = range(1, 19)

NEW, IF_MISSING, REPLACE = range(3)


class Error(Structure):
    _fields_ = [("problem", c_int), ("error_number", c_int), ("message", c_char * 504)]


class Format(Structure):
    _fields_ = [
        ("type", c_uint32),
        ("axes", c_uint32),
        ("size", c_uint32 * 3),
        ("keywords", c_uint32),
        ("circular_buffer", c_uint32),
        ("semaphores", c_uint32),
        ("image_type", c_uint64),
        ("location", c_int32),
        ("reserved", c_uint32),
    ]


class Frame(Structure):
    _fields_ = [
        ("cnt0", c_uint64),
        ("cnt1", c_uint64),
        ("missed", c_uint64),
        ("atime", c_int64),
        ("writetime", c_int64),
        ("taken", c_int64),
    ]


class Header(Structure):
    _fields_ = [
        ("version", c_char * 32),
        ("created", c_int64),
        ("accessed", c_int64),
        ("cnt2", c_uint64),
        ("flag", c_uint64),
        ("shared", c_int32),
        ("status", c_int32),
        ("logflag", c_int32),
        ("write", c_int32),
    ]


class Semaphore(Structure):
    _fields_ = [("value", c_int32), ("reader", c_int32), ("poster", c_int32)]


class Step(Structure):
    _fields_ = [
        ("written", c_int64),
        ("triggered", c_int64),
        ("trigger_inode", c_uint64),
        ("cnt0", c_uint64),
        ("pid", c_int32),
        ("state", c_int32),
        ("mode", c_int32),
        ("semaphore", c_int32),
    ]


class Keyword(Structure):
    _fields_ = [
        ("name", c_char * 17),
        ("kind", c_char),
        ("string", c_char * 17),
        ("comment", c_char * 81),
        ("integer", c_int64),
        ("real", c_double),
    ]


IsCancelled = ctypes.CFUNCTYPE(c_int, c_void_p)


class FollowOptions(Structure):
    _fields_ = [
        ("newest", c_int),
        ("passive", c_int),
        ("spin", c_int64),
        ("is_cancelled", IsCancelled),
        ("of", c_void_p),
    ]


def _load():
    """SHMIM_LIBRARY if it is set, else the one that came with this package, else the system's."""
    beside = pathlib.Path(__file__).with_name("libshmim.so.0")
    named = os.environ.get("SHMIM_LIBRARY")
    try:
        return ctypes.CDLL(named or (str(beside) if beside.exists() else "libshmim.so.0"))
    except OSError as error:
        raise ImportError(
            f"cannot load {'SHMIM_LIBRARY' if named else 'the library of the shmim programs'}: {error}; "
            "install them, or set SHMIM_LIBRARY to their libshmim.so.0"
        ) from error


library = _load()

_stream = c_void_p
_error = POINTER(Error)
_functions = {
    "shmim_version": (c_char_p, []),
    "shmim_type_name": (c_char_p, [c_uint32]),
    "shmim_type_of": (c_uint32, [c_char_p]),
    "shmim_now": (c_int64, []),
    "shmim_tai_offset": (c_int64, []),
    "shmim_directory": (c_int, [c_char_p, c_size_t, _error]),
    "shmim_list": (c_int, [c_char_p, c_char_p, POINTER(POINTER(c_char_p)), _error]),
    "shmim_free_names": (None, [POINTER(c_char_p)]),
    "shmim_default_format": (None, [POINTER(Format), c_uint32, c_uint32, POINTER(c_uint32)]),
    "shmim_open": (c_int, [c_char_p, c_char_p, POINTER(_stream), _error]),
    "shmim_create": (c_int, [c_char_p, POINTER(Format), c_int, c_char_p, POINTER(_stream), _error]),
    "shmim_close": (None, [_stream]),
    "shmim_remove": (c_int, [c_char_p, c_char_p, _error]),
    "shmim_name": (c_char_p, [_stream]),
    "shmim_path": (c_char_p, [_stream]),
    "shmim_get_format": (None, [_stream, POINTER(Format)]),
    "shmim_bytes": (c_size_t, [_stream]),
    "shmim_frame_bytes": (c_size_t, [_stream]),
    "shmim_is_writable": (c_int, [_stream]),
    "shmim_is_current": (c_int, [_stream]),
    "shmim_inode": (c_uint64, [_stream]),
    "shmim_newest": (None, [_stream, POINTER(Frame)]),
    "shmim_get_header": (None, [_stream, POINTER(Header)]),
    "shmim_array": (c_void_p, [_stream]),
    "shmim_snapshot": (c_int, [_stream, c_void_p, c_size_t, c_int64, POINTER(Frame), _error]),
    "shmim_begin": (c_int, [_stream, c_int64, POINTER(c_void_p), _error]),
    "shmim_commit": (c_int, [_stream, c_int64, c_void_p, POINTER(c_uint64), _error]),
    "shmim_abandon": (None, [_stream]),
    "shmim_cancel": (None, [_stream]),
    "shmim_write": (c_int, [_stream, c_void_p, c_size_t, c_int64, c_void_p, c_uint64, POINTER(c_uint64), _error]),
    "shmim_post": (c_int, [_stream, c_int, _error]),
    "shmim_get_semaphore": (c_int, [_stream, c_int, POINTER(Semaphore), _error]),
    "shmim_claim_semaphore": (c_int, [_stream, c_int, POINTER(c_int), _error]),
    "shmim_wait_semaphore": (c_int, [_stream, c_int, c_int64, _error]),
    "shmim_drain_semaphore": (c_int, [_stream, c_int, POINTER(c_uint), _error]),
    "shmim_follow": (c_int, [_stream, POINTER(FollowOptions), POINTER(c_void_p), _error]),
    "shmim_next": (c_int, [c_void_p, c_void_p, c_size_t, c_int64, POINTER(Frame), _error]),
    "shmim_unfollow": (None, [c_void_p]),
    "shmim_trigger_of": (c_int, [c_void_p, POINTER(c_void_p), _error]),
    "shmim_trigger_now": (c_int, [_stream, POINTER(c_void_p), _error]),
    "shmim_free_trigger": (None, [c_void_p]),
    "shmim_trace": (c_int, [_stream, POINTER(Step), c_size_t, POINTER(c_size_t), _error]),
    "shmim_keywords": (c_int, [_stream, POINTER(Keyword), c_size_t, POINTER(c_size_t), _error]),
    "shmim_get_keyword": (c_int, [_stream, c_char_p, POINTER(Keyword), _error]),
    "shmim_set_keywords": (c_int, [_stream, POINTER(Keyword), c_size_t, _error]),
    "shmim_erase_keyword": (c_int, [_stream, c_char_p, _error]),
}
for _name, (_result, _arguments) in _functions.items():
    _function = getattr(library, _name)
    _function.restype = _result
    _function.argtypes = _arguments

__all__ = ["byref", "library"]
