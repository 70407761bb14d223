"""The clips that several versions of ffmpeg are asked about, and how they are made."""

from __future__ import annotations

import subprocess
from pathlib import Path

from framestyle.media.ffmpeg import ffmpeg_exe

PICTURES = ("-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25:duration=0.4")
TONE = ("-f", "lavfi", "-i", "sine=frequency=440:duration=0.4")
TEN_BITS = (
    *(
        "-vf",
        "format=yuv420p10le,setparams=range=tv:colorspace=bt2020nc:color_primaries=bt2020:color_trc=smpte2084",
    ),
    *("-c:v", "libx265", "-x265-params"),
    "log-level=none:hdr10=1:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"
    ":max-cll=1000,400",
)
RECIPES: dict[str, tuple[str, ...]] = {
    "plain.mp4": (*PICTURES, *TONE, "-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac"),
    "rate.mkv": (*PICTURES, "-r", "30000/1001", "-vf", "setsar=4/3", "-c:v", "libx264"),
    "hdr.mp4": (*PICTURES, *TEN_BITS, "-tag:v", "hvc1"),
    "hdr.mkv": (*PICTURES, *TEN_BITS),
    "alpha.webm": (*PICTURES, "-vf", "format=yuva420p", "-c:v", "libvpx-vp9"),
    "alpha.mov": (*PICTURES, "-vf", "format=yuva444p10le", "-c:v", "prores_ks", "-timecode", "01:00:00:00"),
    "fields.mkv": (*PICTURES, "-vf", "setfield=tff", "-flags", "+ilme+ildct", "-c:v", "mpeg2video"),
    "late.ts": (*PICTURES, *TONE, "-c:v", "mpeg2video", "-c:a", "mp2"),
    "palette.gif": PICTURES,
}


def make_clips(folder: Path) -> None:
    """All of them; the ffmpeg of the package makes them, whichever is asked afterwards."""
    for name, recipe in RECIPES.items():
        _encode(*recipe, folder / name)
    plain = folder / "plain.mp4"
    _encode("-display_rotation", "90", "-i", plain, "-c", "copy", folder / "turned.mp4")
    chapters = folder / "chapters.txt"
    chapters.write_text(
        ";FFMETADATA1\ntitle=A walk\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=200\ntitle=One\n"
    )
    subtitle = folder / "words.srt"
    subtitle.write_text("1\n00:00:00,000 --> 00:00:00,300\nGood day\n")
    inputs = ("-i", plain, *TONE, "-i", subtitle, "-i", chapters)
    maps = ("-map", "0:v", "-map", "1", "-map", "2", "-map_metadata", "3", "-map_chapters", "3")
    named = ("-metadata:s:a:0", "language=deu", "-metadata:s:a:0", "title=Ton", "-disposition:s:0", "forced")
    _encode(*inputs, *maps, "-c", "copy", "-c:a", "flac", *named, folder / "streams.mkv")
    whole = bytearray(plain.read_bytes())
    place = whole.index(b"mdat") + 900
    whole[place : place + 60] = b"\xff" * 60
    (folder / "damaged.mp4").write_bytes(whole)


def _encode(*arguments: str | Path) -> None:
    options = ("-v", "error", "-nostdin", "-y", "-fflags", "+bitexact")
    subprocess.run([ffmpeg_exe(), *options, *map(str, arguments)], check=True)
