"""`framestyle.Session`: the session for host programs, with errors in Python's words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec

from framestyle.arrays import Array
from framestyle.doors.advice import in_python_words
from framestyle.session import Session as OpenSession

P = ParamSpec("P")


def _generating(frames: Callable[P, Iterator[Array]]) -> Callable[P, Iterator[Array]]:
    """A generator's errors come while it is gone through, not when it is called."""

    @wraps(frames)
    def generated(*args: P.args, **kwargs: P.kwargs) -> Iterator[Array]:
        with in_python_words():
            yield from frames(*args, **kwargs)

    return generated


class Session(OpenSession):
    # What it does is told where it is done: help() finds the docstrings there.
    __doc__ = OpenSession.__doc__

    if not TYPE_CHECKING:  # to type checkers, all signatures are those of the class below
        __init__ = in_python_words()(OpenSession.__init__)
        open = classmethod(in_python_words()(OpenSession.open.__func__))
    image = in_python_words()(OpenSession.image)
    push = in_python_words()(OpenSession.push)
    finish = in_python_words()(OpenSession.finish)
    frames = _generating(OpenSession.frames)
