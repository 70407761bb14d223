"""What is named becomes clips and photos: folders and patterns, past what is hidden, and never in circles."""

from __future__ import annotations

from pathlib import Path

import pytest

from framestyle.doors.advice import next_step
from framestyle.errors import InputError
from framestyle.jobs.plan.inputs import Inputs, gather
from framestyle.kinds import MediaKind

PHOTO = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
CLIP = b"\0\0\0\x20ftypisom" + b"\0" * 40


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _fill(*names: str, content: bytes = PHOTO) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(content)


def _named(inputs: Inputs) -> list[tuple[str, str]]:
    return [(one.path.as_posix(), one.name.as_posix()) for one in inputs.found]


def test_a_folder_gives_its_clips_and_photos_by_their_contents(here: Path) -> None:
    _fill("in/b.png", "in/a", "in/x/y/c.mp4")
    _fill("in/x/film.jpg", content=CLIP)
    _fill("in/notes.txt", "in/x/list.csv", content=b"ultramarine")
    found = gather([Path("in")])
    assert _named(found) == [
        ("in/a", "a"),
        ("in/b.png", "b.png"),
        ("in/x/film.jpg", "x/film.jpg"),
        ("in/x/y/c.mp4", "x/y/c.mp4"),
    ]
    assert [one.kind for one in found.found] == [
        MediaKind.PHOTO,
        MediaKind.PHOTO,
        MediaKind.VIDEO,
        MediaKind.PHOTO,
    ]
    assert (found.passed_over, found.unusable, found.alone) == (2, (), False)


def test_what_was_meant_to_be_a_picture_and_is_none_is_named(here: Path) -> None:
    _fill("in/a.png")
    _fill("in/empty.jpg", "in/x/empty.MP4", content=b"")
    _fill("in/text.tif", content=b"ultramarine")
    Path("in/gone.webp").symlink_to("nowhere")
    found = gather([Path("in")])
    assert _named(found) == [("in/a.png", "a.png")]
    told = {one.path.as_posix(): one.error.message for one in found.unusable}
    assert set(told) == {"in/empty.jpg", "in/x/empty.MP4", "in/text.tif", "in/gone.webp"}
    assert all(path in message for path, message in told.items())
    assert "is empty" in told["in/empty.jpg"] and "neither a video nor a photo" in told["in/text.tif"]


def test_earlier_results_and_what_is_hidden_are_no_inputs(here: Path) -> None:
    _fill(
        "in/a.png",
        "in/out/a.png",
        "in/out/x/b.png",
        "in/x/.framestyle-0a1b2c.png",
        "in/.git/c.png",
        "in/made.png",
    )
    for pattern in ("in", "in/**/*.png", "in/*"):
        found = gather([Path(pattern)], {here / "in" / "out", here / "in" / "made.png"})
        assert _named(found) == [("in/a.png", "a.png")], pattern
    # Named itself, a folder of results is an input like any other.
    assert _named(gather([Path("in/out")], {here / "in" / "out"})) == [
        ("in/out/a.png", "a.png"),
        ("in/out/x/b.png", "x/b.png"),
    ]


def test_links_to_folders_are_not_followed_and_links_to_files_are_files(here: Path) -> None:
    _fill("in/a.png", "elsewhere/b.png")
    Path("in/circle").symlink_to(".", target_is_directory=True)
    Path("in/other").symlink_to("../elsewhere", target_is_directory=True)
    Path("in/link.png").symlink_to("../elsewhere/b.png")
    for pattern in ("in", "in/**/*.png"):
        assert _named(gather([Path(pattern)])) == [("in/a.png", "a.png"), ("in/link.png", "link.png")]
    assert _named(gather([Path("in/other")])) == [("in/other/b.png", "b.png")]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("in/*.png", ["a.png", "b.png"]),
        ("in/**/*.png", ["a.png", "b.png", "x/c.png", "x/y/d.png"]),
        ("in/*/*.png", ["x/c.png"]),
        ("in/?.png", ["a.png", "b.png"]),
        ("in/[ac].png", ["a.png"]),
        ("in/**", ["a.png", "b.png", "x/c.png", "x/y/d.png"]),
        ("in/x*", ["x/c.png", "x/y/d.png"]),
        ("*/x/*.png", ["in/x/c.png"]),
        ("*", ["in/a.png", "in/b.png", "in/x/c.png", "in/x/y/d.png"]),
    ],
)
@pytest.mark.parametrize("absolute", [False, True])
def test_patterns_keep_the_tree_below_their_plain_beginning(
    here: Path, pattern: str, names: list[str], absolute: bool
) -> None:
    _fill("in/a.png", "in/b.png", "in/x/c.png", "in/x/y/d.png")
    _fill("in/notes.txt", "in/x/notes.txt", content=b"ultramarine")
    found = gather([here / pattern if absolute else Path(pattern)])
    assert [one.name.as_posix() for one in found.found] == names
    assert found.alone == (len(names) == 1)


def test_an_image_sequence_is_one_clip(here: Path) -> None:
    _fill("in/s.0001.png", "in/s.0002.png", "a[1]/s.1.png")
    for inputs, one_clip in (([Path("in/s.%04d.png")], False), ([Path("in")], True)):
        found = gather(inputs, one_clip=one_clip)
        assert [(one.kind, one.path) for one in found.found] == [(MediaKind.SEQUENCE, Path("in/s.%04d.png"))]
        assert found.alone and list(found.paths()) == [Path("in/s.0001.png"), Path("in/s.0002.png")]
    # Signs of a pattern in a folder's name do not hide it; several folders are photos.
    assert gather([Path("a[1]/s.%d.png")]).found[0].kind is MediaKind.SEQUENCE
    assert len(gather([Path("in"), Path("a[1]")], one_clip=True).found) == 3
    with pytest.raises(InputError, match="does not exist"):
        gather([Path("in/gone.%04d.png")])


def test_what_is_named_twice_counts_once_where_its_result_would_be_the_same(here: Path) -> None:
    _fill("in/a.png", "in/x/b.png")
    _fill("in/empty.jpg", content=b"")
    _fill("in/notes.txt", content=b"ultramarine")
    twice = gather([Path("in"), Path("in/*"), here / "in", Path("in/a.png")])
    assert _named(twice) == [("in/a.png", "a.png"), ("in/x/b.png", "x/b.png")]
    assert (len(twice.unusable), twice.passed_over) == (1, 1)
    # Elsewhere below the output it is another result.
    assert _named(gather([Path("in"), Path("in/x")]))[2:] == [("in/x/b.png", "b.png")]
    assert gather([Path("in/a.png"), Path("in/a.png")]).alone


def test_a_file_of_that_very_name_comes_before_a_pattern(here: Path) -> None:
    _fill("[ab].png", "a.png", "b.png")
    assert _named(gather([Path("[ab].png")])) == [("[ab].png", "[ab].png")]
    _fill("c[1]/d.png")
    assert _named(gather([Path("c[1]")])) == [("c[1]/d.png", "d.png")]


def test_what_leads_nowhere_is_said(here: Path) -> None:
    Path("empty").mkdir()
    for name, words in (
        ("*.png", r"nothing matches \*\.png"),
        ("gone/**/*.png", "nothing matches"),
        ("**x/a.png", "is no pattern|nothing matches"),
        ("empty", "no photos or clips in empty"),
        ("gone.png", "does not exist"),
    ):
        with pytest.raises(InputError, match=words) as caught:
            gather([Path(name)])
        assert next_step(caught.value)
