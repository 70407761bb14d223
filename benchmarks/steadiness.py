"""How steady stylized clips are, and what it costs: python -m benchmarks.steadiness [--side 192] [--frames 16] …

Each part of the method is added in turn, on clips whose motion is known exactly. Writes JSON and a table.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch

from benchmarks import measures
from benchmarks.known_clips import (
    Floats,
    KnownClip,
    camera_clip,
    foreground_clip,
    noisy_still_clip,
)
from framestyle.doors.demo import samples_dir
from framestyle.events import Event, FrameDone
from framestyle.frames import Pixels
from framestyle.jobs.workshop import open_workshop
from framestyle.media.photos import read_photo
from framestyle.motion.sequence import stylize_frames
from framestyle.motion.shots import Shot
from framestyle.nst.image import to_tensor
from framestyle.nst.stylizer import Stylizer
from framestyle.presets import load_preset

CLIPS = ("pan", "zoom", "rotation", "foreground", "still")
PLAIN = (
    "video.temporal_weight=0",
    "video.carry_moments=false",
    "video.carry_average=false",
    "video.tolerance=0",
)
VARIANTS: dict[str, tuple[str, ...]] = {
    "independent": ("video.warm_start=none",),
    "previous": ("video.warm_start=previous", *PLAIN),
    "warped": ("video.warm_start=flow", *PLAIN),
    "+ temporal": ("video.carry_moments=false", "video.carry_average=false", "video.tolerance=0"),
    "+ moments": ("video.tolerance=0",),
    "+ adaptive": (),
    "+ long term": ("video.long_term=[1, 2, 4]",),
}
GAPS = (1, 5, 10)


@dataclass(frozen=True)
class Row:
    """One variant on one clip. Losses, sharpness, steps and seconds are means over all frames but the first."""

    clip: str
    variant: str
    warping_error: dict[int, float]
    shower_door_px: float
    luma_drift_255: float
    style_loss: float
    content_loss: float
    laplacian_energy: float
    steps: float
    seconds: float


def make_clip(name: str, frames: int, height: int, width: int) -> KnownClip:
    photo, front = _photo("canyon"), _photo("stilllife")
    if name == "foreground":
        return foreground_clip(photo, front, frames, height, width)
    if name == "still":
        return noisy_still_clip(photo, frames, height, width)
    return camera_clip(name, photo, frames, height, width)


def _photo(name: str) -> Pixels:
    return read_photo(samples_dir() / "photos" / f"{name}.jpg").pixels


def measure(clip: KnownClip, variant: str, stylizer: Stylizer) -> tuple[Row, list[Floats]]:
    """Stylize the clip and measure the result."""
    done: list[FrameDone] = []

    def heard(event: Event) -> None:
        if isinstance(event, FrameDone):
            done.append(event)

    shots = [Shot(0, len(clip.frames))]
    results = list(stylize_frames(clip.frames, shots, stylizer, on_event=heard))
    pictures = [frame.pixels.astype(np.float32) / 255 for frame in results]
    losses = [
        stylizer.losses_of(to_tensor(result.pixels), to_tensor(frame.pixels))
        for frame, result in list(zip(clip.frames, results, strict=True))[1:]
    ]
    row = Row(
        clip.name,
        variant,
        {gap: measures.warping_error(pictures, clip, gap) for gap in GAPS if gap < len(pictures)},
        measures.shower_door(pictures, clip),
        measures.luma_drift(pictures),
        float(np.mean([one["style"] for one in losses])),
        float(np.mean([one["content"] for one in losses])),
        float(np.mean([measures.laplacian_energy(picture) for picture in pictures[1:]])),
        float(np.mean([one.steps for one in done[1:]])),
        float(np.mean([one.seconds for one in done[1:]])),
    )
    return row, pictures


def table(rows: Sequence[Row]) -> str:
    """Markdown; warping errors in 1e-4."""
    gaps = sorted({gap for row in rows for gap in row.warping_error})
    head = [
        "clip",
        "variant",
        *(f"E_warp {gap}" for gap in gaps),
        "shower door px",
        "luma drift",
        "style",
        "content",
    ]
    head += ["Laplacian", "steps", "s/frame"]
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for row in rows:
        cells = [row.clip, row.variant]
        cells += [f"{row.warping_error[gap] * 1e4:.1f}" if gap in row.warping_error else "" for gap in gaps]
        cells += [f"{row.shower_door_px:.2f}", f"{row.luma_drift_255:.2f}", f"{row.style_loss:.3f}"]
        cells += [
            f"{row.content_loss:.3f}",
            f"{row.laplacian_energy:.3f}",
            f"{row.steps:.1f}",
            f"{row.seconds:.2f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the steadiness of stylized clips.")
    parser.add_argument("--side", type=int, default=192, help="longer side in pixels")
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--clips", nargs="+", choices=CLIPS, default=["pan", "zoom", "foreground"])
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--preset", default="nightswirl")
    parser.add_argument("--weights", default="learned")
    parser.add_argument("--device", default="auto")
    parser.add_argument("-o", "--output", type=Path, default=Path("build/steadiness"))
    return parser.parse_args()


def main() -> None:
    args = _arguments()
    args.output.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    for name in args.clips:
        clip = make_clip(name, args.frames, args.side * 3 // 4, args.side)
        for variant in args.variants:
            preset = load_preset(args.preset, ["scales.max_side_px=0", *VARIANTS[variant]])
            shop = open_workshop(
                preset, weights=args.weights, device=args.device, seed=0, on_event=lambda event: None
            )
            row, _ = measure(clip, variant, shop.stylizer)
            rows.append(row)
            print(table([row]).splitlines()[-1], file=sys.stderr, flush=True)
    report = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.processor() or platform.machine()}, {torch.get_num_threads()} threads",
        "torch": torch.__version__,
        "settings": {key: str(value) for key, value in vars(args).items()},
        "rows": [asdict(row) for row in rows],
    }
    (args.output / "steadiness.json").write_text(json.dumps(report, indent=1), encoding="utf-8")
    (args.output / "steadiness.md").write_text(table(rows) + "\n", encoding="utf-8")
    print(table(rows))


if __name__ == "__main__":
    main()
