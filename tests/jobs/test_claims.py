"""One job makes an output at a time; what is claimed is free again as soon as its job is gone."""

from __future__ import annotations

import multiprocessing
import threading
from pathlib import Path

import pytest

from framestyle.errors import Code, OutputError
from framestyle.jobs.resume.claims import claim
from framestyle.jobs.resume.scratch import Scratch


def _files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


def test_what_one_holds_another_does_not_get_until_it_is_gone(tmp_path: Path) -> None:
    ours = [tmp_path / "a.png", tmp_path / "sub" / "b.png"]
    with Scratch(tmp_path) as one:
        claim(one, ours)
        for beside, output in (
            (tmp_path, tmp_path / "a.png"),
            (tmp_path, tmp_path / "." / "sub" / ".." / "a.png"),
            (tmp_path / "sub", tmp_path / "sub" / "b.png"),
        ):
            with Scratch(beside) as two:
                with pytest.raises(OutputError, match="another run is at work on") as caught:
                    claim(two, [tmp_path / "c.png", output])
                assert caught.value.code == Code.OUTPUT_BUSY and caught.value.facts["path"] == str(output)
        with Scratch(tmp_path) as three:
            claim(three, [tmp_path / "c.png", tmp_path / "sub" / "a.png"])
    with Scratch(tmp_path) as two:
        claim(two, ours)
    assert _files(tmp_path) == []


def test_links_lead_to_one_folder_and_an_output_that_is_a_link_is_itself(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "linked").symlink_to("real")
    (tmp_path / "real" / "link.png").symlink_to("a.png")
    with Scratch(tmp_path / "real") as one, Scratch(tmp_path / "linked") as two:
        claim(one, [tmp_path / "real" / "a.png"])
        claim(two, [tmp_path / "linked" / "link.png"])
        with pytest.raises(OutputError):
            claim(two, [tmp_path / "linked" / "a.png"])


@pytest.mark.parametrize("number", range(8))
def test_of_many_that_ask_at_once_exactly_one_gets_it(tmp_path: Path, number: int) -> None:
    together, over = threading.Barrier(6, timeout=60), threading.Barrier(6, timeout=60)
    got: list[str] = []

    def ask() -> None:
        with Scratch(tmp_path) as scratch:
            together.wait()
            try:
                claim(scratch, [tmp_path / "a.png"])
                got.append("it")
            except OutputError:
                got.append("nothing")
            over.wait()  # those that got nothing do not make room for others

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    assert sorted(got) == ["it", *["nothing"] * 5]
    assert _files(tmp_path) == []


def test_of_many_that_begin_at_once_each_has_a_folder_of_its_own(tmp_path: Path) -> None:
    """Each clears away what it takes for a dead job's, the others' newborn folders among it; none goes without one."""
    for round_ in range(60):
        beside, together = tmp_path / str(round_), threading.Barrier(6, timeout=30)
        beside.mkdir()
        folders: list[Path | None] = []

        def begin(beside: Path, together: threading.Barrier, folders: list[Path | None]) -> None:
            together.wait()
            with Scratch(beside) as scratch:
                folders.append(scratch.folder)
                together.wait()

        threads = [threading.Thread(target=begin, args=(beside, together, folders)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(set(folders)) == 6 and None not in folders


def _claim_and_die(folder: Path) -> None:
    import os

    scratch = Scratch(folder)
    scratch.__enter__()
    claim(scratch, [folder / "a.png"])
    os._exit(9)


def test_a_dead_jobs_claim_is_nothing(tmp_path: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=_claim_and_die, args=(tmp_path,))
    process.start()
    process.join(60)
    assert process.exitcode == 9 and len(list(tmp_path.iterdir())) == 1
    with Scratch(tmp_path / "sub") as above:  # it does not clear away what lies above it
        claim(above, [tmp_path / "a.png"])
    with Scratch(tmp_path) as scratch:
        claim(scratch, [tmp_path / "a.png"])
    assert _files(tmp_path) == []
