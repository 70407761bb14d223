"""Plug-ins put where their programs look, looked at, and taken away: only what we put there, as we put it."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from framestyle.doctor.integrations import integrations
from framestyle.doors import cli
from framestyle.errors import Code, UsageError
from framestyle.hosts import HOSTS, State, install, installed, state_of
from framestyle.hosts.catalog import Machine


@pytest.fixture
def comfyui(workplace: Path) -> Path:
    """A folder that looks like ComfyUI's."""
    folder = workplace / "ComfyUI"
    (folder / "custom_nodes" / "another").mkdir(parents=True)
    return folder


def _files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", HOSTS)
def test_what_is_installed_is_whole_and_goes_without_a_trace(name: str, workplace: Path) -> None:
    folder = workplace / "host"
    (folder / "custom_nodes").mkdir(parents=True)
    before = set(folder.rglob("*"))
    assert cli.main(["integrations", "install", name, "--dir", str(folder)]) == 0
    (one,) = installed()
    assert one.host == name and state_of(one) is State.WHOLE and _files(folder) == set(one.files)
    for path, _ in one.paths:  # what a host's Python leaves
        if path.suffix == ".py":
            (path.parent / "__pycache__").mkdir(exist_ok=True)
            (path.parent / "__pycache__" / f"{path.stem}.cpython-399.pyc").write_bytes(b"")
    assert cli.main(["integrations", "install", name, "--dir", str(folder)]) == 0  # again is no harm
    assert len(installed()) == 1
    assert cli.main(["integrations", "remove", name]) == 0
    assert set(folder.rglob("*")) == before and installed() == []


def test_a_host_with_a_python_of_its_own_is_told_where_framestyle_lies(workplace: Path) -> None:
    for name in ("gstreamer", "krita"):
        made = install(HOSTS[name], workplace)
        home = HOSTS[name].names_home
        assert home is not None and home in made.files
        told = json.loads((workplace / home).read_text())
        assert told["executable"] == sys.executable and told["python"] == "{}.{}".format(*sys.version_info)
        assert all(Path(path).is_dir() for path in told["paths"]) and told["paths"]


def test_usual_places_on_every_system(tmp_path: Path) -> None:
    data, roaming = tmp_path / "data", tmp_path / "roaming"
    linux = Machine("linux", tmp_path, {"XDG_DATA_HOME": str(data)})
    places = {
        "linux": HOSTS["krita"].folder(None, linux),
        "darwin": HOSTS["krita"].folder(None, Machine("darwin", tmp_path)),
        "win32": HOSTS["krita"].folder(None, Machine("win32", tmp_path, {"APPDATA": str(roaming)})),
    }
    assert places == {
        "linux": data / "krita",
        "darwin": tmp_path / "Library" / "Application Support" / "krita",
        "win32": roaming / "krita",
    }
    flatpak = tmp_path / ".var" / "app" / "org.kde.krita" / "data" / "krita"
    flatpak.mkdir(parents=True)
    assert HOSTS["krita"].folder(None, linux) == flatpak  # the one that is there
    (data / "krita").mkdir(parents=True)
    assert HOSTS["krita"].folder(None, linux) == data / "krita"
    assert HOSTS["gstreamer"].folder(None, linux) == tmp_path / ".gstreamer-1.0" / "plugins"
    with pytest.raises(UsageError) as refused:
        HOSTS["comfyui"].folder(None, linux)
    assert refused.value.code is Code.HOST_NOT_FOUND
    for name in ("Documents/ComfyUI", "comfy/ComfyUI"):
        (tmp_path / name / "custom_nodes").mkdir(parents=True)
    assert HOSTS["comfyui"].folder(None, linux) == tmp_path / "comfy" / "ComfyUI"
    elsewhere = Machine("linux", tmp_path, {"COMFYUI_PATH": str(tmp_path / "Documents" / "ComfyUI")})
    assert HOSTS["comfyui"].folder(None, elsewhere) == tmp_path / "Documents" / "ComfyUI"


def test_a_folder_that_is_not_the_hosts_is_refused(
    workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["integrations", "install", "comfyui", "--dir", str(workplace)]) == 2
    said = capsys.readouterr().err
    assert "holds no folder custom_nodes" in said and "--dir" in said
    assert _files(workplace) == set() and installed() == []


def test_anothers_file_is_not_replaced_unasked(comfyui: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = comfyui / "custom_nodes" / "framestyle-nodes" / "nodes.py"
    own.parent.mkdir()
    own.write_text("mine")
    ask = ["integrations", "install", "comfyui", "--dir", str(comfyui)]
    assert cli.main(ask) == 6 and "--overwrite" in capsys.readouterr().err
    assert own.read_text() == "mine" and installed() == []
    assert cli.main([*ask, "--overwrite"]) == 0 and own.read_text() != "mine"


def test_what_somebody_changed_stays(comfyui: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = install(HOSTS["comfyui"], comfyui)
    changed = comfyui / "custom_nodes" / "framestyle-nodes" / "nodes.py"
    changed.write_text("changed")
    assert state_of(made) is State.CHANGED
    assert cli.main(["integrations", "install", "comfyui", "--dir", str(comfyui)]) == 6
    assert cli.main(["integrations", "remove", "comfyui"]) == 0
    assert f"kept, for it was changed: {changed}" in capsys.readouterr().out
    assert _files(comfyui) == {"custom_nodes/framestyle-nodes/nodes.py"} and installed() == []


def test_of_several_the_one_named_is_removed(comfyui: Path, workplace: Path) -> None:
    (workplace / "other" / "custom_nodes").mkdir(parents=True)
    for folder in (comfyui, workplace / "other"):
        install(HOSTS["comfyui"], folder)
    assert cli.main(["integrations", "remove", "comfyui", "--dir", str(comfyui)]) == 0
    assert [one.folder for one in installed()] == [str(workplace / "other")]
    assert cli.main(["integrations", "remove", "comfyui", "--dir", str(comfyui)]) == 2


def test_the_doctor_looks_at_each(
    comfyui: Path, workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No host is on the path: what they say themselves is tried with each of them."""
    monkeypatch.setenv("PATH", str(workplace))
    assert [(one.state, one.text) for one in integrations()] == [("ok", "none are installed")]
    install(HOSTS["comfyui"], comfyui)
    install(HOSTS["gstreamer"], workplace / "gone")
    assert {one.name: one.state for one in integrations()} == {"comfyui": "ok", "gstreamer": "ok"}
    (comfyui / "custom_nodes" / "framestyle-nodes" / "painting.py").unlink()
    (workplace / "gone").rename(workplace / "elsewhere")
    found = {one.name: one for one in integrations()}
    assert found["comfyui"].code is Code.HOST_NOT_WHOLE and found["gstreamer"].code is Code.HOST_GONE
    assert all(one.state == "warning" and one.exit_code == 0 for one in found.values())
    assert cli.main(["integrations", "list"]) == 0
    told = capsys.readouterr().out
    assert "installed, files of it were changed or are missing" in told and "moviepy" in told
    assert cli.main(["integrations", "remove", "gstreamer"]) == 0


def test_a_plug_in_of_another_version_is_old(workplace: Path) -> None:
    """As a record of an earlier version would have it."""
    made = install(HOSTS["gstreamer"], workplace)
    path = workplace / "python" / "gstframestyle.py"
    path.write_text("# an earlier one\n")
    record = Path(str(next(Path(workplace.parent).rglob("integrations.json"))))
    data = json.loads(record.read_text())
    data["installed"][0]["files"]["python/gstframestyle.py"] = hashlib.sha256(path.read_bytes()).hexdigest()
    record.write_text(json.dumps(data))
    (old,) = installed()
    assert state_of(old) is State.OLD and old.folder == made.folder
    assert cli.main(["integrations", "install", "gstreamer", "--dir", str(workplace)]) == 0
    assert [state_of(one) for one in installed()] == [State.WHOLE]


def test_a_wheel_brings_the_plug_ins_and_nothing_else(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=root, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        names = {name for name in opened.namelist() if name.startswith("framestyle/_data/integrations/")}
    for host in HOSTS.values():
        folder = f"framestyle/_data/integrations/{host.plugin}/"
        assert [name for name in names if name.startswith(folder) and name.endswith(".py")], host.name
    assert not [name for name in names if name.endswith((".pyc", "framestyle-home.json"))]
