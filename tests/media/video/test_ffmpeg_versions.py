"""What several versions of ffmpeg say of the same clips is understood alike.

Their texts lie in tests/media/golden, as they were said; the clips are made anew, by the ffmpeg of the package. What is
right is written here by hand, for all versions.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from framestyle.media.verify.listing import list_clip, metadata_of
from framestyle.media.video.description import Description
from framestyle.media.video.probe import describe, probe
from tests.media.golden.clips import make_clips

GOLDEN = Path(__file__).parents[1] / "golden"
TEXTS = sorted(GOLDEN.glob("ffmpeg-*.json"))
ASKED = [
    (texts, clip)
    for texts in TEXTS
    for clip, of in json.loads(texts.read_text("utf-8")).items()
    if "listing" in of
]
IDS = [f"{texts.stem}-{clip}" for texts, clip in ASKED]

UNTOLD = (None, None, None, None)
TV = ("tv", None, None, None)
PQ = ("tv", "bt2020nc", "bt2020", "smpte2084")
PICTURES = {
    "alpha.mov": ("prores", "yuva444p12le", 25, 1, 0, True, False, TV),
    "alpha.webm": ("vp9", "yuv420p", 25, 1, 0, True, False, TV),
    "damaged.mp4": ("h264", "yuv420p", 25, 1, 0, False, False, UNTOLD),
    "fields.mkv": ("mpeg2video", "yuv420p", 25, 1, 0, False, True, TV),
    "hdr.mkv": ("hevc", "yuv420p10le", 25, 1, 0, False, False, PQ),
    "hdr.mp4": ("hevc", "yuv420p10le", 25, 1, 0, False, False, PQ),
    "late.ts": ("mpeg2video", "yuv420p", 25, 1, 0, False, False, TV),
    "palette.gif": ("gif", "bgra", 25, 1, 0, False, False, UNTOLD),
    "plain.mp4": ("h264", "yuv420p", 25, 1, 0, False, False, UNTOLD),
    "rate.mkv": ("h264", "yuv420p", Fraction(30000, 1001), Fraction(4, 3), 0, False, False, TV),
    "streams.mkv": ("h264", "yuv420p", 25, 1, 0, False, False, UNTOLD),
    "turned.mp4": ("h264", "yuv420p", 25, 1, 270, False, False, UNTOLD),
}
"""Codec, pixel format, frame rate, aspect of a pixel, rotation, alpha, interlaced, colours."""
FRAMES = dict.fromkeys(PICTURES, 10) | {"rate.mkv": 12}

UNTOLD_BY = {("ffmpeg-7.0.2", "alpha.mov"): UNTOLD}
"""Colours that one version does not name."""

Replay = Callable[[Path], None]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that holds every clip of the recipes."""
    folder = tmp_path_factory.mktemp("golden")
    make_clips(folder)
    return folder


@pytest.fixture
def replay(monkeypatch: pytest.MonkeyPatch) -> Replay:
    """`replay(texts)`: from now on, ffmpeg answers with these."""

    def answer(texts: Path) -> None:
        monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(GOLDEN / "shim.py"))
        monkeypatch.setenv("GOLDEN_TEXTS", str(texts))

    return answer


def _pictures(told: Description) -> tuple[object, ...]:
    colors = (told.color_range, told.color_matrix, told.color_primaries, told.color_transfer)
    return (
        *(
            told.video_codec,
            told.pixel_format,
            told.frame_rate,
            told.sample_aspect_ratio,
            told.rotation_degrees,
        ),
        *(told.has_alpha, told.is_interlaced, colors),
    )


def test_three_versions_are_on_record() -> None:
    """The one that the package brings, Debian 12's, and one between them."""
    assert [texts.stem for texts in TEXTS] == ["ffmpeg-5.1.9", "ffmpeg-7.0.2", "ffmpeg-9.0.2"]


@pytest.mark.parametrize(("texts", "clip"), ASKED, ids=IDS)
def test_a_clip_is_the_same_by_every_version(texts: Path, clip: str, clips: Path, replay: Replay) -> None:
    replay(texts)
    told = describe(clips / clip)
    *pictures, colors = PICTURES[clip]
    assert _pictures(told) == (*pictures, UNTOLD_BY.get((texts.stem, clip), colors))
    assert (told.width, told.height) == (64, 48)
    assert abs((told.duration_s or 0) - Fraction(2, 5)) < Fraction(3, 50)


@pytest.mark.parametrize(("texts", "clip"), ASKED, ids=IDS)
def test_its_first_picture_is_the_same_by_every_version(
    texts: Path, clip: str, clips: Path, replay: Replay
) -> None:
    replay(texts)
    info = probe(clips / clip)
    _, _, rate, aspect, turned, _, interlaced, _ = PICTURES[clip]
    assert (info.width, info.height) == ((48, 64) if turned else (64, 48))
    assert (info.frame_rate, info.sample_aspect_ratio, info.rotation_degrees) == (rate, aspect, turned)
    assert (info.is_interlaced, info.is_transformed, info.is_cropped) == (interlaced, bool(turned), False)


@pytest.mark.parametrize(("texts", "clip"), ASKED, ids=IDS)
def test_its_frames_are_listed_and_damage_alone_is_complained_of(
    texts: Path, clip: str, clips: Path, replay: Replay
) -> None:
    info = probe(clips / clip)
    replay(texts)
    listing = list_clip(info)
    assert len(listing.pictures.frames) == FRAMES[clip]
    assert {complaint.stream for complaint in listing.complaints} == ({0} if clip == "damaged.mp4" else set())


@pytest.mark.parametrize("texts", TEXTS, ids=[texts.stem for texts in TEXTS])
def test_streams_chapters_timecode_and_light_are_told(texts: Path, clips: Path, replay: Replay) -> None:
    replay(texts)
    told = describe(clips / "streams.mkv")
    assert [(one.kind, one.codec, one.language, one.title) for one in told.streams] == [
        ("video", "h264", None, None),
        ("audio", "flac", "deu", "Ton"),
        ("subtitle", "subrip", None, None),
    ]
    assert told.has_chapters
    words = metadata_of(clips / "streams.mkv")
    assert words.values["title"] == "A walk"
    assert words.chapters == [(0, Fraction(1, 5), "One")]
    assert describe(clips / "alpha.mov").timecode == "01:00:00:00"
    light = probe(clips / "hdr.mkv").mastering
    assert light is not None
    assert (light.luminance_max, light.max_cll, light.max_fall) == (1000, 1000, 400)
