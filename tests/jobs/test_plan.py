"""Names of outputs: no two inputs give one, none is an input, and a folder's tree is mirrored."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framestyle.errors import FramestyleError, InputError, OutputError, UsageError
from framestyle.jobs.plan import Task, plan
from framestyle.media.video_writer import CODECS

PHOTO = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
VIDEO = b"\0\0\0\x20ftypisom" + b"\0" * 40

STEMS = ("a", "b", "a.png", "a.jpg", "ä ö")
SUFFIXES = ("", ".png", ".jpg", ".JPG", ".tiff", ".gif", ".png.jpg")
FOLDERS = ("", "x/", "x/y/", "z/")
names = st.sampled_from(["".join(parts) for parts in product(FOLDERS, STEMS, SUFFIXES)])
photo_formats = st.sampled_from([None, "jpg", "png", "tif"])


def _fill(folder: Path, *photos: str, content: bytes = PHOTO) -> None:
    for name in photos:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def _files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _folder(given_names: set[str]) -> set[str]:
    """Without files whose name is a folder of others."""
    return {name for name in given_names if not any(other.startswith(f"{name}/") for other in given_names)}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _relative(tasks: list[Task]) -> list[tuple[str, str]]:
    return [(task.source.as_posix(), task.target.as_posix()) for task in tasks]


# -- properties --------------------------------------------------------------------------------------------


@given(photos=st.sets(names, min_size=1, max_size=8).map(_folder), photo_format=photo_formats)
@settings(deadline=None, derandomize=True, max_examples=60)
def test_a_folder_always_has_a_plan_that_mirrors_its_tree(photos: set[str], photo_format: str | None) -> None:
    with TemporaryDirectory() as name:
        folder, output = Path(name, "in"), Path(name, "out")
        _fill(folder, *photos)
        before = _files(Path(name))
        tasks = plan([folder], output, photo_format=photo_format)
        assert _files(Path(name)) == before and not output.exists()
    assert sorted(task.source.relative_to(folder).as_posix() for task in tasks) == sorted(photos)
    assert len({task.target for task in tasks}) == len(tasks)
    for task in tasks:
        was, becomes = task.source.relative_to(folder), task.target.relative_to(output)
        assert becomes.parent == was.parent
        assert becomes.name.startswith(was.name.removesuffix(was.suffix))
        if photo_format is not None:
            assert becomes.suffix == f".{photo_format}"
        else:
            assert becomes.suffix.lower() in (".png", ".jpg", ".tiff")


@given(
    photos=st.sets(names, min_size=1, max_size=6).map(_folder),
    chosen=st.lists(st.integers(0, 7), min_size=1, max_size=4),
    output=st.sampled_from(["out", "in", "in/x", "in/x/y", "in/new", "."]),
    photo_format=photo_formats,
    overwrite=st.booleans(),
)
@settings(deadline=None, derandomize=True, max_examples=150)
def test_no_plan_writes_over_an_input_or_twice_to_one_output(
    photos: set[str], chosen: list[int], output: str, photo_format: str | None, overwrite: bool
) -> None:
    with TemporaryDirectory() as name:
        root = Path(name)
        _fill(root / "in", *photos)
        before = _files(root)
        things = [root / "in", *sorted((root / "in").rglob("*"))]
        inputs = [things[n % len(things)] for n in chosen]
        try:
            tasks = plan(inputs, root / output, photo_format=photo_format, overwrite=overwrite)
        except FramestyleError as error:
            assert isinstance(error, UsageError | OutputError | InputError)
            assert error.next_step
            return
        finally:
            assert _files(root) == before
        targets = [task.target.resolve() for task in tasks]
        assert len(set(targets)) == len(targets)
        assert not set(targets) & {task.source.resolve() for task in tasks}
        assert overwrite or not any(target.exists() for target in targets)
        if len(tasks) > 1:
            assert all(target.is_relative_to((root / output).resolve()) for target in targets)


# -- a file to a file or into a folder ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("output", "into_folder", "target"),
    [
        ("new.png", False, "new.png"),
        ("new", False, "new/a.jpg"),
        ("there", False, "there/a.jpg"),
        ("there.d", False, "there.d/a.jpg"),
        ("new.d", True, "new.d/a.jpg"),
        (".", False, "a.jpg"),
    ],
)
def test_one_input_goes_to_the_file_named_or_into_the_folder(
    here: Path, output: str, into_folder: bool, target: str
) -> None:
    (here / "there").mkdir()
    (here / "there.d").mkdir()
    _fill(here, "in/a.jpg")
    assert _relative(plan([Path("in/a.jpg")], Path(output), into_folder=into_folder)) == [
        ("in/a.jpg", target)
    ]


def test_a_file_named_by_the_user_keeps_its_name_whatever_the_format(here: Path) -> None:
    _fill(here, "a.jpg")
    assert _relative(plan([Path("a.jpg")], Path("b.webp"), photo_format="png")) == [("a.jpg", "b.webp")]


def test_several_inputs_keep_their_order_and_kinds(here: Path) -> None:
    _fill(here, "one.png", "tree/x/two.jpg", "tree/three.tif")
    _fill(here, "film.mov", content=VIDEO)
    tasks = plan([Path("film.mov"), Path("tree"), Path("one.png")], Path("out"))
    assert [(task.kind, task.target.as_posix()) for task in tasks] == [
        ("video", "out/film.mov"),
        ("photo", "out/three.tif"),
        ("photo", "out/x/two.jpg"),
        ("photo", "out/one.png"),
    ]


@pytest.mark.parametrize("output", ["out.mp4", "out.PNG", "out.webm"])
def test_several_inputs_do_not_go_into_one_file(here: Path, output: str) -> None:
    _fill(here, "a.png", "b.png")
    with pytest.raises(UsageError, match="several inputs"):
        plan([Path("a.png"), Path("b.png")], Path(output))
    assert len(plan([Path("a.png"), Path("b.png")], Path(output), into_folder=True)) == 2


# -- photos ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "photo_format", "becomes"),
    [
        ("a.jpg", None, "a.jpg"),
        ("a.JPEG", None, "a.JPEG"),
        ("a", None, "a.png"),
        ("a.gif", None, "a.gif.png"),
        ("a.jpg", "png", "a.png"),
        ("a", "webp", "a.webp"),
        ("a.b.jpg", "png", "a.b.png"),
    ],
)
def test_a_photo_keeps_its_name_as_far_as_its_format_goes(
    here: Path, name: str, photo_format: str | None, becomes: str
) -> None:
    _fill(here, f"in/{name}")
    for source in ("in", f"in/{name}"):
        (task,) = plan([Path(source)], Path("out"), photo_format=photo_format)
        assert task.target == Path("out", becomes)


def test_photos_that_one_format_would_merge_keep_their_whole_names(here: Path) -> None:
    _fill(
        here,
        "in/a.jpg",
        "in/a.png",
        "in/b.png",
        "in/x/a.png",
        "other/a.png.png",
        "other/a.png",
        "other/a.jpg",
    )
    assert [target for _, target in _relative(plan([Path("in")], Path("out"), photo_format="png"))] == [
        "out/a.jpg.png",
        "out/a.png.png",
        "out/b.png",
        "out/x/a.png",
    ]
    merged = plan([Path("other")], Path("out"), photo_format="png")
    assert len({task.target for task in merged}) == 3


def test_two_inputs_of_one_name_are_refused_with_both_names(here: Path) -> None:
    _fill(here, "one/a.png", "two/a.png")
    with pytest.raises(UsageError, match=r"one/a\.png and two/a\.png would both become out/a\.png"):
        plan([Path("one"), Path("two")], Path("out"))
    with pytest.raises(UsageError, match="both become"):
        plan([Path("one/a.png"), Path("one/a.png")], Path("out"))


def test_results_inside_the_input_folder_are_not_stylized_again(here: Path) -> None:
    _fill(here, "in/a.png", "in/x/b.png", "in/painted/a.png", "in/painted/x/b.png")
    tasks = plan([Path("in")], Path("in/painted"), overwrite=True)
    assert _relative(tasks) == [("in/a.png", "in/painted/a.png"), ("in/x/b.png", "in/painted/x/b.png")]


# -- clips -------------------------------------------------------------------------------------------------


def _containers() -> Iterator[tuple[str, str, str]]:
    for codec in ("h264", "h265", "vp9", "av1", "prores", "ffv1"):
        for suffix in (".mp4", ".MOV", ".mkv", ".webm", ".avi", ".gif", ""):
            fits = suffix.lower() in CODECS[codec].containers
            yield codec, f"film{suffix}", f"film{suffix if fits else CODECS[codec].containers[0]}"


@pytest.mark.parametrize(("codec", "name", "becomes"), list(_containers()))
def test_a_clip_in_a_folder_is_called_what_its_codec_goes_into(
    here: Path, codec: str, name: str, becomes: str
) -> None:
    _fill(here, name, content=VIDEO)
    (task,) = plan([Path(name)], Path("out"), video_codec=codec)
    assert (task.kind, task.target) == ("video", Path("out", becomes))


# -- what is refused ---------------------------------------------------------------------------------------


def test_an_output_that_exists_needs_overwrite(here: Path) -> None:
    _fill(here, "a.png", "out.png", "out/a.png")
    for output in ("out.png", "out"):
        with pytest.raises(OutputError, match="exists already"):
            plan([Path("a.png")], Path(output))
        assert len(plan([Path("a.png")], Path(output), overwrite=True)) == 1


def test_an_input_is_never_the_output_even_through_links_and_with_overwrite(here: Path) -> None:
    _fill(here, "a.png", "b.png")
    (here / "link.png").symlink_to("a.png")
    (here / "hard.png").hardlink_to("a.png")
    for output in ("a.png", "./a.png", "link.png", "hard.png", "."):
        with pytest.raises(OutputError, match="is an input"):
            plan([Path("a.png")], Path(output), overwrite=True)


def test_an_output_that_is_another_inputs_file_is_refused(here: Path) -> None:
    """tree/a.png is an input; other/a.jpg as PNG would be written over it."""
    _fill(here, "tree/a.png", "tree/a.jpg", "other/a.jpg")
    with pytest.raises(OutputError, match=r"tree/a\.png is an input"):
        plan([Path("tree"), Path("other/a.jpg")], Path("tree"), photo_format="png", overwrite=True)


def test_what_cannot_be_an_input_is_said(here: Path) -> None:
    (here / "empty").mkdir()
    _fill(here, "notes.txt", content=b"ultramarine")
    _fill(here, "film.mp4", content=VIDEO)
    _fill(here, "in/.hidden.png")
    for source, words in (
        ("missing.png", "does not exist"),
        ("empty", "no photos in empty"),
        ("in", "no photos in in"),
        ("notes.txt", "neither a video nor a photo"),
    ):
        with pytest.raises(InputError, match=words) as caught:
            plan([Path("film.mp4"), Path(source)] if source == "notes.txt" else [Path(source)], Path("out"))
        assert caught.value.next_step
