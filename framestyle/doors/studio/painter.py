"""A helper process that paints previews: the weights are loaded once, and every window of steps can be seen.

A line of JSON in (an order as previews.py sends it, or `cancel`), lines out. A preview is the render's beginning, as
everywhere (jobs/preview/reduced.py); a sketch is the first steps of a picture of its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from framestyle.context import Context
from framestyle.doors.advice import next_step
from framestyle.doors.live_picture import write_small
from framestyle.doors.studio.decoder import shown_pixels
from framestyle.errors import Cancelled, FramestyleError
from framestyle.events import Event, FrameDone, StepDone
from framestyle.frames import Pixels
from framestyle.jobs.plan.estimate import frames_expected
from framestyle.jobs.plan.tasks import Task
from framestyle.jobs.preview.moving import preview_clip
from framestyle.jobs.preview.reduced import reduced, sketched
from framestyle.jobs.preview.times import Estimate, Source, StepTimes, full_render
from framestyle.kinds import WHOLE_CLIP, MediaKind
from framestyle.media.photos import photo_size
from framestyle.media.video.probe import probe
from framestyle.nst.devices import choose_device
from framestyle.nst.image import Size, to_pixels, to_tensor
from framestyle.nst.weights.backbone import Backbone
from framestyle.opening import load_weights
from framestyle.presets import Preset
from framestyle.resolve import PrecisionChoice
from framestyle.session import Session

SKETCH_STEPS = 16
SESSIONS = 6
"""Kept with their style targets: a page goes back and forth between looks."""
EVERY_S = 0.35
"""Pictures are shown no more often."""

Order = Mapping[str, Any]


def say(key: str, event: str, **facts: Any) -> None:
    """A line for the server."""
    print(json.dumps({"key": key, "event": event, **facts}), flush=True)


class Painter:
    """Does one order after another; `cancelled` is the key of the one that is to end."""

    def __init__(self) -> None:
        self.cancelled: str | None = None
        self._weights: tuple[str, Backbone] | None = None
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._precision: PrecisionChoice | None = None

    def do(self, order: Order) -> None:
        """Says how it ends, whatever happens."""
        key = order["key"]
        try:
            render = self._moving(order) if order["moving"] else self._still(order)
            said = {} if render is None else {"render_s": render.seconds, "at_most": render.at_most}
            say(key, "done", **said)
        except Cancelled:
            say(key, "cancelled")
        except FramestyleError as error:
            say(key, "failed", message=" ".join(filter(None, (f"{error.message}.", next_step(error)))))
        except Exception as error:  # a decoder's or torch's own
            say(key, "failed", message=f"it cannot be painted: {' '.join(str(error).split())[:300]}")
        finally:
            with contextlib.suppress(OSError):
                Path(order["part"]).unlink()

    def _check(self, key: str) -> None:
        if self.cancelled == key:
            raise Cancelled

    def _still(self, order: Order) -> Estimate | None:
        key, path = order["key"], Path(order["path"])
        preset = Preset.model_validate(order["preset"])
        source = _source(path, order["kind"])
        own = source.size
        side_px = order["side_px"]
        small = (
            sketched(preset, own, side_px, SKETCH_STEPS) if order["sketch"] else reduced(preset, own, side_px)
        )
        self._check(key)
        pixels = shown_pixels(path, order["kind"], order["at_s"], small.size.longest_px)
        times = StepTimes()
        context = self._context(order).also(times)
        session = self._session(small.preset, order, context)
        result = session.stylizer_for(path).stylize(to_tensor(pixels, session.stylizer.device), context)
        write_small(to_pixels(result.image), Path(order["target"]), order["side_px"] * 2)
        return full_render(preset, [source], times)

    def _context(self, order: Order) -> Context:
        key, part = order["key"], Path(order["part"])
        next_s = 0.0
        frames = 0

        def heard(event: Event) -> None:
            nonlocal frames
            if isinstance(event, FrameDone):
                frames += 1
                say(key, "step", step=frames, steps=0)
            elif isinstance(event, StepDone) and not order["moving"]:
                done = event.step + event.scale_index * event.steps
                say(key, "step", step=done, steps=event.steps * event.scales)

        def shown(picture: Any) -> None:
            nonlocal next_s
            now = time.monotonic()
            if now >= next_s:
                next_s = now + EVERY_S
                pixels: Pixels = picture()
                write_small(pixels, part, order["side_px"] * 2)
                say(key, "picture")

        return Context(heard, lambda: self._check(key), None if order["moving"] else shown)

    def warm(self, order: Order) -> None:
        """What every preview needs. What is wrong is said with the first of them."""
        with contextlib.suppress(FramestyleError):
            *_, precision = self._ready(order, Context())
            precision.resolve(Preset())

    def _ready(self, order: Order, context: Context) -> tuple[str, Backbone, PrecisionChoice]:
        if self._weights is None:
            self._weights = load_weights(order["weights"], context)
        if self._precision is None:
            self._precision = PrecisionChoice(choose_device(order["device"]))
        return *self._weights, self._precision

    def _session(self, preset: Preset, order: Order, context: Context) -> Session:
        kind, backbone, precision = self._ready(order, context)
        preset = precision.resolve(preset)
        name = preset.model_dump_json(exclude={"name", "description", "tags"})
        session = self._sessions.pop(name, None)
        if session is None:
            session = Session.open(
                preset,
                weights=kind,
                device=order["device"],
                context=context,
                backbone=backbone,
                masks_follow=False,
            )
        self._sessions[name] = session
        while len(self._sessions) > SESSIONS:
            self._sessions.popitem(last=False)[1].close()
        return session

    def _moving(self, order: Order) -> Estimate | None:
        path, target = Path(order["path"]), Path(order["target"])
        made = preview_clip(
            Task(MediaKind.VIDEO, path, target),
            WHOLE_CLIP,
            Preset.model_validate(order["preset"]),
            order["side_px"],
            weights=order["weights"],
            device=order["device"],
            seed=0,
            context=self._context(order),
        )
        return made.render


def _source(path: Path, kind: str) -> Source:
    """What the render would be of. How many shots a clip has is not looked for: a moment's preview is not to wait."""
    if kind == "photo":
        return Source(Size(*photo_size(path)))
    info = probe(path)
    return Source(Size(info.width, info.height), max(1, frames_expected(info)))


def main() -> None:
    """Until standard input ends."""
    painter = Painter()
    orders: queue.SimpleQueue[Order | None] = queue.SimpleQueue()

    def listen() -> None:
        for line in sys.stdin:
            message = json.loads(line)
            if "cancel" in message:
                painter.cancelled = message["cancel"]
            else:
                painter.cancelled = None
                orders.put(message)
        orders.put(None)
        # The server is gone: nobody looks at what is being painted.
        painter.cancelled = "all"
        os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
    while (order := orders.get()) is not None:
        (painter.warm if "warm" in order else painter.do)(order)


if __name__ == "__main__":
    main()
