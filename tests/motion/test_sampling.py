"""Pictures looked up along a flow: by OpenCV on the host, by torch on a device, with the same result."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from framestyle.motion.flow import FloatArray
from framestyle.motion.sampling import (
    DeviceSampler,
    HostSampler,
    Sampler,
    device_blurred,
    host_blurred,
)

Make = Callable[[FloatArray], Sampler]
SIZES = [(24, 40), (1, 9), (7, 1), (1, 1)]


def _on_device(backward: FloatArray) -> Sampler:
    """On the CPU, as it works elsewhere."""
    return DeviceSampler(backward, torch.device("cpu"))


@pytest.fixture(params=[HostSampler, _on_device], ids=["host", "device"])
def make(request: pytest.FixtureRequest) -> Make:
    made: Make = request.param
    return made


def _picture(channels: int, height: int, width: int, seed: int = 0) -> Tensor:
    return torch.rand(1, channels, height, width, generator=torch.Generator().manual_seed(seed))


def _flow(height: int, width: int, seed: int = 1, most_px: float = 6.0) -> FloatArray:
    """In thirty-seconds of a pixel, which is as fine as OpenCV looks."""
    steps = np.random.default_rng(seed).integers(-32 * most_px, 32 * most_px, (height, width, 2))
    return (steps / 32).astype(np.float32)


@pytest.mark.parametrize("channels", [1, 2, 3, 7])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_device_and_host_see_the_same(channels: int, height: int, width: int) -> None:
    picture, flow = _picture(channels, height, width), _flow(height, width)
    host, device = HostSampler(flow), _on_device(flow)
    for of_host, of_device in ((host.sharp, device.sharp), (host.smooth, device.smooth)):
        torch.testing.assert_close(of_device(picture), of_host(picture), atol=1e-5, rtol=0)
    assert torch.equal(device.inside, host.inside)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_numbers_are_moved_and_never_mixed(make: Make, height: int, width: int) -> None:
    """Of several channels, with -1 for none; a third of a pixel is nearest to none."""
    numbers = torch.arange(2 * height * width, dtype=torch.int16).view(1, 2, height, width) - 1
    flow = np.empty((height, width, 2), np.float32)
    flow[...] = 2 - 1 / 3, -1 + 1 / 3
    rows = torch.arange(height).sub(1).clamp_min(0)
    columns = torch.arange(width).add(2).clamp_max(width - 1)
    found = make(flow).nearest(numbers)
    assert found.dtype == torch.int16
    assert torch.equal(found, numbers[..., rows, :][..., columns])


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_whole_pixels_are_moved_as_they_are(make: Make, height: int, width: int) -> None:
    picture = _picture(3, height, width)
    flow = np.empty((height, width, 2), np.float32)
    flow[...] = 2, -1
    rows = torch.arange(height).sub(1).clamp_min(0)
    columns = torch.arange(width).add(2).clamp_max(width - 1)
    for found in (make(flow).sharp(picture), make(flow).smooth(picture)):
        torch.testing.assert_close(found, picture[..., rows, :][..., columns], atol=1e-6, rtol=0)
    assert make(flow).inside[0, 0].tolist() == [
        [y >= 1 and x < width - 2 for x in range(width)] for y in range(height)
    ]


def test_a_smooth_picture_is_seen_between_its_pixels(make: Make) -> None:
    """Within what the kernel promises: the wave has twelve pixels."""

    def wave(x: Tensor) -> Tensor:
        return 0.5 + 0.4 * torch.sin(x * 2 * torch.pi / 12)

    across = torch.arange(48.0)
    picture = wave(across).expand(1, 1, 20, 48)
    flow = np.zeros((20, 48, 2), np.float32)
    flow[..., 0] = 0.375
    wanted = wave(across + 0.375)[5:-5]
    assert float((make(flow).sharp(picture)[0, 0, 10, 5:-5] - wanted).abs().max()) < 4e-3
    assert 4e-3 < float((make(flow).smooth(picture)[0, 0, 10, 5:-5] - wanted).abs().max()) < 2e-2


def test_the_smooth_one_stays_within_the_picture(make: Make) -> None:
    picture = _picture(2, 24, 40).round()
    seen = make(_flow(24, 40))
    assert 0 <= float(seen.smooth(picture).min()) <= float(seen.smooth(picture).max()) <= 1 + 1e-6
    assert float(seen.sharp(picture).max()) > 1.01


@pytest.mark.parametrize("sigma_px", [1.5, 12.0])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_device_and_host_blur_alike(sigma_px: float, height: int, width: int) -> None:
    """Pictures smaller than the kernel too: they are mirrored again and again."""
    for channels in (1, 3):
        picture = _picture(channels, height, width)
        found = device_blurred(picture, sigma_px)
        torch.testing.assert_close(found, host_blurred(picture, sigma_px), atol=2e-5, rtol=0)
        assert found.shape == picture.shape


def test_a_blur_is_a_gaussian() -> None:
    point = torch.zeros(1, 1, 41, 41)
    point[..., 20, 20] = 1
    of_one = torch.from_numpy(cv2.getGaussianKernel(13, 1.5, cv2.CV_32F))
    found = device_blurred(point, 1.5)[0, 0, 14:27, 14:27]
    torch.testing.assert_close(found, of_one @ of_one.T, atol=1e-6, rtol=0)
