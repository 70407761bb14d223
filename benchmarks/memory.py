"""What one step of a picture takes, whole, in part and all in tiles: python -m benchmarks.memory [--side 1024] …

Each case runs in a process of its own. Its extra memory is the most that was held during one step (losses, gradient,
Adam) beyond what was held before it: the weights, the picture, the optimiser's state and the targets. The gradient is
compared with the whole's of the same precision. Writes JSON and a table.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch

from benchmarks.reports import write_report
from framestyle.doors.demo import samples_dir
from framestyle.media.photos import read_photo
from framestyle.nst.heap import release_free_memory
from framestyle.nst.image import Size, resize, size_of, to_tensor
from framestyle.nst.memory_plan import Demand, options
from framestyle.nst.network.tiles import WHOLE, Tiling
from framestyle.nst.objective import loss_and_gradient
from framestyle.nst.optimise.state import PixelState
from framestyle.nst.stylizer import Stylizer
from framestyle.nst.weights.catalog import load_backbone
from framestyle.presets import load_preset

PHOTO, STYLE = "canyon", "stilllife"
SETTINGS = ("scales.max_side_px=0", "scales.first_steps=1")
WAYS: dict[str, tuple[int, int]] = {
    "whole": (0, 0),
    "blocks 1-2 in tiles": (2, 256),
    "blocks 1-3 in tiles": (3, 256),
    "all in tiles": (5, 256),
}
"""Blocks of the network that are computed in tiles, and the tiles' side in pixels."""
WARM_UP_SIDE_PX = 256
"""Large enough that all filters are at their points (`winograd`): those are the network's, not the picture's."""


@dataclass(frozen=True)
class Row:
    """One case. `seconds` are of the processor on a CPU; `error` is relative to the whole's gradient."""

    precision: str
    way: str
    tile_px: int
    megapixels: float
    extra_bytes: int
    planned_bytes: int
    seconds: float
    planned_work: float
    error: float = 0.0

    @property
    def extra_gb_a_megapixel(self) -> float:
        return self.extra_bytes / 1e9 / self.megapixels


class StepCostMeter:
    """The most memory that is held on a device from now on, beyond what is held now."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
            self._before = torch.cuda.memory_allocated(device)
        else:
            # What is free in the heap would be counted as held before, and its use not at all.
            release_free_memory(device)
            # Linux alone: 5 resets the peak, see proc(5).
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
            self._before = _status_bytes("VmRSS")

    def extra_bytes(self) -> int:
        if self.device.type == "cuda":
            return int(torch.cuda.max_memory_allocated(self.device)) - self._before
        return _status_bytes("VmHWM") - self._before


def _status_bytes(key: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key))


def measure(side_px: int, precision: str, way: str, weights: str, device: str, gradient_to: Path) -> Row:
    """One step on a square picture; its gradient goes into a file."""
    preset = load_preset("nightswirl", [*SETTINGS, f"optimizer.precision={precision}"])
    style = to_tensor(read_photo(samples_dir() / "photos" / f"{STYLE}.jpg").pixels)
    stylizer = Stylizer(preset, load_backbone(weights), [style], device=device)
    blocks, tile_px = WAYS[way]
    tiling = Tiling(min(blocks, stylizer.network.blocks), tile_px) if blocks else WHOLE
    photo = to_tensor(read_photo(samples_dir() / "photos" / f"{PHOTO}.jpg").pixels, stylizer.device)
    _step(stylizer, resize(photo, Size(WARM_UP_SIDE_PX, WARM_UP_SIDE_PX)), WHOLE)
    content = resize(photo, Size(side_px, side_px))
    gradient, seconds, extra = _step(stylizer, content, tiling)
    np.save(gradient_to, gradient.cpu().numpy())
    demand = Demand.of(stylizer.network, list(preset.content.layers), preset.optimizer.name)
    plan = next(one for one in options(size_of(content), demand) if one.tiling == tiling)
    megapixels = size_of(content).area_px / 1e6
    return Row(precision, way, tile_px, megapixels, extra, plan.needs_bytes, seconds, plan.work)


def _step(stylizer: Stylizer, content: torch.Tensor, tiling: Tiling) -> tuple[torch.Tensor, float, int]:
    objective = stylizer.objective(content, ())
    # Off the content, where its loss is 0 and has no slope.
    noise = torch.rand(content.shape, generator=torch.Generator().manual_seed(0)).to(content)
    state = PixelState.start(content.lerp(noise, 0.1))
    now = time.process_time if stylizer.device.type == "cpu" else time.perf_counter
    meter, started = StepCostMeter(stylizer.device), now()
    gradient, values = loss_and_gradient(stylizer.network, state.image, objective, tiling)
    state.adam_step(gradient, 0.02, 0.99, (0.9, 0.99))
    float(values.sum())  # waits for the device
    return gradient, now() - started, meter.extra_bytes()


HEAD = (
    "precision",
    "way",
    "tile px",
    "extra GB/MP",
    "planned GB/MP",
    "seconds",
    "time ratio",
    "gradient error",
)


def table(rows: Sequence[Row]) -> str:
    """Markdown; times are compared with the whole's of the same precision."""
    lines = ["| " + " | ".join(HEAD) + " |", "|" + " --- |" * len(HEAD)]
    whole = {row.precision: row for row in rows if row.way == "whole"}
    for row in rows:
        base = whole.get(row.precision)
        cells = [row.precision, row.way, str(row.tile_px or ""), f"{row.extra_gb_a_megapixel:.2f}"]
        cells += [f"{row.planned_bytes / 1e9 / row.megapixels:.2f}", f"{row.seconds:.1f}"]
        cells.append(f"{row.seconds / base.seconds:.2f}" if base is not None else "")
        cells.append(f"{row.error:.1e}" if row.way != "whole" else "")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def gradient_error(found: Path, wanted: Path) -> float:
    """|found - wanted| / |wanted|."""
    one, other = (np.load(path).astype(np.float64) for path in (found, wanted))
    return float(np.linalg.norm(one - other) / np.linalg.norm(other))


def _in_a_process(args: argparse.Namespace, precision: str, way: str, gradient_to: Path) -> Row:
    command = [sys.executable, "-m", "benchmarks.memory", "--one", way, "--precisions", precision]
    command += ["--side", str(args.side), "--weights", args.weights, "--device", args.device]
    command += ["--threads", str(args.threads), "-o", str(gradient_to)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{precision} {way}: {done.stderr[-2000:]}")
    return Row(**json.loads(done.stdout.splitlines()[-1]))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the memory of a step.")
    parser.add_argument("--side", type=int, default=1024, help="side of the square picture in pixels")
    parser.add_argument("--precisions", nargs="+", default=["bfloat16", "float32"])
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--weights", default="learned")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=0, help="0 = as torch chooses")
    parser.add_argument("--one", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("-o", "--output", type=Path, default=Path("build/memory"))
    return parser.parse_args()


def main() -> None:
    args = _arguments()
    if args.threads:
        torch.set_num_threads(args.threads)
    if args.one:
        row = measure(args.side, args.precisions[0], args.one, args.weights, args.device, args.output)
        print(json.dumps(asdict(row)))
        return
    args.output.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    for precision in args.precisions:
        for way in args.ways:
            kept = args.output / f"{precision}-{way.replace(' ', '-')}.npy"
            row = _in_a_process(args, precision, way, kept)
            whole = args.output / f"{precision}-whole.npy"
            row = replace(row, error=gradient_error(kept, whole) if whole.exists() else float("nan"))
            rows.append(row)
            print(table(rows).splitlines()[-1], file=sys.stderr, flush=True)
    write_report(args.output / "memory.json", rows, args)
    (args.output / "memory.md").write_text(f"{table(rows)}\n", encoding="utf-8")
    print(table(rows))


if __name__ == "__main__":
    main()
