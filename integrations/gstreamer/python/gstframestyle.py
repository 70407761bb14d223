"""GStreamer element `framestyle`: paints raw video in a preset's style, each frame from the one before it.

GStreamer's Python loader imports this file from the folder `python` of its plug-in path. The package `framestyle` is
loaded when the element starts; `framestyle-home.json` beside this file says where it lies, where the loader's Python
does not find it. `framestyle integrations install gstreamer` writes both.
"""

from __future__ import annotations

import json
import site
import sys
import threading
from collections import deque
from contextlib import suppress
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstVideo", "1.0")
from gi.repository import GLib, GObject, Gst, GstVideo  # noqa: E402

Gst.init(None)

HOME = "framestyle-home.json"
# What a session takes, in GStreamer's names: channels and bytes of each. videoconvert makes these of all others.
FORMATS = {"RGB": (3, 1), "RGBA": (4, 1), "RGBA64_LE": (4, 2)}
CAPS = Gst.Caps.from_string(
    f"video/x-raw,format={{{','.join(FORMATS)}}},width=[1,2147483647],height=[1,2147483647],framerate=[0/1,2147483647/1]"
)
LOOK_AHEAD = 6  # frames at most, of those ways to find cuts that there are
TIMES = Gst.BufferCopyFlags.FLAGS | Gst.BufferCopyFlags.TIMESTAMPS


class NotFoundError(Exception):
    """The package cannot be loaded by this Python."""


def find_package() -> None:
    """Make `import framestyle` work: as this Python finds it, else from the place that was noted at the install."""
    if find_spec("framestyle") is not None:
        return
    try:
        home = json.loads((Path(__file__).parent / HOME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        home = {"python": "", "paths": []}
    own = "{}.{}".format(*sys.version_info)
    if home["python"] not in ("", own):
        raise NotFoundError(f"FrameStyle is installed for Python {home['python']}, and GStreamer's is {own}")
    before = list(sys.path)
    for path in home["paths"]:
        site.addsitedir(path)
    # In front of the system's: its NumPy may be older than the one that FrameStyle was installed with.
    sys.path[:] = [path for path in sys.path if path not in before] + before
    if find_spec("framestyle") is None:
        raise NotFoundError(
            "the package framestyle is not found; run: framestyle integrations install gstreamer"
        )


class BrokenFrameError(Exception):
    """A buffer does not hold what its caps say."""


class FrameStyle(Gst.Element):
    """Frames come out one later than they go in: the motion to the next is measured meanwhile."""

    __gtype_name__ = "GstFrameStyle"
    __gstmetadata__ = (
        "FrameStyle",
        "Filter/Effect/Video",
        "Paints video in a named style",
        "The FrameStyle authors",
    )
    __gsttemplates__ = (
        Gst.PadTemplate.new("sink", Gst.PadDirection.SINK, Gst.PadPresence.ALWAYS, CAPS),
        Gst.PadTemplate.new("src", Gst.PadDirection.SRC, Gst.PadPresence.ALWAYS, CAPS),
    )
    preset = GObject.Property(
        type=str, default="", nick="Preset", blurb="A preset's name, or the path of a YAML file"
    )
    settings = GObject.Property(
        type=str, default="", nick="Settings", blurb="KEY=VALUE of the preset, several with ; between them"
    )
    weights = GObject.Property(
        type=str, default="auto", nick="Weights", blurb="auto, original, learned, … or a path"
    )
    device = GObject.Property(type=str, default="auto", nick="Device", blurb="auto, cpu, cuda, cuda:N or mps")
    seed = GObject.Property(
        type=int, default=0, minimum=0, maximum=2**31 - 1, nick="Seed", blurb="The same seed paints the same"
    )

    def __init__(self) -> None:
        super().__init__()
        self._preset = self._session = self._info = self._cuts = None
        self._times: deque[Gst.Buffer] = (
            deque()
        )  # the incoming buffers whose painted frames are still to come
        self._frames = 0
        self._stop = threading.Event()
        self.sinkpad = Gst.Pad.new_from_template(self.__gsttemplates__[0], "sink")
        self.srcpad = Gst.Pad.new_from_template(self.__gsttemplates__[1], "src")
        self.sinkpad.set_chain_function_full(self._chain)
        self.sinkpad.set_event_function_full(self._on_sink_event)
        self.sinkpad.set_query_function_full(self._on_query)
        self.srcpad.set_query_function_full(self._on_query)
        self.add_pad(self.sinkpad)
        self.add_pad(self.srcpad)

    # -- states --------------------------------------------------------------------------------------------

    def do_change_state(self, change: Gst.StateChange) -> Gst.StateChangeReturn:
        if change == Gst.StateChange.NULL_TO_READY and not self._load_preset():
            return Gst.StateChangeReturn.FAILURE
        if change == Gst.StateChange.READY_TO_PAUSED:
            self._stop.clear()
        elif change == Gst.StateChange.PAUSED_TO_READY:
            self._stop.set()  # before the pads are switched off, which waits for the step that is at work
        result = Gst.Element.do_change_state(self, change)
        if change == Gst.StateChange.PAUSED_TO_READY:
            self._close()
        return result

    def _load_preset(self) -> bool:
        try:
            find_package()
            from framestyle import FramestyleError, load_preset
        except (NotFoundError, ImportError) as error:
            return self._fail(Gst.LibraryError.quark(), int(Gst.LibraryError.INIT), str(error))
        wishes = [one.strip() for one in self.settings.split(";") if one.strip()]
        try:
            self._preset = load_preset(self.preset or "a name is missing", wishes)
        except FramestyleError as error:
            return self._failed(error)
        return True

    def _open(self) -> None:
        from framestyle import Session

        if self._session is None:
            self._session = Session.open(
                self._preset,
                weights=self.weights,
                device=self.device,
                seed=self.seed,
                context=self._context(),
            )

    def _close(self) -> None:
        session, self._session, self._info, self._cuts, self._frames = self._session, None, None, None, 0
        self._times.clear()
        if session is not None:
            session.close()

    # -- frames --------------------------------------------------------------------------------------------

    def _chain(self, pad: Gst.Pad, parent: Gst.Object, buffer: Gst.Buffer) -> Gst.FlowReturn:
        if self._info is None:
            return Gst.FlowReturn.NOT_NEGOTIATED
        if not self._frames and not self._times:
            self._tell("frame", frame=0, fraction=0.0)
        self._times.append(buffer)
        return self._guarded(lambda: self._pushed(read_frame(buffer, self._info)))

    def _pushed(self, frame) -> list:
        self._cuts = self._cuts or Cuts(self._preset.video.cuts, self._info)
        return [one for begun in self._cuts.add(frame) for one in self._painted(*begun)]

    def _painted(self, frame, is_cut: bool) -> list:
        if is_cut:
            self._session.reset()
        return self._session.push(frame, self._context())

    def _finished(self) -> list:
        cuts, self._cuts = self._cuts, None
        left = [one for begun in cuts.rest() for one in self._painted(*begun)]
        return left + self._session.finish(self._context())

    def _drain(self) -> Gst.FlowReturn:
        """Gives what is still at work: the next frame begins a clip."""
        return self._guarded(self._finished) if self._times and self._cuts else Gst.FlowReturn.OK

    def _drop(self) -> None:
        """The same, given to nobody and not painted."""
        from framestyle import Cancelled, Context

        def never() -> None:
            raise Cancelled

        self._forget()
        if self._session is not None:
            with suppress(Cancelled):
                self._session.finish(Context(check_cancelled=never))

    def _guarded(self, painting) -> Gst.FlowReturn:
        """What is painted goes on its way; what goes wrong is told in the host's way."""
        from framestyle import Cancelled, FramestyleError

        try:
            self._open()
            painted = painting()
        except Cancelled:
            self._forget()
            return Gst.FlowReturn.FLUSHING
        except FramestyleError as error:
            self._forget()
            self._failed(error)
            return Gst.FlowReturn.ERROR
        except BrokenFrameError as error:
            self._forget()
            self._fail(Gst.StreamError.quark(), int(Gst.StreamError.FORMAT), str(error))
            return Gst.FlowReturn.ERROR
        except Exception as error:  # else GStreamer would wait for ever for what this call should return
            self._forget()
            self._fail(
                Gst.LibraryError.quark(), int(Gst.LibraryError.FAILED), f"{type(error).__name__}: {error}"
            )
            return Gst.FlowReturn.ERROR
        flows = (self._give(frame) for frame in painted)
        return next((flow for flow in flows if flow != Gst.FlowReturn.OK), Gst.FlowReturn.OK)

    def _forget(self) -> None:
        """A call was ended: the session has dropped what was at work."""
        self._times.clear()
        self._cuts = None

    def _give(self, frame) -> Gst.FlowReturn:
        source = self._times.popleft()
        result = written_frame(frame, self._info)
        result.copy_into(source, TIMES, 0, GLib.MAXSIZE)
        self._frames += 1
        self._tell("frame", frame=self._frames, fraction=self._fraction(source))
        return self.srcpad.push(result)

    # -- news ----------------------------------------------------------------------------------------------

    def _context(self):
        from framestyle import Cancelled, Context
        from framestyle.events import StepDone

        def hear(event) -> None:
            if isinstance(event, StepDone):
                told = {"step": event.step, "steps": event.steps, "scale": event.scale_index + 1}
                self._tell("step", frame=self._frames + 1, scales=event.scales, **told)

        def check() -> None:
            if self._stop.is_set():
                raise Cancelled

        return Context(hear, check)

    def _fraction(self, buffer: Gst.Buffer) -> float:
        """How much of the stream is painted by the end of this frame; -1 where its length is not known."""
        known, duration = self.sinkpad.peer_query_duration(Gst.Format.TIME)
        if not known or duration <= 0 or buffer.pts == Gst.CLOCK_TIME_NONE:
            return -1.0
        length = 0 if buffer.duration == Gst.CLOCK_TIME_NONE else buffer.duration
        return min(1.0, (buffer.pts + length) / duration)

    def _tell(self, what: str, **fields) -> None:
        structure = Gst.Structure.new_empty(f"framestyle-{what}")
        for name, value in fields.items():
            structure.set_value(name, value)
        self.post_message(Gst.Message.new_element(self, structure))

    def _failed(self, error) -> bool:
        """A FramestyleError as the bus has it: presets are settings, the rest is the element's own failure."""
        is_setting = error.exit_code in (2, 3)
        domain = Gst.ResourceError.quark() if is_setting else Gst.LibraryError.quark()
        number = int(Gst.ResourceError.SETTINGS if is_setting else Gst.LibraryError.FAILED)
        return self._fail(domain, number, error.message, f"{error.code}: {error.next_step or ''}")

    def _fail(self, domain: int, number: int, message: str, debug: str = "") -> bool:
        told = GLib.Error.new_literal(domain, message, number)
        self.post_message(Gst.Message.new_error(self, told, debug))
        return False

    # -- events and queries --------------------------------------------------------------------------------

    def _on_sink_event(self, pad: Gst.Pad, parent: Gst.Object, event: Gst.Event) -> bool:
        kind = event.type
        if kind == Gst.EventType.FLUSH_START:
            self._stop.set()
        elif kind == Gst.EventType.FLUSH_STOP:
            self._stop.clear()
            self._drop()
        elif kind == Gst.EventType.CAPS:
            if self._drain() == Gst.FlowReturn.ERROR:
                return False
            self._info = GstVideo.VideoInfo.new_from_caps(event.parse_caps())
            return self._info is not None and self.srcpad.push_event(event)
        elif kind in (Gst.EventType.EOS, Gst.EventType.SEGMENT, Gst.EventType.STREAM_START):
            # At the end of the stream that is said all the same: an error was told, and others wait for the end.
            self._drain()
        return pad.event_default(parent, event)

    def _on_query(self, pad: Gst.Pad, parent: Gst.Object, query: Gst.Query) -> bool:
        other = self.srcpad if pad == self.sinkpad else self.sinkpad
        if query.type == Gst.QueryType.CAPS:
            wanted = query.parse_caps()
            query.set_caps_result(other.peer_query_caps(wanted).intersect(CAPS))
            return True
        if query.type == Gst.QueryType.LATENCY and pad == self.srcpad:
            if not other.peer_query(query):
                return False
            is_live, least, most = query.parse_latency()
            own = self._latency()
            query.set_latency(is_live, least + own, most if most == Gst.CLOCK_TIME_NONE else most + own)
            return True
        return pad.query_default(parent, query)

    def _latency(self) -> int:
        """Nanoseconds: a frame, and those that are looked at before a cut is sure. 0 at a variable rate."""
        info = self._info
        if info is None or not info.fps_n:
            return 0
        return (LOOK_AHEAD + 1) * Gst.SECOND * info.fps_d // info.fps_n


class Cuts:
    """Finds cuts as frames come; a frame is given when it is sure whether it begins a shot."""

    def __init__(self, method: str, info: GstVideo.VideoInfo) -> None:
        from framestyle.motion.shots import ShotFinder

        self._rate = Fraction(info.fps_n or 25, info.fps_d or 1)
        self._finder = ShotFinder(method, self._rate)
        self._waiting = deque()
        self._count = self._given = 0

    def add(self, frame) -> list:
        """Those that are sure now: each with whether it begins a shot."""
        from framestyle import Frame

        self._finder.add(Frame(self._count, self._count / self._rate, frame[..., :3]))
        self._count += 1
        self._waiting.append(frame)
        return self._sure(self._finder.look_ahead)

    def rest(self) -> list:
        """No frame follows."""
        return self._sure(0)

    def _sure(self, keep: int) -> list:
        found = []
        while len(self._waiting) > keep:
            found.append((self._waiting.popleft(), self._finder.is_cut(self._given)))
            self._given += 1
        return found


def read_frame(buffer: Gst.Buffer, info: GstVideo.VideoInfo):
    """HWC, RGB or RGBA, uint8 or uint16; rows are padded in the buffer, in its own way where a meta says so."""
    import numpy as np

    channels, size = FORMATS[info.finfo.name]
    meta = GstVideo.buffer_get_video_meta(buffer)
    stride, offset = (info.stride[0], info.offset[0]) if meta is None else (meta.stride[0], meta.offset[0])
    row = info.width * channels * size
    found, mapped = buffer.map(Gst.MapFlags.READ)
    if not found:
        raise BrokenFrameError("a frame cannot be read")
    try:
        flat = np.frombuffer(mapped.data, np.uint8)
        if (needed := offset + stride * (info.height - 1) + row) > flat.size:
            raise BrokenFrameError(f"a frame has {flat.size} bytes, and its format needs {needed}")
        rows = np.lib.stride_tricks.as_strided(flat[offset:], (info.height, row), (stride, 1)).copy()
    finally:
        buffer.unmap(mapped)
    return rows.view("<u2" if size == 2 else np.uint8).reshape(info.height, info.width, channels)


def written_frame(frame, info: GstVideo.VideoInfo) -> Gst.Buffer:
    """A buffer of the format's own padding."""
    import numpy as np

    rows = np.zeros((info.height, info.stride[0]), np.uint8)
    packed = np.ascontiguousarray(frame).view(np.uint8).reshape(info.height, -1)
    rows[:, : packed.shape[1]] = packed
    return Gst.Buffer.new_wrapped(rows.tobytes())


GObject.type_register(FrameStyle)
__gstelementfactory__ = ("framestyle", Gst.Rank.NONE, FrameStyle)
