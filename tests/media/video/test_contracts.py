"""What every reader and every writer of a clip's frames promises, whatever the form of the clip: see protocols.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from media_facts import encode

from framestyle.doors.advice import next_step
from framestyle.errors import InputError, OutputError
from framestyle.events import as_note
from framestyle.frames import Frame
from framestyle.kinds import WHOLE_CLIP, TimeRange
from framestyle.media.photos import FORMATS, PhotoSettings
from framestyle.media.video.clips import open_clip
from framestyle.media.video.codecs import CODECS
from framestyle.media.video.protocols import FrameReader, FrameWriter
from framestyle.media.video.sequences import SequenceWriter, existing_files
from framestyle.media.video.writer import VideoSettings, VideoWriter

RATE = Fraction(25)
FRAMES = 10
WIDTH, HEIGHT = 256, 120
"""The least that DNxHR takes."""

# -- readers -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Source:
    """How a clip is made, and what its frames are like."""

    name: str
    options: tuple[str, ...] = ()
    bits: int = 8
    alpha: bool = False
    numbers: tuple[int, ...] = ()
    """Of an image sequence."""
    variable: bool = False


DROP = ("-vf", "select='not(eq(n,3)+eq(n,4))'", "-fps_mode", "vfr")
SEE_THROUGH = ("-vf", "format=rgba,colorchannelmixer=aa=0.5")
X265 = ("-c:v", "libx265", "-x265-params", "log-level=error")
SOURCES = {
    "by OpenCV": Source("a.mp4", ("-pix_fmt", "yuv420p", "-colorspace", "bt709")),
    "by ffmpeg, for its times": Source("a.avi"),
    "10 bits": Source("a.mkv", (*X265, "-pix_fmt", "yuv420p10le"), bits=10),
    "16 bits": Source("a.mkv", ("-c:v", "ffv1", "-pix_fmt", "gbrp16le"), bits=16),
    "with alpha": Source("a.mkv", (*SEE_THROUGH, "-c:v", "ffv1", "-pix_fmt", "bgra"), alpha=True),
    "GIF": Source("a.gif"),
    "variable rate by OpenCV": Source("a.mp4", (*DROP, "-pix_fmt", "yuv420p"), variable=True),
    "variable rate by ffmpeg": Source(
        "a.mkv", (*DROP, *X265, "-pix_fmt", "yuv420p10le"), bits=10, variable=True
    ),
    "image sequence": Source("s.%04d.png", numbers=tuple(range(8, 18))),
    "image sequence of JPEG": Source("s%d.jpg", numbers=tuple(range(10))),
    "image sequence, 16 bits and alpha": Source("s.%d.png", bits=16, alpha=True, numbers=tuple(range(10))),
    "image sequence with gaps": Source("s.%d.tif", numbers=(1, 2, 3, 6, 7, 8, 9, 10), variable=True),
}


@pytest.fixture(params=SOURCES)
def source(request: pytest.FixtureRequest) -> Source:
    return SOURCES[request.param]


@pytest.fixture
def clip(source: Source, tmp_path: Path) -> Path:
    """Ten frames' time at 25 a second."""
    path = tmp_path / source.name
    if source.numbers:
        for number in source.numbers:
            cv2.imwrite(str(tmp_path / (source.name % number)), _drawn(number, source))
        return path
    encode("-f", "lavfi", "-i", f"testsrc2=size=64x48:rate={RATE}:duration=0.4", *source.options, str(path))
    return path


def _drawn(number: int, source: Source) -> np.ndarray:
    channels, dtype = (4 if source.alpha else 3), (np.uint16 if source.bits > 8 else np.uint8)
    return np.random.default_rng(number).integers(0, np.iinfo(dtype).max, (48, 64, channels), dtype)


def opened(path: Path, span: TimeRange = WHOLE_CLIP) -> FrameReader:
    return open_clip(path, span, sequence_rate=RATE)


def read(path: Path, span: TimeRange = WHOLE_CLIP) -> list[Frame]:
    with opened(path, span) as reader:
        return list(reader)


def same(one: Frame, other: Frame) -> bool:
    alphas = (one.alpha is None) == (other.alpha is None) and (
        one.alpha is None or np.array_equal(one.alpha, other.alpha)
    )
    return (
        (one.index, one.pts) == (other.index, other.pts)
        and np.array_equal(one.pixels, other.pixels)
        and alphas
    )


def test_a_reader_gives_every_frame_as_it_says(source: Source, clip: Path) -> None:
    with opened(clip) as reader:
        frames = list(reader)
        info = reader.info
        assert (info.width, info.height, info.has_alpha) == (64, 48, source.alpha)
        assert (reader.bits, reader.variable_rate) == (source.bits, source.variable)
        assert reader.colors.hdr is None
        assert all(isinstance(doubt, str) for doubt in reader.doubts)
    assert len(frames) == (FRAMES - 2 if source.variable else FRAMES)
    assert [frame.index for frame in frames] == list(range(len(frames)))
    dtype = np.uint16 if source.bits > 8 else np.uint8
    for frame in frames:
        assert frame.pixels.shape == (48, 64, 3) and frame.pixels.dtype == dtype
        assert frame.pixels.flags.c_contiguous
        assert (frame.alpha is not None) == source.alpha
        assert frame.alpha is None or (frame.alpha.shape == (48, 64) and frame.alpha.dtype == dtype)


def test_a_reader_tells_when_each_frame_is_shown(source: Source, clip: Path) -> None:
    with opened(clip) as reader:
        times = [frame.pts for frame in reader]
        last = reader.last_frame()
    shown = [n for n in range(FRAMES) if not (source.variable and n in (3, 4))]
    allowed = reader.info.time_base if source.variable else 0
    assert times[0] == 0
    assert all(abs(at - n / RATE) <= allowed for at, n in zip(times, shown, strict=True))
    if source.variable:
        assert last is not None and last[0] == times[-1] and last[1] > 0
    else:
        assert last is None


@pytest.mark.parametrize(
    "span",
    [
        TimeRange(Fraction(2, 25), Fraction(7, 25)),
        TimeRange(Fraction(1, 9)),
        TimeRange(None, Fraction(1, 5)),
        TimeRange(Fraction(0), Fraction(9)),
        TimeRange(Fraction(5), Fraction(9)),
        TimeRange(Fraction(1, 5), Fraction(1, 5)),
    ],
    ids=str,
)
def test_a_part_is_those_frames_of_the_whole(clip: Path, span: TimeRange) -> None:
    wanted = [frame for frame in read(clip) if span.holds(frame.pts)]
    found = read(clip, span)
    assert len(found) == len(wanted) and all(map(same, found, wanted))


def test_a_reader_that_is_left_early_leaves_nothing(clip: Path, our_ffmpegs: Callable[[], list[int]]) -> None:
    with pytest.raises(RuntimeError, match="mine"), opened(clip) as reader:
        for _ in reader:
            raise RuntimeError("mine")
    held = [link.readlink() for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    assert not set(existing_files(clip)) & set(held)
    assert our_ffmpegs() == []


def test_what_cannot_be_read_is_an_input_error(source: Source, clip: Path) -> None:
    files = existing_files(clip)
    files[-1].write_bytes(b"nothing")
    with pytest.raises(InputError) as caught:
        read(clip)
    assert next_step(caught.value)
    for file in files:
        file.unlink()
    with pytest.raises(InputError):
        read(clip)


# -- writers -----------------------------------------------------------------------------------------------

SEQUENCES = sorted({suffix for suffix in FORMATS if suffix not in (".heic", ".heif", ".gif")})
WRITERS = [
    *[(codec, f"o{suffix}") for codec, entry in CODECS.items() for suffix in entry.containers],
    *[("", f"o.%04d{suffix}") for suffix in SEQUENCES],
]


@pytest.fixture(params=WRITERS, ids=lambda pair: " ".join(filter(None, pair)))
def make_writer(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Any]:
    """`make_writer(bits=8, alpha=False)`: a writer into an empty folder."""
    codec, name = request.param
    (tmp_path / "out").mkdir()

    def made(**options: Any) -> Any:
        target = tmp_path / "out" / name
        if not codec:
            return SequenceWriter(target, numbers=range(7, 7 + FRAMES), settings=PhotoSettings(), **options)
        settings = VideoSettings(codec, "draft")
        return VideoWriter(target, width=WIDTH, height=HEIGHT, frame_rate=RATE, settings=settings, **options)

    return made


def drawn(number: int, dtype: Any = np.uint8) -> np.ndarray:
    """Two halves, brighter from frame to frame: no two are alike."""
    picture = np.full((HEIGHT, WIDTH, 3), np.iinfo(dtype).max // FRAMES * number, dtype)
    picture[:, WIDTH // 2 :] = np.iinfo(dtype).max // 3
    return picture


def fill(writer: FrameWriter, frames: int = FRAMES, dtype: Any = np.uint8, **alpha: Any) -> None:
    for number in range(frames):
        writer.write(drawn(number, dtype), number / RATE, **alpha)


def lying_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_a_writer_puts_every_frame_in_its_place_at_the_end(
    make_writer: Callable[..., Any], our_ffmpegs: Callable[[], list[int]]
) -> None:
    writer = make_writer()
    assert all(as_note(note).message for note in writer.notes)
    with writer:
        fill(writer)
        assert writer.frames_written == FRAMES
        assert existing_files(writer.target) == [], "nothing is in its place before all of it is"
    assert set(writer.target.parent.iterdir()) == set(existing_files(writer.target)), "nothing lies beside it"
    assert our_ffmpegs() == []
    with opened(writer.target) as reader, closing(_means(reader)) as means:
        assert (reader.info.width, reader.info.height) == (WIDTH, HEIGHT)
        found = list(means)
    assert [frame.pts for frame, _ in found] == [n / RATE for n in range(FRAMES)]
    for number, (_, mean) in enumerate(found):
        assert mean == pytest.approx(255 // FRAMES * number, abs=6)


def _means(reader: FrameReader) -> Iterator[tuple[Frame, float]]:
    """The level of each frame's left half, of 255."""
    for frame in reader:
        left = frame.pixels[:, : WIDTH // 2 - 8]
        yield frame, float(left.mean()) / (257 if left.dtype == np.uint16 else 1)


@pytest.mark.parametrize("error", [RuntimeError("mine"), KeyboardInterrupt()], ids=["error", "Ctrl-C"])
def test_a_writer_left_by_an_error_leaves_what_was_there(
    make_writer: Callable[..., Any], error: BaseException, our_ffmpegs: Callable[[], list[int]]
) -> None:
    with make_writer() as writer:
        fill(writer, 3)
    folder = writer.target.parent
    before = lying_in(folder)
    with pytest.raises(type(error)), make_writer() as writer:
        fill(writer, 2)
        raise error
    assert lying_in(folder) == before and len(list(folder.iterdir())) == len(before)
    assert our_ffmpegs() == []


def test_no_frame_is_no_result(make_writer: Callable[..., Any]) -> None:
    writer = make_writer()
    with pytest.raises(OutputError, match="no frame") as caught, writer:
        pass
    assert next_step(caught.value)
    assert list(writer.target.parent.iterdir()) == []


def test_depth_and_transparency_are_held_or_said(make_writer: Callable[..., Any]) -> None:
    """A writer takes frames of any depth; what its form does not hold, its notes say before any work."""
    writer = make_writer(bits=16, alpha=True)
    said = " ".join(as_note(note).message for note in writer.notes)
    alpha = np.full((HEIGHT, WIDTH), 65_535, np.uint16)
    alpha[: HEIGHT // 2] = 20_000
    with writer:
        fill(writer, 2, np.uint16, alpha=alpha)
    with opened(writer.target) as reader:
        (first, *_) = list(reader)
        # GIF holds one colour that is transparent; it is read as players show it, over white.
        assert reader.info.has_alpha or "transparency" in said or writer.target.suffix == ".gif"
        assert reader.bits == 16 or "bits" in said
    assert (first.alpha is not None) == reader.info.has_alpha


def test_what_can_be_refused_is_refused_on_creation(tmp_path: Path) -> None:
    """Before any work, and with nothing on the disk."""
    h264 = {"width": 64, "height": 48, "frame_rate": RATE, "settings": VideoSettings("h264")}
    frames = {"numbers": [1], "settings": PhotoSettings()}
    for make in (
        lambda: VideoWriter(tmp_path / "o.webm", **h264),
        lambda: VideoWriter(tmp_path / "o.mp4", **{**h264, "width": 8}),
        lambda: VideoWriter(tmp_path / "o.mp4", **{**h264, "settings": VideoSettings("h264", 99)}),
        lambda: SequenceWriter(tmp_path / "o.%d.exr", **frames),
        lambda: SequenceWriter(tmp_path / "o.png", **frames),
    ):
        with pytest.raises(OutputError) as caught:
            make()
        assert next_step(caught.value)
    assert list(tmp_path.iterdir()) == []
