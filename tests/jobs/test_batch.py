"""An order is done once: what is finished is skipped, what is not is made, and nothing else is touched."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from framestyle.context import Context
from framestyle.doors.advice import next_step
from framestyle.errors import FramestyleError, InputError, OutputError, UsageError
from framestyle.events import (
    Event,
    JobDone,
    JobStarted,
    Note,
    PhotoDone,
    StepDone,
    TaskDone,
    TaskFailed,
    TaskPlanned,
    TaskSkipped,
    TaskStarted,
)
from framestyle.jobs.engines import side_by_side
from framestyle.jobs.plan import step_cost as prices
from framestyle.jobs.resume.manifest import NAME
from framestyle.jobs.run import batch as batch_module
from framestyle.jobs.run import job_painter
from framestyle.jobs.run.batch import Order, paint, prepare
from framestyle.kinds import MediaKind, TimeRange
from framestyle.media.photos import read_photo
from framestyle.nst import styles as styles_module
from framestyle.nst.weights.catalog import width_of
from framestyle.nst.weights.paths import NOT_HERE
from framestyle.presets import Preset

MakeClip = Callable[..., Path]
MakePreset = Callable[..., Preset]
Files = dict[str, tuple[int, int]]


pytestmark = pytest.mark.usefixtures("here", "loads")


@pytest.fixture
def order(make_preset: MakePreset) -> Order:
    """Three photos of a folder into another."""
    for number, name in enumerate(("a.png", "b.jpg", "x/c.png")):
        path = Path("in", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((12, 16, 3), 40 + 60 * number, np.uint8)).save(path)
    return Order([Path("in")], Path("out"), [make_preset()], weights="untrained", device="cpu")


def _do(order: Order, on_event: Callable[[Event], None] = lambda event: None) -> list[JobDone]:
    return paint(prepare(order), order, Context(on_event))


def _files(folder: str = "out") -> Files:
    """Which file is where, and when it was written."""
    stats = {path: path.stat() for path in Path(folder).rglob("*") if path.is_file()}
    return {path.as_posix(): (stat.st_ino, stat.st_mtime_ns) for path, stat in stats.items()}


def _made_anew(before: Files, after: Files) -> set[str]:
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    return {path.removeprefix("out/") for path in changed if not path.endswith(NAME)}


def _edit(path: str) -> None:
    Image.fromarray(np.full((12, 16, 3), 9, np.uint8)).save(path)


# -- done once ---------------------------------------------------------------------------------------------


def test_what_is_done_is_skipped_and_counted(order: Order, loads: list[str]) -> None:
    _do(order)
    before, news = _files(), list[Event]()
    (done,) = _do(order, news.append)
    assert _files() == before and len(loads) == 1
    assert (done.skipped, done.outputs, done.failed, done.frames) == (3, (), (), 0)
    assert [type(event) for event in news] == [JobStarted, TaskSkipped, TaskSkipped, TaskSkipped, JobDone]
    started = news[0]
    assert isinstance(started, JobStarted)
    assert (started.tasks, started.skipped, started.frames) == (3, 3, 0)
    assert (started.weights, started.device) == ("untrained", "cpu float32")
    assert news[3] == TaskSkipped("in/x/c.png", "out/x/c.png")


def test_a_deleted_output_is_made_again_and_it_alone(order: Order) -> None:
    _do(order)
    before = _files()
    Path("out/b.jpg").unlink()
    news: list[Event] = []
    (done,) = _do(order, news.append)
    assert _made_anew(before, _files()) == {"b.jpg"} and (done.skipped, len(done.outputs)) == (2, 1)
    (begun,) = [event for event in news if isinstance(event, TaskStarted)]
    assert (begun.path, begun.index) == ("in/b.jpg", 0)


@pytest.mark.parametrize(
    ("path", "words"),
    [("in/b.jpg", "made before its input changed"), ("out/b.jpg", "changed after it was made")],
)
def test_an_output_that_is_no_longer_right_is_made_again_where_it_may_be_replaced(
    order: Order, path: str, words: str
) -> None:
    _do(order)
    _edit(path)
    before = _files()
    with pytest.raises(OutputError, match=rf"out/b\.jpg exists already, {words}") as caught:
        prepare(order)
    assert "--overwrite" in str(next_step(caught.value)) and _files() == before
    _do(replace(order, overwrite=True))
    assert _made_anew(before, _files()) == {"b.jpg"}
    assert _do(order)[0].skipped == 3


def test_other_settings_are_another_work(order: Order, make_preset: MakePreset) -> None:
    _do(order)
    for changed in (
        replace(order, presets=[make_preset(tv_weight=0.5)]),
        replace(order, seed=1),
        replace(order, presets=[make_preset(scales={"max_side_px": 8})]),
    ):
        with pytest.raises(
            OutputError, match=r"out/a\.png exists already, made with other settings; so do 2"
        ):
            prepare(changed)
        before = _files()
        assert _do(replace(changed, overwrite=True))[0].skipped == 0
        assert len(_made_anew(before, _files())) == 3
        assert _do(changed)[0].skipped == 3
        _do(replace(order, overwrite=True))


def test_another_name_for_the_preset_is_not(order: Order, make_preset: MakePreset) -> None:
    _do(order)
    assert _do(replace(order, presets=[make_preset("renamed", description="the same")]))[0].skipped == 3


def test_fresh_makes_anew_what_was_made_here_and_nothing_else(order: Order) -> None:
    _do(order)
    before = _files()
    assert _do(replace(order, fresh=True))[0].skipped == 0
    assert len(_made_anew(before, _files())) == 3
    _edit("out/a.png")
    with pytest.raises(OutputError, match=r"out/a\.png exists already, changed after"):
        prepare(replace(order, fresh=True))


def test_files_of_others_are_replaced_only_where_that_is_said(order: Order) -> None:
    Path("out").mkdir()
    Path("out/a.png").write_text("mine")
    for careful in (order, replace(order, fresh=True)):
        with pytest.raises(OutputError, match=r"out/a\.png exists already$"):
            prepare(careful)
    assert Path("out/a.png").read_text() == "mine" and _files().keys() == {"out/a.png"}
    _do(replace(order, overwrite=True))
    assert read_photo(Path("out/a.png")).pixels.shape == (12, 16, 3)


def test_a_stopped_job_goes_on_and_ends_as_if_it_had_not_been_stopped(
    order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(side_by_side, "MOST_PICTURES", 1)

    def stop(event: Event) -> None:
        if isinstance(event, PhotoDone) and event.path == "in/b.jpg":
            raise KeyboardInterrupt  # b.jpg is in its place, and nobody has written that down

    with pytest.raises(KeyboardInterrupt):
        _do(order, stop)
    assert {path.removeprefix("out/") for path in _files()} == {"a.png", "b.jpg", NAME}
    before = _files()
    (done,) = _do(order)
    assert done.skipped == 1 and _made_anew(before, _files()) == {"b.jpg", "x/c.png"}
    _do(replace(order, output=Path("whole")))
    for name in ("a.png", "b.jpg", "x/c.png"):
        assert np.array_equal(read_photo(Path("out", name)).pixels, read_photo(Path("whole", name)).pixels)


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize("at", ["in/a.png", "in/b.jpg", "in/x/c.png"])
def test_so_does_one_that_painted_several_at_once(order: Order, at: str) -> None:
    """Its pixels, too, are the same, though fewer are painted the second time."""

    def stop(event: Event) -> None:
        if isinstance(event, PhotoDone) and event.path == at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _do(order, stop)
    before = _files()
    (done,) = _do(order)
    assert done.skipped + len(done.outputs) == 3 and not done.failed
    assert _made_anew(before, _files()) == {path.removeprefix("out/") for path in done.outputs}
    _do(replace(order, output=Path("whole")))
    for name in ("a.png", "b.jpg", "x/c.png"):
        assert np.array_equal(read_photo(Path("out", name)).pixels, read_photo(Path("whole", name)).pixels)


def test_clips_of_a_folder_are_done_and_skipped_too(order: Order, make_clip: MakeClip) -> None:
    make_clip("in/x/film.mp4", shots=(4,))
    (done,) = _do(order)
    assert len(done.outputs) == 4 and done.frames == 3 + 4
    assert _do(order)[0].skipped == 4
    # Another part of the clips: photos are as they were.
    before = _files()
    part = replace(order, span=TimeRange(None, Fraction(2, 25)), overwrite=True)
    assert _do(part)[0].skipped == 3 and _made_anew(before, _files()) == {"x/film.mp4"}


def test_an_image_sequence_in_a_folder_is_done_once(order: Order, loads: list[str]) -> None:
    for number in range(3):
        _edit(f"in/x/s.{number}.png")
    sequence = replace(order, inputs=[Path("in/x/s.%d.png")])
    (done,) = _do(sequence)
    assert (done.outputs, done.frames) == (("out/s.%d.png",), 3)
    assert _files().keys() == {f"out/{NAME}", *(f"out/s.{n}.png" for n in range(3))}
    assert _do(sequence)[0].skipped == 1
    Path("in/x/s.1.png").write_bytes(Path("in/x/s.1.png").read_bytes()[:50])
    with pytest.raises(OutputError, match=r"out/s\.0\.png exists already, made before its input changed"):
        prepare(sequence)
    # One that cannot be read is found out without the network; the error of one alone is raised.
    both = replace(sequence, inputs=[*sequence.inputs, Path("in/a.png")], overwrite=True)
    assert _do(both)[0].failed == _do(both)[0].failed == ("in/x/s.%d.png",)
    assert len(loads) == 2


def test_a_sequence_whose_frames_changed_is_made_again_and_it_alone(order: Order) -> None:
    for number in range(3):
        _edit(f"in/x/s.{number}.png")
    both = replace(order, inputs=[Path("in/x/s.%d.png"), Path("in/b.jpg")])
    frames = {f"s.{number}.png" for number in range(3)}
    _do(both)

    def another_picture() -> None:
        Image.fromarray(np.full((12, 16, 3), 200, np.uint8)).save("in/x/s.1.png")

    def two_frames_swapped() -> None:
        for old, new in (("1", "was"), ("2", "1"), ("was", "2")):
            Path(f"in/x/s.{old}.png").rename(f"in/x/s.{new}.png")

    def a_result_gone() -> None:
        Path("out/s.2.png").unlink()

    for change in (another_picture, two_frames_swapped, a_result_gone):
        change()
        before = _files()
        with pytest.raises(OutputError, match=r"out/s\.0\.png exists already, (made before|changed after)"):
            prepare(both)
        (done,) = _do(replace(both, overwrite=True))
        assert done.skipped == 1 and _made_anew(before, _files()) == frames, change.__name__
        assert _do(both)[0].skipped == 2


def test_results_of_a_sequence_beside_its_frames_are_no_inputs(order: Order, make_preset: MakePreset) -> None:
    for number in range(3):
        _edit(f"in/x/s.{number}.png")
    inside = replace(
        order,
        inputs=[Path("in/x/s.%d.png")],
        output=Path("in/x"),
        into_folder=True,
        presets=[make_preset(output={"photo_format": "webp"})],
    )
    _do(inside)
    later = replace(inside, inputs=[Path("in/x")], overwrite=True)
    assert sorted(found.path.name for found in prepare(later)[0].inputs.found) == [
        "c.png", "s.0.png", "s.1.png", "s.2.png"
    ]  # fmt: skip


def test_a_file_is_not_a_folder_and_has_no_manifest(order: Order) -> None:
    single = replace(order, inputs=[Path("in/a.png")], output=Path("new/a.png"))
    _do(single)
    assert _files("new").keys() == {"new/a.png"}
    with pytest.raises(OutputError, match=r"new/a\.png exists already$"):
        prepare(single)
    _do(replace(single, overwrite=True))


@pytest.mark.parametrize("output", ["new/a.mp4", "new/"])
def test_a_clip_that_cannot_be_surveyed_is_refused_before_weights_are_loaded(
    order: Order, loads: list[str], output: str
) -> None:
    Path("damaged.mp4").write_bytes(b"\0\0\0\x18ftypisom\0\0\0\0isommp41" + bytes(300))
    clip = replace(order, inputs=[Path("damaged.mp4")], output=Path(output), into_folder=output.endswith("/"))
    with pytest.raises(InputError, match=r"damaged\.mp4"):
        _do(clip)
    assert loads == [] and not list(Path("new").glob("*.mp4"))


def test_weights_that_were_not_here_yet_are_known_the_next_time(
    order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    identities = iter([f"imagenet {NOT_HERE}", "imagenet 123", "imagenet 123"])
    for module in (batch_module, job_painter):
        monkeypatch.setattr(module, "weights_identity", lambda weights: next(identities))
    _do(order)
    assert _do(order)[0].skipped == 3


# -- several presets ---------------------------------------------------------------------------------------


def test_several_presets_have_a_folder_each_and_share_the_weights(
    order: Order, make_preset: MakePreset, loads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    targets: list[str] = []
    real = styles_module.blended_targets

    def counted(*arguments: Any, **more: Any) -> Any:
        targets.append("made")
        return real(*arguments, **more)

    monkeypatch.setattr(styles_module, "blended_targets", counted)
    both = replace(order, presets=[make_preset("one"), make_preset("two", tv_weight=0.5)])
    news: list[Event] = []
    done = _do(both, news.append)
    assert {path for path in _files() if not path.endswith(NAME)} == {
        f"out/{preset}/{name}" for preset in ("one", "two") for name in ("a.png", "b.jpg", "x/c.png")
    }
    # Three photos of one size: targets once a preset.
    assert (loads, targets) == (["untrained"], ["made", "made"])
    assert [event.preset for event in news if isinstance(event, JobStarted)] == ["one", "two"]
    assert sum(isinstance(event, Note) for event in news) == 1
    assert [len(one.outputs) for one in done] == [3, 3]
    # One more preset leaves the others as they are; one alone finds its own folder.
    third = replace(both, presets=[*both.presets, make_preset("three")])
    assert [one.skipped for one in _do(third)] == [3, 3, 0]
    assert _do(replace(order, output=Path("out/one"), presets=[both.presets[0]]))[0].skipped == 3


def test_presets_that_cannot_have_a_folder_each_are_refused(order: Order, make_preset: MakePreset) -> None:
    for names, words in (
        (("one", "one"), "two of the presets are called 'one'"),
        (("one", "ONE"), "two of the presets are called"),
        (("one", "../outside"), "needs a folder"),
        (("one", ".hidden"), "needs a folder"),
    ):
        with pytest.raises(UsageError, match=words) as caught:
            prepare(replace(order, presets=[make_preset(name) for name in names]))
        assert next_step(caught.value)
    two = [make_preset("one"), make_preset("two")]
    with pytest.raises(UsageError, match="several presets"):
        prepare(replace(order, inputs=[Path("in/a.png")], output=Path("new.png"), presets=two))
    assert not Path("out").exists() and not Path("new.png").exists()


# -- inputs and outputs in one place -----------------------------------------------------------------------


@pytest.mark.parametrize("output", ["in/painted", "in/x/deep/er", "in"])
def test_results_inside_the_input_are_not_inputs_the_next_time(
    order: Order, make_preset: MakePreset, output: str
) -> None:
    """Nor where other presets are asked for then, whose folders lie beside."""
    both = [make_preset("one"), make_preset("two", output={"photo_format": "webp"})]
    third = make_preset("three", output={"photo_format": "webp"})
    for presets in ([third], both, [both[0], third]):
        inside = replace(order, output=Path(output), presets=presets)
        first = _do(inside)
        assert [len(one.outputs) + one.skipped for one in first] == [3] * len(presets)
        assert [one.skipped for one in _do(inside)] == [3] * len(presets)


def test_an_input_is_never_written_over(order: Order) -> None:
    before = _files("in")
    for careless in (order, replace(order, overwrite=True), replace(order, fresh=True)):
        with pytest.raises(OutputError, match="is an input"):
            prepare(replace(careless, output=Path("in")))
    assert _files("in") == before


def test_a_style_image_is_never_written_over(order: Order, photo: Path) -> None:
    before = photo.read_bytes()
    _edit(f"in/{photo.name}")
    with pytest.raises(OutputError, match="is a style image"):
        prepare(replace(order, output=photo.parent, overwrite=True))
    assert photo.read_bytes() == before


# -- failures ----------------------------------------------------------------------------------------------


def test_bad_photos_are_named_at_once_and_stop_nobody(order: Order, loads: list[str]) -> None:
    Path("in/a.png").write_bytes(Path("in/a.png").read_bytes()[:50])
    Path("in/empty.tif").touch()
    news: list[Event] = []
    (done,) = _do(order, news.append)
    assert sorted(done.failed) == ["in/a.png", "in/empty.tif"] and len(done.outputs) == 2
    kinds = [type(event) for event in news if not isinstance(event, StepDone | Note | TaskPlanned)]
    assert kinds[:3] == [JobStarted, TaskFailed, TaskFailed]
    # Again: both fail again, and no network is asked for it.
    (again,) = _do(order, news.append)
    assert sorted(again.failed) == sorted(done.failed) and again.skipped == 2 and len(loads) == 1
    _edit("in/a.png")
    (mended,) = _do(order)
    assert (mended.failed, mended.outputs, mended.skipped) == (("in/empty.tif",), ("out/a.png",), 2)


def test_what_is_neither_photo_nor_clip_is_told_once(order: Order, make_preset: MakePreset) -> None:
    news: list[Event] = []
    _do(order, news.append)
    Path("in/notes.txt").write_text("ultramarine")
    Path("in/x/list.csv").write_text("ochre")
    _do(replace(order, presets=[make_preset("one"), make_preset("two")]), news.append)
    told = [event.message for event in news if isinstance(event, Note) and event.level == "info"]
    assert told == ["Files passed over, being neither photos nor clips: 2."]


def test_the_error_of_the_only_input_is_raised_again_and_again(order: Order) -> None:
    Path("in/a.png").write_bytes(Path("in/a.png").read_bytes()[:50])
    alone = replace(order, inputs=[Path("in/a.png")])
    for _ in range(2):
        with pytest.raises(InputError, match=r"in/a\.png cannot be decoded"):
            _do(alone)


def test_of_a_folder_of_nothing_but_bad_files_each_is_named(order: Order) -> None:
    Path("bad").mkdir()
    Path("bad/one.jpg").touch()
    with pytest.raises(InputError, match=r"bad/one\.jpg is empty"):
        prepare(replace(order, inputs=[Path("bad")]))
    Path("bad/two.jpg").touch()
    (done,) = _do(replace(order, inputs=[Path("bad")]))
    assert done.failed == ("bad/one.jpg", "bad/two.jpg") and not Path("out").exists()


def test_a_damaged_manifest_is_told_set_aside_and_not_fatal(order: Order) -> None:
    _do(order)
    Path("out", NAME).write_text("{")
    with pytest.raises(OutputError, match=r"out/a\.png exists already; so do 2 more \(what is done there"):
        prepare(order)
    news: list[Event] = []
    assert _do(replace(order, overwrite=True), news.append)[0].skipped == 0
    (note,) = [event for event in news if isinstance(event, Note) and NAME in event.message]
    assert note.level == "warning" and "set aside" in note.message
    assert Path("out", f"{NAME}.set-aside-1").read_text() == "{"
    assert _do(order)[0].skipped == 3


def test_the_manifest_says_what_was_used(order: Order) -> None:
    _do(order)
    (told,) = json.loads(Path("out", NAME).read_text())["works"].values()
    assert (told["preset"]["name"], told["weights"], told["seed"]) == ("quick", "untrained", 0)
    assert told["device"] == "cpu float32" and "framestyle" in told["versions"]


# -- what a step costs -------------------------------------------------------------------------------------


def test_a_price_is_stated_until_one_was_measured(make_preset: MakePreset, here: Path) -> None:
    preset = make_preset()
    stated = prices.price_of(preset, "cpu")
    assert not stated.measured and stated.seconds > 0
    assert prices.price_of(preset, "cuda:1").seconds < stated.seconds
    prices.keep_step_cost(preset, "cpu float32", 2.5)
    prices.keep_step_cost(preset, "cuda:0 bfloat16", 0.5)
    assert prices.price_of(preset, "cpu") == prices.Price(2.5, "cpu", True)
    assert prices.price_of(preset, "cuda") == prices.Price(0.5, "cuda", True)
    # Narrower weights have a price of their own, stated or measured.
    narrow = prices.price_of(preset, "cpu", 0.25)
    assert not narrow.measured and narrow.seconds < stated.seconds
    prices.keep_step_cost(preset, "cpu", 0.5, 0.25)
    assert (prices.price_of(preset, "cpu", 0.25).seconds, prices.price_of(preset, "cpu").seconds) == (
        0.5,
        2.5,
    )
    prices.keep_step_cost(preset, "cuda:0 bfloat16", 0.5)
    # `auto` is what was used last, and a deeper look into the network costs more.
    assert prices.price_of(preset, "auto").device == "cuda"
    assert not prices.price_of(make_preset(style={"layers": {"relu4_1": 1.0}}), "cpu").measured
    for content in ("", "[]", '{"cpu relu1_2 adam": "x"}', '{"cpu relu1_2 adam": -1}'):
        (here / "cache" / "prices.json").write_text(content)
        assert not prices.price_of(preset, "cpu").measured


def test_a_price_is_measured_over_whole_tasks() -> None:
    now = 0.0
    meter = prices.StepCostMeter(clock=lambda: now)

    def step(path: str, side_px: int, count: int) -> None:
        meter(TaskStarted(path, MediaKind.PHOTO, 0, 1, 1, side_px, side_px))
        meter(StepDone(count, count, 0, 1, side_px, side_px, (0.5,) * count, ()))

    step("a.jpg", 1000, 3)
    now = 10
    meter(TaskFailed("a.jpg", "it is damaged"))
    step("b.jpg", 500, 4)
    assert meter.price_s is None
    now = 17
    meter(TaskDone("b.jpg", "out/b.jpg", 1, 1, 7.0, 4))
    assert meter.price_s == pytest.approx(7.0)
    # Painted beside b: both together took the seven seconds.
    step("c.jpg", 500, 4)
    meter(TaskDone("c.jpg", "out/c.jpg", 1, 1, 7.0, 4))
    assert meter.price_s == pytest.approx(3.5)


def test_a_job_leaves_its_price_for_the_next_estimate(
    order: Order, make_preset: MakePreset, monkeypatch: pytest.MonkeyPatch
) -> None:
    _do(order)
    assert not prices.price_of(order.presets[0], "cpu", width_of("untrained")).measured  # too little to tell
    monkeypatch.setattr(prices, "LEAST_MEASURED", 1e-6)
    _do(replace(order, fresh=True))
    assert prices.price_of(order.presets[0], "cpu", width_of("untrained")).measured


def test_errors_before_any_work_leave_nothing(order: Order, make_preset: MakePreset) -> None:
    Path("in2").mkdir()
    _edit("in2/a.png")
    with pytest.raises(FramestyleError, match="would both become"):
        prepare(replace(order, inputs=[Path("in"), Path("in2")]))
    assert not Path("out").exists()
