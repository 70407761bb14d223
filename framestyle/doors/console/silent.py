"""No progress."""

from __future__ import annotations

from typing import Self

from framestyle.events import Event


class Silent:
    """Passes every event over."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __call__(self, event: Event) -> None:
        return None
