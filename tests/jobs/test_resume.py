"""Whatever stops the work on a clip, the same command goes on there, and ends as if nothing had stopped it."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Self

import pytest
from filelock import FileLock

from framestyle.context import Context
from framestyle.doors.advice import next_step
from framestyle.errors import Cancelled, OutputError, StorageError
from framestyle.events import Event, FrameDone, Note, TaskDone, TaskResumed
from framestyle.jobs.plan.units import ShotTask
from framestyle.jobs.resume import resume_key as facts_module
from framestyle.jobs.resume.fingerprint import FileFingerprint
from framestyle.jobs.resume.resume_key import FACTS, PUBLISHED, PUBLISHING, ResumeKey, work_folder_of
from framestyle.jobs.resume.shot_work import STATES_KEPT
from framestyle.jobs.resume.work_folder import LOCK, WorkFolder
from framestyle.jobs.run.batch import Order, paint, prepare
from framestyle.jobs.run.interrupts import held_back
from framestyle.kinds import TimeRange
from framestyle.media.video import sequences
from framestyle.motion.shots import Shot
from framestyle.nst.sizes import Size
from framestyle.presets import Preset

MakeClip = Callable[..., Path]
MakePreset = Callable[..., Preset]
MakeOrder = Callable[..., Order]
OnEvent = Callable[[Event], None]
FRAMES = 8

pytestmark = pytest.mark.usefixtures("here", "loads")


@pytest.fixture
def make_order(make_clip: MakeClip, make_preset: MakePreset) -> MakeOrder:
    """A clip of two shots to out.mp4; work is checkpointed after each frame, or as `save_every_s` says."""
    source = make_clip("in.mp4", shots=(5, 3), sound=True)

    def made(
        output: str = "out.mp4", source: Path = source, save_every_s: float = 0.0, **changes: Any
    ) -> Order:
        changes["output"] = {"save_every_s": save_every_s, **changes.get("output", {})}
        return Order([source], Path(output), [make_preset(**changes)], weights="untrained", device="cpu")

    return made


def _do(order: Order, on_event: OnEvent = lambda event: None) -> list[Event]:
    """All its news."""
    news: list[Event] = []

    def heard(event: Event) -> None:
        news.append(event)
        on_event(event)

    paint(prepare(order), order, Context(heard))
    return news


def _stop_after(painted: int, error: BaseException | type[BaseException] = KeyboardInterrupt) -> OnEvent:
    """While the next frame is being painted."""
    left = painted

    def heard(event: Event) -> None:
        nonlocal left
        left -= isinstance(event, FrameDone)
        if left < 0:
            raise error

    return heard


def _painted(news: Sequence[Event]) -> list[int]:
    return [event.index for event in news if isinstance(event, FrameDone)]


def _resumed(news: Sequence[Event]) -> list[TaskResumed]:
    return [event for event in news if isinstance(event, TaskResumed)]


def _warnings(news: Sequence[Event]) -> list[str]:
    return [event.message for event in news if isinstance(event, Note) and event.level == "warning"]


def _hidden() -> list[str]:
    return [path.name for path in Path().iterdir() if path.name.startswith(".")]


def _files(folder: Path) -> dict[str, bytes]:
    """What lies in a folder now: as a process that is killed does nothing at its end, that is what it would leave."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def _put_back(folder: Path, kept: Mapping[str, bytes]) -> None:
    for name, data in kept.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


_known: dict[str, bytes] = {}


def _whole(make_order: MakeOrder, **changes: Any) -> bytes:
    """What comes where nothing stops it: made once."""
    if (kind := repr(changes)) not in _known:
        _do(make_order("whole.mp4", **changes))
        _known[kind] = Path("whole.mp4").read_bytes()
        Path("whole.mp4").unlink()
    return _known[kind]


@pytest.fixture
def whole(make_order: MakeOrder) -> bytes:
    """The result of an order without changes."""
    return _whole(make_order)


# -- going on ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [1, 4, 5, 7])
def test_a_stopped_clip_goes_on_and_ends_as_if_it_had_not_been_stopped(
    make_order: MakeOrder, whole: bytes, after: int
) -> None:
    order = make_order()
    with pytest.raises(Cancelled, match=f"{after} of 8 frames are painted and kept") as stop:
        _do(order, _stop_after(after))
    assert "same command" in str(next_step(stop.value)) and not Path("out.mp4").exists()
    news = _do(order)
    assert _painted(news) == list(range(after, FRAMES))
    (resumed,) = _resumed(news)
    assert (resumed.frames, resumed.painted, resumed.shots) == (after, after, 1 if after < 6 else 2)
    assert Path("out.mp4").read_bytes() == whole
    assert not _hidden()


@pytest.mark.parametrize("after", [2, 5, 6, 9, 10, 13])
def test_with_two_passes_too(make_order: MakeOrder, after: int) -> None:
    """5 and 5 frames of the first shot, then 3 and 3."""
    twice = {"video": {"steps": 1, "min_steps": 1, "passes": 2}}
    with pytest.raises(Cancelled, match=f"{after} of 16 frames are painted"):
        _do(make_order(**twice), _stop_after(after))
    news = _do(make_order(**twice))
    assert len(_painted(news)) == 16 - after
    assert Path("out.mp4").read_bytes() == _whole(make_order, **twice)
    assert not _hidden()


@pytest.mark.parametrize("after", [1, 2, 4, 6])
def test_by_key_frames_it_goes_on_at_the_last_one(make_order: MakeOrder, after: int) -> None:
    video = {"steps": 1, "min_steps": 1, "method": "key_frames", "key_frame_gap": 2, "polish_steps": 1}
    with pytest.raises(Cancelled):
        _do(make_order(video=video), _stop_after(after))
    news = _do(make_order(video=video))
    (resumed,) = _resumed(news)
    assert after - 2 <= resumed.painted <= after
    assert _painted(news) == list(range(resumed.painted, FRAMES))
    assert Path("out.mp4").read_bytes() == _whole(make_order, video=video)
    assert not _hidden()


def test_again_and_again(make_order: MakeOrder, whole: bytes) -> None:
    order = make_order()
    for _ in range(3):
        with pytest.raises(Cancelled):
            _do(order, _stop_after(2))
    _do(order)
    assert Path("out.mp4").read_bytes() == whole


def test_to_and_from_images_with_their_transparency(make_order: MakeOrder, make_clip: MakeClip) -> None:
    source = make_clip("in.mov", "-pix_fmt", "yuva444p10le", "-c:v", "prores_ks", shots=(4,))
    for name in ("whole", "out"):
        order = make_order(f"{name}/f.%03d.png", source=source)
        if name == "out":
            with pytest.raises(Cancelled):
                _do(order, _stop_after(2))
            assert _resumed(_do(order))
        else:
            _do(order)
    for number in range(4):
        one, other = (Path(name, f"f.{number:03d}.png").read_bytes() for name in ("whole", "out"))
        assert one == other
    assert sorted(path.name for path in Path("out").iterdir()) == [f"f.{n:03d}.png" for n in range(4)]


@pytest.mark.parametrize("error", [StorageError("no room"), RuntimeError("a bug")])
def test_an_error_keeps_what_is_done_too(make_order: MakeOrder, whole: bytes, error: Exception) -> None:
    order = make_order(save_every_s=3600.0)
    with pytest.raises(type(error)):
        _do(order, _stop_after(3, error))
    assert not Path("out.mp4").exists()
    assert _painted(_do(order)) == [3, 4, 5, 6, 7]
    assert Path("out.mp4").read_bytes() == whole


def test_in_a_folder_the_clip_at_hand_goes_on_and_others_are_done(
    make_order: MakeOrder, make_clip: MakeClip, whole: bytes
) -> None:
    for name in ("a.mp4", "b.mp4"):
        Path("clips").mkdir(exist_ok=True)
        Path("clips", name).write_bytes(Path("in.mp4").read_bytes())
    order = make_order("painted", source=Path("clips"))
    with pytest.raises(Cancelled):
        _do(order, _stop_after(FRAMES + 3))
    news = _do(order)
    assert _painted(news) == [3, 4, 5, 6, 7] and [event.path for event in _resumed(news)] == ["clips/b.mp4"]
    assert [event.output for event in news if isinstance(event, TaskDone)] == ["painted/b.mp4"]
    assert Path("painted/b.mp4").read_bytes() == Path("painted/a.mp4").read_bytes() == whole


# -- how much is kept --------------------------------------------------------------------------------------


def test_work_is_laid_by_when_it_is_time_and_old_states_go(make_order: MakeOrder) -> None:
    folder, seen = work_folder_of(Path("out.mp4")), list[set[str]]()

    def look(event: Event) -> None:
        if isinstance(event, FrameDone):
            seen.append(set(_files(folder / "shots")))

    def kept(names: set[str], shot: str, what: str) -> int:
        return sum(name.startswith(f"{shot}/{what}-") for name in names)

    _do(make_order(), look)
    for index, names in enumerate(seen):
        shot, frames = ("00000.open", index) if index < 5 else ("00001.open", index - 5)
        assert kept(names, shot, "entry") == kept(names, shot, "segment") == frames
        assert kept(names, shot, "state") == min(frames, STATES_KEPT)
        # A shot that is painted to its end is whole, and needs no state.
        assert kept(names, "00000", "segment") == 5 * (index >= 5) and not kept(names, "00000", "state")
    seen.clear()
    _do(replace(make_order(save_every_s=3600.0), overwrite=True), look)
    for index, names in enumerate(seen):
        assert not kept(names, "00000.open", "entry") and not kept(names, "00001.open", "entry")
        assert kept(names, "00000", "segment") == (index >= 5)


def test_killed_between_two_frames_what_was_laid_by_is_there(make_order: MakeOrder, whole: bytes) -> None:
    folder, order = work_folder_of(Path("out.mp4")), make_order()
    kept: dict[str, bytes] = {}

    def look(event: Event) -> None:
        if isinstance(event, FrameDone) and event.index == 4:
            kept.update(_files(folder))

    _do(order, look)
    assert Path("out.mp4").read_bytes() == whole
    Path("out.mp4").unlink()
    _put_back(folder, kept)
    assert any(name.startswith(".framestyle-") and name.endswith(".mp4") for name in kept), (
        "the unfinished output"
    )
    assert _painted(_do(order)) == [4, 5, 6, 7]
    assert Path("out.mp4").read_bytes() == whole and not _hidden()


# -- what is damaged ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "again"),
    [
        ("shots/00001.open/state-000001.safetensors", [6, 7]),
        ("shots/00001.open/segment-000001.mkv", [6, 7]),
        ("shots/00001.open/entry-000001.json", [6, 7]),
        ("shots/00001.open/segment-000000.mkv", [5, 6, 7]),
        # Of a shot that is whole there is no state to go on from; the other one is none the worse.
        ("shots/00000/entry-000002.json", [0, 1, 2, 3, 4, 7]),
        ("shots/00000/segment-000000.mkv", [0, 1, 2, 3, 4, 7]),
        (FACTS, list(range(FRAMES))),
    ],
)
@pytest.mark.parametrize("damage", ["cut", "changed", "gone"])
def test_what_is_damaged_is_done_again_and_it_is_said(
    make_order: MakeOrder, whole: bytes, name: str, again: list[int], damage: str
) -> None:
    order = make_order()
    with pytest.raises(Cancelled):
        _do(order, _stop_after(7))
    path = work_folder_of(Path("out.mp4")) / name
    data = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        middle = len(data) // 2
        path.write_bytes(data[:middle] if damage == "cut" else data[:middle] + b"\0\xff" + data[middle + 2 :])
    news = _do(order)
    assert _painted(news) == again
    unseen = damage == "gone" and name in (FACTS, "shots/00001.open/entry-000001.json")
    assert unseen or any("out.mp4" in words for words in _warnings(news))
    assert Path("out.mp4").read_bytes() == whole


def test_a_damaged_store_of_two_passes_is_done_again(make_order: MakeOrder) -> None:
    twice = {"video": {"steps": 1, "min_steps": 1, "passes": 2}}
    with pytest.raises(Cancelled):
        _do(make_order(**twice), _stop_after(7))
    # The last file is of a frame that was stored, and not yet marked.
    last = sorted((work_folder_of(Path("out.mp4")) / "shots/00000.open/frames").iterdir())[-2]
    data = bytearray(last.read_bytes())
    data[len(data) // 2] ^= 255
    last.write_bytes(data)
    news = _do(make_order(**twice))
    assert len(_painted(news)) == 16 - 6 and _warnings(news)
    assert Path("out.mp4").read_bytes() == _whole(make_order, **twice)


# -- what has changed --------------------------------------------------------------------------------------


def _begun(order: Order) -> None:
    with pytest.raises(Cancelled):
        _do(order, _stop_after(3))


def test_other_settings_are_refused_and_fresh_begins_anew(make_order: MakeOrder) -> None:
    _begun(make_order())
    other = make_order(tv_weight=2.0)
    with pytest.raises(OutputError, match=r"out\.mp4 was begun with other settings") as refused:
        prepare(other)
    assert "--fresh" in str(next_step(refused.value))
    news = _do(replace(other, fresh=True))
    assert not _resumed(news) and len(_painted(news)) == FRAMES and not _hidden()


def test_where_nothing_was_laid_by_nothing_is_refused(make_order: MakeOrder) -> None:
    """As after a kill in the first frame."""
    order, kept = make_order(), dict[str, bytes]()
    folder = work_folder_of(Path("out.mp4"))

    def look(event: Event) -> None:
        if isinstance(event, FrameDone):
            kept.update(_files(folder))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        _do(order, look)
    assert not folder.exists() and FACTS in kept
    _put_back(folder, kept)
    assert len(_painted(_do(make_order(tv_weight=2.0)))) == FRAMES and not _hidden()


def test_a_changed_input_is_refused(make_order: MakeOrder, make_clip: MakeClip) -> None:
    order = make_order()
    _begun(order)
    make_clip("in.mp4", shots=(4, 4))
    with pytest.raises(OutputError, match=r"out\.mp4 was begun before its input changed"):
        prepare(order)
    assert not _resumed(_do(replace(order, fresh=True)))


def test_other_versions_are_refused(make_order: MakeOrder, monkeypatch: pytest.MonkeyPatch) -> None:
    order = make_order()
    _begun(order)
    there = facts_module.version("torch")
    monkeypatch.setattr(facts_module, "version", lambda name: "99.0" if name == "torch" else "?")
    with pytest.raises(OutputError, match=rf"begun by .*torch {there} \(now 99\.0\)".replace("+", r"\+")):
        prepare(order)


def test_work_that_an_earlier_version_kept_is_refused_and_fresh_begins_anew(make_order: MakeOrder) -> None:
    """It lay in the work folder itself, and not by shot."""
    order, folder = make_order(), work_folder_of(Path("out.mp4"))
    _begun(order)
    facts = json.loads((folder / FACTS).read_text())
    (folder / FACTS).write_text(json.dumps({**facts, "framestyle_work": 1}))
    (folder / "shots").rename(folder / "elsewhere")
    (folder / "entry-000000.json").write_text("{}")
    with pytest.raises(OutputError, match=r"out\.mp4 was begun by another FrameStyle"):
        prepare(order)
    assert len(_painted(_do(replace(order, fresh=True)))) == FRAMES and not _hidden()


def test_an_input_that_was_only_copied_is_the_same(make_order: MakeOrder, whole: bytes) -> None:
    order = make_order()
    _begun(order)
    os.utime("in.mp4", (1, 1))
    assert _resumed(_do(order)) and Path("out.mp4").read_bytes() == whole


def test_how_often_work_is_laid_by_changes_nothing(make_order: MakeOrder) -> None:
    _begun(make_order(save_every_s=0.0))
    assert _resumed(_do(make_order(save_every_s=3600.0)))


# -- one at a time -----------------------------------------------------------------------------------------


def test_two_runs_never_share_a_work_folder(make_order: MakeOrder, whole: bytes) -> None:
    order = make_order()
    _begun(order)
    lock = FileLock(work_folder_of(Path("out.mp4")) / LOCK)
    for one in (order, replace(order, fresh=True)):
        with lock, pytest.raises(OutputError, match=r"another run is at work on out\.mp4"):
            _do(one)
    assert _resumed(_do(order)) and Path("out.mp4").read_bytes() == whole


def test_stopped_while_images_are_put_in_place(
    make_order: MakeOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = make_order("out/f.%03d.png")
    real = sequences.put_in_place

    def third_is_too_much(temporary: Path, target: Path) -> None:
        if target.name == "f.002.png":
            raise KeyboardInterrupt
        real(temporary, target)

    with monkeypatch.context() as patch, pytest.raises(Cancelled):
        patch.setattr(sequences, "put_in_place", third_is_too_much)
        _do(order)
    assert (work_folder_of(order.output) / PUBLISHING).exists()
    assert not _painted(_do(order)) and len(list(Path("out").glob("f.*.png"))) == FRAMES


@pytest.mark.parametrize("gone", [(), ("shots/*/entry-*",), ("shots/*/*", LOCK, PUBLISHING)])
def test_killed_while_it_tidied_up_nothing_is_painted_again(
    make_order: MakeOrder, whole: bytes, gone: tuple[str, ...]
) -> None:
    """As above: the folder is put back as a kill would have left it."""
    folder, order, kept = work_folder_of(Path("out.mp4")), make_order(), dict[str, bytes]()

    def look(event: Event) -> None:
        if isinstance(event, FrameDone):
            kept.update(_files(folder))

    _do(order, look)
    _put_back(folder, {**kept, PUBLISHING: b"", PUBLISHED: b""})
    for pattern in gone:
        for path in folder.glob(pattern):
            path.unlink()
    before = Path("out.mp4").stat()
    news = _do(order)
    assert not _painted(news) and [event.frames for event in _resumed(news)] == [FRAMES]
    assert Path("out.mp4").stat().st_ino == before.st_ino and Path("out.mp4").read_bytes() == whole
    assert not _hidden()


class _Moments:
    """What lies here before each change of a file, from the moment on at which the result is in its place."""

    def __init__(self, result: Path) -> None:
        self._result, self._on = result, False
        self.found: list[dict[str, bytes]] = []
        sys.addaudithook(self._hear)  # stays for ever, and hears nothing outside `with`

    def __enter__(self) -> Self:
        self._on = True
        return self

    def __exit__(self, *error: object) -> None:
        self._on = False

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._on or event not in ("os.rename", "os.remove", "os.rmdir", "os.mkdir"):
            return
        self._on = False
        if self._result.exists() and (now := _files(Path())) not in self.found:
            self.found.append(now)
        self._on = True


@pytest.mark.parametrize("output", ["out.mp4", "out/in.mp4"])
def test_killed_at_any_moment_after_the_result_is_there_the_same_command_finds_it_done(
    make_order: MakeOrder, output: str
) -> None:
    """In a folder of its manifest, too. Each moment's files are put back as a kill would have left them."""
    order = replace(make_order(output), into_folder=output.startswith("out/"))
    order = replace(order, output=Path(output).parent if order.into_folder else Path(output))
    with _Moments(Path(output)) as moments:
        _do(order)
    whole, inode = Path(output).read_bytes(), 0
    assert len(moments.found) > 10
    for files in moments.found:
        for name in _files(Path()).keys() - {"in.mp4"}:
            Path(name).unlink()
        _put_back(Path(), {name: data for name, data in files.items() if name != "in.mp4"})
        inode = Path(output).stat().st_ino
        news = _do(order)
        assert not _painted(news) and Path(output).read_bytes() == whole, sorted(files)
        left = {name for name in _files(Path()) if ".framestyle" in name}
        assert left <= {"out/.framestyle.json"} and not list(Path().rglob(".framestyle-*")), sorted(files)
    assert Path(output).stat().st_ino == inode


def test_a_kill_at_the_end_hides_no_other_settings_and_no_other_file(make_order: MakeOrder) -> None:
    order = make_order()
    with _Moments(order.output) as moments:
        _do(order)
    last = next(files for files in reversed(moments.found) if any("made" in name for name in files))
    mark = next(name for name in last if "made" in name)
    Path(mark).write_bytes(last[mark])
    with pytest.raises(OutputError, match=r"out\.mp4 exists already, made with other settings"):
        prepare(make_order(video={"steps": 2}))
    Path("out.mp4").write_text("mine")
    with pytest.raises(OutputError, match=r"out\.mp4 exists already, changed after it was made"):
        prepare(order)
    assert Path("out.mp4").read_text() == "mine"


def test_a_result_that_was_taken_away_meanwhile_is_made_again(make_order: MakeOrder, whole: bytes) -> None:
    order = make_order()
    _begun(order)
    (work_folder_of(Path("out.mp4")) / PUBLISHED).touch()
    assert _painted(_do(order)) and Path("out.mp4").read_bytes() == whole and not _hidden()


def test_a_file_that_somebody_else_put_there_meanwhile_stays(make_order: MakeOrder) -> None:
    order = make_order()
    _begun(order)
    Path("out.mp4").write_text("mine")
    with pytest.raises(OutputError, match="exists already"):
        prepare(order)
    assert Path("out.mp4").read_text() == "mine"


def test_facts_are_plain_to_read(make_order: MakeOrder) -> None:
    _begun(make_order())
    told = json.loads((work_folder_of(Path("out.mp4")) / FACTS).read_text())
    assert told["target"] == "out.mp4" and told["input"]["size"] == Path("in.mp4").stat().st_size


def test_a_shot_that_is_still_at_work_when_its_clip_is_stopped_can_be_resumed() -> None:
    """As where Ctrl-C comes again and again: nobody waits for the threads, and they keep what they have."""
    target = Path("out.mp4")
    work = work_folder_of(target)
    shot = ShotTask(Path("in.mp4"), 0, Shot(0, 5), Size(32, 24), TimeRange(), Fraction(25), work)
    facts = ResumeKey("work", FileFingerprint(1, 1, "0"), {})
    clip = WorkFolder(target, facts, [shot])
    with pytest.raises(KeyboardInterrupt), ExitStack() as stack:
        with pytest.raises(KeyboardInterrupt), clip:
            stack.enter_context(clip.shot(shot))
            raise KeyboardInterrupt
        assert (work / FACTS).exists()
        raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt), clip:
        raise KeyboardInterrupt
    assert not work.exists(), "nothing was painted after all"


# -- signals -----------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def nobody_hears_sigterm() -> Iterator[None]:
    """A library that another test started may have left its own handler in this process."""
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_waits_for_the_end_of_the_block(number: signal.Signals) -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), held_back():
        signal.raise_signal(number)
        done.append("all")
    assert done == ["all"]


def test_a_second_signal_does_not_wait() -> None:
    done = []
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), held_back():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        done.append("never")
    assert not done and before == (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM))


def test_a_signal_is_heard_by_whoever_heard_signals_before() -> None:
    """A watched folder's service paints its frame to the end: for it, SIGTERM is no KeyboardInterrupt."""
    told: list[str] = []
    before = signal.signal(signal.SIGTERM, lambda *_: told.append("heard"))
    try:
        with held_back():
            with held_back():
                signal.raise_signal(signal.SIGTERM)
            told.append("inner block has ended")
        told.append("outer block has ended")
        with held_back():
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGTERM)
            told.append("two at once")
    finally:
        signal.signal(signal.SIGTERM, before)
    first, second = told[:3], told[3:]
    assert first == ["inner block has ended", "heard", "outer block has ended"]
    assert second == ["heard", "heard", "two at once"]


def test_a_signal_is_not_lost_where_the_block_fails() -> None:
    with pytest.raises(KeyboardInterrupt) as caught, held_back():
        signal.raise_signal(signal.SIGTERM)
        raise ValueError("of its own")
    assert isinstance(caught.value.__context__, ValueError)


def test_a_signal_that_is_ignored_stays_so() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with held_back():
            signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
