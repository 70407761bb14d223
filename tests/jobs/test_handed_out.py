"""Work that is handed out: planned into files, painted by processes of their own, joined; the bytes of one go."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framestyle.context import Context
from framestyle.errors import Cancelled, Code, InputError, OutputError
from framestyle.events import Event, FrameDone
from framestyle.jobs.plan.tasks import Task
from framestyle.jobs.plan.units import PhotoTask, ShotTask, Unit, unit_from_json, unit_to_json
from framestyle.jobs.resume.fingerprint import FileFingerprint
from framestyle.jobs.resume.resume_key import work_folder_of
from framestyle.jobs.run import handed_out
from framestyle.jobs.run.batch import Order, paint, prepare
from framestyle.kinds import MediaKind, TimeRange
from framestyle.motion.shots import Shot
from framestyle.nst.sizes import Size
from framestyle.presets import Preset
from framestyle.resolve import render_spec
from framestyle.spec import RenderSpec

MakeClip = Callable[..., Path]
MakePreset = Callable[..., Preset]
PAINT = "import sys; from pathlib import Path; from framestyle.jobs.run.handed_out import {0}; {0}(Path(sys.argv[1]))"
FRAMES, SHOTS = 8, (5, 3)


# -- units are values --------------------------------------------------------------------------------------

_times = st.one_of(st.none(), st.fractions(0, 10_000))
_givens = st.one_of(
    st.none(), st.builds(FileFingerprint, st.integers(0), st.integers(0), st.text("0af", min_size=1))
)
_keys = st.one_of(st.none(), st.text("0123456789abcdef", min_size=1))
_names = st.sampled_from(["in.mp4", "clips/b c.mov", "../elsewhere/frame.%04d.png", "über/ä.png"])
_units = st.one_of(
    st.builds(
        ShotTask,
        st.builds(Path("/root-of-it/project").joinpath, _names),
        st.integers(0, 9999),
        st.builds(
            lambda first, count: Shot(first, first + count), st.integers(0, 10**6), st.integers(1, 9999)
        ),
        st.builds(Size, st.integers(1, 9999), st.integers(1, 9999)),
        st.builds(TimeRange, _times, _times),
        st.fractions(1, 240),
        st.just(Path("/root-of-it/project/.framestyle-work-0123")),
        _keys,
        _givens,
    ),
    st.builds(
        PhotoTask,
        st.builds(Path("/root-of-it/project").joinpath, _names),
        st.just(Path("/root-of-it/project/out/a.png")),
        st.integers(0, 9999),
        _keys,
        _givens,
    ),
)


@settings(deadline=None, max_examples=60)
@given(unit=_units)
def test_a_unit_comes_back_from_json(unit: Unit) -> None:
    folder = Path("/root-of-it/project/.framestyle-work-0123/plan")
    back = unit_from_json(unit_to_json(unit, folder), folder)
    assert back == replace(unit, source=Path(os.path.normpath(unit.source)))


def test_its_paths_move_with_the_folder_that_holds_them_all() -> None:
    shot = ShotTask(
        Path("/here/film/in.mp4"),
        1,
        Shot(5, 8),
        Size(32, 24),
        TimeRange(Fraction(1, 5)),
        Fraction(25),
        Path("/here/film/.work"),
    )
    text = unit_to_json(shot, Path("/here/film/.work/plan"))
    moved = unit_from_json(text, Path("/mnt/there/.work/plan"))
    assert moved == replace(shot, source=Path("/mnt/there/in.mp4"), work=Path("/mnt/there/.work"))
    apart = replace(shot, source=Path("/elsewhere/in.mp4"))
    assert (
        unit_from_json(unit_to_json(apart, Path("/here/film/.work/plan")), Path("/mnt/plan")).source
        == apart.source
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "no unit of work"),
        ("{", "no unit of work"),
        ('{"framestyle_unit": 0}', "its version is 0"),
        ('{"framestyle_unit": 2}', "newer than this FrameStyle"),
        ('{"framestyle_unit": 1}', "no unit of work"),
    ],
)
def test_what_is_no_unit_is_refused(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        unit_from_json(text, Path())


# -- painting them elsewhere -------------------------------------------------------------------------------


@pytest.fixture
def project(here: Path, make_clip: MakeClip) -> Path:
    """A folder with a clip of two shots, which has transparency, and sound."""
    clip = make_clip("in.mkv", "-c:v", "ffv1", "-pix_fmt", "bgra", shots=SHOTS, sound=True)
    folder = here / "project"
    folder.mkdir()
    return clip.rename(folder / clip.name).parent


@pytest.fixture
def spec(make_preset: MakePreset) -> RenderSpec:
    output = {"video_codec": "prores", "save_every_s": 0}
    return render_spec(make_preset(output=output), weights="untrained", device="cpu")


_known: list[bytes] = []


def _one_go(project: Path, spec: RenderSpec) -> bytes:
    """What comes of the clip by the ordinary command: made once, of a clip that is always the same."""
    if not _known:
        order = Order(
            [project / "in.mkv"], project / "whole.mov", [spec.preset], weights="untrained", device="cpu"
        )
        paint(prepare(order), order)
        _known.append((project / "whole.mov").read_bytes())
        (project / "whole.mov").unlink()
    return _known[0]


def _planned(project: Path, spec: RenderSpec) -> list[Path]:
    return handed_out.plan([_task(project)], spec, project / "units")


def _task(project: Path) -> Task:
    return Task(MediaKind.VIDEO, project / "in.mkv", project / "out.mov")


def _elsewhere(function: str, path: Path) -> None:
    """In a process of its own."""
    subprocess.run([sys.executable, "-c", PAINT.format(function), str(path)], check=True)


def test_shots_painted_by_processes_of_their_own_are_the_clip(project: Path, spec: RenderSpec) -> None:
    """Planned here, moved, painted in the other order, joined: byte for byte what comes in one go."""
    whole = _one_go(project, spec)
    units = _planned(project, spec)
    assert [path.name for path in units] == ["shot-00000.json", "shot-00001.json"]
    moved = project.rename(project.with_name("moved"))
    for unit in reversed(units):
        _elsewhere("paint", moved / unit.relative_to(project))
    _elsewhere("join", work_folder_of(moved / "out.mov"))
    assert (moved / "out.mov").read_bytes() == whole
    assert sorted(path.name for path in moved.iterdir()) == ["in.mkv", "out.mov"]


def test_a_photo_painted_from_its_file_is_the_photo(here: Path, photo: Path, spec: RenderSpec) -> None:
    for name in ("whole.png", "out.png"):
        task = Task(MediaKind.PHOTO, photo, here / name)
        (unit,) = handed_out.plan([task], spec, here / "units")
        handed_out.paint(unit)
    assert (here / "whole.png").read_bytes() == (here / "out.png").read_bytes()
    photo.write_bytes(photo.read_bytes() + b"more")
    with pytest.raises(InputError, match="is not what it was when the work was planned"):
        handed_out.paint(unit)


def _stop_in(frame: int) -> Callable[[Event], None]:
    def heard(event: Event) -> None:
        if isinstance(event, FrameDone) and event.index == frame:
            raise Cancelled

    return heard


def _painted(path: Path, on_event: Callable[[Event], None] = lambda event: None) -> list[int]:
    news: list[Event] = []
    context = Context(on_event).also(news.append)
    handed_out.paint(path, context)
    return [event.index for event in news if isinstance(event, FrameDone)]


def test_a_shot_is_resumed_painted_once_and_joined_with_its_clip(
    project: Path, spec: RenderSpec, loads: list[str]
) -> None:
    whole = _one_go(project, spec)
    first, second = _planned(project, spec)
    with pytest.raises(Cancelled):
        _painted(first, _stop_in(3))
    assert _painted(first) == [3, 4]
    assert _painted(first) == []
    with pytest.raises(OutputError, match=r"shot 2 of .* is not painted to its end") as early:
        handed_out.join(work_folder_of(project / "out.mov"))
    assert early.value.code is Code.WORK_UNFINISHED and not (project / "out.mov").exists()
    assert _painted(second) == [5, 6, 7]
    handed_out.join(work_folder_of(project / "out.mov"))
    assert (project / "out.mov").read_bytes() == whole


def test_two_that_paint_the_same_shot_do_no_harm(project: Path, spec: RenderSpec, loads: list[str]) -> None:
    """The second one begins while the first is at it, and is done sooner: it counts, and the first one's goes."""
    whole = _one_go(project, spec)
    first, second = _planned(project, spec)
    inner: list[int] = []

    def meanwhile(event: Event) -> None:
        if isinstance(event, FrameDone) and event.index == 2 and not inner:
            inner.extend(_painted(first))

    assert _painted(first, meanwhile) == inner == [0, 1, 2, 3, 4]
    _painted(second)
    shots = work_folder_of(project / "out.mov") / "shots"
    assert sorted(path.name for path in shots.iterdir() if path.is_dir()) == ["00000", "00001"]
    handed_out.join(shots.parent)
    assert (project / "out.mov").read_bytes() == whole


def test_the_ordinary_command_resumes_what_was_handed_out(
    project: Path, spec: RenderSpec, loads: list[str]
) -> None:
    whole = _one_go(project, spec)
    _painted(_planned(project, spec)[1])
    order = Order([project / "in.mkv"], project / "out.mov", [spec.preset], weights="untrained", device="cpu")
    news: list[Event] = []
    paint(prepare(order), order, Context(news.append))
    assert [event.index for event in news if isinstance(event, FrameDone)] == [0, 1, 2, 3, 4]
    assert (project / "out.mov").read_bytes() == whole
    assert not [path for path in project.iterdir() if path.name.startswith(".")]


def test_a_plan_made_with_other_versions_is_refused(project: Path, spec: RenderSpec) -> None:
    unit = _planned(project, spec)[0]
    facts = work_folder_of(project / "out.mov") / "work.json"
    told = json.loads(facts.read_text())
    facts.write_text(json.dumps({**told, "versions": {**told["versions"], "torch": "0.1"}}))
    with pytest.raises(OutputError, match=r"was begun by torch 0\.1 \(now "):
        handed_out.paint(unit)


def test_a_plan_for_other_settings_waits_for_no_work_and_is_replaced(
    project: Path, spec: RenderSpec, make_preset: MakePreset, loads: list[str]
) -> None:
    unit = _planned(project, spec)[0]
    other = render_spec(make_preset(tv_weight=3.0), weights="untrained", device="cpu")
    assert _planned(project, other)[0] == unit
    _painted(unit)
    with pytest.raises(OutputError, match="was begun with other settings"):
        _planned(project, spec)
    shutil.rmtree(work_folder_of(project / "out.mov"))
    with pytest.raises(InputError, match="cannot be read"):
        handed_out.join(work_folder_of(project / "out.mov"))
