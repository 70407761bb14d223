"""Which preview is painted next: what the pages want now, the most wanted first; what nobody wants is dropped."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from framestyle.doors.studio.helpers import Helper
from framestyle.doors.studio.models import PreviewFacts

State = Literal["waiting", "painting", "done", "failed"]
KNOWN = 2_000
"""Previews whose state is remembered."""
MOST_DEATHS = 2
"""A preview that the painter died of so often is not tried again."""


@dataclass(frozen=True)
class Order:
    """What the painter is asked for. `key`: the same for the same pixels."""

    key: str
    path: Path
    kind: str
    at_s: float | None
    preset: Mapping[str, Any]
    side_px: int
    sketch: bool
    moving: bool
    urgent: bool


@dataclass
class _Known:
    """How a preview stands."""

    state: State = "waiting"
    version: int = 0
    step: int = 0
    steps: int = 0
    render_s: float | None = None
    at_most: bool = False
    message: str | None = None
    deaths: int = 0


class Previews:
    """One is painted at a time. `publish` hears of each change."""

    def __init__(
        self, folder: Path, weights: str, device: str, publish: Callable[[PreviewFacts], None]
    ) -> None:
        self._folder, self._weights, self._device = folder, weights, device
        self._publish = publish
        self._painter = Helper("framestyle.doors.studio.painter", self._heard, self._died)
        self._wanted: dict[str, list[Order]] = {}
        self._known: dict[str, _Known] = {}
        self._painting: Order | None = None
        self._cancelling = False
        self._tasks: set[asyncio.Task[None]] = set()
        folder.mkdir(parents=True, exist_ok=True)

    def target(self, key: str, *, moving: bool = False) -> Path:
        """Where the finished preview lies."""
        return self._folder / f"{key}.{'mp4' if moving else 'jpg'}"

    def newest(self, key: str) -> Path | None:
        """What there is of it to be seen."""
        places = (self.target(key), self.target(key, moving=True), self._folder / f"{key}.part.jpg")
        return next((place for place in places if place.is_file()), None)

    def warm(self) -> None:
        """A page is there: the painter loads its weights before the first preview is asked for."""
        if not self._painter.is_alive:
            self._send({"warm": True, "weights": self._weights, "device": self._device})

    def want(self, page: str, orders: Sequence[Order]) -> list[PreviewFacts]:
        """Replaces what a page wants; how each of them stands."""
        self._wanted.pop(page, None)
        if orders:
            # The page that asked last is looked at now.
            self._wanted = {page: list(orders), **self._wanted}
        for order in orders:
            known = self._known.setdefault(order.key, _Known())
            if known.state == "waiting" and self.target(order.key, moving=order.moving).is_file():
                known.state = "done"
        self._forget()
        self._go_on()
        return [self.facts(order.key) for order in orders]

    def leave(self, page: str) -> None:
        """A page is gone, and wants nothing."""
        if self._wanted.pop(page, None) is not None:
            self._go_on()

    def facts(self, key: str) -> PreviewFacts:
        """How a preview stands."""
        known = self._known.get(key, _Known())
        return PreviewFacts.model_validate({"key": key, **vars(known)})

    def _forget(self) -> None:
        wanted = {order.key for orders in self._wanted.values() for order in orders}
        while len(self._known) > KNOWN:
            old = next((key for key in self._known if key not in wanted), None)
            if old is None:
                return
            del self._known[old]

    def _in_order(self) -> list[Order]:
        """All that are wanted and not done: the urgent first, then as the pages say."""
        orders = list(itertools.chain.from_iterable(self._wanted.values()))
        left = [order for order in orders if self._known[order.key].state in ("waiting", "painting")]
        return sorted(left, key=lambda order: not order.urgent)

    def _go_on(self) -> None:
        left = self._in_order()
        now = self._painting
        if now is None:
            if left:
                self._paint(left[0])
            return
        unwanted = all(order.key != now.key for order in left)
        overtaken = bool(left) and left[0].urgent and not now.urgent and left[0].key != now.key
        if (unwanted or overtaken) and not self._cancelling:
            self._cancelling = True
            self._send({"cancel": now.key})

    def _paint(self, order: Order) -> None:
        self._painting = order
        known = self._known[order.key]
        known.state, known.step = "painting", 0
        self._send(
            {
                "key": order.key,
                "path": str(order.path),
                "kind": order.kind,
                "at_s": order.at_s,
                "preset": order.preset,
                "side_px": order.side_px,
                "sketch": order.sketch,
                "moving": order.moving,
                "target": str(self.target(order.key, moving=order.moving)),
                "part": str(self._folder / f"{order.key}.part.jpg"),
                "weights": self._weights,
                "device": self._device,
            }
        )
        self._publish(self.facts(order.key))

    def _send(self, message: Mapping[str, Any]) -> None:
        task = asyncio.get_running_loop().create_task(self._painter.send(message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _heard(self, message: Mapping[str, Any]) -> None:
        """From the painter: `step`, `picture`, and in the end `done`, `failed` or `cancelled`."""
        order, what = self._painting, message["event"]
        if order is None or message["key"] != order.key:
            return
        known = self._known[order.key]
        if what == "step":
            known.step, known.steps = message["step"], message["steps"]
        elif what == "picture":
            known.version += 1
        else:
            self._painting, self._cancelling = None, False
            known.state = {"done": "done", "failed": "failed", "cancelled": "waiting"}[what]  # type: ignore[assignment]
            known.render_s, known.message = message.get("render_s"), message.get("message")
            known.at_most = bool(message.get("at_most"))
            known.version += what == "done"
        self._publish(self.facts(order.key))
        if self._painting is None:
            self._go_on()

    def _died(self) -> None:
        """The painter is started again with the next one."""
        order, self._painting, self._cancelling = self._painting, None, False
        if order is not None:
            known = self._known[order.key]
            known.deaths += 1
            known.state = "waiting" if known.deaths < MOST_DEATHS else "failed"
            known.message = "the painter ended: there may be too little memory"
            self._publish(self.facts(order.key))
        self._go_on()

    async def end(self) -> None:
        """Ends the painter."""
        self._wanted.clear()
        await self._painter.end()
