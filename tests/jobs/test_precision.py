"""A job's precision is decided once: whatever is measured later, what was begun is resumed in what it was begun in."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from framestyle.context import Context
from framestyle.doors.arrays import Painter
from framestyle.errors import Cancelled, OutputError
from framestyle.events import Event, FrameDone, JobStarted, PhotoDone, TaskResumed, TaskStarted
from framestyle.jobs.resume.manifest import NAME
from framestyle.jobs.resume.recorded import precision_problems
from framestyle.jobs.resume.resume_key import FACTS, work_folder_of
from framestyle.jobs.run.batch import Order, paint, prepare
from framestyle.kinds import MediaKind
from framestyle.media.photos import recipe_in, write_photo
from framestyle.media.verify.checking import verify
from framestyle.nst import devices
from framestyle.presets import Preset
from framestyle.resolve import PrecisionChoice
from framestyle.spec import RenderSpec

MakeClip = Callable[..., Path]
MakePreset = Callable[..., Preset]
OnEvent = Callable[[Event], None]
Probe = Callable[..., list[str]]
AUTO = {"precision": "auto"}

pytestmark = pytest.mark.usefixtures("here", "loads")


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch) -> Probe:
    """`probe("float32", "bfloat16")`: what each measurement is to find, one after another; gives those not yet made."""

    def patched(*answers: str) -> list[str]:
        left = list(answers)
        monkeypatch.setattr(devices, "probe_precision", lambda device: left.pop(0))
        return left

    return patched


@pytest.fixture
def clip_order(make_clip: MakeClip, make_preset: MakePreset) -> Callable[..., Order]:
    """A clip of two shots, checkpointed after each frame."""
    source = make_clip("in.mp4", shots=(4, 2))

    def made(output: str = "out.mp4", precision: str = "auto") -> Order:
        changes = {"optimizer": {"precision": precision}, "output": {"save_every_s": 0.0}}
        return Order([source], Path(output), [make_preset(**changes)], weights="untrained", device="cpu")

    return made


@pytest.fixture
def folder_order(make_preset: MakePreset) -> Callable[..., Order]:
    """Photos of one folder into another."""
    for number, name in enumerate(("a.png", "b.png", "c.png")):
        _photo(Path("in", name), number)

    def made(*names: str, output: str = "out", precision: str = "auto") -> Order:
        inputs = [Path("in", name) for name in names] or [Path("in")]
        preset = make_preset(optimizer={"precision": precision})
        return Order(inputs, Path(output), [preset], weights="untrained", device="cpu", into_folder=True)

    return made


def _photo(path: Path, number: int) -> None:
    path.parent.mkdir(exist_ok=True)
    pixels = np.random.default_rng(number).integers(0, 256, (48, 64, 3), np.uint8)
    Image.fromarray(pixels).save(path)


def _do(order: Order, on_event: OnEvent = lambda event: None) -> list[Event]:
    news: list[Event] = []

    def heard(event: Event) -> None:
        news.append(event)
        on_event(event)

    paint(prepare(order), order, Context(heard))
    return news


def _stop_at(kind: type[Event], number: int) -> OnEvent:
    """Ctrl-C at the event of this kind with this number, from 1."""
    left = number

    def heard(event: Event) -> None:
        nonlocal left
        left -= isinstance(event, kind)
        if left == 0:
            raise KeyboardInterrupt

    return heard


def _device(news: Sequence[Event]) -> str:
    return next(event.device for event in news if isinstance(event, JobStarted))


def _manifest(folder: str = "out") -> dict[str, Any]:
    told: dict[str, Any] = json.loads(Path(folder, NAME).read_text())
    return told


def _write_manifest(told: dict[str, Any], folder: str = "out") -> None:
    Path(folder, NAME).write_text(json.dumps(told))


def _precision_in(path: str) -> str:
    text = recipe_in(Path(path))
    assert text is not None
    recipe = json.loads(text)
    named = {recipe["preset"]["optimizer"]["precision"], recipe["device"].split()[1]}
    assert len(named) == 1
    return str(named.pop())


# -- clips -------------------------------------------------------------------------------------------------


@pytest.fixture
def stopped(clip_order: Callable[..., Order], probe: Probe) -> Order:
    """A clip whose first frames were painted in float32, and that bfloat16 is measured to be faster for by now."""
    probe("float32")
    with pytest.raises(Cancelled):
        _do(clip_order(), _stop_at(FrameDone, 3))
    probe()
    return clip_order()


def test_a_stopped_clip_is_resumed_in_the_precision_that_it_was_begun_in(
    stopped: Order, clip_order: Callable[..., Order]
) -> None:
    news = _do(stopped)
    assert _device(news) == "cpu float32" and any(isinstance(event, TaskResumed) for event in news)
    _do(clip_order("whole.mp4", "float32"))
    assert Path("out.mp4").read_bytes() == Path("whole.mp4").read_bytes()


def test_the_precisions_give_other_pixels(clip_order: Callable[..., Order]) -> None:
    """Else the tests here would show nothing."""
    for precision in ("float32", "bfloat16"):
        _do(clip_order(f"{precision}.mp4", precision))
    assert Path("float32.mp4").read_bytes() != Path("bfloat16.mp4").read_bytes()


def test_another_precision_by_name_is_refused(stopped: Order, clip_order: Callable[..., Order]) -> None:
    with pytest.raises(OutputError, match=r"begun with other settings \(precision float32, now bfloat16\)"):
        prepare(clip_order(precision="bfloat16"))
    assert _device(_do(clip_order(precision="float32"))) == "cpu float32"


def test_a_fresh_clip_is_measured_anew(stopped: Order, probe: Probe) -> None:
    left = probe("bfloat16")
    news = _do(replace(stopped, fresh=True))
    assert _device(news) == "cpu bfloat16" and not left
    assert not any(isinstance(event, TaskResumed) for event in news)


def test_a_clip_that_was_begun_before_precision_was_recorded_is_resumed(stopped: Order, probe: Probe) -> None:
    """In what is measured now, as it was then: it is not known what it was begun in."""
    path = work_folder_of(Path("out.mp4")) / FACTS
    facts = json.loads(path.read_text())
    del facts["precision"]
    facts["work"] = prepare(stopped)[0].spec.undecided_key(MediaKind.VIDEO)
    path.write_text(json.dumps(facts))
    probe("bfloat16")
    news = _do(stopped)
    assert _device(news) == "cpu bfloat16" and any(isinstance(event, TaskResumed) for event in news)


def test_a_stopped_clip_decides_for_its_folder(clip_order: Callable[..., Order], probe: Probe) -> None:
    """Also where nothing in it is done."""
    probe("float32")
    order = replace(clip_order("out"), into_folder=True)
    with pytest.raises(Cancelled):
        _do(order, _stop_at(FrameDone, 2))
    Path("out", NAME).unlink()
    probe()
    news = _do(order)
    assert _device(news) == "cpu float32" and any(isinstance(event, TaskResumed) for event in news)
    assert [entry["precision"] for entry in _manifest()["done"].values()] == ["float32"]


# -- folders -----------------------------------------------------------------------------------------------


def test_a_stopped_folder_is_resumed_in_the_precision_that_it_was_begun_in(
    folder_order: Callable[..., Order], probe: Probe
) -> None:
    probe("float32")
    with pytest.raises(KeyboardInterrupt):
        _do(folder_order(), _stop_at(PhotoDone, 2))
    probe()
    news = _do(folder_order())
    assert _device(news) == "cpu float32"
    _do(folder_order(output="whole", precision="float32"))
    for name in ("a.png", "b.png", "c.png"):
        assert Path("out", name).read_bytes() == Path("whole", name).read_bytes()
        assert _precision_in(f"out/{name}") == "float32"
    assert {entry["precision"] for entry in _manifest()["done"].values()} == {"float32"}


def test_a_folder_stopped_in_its_first_photo_too(folder_order: Callable[..., Order], probe: Probe) -> None:
    """As if killed there: no photo is done, and the manifest says which work was begun."""
    probe("float32")
    with pytest.raises(KeyboardInterrupt):
        _do(folder_order(), _stop_at(TaskStarted, 1))
    assert not _manifest()["done"] and _manifest()["works"]
    probe()
    assert _device(_do(folder_order())) == "cpu float32"


def test_what_is_done_is_done_and_a_new_photo_is_made_alike(
    folder_order: Callable[..., Order], probe: Probe
) -> None:
    probe("float32")
    _do(folder_order())
    probe()
    news = _do(folder_order())
    assert next(event.skipped for event in news if isinstance(event, JobStarted)) == 3
    assert _device(news) == "cpu float32"  # what was used before
    _photo(Path("in/d.png"), 4)
    news = _do(folder_order())
    assert [event.path for event in news if isinstance(event, TaskStarted)] == ["in/d.png"]
    assert _precision_in("out/d.png") == "float32"


def test_another_precision_by_name_is_another_setting(
    folder_order: Callable[..., Order], probe: Probe
) -> None:
    probe("float32")
    _do(folder_order())
    probe()
    assert not prepare(folder_order(precision="float32"))[0].to_do
    with pytest.raises(OutputError, match="made with other settings"):
        prepare(folder_order(precision="bfloat16"))
    _do(replace(folder_order("a.png", precision="bfloat16"), overwrite=True))
    # Each is done in what it was made in; what most were made in is for new ones.
    (job,) = prepare(folder_order())
    assert not job.to_do and job.spec.decided_precision == "float32"


def test_fresh_is_measured_anew_but_for_a_part_of_a_folder(
    folder_order: Callable[..., Order], probe: Probe
) -> None:
    probe("float32")
    _do(folder_order())
    probe()
    _do(replace(folder_order("a.png"), fresh=True))
    assert _precision_in("out/a.png") == "float32"
    probe("bfloat16")
    _do(replace(folder_order(), fresh=True))
    assert {_precision_in(f"out/{name}.png") for name in "abc"} == {"bfloat16"}


def test_a_manifest_from_before_precision_was_recorded(
    folder_order: Callable[..., Order], probe: Probe
) -> None:
    """What is done is done; new photos are made in the precision that its words name."""
    probe("float32")
    _do(folder_order("a.png", "b.png"))
    probe()
    told, old = _manifest(), prepare(folder_order())[0].spec.undecided_key(MediaKind.PHOTO)
    ((key, words),) = told["works"].items()
    words["preset"]["optimizer"]["precision"] = "auto"
    told["works"], told["begun"] = {old: words}, []
    for entry in told["done"].values():
        del entry["precision"]
        assert entry["work"] == key
        entry["work"] = old
    _write_manifest(told)
    news = _do(folder_order())
    assert [event.path for event in news if isinstance(event, TaskStarted)] == ["in/c.png"]
    assert _device(news) == "cpu float32"
    assert [entry["precision"] for entry in _manifest()["done"].values()] == [None, None, "float32"]
    assert not [problem for name in "abc" for problem in precision_problems(verify(Path(f"out/{name}.png")))]


# -- the decision ------------------------------------------------------------------------------------------


def test_several_presets_are_measured_once(make_preset: MakePreset, probe: Probe) -> None:
    _photo(Path("in/a.png"), 1)
    left = probe("bfloat16", "float32")
    presets = [make_preset(name, optimizer=AUTO) for name in ("one", "two")]
    _do(Order([Path("in")], Path("out"), presets, weights="untrained", device="cpu"))
    assert left == ["float32"]
    assert {_precision_in(f"out/{name}/a.png") for name in ("one", "two")} == {"bfloat16"}


def test_another_job_may_have_begun_meanwhile(folder_order: Callable[..., Order], probe: Probe) -> None:
    """Between looking at the folder and painting in it, which may be hours where another preset comes first."""
    jobs = prepare(order := folder_order("a.png"))
    probe("float32")
    _do(folder_order("b.png"))
    probe()
    paint(jobs, order)
    assert _precision_in("out/a.png") == "float32"


def test_a_painter_decides_once(make_preset: MakePreset, probe: Probe) -> None:
    left = probe("bfloat16", "float32")
    painter = Painter(make_preset(optimizer=AUTO), weights="untrained", device="cpu")
    picture = np.random.default_rng(1).integers(0, 256, (48, 64, 3), np.uint8)
    first, second = painter.stylize_image(picture), painter.stylize_image(picture)
    assert left == ["float32"] and painter.preset.optimizer.precision == "bfloat16"
    assert np.array_equal(first, second)


def test_a_precision_by_name_is_not_measured(make_preset: MakePreset, probe: Probe) -> None:
    left = probe("float32", "bfloat16")
    choice = PrecisionChoice(torch.device("cpu"))
    assert choice.resolve(preset := make_preset()) is preset
    assert [choice.resolve(make_preset(optimizer=AUTO)).optimizer.precision for _ in range(2)] == [
        "float32"
    ] * 2
    assert left == ["bfloat16"]


def test_a_key_says_the_precision_however_it_came_about(make_preset: MakePreset) -> None:
    def work(precision: str, decided: str | None = None) -> RenderSpec:
        return RenderSpec(
            make_preset(optimizer={"precision": precision}),
            "untrained",
            "untrained",
            precision=decided,
        )

    for kind in MediaKind.PHOTO, MediaKind.VIDEO:
        keys = [work(one).key(kind) for one in ("float32", "bfloat16", "auto")]
        assert len(set(keys)) == 3
        assert [work("auto", one).key(kind) for one in ("float32", "bfloat16", None)] == keys
        assert work("auto").done_keys(kind) == set(keys) and work("float32").done_keys(kind) == {keys[0]}
        assert work("auto", "float32").resumable_keys(kind) == {keys[0], keys[2]}
        assert [work("auto").precision_of(key, kind) for key in keys] == ["float32", "bfloat16", None]


# -- verifying ---------------------------------------------------------------------------------------------


@pytest.fixture
def done(folder_order: Callable[..., Order], probe: Probe) -> Iterator[dict[str, Any]]:
    """The manifest of a folder that was painted in float32; written again if it was changed."""
    probe("float32")
    _do(folder_order())
    yield _manifest()


def _problems(path: str) -> list[str]:
    report = verify(Path(path))
    report.problems += precision_problems(report)
    assert report.verdict == ("different" if report.problems else "whole")
    return [problem.text for problem in report.problems]


def test_a_result_says_what_the_manifest_says(done: dict[str, Any]) -> None:
    assert _problems("out/a.png") == []
    done["done"]["a.png"]["precision"] = "bfloat16"
    _write_manifest(done)
    assert _problems("out/a.png") == [f"it says that it was made in float32, and {NAME} says bfloat16"]
    assert _problems("out/b.png") == []


def test_what_the_manifest_says_of_the_work_counts_too(done: dict[str, Any]) -> None:
    (words,) = done["works"].values()
    words["preset"]["optimizer"]["precision"] = "bfloat16"
    _write_manifest(done)
    assert len(_problems("out/a.png")) == len(_problems("out/b.png")) == 1


def test_a_manifest_that_is_not_of_this_file_says_nothing(done: dict[str, Any]) -> None:
    done["done"]["a.png"]["precision"] = "bfloat16"
    _write_manifest(done)
    _photo(Path("out/a.png"), 7)
    assert _problems("out/a.png") == []


def test_a_sequence_of_two_precisions(make_preset: MakePreset) -> None:
    for number, precision in enumerate(("float32", "float32", "bfloat16")):
        _photo(Path(f"in-{number}/a.png"), number)
        preset = make_preset(optimizer={"precision": precision})
        _do(Order([Path(f"in-{number}/a.png")], Path(f"s.{number}.png"), [preset], "untrained", "cpu"))
    assert _problems("s.%d.png") == ["s.2.png was made in bfloat16, the first one in float32"]


def test_a_recipe_that_contradicts_itself(done: dict[str, Any]) -> None:
    text = recipe_in(Path("out/a.png"))
    assert text is not None
    edited = {"recipe": text.replace("cpu float32", "cpu bfloat16")}
    write_photo(Path("d.png"), np.zeros((8, 8, 3), np.uint8), None, edited)
    assert _problems("d.png") == ["it says that it was made in bfloat16 and in float32"]
