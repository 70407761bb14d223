"""What every optical flow method promises, and which one a preset gets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch
from scenes import clip, texture

from framestyle.doors.advice import next_step
from framestyle.errors import WeightsError
from framestyle.frames import Frame, Pixels
from framestyle.motion.flow import DISFlow, FloatArray, Motion, OpticalFlow
from framestyle.motion.methods import RAFT_QUALITIES, make_flow
from framestyle.motion.raft import RAFTFlow
from framestyle.motion.sequence import stylize_frames
from framestyle.motion.shots import Shot
from framestyle.nst.stylizer import Stylizer
from framestyle.nst.weights.catalog import import_file
from framestyle.nst.weights.raft_network import load_raft
from framestyle.nst.weights.store import WeightsStore
from framestyle.presets import Video

RaftFile = Callable[[str], Path]
Make = Callable[..., OpticalFlow]
SIZES = [(2, 3), (12, 64), (24, 200), (31, 33), (130, 40), (128, 136)]


@pytest.fixture(scope="session")
def store(raft_file: RaftFile, tmp_path_factory: pytest.TempPathFactory) -> WeightsStore:
    """Holds raft-small with seeded random numbers: its flow is wrong, and all else about it is as with trained ones."""
    made = WeightsStore(tmp_path_factory.mktemp("store"), "http://127.0.0.1:9/never-asked.pth")
    import_file(made, "raft-small", raft_file("raft-small"))
    return made


@pytest.fixture(params=["dis", "raft"])
def make(request: pytest.FixtureRequest, store: WeightsStore) -> Make:
    """`make(max_side_px=96)`: a new object of one of the methods."""

    def made(max_side_px: int = 4096) -> OpticalFlow:
        if request.param == "dis":
            return DISFlow("fast", max_side_px)
        return RAFTFlow(load_raft("raft-small", store), updates=3, max_side_px=max_side_px)

    return made


def _pair(height: int, width: int) -> tuple[Pixels, Pixels]:
    one, other = (texture(seed, height, width).astype(np.uint8) for seed in (1, 2))
    return one, other


def _resized(frame: Pixels, size: tuple[int, int]) -> Pixels:
    small: Pixels = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    return small


def _same(one: Motion, other: Motion) -> bool:
    return np.array_equal(one.backward, other.backward) and np.array_equal(one.reliability, other.reliability)


# -- what all promise --------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_frames_of_any_size_and_depth_have_flow_of_their_size(
    make: Make, height: int, width: int, depth: type[np.uint8] | type[np.uint16]
) -> None:
    current, previous = (frame.astype(depth) for frame in _pair(height, width))
    if depth is np.uint16:
        current, previous = current * depth(257), previous * depth(257)
    kept = current.copy(), previous.copy()
    method = make()
    for flow in method.both_ways(current, previous):
        assert flow.shape == (height, width, 2) and flow.dtype == np.float32
        assert np.isfinite(flow).all()
    motion = method(current, previous)
    assert motion.backward.shape == (height, width, 2) and motion.backward.dtype == np.float32
    assert motion.reliability.shape == (height, width) and motion.reliability.dtype == np.float32
    assert float(motion.reliability.min()) >= 0 and float(motion.reliability.max()) <= 1
    assert np.array_equal(current, kept[0]) and np.array_equal(previous, kept[1])


def test_the_motion_is_the_backward_flow_and_not_the_forward_one(make: Make) -> None:
    pair = _pair(48, 64)
    method = make()
    backward, forward = method.both_ways(*pair)
    assert not np.array_equal(backward, forward)
    assert np.array_equal(method(*pair).backward, backward)


def test_frames_that_change_places_change_the_flows_places(make: Make) -> None:
    current, previous = _pair(48, 64)
    method = make()
    backward, forward = method.both_ways(current, previous)
    other_backward, other_forward = method.both_ways(previous, current)
    # Not to the bit: a batch is not computed alike in both its places.
    np.testing.assert_allclose(other_backward, forward, atol=1e-3)
    np.testing.assert_allclose(other_forward, backward, atol=1e-3)


def test_sixteen_bits_give_the_flow_of_eight(make: Make) -> None:
    current, previous = _pair(40, 56)
    deep = [frame.astype(np.uint16) * np.uint16(257) for frame in (current, previous)]
    assert np.array_equal(make().both_ways(*deep)[0], make().both_ways(current, previous)[0])


def test_the_same_frames_have_the_same_flow_whatever_was_measured_before(make: Make) -> None:
    used = make()
    first = used(*_pair(40, 56))
    used(*_pair(64, 48))
    assert _same(used(*_pair(40, 56)), first)
    assert _same(make()(*_pair(40, 56)), first)


def test_a_capped_flow_is_that_of_the_smaller_frames_in_full_pixels(make: Make) -> None:
    current, previous = _pair(96, 160)
    small, _ = make().both_ways(_resized(current, (80, 48)), _resized(previous, (80, 48)))
    capped = make(max_side_px=80)(current, previous)
    assert capped.backward.shape == (96, 160, 2) and capped.reliability.shape == (96, 160)
    np.testing.assert_allclose(capped.backward, cv2.resize(small, (160, 96)) * 2, atol=1e-4)


def test_a_cap_above_the_frame_changes_nothing(make: Make) -> None:
    pair = _pair(48, 64)
    assert _same(make(max_side_px=64)(*pair), make()(*pair))


# -- which one a preset gets -------------------------------------------------------------------------------


def test_dis_needs_no_weights(tmp_path: Path) -> None:
    flow = make_flow(Video(flow_quality="fast", flow_max_side_px=80), "cpu", WeightsStore(tmp_path / "empty"))
    pair = _pair(96, 160)
    assert isinstance(flow, DISFlow)
    assert _same(flow(*pair), DISFlow("fast", 80)(*pair))


@pytest.mark.parametrize("quality", ["ultrafast", "fast"])
def test_quick_flow_by_raft_is_the_small_network(store: WeightsStore, quality: str) -> None:
    kind, updates = RAFT_QUALITIES[quality]
    video = Video.model_validate({"flow": "raft", "flow_quality": quality, "flow_max_side_px": 40})
    flow = make_flow(video, torch.device("cpu"), store)
    wanted = RAFTFlow(load_raft("raft-small", store), updates=updates, max_side_px=40)
    pair = _pair(48, 64)
    assert kind == "raft-small" and isinstance(flow, RAFTFlow)
    assert _same(flow(*pair), wanted(*pair))


def test_better_flow_by_raft_is_the_large_network(raft_file: RaftFile, tmp_path: Path) -> None:
    store = WeightsStore(tmp_path, "http://127.0.0.1:9/never-asked.pth")
    import_file(store, "raft-large", raft_file("raft-large"))
    flow = make_flow(Video(flow="raft"), "cpu", store)
    motion = flow(*_pair(40, 56))
    assert isinstance(flow, RAFTFlow) and motion.backward.shape == (40, 56, 2)
    assert np.isfinite(motion.backward).all() and motion.backward.any()


def test_more_effort_is_more_updates_or_the_larger_network() -> None:
    efforts = [(kind == "raft-large", updates) for kind, updates in RAFT_QUALITIES.values()]
    assert list(RAFT_QUALITIES) == ["ultrafast", "fast", "medium", "fine"]
    assert efforts == sorted(set(efforts))


@pytest.mark.parametrize("quality", RAFT_QUALITIES)
def test_missing_weights_are_an_error_and_never_dis(tmp_path: Path, quality: str) -> None:
    video = Video.model_validate({"flow": "raft", "flow_quality": quality})
    with pytest.raises(WeightsError, match=f"needs the {RAFT_QUALITIES[quality][0]} weights") as caught:
        make_flow(video, "cpu", WeightsStore(tmp_path / "empty"))
    assert caught.value.exit_code == 8
    assert next_step(caught.value) is not None and "video.flow=dis" in next_step(caught.value)


# -- in the sequence ---------------------------------------------------------------------------------------


class _Counting(OpticalFlow):
    """Nothing moves, and every pair is counted."""

    def __init__(self) -> None:
        super().__init__()
        self.pairs = 0

    def both_ways(self, current: Pixels, previous: Pixels) -> tuple[FloatArray, FloatArray]:
        self.pairs += 1
        still: npt.NDArray[np.float32] = np.zeros((*current.shape[:2], 2), np.float32)
        return still, still


@pytest.mark.parametrize(("warm_start", "pairs"), [("flow", 3), ("previous", 0), ("none", 0)])
def test_the_sequence_measures_with_what_it_is_given_where_it_measures(
    make_stylizer: Callable[..., Stylizer], warm_start: str, pairs: int
) -> None:
    flow = _Counting()
    # The preset's own method lacks its weights: it is not asked.
    stylizer = make_stylizer(video={"warm_start": warm_start, "flow": "raft"})
    done = list(stylize_frames(clip([(1, 4)], height=24, width=32), [Shot(0, 4)], stylizer, flow=flow))
    assert (len(done), flow.pairs) == (4, pairs)


def test_a_sequence_without_its_weights_fails_before_it_takes_a_frame(
    make_stylizer: Callable[..., Stylizer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRAMESTYLE_CACHE", str(tmp_path))
    taken: list[int] = []

    def frames() -> Iterator[Frame]:
        for frame in clip([(1, 2)], height=24, width=32):
            taken.append(frame.index)
            yield frame

    with pytest.raises(WeightsError, match="raft-large"):
        list(stylize_frames(frames(), [Shot(0, 2)], make_stylizer(video={"flow": "raft"})))
    assert taken == []


def test_a_sequence_makes_the_method_that_its_preset_names(
    make_stylizer: Callable[..., Stylizer],
    raft_file: RaftFile,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FRAMESTYLE_CACHE", str(tmp_path))
    import_file(WeightsStore(), "raft-small", raft_file("raft-small"))
    frames, shots = clip([(1, 2)], height=24, width=32), [Shot(0, 2)]
    by = {
        name: list(
            stylize_frames(
                frames, shots, make_stylizer(video={"flow": name, "flow_quality": "ultrafast", "steps": 0})
            )
        )
        for name in ("raft", "dis")
    }
    assert np.array_equal(by["raft"][0].pixels, by["dis"][0].pixels)
    # Random weights see another motion.
    assert not np.array_equal(by["raft"][1].pixels, by["dis"][1].pixels)
