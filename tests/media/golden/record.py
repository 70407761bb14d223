"""Writes down what an ffmpeg says of our clips: `python -m tests.media.golden.record FFMPEG`.

Run it with another version, and add what it should say to test_ffmpeg_versions.py only where that differs.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from framestyle.errors import FramestyleError
from framestyle.media.verify.listing import list_clip, metadata_of
from framestyle.media.video.probe import describe, probe
from tests.media.golden.clips import make_clips

HERE = Path(__file__).parent


def record(real: str) -> Path:
    """Asks it all that probing and verifying ask; gives the file of its answers."""
    version = subprocess.run([real, "-version"], capture_output=True, text=True, check=True).stdout
    found = re.match(r"ffmpeg version n?(\d+\.\d+(?:\.\d+)?)", version)
    texts = HERE / f"ffmpeg-{found[1] if found else 'unknown'}.json"
    texts.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        make_clips(Path(folder))
        os.environ |= {
            "IMAGEIO_FFMPEG_EXE": str(HERE / "shim.py"), "GOLDEN_FFMPEG": real, "GOLDEN_TEXTS": str(texts)
        }  # fmt: skip
        for clip in sorted(Path(folder).glob("*.*")):
            if clip.suffix in (".srt", ".txt"):
                continue
            try:
                describe(clip)
                list_clip(probe(clip))
                metadata_of(clip)
            except FramestyleError as error:
                sys.stderr.write(f"{clip.name}: {error}" + "\n")
    return texts


if __name__ == "__main__":
    sys.stdout.write(f"{record(sys.argv[1])}\n")
