"""`framestyle stylize - -o -`: what it keeps of a clip, what it refuses, and how it ends."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pytest
from pipe_ends import at_the_ends_of_pipes

from framestyle.doors import cli
from framestyle.media.ffmpeg import ffmpeg_exe
from tests import warm

WORK = ("--weights", "untrained", "--device", "cpu")
PAGE = Path(__file__).parents[2] / "docs" / "pipes.md"
pytestmark = pytest.mark.usefixtures("loads")
DROP = "select='not(eq(n,3)+eq(n,4))'"
BT2020 = "setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc:range=tv"


def _ffmpeg(*arguments: str, given: bytes = b"") -> bytes:
    done = subprocess.run(
        [ffmpeg_exe(), "-v", "error", "-y", *arguments], input=given, capture_output=True, check=True
    )
    return done.stdout


def _made(path: str, *options: str, picture: str = "testsrc2=size=48x36:rate=25:duration=0.4") -> Path:
    _ffmpeg("-f", "lavfi", "-i", picture, *options, path)
    return Path(path)


def _frames(path: Path) -> list[str]:
    """Each frame's time and the hash of its pixels, as ffmpeg decodes it."""
    told = _ffmpeg("-i", str(path), "-f", "framehash", "-hash", "md5", "-").decode()
    return [line for line in told.splitlines() if not line.startswith("#")]


def _facts(path: Path) -> str:
    """What ffmpeg says of the pictures."""
    told = subprocess.run(
        [ffmpeg_exe(), "-hide_banner", "-i", str(path)], capture_output=True, text=True
    ).stderr
    (line,) = re.findall(r"Video: (.*?)(?: \(default\))?\n", told)
    return re.sub(r", \d+ kb/s", "", line)


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it wrote."""

    returncode: int
    stdout: bytes
    stderr: str


def _piped(given: bytes, *arguments: str) -> Done:
    """`framestyle stylize` between two pipes; the contract of doors has it as a process, too."""
    told = io.StringIO()
    with at_the_ends_of_pipes(given) as out, redirect_stderr(told):
        code = cli.main(["stylize", *arguments, *WORK])
    return Done(code, b"".join(out), told.getvalue())


def test_ten_bits_of_bt2020_at_a_variable_rate_come_through_matroska_as_by_files(quick: str) -> None:
    options = ["-vf", f"{DROP},{BT2020}", "-fps_mode", "vfr", "-c:v", "ffv1", "-pix_fmt", "yuv420p10le"]
    clip = _made("clip.mkv", *options)
    lossless = ["--set", "output.video_codec=ffv1", "--progress", "none"]
    assert cli.main(["stylize", str(clip), "-o", "by_file.mkv", "-p", quick, *WORK, *lossless]) == 0
    stream = _ffmpeg("-i", str(clip), "-c:v", "copy", "-f", "matroska", "-")
    done = _piped(stream, "-", "-o", "-", "-p", quick)
    assert done.returncode == 0, done.stderr
    Path("by_pipe.mkv").write_bytes(done.stdout)
    assert len(_frames(Path("by_file.mkv"))) == 8
    assert _frames(Path("by_pipe.mkv")) == _frames(Path("by_file.mkv"))
    assert "bt2020/smpte2084" in _facts(Path("by_pipe.mkv"))
    assert _facts(Path("by_pipe.mkv")) == _facts(Path("by_file.mkv"))


def test_eight_bits_come_through_y4m_as_by_files(quick: str) -> None:
    """Into a file on the other side: what is compared is not rounded again."""
    clip = _made("clip.y4m", "-pix_fmt", "yuv420p")
    for given, target in ((str(clip), "by_file.mkv"), ("-", "by_pipe.mkv")):
        lossless = ["--set", "output.video_codec=ffv1", "--progress", "none", "-o", target]
        done = _piped(clip.read_bytes(), given, "-p", quick, *lossless)
        assert done.returncode == 0, done.stderr
    assert len(_frames(Path("by_file.mkv"))) == 10
    assert _frames(Path("by_pipe.mkv")) == _frames(Path("by_file.mkv"))


def test_the_rate_of_film_is_kept_to_the_tick(quick: str) -> None:
    """ffmpeg tells it as 23.98; of a film of two hours, that is a second."""
    clip = _made("clip.y4m", "-pix_fmt", "yuv420p", "-r", "24000/1001")
    done = _piped(clip.read_bytes(), "-", "-o", "out.mp4", "-p", quick, "--progress", "none")
    assert done.returncode == 0, done.stderr
    told = _ffmpeg("-i", "out.mp4", "-f", "framehash", "-hash", "md5", "-").decode()
    tick = Fraction(re.findall(r"#tb 0: (\S+)", told)[0])
    times = [int(line.split(",")[2]) * tick for line in _frames(Path("out.mp4"))]
    assert times == [Fraction(1001 * n, 24000) for n in range(len(times))] and len(times) > 5


def test_a_file_goes_into_a_pipe_as_y4m_of_its_own_kind(quick: str) -> None:
    clip = _made("clip.mp4", "-c:v", "libx264", "-pix_fmt", "yuv422p10le", "-vf", "setsar=4/3")
    done = _piped(b"", str(clip), "-o", "-", "--pipe-format", "y4m", "-p", quick)
    head = done.stdout.partition(b"\n")[0].decode()
    assert re.search(r" W32 H24 F25:1 .*A4:3 C422p10 .*XCOLORRANGE=LIMITED", head), (head, done.stderr)
    assert done.stdout.count(b"FRAME\n") == 10
    assert "matrix is smpte170m" in done.stderr


def test_what_y4m_does_not_say_can_be_told(quick: str) -> None:
    clip = _made("clip.y4m", "-pix_fmt", "yuv420p")
    hashes = set()
    for more in ([], ["--colorspace", "bt709"], ["--color-range", "full"]):
        done = _piped(clip.read_bytes(), "-", "-o", "-", "-p", quick, *more)
        assert done.returncode == 0, done.stderr
        hashes.add(hashlib.md5(done.stdout[-4000:]).hexdigest())
    assert len(hashes) == 3


def test_progress_is_told_on_standard_error_to_the_end(quick: str, capfd: pytest.CaptureFixture[str]) -> None:
    """How many frames there are is known where the stream says so."""
    clip = _made("clip.y4m", "-pix_fmt", "yuv420p")
    stream = clip.read_bytes().replace(b"\n", b" XLENGTH=10\n", 1)
    done = _piped(
        stream, "-", "-o", "out.mkv", "-p", quick, "--progress", "json", "--set", "output.video_codec=ffv1"
    )
    events = [json.loads(line) for line in done.stderr.splitlines()]
    by_name = {event["event"]: event for event in events}
    assert done.stdout == b""
    assert by_name["job_started"]["inputs"] == ["-"]
    assert by_name["job_started"]["frames"] == by_name["job_done"]["frames"] == 10
    assert [event["index"] for event in events if event["event"] == "frame_done"] == list(range(10))


def test_a_part_of_a_stream_is_enough_where_a_part_is_asked_for(quick: str) -> None:
    """Who sends the rest is let go."""
    clip = _made("clip.y4m", "-pix_fmt", "yuv420p")
    done = _piped(clip.read_bytes()[:-100], "-", "-o", "-", "-p", quick, "--start", "0.08", "--end", "0.2")
    assert done.returncode == 0, done.stderr
    Path("part.mkv").write_bytes(done.stdout)
    assert [line.split(",")[1].strip() for line in _frames(Path("part.mkv"))] == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("-", "-o", "-", "--set", "video.passes=2"), 2, "passes once"),
        (("-", "-o", "-", "--dry-run"), 2, "dry run"),
        (("-", "clip.y4m", "-o", "-"), 2, "one clip at a time"),
        (("-", "-o", "-", "-p", "mosaic"), 2, "one preset"),
        (("clip.y4m", "-o", "a.mp4", "--pipe-format", "y4m"), 2, "there is no pipe"),
        (("-", "-o", "-", "--colorspace", "bt999"), 2, "bt709"),
        (("-", "-o", "there.mkv", "--set", "output.video_codec=ffv1"), 6, "exists already"),
        (("-", "-o", "."), 6, "is a folder"),
        (("-", "-o", "a.%04d.png"), 2, "image sequence"),
        (("photo.png", "-o", "-"), 2, "no clip"),
    ],
)
def test_what_cannot_be_is_refused_before_a_byte_is_read(
    arguments: tuple[str, ...],
    code: int,
    said: str,
    quick: str,
    photo: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _made("clip.y4m", "-pix_fmt", "yuv420p")
    Path("there.mkv").touch()
    reading, writing = os.pipe()
    kept = os.dup(0)
    os.dup2(reading, 0)
    try:
        assert cli.main(["stylize", *arguments, "-p", quick, *WORK]) == code
        os.write(writing, b"x")
        assert os.read(0, 2) == b"x"
    finally:
        os.dup2(kept, 0)
        for one in (kept, reading, writing):
            os.close(one)
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("carrier", ["yuv4mpegpipe", "matroska"])
def test_ctrl_c_is_heard_while_a_stream_is_waited_for(carrier: str, quick: str, warm_server: None) -> None:
    """Each carrier's own decoder waits then, on a thread, for what never comes."""
    picture = ["-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25:duration=4", "-c:v", "ffv1"]
    codec = ["-c:v", "wrapped_avframe", "-pix_fmt", "yuv420p"] if carrier == "yuv4mpegpipe" else []
    stream = _ffmpeg(*picture, *codec, "-f", carrier, "-")
    command = [sys.executable, "-m", "framestyle", "stylize", "-", "-o", "-", "-p", quick, *WORK]
    process = warm.Popen(
        [*command, "--progress", "json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    try:
        assert process.stdin is not None and process.stderr is not None
        process.stdin.write(stream[: len(stream) * 3 // 4])
        process.stdin.flush()
        for line in process.stderr:
            if b'"frame_done"' in line:
                break
        process.send_signal(signal.SIGINT)
        assert b"nothing is kept to resume" in process.stderr.read()
        assert process.wait(60) == 130
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stderr):
            pipe.close()


def test_where_standard_output_is_closed_no_frame_is_said_to_be_written(quick: str) -> None:
    _made("clip.y4m", "-pix_fmt", "yuv420p")
    command = shlex.join(
        [sys.executable, "-m", "framestyle", "stylize", "clip.y4m", "-o", "-", "-p", quick, *WORK]
    )
    done = subprocess.run(["sh", "-c", f"{command} >&-"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "standard output is closed" in done.stderr


@pytest.mark.parametrize("command", ["preview", "verify"])
def test_what_needs_a_second_look_says_why_it_has_none(
    command: str, quick: str, capsys: pytest.CaptureFixture[str]
) -> None:
    more = ["-o", "sheet.png", "-p", quick] if command == "preview" else []
    assert cli.main([command, "-", *more]) == 2
    assert "passes once" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "said"),
    [(b"", "is empty"), (b"RIFF1234AVI ", "neither y4m nor Matroska"), (b"YUV4MPEG2 W9\n", "tells no size")],
)
def test_what_is_no_stream_is_said_to_be_none(given: bytes, said: str, quick: str) -> None:
    done = _piped(given, "-", "-o", "-", "-p", quick)
    assert (done.returncode, done.stdout) == (5, b"")
    assert said in done.stderr


# -- docs/pipes.md -----------------------------------------------------------------------------------------

RECIPES = re.findall(
    r"^## (.*?)\n.*?```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
)
SCRIPT = """\
from vapoursynth import YUV420P8, core

core.std.BlankClip(width=48, height=36, format=YUV420P8, length=4, fpsnum=24000, fpsden=1001).set_output()
"""
"""What vspipe is given: a clip for which no file has to be read."""
PROGRAMS = {"x264": (), "mpv": ("--vo=null", "--ao=null"), "vspipe": ()}
"""Beside ffmpeg and framestyle: what a recipe may call, and what a machine without a screen needs."""


@pytest.fixture
def programs(workplace: Path, warm_python: Path) -> Callable[..., None]:
    """`programs(names)`: on the path, beside this framestyle and our ffmpeg; skips where one is not installed."""

    def found(names: set[str]) -> None:
        folder = workplace / "bin"
        folder.mkdir()
        calls = {
            "framestyle": f'exec "{warm_python}" -m framestyle "$@"',
            "ffmpeg": f'exec "{ffmpeg_exe()}" -v error -y "$@"',
        }
        for name in names:
            if (path := shutil.which(name)) is None:
                pytest.skip(f"{name} is not installed")
            calls[name] = f'exec "{path}" {" ".join(PROGRAMS[name])} "$@"'
        for name, call in calls.items():
            (folder / name).write_text(f"#!/bin/sh\n{call}\n")
            (folder / name).chmod(0o755)

    return found


@pytest.mark.parametrize(("title", "recipe"), RECIPES, ids=[title for title, _ in RECIPES])
def test_a_recipe_of_the_page_runs(
    title: str, recipe: str, quick: str, clip: Path, programs: Callable[..., None], workplace: Path
) -> None:
    """As it stands, but for the look, which is painted in a blink."""
    programs({name for name in PROGRAMS if re.search(rf"(^|\| ){name} ", recipe, re.MULTILINE)})
    told = re.sub(r"-p [a-z]+", f"-p {quick} --weights untrained --device cpu", recipe)
    assert told != recipe
    Path("script.vpy").write_text(SCRIPT)
    env = os.environ | {"OMP_NUM_THREADS": "1", "PATH": f"{workplace / 'bin'}:{os.environ['PATH']}"}
    script = ["bash", "-euo", "pipefail", "-c", told]
    done = subprocess.run(script, capture_output=True, text=True, timeout=120, env=env)
    assert done.returncode == 0, done.stderr
    for name in re.findall(r"\bpainted\.\w+", recipe):
        assert _frames(workplace / name)
