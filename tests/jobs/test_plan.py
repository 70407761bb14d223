"""Names of outputs: no two inputs give one, none is an input, and a folder's tree is mirrored."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from planning import planned

from framestyle.doors.advice import next_step
from framestyle.errors import FramestyleError, InputError, OutputError, UsageError
from framestyle.jobs.plan.inputs import gather
from framestyle.jobs.plan.tasks import Naming, Task, as_one, plan
from framestyle.kinds import MediaKind
from framestyle.media.video.writer import CODECS

HEADS = {
    **dict.fromkeys((".jpg", ".jpeg", ".jpe", ".jfif"), b"\xff\xd8\xff\xe0"),
    **dict.fromkeys((".tif", ".tiff"), b"II*\0"),
    ".webp": b"RIFF\0\0\0\0WEBP",
}
"""How photos begin, by the endings of their names; without one, as a PNG does."""
PHOTO = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
VIDEO = b"\0\0\0\x20ftypisom" + b"\0" * 40

STEMS = ("a", "b", "a.png", "a.jpg", "ä ö")
SUFFIXES = ("", ".png", ".jpg", ".JPG", ".tiff", ".gif", ".png.jpg")
FOLDERS = ("", "x/", "x/y/", "z/")
names = st.sampled_from(["".join(parts) for parts in product(FOLDERS, STEMS, SUFFIXES)])
other_spellings = st.sampled_from(["A.png", "A.JPG", "x/a.PNG", "X/a.png", "a\u0308 o\u0308.png"])
"""One file with others on systems that do not tell letters' case apart, or how accents are composed."""
namings = st.builds(
    Naming, st.sampled_from([None, "jpg", "png", "tif"]), st.sampled_from(["h264", "vp9", "gif"])
)


def _fill(folder: Path, *photos: str, content: bytes | None = None) -> None:
    for name in photos:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(_photo(Path(name).suffix.lower()) if content is None else content)


def _photo(suffix: str) -> bytes:
    if suffix == ".gif":
        data = io.BytesIO()
        Image.new("L", (1, 1)).save(data, "GIF")
        return data.getvalue()
    return HEADS.get(suffix, PHOTO[:8]) + b"\0" * 40


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


@given(
    photos=st.lists(names, min_size=1, max_size=8, unique_by=str.casefold).map(set).map(_folder),
    clips=st.integers(0, 255),
    naming=namings,
)
@settings(deadline=None, derandomize=True, max_examples=100)
def test_a_folder_always_has_a_plan_that_mirrors_its_tree(
    photos: set[str], clips: int, naming: Naming
) -> None:
    with TemporaryDirectory() as name:
        folder, output = Path(name, "in"), Path(name, "out")
        for number, photo in enumerate(sorted(photos)):
            _fill(folder, photo, content=VIDEO if clips >> number & 1 else None)
        before = _files(Path(name))
        tasks = planned([folder], output, photo_format=naming.photo_format, video_codec=naming.video_codec)
        assert _files(Path(name)) == before and not output.exists()
    assert sorted(task.source.relative_to(folder).as_posix() for task in tasks) == sorted(photos)
    assert len({as_one(task.target) for task in tasks}) == len(tasks)
    for task in tasks:
        was, becomes = task.source.relative_to(folder), task.target.relative_to(output)
        assert becomes.parent == was.parent
        assert becomes.name.startswith(was.name.removesuffix(was.suffix))
        if task.kind is MediaKind.VIDEO:
            assert becomes.suffix.lower() in CODECS[naming.video_codec].containers
        elif naming.photo_format is not None:
            assert becomes.suffix == f".{naming.photo_format}"
        else:
            assert becomes.suffix.lower() in (".png", ".jpg", ".tiff")


@given(
    photos=st.sets(names | other_spellings, min_size=1, max_size=6).map(_folder),
    chosen=st.lists(st.integers(0, 7), min_size=1, max_size=4),
    output=st.sampled_from(["out", "in", "in/x", "in/x/y", "in/new", "."]),
    naming=namings,
)
@settings(deadline=None, derandomize=True, max_examples=200)
def test_no_plan_writes_over_an_input_or_twice_to_one_output(
    photos: set[str], chosen: list[int], output: str, naming: Naming
) -> None:
    with TemporaryDirectory() as name:
        root = Path(name)
        _fill(root / "in", *photos)
        before = _files(root)
        things = [root / "in", *sorted((root / "in").rglob("*"))]
        inputs = [things[n % len(things)] for n in chosen]
        try:
            tasks = planned(inputs, root / output, photo_format=naming.photo_format)
        except FramestyleError as error:
            assert isinstance(error, UsageError | OutputError | InputError)
            assert next_step(error)
            return
        finally:
            assert _files(root) == before
        targets = [task.target.resolve() for task in tasks]
        assert len({as_one(target) for target in targets}) == len(targets)
        assert not set(targets) & {task.source.resolve() for task in tasks}
        assert not {parent for target in targets for parent in target.parents} & set(targets)
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
    assert _relative(planned([Path("in/a.jpg")], Path(output), into_folder=into_folder)) == [
        ("in/a.jpg", target)
    ]


def test_a_file_named_by_the_user_keeps_its_name_whatever_the_format(here: Path) -> None:
    _fill(here, "a.jpg")
    assert _relative(planned([Path("a.jpg")], Path("b.webp"), photo_format="png")) == [("a.jpg", "b.webp")]


def test_several_inputs_keep_their_order_and_kinds(here: Path) -> None:
    _fill(here, "one.png", "tree/x/two.jpg", "tree/three.tif")
    _fill(here, "film.mov", content=VIDEO)
    tasks = planned([Path("film.mov"), Path("tree"), Path("one.png")], Path("out"))
    assert [(task.kind, task.target.as_posix()) for task in tasks] == [
        (MediaKind.VIDEO, "out/film.mov"),
        (MediaKind.PHOTO, "out/three.tif"),
        (MediaKind.PHOTO, "out/x/two.jpg"),
        (MediaKind.PHOTO, "out/one.png"),
    ]


@pytest.mark.parametrize("output", ["out.mp4", "out.PNG", "out.webm"])
def test_several_inputs_do_not_go_into_one_file(here: Path, output: str) -> None:
    _fill(here, "a.png", "b.png")
    with pytest.raises(UsageError, match="several inputs"):
        planned([Path("a.png"), Path("b.png")], Path(output))
    assert len(planned([Path("a.png"), Path("b.png")], Path(output), into_folder=True)) == 2


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
        (task,) = planned([Path(source)], Path("out"), photo_format=photo_format)
        assert task.target == Path("out", becomes)


@pytest.mark.parametrize(
    ("name", "like", "becomes"),
    [
        ("download.jfif", ".jpg", "download.jfif"),
        ("scan.jpe", ".jpg", "scan.jpe"),
        ("noending", ".jpg", "noending.jpg"),
        ("shot.0012", ".png", "shot.0012.png"),
        ("really.png", ".jpg", "really.jpg"),
        ("really.heic", ".jpg", "really.jpg"),
        ("really.jpg", ".webp", "really.webp"),
        ("really.jpeg", ".tif", "really.tif"),
        ("really.tif", "", "really.png"),
    ],
)
def test_a_photo_stays_in_the_format_that_it_is_in_whatever_its_name_ends_in(
    here: Path, name: str, like: str, becomes: str
) -> None:
    _fill(here, f"in/{name}", content=_photo(like))
    (task,) = planned([Path("in")], Path("out"))
    assert task.target == Path("out", becomes)


def test_two_photos_whose_right_endings_would_be_one_name_keep_their_own_names(here: Path) -> None:
    _fill(here, "in/a.png", content=_photo(".jpg"))
    _fill(here, "in/a.jpg")
    assert {task.target.name for task in planned([Path("in")], Path("out"))} == {"a.png.jpg", "a.jpg.jpg"}


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
    assert [target for _, target in _relative(planned([Path("in")], Path("out"), photo_format="png"))] == [
        "out/a.jpg.png",
        "out/a.png.png",
        "out/b.png",
        "out/x/a.png",
    ]
    merged = planned([Path("other")], Path("out"), photo_format="png")
    assert len({task.target for task in merged}) == 3


def test_inputs_that_one_format_would_merge_keep_their_whole_names_wherever_they_lie(here: Path) -> None:
    _fill(here, "one/a.jpg", "two/a.png")
    _fill(here, "three/b.mov", "three/b.mkv", "three/c.mp4", content=VIDEO)
    tasks = planned(
        [Path("one"), Path("two/a.png"), Path("three")], Path("out"), photo_format="webp", video_codec="vp9"
    )
    assert [target for _, target in _relative(tasks)] == [
        "out/a.jpg.webp", "out/a.png.webp", "out/b.mkv", "out/b.webm", "out/c.mp4"
    ]  # fmt: skip
    clips = planned([Path("three")], Path("out"), video_codec="gif")
    assert [target for _, target in _relative(clips)] == ["out/b.mkv.gif", "out/b.mov.gif", "out/c.gif"]


def test_two_inputs_of_one_name_are_refused_with_both_names(here: Path) -> None:
    _fill(here, "one/a.png", "two/a.png")
    with pytest.raises(UsageError, match=r"one/a\.png and two/a\.png would both become out/a\.png"):
        planned([Path("one"), Path("two")], Path("out"))


def test_results_inside_the_input_folder_are_not_stylized_again(here: Path) -> None:
    _fill(here, "in/a.png", "in/x/b.png", "in/painted/a.png", "in/painted/x/b.png")
    tasks = planned([Path("in")], Path("in/painted"))
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
    (task,) = planned([Path(name)], Path("out"), video_codec=codec)
    assert (task.kind, task.target) == (MediaKind.VIDEO, Path("out", becomes))


# -- what is refused ---------------------------------------------------------------------------------------


def test_an_input_is_never_the_output_even_through_links(here: Path) -> None:
    _fill(here, "a.png", "b.png")
    (here / "link.png").symlink_to("a.png")
    (here / "hard.png").hardlink_to("a.png")
    for output in ("a.png", "./a.png", "link.png", "hard.png", "."):
        with pytest.raises(OutputError, match="is an input"):
            planned([Path("a.png")], Path(output))


def test_a_style_image_is_not_written_over(here: Path) -> None:
    _fill(here, "in/a.png", "styles/a.png")
    found = gather([Path("in")])
    (here / "link.png").symlink_to("styles/a.png")
    for style in ("styles/a.png", "link.png"):
        with pytest.raises(OutputError, match=r"styles/a\.png is a style image"):
            plan(found, Path("styles"), Naming(), style_images=[Path(style), Path("gone.png")])
    assert plan(found, Path("out"), Naming(), style_images=[Path("styles/a.png")])


def test_an_output_that_is_another_inputs_file_is_refused(here: Path) -> None:
    """other/a.jpg as PNG would be written over a photo that cannot even be read."""
    _fill(here, "tree/a.png", content=b"")
    _fill(here, "other/a.jpg")
    with pytest.raises(OutputError, match=r"tree/a\.png is an input"):
        planned([Path("tree"), Path("other")], Path("tree"), photo_format="png")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a.jpg", "A.jpg"),
        ("x/a.jpg", "X/a.jpg"),
        ("\u00e4.png", "a\u0308.png"),
        ("stra\u00dfe.png", "strasse.png"),
    ],
)
def test_outputs_that_other_systems_take_for_one_are_refused(here: Path, one: str, other: str) -> None:
    _fill(here, f"in/{one}", f"in/{other}")
    with pytest.raises(UsageError, match="one file on many systems"):
        planned([Path("in")], Path("out"))


def test_an_output_is_not_a_frame_of_another(here: Path) -> None:
    _fill(here, "in/s.0001.png", "in/s.0002.png", "other/s.1.png")
    pattern = Path("in/s.%04d.png")
    assert len(planned([pattern, Path("other")], Path("out"))) == 2
    for inputs in ([pattern, Path("in")], [Path("in"), pattern], [pattern, Path("other/s.%d.png")]):
        with pytest.raises(UsageError, match=r"would become out/s\.%04d\.png.* which is one of these"):
            planned(inputs, Path("out"))


def test_an_output_is_not_the_folder_of_another(here: Path) -> None:
    _fill(here, "in/a.jpg", "in/a.png/b.jpg")
    with pytest.raises(UsageError, match=r"in/a\.jpg would become out/a\.png, which is the folder of"):
        planned([Path("in")], Path("out"), photo_format="png")


def test_what_cannot_be_an_input_is_said(here: Path) -> None:
    (here / "empty").mkdir()
    _fill(here, "notes.txt", content=b"ultramarine")
    _fill(here, "film.mp4", content=VIDEO)
    _fill(here, "in/.hidden.png")
    for source, words in (
        ("missing.png", "does not exist"),
        ("empty", "no photos or clips in empty"),
        ("in", "no photos or clips in in"),
        ("notes.txt", "neither a video nor a photo"),
    ):
        with pytest.raises(InputError, match=words) as caught:
            planned(
                [Path("film.mp4"), Path(source)] if source == "notes.txt" else [Path(source)], Path("out")
            )
        assert next_step(caught.value)
