"""A helper process that opens pictures and clips which nobody vouches for: in little memory, and ended if it hangs.

A line of JSON in, a line out: see `DOES`. It writes nothing but the small pictures it is asked for.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from framestyle.doors.advice import next_step
from framestyle.doors.studio.limits import DECODE_S, DECODER_BYTES
from framestyle.errors import FramestyleError, InputError
from framestyle.frames import Pixels
from framestyle.kinds import MediaKind

Question = Mapping[str, Any]
FRAME_S = DECODE_S / 2


def main() -> None:
    """Until standard input ends."""
    _limit_memory()
    for line in sys.stdin:
        question = json.loads(line)
        try:
            answer = DOES[question["do"]](question)
        except FramestyleError as error:
            answer = {"failed": error.message, "next_step": next_step(error), "code": str(error.code)}
        except MemoryError:
            answer = {
                "failed": "it needs more memory than a picture may",
                "next_step": None,
                "code": "too-large",
            }
        except Exception as error:  # decoders raise whatever they like on damaged files
            answer = {"failed": f"it cannot be read: {error}", "next_step": None, "code": "input-unusable"}
        print(json.dumps({**answer, "number": question["number"]}), flush=True)


def _limit_memory() -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (DECODER_BYTES, DECODER_BYTES))


def warm(question: Question) -> dict[str, Any]:
    """Loads what the other questions need."""
    import framestyle.media.photos
    import framestyle.media.video.probe
    import framestyle.nst.sizes  # noqa: F401

    return {}


def facts(question: Question) -> dict[str, Any]:
    """What a file is: `kind`, `width`, `height`, of clips `duration_s`, `frame_rate`, `has_sound`.

    With `whole` a photo is decoded to its end.
    """
    from framestyle.media.files import sniff

    path = Path(question["path"])
    kind = sniff(path)
    if kind is MediaKind.PHOTO:
        from framestyle.media.photos import photo_size, read_photo

        if question.get("whole"):
            read_photo(path, lambda width, height: (1, 1))
        width, height = photo_size(path)
        return {"kind": "photo", "width": width, "height": height}
    if kind is MediaKind.VIDEO:
        from framestyle.media.video.probe import probe

        info = probe(path)
        width = max(1, round(info.width * info.sample_aspect_ratio))
        return {
            "kind": "video",
            "width": width,
            "height": info.height,
            "duration_s": None if info.duration_s is None else float(info.duration_s),
            "frame_rate": float(info.frame_rate),
            "has_sound": info.audio_streams > 0,
        }
    raise InputError(f"{path.name} is no file", next_step="Choose a photo or a clip.")


def picture(question: Question) -> dict[str, Any]:
    """Writes `target`, a JPEG of at most `side_px`: a photo, or a clip's frame at `at_s`."""
    from framestyle.doors.live_picture import write_small

    path, side_px = Path(question["path"]), int(question["side_px"])
    pixels = shown_pixels(path, question["kind"], question["at_s"], side_px)
    target = Path(question["target"])
    target.parent.mkdir(parents=True, exist_ok=True)
    write_small(pixels, target, side_px)
    return {"height": pixels.shape[0], "width": pixels.shape[1]}


def shown_pixels(path: Path, kind: str, at_s: float | None, side_px: int) -> Pixels:
    """HWC uint8, over white where it is transparent."""
    if kind == "video":
        return frame_at(path, at_s or 0.0, side_px)
    import numpy as np

    from framestyle.media.photos import read_photo
    from framestyle.media.photos.alpha import at_depth, over_white
    from framestyle.nst.sizes import Size, fit_within

    photo = read_photo(path, lambda width, height: fit_within(Size(width, height), side_px))
    pixels = at_depth(photo.pixels, np.uint8)
    return pixels if photo.alpha is None else over_white(pixels, at_depth(photo.alpha, np.uint8))


def frame_at(path: Path, at_s: float, side_px: int) -> Pixels:
    """A clip's frame at a time, or its last one before; InputError where there is none. HDR is not toned down."""
    for moment in (at_s, max(0.0, at_s - 1), 0.0):
        if (found := _frame(path, moment, side_px)) is not None:
            return found
    raise InputError(f"{path.name} has no frame that can be shown", next_step="Does it play elsewhere?")


def _frame(path: Path, at_s: float, side_px: int) -> Pixels | None:
    import io

    import numpy as np
    from PIL import Image

    from framestyle.media.ffmpeg import ffmpeg_exe, input_arguments

    size = (
        f"scale=w='min({side_px},iw*sar)':h='min({side_px},ih)':force_original_aspect_ratio=decrease,setsar=1"
    )
    command = [ffmpeg_exe(), "-v", "error", "-nostdin", "-ss", f"{at_s:.3f}", *input_arguments(path)]
    command += ["-map", "0:v:0", "-frames:v", "1", "-vf", size, "-f", "image2pipe", "-c:v", "png", "-"]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=FRAME_S, check=False
        )
    except subprocess.TimeoutExpired:
        return None
    if not done.stdout:
        return None
    with Image.open(io.BytesIO(done.stdout), formats=["PNG"]) as image:
        pixels: Pixels = np.asarray(image.convert("RGB"))
    return pixels


def recipe(question: Question) -> dict[str, Any]:
    """The preset that a photo of ours was made with, as YAML."""
    from framestyle.jobs.run.recipes import recovered_preset

    found = recovered_preset(Path(question["path"]))
    return {
        "yaml": found.text,
        "made": found.made,
        "weights": found.weights,
        "seed": found.seed,
        "doubts": list(found.doubts),
    }


DOES: dict[str, Callable[[Question], dict[str, Any]]] = {
    "warm": warm,
    "facts": facts,
    "picture": picture,
    "recipe": recipe,
}

if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
