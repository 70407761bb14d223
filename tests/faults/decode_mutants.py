"""Damages small files and has them decoded: python decode_mutants.py FOLDER SEED FIRST END

Mutant n follows from the seed and n alone. Before each its number and file are told, after it what came of it. It is a
process of its own because a decoder may crash.
"""

from __future__ import annotations

import random
import sys
from itertools import islice
from pathlib import Path

from framestyle.doors.advice import next_step
from framestyle.errors import FramestyleError
from framestyle.kinds import MediaKind
from framestyle.media.files import sniff
from framestyle.media.photos import read_photo
from framestyle.media.video.reader import VideoReader

MOST_FRAMES = 40
NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
HEAD_BYTES = 600


def mutant(data: bytes, chance: random.Random) -> bytes:
    """A few bytes, numbers or pieces changed; mostly where heads and indices are."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 10))):
        length = len(changed)
        low, high = chance.choice(((0, HEAD_BYTES), (length - HEAD_BYTES, length), (0, length)))
        at = chance.randrange(max(0, low), max(1, min(high, length)))
        how = chance.randrange(6)
        if how == 0:
            changed[at] ^= 1 << chance.randrange(8)
        elif how == 1:
            changed[at : at + 4] = chance.choice(NUMBERS).to_bytes(4, chance.choice(("little", "big")))
        elif how == 2:
            changed[at : at + 2] = (chance.choice(NUMBERS) & 0xFFFF).to_bytes(2, "big")
        elif how == 3:
            changed[at : at + chance.randrange(1, 30)] = chance.randbytes(chance.randrange(30))
        elif how == 4:
            changed[at:at] = changed[at : at + chance.randrange(1, 300)]
        elif chance.randrange(4) == 0:
            del changed[max(at, 16) :]
    return bytes(changed)


def decoded(path: Path) -> str:
    """What came of it: decoded or refused, in a word; anything else is raised."""
    try:
        if sniff(path) is MediaKind.VIDEO:
            with VideoReader(path) as reader:
                return f"{len(list(islice(reader, MOST_FRAMES)))} frames"
        return f"{read_photo(path, lambda width, height: (min(width, 64), min(height, 64))).pixels.shape}"
    except FramestyleError as error:
        return f"refused {type(error).__name__}" if next_step(error) else f"ODD {error} has no next step"


def main(folder: Path, seed: int, first: int, end: int) -> None:
    """Mutants from `first` on, up to `end`."""
    originals = sorted(path for path in folder.iterdir() if not path.name.startswith("mutant"))
    for number in range(first, end):
        original = originals[number % len(originals)]
        path = folder / f"mutant{original.suffix}"
        path.write_bytes(mutant(original.read_bytes(), random.Random(f"{seed} {number}")))
        _tell(f"{number} {original.name}")
        try:
            came = decoded(path)
        except Exception as error:
            came = f"ODD {type(error).__name__}: {' '.join(str(error).split())[:200]}"
        path.unlink()
        _tell(f" {came}")


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
