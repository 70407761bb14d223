"""Draws the sample photos and the sample clip again, from seeds alone: `python samples/draw.py [--only NAME ...]`.

The scenes are meshes and colours made by the modules under `drawing/`; the path tracer Mitsuba lights them. It is
a tool of this script and no part of FrameStyle. To have it:

    pip install mitsuba scikit-image scipy opencv-python-headless imageio-ffmpeg

and the LLVM library of the system (Debian: `libllvm19`), which Mitsuba looks for by itself.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
import wave
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np
import numpy.typing as npt
from drawing import canyon, clip, forest, harbour, matte, portrait, stilllife, street, studio

Pixels = npt.NDArray[np.uint8]
LANDSCAPE, UPRIGHT = (640, 480), (480, 640)
FRAME_RATE, SOUND_RATE = 24, 44100
CLIP_SAMPLES = 6


@dataclass(frozen=True)
class Photo:
    """How a photo is taken and developed."""

    shoot: Callable[[tuple[int, int], int], studio.Shot]
    develop: Callable[[studio.Shot], Pixels]
    samples: int
    size: tuple[int, int] = LANDSCAPE


PHOTOS = {
    "canyon": Photo(canyon.shoot, canyon.develop, 44),
    "forest": Photo(forest.shoot, forest.develop, 44),
    "harbour": Photo(harbour.shoot, harbour.develop, 64),
    "night": Photo(street.shoot_night, street.develop_night, 64),
    "portrait": Photo(portrait.shoot, portrait.develop, 56, UPRIGHT),
    "stilllife": Photo(stilllife.shoot, stilllife.develop, 64),
    "street": Photo(street.shoot, street.develop, 64),
}


def write_photo(target: Path, pixels: Pixels) -> None:
    """As JPEG."""
    cv2.imwrite(str(target), pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])


def sound() -> npt.NDArray[np.int16]:
    """Stereo: two plucked phrases, one a shot, and a click at the cut."""
    count = SOUND_RATE * clip.FRAMES // FRAME_RATE
    t = np.arange(count) / SOUND_RATE
    mono = np.zeros(count)
    for start, pitch in zip(
        np.arange(0, 3, 0.25), (262, 330, 392, 523, 392, 330, 294, 349, 440, 587, 440, 349), strict=True
    ):
        age = np.clip(t - start, 0, None)
        mono += np.where(t >= start, np.exp(-5 * age) * np.sin(2 * np.pi * pitch * age), 0) * 0.3
    cut = clip.CUT / FRAME_RATE
    mono += np.where(t >= cut, np.exp(-90 * np.clip(t - cut, 0, None)), 0) * np.random.default_rng(3).uniform(
        -0.6, 0.6, count
    )
    stereo = np.stack([mono, np.roll(mono, 400)], 1)
    return np.rint(np.clip(stereo, -1, 1) * 30000).astype(np.int16)


def _write_sound(target: Path) -> None:
    with wave.open(str(target), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(SOUND_RATE)
        file.writeframes(sound().tobytes())


def _encoding(size: tuple[int, int], more_inputs: Sequence[str] = ()) -> list[str]:
    """ffmpeg's command up to the codec: RGB frames of that size from stdin, as Rec. 709."""
    tags = "scale=out_color_matrix=bt709:out_range=tv,setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{size[0]}x{size[1]}", "-r", str(FRAME_RATE)]
    return [
        imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "error",
        *raw, "-i", "pipe:0", *more_inputs, "-vf", tags, "-pix_fmt", "yuv420p",
    ]  # fmt: skip


def write_clip(target: Path, frames: Iterable[Pixels]) -> None:
    """H.264 and AAC in MP4, put in its place when whole."""
    with tempfile.TemporaryDirectory() as folder:
        track, made = Path(folder) / "sound.wav", Path(folder) / "clip.mp4"
        _write_sound(track)
        command = _encoding(clip.SIZE, ["-i", str(track)])
        command += [
            "-c:v",
            "libx264",
            "-crf",
            "20",
            "-preset",
            "slow",
            "-c:a",
            "aac",
            "-b:a",
            "128k",
            "-movflags",
            "+faststart",
        ]
        data = b"".join(frame.tobytes() for frame in frames)
        subprocess.run([*command, str(made)], input=data, check=True)
        beside = target.with_name(f".{target.name}")
        beside.write_bytes(made.read_bytes())
        os.replace(beside, target)


def write_matte(target: Path, frames: Iterable[Pixels]) -> None:
    """H.264 in MP4, lossless but for its half chroma, which a grey picture has none of."""
    command = _encoding(matte.SIZE)
    command += ["-c:v", "libx264", "-qp", "0", "-preset", "slow", "-movflags", "+faststart", str(target)]
    subprocess.run(command, input=b"".join(frame.tobytes() for frame in frames), check=True)


def main() -> None:
    """Draw what is asked for, or all of it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    parser.add_argument(
        "--only", nargs="+", choices=[*PHOTOS, "clip", "matte"], default=[*PHOTOS, "clip", "matte"]
    )
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    studio.threads(args.threads)
    (args.out / "photos").mkdir(parents=True, exist_ok=True)
    for name in args.only:
        started = time.monotonic()
        if name == "clip":
            write_clip(args.out / "clip.mp4", clip.frames(CLIP_SAMPLES))
        elif name == "matte":
            write_matte(args.out / "matte.mp4", matte.frames())
        else:
            photo = PHOTOS[name]
            write_photo(
                args.out / "photos" / f"{name}.jpg", photo.develop(photo.shoot(photo.size, photo.samples))
            )
        print(f"{name}: {time.monotonic() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
