"""Paint the fourteen preset style artworks, each from its own seed.

Usage: ``python presets/art/paint.py [NAME...] [--out DIR]``

Paintings are made at 960x768 and saved at 640x512. Every painting owns its random generator, so the pictures do
not depend on the order they are made in. How a medium behaves lies in ``painting/``, a module for each kind.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from painting.base import Array, Rng
from painting.carving import woodcut
from painting.chalk import pastel
from painting.dots import pointillist
from painting.ink import inkwash
from painting.light import neon
from painting.oil import cubist, nightswirl, sunfield
from painting.pen import crosshatch
from painting.plaster import fresco
from painting.prints import wave
from painting.tiles import mosaic, stainedglass
from painting.washes import watercolor

OUT_SIZE = (640, 512)
MAX_BYTES = 228_000

PAINTINGS: dict[str, tuple[int, Callable[[Rng], Array]]] = {
    "nightswirl": (1, nightswirl),
    "sunfield": (2, sunfield),
    "mosaic": (3, mosaic),
    "stainedglass": (4, stainedglass),
    "cubist": (5, cubist),
    "wave": (6, wave),
    "woodcut": (4, woodcut),
    "inkwash": (5, inkwash),
    "watercolor": (6, watercolor),
    "pointillist": (7, pointillist),
    "crosshatch": (8, crosshatch),
    "pastel": (9, pastel),
    "fresco": (12, fresco),
    "neon": (13, neon),
}


def save(picture: Array, target: Path) -> int:
    """Write a picture as a JPEG of at most ``MAX_BYTES`` and return its size."""
    small = cv2.resize(np.clip(picture, 0, 1).astype(np.float32), OUT_SIZE, interpolation=cv2.INTER_AREA)
    pixels = np.rint(small * 255).astype(np.uint8)[..., ::-1]
    for quality in range(92, 40, -3):
        _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if len(data) <= MAX_BYTES:
            break
    target.write_bytes(data.tobytes())
    return len(data)


def main() -> None:
    """Paint the named pictures, or all of them."""
    parser = argparse.ArgumentParser(description="Paint the preset style artworks.")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"any of: {', '.join(PAINTINGS)} (default: all)"
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent, metavar="DIR")
    args = parser.parse_args()
    unknown = [name for name in args.names if name not in PAINTINGS]
    if unknown:
        parser.error(f"unknown painting: {', '.join(unknown)}")
    args.out.mkdir(parents=True, exist_ok=True)
    cv2.setNumThreads(1)
    for name in args.names or PAINTINGS:
        seed, painter = PAINTINGS[name]
        started = time.perf_counter()
        target = args.out / f"{name}.jpg"
        size = save(painter(np.random.default_rng([7, seed])), target)
        print(f"{target}: {size / 1000:.0f} kB, {time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    main()
