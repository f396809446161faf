"""Keywords as a mapping."""

import ctypes
from collections.abc import MutableMapping
from typing import Iterator, Tuple, Union

from . import _abi
from ._errors import check

Value = Union[int, float, str]


def _value_of(keyword: _abi.Keyword) -> Value:
    if keyword.kind == b"L":
        return keyword.integer
    if keyword.kind == b"D":
        return keyword.real
    return keyword.string.decode(errors="replace")


def _keyword_of(name: str, value: Union[Value, Tuple[Value, str]]) -> _abi.Keyword:
    comment = ""
    if isinstance(value, tuple):
        value, comment = value
    keyword = _abi.Keyword()
    for field, text in ("name", name), ("comment", comment):
        if len(text.encode()) >= getattr(_abi.Keyword, field).size:
            raise ValueError(f"{name}: the {field} is longer than {getattr(_abi.Keyword, field).size - 1} bytes")
        setattr(keyword, field, text.encode())
    if isinstance(value, str):
        if len(value.encode()) > 16:
            raise ValueError(f"{name}: string of {len(value.encode())} bytes, at most 16 fit")
        keyword.kind, keyword.string = b"S", value.encode()
    elif isinstance(value, float) or not hasattr(value, "__index__"):
        keyword.kind, keyword.real = b"D", float(value)
    else:
        integer = value.__index__()
        if not -(2**63) <= integer < 2**63:
            raise ValueError(f"{name}: {integer} does not fit into 64 bits")
        keyword.kind, keyword.integer = b"L", integer
    return keyword


class Keywords(MutableMapping):
    """The keywords of a stream: names to int, float or str, as they are at the moment of each call.

    A value may be given with a comment, as in `keywords["GAIN"] = 2.5, "e-/ADU"`; without one, the comment that is
    there stays.
    """

    def __init__(self, stream):
        self._stream = stream

    def _all(self):
        count = ctypes.c_size_t()
        capacity = self._stream.format.keywords
        keywords = (_abi.Keyword * capacity)()
        error = _abi.Error()
        check(_abi.library.shmim_keywords(self._stream._handle, keywords, capacity, count, error), error)
        return keywords[: count.value]

    def _find(self, name: str) -> _abi.Keyword:
        keyword, error = _abi.Keyword(), _abi.Error()
        problem = _abi.library.shmim_get_keyword(self._stream._handle, name.encode(), keyword, error)
        if problem == _abi.NOT_FOUND:
            raise KeyError(name)
        check(problem, error)
        return keyword

    def __getitem__(self, name: str) -> Value:
        return _value_of(self._find(name))

    def comment(self, name: str) -> str:
        """The comment of a keyword. KeyError if there is no such keyword."""
        return self._find(name).comment.decode(errors="replace")

    def __setitem__(self, name: str, value: Union[Value, Tuple[Value, str]]) -> None:
        self.update({name: value})

    def update(self, *others, **more) -> None:
        """Sets all of them, or none if one does not fit."""
        wanted = dict(*others, **more)
        keywords = (_abi.Keyword * len(wanted))(*(_keyword_of(*item) for item in wanted.items()))
        error = _abi.Error()
        check(_abi.library.shmim_set_keywords(self._stream._handle, keywords, len(wanted), error), error)

    def __delitem__(self, name: str) -> None:
        error = _abi.Error()
        problem = _abi.library.shmim_erase_keyword(self._stream._handle, name.encode(), error)
        if problem == _abi.NOT_FOUND:
            raise KeyError(name)
        check(problem, error)

    def __iter__(self) -> Iterator[str]:
        return iter([keyword.name.decode(errors="replace") for keyword in self._all()])

    def __len__(self) -> int:
        return len(self._all())

    def __repr__(self) -> str:
        return repr({keyword.name.decode(errors="replace"): _value_of(keyword) for keyword in self._all()})
