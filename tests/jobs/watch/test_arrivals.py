"""When a file in a watched folder is taken up: told by a clock that the test moves."""

from __future__ import annotations

from pathlib import Path

import pytest

from framestyle.jobs.watch.arrivals import Arrivals
from framestyle.jobs.watch.listing import listed, with_sequences
from framestyle.jobs.watch.settling import Settling

A, B = Path("a.jpg"), Path("b.jpg")


class Watched:
    """Arrivals, and what is said to lie in the folder at which second."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.arrivals = Arrivals(5.0, 60.0, lambda: self.now_s)

    def at(self, now_s: float, **sizes: int) -> list[Path]:
        """Those that are quiet then."""
        self.now_s = now_s
        self.arrivals.see({Path(f"{name}.jpg"): (size, 0, 0) for name, size in sizes.items()})
        return self.arrivals.quiet()


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_a_file_is_quiet_when_it_has_not_changed_for_the_settling_time(watched: Watched) -> None:
    assert watched.at(0, a=1) == []
    assert watched.at(4.9, a=1) == []
    assert watched.at(5, a=1) == [A]


def test_a_file_that_grows_begins_to_settle_anew(watched: Watched) -> None:
    watched.at(0, a=1)
    assert watched.at(4, a=2) == []
    assert watched.at(8, a=2, b=1) == []
    assert watched.at(9, a=2, b=1) == [A]


def test_what_was_dealt_with_is_left_alone_until_it_changes(watched: Watched) -> None:
    watched.at(0, a=1)
    watched.at(5, a=1)
    assert watched.arrivals.deal_with(A) == (1, 0, 0)
    assert watched.at(100, a=1) == []
    assert watched.arrivals.waiting == []
    watched.at(101, a=2)
    assert watched.arrivals.waiting == [A]
    assert watched.at(106, a=2) == [A]


def test_what_does_not_open_is_tried_again_and_again_less_often_then_given_up(watched: Watched) -> None:
    tries, given_up = [], False
    for second in range(200):
        for path in watched.at(second, a=1):
            tries.append(second)
            given_up = watched.arrivals.not_whole(path)
        if given_up:
            break
    assert tries == [5, 10, 20, 40, 80]


def test_a_pause_in_its_copying_does_not_count_against_a_file(watched: Watched) -> None:
    watched.at(0, a=1)
    watched.at(50, a=1)
    assert not watched.arrivals.not_whole(A)
    assert watched.at(51, a=2) == []
    assert watched.at(56, a=2) == [A]
    assert not watched.arrivals.not_whole(A)


def test_what_is_gone_is_forgotten(watched: Watched) -> None:
    watched.at(0, a=1, b=1)
    watched.at(5, a=1, b=1)
    watched.arrivals.deal_with(B)
    assert watched.at(6) == []
    assert watched.at(7, a=1, b=1) == []
    assert watched.at(12, a=1, b=1) == [A, B]


def test_what_others_are_writing_and_what_they_leave_everywhere_is_not_listed(tmp_path: Path) -> None:
    for name in (
        "a.jpg",
        "deep/er/b.jpg",
        ".hidden.jpg",
        ".dir/c.jpg",
        "d.jpg.part",
        "e.crdownload",
        "f.TMP",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    for name in ("~$g.jpg", "@eaDir/h.jpg", "done/i.jpg", "failed/j.jpg", "out/k.jpg", "deep/done/l.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = listed(tmp_path, {tmp_path.resolve() / "out"})
    names = sorted(path.relative_to(tmp_path).as_posix() for path in found)
    assert names == ["a.jpg", "deep/done/l.jpg", "deep/er/b.jpg"]


def test_a_file_that_another_has_taken_the_place_of_is_another_one(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    (tmp_path / "b").write_text("2")
    before = listed(tmp_path)[tmp_path / "a"]
    (tmp_path / "b").replace(tmp_path / "a")
    assert listed(tmp_path)[tmp_path / "a"] != before


def test_numbered_photos_of_a_folder_are_one_clip_where_that_is_asked_for(tmp_path: Path) -> None:
    for name in (
        "s/a.001.png",
        "s/a.002.png",
        "mixed/a.1.png",
        "mixed/b.1.png",
        "c.1.png",
        "c.2.png",
        "one/d.1.png",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    told = with_sequences(listed(tmp_path), tmp_path)
    names = sorted(path.relative_to(tmp_path).as_posix() for path in told)
    assert names == ["c.1.png", "c.2.png", "mixed/a.1.png", "mixed/b.1.png", "one/d.1.png", "s/a.%03d.png"]
    (tmp_path / "s" / "a.003.png").touch()
    assert (
        with_sequences(listed(tmp_path), tmp_path)[tmp_path / "s/a.%03d.png"]
        != told[tmp_path / "s/a.%03d.png"]
    )


def test_moving_puts_no_file_over_another(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    settling = Settling(folder, tmp_path / "out", moves=True)
    for text in ("1", "2", "3"):
        (folder / "x").mkdir(parents=True, exist_ok=True)
        (folder / "x" / "a.jpg").write_text(text)
        settling.done(folder / "x" / "a.jpg")
        (folder / "x" / "b.jpg").write_text(text)
        settling.failed(folder / "x" / "b.jpg", f"reason {text}")
    told = {path.relative_to(folder).as_posix(): path.read_text().strip() for path in folder.rglob("*.*")}
    assert told == {
        "done/x/a.jpg": "1",
        "done/x/a.2.jpg": "2",
        "done/x/a.3.jpg": "3",
        "failed/x/b.jpg": "1",
        "failed/x/b.2.jpg": "2",
        "failed/x/b.3.jpg": "3",
        "failed/x/b.jpg.txt": "reason 1",
        "failed/x/b.2.jpg.txt": "reason 2",
        "failed/x/b.3.jpg.txt": "reason 3",
    }


def test_a_reason_goes_when_the_file_is_painted_after_all(tmp_path: Path) -> None:
    folder, output = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    settling = Settling(folder, output, moves=False)
    (folder / "a.jpg").touch()
    settling.failed(folder / "a.jpg", "damaged")
    assert (output / "failed" / "a.jpg.txt").read_text() == "damaged\n"
    settling.done(folder / "a.jpg")
    assert not (output / "failed" / "a.jpg.txt").exists()
    assert (folder / "a.jpg").exists()
