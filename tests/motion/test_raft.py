"""How frames enter RAFT and its flow leaves it; what all methods promise is in test_methods.py."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from scenes import texture
from torch import Tensor, nn

from framestyle.frames import Pixels
from framestyle.motion.raft import UPDATES, RAFTFlow
from framestyle.nst.weights.catalog import import_file
from framestyle.nst.weights.raft_network import load_raft
from framestyle.nst.weights.store import WeightsStore


class _Recorder(nn.Module):
    """Stands for RAFT: notes what it is given; its flow is (+3, -2) for the first pair and its opposite for the second,
    which one update fewer has not reached yet."""

    def __init__(self) -> None:
        super().__init__()
        self.images: tuple[Tensor, Tensor] = (torch.empty(0), torch.empty(0))
        self.updates = 0
        self.learning: list[bool] = []

    def forward(self, image1: Tensor, image2: Tensor, num_flow_updates: int) -> list[Tensor]:
        self.images, self.updates = (image1.clone(), image2.clone()), num_flow_updates
        self.learning = [self.training, torch.is_grad_enabled()]
        found = torch.empty(2, 2, *image1.shape[-2:])
        found[:, 0], found[:, 1] = 3.0, -2.0
        found[1] *= -1
        return [found * 0, found]


def _frames(height: int, width: int) -> tuple[Pixels, Pixels]:
    one, other = (texture(seed, height, width).astype(np.uint8) for seed in (1, 2))
    return one, other


@pytest.fixture(scope="module")
def raft_small(
    raft_file: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., RAFTFlow]:
    """`raft_small(max_side_px=…)`: torchvision's small network with seeded random numbers."""
    store = WeightsStore(tmp_path_factory.mktemp("store"))
    import_file(store, "raft-small", raft_file("raft-small"))
    return lambda **options: RAFTFlow(load_raft("raft-small", store), updates=2, **options)


def test_black_and_white_enter_as_minus_one_and_one_and_red_stays_first() -> None:
    network = _Recorder()
    red = np.zeros((128, 128, 3), np.uint8)
    red[..., 0] = 255
    RAFTFlow(network).both_ways(red, np.full((128, 128, 3), 65535, np.uint16))
    now, before = network.images[0]
    assert now.dtype == torch.float32
    assert bool((now[0] == 1).all()) and bool((now[1:] == -1).all())
    assert bool((before == 1).all())


def test_both_ways_go_in_one_batch_and_backward_starts_from_the_current_frame() -> None:
    network = _Recorder()
    backward, forward = RAFTFlow(network).both_ways(*_frames(128, 136))
    first, second = network.images
    assert first.shape == second.shape == (2, 3, 128, 136)
    assert torch.equal(first, second.flip(0)) and not torch.equal(first[0], first[1])
    current = torch.from_numpy(_frames(128, 136)[0]).permute(2, 0, 1)
    torch.testing.assert_close(first[0], current / 127.5 - 1)
    assert bool((backward == (3, -2)).all()) and bool((forward == (-3, 2)).all())


def test_it_neither_trains_nor_keeps_gradients_and_takes_the_updates_it_is_told() -> None:
    network = _Recorder().train()
    RAFTFlow(network, updates=5).both_ways(*_frames(16, 16))
    assert network.learning == [False, False] and network.updates == 5
    RAFTFlow(network).both_ways(*_frames(16, 16))
    assert network.updates == UPDATES == 12


@pytest.mark.parametrize(
    ("height", "width", "tall", "wide"),
    [(1, 1, 128, 128), (100, 70, 128, 128), (129, 144, 136, 144), (24, 201, 128, 208), (128, 128, 128, 128)],
)
def test_sides_grow_to_multiples_of_8_from_128(height: int, width: int, tall: int, wide: int) -> None:
    network = _Recorder()
    backward, _ = RAFTFlow(network).both_ways(*_frames(height, width))
    assert network.images[0].shape == (2, 3, tall, wide)
    assert backward.shape == (height, width, 2)


@pytest.mark.parametrize(
    ("height", "width", "below", "right"), [(100, 70, 28, 58), (130, 137, 6, 7), (20, 160, 108, 0)]
)
def test_the_flow_of_a_frame_is_the_crop_of_that_of_the_frame_padded_by_hand(
    raft_small: Callable[..., RAFTFlow], height: int, width: int, below: int, right: int
) -> None:
    frames = _frames(height, width)
    by_hand = [np.pad(frame, ((0, below), (0, right), (0, 0)), mode="edge") for frame in frames]
    flow = raft_small()
    for found, padded in zip(flow.both_ways(*frames), flow.both_ways(*by_hand), strict=True):
        assert padded.shape == (height + below, width + right, 2)
        assert np.array_equal(found, padded[:height, :width])
        # Else any crop would do.
        assert float(np.ptp(found)) > 0.01


def test_each_direction_is_what_the_network_says_of_that_pair_alone(
    raft_small: Callable[..., RAFTFlow], raft_file: Callable[[str], Path]
) -> None:
    from torchvision.models.optical_flow import raft_small as torchvisions

    network = torchvisions(weights=None).eval()
    network.load_state_dict(torch.load(raft_file("raft-small"), weights_only=True))
    current, previous = _frames(128, 128)
    one, other = (torch.from_numpy(frame).permute(2, 0, 1)[None] / 127.5 - 1 for frame in (current, previous))
    for found, pair in zip(
        raft_small().both_ways(current, previous), ((one, other), (other, one)), strict=True
    ):
        with torch.no_grad():
            wanted = network(*pair, num_flow_updates=2)[-1][0].permute(1, 2, 0).numpy()
        np.testing.assert_allclose(found, wanted, atol=1e-3)


def test_a_capped_flow_is_in_the_pixels_of_the_full_frame() -> None:
    capped = RAFTFlow(_Recorder(), max_side_px=128)(*_frames(192, 512))
    assert np.allclose(capped.backward, (12, -8))
    # The two ways agree, so all is reliable but what comes from outside the frame.
    assert float(capped.reliability[40:, :-40].min()) == 1
    assert float(capped.reliability[:, -8:].max()) == 0
