"""What runs on a GPU, run on a pretended one: nothing mixes devices, and no step waits for the host."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from framestyle.context import SILENT, Context
from framestyle.events import Event, Note
from framestyle.nst import memory
from framestyle.nst.image import size_of
from framestyle.nst.memory_plan import Demand, options
from framestyle.nst.network.tiles import WHOLE
from framestyle.nst.objective import TemporalTarget
from framestyle.nst.optimise import replay, windows
from framestyle.nst.optimise.replay import EAGER_STEPS, Replays
from framestyle.nst.optimise.state import PixelState
from framestyle.nst.stylizer import Stylized, Stylizer
from framestyle.nst.weights.backbone import Backbone
from framestyle.presets import Preset
from tests.pretend_device import DEVICE, PretendedDevice, PretendedRecording, held, pretended_device

Picture = Callable[..., Tensor]
Make = Callable[..., Stylizer]
STATISTICS = ("gram2015", "gram", "moments", "wasserstein")
ONE_SCALE = {"min_px": 4096}


@pytest.fixture
def place() -> Iterator[PretendedDevice]:
    with pretended_device() as entered:
        yield entered


@pytest.fixture
def make(make_preset: Callable[..., Preset], untrained: Backbone, picture: Picture) -> Make:
    def made(device: Any = DEVICE, **changes: Any) -> Stylizer:
        preset = make_preset(**changes)
        return Stylizer(preset, untrained, [picture(50, 30, 26)], device=device)

    return made


# -- without recordings ------------------------------------------------------------------------------------


@pytest.mark.parametrize("statistic", STATISTICS)
def test_another_device_paints_the_same(
    place: PretendedDevice, make: Make, picture: Picture, statistic: str
) -> None:
    """The Wasserstein loss takes another way there: roots by products."""
    changes = {
        "style": {"statistic": statistic},
        "scales": {"first_steps": 3, "between_steps": 2, "steps": 2},
    }
    content = picture(1, 24, 40)
    here = make("cpu", **changes).stylize(content)
    there = make(**changes).stylize(content)
    assert there.image.device == DEVICE
    assert there.loss == pytest.approx(here.loss, rel=2e-3)
    # Where a gradient is next to nothing Adam's first steps go by its sign: single values may part.
    assert float((held(there.image) - here.image).abs().mean()) < 2e-3


@pytest.mark.parametrize(
    ("init", "preserve"),
    [
        ("content", "none"),
        ("gray", "luminance"),
        ("noise", "histogram"),
        ("style_stats", "content_stats"),
        ("content", "style_stats"),
    ],
)
def test_every_start_and_every_finish_is_made_on_the_device(
    place: PretendedDevice, make: Make, picture: Picture, preserve: str, init: str
) -> None:
    changes = {
        "color": {"preserve": preserve},
        "optimizer": {"init": init},
        "scales": {"first_steps": 1, "steps": 1},
    }
    there, here = (make(where, **changes).stylize(picture(1)).image for where in (DEVICE, "cpu"))
    assert there.device == DEVICE
    assert float((held(there) - here).abs().mean()) < 2e-3


@pytest.mark.parametrize("statistic", ["gram", "wasserstein"])
def test_the_host_waits_once_a_window(
    place: PretendedDevice, make: Make, picture: Picture, monkeypatch: pytest.MonkeyPatch, statistic: str
) -> None:
    """Of a step of a still, and of one of a frame's."""
    monkeypatch.setattr(windows, "WINDOW_STEPS", 2)
    monkeypatch.setattr(windows.EarlyStop, "window_steps", 1)

    def waits(windows: int) -> tuple[int, int]:
        steps = windows * 2
        stylizer = make(
            style={"statistic": statistic},
            scales={**ONE_SCALE, "first_steps": steps},
            video={"steps": steps, "min_steps": steps},
        )
        before = place.held_up.total()
        still = stylizer.stylize(picture(1))
        between = place.held_up.total()
        _refined(stylizer, picture(2), still)
        return between - before, place.held_up.total() - between

    one, three = waits(1), waits(3)
    windows_more = 2
    assert three[0] - one[0] == windows_more
    assert three[1] - one[1] == windows_more * 2  # a frame's window is half as long


def _refined(
    stylizer: Stylizer,
    content: Tensor,
    before: Stylized,
    context: Context = SILENT,
    replays: Replays | None = None,
) -> Stylized:
    """As a frame after one that shows the same place."""
    content = content.to(stylizer.device)
    trusted = torch.ones_like(content[:, :1])
    state = PixelState.start(before.image).by_pixel()
    targets = [TemporalTarget(before.image, trusted, 10.0)]
    return stylizer.refine(content, state, targets, context, replays)


def test_what_mixes_devices_is_noticed(place: PretendedDevice) -> None:
    """Or the tests above promise nothing."""
    there = torch.ones(2, device=DEVICE)
    with pytest.raises(RuntimeError, match="two devices"):
        there + torch.ones(2)
    assert not place.held_up
    assert float(there.sum()) == 2 and held(there.nonzero()).tolist() == [[0], [1]]
    assert place.held_up == {"_local_scalar_dense": 1, "nonzero": 1}


# -- with recordings ---------------------------------------------------------------------------------------

FEWEST = 2
"""In place of FEWEST_TO_COME: each operation is Python's here."""
STEPS = EAGER_STEPS + FEWEST
FRAMES: dict[str, Any] = {
    "scales": {**ONE_SCALE, "first_steps": STEPS},
    "video": {"steps": STEPS, "min_steps": STEPS},
}


class Recorder:
    """Makes recordings for the pretended device, and keeps them."""

    def __init__(self, place: PretendedDevice) -> None:
        self.place = place
        self.made: list[PretendedRecording] = []

    def __call__(self, device: torch.device) -> PretendedRecording:
        self.made.append(PretendedRecording(self.place))
        return self.made[-1]


@pytest.fixture
def recorder(place: PretendedDevice, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    monkeypatch.setattr(replay, "FEWEST_TO_COME", FEWEST)
    recorder = Recorder(place)
    monkeypatch.setitem(replay.RECORDINGS, DEVICE.type, recorder)
    return recorder


def _clip(
    stylizer: Stylizer, picture: Picture, sizes: list[tuple[int, int]], context: Context = SILENT
) -> list[Tensor]:
    """Frames that go on from each other; one of another size begins anew."""
    images: list[Tensor] = []
    before: Stylized | None = None
    replays = stylizer.replays()
    for number, (height, width) in enumerate(sizes):
        content = picture(number, height, width).to(stylizer.device)
        if before is None or size_of(before.image) != size_of(content):
            before = stylizer.stylize(content, context, replays)
        else:
            before = _refined(stylizer, content, before, context, replays)
        images.append(held(before.image) if before.image.device == DEVICE else before.image)
        assert torch.isfinite(images[-1]).all()
    return images


@pytest.mark.parametrize("statistic", ["gram", "wasserstein"])
def test_replayed_frames_are_the_computed_ones(
    make: Make, picture: Picture, recorder: Recorder, monkeypatch: pytest.MonkeyPatch, statistic: str
) -> None:
    """Bit for bit: each frame with its own content, style of its size, targets, rates and state."""
    sizes = [(16, 24)] * 3 + [(24, 16)] * 2
    changes = {**FRAMES, "style": {"statistic": statistic}}
    replayed = _clip(make(**changes), picture, sizes)
    # Of the still, and of all frames after it; then of the other size the same.
    assert len(recorder.made) == 4
    assert [one.replayed for one in recorder.made[:2]] == [
        1 + STEPS - EAGER_STEPS,  # one to compare
        1 + 2 * STEPS - EAGER_STEPS,
    ]
    monkeypatch.delitem(replay.RECORDINGS, DEVICE.type)
    for one, other in zip(replayed, _clip(make(**changes), picture, sizes), strict=True):
        assert torch.equal(one, other)


def test_few_steps_are_not_recorded(make: Make, picture: Picture, recorder: Recorder) -> None:
    make(scales={**ONE_SCALE, "first_steps": STEPS - 1}).stylize(picture(1))
    assert not recorder.made
    make(scales={**ONE_SCALE, "first_steps": STEPS}).stylize(picture(1))
    assert len(recorder.made) == 1


def test_what_would_not_fit_twice_is_not_recorded(
    make: Make, picture: Picture, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A recording keeps a step's memory for itself."""
    stylizer = make(scales={**ONE_SCALE, "first_steps": STEPS})
    size = size_of(picture(1))
    demand = Demand.of(stylizer.network, ["relu2_2"], "adam")
    needs = next(one.needs_bytes for one in options(size, demand) if one.tiling == WHOLE)
    monkeypatch.setattr(memory, "room_bytes", lambda *_: 2 * needs - 1)
    stylizer.stylize(picture(1))
    assert not recorder.made
    monkeypatch.setattr(memory, "room_bytes", lambda *_: 2 * needs)
    stylizer.stylize(picture(1))
    assert len(recorder.made) == 1


def test_a_frame_keeps_its_state_when_the_next_is_painted(
    make: Make, picture: Picture, recorder: Recorder
) -> None:
    """Recordings work on memory of their own, and the next frame is painted in the same."""
    stylizer = make(**FRAMES)
    replays = stylizer.replays()
    still = stylizer.stylize(picture(1))
    first = _refined(stylizer, picture(2), still, replays=replays)
    before = {name: held(tensor).clone() for name, tensor in vars(first.state).items()}
    _refined(stylizer, picture(3), first, replays=replays)
    assert recorder.made[-1].replayed > STEPS
    for name, tensor in vars(first.state).items():
        assert torch.equal(held(tensor), before[name]), name


class _Failing(PretendedRecording):
    def record(self, work: Callable[[], None]) -> None:
        raise RuntimeError("CUDA error: operation not permitted when stream is capturing\nand a hint")


class _Forgetful(PretendedRecording):
    """Replays nothing: as if it had been recorded on other memory."""

    def replay(self) -> None:
        self.replayed += 1


@pytest.mark.parametrize(
    ("recording", "why"),
    [(_Failing, "not permitted when stream is capturing."), (_Forgetful, "is not the step")],
)
def test_where_recording_fails_each_step_is_computed(
    place: PretendedDevice,
    make: Make,
    picture: Picture,
    monkeypatch: pytest.MonkeyPatch,
    recording: type[PretendedRecording],
    why: str,
) -> None:
    """It says so once, does not try again, and the pictures are the same."""
    made: list[PretendedRecording] = []

    def recorder(device: torch.device) -> PretendedRecording:
        made.append(recording(place))
        return made[-1]

    sizes = [(16, 24)] * 3
    monkeypatch.setattr(replay, "FEWEST_TO_COME", FEWEST)
    computed = _clip(make(**FRAMES), picture, sizes)
    monkeypatch.setitem(replay.RECORDINGS, DEVICE.type, recorder)
    news: list[Event] = []
    found = _clip(make(**FRAMES), picture, sizes, Context(news.append))
    assert all(torch.equal(one, other) for one, other in zip(found, computed, strict=True))
    notes = [one.message for one in news if isinstance(one, Note)]
    assert len(made) == len(notes) == 1 and why in notes[0] and "hint" not in notes[0]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
@pytest.mark.parametrize("statistic", STATISTICS)
def test_a_cuda_graph_paints_what_is_computed(
    make: Make, picture: Picture, monkeypatch: pytest.MonkeyPatch, statistic: str
) -> None:
    """On a real one."""
    sizes = [(24, 32)] * 3
    monkeypatch.setattr(replay, "FEWEST_TO_COME", FEWEST)
    news: list[Event] = []
    changes = {**FRAMES, "style": {"statistic": statistic}}
    replayed = _clip(make("cuda", **changes), picture, sizes, Context(news.append))
    assert not [one for one in news if isinstance(one, Note)]
    monkeypatch.delitem(replay.RECORDINGS, "cuda")
    for one, other in zip(replayed, _clip(make("cuda", **changes), picture, sizes), strict=True):
        assert float((one - other).abs().mean()) < 2e-3
