"""A preset is data: nothing in it runs, grows, or leads out of its folder; its faults are told with their places."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest
from fault_list import fault
from photo_makers import picture, save
from place import PRESET, Place

from framestyle.doors.cli import main

ORDER = ("sources/in.png", "-o", "out.png")


@pytest.fixture(autouse=True)
def photo(place: Place) -> None:
    save(place.sources / "in.png", picture(height=24, width=32))


def _refused(place: Place, text: str, *words: str) -> None:
    """As a preset of that text."""
    Path("presets/bad.yaml").write_text(text)
    place.refuses(*ORDER, preset="presets/bad.yaml", words=("presets/bad.yaml", *words))


@fault("!!python/object", 3, "the tag is refused, with its line; nothing runs")
def test_python_object(place: Place) -> None:
    _refused(
        place,
        f"{PRESET}description: !!python/object/apply:os.mkdir [owned]\n",
        "bad.yaml:8:14",
        "is not allowed",
    )
    assert not Path("owned").exists()


@fault("alias bomb", 3, "anchors and aliases are refused; none is unfolded")
def test_alias_bomb(place: Place) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    Path("presets/bad.yaml").write_text(PRESET + "\n".join(lines))
    told = place.call(*place.stylize(ORDER, "none", "presets/bad.yaml"))
    assert told.code == place.fault.code and len(told.err) < 20_000
    assert "bad.yaml:8:5: a0: the anchor 'a0' is not allowed" in told.err


@fault("duplicate keys", 3, "both lines are named")
def test_duplicate_keys(place: Place) -> None:
    _refused(
        place, f"{PRESET}tv_weight: 1\ntv_weight: 2\n", "bad.yaml:9:1", "a second time (first in line 8)"
    )


@pytest.mark.parametrize("written", [".nan", ".NaN", "nan"])
@fault("NaN", 3, "no key takes it, with its line")
def test_nan(place: Place, written: str) -> None:
    _refused(place, f"{PRESET}tv_weight: {written}\n", "bad.yaml:8:12", "tv_weight")
    place.refuses(*ORDER, "--set", f"tv_weight={written}", words=("--set tv_weight",))


@pytest.mark.parametrize("written", [".inf", "-.INF", "1e999", "inf"])
@fault("inf", 3, "no key takes it, with its line")
def test_inf(place: Place, written: str) -> None:
    _refused(place, f"{PRESET}tv_weight: {written}\n", "bad.yaml:8:12", "tv_weight")
    place.refuses(*ORDER, "--set", f"tv_weight={written}", words=("--set tv_weight",))


@fault("1e6", 0, "a number")
def test_a_million(place: Place) -> None:
    Path("presets/million.yaml").write_text(f"{PRESET}tv_weight: 1e6\n")
    told = place.call("presets", "show", "--resolved", "presets/million.yaml")
    assert "tv_weight: 1000000.0" in told.out
    place.paints(*ORDER, preset="presets/million.yaml")
    place.paints("sources/in.png", "-o", "set.png", "--set", "tv_weight=1e6")
    assert Path("set.png").exists()
    place.results |= {"out.png", "set.png"}


@pytest.mark.parametrize("names", ["a", "ab", "abc"])
@fault("extends cycle", 3, "the circle is shown")
def test_extends_cycle(place: Place, names: str) -> None:
    for name, other in zip(names, names[1:] + names[0], strict=True):
        Path(f"presets/{name}.yaml").write_text(f"schema: 1\nextends: ./{other}.yaml\n")
    place.refuses(*ORDER, preset="presets/a.yaml", words=("extend each other in a circle", " -> a"))


def _zip(text: str, *entries: tuple[str, bytes, int]) -> Path:
    """A zip with a preset of that text and the pictures' folder, as somebody's own program may make it."""
    path = Path("presets/taken.zip")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("taken.yaml", text)
        for name, data, mode in entries:
            entry = zipfile.ZipInfo(name)
            entry.create_system, entry.external_attr = 3, mode << 16
            archive.writestr(entry, data)
    return path


def _import_is_refused(place: Place, path: Path, *words: str) -> None:
    told = place.call("presets", "import", str(path))
    assert told.code == place.fault.code, told.err
    told.is_one_sentence(*words)


@pytest.mark.parametrize(
    "written",
    ["../style.png", "images/../../style.png", "{here}/presets/style.png", "~/style.png", "C:\\style.png"],
)
@fault(
    "../ and absolute style path from an imported preset", 3, "refused; nothing is taken from outside the zip"
)
def test_style_path_that_leads_out(place: Place, written: str) -> None:
    Path("style.png").write_bytes(Path("presets/style.png").read_bytes())
    text = PRESET.replace("style.png", f"'{written.format(here=Path.cwd())}'")
    _import_is_refused(
        place, _zip(text), "taken.zip/taken.yaml:2:25: style.images.0.path", "is no file of the zip"
    )


@pytest.mark.parametrize("how", ["in the zip", "name leads out"])
@fault("link escape", 3, "links in a zip are refused, and names that lead out of it; nothing is unpacked")
def test_link_escape(place: Place, how: str) -> None:
    picture_file = Path("presets/style.png").read_bytes()
    if how == "in the zip":
        path = _zip(PRESET, ("style.png", b"/etc/passwd", stat.S_IFLNK | 0o777))
        _import_is_refused(place, path, "taken.zip is refused: 'style.png' is a link")
    else:
        path = _zip(PRESET, ("style.png", picture_file, stat.S_IFREG), ("../owned", b"x", stat.S_IFREG))
        _import_is_refused(place, path, "taken.zip is refused: the name '../owned' leads out")
    assert main(["presets", "list"]) == 0


@fault("unknown key", 3, "its line, and the nearest key that there is")
def test_unknown_key(place: Place) -> None:
    _refused(
        place, f"{PRESET}tv_wieght: 1\n", "bad.yaml:8:1", "tv_wieght: no such key", "did you mean tv_weight?"
    )


@fault("newer schema", 3, "it says which one is understood, and how to get on")
def test_newer_schema(place: Place) -> None:
    _refused(place, PRESET.replace("schema: 1", "schema: 2"), "bad.yaml:1:9", "schema")
