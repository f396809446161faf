"""What can go wrong: one exception for each problem that a program would tell from others."""

from . import _abi


class Error(Exception):
    """The base of all; its text reads `stream: what: why`.

    error_number is the errno of the call that failed, or 0.
    """

    error_number = 0


class UsageError(Error, ValueError):
    """A reference, format or value that cannot be meant."""


class NotFound(Error, LookupError):
    """No such stream, or keyword."""


class Exists(Error):
    """There is a stream of that name already."""


class Mismatch(Error, TypeError):
    """The stream's format is not the one asked for."""


class NotAStream(Error):
    """The file of that name is no stream, or not yet."""


class NoPermission(Error, PermissionError):
    """The system refused, or the stream was opened for reading only."""


class NoSpace(Error):
    """The file system is full."""


class NoDirectory(Error):
    """The shm directory is not there."""


class Claimed(Error):
    """Somebody else has claimed what was asked for."""


class Unfinished(Error):
    """The array holds a frame whose writer died or gave up."""


class Busy(Error, TimeoutError):
    """Writers left no whole frame to read, or no turn to write, in the time given."""


class Removed(Error):
    """The stream was removed meanwhile."""


_classes = {
    _abi.USAGE: UsageError,
    _abi.NOT_FOUND: NotFound,
    _abi.EXISTS: Exists,
    _abi.MISMATCH: Mismatch,
    _abi.NOT_A_STREAM: NotAStream,
    _abi.NO_PERMISSION: NoPermission,
    _abi.NOT_OURS_TO_WRITE: NoPermission,
    _abi.NO_SPACE: NoSpace,
    _abi.NO_DIRECTORY: NoDirectory,
    _abi.CLAIMED: Claimed,
    _abi.UNFINISHED: Unfinished,
    _abi.BUSY: Busy,
    _abi.REMOVED: Removed,
    _abi.NO_MEMORY: MemoryError,
}


def check(problem, error):
    """Raises what the problem is, unless it is none."""
    if problem != _abi.OK:
        raised = _classes.get(problem, Error)(error.message.decode(errors="replace"))
        if isinstance(raised, Error):
            raised.error_number = error.error_number
        raise raised
