"""Where a stream may end, told from its bytes alone."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from framestyle.media.ffmpeg import ffmpeg_exe
from framestyle.media.pipes.framing import Framing, FramingError, framing_of

RATE = Fraction(25)
Y4M_FORMATS = (
    "gray",
    "yuv420p",
    "yuv411p",
    "yuv422p10le",
    "yuv444p16le",
    "yuva444p",
    "gray16le",
    "yuv420p12le",
)


def _stream(*options: str, size: str = "33x25") -> bytes:
    """Three frames from ffmpeg, through a pipe."""
    picture = ["-f", "lavfi", "-i", f"testsrc2=size={size}:rate=25", "-frames:v", "3"]
    command = [ffmpeg_exe(), "-v", "error", *picture, *options, "-"]
    return subprocess.run(command, capture_output=True, check=True).stdout


def _y4m(pixel_format: str = "yuv420p") -> bytes:
    return _stream("-pix_fmt", pixel_format, "-strict", "-1", "-f", "yuv4mpegpipe")


def _matroska() -> bytes:
    return _stream("-c:v", "ffv1", "-f", "matroska")


def _file(folder: Path, *options: str) -> Path:
    """Five frames in a Matroska file, whose head was written last."""
    picture = ["-f", "lavfi", "-i", "testsrc2=size=32x24:rate=25:duration=0.2"]
    command = [ffmpeg_exe(), "-v", "error", *picture, "-c:v", "ffv1", *options, str(folder / "a.mkv")]
    subprocess.run(command, check=True)
    return folder / "a.mkv"


def _framed(stream: bytes, step: int = 1000) -> Framing:
    found = framing_of(stream)
    assert found is not None
    for at in range(0, len(stream), step):
        found[1].take(stream[at : at + step])
    return found[1]


@pytest.mark.parametrize("pixel_format", Y4M_FORMATS)
def test_y4m_of_every_form_ends_after_a_frame(pixel_format: str) -> None:
    whole = _framed(_y4m(pixel_format))
    assert (whole.has_begun, whole.cut_short) == (True, None)


@pytest.mark.parametrize("step", [1, 7, 1 << 16])
@pytest.mark.parametrize("made", [_y4m, _matroska])
def test_a_stream_may_come_in_any_pieces(made: Callable[[], bytes], step: int) -> None:
    assert _framed(made(), step).cut_short is None


@pytest.mark.parametrize("made", [_y4m, _matroska])
def test_a_stream_that_lacks_a_byte_is_cut_short(made: Callable[[], bytes]) -> None:
    assert _framed(made()[:-1]).cut_short is not None


def test_y4m_says_in_which_frame_it_was_cut() -> None:
    stream = _y4m()
    each = 33 * 25 + 2 * 17 * 13 + len(b"FRAME\n")
    assert _framed(stream[: -each - 1]).cut_short == "frame 1"
    assert _framed(stream[:20]).cut_short == "its head"


def test_a_file_of_known_size_that_ends_between_two_elements_is_cut_short(tmp_path: Path) -> None:
    """A Matroska file's segment says how long it is; what is missing may be whole clusters."""
    path = _file(tmp_path, "-cluster_time_limit", "0")
    stream = path.read_bytes()
    assert _framed(stream).cut_short is None
    last = stream.rindex(b"\x1f\x43\xb6\x75")
    assert _framed(stream[:last]).cut_short is not None


def test_how_many_frames_there_are_is_told_where_the_head_tells(tmp_path: Path) -> None:
    """vspipe's header: no range, an unknown aspect, and XLENGTH."""
    vspipe = b"YUV4MPEG2 C420 W4 H2 F25:1 Ip A0:0 XLENGTH=2\n" + 2 * (b"FRAME\n" + bytes(12))
    assert _framed(vspipe).frames_promised(RATE) == 2
    assert _framed(_y4m()).frames_promised(RATE) is None
    assert _framed(_matroska()).frames_promised(RATE) is None
    assert _framed(_file(tmp_path).read_bytes()).frames_promised(RATE) == 5


@pytest.mark.parametrize(
    "stream",
    [
        b"YUV4MPEG2 W4 H2\nFRAME\n" + bytes(12) + b"NOFRAME\n",
        b"YUV4MPEG2 W4\nFRAME\n",
        b"YUV4MPEG2 W4 H2 C555\n",
        b"YUV4MPEG2 W4 H2 C420p99\n",
        b"YUV4MPEG2 " + b"X" * 5000,
        b"\x1aE\xdf\xa3\x80" + bytes(8),
    ],
    ids=["no frame", "no size", "format", "depth", "endless line", "no element"],
)
def test_what_is_none_is_refused(stream: bytes) -> None:
    with pytest.raises(FramingError):
        _framed(stream)


def test_another_container_is_neither() -> None:
    assert framing_of(b"RIFF....AVI ") is None
    assert framing_of(b"") is None
