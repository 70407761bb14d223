"""What is not finished lies in a folder that goes, whatever became of the job."""

from __future__ import annotations

from pathlib import Path

import pytest

from framestyle.jobs.resume.scratch import PREFIX, Scratch
from framestyle.media.files import atomic_output


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_it_is_there_while_the_job_is_and_then_gone(tmp_path: Path) -> None:
    with Scratch(tmp_path / "out") as scratch:
        target = tmp_path / "out" / "sub" / "a.png"
        target.parent.mkdir()
        folder = scratch.for_target(target)
        assert folder is not None and folder.name.startswith(PREFIX)
        with atomic_output(target, folder) as temporary:
            assert temporary.parent == folder
            temporary.write_text("whole")
    assert target.read_text() == "whole" and _names(tmp_path / "out") == ["sub"]


def test_folders_that_it_made_go_where_nothing_came_into_them(tmp_path: Path) -> None:
    with Scratch(tmp_path / "new" / "deep"):
        pass
    assert not _names(tmp_path)
    with Scratch(tmp_path / "new" / "deep"):
        (tmp_path / "new" / "a.png").write_text("whole")
    assert _names(tmp_path / "new") == ["a.png"]


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), Scratch(tmp_path) as scratch:
        assert scratch.folder is not None
        (scratch.folder / "half.png").write_text("half")
        raise KeyboardInterrupt
    assert not _names(tmp_path)


def test_what_a_killed_job_left_is_cleared_away_and_a_living_ones_is_not(tmp_path: Path) -> None:
    dead = tmp_path / f"{PREFIX}dead"
    dead.mkdir()
    (dead / ".framestyle-1.png").write_text("half")
    with Scratch(tmp_path) as one, Scratch(tmp_path) as two:
        assert not dead.exists()
        assert one.folder is not None and one.folder.is_dir()
        assert two.folder is not None and two.folder.is_dir() and one.folder != two.folder
    assert not _names(tmp_path)


def test_where_no_folder_can_be_made_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with Scratch(tmp_path / "file") as scratch:
        assert scratch.folder is None and scratch.for_target(tmp_path / "file" / "a.png") is None
