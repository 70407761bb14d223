"""What a host program may rely on: a session is one call at a time, on any thread, and ends when it is told to."""

from __future__ import annotations

import dataclasses
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from framestyle import Cancelled, Context, RenderSpec, Session
from framestyle.errors import PresetError, UsageError, WeightsError
from framestyle.events import Event, FrameDone, ShotStarted, StepDone
from framestyle.frames import Frame
from framestyle.motion.sequence import stylize_frames
from framestyle.motion.shots import Shot
from framestyle.nst.weights.backbone import Backbone
from framestyle.presets import Preset
from tests import warm

MakeSession = Callable[..., Session]
LONG_STEPS = 100_000


@pytest.fixture
def style(tmp_path: Path) -> Path:
    path = tmp_path / "style.png"
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (24, 24, 3), dtype=np.uint8)).save(path)
    return path


@pytest.fixture
def make_session(untrained: Backbone, style: Path) -> Iterator[MakeSession]:
    """`make_session(video={"passes": 2})`: two shallow layers, sections merged in."""
    opened: list[Session] = []

    def made(**changes: Any) -> Session:
        data: dict[str, Any] = {
            "style": {"images": [{"path": str(style)}], "layers": {"relu1_1": 1.0}, "statistic": "gram"},
            "content": {"layers": {"relu1_2": 1.0}},
            "optimizer": {"precision": "float32"},
            "scales": {"min_px": 32, "max_side_px": 16, "first_steps": 4, "steps": 2},
            "video": {"steps": 3, "min_steps": 2},
        }
        for key, value in changes.items():
            data[key] = {**data.get(key, {}), **value} if isinstance(value, dict) else value
        preset = Preset.model_validate(data)
        opened.append(Session.open(preset, weights="untrained", device="cpu", backbone=untrained))
        return opened[-1]

    yield made
    for session in opened:
        session.close()


def _ramp(shift: int = 0) -> np.ndarray[Any, Any]:
    y, x = np.mgrid[0:24, 0:32]
    return np.dstack([(x + shift) * 7 % 256, y * 10, (x + y + shift) * 4 % 256]).astype(np.uint8)


FRAMES = [_ramp(2 * number) for number in range(3)] + [255 - _ramp(2 * number) for number in range(3)]


def _pushed(session: Session, frames: list[np.ndarray[Any, Any]], cut_before: int | None = None) -> list[Any]:
    found = []
    for number, frame in enumerate(frames):
        if number == cut_before:
            session.reset()
        found += session.push(frame)
    return found + session.finish()


# -- push is pull ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("video", [{}, {"passes": 2}, {"long_term": [1, 2]}, {"warm_start": "none"}])
def test_pushed_frames_are_those_of_the_hub(make_session: MakeSession, video: dict[str, Any]) -> None:
    """With a cut that the caller knows, and without."""
    session = make_session(video=video, scales={"max_side_px": 0})
    for shots, cut_before in (([Shot(0, 3), Shot(3, 6)], 3), ([Shot(0, 6)], None)):
        frames = [Frame(number, Fraction(number, 25), pixels) for number, pixels in enumerate(FRAMES)]
        pulled = [frame.pixels for frame in stylize_frames(frames, shots, session.stylizer)]
        pushed = _pushed(session, FRAMES, cut_before)
        assert len(pushed) == len(pulled) == 6
        assert all(np.array_equal(one, other) for one, other in zip(pushed, pulled, strict=True))
        whole = list(session.frames(iter(FRAMES), shots=shots))
        assert all(np.array_equal(one, other) for one, other in zip(whole, pulled, strict=True))


def test_a_frame_comes_out_one_call_later_and_a_cut_holds_nothing_back(make_session: MakeSession) -> None:
    session, events = make_session(), list[Event]()
    context = Context(events.append)
    assert session.push(FRAMES[0], context) == []
    assert len(session.push(FRAMES[1], context)) == 1
    session.reset()
    assert len(session.push(FRAMES[3], context)) == 1
    assert len(session.finish(context)) == 1
    assert session.finish() == []
    assert [event.first_frame for event in events if isinstance(event, ShotStarted)] == [0, 2]
    assert [event.warm for event in events if isinstance(event, FrameDone)] == [False, True, False]


def test_a_frame_of_another_kind_is_refused(make_session: MakeSession) -> None:
    session = make_session()
    session.push(FRAMES[0])
    with pytest.raises(UsageError, match="frame 1 is uint8 of shape"):
        session.push(FRAMES[1][:20])
    assert _pushed(session, FRAMES[:2]) != []


# -- ending it ---------------------------------------------------------------------------------------------


def test_another_thread_ends_a_call_within_a_step(make_session: MakeSession) -> None:
    """The check is asked before a step's work is done, and nothing more of it is; then the session paints as before."""
    session = make_session(scales={"first_steps": LONG_STEPS, "steps": LONG_STEPS})
    stop, steps = threading.Event(), list[Event]()

    def check() -> None:
        if stop.is_set():
            raise Cancelled

    def hear(event: Event) -> None:
        steps.append(event)
        if len(steps) == 2:
            threading.Thread(target=stop.set).start()

    with pytest.raises(Cancelled):
        session.image(FRAMES[0], Context(hear, check))
    assert all(isinstance(event, StepDone) for event in steps) and len(steps) < LONG_STEPS / 10
    stop.clear()
    with pytest.raises(Cancelled):
        assert session.push(FRAMES[0], Context(check_cancelled=check)) == []
        stop.set()
        session.push(FRAMES[1], Context(check_cancelled=check))
    assert session.finish() == []  # what was not given is dropped


def test_a_clip_that_was_ended_leaves_nothing_to_the_next(make_session: MakeSession) -> None:
    session = make_session()
    wanted = _pushed(session, FRAMES[:3])
    session.push(FRAMES[5])

    def never() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        session.push(FRAMES[4], Context(check_cancelled=never))
    found = _pushed(session, FRAMES[:3])
    assert all(np.array_equal(one, other) for one, other in zip(found, wanted, strict=True))


def test_closed_it_refuses_everything_and_may_be_closed_again(make_session: MakeSession) -> None:
    session = make_session()
    session.push(FRAMES[0])
    session.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("flow")]
    for call in (
        lambda: session.image(FRAMES[0]),
        lambda: session.push(FRAMES[0]),
        session.finish,
        session.reset,
        lambda: list(session.frames(FRAMES)),
        lambda: session.stylizer,
    ):
        with pytest.raises(UsageError, match="is closed"):
            call()
    session.close()


def test_it_closes_itself(make_session: MakeSession) -> None:
    with make_session() as session:
        session.image(FRAMES[0])
    with pytest.raises(UsageError, match="is closed"):
        session.image(FRAMES[0])


# -- threads and modes -------------------------------------------------------------------------------------


def test_two_threads_at_once_are_refused_and_one_after_another_served(make_session: MakeSession) -> None:
    session, refused = make_session(), list[UsageError]()
    wanted = session.image(FRAMES[0])

    def meanwhile(event: Event) -> None:
        with ThreadPoolExecutor(1) as pool:
            for call in (lambda: session.image(FRAMES[0]), session.close, session.reset):
                error = pool.submit(call).exception()
                assert isinstance(error, UsageError)
                refused.append(error)

    found = session.image(FRAMES[0], Context(meanwhile))
    assert refused and all("at work in another call" in str(error) for error in refused)
    assert all(error.next_step for error in refused)
    with ThreadPoolExecutor(1) as pool:
        elsewhere = pool.submit(session.image, FRAMES[0]).result()
    assert np.array_equal(found, wanted) and np.array_equal(elsewhere, wanted)


@pytest.mark.parametrize("mode", [torch.inference_mode, torch.no_grad])
def test_it_paints_whatever_the_callers_gradient_mode(make_session: MakeSession, mode: Any) -> None:
    """Opened within it, and outside; and the mode is the caller's again afterwards."""
    wanted = make_session().image(FRAMES[0])
    outside = make_session()
    with mode():
        for session in (outside, make_session()):
            assert np.array_equal(session.image(FRAMES[0]), wanted)
            assert len(_pushed(session, FRAMES[:2])) == 2
            for _ in session.frames(FRAMES[:2]):
                assert not torch.is_grad_enabled()
        assert not torch.is_grad_enabled() and torch.is_inference_mode_enabled() == (
            mode is torch.inference_mode
        )
    assert np.array_equal(outside.image(FRAMES[0]), wanted)


# -- from a spec -------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("warm_server")
def test_another_process_paints_the_same_from_the_spec(make_session: MakeSession, tmp_path: Path) -> None:
    session = make_session()
    np.save(tmp_path / "in.npy", FRAMES[0])
    (tmp_path / "spec.json").write_text(session.spec.to_json(), encoding="utf-8")
    code = (
        f"import numpy as np, torch; torch.set_num_threads({torch.get_num_threads()})\n"
        "from framestyle import RenderSpec, Session\n"
        "with Session(RenderSpec.from_json(open('spec.json', encoding='utf-8').read())) as session:\n"
        "    np.save('out.npy', session.image(np.load('in.npy')))\n"
    )
    done = warm.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert np.array_equal(np.load(tmp_path / "out.npy"), session.image(FRAMES[0]))


def test_what_is_no_longer_what_the_spec_names_is_refused(make_session: MakeSession, style: Path) -> None:
    spec = make_session().spec
    with pytest.raises(WeightsError, match="others than those"):
        Session(dataclasses.replace(spec, weights_fingerprint="untrained seed=1 width=1/4"))
    Image.fromarray(FRAMES[0]).save(style)
    with pytest.raises(PresetError, match=r"style\.png is another picture"):
        Session(RenderSpec.from_json(spec.to_json()))
