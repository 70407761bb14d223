"""What is finished is known by input, work and output; nothing else is trusted, and nothing of it is ever fatal."""

from __future__ import annotations

import errno
import json
import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framestyle.errors import InputError, OutputError, StorageError
from framestyle.jobs.plan.tasks import Task
from framestyle.jobs.resume import manifest as manifest_module
from framestyle.jobs.resume.fingerprint import FileFingerprint
from framestyle.jobs.resume.manifest import NAME, Manifest, OutputStatus
from framestyle.jobs.resume.manifest_contents import Contents, Done, Failed, parse
from framestyle.jobs.resume.recorder import ManifestRecorder
from framestyle.kinds import MediaKind, TimeRange
from framestyle.presets import Preset
from framestyle.resolve import picture_digests
from framestyle.spec import RenderSpec

WORK = "0123456789abcdef01234567"
names = st.text(min_size=1, max_size=12).map(lambda text: f"a{text}".replace("/", "_")) | st.sampled_from(
    ["x/ä.jpg", "a\udc80.png", "\n", "🌻/1.tif", "..."]
)
sizes = st.integers(0, 2**62)
precisions = st.sampled_from(["float32", "bfloat16", None])
marks = st.builds(FileFingerprint, sizes, sizes, st.text("0123456789abcdef", min_size=64, max_size=64))
told = st.dictionaries(st.text(max_size=8), st.text(max_size=8) | sizes | st.none(), max_size=3)


@pytest.fixture
def task(tmp_path: Path) -> Task:
    """A photo whose output is there."""
    source, target = tmp_path / "in" / "a.png", tmp_path / "out" / "x" / "a.png"
    for path in (source, target):
        path.parent.mkdir(parents=True)
        path.write_bytes(path.parent.name.encode())
    return Task(MediaKind.PHOTO, source, target)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """The folder of the manifest."""
    return tmp_path / "out"


def _finish(out: Path, *tasks: Task, work: str = WORK) -> None:
    with Manifest(out) as manifest:
        for task in tasks:
            manifest.begin(task)
            manifest.finish(task, work, FileFingerprint.of(task.inputs()))


def _output_status(out: Path, task: Task, work: str = WORK) -> OutputStatus:
    return Manifest(out).status(task, {work})


def _touch(path: Path) -> None:
    os.utime(path, ns=(1, 1))


# -- the file ----------------------------------------------------------------------------------------------


@given(
    done=st.dictionaries(names, st.builds(Done, st.just(WORK), marks, marks, precisions), max_size=4),
    failed=st.dictionaries(names, st.builds(Failed, marks, st.text(max_size=8)), max_size=3),
    begun=st.dictionaries(names, st.just(WORK) | st.none(), max_size=3),
    words=told,
)
@settings(deadline=None, derandomize=True)
def test_what_is_written_is_read_again(
    done: dict[str, Done], failed: dict[str, Failed], begun: dict[str, str | None], words: dict[str, Any]
) -> None:
    contents = Contents(done, failed, begun, {WORK: words} if done or WORK in begun.values() else {})
    text = contents.text()
    assert text.isascii()
    assert parse(text) == contents


@given(
    damage=st.integers(0, 10_000),
    cut=st.booleans(),
    value=st.sampled_from([None, -1, "x", [], {}, 1.5, True, "\ud800", 10**400]),
)
@settings(deadline=None, derandomize=True, max_examples=200)
def test_a_damaged_file_is_a_value_error_or_still_a_manifest(damage: int, cut: bool, value: Any) -> None:
    mark = FileFingerprint(1, 2, "0" * 64)
    contents = Contents(
        {"a": Done(WORK, mark, mark)}, {"b": Failed(mark, "why")}, {"c": WORK}, {WORK: {"seed": 1}}
    )
    text = contents.text()
    if cut:
        text = text[: damage % len(text)]
    else:
        data = json.loads(text)
        places = list(_places(data))
        at, key = places[damage % len(places)]
        at[key] = value
        text = json.dumps(data)
    try:
        found = parse(text)
    except ValueError:
        return
    assert parse(found.text()).done.keys() == found.done.keys()


def _places(data: Any) -> Any:
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, inner in list(items):
        yield data, key
        yield from _places(inner)


BROKEN = {
    "cut": '{"framestyle_manifest": 1, "done": {"x/a',
    "empty": "",
    "list": "[]",
    "deep": "[" * 100_000,
    "newer": '{"framestyle_manifest": 2, "done": {}, "failed": {}, "begun": [], "works": {}}',
    "foreign": '{"name": "some other program"}',
    "bytes": b"\xff\xfe\x00",
    "absolute": '{"framestyle_manifest": 1, "done": {}, "failed": {}, "begun": ["/etc/a.png"], "works": {}}',
    "outside": '{"framestyle_manifest": 1, "done": {}, "failed": {}, "begun": ["x/../../a.png"], "works": {}}',
    "nameless": '{"framestyle_manifest": 1, "done": {}, "failed": {}, "begun": [""], "works": {}}',
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_file_that_cannot_be_trusted_is_set_aside_whole(out: Path, task: Task, kind: str) -> None:
    _finish(out, task)
    written = BROKEN[kind]
    content = written if isinstance(written, bytes) else written.encode()
    (out / NAME).write_bytes(content)
    manifest = Manifest(out)
    assert manifest.trouble and manifest.status(task, {WORK}) is OutputStatus.UNKNOWN
    # Asking alone changes nothing.
    assert (out / NAME).read_bytes() == content
    _finish(out, task)
    assert _output_status(out, task) is OutputStatus.DONE
    assert (out / f"{NAME}.set-aside-1").read_bytes() == content
    (out / NAME).write_bytes(content)
    _finish(out, task)
    assert (out / f"{NAME}.set-aside-2").read_bytes() == content


def test_what_is_no_file_is_set_aside_too(out: Path, task: Task) -> None:
    (out / NAME).mkdir()
    assert Manifest(out).trouble
    _finish(out, task)
    assert _output_status(out, task) is OutputStatus.DONE and (out / f"{NAME}.set-aside-1").is_dir()


def test_no_folder_and_no_file_are_an_empty_manifest(tmp_path: Path, task: Task) -> None:
    for folder in (tmp_path / "nowhere", task.source):
        with Manifest(folder) as manifest:
            assert manifest.trouble is None and list(manifest.names()) == []
    assert not (tmp_path / "nowhere").exists()


# -- how an output stands ----------------------------------------------------------------------------------


def test_an_output_is_done_while_input_work_and_output_are_the_same(out: Path, task: Task) -> None:
    assert _output_status(out, task) is OutputStatus.UNKNOWN
    _finish(out, task)
    assert _output_status(out, task) is OutputStatus.DONE
    assert _output_status(out, task, "f" * 24) is OutputStatus.OTHER_WORK
    task.source.write_bytes(b"in, but later")
    assert _output_status(out, task) is OutputStatus.OTHER_INPUT
    _finish(out, task)
    task.target.write_bytes(b"OUT")
    _touch(task.target)
    assert _output_status(out, task) is OutputStatus.CHANGED
    task.target.unlink()
    assert _output_status(out, task) is OutputStatus.ABSENT


def test_the_time_alone_makes_no_file_another(out: Path, task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    _finish(out, task)
    _touch(task.source)
    _touch(task.target)
    with Manifest(out) as manifest:
        assert manifest.status(task, {WORK}) is OutputStatus.DONE

    def refuse(files: list[Path]) -> FileFingerprint:
        raise AssertionError(f"{files} are read again")

    # The new times were kept.
    monkeypatch.setattr(FileFingerprint, "of", refuse)
    assert _output_status(out, task) is OutputStatus.DONE


def test_a_moved_folder_is_still_done(out: Path, task: Task, tmp_path: Path) -> None:
    _finish(out, task)
    out.rename(tmp_path / "elsewhere")
    moved = Task(
        MediaKind.PHOTO, task.source.rename(tmp_path / "b.png"), tmp_path / "elsewhere" / "x" / "a.png"
    )
    assert _output_status(tmp_path / "elsewhere", moved) is OutputStatus.DONE


def test_an_output_that_a_stopped_job_was_making_may_be_replaced(out: Path, task: Task) -> None:
    """Killed after the output came into its place, and before that was written down."""
    manifest = Manifest(out).__enter__()
    manifest.begin(task)
    assert _output_status(out, task) is OutputStatus.BEGUN
    _finish(out, task)
    assert json.loads((out / NAME).read_text())["begun"] == {}


def test_all_but_the_task_at_hand_is_on_the_disk(out: Path, task: Task) -> None:
    second = Task(MediaKind.PHOTO, task.source, out / "b.png")
    manifest = Manifest(out).__enter__()
    manifest.begin(task)
    manifest.finish(task, WORK, FileFingerprint.of(task.inputs()))
    manifest.begin(second)
    # Killed here.
    assert _output_status(out, task) is OutputStatus.DONE
    second.target.write_bytes(b"whole")
    assert _output_status(out, second) is OutputStatus.BEGUN


def test_an_input_that_failed_is_known_until_it_is_another_file(out: Path, task: Task) -> None:
    with Manifest(out) as manifest:
        record = ManifestRecorder(manifest, _work())
        record.begin(task)
        record.fail(task, InputError("it is damaged"))
    assert Manifest(out).has_failed(task)
    task.source.write_bytes(b"mended")
    assert not Manifest(out).has_failed(task)
    _finish(out, task)
    task.source.write_bytes(b"in")
    assert not Manifest(out).has_failed(task)


def test_what_is_not_the_inputs_fault_is_not_remembered(out: Path, task: Task) -> None:
    with Manifest(out) as manifest:
        record = ManifestRecorder(manifest, _work())
        record.begin(task)
        record.fail(task, StorageError("no room"))
    assert not Manifest(out).has_failed(task)
    assert json.loads((out / NAME).read_text())["begun"] == {}


def test_a_sequence_is_the_same_while_each_of_its_files_is(tmp_path: Path) -> None:
    for name in ("in", "out"):
        (tmp_path / name).mkdir()
        for number in range(3):
            (tmp_path / name / f"s.{number}.png").write_text(f"{name} {number}")
    out, frames = tmp_path / "out", tmp_path / "in"
    task = Task(MediaKind.VIDEO, frames / "s.%d.png", out / "s.%d.png")
    _finish(out, task)
    assert _output_status(out, task) is OutputStatus.DONE
    _touch(frames / "s.1.png")
    assert _output_status(out, task) is OutputStatus.DONE
    for changed, back in (
        (lambda: (frames / "s.1.png").write_text("in 7"), lambda: (frames / "s.1.png").write_text("in 1")),
        (
            lambda: (frames / "s.2.png").rename(frames / "s.5.png"),
            lambda: (frames / "s.5.png").rename(frames / "s.2.png"),
        ),
        (lambda: (frames / "s.3.png").touch(), lambda: (frames / "s.3.png").unlink()),
    ):
        changed()
        assert _output_status(out, task) is OutputStatus.OTHER_INPUT
        back()
        assert _output_status(out, task) is OutputStatus.DONE
    (out / "s.0.png").unlink()
    assert _output_status(out, task) is OutputStatus.CHANGED
    for path in task.outputs():
        path.unlink()
    assert _output_status(out, task) is OutputStatus.ABSENT
    for path in task.inputs():
        path.unlink()
    with pytest.raises(FileNotFoundError):
        FileFingerprint.of(task.inputs())


# -- several jobs, and a disk that refuses -----------------------------------------------------------------


def test_two_jobs_in_one_folder_keep_what_the_other_finished(out: Path, task: Task) -> None:
    other = Task(MediaKind.PHOTO, task.source, out / "b.png")
    other.target.write_bytes(b"b")
    with Manifest(out) as one, Manifest(out) as two:
        one.begin(task)
        two.begin(other)
        one.finish(task, WORK, FileFingerprint.of(task.inputs()))
        two.finish(other, WORK, FileFingerprint.of(other.inputs()))
    assert {_output_status(out, task), _output_status(out, other)} == {OutputStatus.DONE}
    assert json.loads((out / NAME).read_text())["begun"] == {}


def test_what_another_job_writes_at_the_same_moment_is_kept_too(
    out: Path, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between this job's look at the file and its own writing."""
    other = Task(MediaKind.PHOTO, task.source, out / "b.png")
    other.target.write_bytes(b"b")
    write, asked = Path.write_text, []

    def late(path: Path, *arguments: Any, **options: Any) -> int:
        if not asked:
            asked.append(path)
            with Manifest(out) as two:
                two.begin(other)
                two.finish(other, WORK, FileFingerprint.of(other.inputs()))
        return write(path, *arguments, **options)

    with Manifest(out) as one:
        one.begin(task)
        one.finish(task, WORK, FileFingerprint.of(task.inputs()))
        monkeypatch.setattr(Path, "write_text", late)
    assert asked and {_output_status(out, task), _output_status(out, other)} == {OutputStatus.DONE}


def test_a_disk_that_refuses_is_said_and_leaves_the_old_file(
    out: Path, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    _finish(out, task)
    before = (out / NAME).read_bytes()

    def full(path: Path, *_: Any, **__: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(StorageError, match="no room left"), Manifest(out) as manifest:
        manifest.begin(Task(MediaKind.PHOTO, task.source, out / "b.png"))
    monkeypatch.undo()
    assert (out / NAME).read_bytes() == before and _output_status(out, task) is OutputStatus.DONE
    assert sorted(path.name for path in out.iterdir()) == [NAME, "x"]


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path, task: Task) -> None:
    with pytest.raises(OutputError), Manifest(task.source) as manifest:
        manifest.begin(Task(MediaKind.PHOTO, task.source, task.source / "b.png"))


def test_an_error_is_not_hidden_by_one_of_the_manifest(
    out: Path, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, scratch: Path | None) -> None:
        raise OutputError("refused")

    with pytest.raises(KeyboardInterrupt), Manifest(out) as manifest:
        manifest.begin(task)
        manifest.finish(task, WORK, FileFingerprint.of(task.inputs()))
        monkeypatch.setattr(manifest_module, "atomic_output", refuse)
        raise KeyboardInterrupt


# -- works -------------------------------------------------------------------------------------------------


def _work(
    seed: int = 0, weights: str = "untrained", span: TimeRange | None = None, **preset: Any
) -> RenderSpec:
    loaded = Preset.model_validate({"name": "mine", **preset})
    pictures = picture_digests(loaded)
    return RenderSpec(loaded, "kind", weights, pictures, seed, span=span or TimeRange())


def test_whatever_decides_pixels_makes_another_work() -> None:
    works = [
        _work(),
        _work(seed=1),
        _work(weights="learned"),
        _work(tv_weight=0.5),
        _work(style={"scale": 2.0}),
        _work(output={"photo_quality": 90}),
    ]
    assert len({work.key(MediaKind.PHOTO) for work in works}) == len(works)
    assert _work().key(MediaKind.PHOTO) == _work(description="Other words", tags=["ink"], name="renamed").key(
        MediaKind.PHOTO
    )


def test_a_time_range_concerns_clips_alone() -> None:
    part = _work(span=TimeRange(Fraction(1, 3), None))
    assert part.key(MediaKind.PHOTO) == _work().key(MediaKind.PHOTO)
    assert len({part.key(MediaKind.VIDEO), _work().key(MediaKind.VIDEO), _work().key(MediaKind.PHOTO)}) >= 2
    assert part.key(MediaKind.VIDEO) != _work().key(MediaKind.VIDEO)


def test_a_style_image_counts_by_its_bytes_wherever_it_lies(tmp_path: Path, photo: Path) -> None:
    def key(path: Path) -> str:
        return _work(style={"images": [{"path": str(path)}]}).key(MediaKind.PHOTO)

    copy = tmp_path / "copy.png"
    copy.write_bytes(photo.read_bytes())
    assert key(copy) == key(photo)
    copy.write_bytes(photo.read_bytes() + b"\0")
    assert key(copy) != key(photo)


def test_a_mask_drawn_anew_in_a_folder_of_masks_makes_another_work(tmp_path: Path) -> None:
    masks = tmp_path / "masks"
    masks.mkdir()
    (masks / "a.png").write_bytes(b"one")
    keys = [_work(style={"mask": str(masks)}).key(MediaKind.PHOTO) for _ in range(2)]
    (masks / "a.png").write_bytes(b"another")
    keys.append(_work(style={"mask": str(masks)}).key(MediaKind.PHOTO))
    assert keys[0] == keys[1] != keys[2]
