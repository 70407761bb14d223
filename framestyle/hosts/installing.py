"""Plug-ins put where their hosts look, and taken away again: only files that we put there, as we put them."""

from __future__ import annotations

import json
import site
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path

from platformdirs import user_config_path

import framestyle
from framestyle.errors import Code, OutputError, UsageError
from framestyle.hosts.catalog import HOSTS, Host, Machine
from framestyle.media.files import atomic_output
from framestyle.nst.weights.hashes import sha256_of

VERSION_KEY, VERSION = "framestyle_integrations", 1
NOT_SHIPPED = ("README.md",)
"""Beside what Python leaves: told in our docs, and no part of a plug-in."""


class State(StrEnum):
    """How what was installed stands now."""

    WHOLE = "whole"
    OLD = "old"
    """It is not what this version of FrameStyle would put there."""
    CHANGED = "changed"
    """Files of it were changed or are missing."""
    GONE = "gone"
    """Its folder is not there any more."""


@dataclass(frozen=True)
class Installed:
    """What was put into a host's folder: `files` are paths in it, with their SHA-256; `made` the folders that were not
    there before.
    """

    host: str
    folder: str
    version: str
    files: Mapping[str, str]
    made: Sequence[str] = ()

    @property
    def paths(self) -> Iterator[tuple[Path, str]]:
        """Each file and the hash that it had."""
        return ((Path(self.folder) / name, digest) for name, digest in self.files.items())


def plugins_dir() -> Path:
    """Our plug-ins: inside the package in a wheel, beside it in a checkout."""
    package = Path(framestyle.__file__).parent
    wheel = package / "_data" / "integrations"
    return wheel if wheel.is_dir() else package.parent / "integrations"


def install(
    host: Host, named: Path | None = None, *, overwrite: bool = False, machine: Machine | None = None
) -> Installed:
    """The host's plug-in into its folder, in place of an earlier one of ours. UsageError where the host is not found;
    OutputError where another's file is in the way and `overwrite` does not say that it may be replaced.
    """
    folder = host.folder(named, machine)
    before = _recorded(host, folder)
    contents = dict(_contents(host))
    if not overwrite:
        _refuse_foreign(folder, contents, before)
    new_folders = _missing_folders(folder / name for name in contents)
    for name, content in contents.items():
        with atomic_output(folder / name) as temporary:
            temporary.write_bytes(content)
    files = {name: sha256_of(folder / name) for name in contents}
    if before is not None:
        outdated = {name: digest for name, digest in before.files.items() if name not in files}
        _delete(replace(before, files=outdated, made=()))
        new_folders += before.made
    made = Installed(host.name, str(folder), framestyle.__version__, files, new_folders)
    _record([*(one for one in installed() if one != before), made])
    return made


def remove(host: Host, named: Path | None = None) -> list[Path]:
    """What was installed of a host's plug-in taken away; the files that stay because somebody changed them.

    `named`: of several installs, the one there. UsageError where nothing is installed.
    """
    wanted = None if named is None else str(named.expanduser().absolute())
    found = [one for one in installed() if one.host == host.name and wanted in (None, one.folder)]
    if not found:
        where = "" if wanted is None else f" in {wanted}"
        raise UsageError(f"nothing of FrameStyle is installed for {host.name}{where}", code=Code.HOST_NOTHING)
    kept = [path for one in found for path in _delete(one)]
    _record([one for one in installed() if one not in found])
    return kept


def installed() -> list[Installed]:
    """All that was installed from here, as it was recorded; nothing where the record cannot be read."""
    try:
        data = json.loads(_record_path().read_text(encoding="utf-8"))
        return [Installed(**one) for one in data["installed"]] if data[VERSION_KEY] == VERSION else []
    except (OSError, ValueError, KeyError, TypeError):
        return []


def state_of(one: Installed) -> State:
    """How it stands now."""
    if not Path(one.folder).is_dir():
        return State.GONE
    if any(not path.is_file() or sha256_of(path) != digest for path, digest in one.paths):
        return State.CHANGED
    now = {name: _digest(content) for name, content in _contents(HOSTS[one.host])}
    return State.WHOLE if now == dict(one.files) else State.OLD


def _contents(host: Host) -> Iterator[tuple[str, bytes]]:
    """By their path in the host's folder."""
    source = plugins_dir() / host.plugin
    for path in sorted(source.rglob("*")):
        inside = path.relative_to(source)
        if path.is_file() and "__pycache__" not in inside.parts and path.name not in NOT_SHIPPED:
            yield (Path(host.into) / inside).as_posix(), path.read_bytes()
    if host.names_home is not None:
        yield host.names_home, _home().encode()


def _home() -> str:
    """Where FrameStyle is: this Python, its version, and the folders that its packages lie in."""
    folders = [*site.getsitepackages(), site.getusersitepackages()]
    paths = [one for one in sys.path if one in folders]
    own = "{}.{}".format(*sys.version_info)
    data = {"python": own, "executable": sys.executable, "paths": paths, "version": framestyle.__version__}
    return json.dumps(data, indent=2) + "\n"


def _digest(content: bytes) -> str:
    import hashlib

    return hashlib.sha256(content).hexdigest()


def _refuse_foreign(folder: Path, contents: Mapping[str, bytes], before: Installed | None) -> None:
    ours = {} if before is None else before.files
    for name, content in contents.items():
        path = folder / name
        if path.exists() and (
            not path.is_file() or sha256_of(path) not in (ours.get(name), _digest(content))
        ):
            raise OutputError(
                f"{path} is there already, and is not what FrameStyle put there",
                code=Code.HOST_FILE_EXISTS,
                facts={"path": str(path), "host": "" if before is None else before.host},
            )


def _delete(one: Installed) -> list[Path]:
    """Its files, and the folders that were made for them, where those are empty then; files that were changed are kept,
    and given.
    """
    kept = []
    for path, digest in one.paths:
        if not path.is_file():
            continue
        if sha256_of(path) != digest:
            kept.append(path)
            continue
        path.unlink()
        for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
            compiled.unlink()
        _remove_empty(path.parent / "__pycache__")
    for folder in sorted(one.made, key=len, reverse=True):  # the inner ones first
        _remove_empty(Path(folder))
    return kept


def _remove_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


def _missing_folders(paths: Iterable[Path]) -> list[str]:
    """Above them, those that are not there."""
    above = {folder for path in paths for folder in path.parents}
    return sorted(str(folder) for folder in above if not folder.exists())


def _recorded(host: Host, folder: Path) -> Installed | None:
    return next((one for one in installed() if one.host == host.name and one.folder == str(folder)), None)


def _record(everything: list[Installed]) -> None:
    with atomic_output(_record_path()) as temporary:
        data = {VERSION_KEY: VERSION, "installed": [asdict(one) for one in everything]}
        temporary.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")


def _record_path() -> Path:
    return user_config_path("framestyle") / "integrations.json"
