"""How long one step takes, and how near that is to what the machine can do: python -m benchmarks.speed

Side by side in one process, in turn: the plain loop, as it is commonly written (float32, max pooling, Gram matrices by
autograd, torch's Adam, a look at the loss in each step), and FrameStyle's step, in float32 and in bfloat16. Both take
VGG19 up to relu5_1 with five style layers and one content layer. Times are medians, of the processor on a CPU. Beside
each stand its operations a second as a share of the best that a 3x3 convolution alone reached here, and how far loss
and gradient are from float64. Writes JSON and a table, and with --plot a picture.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.plots import speed_by_size
from benchmarks.reports import write_report
from framestyle.doors.demo import samples_dir
from framestyle.media.photos import read_photo
from framestyle.nst.image import Size, resize, size_of, to_tensor
from framestyle.nst.network.tiles import WHOLE
from framestyle.nst.network.vgg import vgg19_layers
from framestyle.nst.objective import Objective, loss_and_gradient
from framestyle.nst.optimise.state import PixelState
from framestyle.nst.stylizer import Stylizer
from framestyle.nst.weights.backbone import CHANNELS, Backbone, Channels
from framestyle.nst.weights.catalog import load_backbone
from framestyle.presets import load_preset

PHOTO, STYLE = "canyon", "stilllife"
STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
CONTENT_LAYER = "relu4_2"
PRESET_KEYS = ("scales.max_side_px=0",)
PLAIN = "plain loop, float32"
RUN_STEPS = 200
WORTH_PART = 0.1
"""A tenth of float32's speed: below it, bfloat16 is not measured further."""


@dataclass(frozen=True)
class Row:
    """One way at one size. `part`: of the plain loop's time. Errors are relative, against float64."""

    side_px: int
    way: str
    seconds: float
    part: float
    gflops: float
    share_of_peak: float
    loss_error: float
    gradient_error: float
    gradient_cosine: float


# -- the plain loop ----------------------------------------------------------------------------------------


class PlainLoop:
    """A step as it is commonly written."""

    def __init__(self, backbone: Backbone, content: Tensor, style: Tensor) -> None:
        self._backbone = backbone
        with torch.no_grad():
            features = self._features(content)
            self._content = features[CONTENT_LAYER]
            wanted = self._features(style)
            self._grams = {name: _gram(wanted[name]) for name in STYLE_LAYERS}
        self.image = content.clone().requires_grad_(True)
        self._adam = torch.optim.Adam([self.image], lr=0.02)

    def _features(self, image: Tensor) -> dict[str, Tensor]:
        shift = torch.tensor(self._backbone.shift).view(1, 3, 1, 1)
        factor = torch.tensor(self._backbone.factor).view(1, 3, 1, 1)
        x, found = (image - shift) * factor, {}
        for layer in vgg19_layers():
            if layer.kind == "conv":
                weight, bias = self._backbone.convolutions[layer.name]
                x = F.conv2d(x, weight, bias, padding=1)
            else:
                x = F.relu(x) if layer.kind == "relu" else F.max_pool2d(x, 2)
            found[layer.name] = x
            if layer.name == STYLE_LAYERS[-1]:
                break
        return found

    def loss(self) -> Tensor:
        features = self._features(self.image)
        style = sum(F.mse_loss(_gram(features[name]), gram) for name, gram in self._grams.items())
        return F.mse_loss(features[CONTENT_LAYER], self._content) + 1000 * style

    def step(self) -> None:
        self._adam.zero_grad()
        loss = self.loss()
        loss.backward()
        self._adam.step()
        with torch.no_grad():
            self.image.clamp_(0, 1)
        loss.item()


def _gram(features: Tensor) -> Tensor:
    flat = features.flatten(2)
    return flat @ flat.transpose(1, 2) / flat.shape[2]


# -- ours --------------------------------------------------------------------------------------------------


class OurStep:
    """The optimiser's step, as the stylizer takes it."""

    def __init__(self, backbone: Backbone, content: Tensor, style: Tensor, precision: str) -> None:
        preset = load_preset("nightswirl", [*PRESET_KEYS, f"optimizer.precision={precision}"])
        self.stylizer = Stylizer(preset, backbone, [style])
        self.content = content
        self.objective: Objective = self.stylizer.objective(content, ())
        self.state = PixelState.start(content)
        self._losses: list[Tensor] = []

    def step(self) -> None:
        gradient, values = self.stylizer.gradient(self.state.image, self.objective)
        self.state.adam_step(gradient, 0.02, 0.99, (0.9, 0.99))
        self._losses = [*self._losses[-9:], values]

    def agreement(self, image: Tensor, reference: tuple[float, Tensor]) -> tuple[float, float, float]:
        """Relative error of loss and gradient at `image`, and the gradients' cosine."""
        gradient, values = self.stylizer.gradient(image, self.objective)
        loss, wanted = reference
        found = gradient.double().flatten()
        wanted = wanted.flatten()
        cosine = float(found @ wanted / (found.norm() * wanted.norm()))
        error = float((found - wanted).norm() / wanted.norm())
        return abs(float(values.double().sum()) - loss) / abs(loss), error, cosine


def reference(backbone: Backbone, content: Tensor, style: Tensor, image: Tensor) -> tuple[float, Tensor]:
    """The same loss and gradient in float64."""
    preset = load_preset("nightswirl", [*PRESET_KEYS, "optimizer.precision=float32"])
    stylizer = Stylizer(preset, backbone, [style.double()], dtype=torch.float64)
    objective = stylizer.objective(content.double(), ())
    gradient, values = loss_and_gradient(stylizer.network, image.double(), objective, WHOLE)
    return float(values.sum()), gradient


# -- measuring ---------------------------------------------------------------------------------------------


def operations(size: Size, channels: Channels = CHANNELS) -> float:
    """Of one step, forward and backward to the pixels: two a multiplication, convolutions alone."""
    total, height, width = 0.0, size.height, size.width
    for layer in vgg19_layers(channels):
        if layer.kind == "conv":
            total += 2 * 2 * 9 * layer.in_channels * layer.out_channels * height * width
        elif layer.kind == "pool":
            height, width = -(-height // 2), -(-width // 2)
        if layer.name == STYLE_LAYERS[-1]:
            break
    return total


def timed(work: Callable[[], object]) -> float:
    """Seconds of the processor."""
    started = time.process_time()
    work()
    return time.process_time() - started


def peaks(rounds: int = 12) -> dict[str, float]:
    """The best that single operations reached, in GFLOP/s: matrix products and 3x3 convolutions by precision."""
    best: dict[str, float] = {}
    side, channels = 64, 256
    dtypes = [torch.float32, torch.bfloat16]
    for _ in range(rounds):
        for dtype in dtypes:
            name = str(dtype).removeprefix("torch.")
            matrix = torch.randn(1024, 1024).to(dtype)
            image = (
                torch.randn(1, channels, side, side).to(dtype).contiguous(memory_format=torch.channels_last)
            )
            weight = (
                torch.randn(channels, channels, 3, 3).to(dtype).contiguous(memory_format=torch.channels_last)
            )
            with torch.no_grad():
                cases = {
                    f"matrix product {name}": (2 * 1024.0**3, lambda m=matrix: m @ m),
                    f"convolution {name}": (
                        2 * 9.0 * channels**2 * side**2,
                        lambda x=image, w=weight: F.conv2d(x, w, padding=1),
                    ),
                }
                for case, (amount, work) in cases.items():
                    best[case] = max(best.get(case, 0.0), amount / 1e9 / timed(work))
        # Without instructions for it, one product takes longer than all else together.
        dtypes = [torch.float32, *([torch.bfloat16] if worth_it(best) else [])]
    return best


def worth_it(best: Mapping[str, float]) -> bool:
    """Whether bfloat16 is more than emulated here."""
    return best["convolution bfloat16"] > WORTH_PART * best["convolution float32"]


def precisions(best: Mapping[str, float]) -> tuple[str, ...]:
    """Those that are measured here."""
    return ("float32", "bfloat16") if worth_it(best) else ("float32",)


def measure(
    side_px: int, rounds: int, backbone: Backbone, pictures: tuple[Tensor, Tensor], best: dict[str, float]
) -> list[Row]:
    """All ways at one size, in turn."""
    content, style = (resize(one, Size(side_px, side_px)) for one in pictures)
    ours = {precision: OurStep(backbone, content, style, precision) for precision in precisions(best)}
    steps: dict[str, Callable[[], None]] = {PLAIN: PlainLoop(backbone, content, style).step}
    steps |= {precision: one.step for precision, one in ours.items()}
    times: dict[str, list[float]] = {name: [] for name in steps}
    for round_number in range(rounds + 1):
        for name, step in steps.items():
            seconds = timed(step)
            if round_number:  # the first is a warm-up
                times[name].append(seconds)
    halfway = content.lerp(torch.rand(content.shape, generator=torch.Generator().manual_seed(1)), 0.1)
    truth = reference(backbone, content, style, halfway)
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    amount = operations(size_of(content), backbone.channels) / 1e9
    rows = []
    for name, seconds in medians.items():
        errors = ours[name].agreement(halfway, truth) if name in ours else (0.0, 0.0, 1.0)
        peak = best["convolution bfloat16" if name == "bfloat16" else "convolution float32"]
        speed = amount / seconds
        rows.append(Row(side_px, name, seconds, seconds / medians[PLAIN], speed, speed / peak, *errors))
    return rows


def last_losses(backbone: Backbone, pictures: tuple[Tensor, Tensor], side_px: int) -> dict[str, float]:
    """Where RUN_STEPS steps end in each precision, as float32 sees it."""
    content, style = (resize(one, Size(side_px, side_px)) for one in pictures)
    judge = OurStep(backbone, content, style, "float32")
    found = {}
    for precision in ("float32", "bfloat16"):
        one = OurStep(backbone, content, style, precision)
        for _ in range(RUN_STEPS):
            one.step()
        found[precision] = sum(judge.stylizer.losses_of(one.state.result(), content).values())
    return found


def table(rows: Sequence[Row]) -> str:
    """In Markdown."""
    lines = [
        "| px | Step | s | of the plain | GFLOP/s | of the peak | loss error | gradient error | cosine |"
    ]
    lines.append("|" + "---|" * 9)
    for row in rows:
        errors = f"{row.loss_error:.1e} | {row.gradient_error:.1e} | {row.gradient_cosine:.6f}"
        if row.way == PLAIN:
            errors = " | | "
        lines.append(
            f"| {row.side_px} | {row.way} | {row.seconds:.3f} | {row.part:.2f} | {row.gflops:.0f} |"
            f" {row.share_of_peak:.0%} | {errors} |"
        )
    return "\n".join(lines)


def picture(name: str) -> Tensor:
    """A sample photo, 1CHW."""
    return to_tensor(read_photo(samples_dir() / "photos" / f"{name}.jpg").pixels)


def main(argv: Sequence[str] | None = None) -> int:
    """Measures, prints, writes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[128, 256, 512])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--weights", default="learned")
    parser.add_argument(
        "--run-side", type=int, default=128, help=f"size of the runs of {RUN_STEPS} steps; 0: none"
    )
    parser.add_argument("--plot", action="store_true", help="draw it too (needs matplotlib)")
    parser.add_argument("-o", "--output", type=Path, default=Path("speed"), metavar="FOLDER")
    args = parser.parse_args(argv)
    torch.set_num_threads(args.threads)
    backbone, pictures = load_backbone(args.weights), (picture(PHOTO), picture(STYLE))
    best = peaks()
    rows: list[Row] = []
    for side_px in args.sizes:
        rows += measure(side_px, args.rounds, backbone, pictures, best)
    print(table(rows))
    print("\n" + "\n".join(f"{name}: {speed:.0f} GFLOP/s" for name, speed in best.items()))
    ends = last_losses(backbone, pictures, args.run_side) if args.run_side and worth_it(best) else {}
    if ends:
        part = ends["bfloat16"] / ends["float32"]
        print(f"loss after {RUN_STEPS} steps at {args.run_side} px: bfloat16 {part:.4f} of float32's")
    args.output.mkdir(parents=True, exist_ok=True)
    write_report(args.output / "speed.json", rows, args)
    if args.plot:
        speed_by_size(rows, args.output / "speed.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
