"""The `learned` backbone: VGG19's shape with filters learned without labels, in seconds, with no download.

Layer by layer (after Coates and Ng, "Learning feature representations with k-means", 2012): random patches
of the layer's input are whitened and clustered by spherical k-means; the centroids become the filters, minus
a quantile of the response becomes the bias, and each channel is scaled to a mean activation of one. The
corpus is a fixed, seeded set of "dead leaves" pictures (Lee, Mumford and Huang 2001: overlapping shapes of
all sizes, the simplest model with the statistics of photographs), textured by strokes and gradients.

Deterministic from `RECIPE` and the seed, so one backbone serves every preset and is cached by their hash.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from framestyle.nst.statistics.spectrum import eigen
from framestyle.nst.weights.backbone import OWN_FACTOR, OWN_SHIFT
from framestyle.nst.weights.learned_recipe import BLOCKS
from framestyle.nst.weights.learned_recipe import RECIPE as RECIPE
from framestyle.nst.weights.learned_recipe import Recipe as Recipe
from framestyle.nst.weights.learned_recipe import recipe_key as recipe_key

Convolutions = dict[str, tuple[Tensor, Tensor]]
FloatImage = npt.NDArray[np.float32]
Progress = Callable[[float, str], None]

SAMPLED_POSITIONS = 20_000
"""Of a layer's responses, for its thresholds: a part of the recipe, which nobody has had reason to change."""


def _leaf_texture(rng: np.random.Generator, x: FloatImage, y: FloatImage, radius: float) -> FloatImage:
    """HW texture in about [-1, 1]: a gradient, stripes, or two crossed waves at the leaf's own angle."""
    angle = rng.uniform(0, np.pi)
    along = (np.cos(angle) * x + np.sin(angle) * y) / radius
    across = (-np.sin(angle) * x + np.cos(angle) * y) / radius
    kind = rng.integers(0, 4)
    if kind == 0:
        return np.asarray(np.clip(along, -1, 1), dtype=np.float32)
    waves = radius / rng.uniform(2.0, 12.0)
    bend = rng.uniform(0, 1.5) * np.sin(2 * along)
    stripes = np.sin(np.pi * waves * across + bend * 3 + rng.uniform(0, 6))
    if kind == 1:
        return np.asarray(np.tanh(3 * stripes), dtype=np.float32)
    if kind == 2:
        return np.asarray(stripes * np.sin(np.pi * waves * along + rng.uniform(0, 6)), dtype=np.float32)
    return np.asarray(rng.standard_normal(x.shape), dtype=np.float32) * 0.6


def dead_leaves(rng: np.random.Generator, size_px: int, leaves: int) -> FloatImage:
    """CHW in [0, 1]: overlapping textured ellipses with radii distributed as r⁻³, back to front."""
    image = np.full((3, size_px, size_px), 0.5, dtype=np.float32)
    image += rng.normal(0, 0.2, (3, 1, 1)).astype(np.float32)
    low, high = 2.5, size_px / 2.5
    uniform = rng.uniform(0, 1, leaves)
    radii = np.sort((low**-2 + uniform * (high**-2 - low**-2)) ** -0.5)[::-1]
    for radius in rng.permutation(radii):
        _paint_leaf(rng, image, float(radius))
    return np.clip(image, 0, 1)


def _paint_leaf(rng: np.random.Generator, image: FloatImage, radius: float) -> None:
    size_px = image.shape[1]
    cx, cy = rng.uniform(0, size_px, 2)
    x0, x1 = max(0, int(cx - radius)), min(size_px, int(cx + radius) + 2)
    y0, y1 = max(0, int(cy - radius)), min(size_px, int(cy + radius) + 2)
    grid_y, grid_x = np.mgrid[y0:y1, x0:x1].astype(np.float32)
    x, y = grid_x - np.float32(cx), grid_y - np.float32(cy)
    angle, ratio = rng.uniform(0, np.pi), rng.uniform(0.3, 1.0)
    u, v = np.cos(angle) * x + np.sin(angle) * y, (-np.sin(angle) * x + np.cos(angle) * y) / ratio
    cover = np.clip(radius - np.hypot(u, v) + 0.5, 0, 1).astype(np.float32)
    base = np.clip(rng.normal(0.5, 0.22) + rng.normal(0, 0.16, (3, 1, 1)), 0, 1)
    tint = rng.normal(0, 0.10) + rng.normal(0, 0.05, (3, 1, 1))
    colour = (base + tint * _leaf_texture(rng, x, y, radius)).astype(np.float32)
    view = image[:, y0:y1, x0:x1]
    view += cover * (colour - view)


def corpus(seed: int, recipe: Recipe = RECIPE) -> Tensor:
    """BCHW float32 in [0, 1]."""
    rng = np.random.default_rng([seed, 1])
    pictures = [dead_leaves(rng, recipe.picture_px, recipe.leaves) for _ in range(recipe.pictures)]
    return torch.from_numpy(np.stack(pictures))


def learn(
    seed: int, recipe: Recipe = RECIPE, on_progress: Progress | None = None, images: Tensor | None = None
) -> Convolutions:
    """Filters and biases by layer name, conv1_1 to conv5_2; float32 on the CPU."""
    x = (corpus(seed, recipe) if images is None else images) - OWN_SHIFT[0]
    x = (x * OWN_FACTOR[0]).contiguous(memory_format=torch.channels_last)
    generator = torch.Generator().manual_seed(seed)
    total, done = sum(count for count, _ in BLOCKS.values()), 0
    learned: Convolutions = {}
    for block, (count, channels) in BLOCKS.items():
        for number in range(1, count + 1):
            name = f"{block}_{number}"
            weight, bias, x = _learn_layer(x, channels, generator, recipe)
            learned[name] = (weight, bias)
            done += 1
            if on_progress is not None:
                on_progress(done / total, name)
        x = F.avg_pool2d(x, 2, ceil_mode=True, count_include_pad=False)
    return learned


def _random_patches(x: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """BCHW -> `count` patches, each C·9 in the order of a convolution's weight."""
    batch, channels, height, width = x.shape
    where = torch.stack(
        [torch.randint(0, top, (count,), generator=generator) for top in (batch, height - 2, width - 2)]
    )
    patches = torch.empty(count, channels, 3, 3)
    for dy in range(3):
        for dx in range(3):
            patches[:, :, dy, dx] = x[where[0], :, where[1] + dy, where[2] + dx]
    return patches


def _whitener(patches: Tensor, floor: float) -> Tensor:
    """The ZCA matrix (N x N) of centred rows."""
    covariance = patches.T @ patches / len(patches)
    values, vectors = eigen(covariance)
    roots = (values + floor * values.mean()).rsqrt()
    zca: Tensor = (vectors * roots) @ vectors.T
    return zca


def _spherical_kmeans(rows: Tensor, count: int, rounds: int, generator: torch.Generator) -> Tensor:
    """`count` unit centroids; an empty cluster restarts from a random row."""
    rows = F.normalize(rows, dim=1)
    pick = (
        torch.randint(0, len(rows), (count,), generator=generator)
        if len(rows) < count
        else torch.randperm(len(rows), generator=generator)[:count]
    )
    centroids = rows[pick].clone()
    for _ in range(rounds):
        score, nearest = (rows @ centroids.T).max(1)
        sums = torch.zeros_like(centroids).index_add_(0, nearest, rows * score[:, None])
        empty = sums.norm(dim=1) < 1e-6
        fresh = torch.randint(0, len(rows), (count,), generator=generator)
        sums[empty] = rows[fresh[empty]]
        centroids = F.normalize(sums, dim=1)
    return centroids


def _learn_layer(
    x: Tensor, channels: int, generator: torch.Generator, recipe: Recipe
) -> tuple[Tensor, Tensor, Tensor]:
    """Filters, bias, and the rectified output, scaled so that each channel's mean activation is one."""
    patches = _random_patches(x, recipe.patches, generator)
    inputs = patches.shape[1]
    dimensions = inputs * 9
    if dimensions <= recipe.full_whitening_up_to:
        flat = patches.flatten(1)
        flat = flat - flat.mean(0)
        zca = _whitener(flat, recipe.whitening_floor)
        filters = _spherical_kmeans(flat @ zca, channels, recipe.rounds, generator) @ zca
        weight = filters.view(channels, inputs, 3, 3)
    else:
        weight = _learn_large(patches, channels, generator, recipe)
    weight = weight / weight.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
    # Not zeros: at zeros' edge the content is told worse, and the darkest paint of a style gathers there as a frame.
    padded = F.pad(x, (1, 1, 1, 1), mode="replicate")
    response = F.conv2d(padded, weight.contiguous(memory_format=torch.channels_last))
    sample = response.permute(0, 2, 3, 1).reshape(-1, channels)
    sample = sample[torch.randint(0, len(sample), (SAMPLED_POSITIONS,), generator=generator)]
    low, high = recipe.first_bias_quantiles if inputs == 3 else (recipe.bias_quantile, recipe.bias_quantile)
    bias = -_quantiles(sample, torch.linspace(low, high, channels))
    mean = (sample + bias).clamp_min(0).mean(0)
    divisor = mean.clamp_min(float(mean.median()) * recipe.divisor_floor)
    weight, bias = weight / divisor.view(-1, 1, 1, 1), bias / divisor
    return weight, bias, response.div_(divisor.view(1, -1, 1, 1)).add_(bias.view(1, -1, 1, 1)).relu_()


def _quantiles(rows: Tensor, fractions: Tensor) -> Tensor:
    """Of each column its own quantile."""
    places = (fractions * (len(rows) - 1)).round().long()
    found: Tensor = rows.sort(0).values[places, torch.arange(rows.shape[1])]
    return found


def _learn_large(patches: Tensor, channels: int, generator: torch.Generator, recipe: Recipe) -> Tensor:
    """Whitening over channels alone; half of the filters from patches without their mean (DC), half with it."""
    centred = patches - patches.mean((0, 2, 3), keepdim=True)
    zca = _whitener(centred.permute(0, 2, 3, 1).reshape(-1, patches.shape[1]), recipe.whitening_floor)
    white = torch.einsum("nchw,cd->ndhw", centred, zca)
    halves = []
    for rows in (white, white - white.mean((2, 3), keepdim=True)):
        centroids = _spherical_kmeans(rows.flatten(1), channels // 2, recipe.rounds_large, generator)
        halves.append(centroids.view(-1, *white.shape[1:]))
    return torch.einsum("ndhw,dc->nchw", torch.cat(halves), zca)
