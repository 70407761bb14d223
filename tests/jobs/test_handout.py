"""Work that is handed out: planned into files, painted by processes of their own, joined; the bytes of one go."""

from __future__ import annotations

import json
import os
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
from framestyle.errors import (
    Cancelled,
    Code,
    FramestyleError,
    InputError,
    OutputError,
    StorageError,
    UsageError,
    WeightsError,
)
from framestyle.events import Event, FrameDone, JobDone, TaskFailed
from framestyle.jobs.handout.folder import Handout, task_path
from framestyle.jobs.handout.joining import join
from framestyle.jobs.handout.painting import Painter, unfinished
from framestyle.jobs.handout.planning import Planned, plan
from framestyle.jobs.plan.units import PhotoTask, ShotTask, Unit, unit_from_json, unit_to_json
from framestyle.jobs.resume import shot_work
from framestyle.jobs.resume.fingerprint import FileFingerprint
from framestyle.jobs.run.batch import Order, paint, prepare
from framestyle.kinds import TimeRange
from framestyle.motion.shots import Shot
from framestyle.nst.sizes import Size
from framestyle.presets import Preset

MakeClip = Callable[..., Path]
MakePreset = Callable[..., Preset]
PAINT = "import sys; from framestyle.doors.cli import main; sys.exit(main(['task', 'paint', *sys.argv[1:]]))"
SHOTS = (5, 3)
PHOTOS = ("a.png", "b.png")


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
def project(here: Path, make_clip: MakeClip, photo: Path) -> Path:
    """A folder with a clip of two shots, which has transparency and sound, two photos, and one that is damaged."""
    clip = make_clip("in.mov", "-c:v", "qtrle", "-pix_fmt", "argb", shots=SHOTS, sound=True)
    folder = here / "project" / "in"
    folder.mkdir(parents=True)
    clip.rename(folder / clip.name)
    for name in PHOTOS:
        (folder / name).write_bytes(photo.read_bytes())
    (folder / "damaged.png").write_bytes(photo.read_bytes()[:60])
    return folder.parent


@pytest.fixture
def order(project: Path, make_preset: MakePreset) -> Order:
    preset = make_preset(output={"video_codec": "prores", "save_every_s": 0})
    return Order([project / "in"], project / "out", [preset], weights="untrained", device="cpu")


def _planned(order: Order, project: Path) -> Planned:
    return plan(order, project / "work")


def _painted(
    project: Path, numbers: list[int], on_event: Callable[[Event], None] = lambda event: None
) -> list[int]:
    """Painted here; gives the frames that were. What cannot be painted on any machine is passed over."""
    news: list[Event] = []
    with Painter(Handout.read(project / "work"), Context(on_event).also(news.append)) as painter:
        for number in numbers:
            try:
                painter.paint(number)
            except InputError:
                continue
    return [event.index for event in news if isinstance(event, FrameDone)]


def _tree(folder: Path) -> dict[str, bytes]:
    """All results, by name."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".framestyle.json"
    }


def _manifest(folder: Path) -> object:
    """What it says, but for times."""
    told = json.loads((folder / ".framestyle.json").read_text().replace("/moved/", "/project/"))
    return json.loads(
        json.dumps(told), object_hook=lambda one: {k: v for k, v in one.items() if k != "mtime_ns"}
    )


def _report(news: list[Event]) -> list[object]:
    done = [event for event in news if isinstance(event, JobDone)]
    failed = [
        (Path(event.path).name, event.message.rpartition("/")[2], event.code)
        for event in news
        if isinstance(event, TaskFailed)
    ]
    return [*failed, *((len(one.outputs), len(one.failed), one.frames, one.steps) for one in done)]


def test_what_is_joined_is_what_one_go_makes(project: Path, order: Order, loads: list[str]) -> None:
    """Planned, moved, painted in the other order by a process of its own and here, joined: bytes, manifest, report."""
    whole: list[Event] = []
    paint(prepare(order), order, Context(whole.append))
    (project / "out").rename(project / "whole")
    planned = _planned(order, project)
    assert planned.handout is not None and len(planned.units) == 5
    moved = project.rename(project.with_name("moved"))
    task = task_path(moved / "work", 4)
    subprocess.run([sys.executable, "-c", PAINT, str(task)], check=True)
    _painted(moved, [3, 2, 1, 0])
    joined: list[Event] = []
    join(moved / "work", Context(joined.append))
    assert _tree(moved / "out") == _tree(moved / "whole")
    assert _manifest(moved / "out") == _manifest(moved / "whole")
    assert _report(joined) == _report(whole)
    assert not [path for path in (moved / "out").iterdir() if path.name.startswith(".framestyle-")]
    assert join(moved / "work") == []


def test_a_plan_made_twice_is_one_and_another_is_refused(
    project: Path, order: Order, make_preset: MakePreset
) -> None:
    first = _planned(order, project)
    times = {path: path.stat().st_mtime_ns for path in (project / "work").rglob("*.json")}
    assert _planned(order, project) == first
    assert times == {path: path.stat().st_mtime_ns for path in (project / "work").rglob("*.json")}
    with pytest.raises(OutputError, match="holds the work of another job"):
        _planned(replace(order, presets=[make_preset(tv_weight=3.0)]), project)
    with pytest.raises(UsageError, match="which is an input"):
        plan(order, project / "in" / "work")


def _stop_in(frame: int) -> Callable[[Event], None]:
    def heard(event: Event) -> None:
        if isinstance(event, FrameDone) and event.index == frame:
            raise Cancelled

    return heard


def _shots(planned: Planned) -> list[int]:
    return [one.number for one in planned.units if isinstance(one.unit, ShotTask)]


def test_a_shot_is_resumed_and_painted_once(project: Path, order: Order, loads: list[str]) -> None:
    first, second = _shots(_planned(order, project))
    with pytest.raises(Cancelled):
        _painted(project, [first], _stop_in(3))
    assert _painted(project, [first]) == [3, 4]
    assert _painted(project, [first]) == []
    with pytest.raises(OutputError, match="are not painted to their end") as early:
        join(project / "work")
    assert early.value.code is Code.WORK_UNFINISHED and not (project / "out").exists()
    assert second in unfinished(Handout.read(project / "work"))


def test_two_that_paint_the_same_shot_do_no_harm(project: Path, order: Order, loads: list[str]) -> None:
    """The second one begins while the first is at it, and is done sooner: it counts, and the first one's goes."""
    first, _ = _shots(_planned(order, project))
    inner: list[int] = []

    def meanwhile(event: Event) -> None:
        if isinstance(event, FrameDone) and event.index == 2 and not inner:
            inner.extend(_painted(project, [first]))

    assert _painted(project, [first], meanwhile) == inner == [0, 1, 2, 3, 4]
    (shots,) = (project / "work" / "clips").glob("*/shots")
    assert sorted(path.name for path in shots.iterdir() if path.is_dir()) == ["00000"]


# -- what is not as it was ---------------------------------------------------------------------------------


def _rewrite(path: Path, change: Callable[[dict[str, object]], object]) -> None:
    told = json.loads(path.read_text())
    change(told)
    path.write_text(json.dumps(told))


def _edited(work: Path) -> None:
    _rewrite(task_path(work, 0), lambda told: told["body"].update(megapixel_steps=0.0))  # type: ignore[attr-defined]


def _newer(work: Path) -> None:
    _rewrite(work / "job.json", lambda told: told.update(framestyle_job=99))


def _other_versions(work: Path) -> None:
    from framestyle.jobs.handout.sealed import digest_of

    def change(told: dict[str, object]) -> None:
        body = told["body"]
        assert isinstance(body, dict)
        body["versions"]["torch"] = "0.1"
        told["sha256"] = digest_of(body)

    _rewrite(work / "job.json", change)


def _other_input(work: Path) -> None:
    path = work.parent / "in" / "a.png"
    path.write_bytes(path.read_bytes() + b"more")


def _of_another_job(work: Path) -> None:
    from framestyle.jobs.handout.sealed import read_sealed, write_sealed

    path = task_path(work, 0)
    body, _ = read_sealed(path, "framestyle_task", 1, "a task")
    write_sealed(path, "framestyle_task", 1, {**body, "job_id": "another"})


@pytest.mark.parametrize(
    ("hostile", "words"),
    [
        (_edited, "was changed since it was written"),
        (_newer, "of version 99, newer than this FrameStyle knows"),
        (_other_versions, r"was planned by torch 0\.1 \(here "),
        (_other_input, "is not what it was when the work was planned"),
        (_of_another_job, "belongs to another job"),
    ],
)
def test_what_is_not_as_it_was_is_refused_and_nothing_published(
    project: Path, order: Order, hostile: Callable[[Path], None], words: str
) -> None:
    _planned(order, project)
    hostile(project / "work")
    with pytest.raises(FramestyleError, match=words), Painter(Handout.read(project / "work")) as painter:
        painter.paint(0)
    assert not (project / "work" / "done" / "00000.json").exists() and not (project / "out").exists()


def test_results_of_another_job_are_refused_by_the_join(
    project: Path, order: Order, make_preset: MakePreset, loads: list[str]
) -> None:
    _planned(order, project)
    _painted(project, list(range(5)))
    other = replace(order, presets=[make_preset(tv_weight=3.0)], output=project / "other")
    plan(other, project / "work-2")
    for path in (project / "work" / "done").iterdir():
        (project / "work-2" / "done" / path.name).write_bytes(path.read_bytes())
    with pytest.raises(InputError, match="belongs to another job"):
        join(project / "work-2")
    assert not (project / "other").exists()


def _write_weights(path: Path, seed: int) -> None:
    """VGG19 of seeded random numbers, as torchvision names its tensors."""
    from safetensors.torch import save_file

    from framestyle.nst.weights.backbone import CHANNELS, CONVOLUTION_INDICES
    from framestyle.nst.weights.untrained import random_backbone

    tensors = {}
    for name, (weight, bias) in random_backbone(seed, CHANNELS).convolutions.items():
        index = CONVOLUTION_INDICES[name]
        tensors |= {
            f"features.{index}.weight": weight.contiguous(),
            f"features.{index}.bias": bias.contiguous(),
        }
    save_file(tensors, path)


def test_other_weights_are_refused_and_those_that_lack_are_carried(
    project: Path, order: Order, here: Path
) -> None:
    """Weights by a path: the plan carries them; another file in their place is not taken, and the carried one is."""
    path = here / "mine.safetensors"
    _write_weights(path, 0)
    plan(replace(order, weights=str(path)), project / "work")
    _write_weights(path, 1)
    _painted(project, [0])
    assert not unfinished(Handout.read(project / "work")).count(0)
    for carried in (project / "work" / "weights").iterdir():
        carried.unlink()
    with pytest.raises(WeightsError, match="are others than those of the plan"):
        _painted(project, [1])
    path.unlink()
    with pytest.raises(WeightsError, match="are not on this machine"):
        _painted(project, [1])


def test_a_full_disk_says_nothing_of_the_task(
    project: Path, order: Order, loads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is painted elsewhere, or later."""
    first, _ = _shots(_planned(order, project))

    def refuse(folder: Path, needed_bytes: float) -> None:
        raise StorageError("only 0 MB are free", next_step="Free some.")

    with monkeypatch.context() as patch:
        patch.setattr(shot_work, "refuse_shortage", refuse)
        with pytest.raises(StorageError):
            _painted(project, [first])
    assert first in unfinished(Handout.read(project / "work"))
    assert _painted(project, [first])[-1] == 4
