"""Image sequences are clips: every frame by its number, in and out, all in their places or none."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from framestyle.doors.advice import next_step
from framestyle.errors import InputError, OutputError
from framestyle.kinds import TimeRange
from framestyle.media.photos import PhotoSettings, read_photo, write_photo
from framestyle.media.video.colors import Colors
from framestyle.media.video.sequences import (
    SequenceReader,
    SequenceWriter,
    existing_files,
    numbering_of,
    sequence_in,
)

RATE = Fraction(24)
RESULT = PhotoSettings()


def picture(number: int, dtype: Any = np.uint8) -> np.ndarray:
    """Grey, its number in its level; with one pixel that shows which way up it is."""
    pixels = np.full((24, 32, 3), number * (257 if dtype is np.uint16 else 1) % np.iinfo(dtype).max, dtype)
    pixels[0, 0] = np.iinfo(dtype).max
    return pixels


def sequence(
    folder: Path, pattern: str = "shot.%04d.png", numbers: Any = range(1001, 1007), dtype: Any = np.uint8
) -> Path:
    folder.mkdir(exist_ok=True)
    for number in numbers:
        write_photo(folder / (pattern % number), picture(number, dtype), None, {})
    return folder / pattern


def levels(path: Path) -> list[int]:
    return [int(read_photo(file).pixels[12, 16, 0]) for file in existing_files(path)]


@pytest.mark.parametrize("pattern", ["shot.%04d.png", "%d.png", "a-%06d_v2.tif", "%02d.bmp"])
@pytest.mark.parametrize("numbers", [range(8, 13), range(98, 103)])
def test_frames_come_in_the_order_of_their_numbers(tmp_path: Path, pattern: str, numbers: range) -> None:
    path = sequence(tmp_path, pattern, numbers)
    with SequenceReader(path, RATE) as reader:
        frames = list(reader)
    assert reader.numbers == list(numbers) and not reader.variable_rate and not reader.doubts
    assert [frame.index for frame in frames] == list(range(5))
    assert [frame.pts for frame in frames] == [Fraction(n, 24) for n in range(5)]
    assert [int(frame.pixels[12, 16, 0]) for frame in frames] == list(numbers)
    assert (reader.info.width, reader.info.height, reader.info.frame_rate, reader.bits) == (32, 24, RATE, 8)


def test_missing_numbers_are_said_and_leave_their_time(tmp_path: Path) -> None:
    path = sequence(tmp_path, numbers=[3, 4, 7, 9])
    with SequenceReader(path, RATE) as reader:
        assert [frame.pts * 24 for frame in reader] == [0, 1, 4, 6]
    assert reader.variable_rate and reader.last_frame() == (Fraction(6, 24), Fraction(1, 24))
    assert len(reader.doubts) == 1 and "lacks 5, 6, 8" in reader.doubts[0]


def test_a_part_is_chosen_by_time(tmp_path: Path) -> None:
    path = sequence(tmp_path, numbers=range(20))
    with SequenceReader(path, RATE, TimeRange(Fraction(1, 4), Fraction(1, 2))) as reader:
        assert [frame.index for frame in reader] == list(range(6, 12))


@pytest.mark.parametrize("name", ["x.%04d.png", "%d.jpg"])
def test_other_names_beside_them_are_passed_over(tmp_path: Path, name: str) -> None:
    path = sequence(tmp_path, name, range(5, 8))
    for other in (
        "x.5.png",
        "x.00005.png",
        "x.0005.png.bak",
        "y.0005.png",
        "x.-005.png",
        "05.jpg",
        "5 .jpg",
        "٥.jpg",
        "x..png",
    ):
        if other != name % 5:
            (tmp_path / other).write_bytes(b"nothing")
    assert existing_files(path) == [tmp_path / (name % number) for number in range(5, 8)]


@pytest.mark.parametrize(
    "name",
    [
        "a.png",
        "a%%d.png",
        "a%04x.png",
        "a%d%d.png",
        "a%04d.mp4",
        "a%s.png",
        "a%-4d.png",
        "a%04d",
        "a%10d.png",
        "%0d.png",
    ],
)
def test_what_is_no_pattern_is_a_name(name: str) -> None:
    assert numbering_of(Path(name)) is None


def test_a_file_of_that_very_name_is_that_file(tmp_path: Path) -> None:
    write_photo(tmp_path / "%04d.png", picture(1), None, {})
    assert numbering_of(tmp_path / "%04d.png") is None
    assert existing_files(tmp_path / "%04d.png") == [tmp_path / "%04d.png"]


def test_sixteen_bits_and_transparency_come_through(tmp_path: Path) -> None:
    deep = np.random.default_rng(0).integers(0, 65536, (24, 32, 4), np.uint16)
    import cv2

    for number in (1, 2):
        cv2.imwrite(str(tmp_path / f"{number}.png"), deep[..., [2, 1, 0, 3]])
    with SequenceReader(tmp_path / "%d.png", RATE) as reader:
        frames = list(reader)
        assert reader.info.has_alpha and reader.bits == 16
    assert frames[1].alpha is not None
    assert np.array_equal(frames[1].pixels, deep[..., :3]) and np.array_equal(frames[1].alpha, deep[..., 3])
    (tmp_path / "out").mkdir()
    target = tmp_path / "out" / "%d.png"
    with SequenceWriter(target, numbers=[1, 2], settings=RESULT, bits=16, alpha=True) as writer:
        for frame in frames:
            writer.write(frame.pixels, frame.pts, frame.alpha)
    with SequenceReader(target, RATE) as reader:
        again = list(reader)
    assert np.array_equal(again[0].pixels, deep[..., :3]) and np.array_equal(again[0].alpha, deep[..., 3])


@pytest.mark.parametrize("suffix", ["png", "tif", "jpg", "webp", "bmp"])
def test_numbers_words_and_resolution_are_kept(tmp_path: Path, suffix: str) -> None:
    exif = Image.Exif()
    exif[0x013B] = "Ada"
    for number in range(1001, 1004):
        Image.fromarray(picture(number)).save(tmp_path / f"s.{number}.jpg", exif=exif, dpi=(300, 300))
    (tmp_path / "out").mkdir()
    target = tmp_path / "out" / f"s.%04d.{suffix}"
    source = tmp_path / "s.%04d.jpg"
    with SequenceWriter(
        target, numbers=range(1001, 1004), settings=RESULT, source=source, metadata={"comment": "by us"}
    ) as writer:
        for number in range(3):
            writer.write(picture(number * 50))
    assert [path.name for path in existing_files(target)] == [f"s.{n}.{suffix}" for n in range(1001, 1004)]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        path.name for path in existing_files(target)
    ]
    assert all(abs(a - b) <= 2 for a, b in zip(levels(target), (0, 50, 100), strict=True))
    like = read_photo(existing_files(target)[2])
    if suffix != "bmp":
        assert like.exif is not None and b"Ada" in like.exif


@pytest.mark.parametrize("error", [RuntimeError("mine"), KeyboardInterrupt()])
def test_an_error_leaves_what_was_there(tmp_path: Path, error: BaseException) -> None:
    target = sequence(tmp_path, numbers=[1, 2])
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    writer = SequenceWriter(target, numbers=[1, 2, 3], settings=RESULT)
    with pytest.raises(type(error)), writer:
        writer.write(picture(9))
        writer.write(picture(9))
        raise error
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_no_frame_is_no_sequence(tmp_path: Path) -> None:
    with (
        pytest.raises(OutputError, match="no frame"),
        SequenceWriter(tmp_path / "%d.png", numbers=[], settings=RESULT),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_what_images_cannot_hold_is_said_or_refused(tmp_path: Path) -> None:
    jpg = SequenceWriter(tmp_path / "%d.jpg", numbers=[1], settings=RESULT, bits=10, alpha=True)
    assert jpg.notes == [
        "JPEG holds 8 bits a channel, not 10.",
        "JPEG holds no transparency: it is laid over white.",
    ]
    wide = Colors("bt2020nc", "bt2020", "bt2020-10")
    assert (
        "BT.2020"
        in SequenceWriter(tmp_path / "%d.png", numbers=[1], settings=RESULT, bits=10, colors=wide).notes[0]
    )
    hdr = Colors("bt2020nc", "bt2020", "smpte2084")
    with pytest.raises(OutputError, match="JPEG holds no HDR") as caught:
        SequenceWriter(tmp_path / "%d.jpg", numbers=[1], settings=RESULT, bits=10, colors=hdr)
    assert "tonemap" in (next_step(caught.value) or "")
    with pytest.raises(OutputError, match="photo format"):
        SequenceWriter(tmp_path / "%d.exr", numbers=[1], settings=RESULT)
    with pytest.raises(OutputError, match="no number"):
        SequenceWriter(tmp_path / "one.png", numbers=[1], settings=RESULT)


def test_frames_that_do_not_go_together_are_named(tmp_path: Path) -> None:
    path = sequence(tmp_path)
    Image.new("RGB", (40, 24)).save(tmp_path / "shot.1003.png")
    with SequenceReader(path, RATE) as reader, pytest.raises(InputError, match=r"shot.1003.png.*40x24"):
        list(reader)
    Image.new("RGBA", (32, 24)).save(tmp_path / "shot.1003.png")
    with (
        SequenceReader(path, RATE) as reader,
        pytest.raises(InputError, match=r"shot.1003.png.*transparency"),
    ):
        list(reader)
    (tmp_path / "shot.1003.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    with SequenceReader(path, RATE) as reader, pytest.raises(InputError, match=r"shot.1003.png"):
        list(reader)


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    path = sequence(tmp_path, numbers=[1])
    os.mkfifo(tmp_path / "shot.0002.png")
    with (
        SequenceReader(path, RATE) as reader,
        pytest.raises(InputError, match=r"shot.0002.png is not a regular file"),
    ):
        list(reader)


def test_nothing_there_is_an_input_error(tmp_path: Path) -> None:
    for path in (tmp_path / "%04d.png", tmp_path / "none" / "%04d.png", tmp_path / "a.png"):
        with pytest.raises(InputError, match="stands for no file"):
            SequenceReader(path, RATE)


@pytest.mark.parametrize(
    ("pattern", "numbers"),
    [
        ("shot.%04d.png", range(990, 1010)),
        ("%d.png", range(8, 12)),
        ("s2_%03d.png", range(3)),
        ("%03d.png", [7]),
    ],
)
def test_the_sequence_in_a_folder_is_found(tmp_path: Path, pattern: str, numbers: Any) -> None:
    path = sequence(tmp_path, pattern, numbers)
    (tmp_path / "notes.txt").write_text("frames 1 to 9")
    (tmp_path / ".hidden.png").write_bytes(b"")
    assert existing_files(sequence_in(tmp_path)) == existing_files(path)


@pytest.mark.parametrize(
    "names",
    [[], ["a1.png", "b2.png"], ["a.png", "a1.png"], ["a1.png", "a2.jpg"], ["01.png", "1.png"], ["%1.png"]],
)
def test_a_folder_of_other_photos_is_no_sequence(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    with pytest.raises(InputError) as caught:
        sequence_in(tmp_path)
    assert next_step(caught.value)
