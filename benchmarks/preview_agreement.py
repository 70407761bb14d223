"""Whether a preview shows what the render will: python -m benchmarks.preview_agreement [--presets A B …] [--full 512]

Each photo, in each preset, as a preview and as a render of about twice the side. The renders are shrunk to the
previews' size, and the statistics of VGG19's features are compared there, layer by layer: a preview and the render of
its preset should be nearer to each other than either is to any picture in another. Pictures are kept in the output
folder and not made again. Writes JSON, a table, and a sheet to look at.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from framestyle.doors.demo import samples_dir
from framestyle.doors.sheet import picture_row, sheet
from framestyle.frames import Pixels
from framestyle.jobs.preview.reduced import Reduced, reduced
from framestyle.media.photos import read_photo, write_photo
from framestyle.nst.image import Size, fit_within, resize, size_of, to_pixels, to_tensor
from framestyle.nst.network.vgg import VGG19
from framestyle.nst.statistics.spectrum import factor_of
from framestyle.nst.statistics.sums import moments
from framestyle.nst.statistics.wasserstein import wasserstein_distance
from framestyle.nst.weights.backbone import Backbone
from framestyle.opening import load_weights
from framestyle.presets import Preset, list_presets, load_preset
from framestyle.session import Session

LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
KINDS = ("preview", "render")
Name = tuple[str, str]
"""A picture of one photo: preset, and one of KINDS."""
Statistics = Mapping[str, tuple[Tensor, Tensor, Tensor]]
"""Per layer: mean 1C, covariance 1CC, and its square root."""


@dataclass(frozen=True)
class Pair:
    """Two pictures of one photo, and how far apart they are in each layer."""

    one: Name
    other: Name
    by_layer: Mapping[str, float]

    @property
    def mean(self) -> float:
        return sum(self.by_layer.values()) / len(self.by_layer)


@dataclass(frozen=True)
class Row:
    """How far a preset's preview and render are apart, and how far the nearer of them is from another preset's."""

    photo: str
    preset: str
    own: float
    other: float
    nearest: str
    by_layer: Mapping[str, float]

    @property
    def part(self) -> float:
        """Below 1: the preview is more like its render than either is like anything else."""
        return self.own / self.other if self.other else float("inf")


def statistics(network: VGG19, image: Tensor) -> Statistics:
    """What the style losses see of a picture."""
    found = {}
    with torch.no_grad():
        for layer, features in network(image).items():
            mean, covariance = moments(features)
            found[layer] = (mean, covariance, factor_of(covariance))
    return found


def distances(one: Statistics, other: Statistics) -> dict[str, float]:
    """Per layer, the squared Wasserstein-2 distance of the two as Gaussians, over the mean of their energies:
    symmetric, 0 for the same statistics (rounding can take a little more away), about 1 for such as have nothing in
    common."""
    found = {}
    for layer, (mean, covariance, factor) in one.items():
        other_mean, other_covariance, _ = other[layer]
        with torch.no_grad():
            distance = wasserstein_distance(other_mean, other_covariance, mean, covariance, factor)
        energy = [m.square().sum() + torch.diagonal(c[0]).sum() for m, c, _ in (one[layer], other[layer])]
        found[layer] = max(0.0, float(distance.sum() / (sum(energy) / 2)))
    return found


def pairs(pictures: Mapping[Name, Statistics]) -> list[Pair]:
    """Every two pictures, of one preset and across."""
    return [
        Pair(one, other, distances(first, second))
        for (one, first), (other, second) in combinations(pictures.items(), 2)
    ]


def rows(photo: str, found: Sequence[Pair]) -> list[Row]:
    """One for each preset, the least sure first."""
    made = []
    for pair in found:
        preset = pair.one[0]
        if preset != pair.other[0]:
            continue
        others = [one for one in found if (one.one[0] == preset) != (one.other[0] == preset)]
        nearest = min(others, key=lambda one: one.mean)
        name = nearest.other if nearest.one[0] == preset else nearest.one
        made.append(Row(photo, preset, pair.mean, nearest.mean, " ".join(name), pair.by_layer))
    return sorted(made, key=lambda row: row.part, reverse=True)


def table(found: Sequence[Row]) -> str:
    """Markdown."""
    head = ["photo", "preset", "its render", "nearest other", "which", "part", *LAYERS]
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for row in found:
        figures = [f"{row.own:.3f}", f"{row.other:.3f}", row.nearest, f"{row.part:.2f}"]
        layers = [f"{row.by_layer[layer]:.3f}" for layer in LAYERS]
        lines.append("| " + " | ".join([row.photo, row.preset, *figures, *layers]) + " |")
    return "\n".join(lines)


def _painted(
    path: Path, preset: Preset, photo: Path, size: Size, weights: tuple[str, Backbone], device: str
) -> Pixels:
    """Made, or found from before."""
    if not path.exists():
        started = time.process_time()
        kind, backbone = weights
        shop = Session.open(preset, weights=kind, device=device, backbone=backbone)
        content = read_photo(photo, lambda width, height: size).pixels
        result = shop.stylizer.stylize(to_tensor(content, shop.stylizer.device))
        write_photo(path, to_pixels(result.image), None, {})
        print(f"{path.name}: {time.process_time() - started:.0f} s", file=sys.stderr, flush=True)
    return read_photo(path).pixels


def _pictures(
    photo: Path, args: argparse.Namespace, weights: tuple[str, Backbone]
) -> Iterator[tuple[Name, Pixels]]:
    """A preview and a render in each preset."""
    own = Size(*reversed(read_photo(photo).pixels.shape[:2]))
    for name in args.presets:
        preset = load_preset(name, [f"scales.max_side_px={args.full}", *args.set])
        look: Reduced = reduced(preset, own, args.side)
        for kind, used, size in zip(KINDS, (look.preset, preset), (look.size, look.full), strict=True):
            path = args.output / f"{photo.stem}-{name}-{kind}-{size.longest_px}.png"
            yield (name, kind), _painted(path, used, photo, size, weights, args.device)


def _shrunk(pictures: Mapping[Name, Pixels]) -> dict[Name, Tensor]:
    """All at the size of the smallest."""
    tensors = {name: to_tensor(picture) for name, picture in pictures.items()}
    common = min((size_of(one) for one in tensors.values()), key=lambda size: size.area_px)
    return {name: resize(one, common) for name, one in tensors.items()}


def _sheet(photo: Path, shrunk: Mapping[Name, Tensor], presets: Sequence[str], path: Path) -> None:
    """Previews above, renders at the previews' size below."""
    original = next(iter(shrunk.values()))
    size = size_of(original)
    content = read_photo(photo, lambda width, height: fit_within(Size(width, height), size.longest_px)).pixels
    line = []
    for preset in presets:
        both = [np.asarray(to_pixels(shrunk[preset, kind]), np.uint8) for kind in KINDS]
        line.append(picture_row(preset, KINDS, both, size.width))
    first = picture_row(photo.name, ["original"], [np.asarray(content, np.uint8)], size.width)
    write_photo(path, sheet([first, *line]), None, {})


def looks() -> list[str]:
    """The built-in presets, but for drafts, which are other presets with fewer steps, and the one of 2015, which is
    meant for imagenet weights."""
    rows = [row for row in list_presets() if row.builtin]
    return [row.name for row in rows if not {"draft", "reference"} & set(row.tags)]


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    samples = samples_dir() / "photos"
    parser = argparse.ArgumentParser(description="Compare previews with full renders.")
    parser.add_argument("--photos", nargs="+", type=Path, default=[samples / "canyon.jpg"])
    parser.add_argument("--presets", nargs="+", default=looks(), metavar="NAME")
    parser.add_argument("--full", type=int, default=256, metavar="PX", help="longer side of the renders")
    parser.add_argument("--side", type=int, default=128, metavar="PX", help="longer side of the previews")
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help="for every preset")
    parser.add_argument("--weights", default="learned")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=0, help="0 = as torch chooses")
    parser.add_argument("-o", "--output", type=Path, default=Path("build/preview-agreement"))
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    args = _arguments(argv)
    args.output.mkdir(parents=True, exist_ok=True)
    if args.threads:
        torch.set_num_threads(args.threads)
    weights = load_weights(args.weights)
    network = VGG19(weights[1], LAYERS)
    found: list[Row] = []
    every: dict[str, list[Pair]] = {}
    for photo in args.photos:
        shrunk = _shrunk(dict(_pictures(photo, args, weights)))
        _sheet(photo, shrunk, args.presets, args.output / f"{photo.stem}-sheet.png")
        every[photo.stem] = pairs({name: statistics(network, image) for name, image in shrunk.items()})
        found += rows(photo.stem, every[photo.stem])
    report = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.processor() or platform.machine()}, {torch.get_num_threads()} threads",
        "torch": torch.__version__,
        "settings": {key: str(value) for key, value in vars(args).items() if key not in ("photos", "output")},
        "rows": [asdict(row) for row in found],
        "pairs": {photo: [asdict(pair) for pair in some] for photo, some in every.items()},
    }
    (args.output / "preview-agreement.json").write_text(json.dumps(report, indent=1), encoding="utf-8")
    (args.output / "preview-agreement.md").write_text(table(found) + "\n", encoding="utf-8")
    print(table(found))


if __name__ == "__main__":
    main()
