"""Where clips end: what is whole is not called cut off, and the last frame is shown as long as in the source."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from media_facts import decoded_times, encode, packets
from PIL import Image, ImageDraw
from rewriting import rewrite

from framestyle.kinds import TimeRange
from framestyle.media.verify.checking import verify
from framestyle.media.verify.comparing import verify_against
from framestyle.media.video.probe import probe
from framestyle.media.video.reader import VideoReader

PICTURES = ("-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=1")
TONE = ("-f", "lavfi", "-i", "sine=d=1")
LONG_TONE = ("-f", "lavfi", "-i", "sine=d=2:sample_rate=44100")
FRAGMENTS = ("-movflags", "frag_keyframe+empty_moov")
CUT = ("-ss", "0.3", "-i", "{whole}", "-t", "0.4", "-c", "copy")
WHOLE = {
    "an edit list": ("cut.mp4", CUT),
    "an edit list in MOV": ("cut.mov", CUT),
    "fragments": ("f.mp4", ("-i", "{whole}", "-c", "copy", *FRAGMENTS)),
    "sound that goes on, in fragments": ("g.mp4", (*PICTURES, *LONG_TONE, *FRAGMENTS)),
    "sound that goes on, in FLV": ("g.flv", (*PICTURES, *LONG_TONE)),
    "sound that goes on, in Matroska": ("g.mkv", (*PICTURES, *LONG_TONE, "-fflags", "+bitexact")),
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "w.mp4"
    encode(*PICTURES, *TONE, "-c:v", "libx264", "-bf", "2", "-g", "10", "-pix_fmt", "yuv420p", str(path))
    return path


@pytest.mark.parametrize("kind", WHOLE)
def test_what_is_whole_is_not_called_cut_off(whole: Path, tmp_path: Path, kind: str) -> None:
    name, options = WHOLE[kind]
    encode(*(part.format(whole=whole) for part in options), str(tmp_path / name))
    with VideoReader(tmp_path / name) as reader:
        count = len(list(reader))
    assert count == len(decoded_times(tmp_path / name)[1])
    assert reader.missing_estimate == 0 and reader.doubts == []
    assert verify(tmp_path / name).verdict == "whole"


def test_a_cut_edit_list_is_still_called_cut_off(whole: Path, tmp_path: Path) -> None:
    source = tmp_path / "cut.mp4"
    encode("-ss", "0.3", "-i", str(whole), "-c", "copy", "-movflags", "+faststart", str(source))
    source.write_bytes(source.read_bytes()[: source.stat().st_size * 7 // 10])
    with VideoReader(source) as reader:
        assert 0 < len(list(reader)) < 18
    assert reader.missing_estimate > 3 and verify(source).verdict == "damaged"


# -- how long the last frame is shown ----------------------------------------------------------------------


def held(path: Path, length_ms: int = 700) -> Path:
    """Eight frames of 50 ms, but for the last one."""
    frames = []
    for n in range(8):
        frame = Image.new("RGB", (64, 48), (40, 40, 60))
        ImageDraw.Draw(frame).rectangle([4 * n, 10, 4 * n + 15, 30], fill=(200, 30 * n, 40))
        frames.append(frame)
    if path.suffix in (".gif", ".webp"):
        lengths = [50] * 7 + [length_ms]
        frames[0].save(path, save_all=True, append_images=frames[1:], duration=lengths, loop=0)
        return path
    codec = "apng" if path.suffix == ".apng" else "h264"
    rewrite(held(path.with_suffix(".gif"), length_ms), path, codec)
    return path


TARGETS = {
    "o.mp4": "h264",
    "o.mov": "prores",
    "o.mkv": "h265",
    "o.webm": "vp9",
    "o.gif": "gif",
    "o.webp": "webp",
    "o.apng": "apng",
}


@pytest.mark.parametrize("source", ["s.gif", "s.webp", "s.apng", "s.mkv", "s.mp4"])
@pytest.mark.parametrize("target", TARGETS)
def test_the_last_frame_is_held_from_anything_to_anything(tmp_path: Path, source: str, target: str) -> None:
    held(tmp_path / source)
    rewrite(tmp_path / source, tmp_path / target, TARGETS[target])
    with VideoReader(tmp_path / target) as reader:
        times = [frame.pts for frame in reader]
        last = reader.last_frame()
    end_s = Fraction(105, 100)
    assert last is not None and last[0] == times[-1] and reader.doubts == []
    assert abs(sum(last) - end_s) <= Fraction(1, 1000)
    assert abs((probe(tmp_path / target).duration_s or end_s) - end_s) < Fraction(1, 50)
    assert verify_against(tmp_path / target, tmp_path / source).verdict == "whole"


@pytest.mark.parametrize("length_ms", [20, 130, 1990])
def test_a_length_that_is_no_whole_frame_is_kept(tmp_path: Path, length_ms: int) -> None:
    held(tmp_path / "s.gif", length_ms)
    rewrite(tmp_path / "s.gif", tmp_path / "o.mkv")
    _, shown, lengths = packets(tmp_path / "o.mkv")
    assert (shown[-1], lengths[-1]) == (Fraction(35, 100), Fraction(length_ms, 1000))


def test_a_last_frame_like_the_others_is_nothing_to_tell(whole: Path) -> None:
    """Though the sound lasts longer, or the container rounds."""
    with VideoReader(whole) as reader:
        assert len(list(reader)) == 25 and reader.last_frame() is None


@pytest.mark.parametrize(("end", "last"), [("0.3", None), ("0.7", ("0.35", "0.35")), ("2", ("0.35", "0.7"))])
def test_a_part_that_ends_within_the_held_frame_cuts_it(
    tmp_path: Path, end: str, last: tuple[str, str] | None
) -> None:
    source = held(tmp_path / "s.mkv")
    with VideoReader(source, TimeRange(None, Fraction(end))) as reader:
        frames = list(reader)
    assert len(frames) == (6 if end == "0.3" else 8)
    assert reader.last_frame() == (None if last is None else tuple(map(Fraction, last)))


# -- clocks ------------------------------------------------------------------------------------------------

GAPS = {
    "slides": "N*10/TB",
    "a stall at the start": "if(eq(N\\,0)\\,0\\,8+N/25)/TB",
    "longer and longer": "N*N*3/TB",
}


@pytest.mark.parametrize("gap", GAPS)
@pytest.mark.parametrize("name", ["s.mkv", "s.mp4"])
def test_a_clock_that_opencv_starts_again_is_not_believed(tmp_path: Path, gap: str, name: str) -> None:
    source, picture = tmp_path / name, ("-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=0.4")
    timing = ("-vf", f"settb=1/1000,setpts='{GAPS[gap]}'", "-fps_mode", "passthrough")
    coder = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
    encode(*picture, *timing, "-enc_time_base", "1/1000", *coder, str(source))
    with VideoReader(source) as reader:
        times = [frame.pts for frame in reader]
    _, wanted = decoded_times(source)
    assert len(times) == len(wanted) == 10
    assert all(abs(at - meant) <= Fraction(1, 1000) for at, meant in zip(times, wanted, strict=True))
    assert times == sorted(set(times)) and reader.missing_estimate == 0
