"""The server's side of the helpers that decode: a few of them, small pictures kept on disk."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
from pathlib import Path
from typing import Any

from framestyle.doors.studio.answers import RefusedError
from framestyle.doors.studio.helpers import Answering, HelperFailedError, Message
from framestyle.doors.studio.limits import CACHE_BYTES, DECODE_S

DECODERS = 2
PRUNE_EVERY = 500
"""Pictures made between two looks at how much the cache holds."""


class Decoding:
    """Facts and small pictures of files that lie below the root: whoever calls has looked at that."""

    def __init__(self, cache: Path) -> None:
        self.cache = cache
        cache.mkdir(parents=True, exist_ok=True)
        self._helpers = [Answering("framestyle.doors.studio.decoder", DECODE_S) for _ in range(DECODERS)]
        self._facts: dict[tuple[str, int, int], Message] = {}
        self._making: dict[Path, asyncio.Task[None]] = {}
        self._made = 0

    async def warm(self) -> None:
        """A page is there: the helpers are ready before it asks for pictures."""
        with contextlib.suppress(HelperFailedError):
            await asyncio.gather(*(helper.ask({"do": "warm"}) for helper in self._helpers))

    async def facts(self, path: Path, *, whole: bool = False) -> Message:
        """`kind`, `width`, `height`, …; refused where it is no photo or clip that can be decoded."""
        stat = path.stat()
        key = (os.fsdecode(path), stat.st_size, stat.st_mtime_ns)
        if key not in self._facts:
            if len(self._facts) > 20_000:
                self._facts.clear()
            self._facts[key] = await self._ask({"do": "facts", "path": os.fsdecode(path), "whole": whole})
        return self._facts[key]

    async def picture(self, path: Path, kind: str, side_px: int, at_s: float | None = None) -> Path:
        """A JPEG of at most `side_px`, in the cache."""
        stat = path.stat()
        what = f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}\0{kind}\0{side_px}\0{at_s}"
        name = hashlib.sha256(what.encode(errors="surrogateescape")).hexdigest()
        target = self.cache / "small" / name[:2] / f"{name}.jpg"
        if target.is_file():
            os.utime(target)
            return target
        question = {
            "do": "picture",
            "path": os.fsdecode(path),
            "kind": kind,
            "at_s": at_s,
            "side_px": side_px,
            "target": str(target),
        }
        # Asked for twice, made once; and made to its end though the page that asked has scrolled on.
        task = self._making.get(target)
        if task is None:
            task = asyncio.create_task(self._make(question))
            self._making[target] = task
            task.add_done_callback(lambda _: self._making.pop(target, None))
        await asyncio.shield(task)
        return target

    async def _make(self, question: Message) -> None:
        await self._ask(question)
        self._made += 1
        if self._made % PRUNE_EVERY == 0:
            await asyncio.to_thread(prune, self.cache, CACHE_BYTES)

    async def recipe(self, path: Path) -> Message:
        """The preset that made a photo."""
        return await self._ask({"do": "recipe", "path": os.fsdecode(path)})

    async def _ask(self, question: Message) -> dict[str, Any]:
        helper = min(self._helpers, key=lambda one: one.waiting)
        try:
            answer = await helper.ask(question)
        except HelperFailedError as error:
            raise RefusedError(422, "input-unusable", f"the file cannot be used: {error}") from error
        if "failed" in answer:
            # A path of the server's own is no news for a page.
            said = str(answer["failed"]).replace(os.fsdecode(question["path"]), "the file")
            raise RefusedError(422, str(answer["code"]), said, answer["next_step"])
        return dict(answer)

    async def end(self) -> None:
        """Ends the helpers."""
        for task in list(self._making.values()):
            task.cancel()
        for helper in self._helpers:
            await helper.end()


def prune(folder: Path, most_bytes: int) -> None:
    """Removes what was used longest ago, until the rest is small enough."""
    found = [(path.stat(), path) for path in folder.rglob("*.*") if path.is_file()]
    size = sum(stat.st_size for stat, _ in found)
    for stat, path in sorted(found, key=lambda one: one[0].st_mtime):
        if size <= most_bytes:
            return
        path.unlink(missing_ok=True)
        size -= stat.st_size
