"""Runs in the Python of GStreamer: drives the element as a program would, and prints what came of it as JSON."""

import json
import sys
import threading

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst  # noqa: E402

Gst.init(None)
PRESET = sys.argv[1]
ELEMENT = f"framestyle name=it preset={PRESET} weights=untrained device=cpu seed=3"


def frame(number, side=32):
    """RGB of one colour, with its time."""
    made = Gst.Buffer.new_wrapped(bytes([40 * (number + 1) % 256, 90, 160] * side * side))
    made.pts, made.duration = number * Gst.SECOND // 25, Gst.SECOND // 25
    return made


class Line:
    """`appsrc ! framestyle ! appsink`."""

    def __init__(self, element=ELEMENT):
        parts = f"appsrc name=source format=time ! {element} ! appsink name=sink sync=false"
        self.pipeline = Gst.parse_launch(parts)
        self.source, self.sink = (self.pipeline.get_by_name(name) for name in ("source", "sink"))
        self.caps()

    def caps(self, side=32):
        text = f"video/x-raw,format=RGB,width={side},height={side},framerate=25/1"
        self.source.set_property("caps", Gst.Caps.from_string(text))

    def push(self, *numbers, side=32):
        for number in numbers:
            self.source.emit("push-buffer", frame(number, side))

    def pulled(self):
        """Until the end of the stream: number and size of each."""
        found = []
        while (sample := self.sink.emit("try-pull-sample", 200 * Gst.SECOND)) is not None:
            buffer, shape = sample.get_buffer(), sample.get_caps().get_structure(0)
            found.append([round(buffer.pts * 25 / Gst.SECOND), shape.get_value("width"), buffer.get_size()])
        return found

    def error(self):
        told = self.pipeline.get_bus().timed_pop_filtered(200 * Gst.SECOND, Gst.MessageType.ERROR)
        return None if told is None else told.parse_error()[0].message


def sizes_change():
    """What is at work is given before a new size; the end of the stream gives the rest."""
    line = Line()
    line.pipeline.set_state(Gst.State.PLAYING)
    line.push(0, 1)
    line.caps(40)
    line.push(2, 3, side=40)
    line.source.emit("end-of-stream")
    found = line.pulled()
    line.pipeline.set_state(Gst.State.NULL)
    return found


def flushed():
    """After a flush nothing from before it comes any more, and painting goes on."""
    line = Line()
    line.pipeline.set_state(Gst.State.PLAYING)
    line.push(0, 1)
    told = line.pipeline.get_bus().timed_pop_filtered(200 * Gst.SECOND, Gst.MessageType.ELEMENT)
    pad = line.source.get_static_pad("src")
    pad.push_event(Gst.Event.new_flush_start())
    pad.push_event(Gst.Event.new_flush_stop(True))
    segment = Gst.Segment()
    segment.init(Gst.Format.TIME)
    pad.push_event(Gst.Event.new_segment(segment))
    line.push(7, 8)
    line.source.emit("end-of-stream")
    found = [told.get_structure().get_name(), line.pulled()]
    line.pipeline.set_state(Gst.State.NULL)
    return found


def again():
    """From NULL to PLAYING once more, in the same element."""
    line, found = Line(), []
    for _ in range(2):
        line.pipeline.set_state(Gst.State.PLAYING)
        line.push(0, 1)
        line.source.emit("end-of-stream")
        found.append(len(line.pulled()))
        line.pipeline.set_state(Gst.State.NULL)
    return found


def latency():
    line = Line()
    line.source.set_property("is-live", True)
    line.pipeline.set_state(Gst.State.PLAYING)
    line.push(0)
    line.pipeline.get_bus().timed_pop_filtered(200 * Gst.SECOND, Gst.MessageType.ELEMENT)
    query = Gst.Query.new_latency()
    answered = line.pipeline.get_by_name("it").get_static_pad("src").query(query)
    line.pipeline.set_state(Gst.State.NULL)
    return [answered, query.parse_latency()[1] / Gst.SECOND]


def refused(changes):
    line = Line(ELEMENT + changes)
    line.pipeline.set_state(Gst.State.PLAYING)
    line.push(0, 1)
    told = line.error()
    line.pipeline.set_state(Gst.State.NULL)
    return told


found = {
    "sizes": sizes_change(),
    "flushed": flushed(),
    "again": again(),
    "latency": latency(),
    "unknown": refused(" preset=mosiac"),
    "setting": refused(' settings="scales.steps=many"'),
    "device": refused(" device=cuda:9"),
    "threads": sorted(thread.name for thread in threading.enumerate() if thread.name.startswith("flow")),
}
sys.stdout.write(json.dumps(found))
assert GLib
