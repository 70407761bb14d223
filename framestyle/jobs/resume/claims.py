"""Which outputs a living job is to make, so that no other job makes them meanwhile.

A job claims all of its outputs before it paints any: by a list in its scratch folder, which lives as long as the job.
Others look for such lists wherever their own outputs could be claimed. Two that ask at the same moment see each other,
since each writes before it looks: one yields.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from framestyle.errors import Code, OutputError
from framestyle.jobs.plan.tasks import as_one
from framestyle.jobs.resume.scratch import PREFIX, Scratch, is_alive
from framestyle.media.files import storage_error
from framestyle.paths import resolved

NAME = "claim.json"
ASKING, HOLDING = "asking", "holding"
LOOK_AGAIN_S = 0.02


def claim(scratch: Scratch, outputs: Sequence[Path]) -> None:
    """Hold `outputs` as long as the scratch folder lives. OutputError where another living job holds one of them.

    Where there is no scratch folder nothing is held: whoever writes there next will say why it cannot be.
    """
    if scratch.folder is None:
        return
    mine = {_identity(path): path for path in outputs}
    _write_claim(scratch.folder, ASKING, mine)
    folders = _folders_of(scratch, outputs)
    try:
        while not _is_ours(scratch.folder, mine, folders):
            time.sleep(LOOK_AGAIN_S)
    except OutputError:
        (scratch.folder / NAME).unlink(missing_ok=True)  # whoever waits for us need not
        raise
    _write_claim(scratch.folder, HOLDING, mine)


def _is_ours(folder: Path, mine: dict[str, Path], folders: Iterable[Path]) -> bool:
    """False: somebody asks for the same, and is to go back; look again. OutputError where we are."""
    is_ours = True
    for other in _others(folder, folders):
        state, theirs = _read_claim(other)
        shared = sorted(mine.keys() & theirs)
        if not shared or not is_alive(other):
            continue
        if state == HOLDING or other.name < folder.name:
            path = mine[shared[0]]
            raise OutputError(
                f"another run is at work on {path}", code=Code.OUTPUT_BUSY, facts={"path": str(path)}
            )
        is_ours = False
    return is_ours


def _identity(output: Path) -> str:
    """The same for whatever names lead to one file, on whatever file system. The last part may be a link: it is
    replaced, not what it leads to."""
    return as_one(resolved(output.parent) / output.name)


def _folders_of(scratch: Scratch, outputs: Iterable[Path]) -> set[Path]:
    """Where a job that has one of the outputs too may have its scratch folder: in any folder above one of them."""
    inner = {resolved(path.parent) for path in outputs}
    return {folder for start in (resolved(scratch.beside), *inner) for folder in (start, *start.parents)}


def _others(folder: Path, folders: Iterable[Path]) -> Iterator[Path]:
    for place in folders:
        for other in place.glob(f"{PREFIX}*"):
            if other.name != folder.name:
                yield other


def _read_claim(folder: Path) -> tuple[str, set[str]]:
    """A claim, and its outputs; nothing where there is none, or it cannot be read."""
    try:
        data = json.loads((folder / NAME).read_text(encoding="utf-8"))
        return str(data["state"]), {str(output) for output in data["outputs"]}
    except (OSError, ValueError, KeyError, TypeError):
        return ASKING, set()


def _write_claim(folder: Path, state: str, outputs: Iterable[str]) -> None:
    """Whole or not at all; after a crash nobody asks for it."""
    new, data = folder / f"{NAME}.new", {"state": state, "outputs": list(outputs)}
    try:
        new.write_text(json.dumps(data), encoding="ascii")
        os.replace(new, folder / NAME)
    except OSError as error:
        raise storage_error(error, folder) from error
