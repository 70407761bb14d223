"""The effect in moviepy itself: frames in any order, sound and mask kept, nothing painted that nobody asked for."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from host_programs import missing, need

from framestyle import Cancelled, Session, Shot
from framestyle.errors import PresetError, UsageError
from framestyle.events import Event, FrameDone, ShotStarted, StepDone
from framestyle.frames import Pixels

need(missing("moviepy", modules=("moviepy",)))

from moviepy import ImageClip, ImageSequenceClip, VideoClip, VideoFileClip  # noqa: E402

from framestyle.moviepy import FrameStyle  # noqa: E402

RATE = 25


def _ramp(shift: int) -> Pixels:
    y, x = np.mgrid[0:33, 0:47]
    return np.dstack([(x + shift) * 5 % 256, y * 7, (x + y + shift) * 3 % 256]).astype(np.uint8)


FRAMES = [_ramp(2 * number) for number in range(8)] + [255 - _ramp(2 * number) for number in range(8)]


@pytest.fixture
def source() -> VideoClip:
    """Sixteen frames of an odd size, with a cut in the middle."""
    return ImageSequenceClip(FRAMES, fps=RATE)


def _wanted(quick: str, shots: list[Shot], frames: list[Any] = FRAMES) -> list[Any]:
    with Session.open(quick, device="cpu") as session:
        return list(session.frames(iter(frames), shots=shots))


def _equal(found: list[Any], wanted: list[Any]) -> bool:
    return len(found) == len(wanted) and all(map(np.array_equal, found, wanted))


def test_a_clip_comes_out_as_a_session_paints_it_with_its_cuts(quick: str, source: VideoClip) -> None:
    events: list[Event] = []
    painted = source.with_effects([FrameStyle(quick, device="cpu", on_event=events.append)])
    assert not events  # nothing is painted before it is wanted, though moviepy asks for a frame at once
    assert (painted.fps, painted.duration, painted.size) == (source.fps, source.duration, source.size)
    assert _equal(list(painted.iter_frames()), _wanted(quick, [Shot(0, 8), Shot(8, 16)]))
    assert [event.first_frame for event in events if isinstance(event, ShotStarted)] == [0, 8]
    assert [event.index for event in events if isinstance(event, FrameDone)] == list(range(16))
    assert not _flow_threads()


def _flow_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("flow")]


def test_frames_in_any_order(quick: str, source: VideoClip) -> None:
    """The same again is kept; a little further on what lies between is painted; further back begins there."""
    events: list[Event] = []
    cuts = ["video.cuts=none"]
    painted = source.with_effects([FrameStyle(quick, cuts, device="cpu", on_event=events.append)])
    wanted = _wanted(quick, [])

    def done() -> list[int]:
        found = [event.index for event in events if isinstance(event, FrameDone)]
        events.clear()
        return found

    assert np.array_equal(painted.get_frame(0), wanted[0]) and np.array_equal(painted.get_frame(0), wanted[0])
    assert done() == [0]
    assert np.array_equal(painted.get_frame(3 / RATE), wanted[3]) and done() == [1, 2, 3]
    assert np.array_equal(painted.get_frame(3.9 / RATE), wanted[3]) and done() == []
    again = _wanted(quick, [], FRAMES[1:])
    assert np.array_equal(painted.get_frame(1 / RATE), again[0]) and done() == [0]
    assert np.array_equal(painted.get_frame(2 / RATE), again[1]) and done() == [1]
    assert painted.get_frame(99).shape == FRAMES[0].shape  # past the end: the last frame


def test_a_file_is_written_with_its_sound(quick: str, clip: Path, workplace: Path) -> None:
    with VideoFileClip(str(clip)) as source:
        source.with_effects([FrameStyle(quick, device="cpu")]).write_videofile("out.mp4", logger=None)
        own = list(source.iter_frames())
    with VideoFileClip("out.mp4") as result:
        frames = list(result.iter_frames())
        assert result.audio is not None and result.fps == 24 and len(frames) == len(own) == 12
    changed = [np.abs(a.astype(int) - b.astype(int)).mean() for a, b in zip(frames, own, strict=True)]
    assert min(changed) > 3  # each was painted


def test_the_mask_stays_and_what_it_hides_does_not_steer(quick: str, source: VideoClip) -> None:
    hidden = np.ones((33, 47))
    hidden[:, 20:] = 0
    other = [np.where(hidden[..., None] > 0, frame, 77).astype(np.uint8) for frame in FRAMES]
    effect = FrameStyle(quick, ["video.cuts=none"], device="cpu")
    mask = ImageClip(hidden, is_mask=True, duration=source.duration)
    results = []
    for frames in (FRAMES[:3], other[:3]):
        clip = ImageSequenceClip(frames, fps=RATE).with_mask(mask.with_duration(3 / RATE))
        painted = clip.with_effects([effect])
        assert np.array_equal(painted.mask.get_frame(0), hidden)
        results.append(list(painted.iter_frames()))
    for one, two in zip(*results, strict=True):
        assert one.shape[2] == 3 and np.array_equal(one[:, :20], two[:, :20])


def test_a_still_is_painted_once(quick: str) -> None:
    events: list[Event] = []
    effect = FrameStyle(quick, device="cpu", on_event=events.append)
    painted = ImageClip(FRAMES[0], duration=0.5).with_effects([effect])
    frames = list(painted.iter_frames(fps=8))
    assert len(frames) == 4 and _equal(frames, _wanted(quick, [], FRAMES[:1]) * 4)
    assert len([event for event in events if isinstance(event, FrameDone)]) == 1


@pytest.fixture
def stopping() -> Iterator[tuple[list[Event], Any, Any]]:
    """What was heard, a listener, and a check that says stop after two windows of steps."""
    heard: list[Event] = []

    def check() -> None:
        if len([event for event in heard if isinstance(event, StepDone)]) >= 2:
            raise Cancelled

    yield heard, heard.append, check


def test_the_check_ends_the_writing_within_a_step_and_nothing_is_left(
    quick: str, source: VideoClip, stopping: Any, our_ffmpegs: Any
) -> None:
    heard, hear, check = stopping
    many = ["scales.first_steps=100000", "scales.steps=100000"]
    painted = source.with_effects(
        [FrameStyle(quick, many, device="cpu", on_event=hear, check_cancelled=check)]
    )
    with pytest.raises(Cancelled):
        painted.write_videofile("out.mp4", logger=None)
    steps = [event for event in heard if isinstance(event, StepDone)]
    assert len(steps) == 2 and not [event for event in heard if isinstance(event, FrameDone)]
    heard.clear()
    assert our_ffmpegs() == [] and not _flow_threads()
    with pytest.raises(Cancelled):  # the next request begins anew
        painted.get_frame(0)
    assert len(heard) >= 2


def test_what_cannot_be_is_refused_when_the_effect_is_applied(source: VideoClip, quick: str) -> None:
    with pytest.raises(PresetError, match="no preset is called") as found:
        source.with_effects([FrameStyle("no-such-preset")])
    assert "list_presets()" in str(found.value.next_step)
    with pytest.raises(UsageError, match="no frame rate"):
        VideoClip(lambda t: FRAMES[0], duration=1).with_effects([FrameStyle(quick)])
    with pytest.raises(UsageError, match="no duration"):
        VideoClip(lambda t: FRAMES[0]).with_effects([FrameStyle(quick, fps=5)])
    with pytest.raises(UsageError, match="a mask has no colours"):
        ImageClip(np.ones((8, 8)), is_mask=True).with_effects([FrameStyle(quick)])


def test_the_pages_examples_run_as_they_are_written(clip: Path, workplace: Path) -> None:
    """With a small preset under the name that they use."""
    text = "schema: 1\nextends: mosaic\nstyle: {layers: {relu3_1: 0, relu4_1: 0, relu5_1: 0}}\n"
    text += "content: {layers: {relu2_1: 1, relu3_2: 0, relu4_2: 0, relu5_2: 0}}\n"
    text += "scales: {first_steps: 2, steps: 1}\nvideo: {steps: 1, min_steps: 1}\n"
    folder = workplace.parent / "config" / "framestyle" / "presets"
    folder.mkdir(parents=True)
    (folder / "mosaic.yaml").write_text(text)
    page = Path(__file__).parents[2] / "docs" / "moviepy.md"
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    known: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block.replace("subclipped(0, 1)", "subclipped(0, 0.2)"), str(page), "exec"), known)
    known["clip"].close()
    assert len(blocks) == 3 and known["stopped"] is True
    with VideoFileClip("painted.mp4") as painted:
        assert painted.duration == pytest.approx(0.2, abs=0.03)
    assert Path("look.png").stat().st_size > 1000


def test_a_broken_clip_is_moviepys_own_error(quick: str, workplace: Path) -> None:
    (workplace / "broken.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + bytes(400))
    with pytest.raises(OSError):
        VideoFileClip("broken.mp4").with_effects([FrameStyle(quick)])
