"""Whether `strength` means the same at every size: python -m benchmarks.strength [--sides 128 256] [--preset P] …

A sample photo in one preset at each size and strength; what is left of the style loss, and the content loss, both
before their weights (0 = reached, about 1 = nothing in common). Writes JSON, a table and the pictures.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import torch

from framestyle.doors.demo import samples_dir
from framestyle.media.photos import read_photo, write_photo
from framestyle.nst.image import fit_within, resize, size_of, to_pixels, to_tensor
from framestyle.presets import load_preset
from framestyle.session import Session


@dataclass(frozen=True)
class Row:
    """One picture. Losses without their weights."""

    side_px: int
    strength: float
    style_loss: float
    content_loss: float


def measure(side_px: int, strength: float, args: argparse.Namespace) -> Row:
    """Stylize the photo once, and write the picture."""
    settings = ["scales.max_side_px=0", f"strength={strength}", *args.set]
    preset = load_preset(args.preset, settings)
    shop = Session.open(preset, weights=args.weights, device=args.device)
    photo = to_tensor(read_photo(samples_dir() / "photos" / f"{args.photo}.jpg").pixels)
    content = resize(photo, fit_within(size_of(photo), side_px))
    image = shop.stylizer.stylize(content).image
    write_photo(args.output / f"{args.preset}-{side_px}-{strength:g}.png", to_pixels(image), None, {})
    found = shop.stylizer.losses_of(image, content)
    content_weight = shop.stylizer.weights.content
    return Row(side_px, strength, found["style"] / preset.style.weight, found["content"] / content_weight)


def table(rows: Sequence[Row]) -> str:
    """Markdown: a line for each strength, style / content for each size."""
    sides = sorted({row.side_px for row in rows})
    lines = ["| strength | " + " | ".join(f"{side} px: style, content" for side in sides) + " |"]
    lines.append("|" + " --- |" * (1 + len(sides)))
    for strength in sorted({row.strength for row in rows}):
        of = {row.side_px: row for row in rows if row.strength == strength}
        cells = [
            f"{of[side].style_loss:.3f}, {of[side].content_loss:.3f}" if side in of else "" for side in sides
        ]
        lines.append(f"| {strength:g} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what strength means at each size.")
    parser.add_argument("--sides", nargs="+", type=int, default=[128, 256], metavar="PX")
    parser.add_argument("--strengths", nargs="+", type=float, default=[0.0, 0.25, 0.5, 0.75, 1.0])
    parser.add_argument("--preset", default="nightswirl")
    parser.add_argument("--photo", default="canyon")
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE")
    parser.add_argument("--weights", default="learned")
    parser.add_argument("--device", default="auto")
    parser.add_argument("-o", "--output", type=Path, default=Path("build/strength"))
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    for side_px in args.sides:
        for strength in args.strengths:
            rows.append(measure(side_px, strength, args))
            print(rows[-1], flush=True)
    report = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "torch": torch.__version__,
        "settings": {key: str(value) for key, value in vars(args).items()},
        "rows": [asdict(row) for row in rows],
    }
    (args.output / "strength.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    (args.output / "strength.md").write_text(f"{table(rows)}\n", encoding="utf-8")
    print(table(rows))


if __name__ == "__main__":
    main()
