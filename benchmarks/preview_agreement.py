"""Whether a preview shows what the render will: python -m benchmarks.preview_agreement [--presets A B …] [--full 512]

One photo, in each preset as a preview and as a render of twice the side. The renders are shrunk to the previews' size,
and the statistics of VGG19's features are compared there, layer by layer: a preview should be nearer to the render of
its own preset than anything is to a picture in another. Pictures are kept in the output folder and not made again.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path

import torch
from torch import Tensor

from framestyle.doors.demo import samples_dir
from framestyle.events import ignore
from framestyle.frames import Pixels
from framestyle.jobs.preview.reduced import reduced
from framestyle.jobs.workshop import Weights, load_weights, open_workshop
from framestyle.media.photos import read_photo, write_photo
from framestyle.nst import losses
from framestyle.nst.image import Size, fit_within, resize, size_of, to_pixels, to_tensor
from framestyle.nst.vgg import VGG19
from framestyle.presets import Preset, load_preset

LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
Statistics = Mapping[str, tuple[Tensor, Tensor, Tensor]]
"""Per layer: mean 1C, covariance 1CC, and its square root."""


def statistics(network: VGG19, image: Tensor) -> Statistics:
    """What the style losses see of a picture."""
    found = {}
    with torch.no_grad():
        for layer, features in network(image).items():
            mean, covariance = losses.moments(features)
            found[layer] = (mean, covariance, losses.matrix_root(covariance))
    return found


def distances(one: Statistics, other: Statistics) -> dict[str, float]:
    """Per layer, the Wasserstein-2 distance of the two as Gaussians, over the mean of their energies: symmetric, 0 for
    the same statistics, about 1 for such as have nothing in common."""
    found = {}
    for layer, (mean, covariance, root) in one.items():
        other_mean, other_covariance, _ = other[layer]
        distance = losses.wasserstein_distance(other_mean, other_covariance, mean, covariance, root)
        energy = [m.square().sum() + torch.diagonal(c[0]).sum() for m, c, _ in (one[layer], other[layer])]
        found[layer] = float(distance.sum() / (sum(energy) / 2))
    return found


def mean_of(by_layer: Mapping[str, float]) -> float:
    return sum(by_layer.values()) / len(by_layer)


def pairs(pictures: Mapping[tuple[str, str], Statistics]) -> Iterator[tuple[str, str, dict[str, float]]]:
    """Every two pictures, (preset, kind) each, with their distances: same preset and across."""
    for (one, first), (other, second) in combinations(pictures.items(), 2):
        yield " ".join(one), " ".join(other), distances(first, second)


def painted(path: Path, preset: Preset, content: Pixels, weights: Weights, device: str) -> Pixels:
    """Made, or found from before."""
    if not path.exists():
        started = time.perf_counter()
        shop = open_workshop(preset, weights=weights, device=device, seed=0, on_event=ignore, clips=False)
        result = shop.stylizer.stylize(to_tensor(content, shop.stylizer.device))
        write_photo(path, to_pixels(result.image), None, {})
        print(f"{path.name}: {time.perf_counter() - started:.0f} s", file=sys.stderr, flush=True)
    return read_photo(path).pixels


def shrunk_photo(path: Path, longest_px: int) -> Pixels:
    return read_photo(path, lambda width, height: fit_within(Size(width, height), longest_px)).pixels


def pictures_of(
    photo: Path, names: Sequence[str], full_px: int, side_px: int, weights: Weights, device: str, out: Path
) -> dict[tuple[str, str], Pixels]:
    """A preview and a render of each preset."""
    found = {}
    for name in names:
        preset = load_preset(name, [f"scales.max_side_px={full_px}"])
        source = shrunk_photo(photo, 0)
        look = reduced(preset, Size(source.shape[1], source.shape[0]), side_px)
        for kind, used, size in (("preview", look.preset, look.size), ("render", preset, look.full)):
            path = out / f"{photo.stem}-{name}-{size.longest_px}.png"
            content = shrunk_photo(photo, size.longest_px)
            found[name, kind] = painted(path, used, content, weights, device)
    return found


def report(rows: Sequence[tuple[str, str, dict[str, float]]]) -> str:
    """A table in Markdown, the nearest pairs first."""
    lines = [f"| one | other | mean | {' | '.join(LAYERS)} |", "|---|---|" + "---|" * (len(LAYERS) + 1)]
    for one, other, by_layer in sorted(rows, key=lambda row: mean_of(row[2])):
        values = [mean_of(by_layer), *(by_layer[layer] for layer in LAYERS)]
        lines.append(f"| {one} | {other} | {' | '.join(f'{value:.4f}' for value in values)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--photo", type=Path, default=samples_dir() / "photos" / "canyon.jpg")
    parser.add_argument("--presets", nargs="+", default=["nightswirl", "mosaic", "inkwash"])
    parser.add_argument("--full", type=int, default=512, metavar="PX")
    parser.add_argument("--side", type=int, default=256, metavar="PX")
    parser.add_argument("--weights", default="learned")
    parser.add_argument("--device", default="auto")
    parser.add_argument("-o", "--output", type=Path, default=Path("preview-agreement"))
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    weights = load_weights(args.weights, on_event=ignore)
    made = pictures_of(args.photo, args.presets, args.full, args.side, weights, args.device, args.output)
    network = VGG19(weights.backbone, LAYERS)
    common = min((size_of(to_tensor(picture)) for picture in made.values()), key=lambda size: size.area_px)
    found = {name: statistics(network, resize(to_tensor(picture), common)) for name, picture in made.items()}
    rows = list(pairs(found))
    print(report(rows))
    (args.output / "distances.json").write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
