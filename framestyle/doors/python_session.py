"""`framestyle.Session`: the session for host programs, with errors in Python's words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Self

from framestyle.arrays import Array
from framestyle.context import SILENT, Context
from framestyle.doors.advice import in_python_words
from framestyle.motion.shots import Shot
from framestyle.nst.weights.backbone import Backbone
from framestyle.nst.weights.paths import WeightsStore
from framestyle.presets import Preset
from framestyle.session import Session as OpenSession
from framestyle.spec import RenderSpec


class Session(OpenSession):
    # What it does is told where it is done: help() finds the docstrings there.
    __doc__ = OpenSession.__doc__

    @in_python_words()
    def __init__(
        self,
        spec: RenderSpec,
        context: Context = SILENT,
        *,
        device: str | None = None,
        store: WeightsStore | None = None,
        backbone: Backbone | None = None,
        clips: bool = False,
        masks_follow: bool = True,
        memory_limit_bytes: int | None = None,
        asked_weights: str | None = None,
    ) -> None:
        super().__init__(
            spec,
            context,
            device=device,
            store=store,
            backbone=backbone,
            clips=clips,
            masks_follow=masks_follow,
            memory_limit_bytes=memory_limit_bytes,
            asked_weights=asked_weights,
        )

    image = in_python_words()(OpenSession.image)
    push = in_python_words()(OpenSession.push)
    finish = in_python_words()(OpenSession.finish)

    @classmethod
    @in_python_words()
    def open(
        cls,
        preset: Preset | str | Path,
        *,
        weights: str = "auto",
        device: str = "auto",
        seed: int = 0,
        context: Context = SILENT,
        store: WeightsStore | None = None,
        backbone: Backbone | None = None,
        clips: bool = False,
        masks_follow: bool = True,
        memory_limit_bytes: int | None = None,
    ) -> Self:
        return super().open(
            preset,
            weights=weights,
            device=device,
            seed=seed,
            context=context,
            store=store,
            backbone=backbone,
            clips=clips,
            masks_follow=masks_follow,
            memory_limit_bytes=memory_limit_bytes,
        )

    def frames(
        self,
        frames: Iterable[Array],
        context: Context = SILENT,
        *,
        shots: Sequence[Shot] | None = None,
        mask: Array | Iterable[Array] | None = None,
    ) -> Iterator[Array]:
        with in_python_words():
            yield from super().frames(frames, context, shots=shots, mask=mask)
