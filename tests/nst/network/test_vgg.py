"""VGG19 by names: against torchvision's own network, and each option against what it stands for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
import torchvision
from torch import Tensor

from framestyle.doors.advice import next_step
from framestyle.errors import WeightsError
from framestyle.nst.network.vgg import POOLING_RESCALE, VGG19, pool, vgg19_layers
from framestyle.nst.weights.backbone import (
    CAFFE_FACTOR,
    CAFFE_SHIFT,
    CONVOLUTION_INDICES,
    IMAGENET_FACTOR,
    IMAGENET_SHIFT,
    Backbone,
)
from framestyle.presets.layers import LAYER_NAMES

Picture = Callable[..., Tensor]
TORCHVISION_PLACES = {
    "conv1_1": 0,
    "relu1_1": 1,
    "relu1_2": 3,
    "pool1": 4,
    "conv2_1": 5,
    "relu3_1": 11,
    "conv4_2": 21,
    "relu4_2": 22,
    "pool4": 27,
    "relu5_1": 29,
    "conv5_4": 34,
    "relu5_4": 35,
    "pool5": 36,
}
"""Written down from torchvision's listing of `vgg19().features`."""


def _identity_normalised(backbone: Backbone) -> Backbone:
    return replace(backbone, shift=(0.0, 0.0, 0.0), factor=(1.0, 1.0, 1.0))


def test_taps_equal_torchvisions_network(vgg19: Backbone, picture: Picture) -> None:
    image = picture(1, 32, 64)
    with torch.device("meta"):
        theirs = torchvision.models.vgg19(weights=None).features
    theirs = theirs.to_empty(device="cpu")
    for name, index in CONVOLUTION_INDICES.items():
        theirs[index].weight.data, theirs[index].bias.data = vgg19.convolutions[name]
    for module in theirs:
        if isinstance(module, torch.nn.ReLU):
            module.inplace = False

    wanted, x = (
        {},
        (image - torch.tensor(IMAGENET_SHIFT).view(1, 3, 1, 1))
        * torch.tensor(IMAGENET_FACTOR).view(1, 3, 1, 1),
    )
    with torch.no_grad():
        for index, module in enumerate(theirs):
            x = module(x)
            wanted[index] = x

    backbone = replace(
        vgg19, shift=IMAGENET_SHIFT, factor=IMAGENET_FACTOR, kind="imagenet", native_pooling="max"
    )
    network = VGG19(backbone, TORCHVISION_PLACES, pooling="max", padding="zeros")
    found = network(image)
    assert set(found) == set(TORCHVISION_PLACES)
    for name, index in TORCHVISION_PLACES.items():
        torch.testing.assert_close(found[name], wanted[index], rtol=1e-4, atol=1e-4, msg=name)


def test_imagenet_constants_are_torchvisions_own() -> None:
    transforms = torchvision.models.VGG19_Weights.IMAGENET1K_V1.transforms()
    assert list(IMAGENET_SHIFT) == transforms.mean
    assert [1 / factor for factor in IMAGENET_FACTOR] == pytest.approx(transforms.std)


def test_there_are_16_convolutions_and_5_poolings_and_the_schema_knows_them_all() -> None:
    layers = vgg19_layers()
    assert [sum(layer.kind == kind for layer in layers) for kind in ("conv", "relu", "pool")] == [16, 16, 5]
    assert {layer.name for layer in layers} == set(LAYER_NAMES)


def test_a_convolution_tap_is_not_its_relu(untrained: Backbone, picture: Picture) -> None:
    image = picture(2)
    both = VGG19(untrained, ["conv2_2", "relu2_2"])(image)
    assert float(both["conv2_2"].min()) < 0
    torch.testing.assert_close(both["relu2_2"], both["conv2_2"].clamp_min(0), rtol=0, atol=0)
    deeper = VGG19(untrained, ["conv2_2", "relu3_1"])(image)
    torch.testing.assert_close(deeper["conv2_2"], both["conv2_2"], rtol=0, atol=0)


def test_the_network_ends_after_the_deepest_layer_in_use(untrained: Backbone, picture: Picture) -> None:
    network = VGG19(untrained, ["relu2_1", "relu1_1"])
    assert network.stages[-1].name == "relu2_1"
    assert list(network.filters) == ["conv1_1", "conv1_2", "conv2_1"]
    deep = VGG19(untrained, ["relu2_1", "relu4_1"])(picture(3))["relu2_1"]
    torch.testing.assert_close(network(picture(3))["relu2_1"], deep, rtol=0, atol=0)


def test_unknown_and_missing_layers_are_refused(untrained: Backbone) -> None:
    with pytest.raises(ValueError, match="relu9_9"):
        VGG19(untrained, ["relu9_9"])
    with pytest.raises(ValueError, match="no layer"):
        VGG19(untrained, [])
    few = {name: untrained.convolutions[name] for name in ("conv1_1", "conv1_2")}
    with pytest.raises(WeightsError, match="end before layer conv2_1") as caught:
        VGG19(replace(untrained, convolutions=few), ["relu2_1"])
    assert next_step(caught.value) is not None and "relu1_2" in next_step(caught.value)


def test_weights_of_another_shape_are_refused(untrained: Backbone) -> None:
    wrong = {**untrained.convolutions, "conv1_1": (torch.zeros(64, 4, 3, 3), torch.zeros(64))}
    with pytest.raises(WeightsError, match="conv1_1 have shape"):
        VGG19(replace(untrained, convolutions=wrong), ["relu1_1"])


# -- pooling, padding, precision ---------------------------------------------------------------------------


def test_what_each_pooling_makes_of_four_values() -> None:
    four = torch.tensor([[1.0, 2.0], [3.0, 5.0]])[None, None]
    assert float(pool(four, "max")) == 5
    assert float(pool(four, "average")) == 2.75
    assert float(pool(four, "l2")) == pytest.approx(39**0.5)
    with pytest.raises(ValueError, match="unknown pooling"):
        pool(four, "median")


@pytest.mark.parametrize("kind", ["max", "average", "l2"])
def test_pooling_keeps_an_odd_edge_and_a_one_pixel_map(kind: str) -> None:
    assert pool(torch.ones(1, 2, 5, 7), kind).shape == (1, 2, 3, 4)
    assert pool(torch.ones(1, 2, 1, 1), kind).shape == (1, 2, 1, 1)
    if kind != "l2":  # whose unit is the root of four squares
        assert bool((pool(torch.full((1, 2, 5, 7), 0.7), kind) == 0.7).all())


@pytest.mark.parametrize(
    ("native", "pooling", "rescale", "gain"),
    [
        ("max", "average", True, 2.0),
        ("max", "average", False, 1.0),
        ("max", "l2", True, 0.78),
        ("max", "max", True, 1.0),
        ("average", "average", True, 1.0),
        ("average", "max", True, 0.5),
    ],
)
def test_pooling_foreign_to_the_weights_is_rescaled(
    untrained: Backbone, picture: Picture, native: str, pooling: str, rescale: bool, gain: float
) -> None:
    backbone = replace(untrained, native_pooling=native)
    network = VGG19(backbone, ["relu1_2", "pool1"], pooling=pooling, rescale_pooling=rescale)
    found = network(picture(4))
    torch.testing.assert_close(found["pool1"], pool(found["relu1_2"], pooling) * gain)
    assert POOLING_RESCALE["max"] == 1


def test_replicate_padding_makes_no_edge_on_a_constant_image(untrained: Backbone) -> None:
    image = torch.tensor([0.9, 0.3, 0.1]).view(1, 3, 1, 1).expand(1, 3, 8, 10)
    edges = {
        padding: VGG19(untrained, ["conv1_1"], padding=padding)(image)["conv1_1"].std((2, 3)).max()
        for padding in ("replicate", "reflect", "zeros")
    }
    assert float(edges["replicate"]) < 1e-5 and float(edges["reflect"]) < 1e-5
    assert float(edges["zeros"]) > 1e-2


@pytest.mark.parametrize("padding", ["replicate", "reflect"])
def test_there_is_no_edge_at_any_depth(untrained: Backbone, padding: str) -> None:
    image = torch.tensor([0.9, 0.3, 0.1]).view(1, 3, 1, 1).expand(1, 3, 32, 40)

    def edge(padding: str) -> float:
        network = VGG19(untrained, ["relu3_1"], padding=padding)
        return float(network(image)["relu3_1"].std((2, 3)).max())

    assert edge(padding) < 1e-4 < edge("zeros")


def test_imagenet_weights_see_rgb_minus_mean_over_deviation(untrained: Backbone) -> None:
    """A first filter that copies channel c at the centre shows the normalised input."""
    backbone = replace(
        _identity_normalised(untrained), shift=IMAGENET_SHIFT, factor=IMAGENET_FACTOR, kind="imagenet"
    )
    seen = _seen_by_the_first_convolution(backbone, torch.tensor([1.0, 0.5, 0.0]))
    wanted = torch.tensor([(1 - 0.485) / 0.229, (0.5 - 0.456) / 0.224, (0 - 0.406) / 0.225])
    torch.testing.assert_close(seen, wanted)


def test_caffe_weights_see_bgr_0_to_255_minus_the_mean(untrained: Backbone) -> None:
    backbone = replace(untrained, shift=CAFFE_SHIFT, factor=CAFFE_FACTOR, reverse_channels=True, kind="caffe")
    seen = _seen_by_the_first_convolution(backbone, torch.tensor([1.0, 0.5, 0.0]))
    wanted = torch.tensor([0 - 103.939, 127.5 - 116.779, 255 - 123.68])
    torch.testing.assert_close(seen, wanted, rtol=1e-5, atol=1e-4)


def _seen_by_the_first_convolution(backbone: Backbone, colour: Tensor) -> Tensor:
    weight = torch.zeros(64, 3, 3, 3)
    for channel in range(3):
        weight[channel, channel, 1, 1] = 1
    copying = replace(backbone, convolutions={"conv1_1": (weight, torch.zeros(64))})
    image = colour.view(1, 3, 1, 1).expand(1, 3, 4, 4)
    return VGG19(copying, ["conv1_1"])(image)["conv1_1"][0, :3, 2, 2]


def test_half_precision_is_near_and_keeps_the_first_convolution_in_float32(
    untrained: Backbone, picture: Picture
) -> None:
    half = VGG19(untrained, ["relu1_1", "relu2_2"], dtype=torch.bfloat16)
    dtypes = [half.filters[name].weight.dtype for name in ("conv1_1", "conv1_2")]
    assert dtypes == [torch.float32, torch.bfloat16]
    full = VGG19(untrained, ["relu1_1", "relu2_2"])
    image = picture(5)
    found, wanted = half(image), full(image)
    assert found["relu2_2"].dtype == torch.bfloat16
    torch.testing.assert_close(found["relu1_1"].float(), wanted["relu1_1"], rtol=2**-8, atol=1e-4)
    error = (found["relu2_2"].float() - wanted["relu2_2"]).norm() / wanted["relu2_2"].norm()
    assert 0 < float(error) < 0.02


def test_the_image_gets_a_gradient_and_the_weights_none(untrained: Backbone, picture: Picture) -> None:
    network = VGG19(untrained, ["relu2_1"])
    image = picture(6).requires_grad_(True)
    network(image)["relu2_1"].square().sum().backward()
    assert image.grad is not None and float(image.grad.abs().min()) >= 0 and float(image.grad.norm()) > 0
    assert list(network.parameters()) == [] and all(not b.requires_grad for b in network.buffers())
