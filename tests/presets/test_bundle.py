"""Export and import: what goes out comes in again, and nothing of a hostile zip stays."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from framestyle.errors import FramestyleError, InputError, OutputError, PresetError
from framestyle.presets import (
    Preset,
    builtin_presets_dir,
    bundle,
    load_preset,
    pictures_of,
    resolved_yaml,
)
from framestyle.presets.bundle import Bundle, bundle_of, install, read_bundle, write_bundle
from framestyle.presets.paths import with_pictures

Picture = Callable[..., Path]
Write = Callable[[str, str], Path]
BUILT_IN = sorted(path.stem for path in builtin_presets_dir().glob("*.yaml"))


def zipped(path: Path, one: Bundle) -> Path:
    with path.open("wb") as file:
        write_bundle(one, file)
    return path


def tree(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def alike(name_or_path: str | Path, other: str | Path) -> None:
    """Two presets say the same, and their pictures are the same byte for byte."""
    one, two = load_preset(name_or_path), load_preset(other)
    where = [pictures_of(preset) for preset in (one, two)]
    assert [Path(p).read_bytes() for p in where[0]] == [Path(p).read_bytes() for p in where[1]]
    numbers = [{path: f"/{n}" for n, path in enumerate(paths)} for paths in where]
    assert with_pictures(one, numbers[0].__getitem__) == with_pictures(two, numbers[1].__getitem__)


# -- there and back ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_presets_come_back(tmp_path: Path, user_folder: Path, name: str) -> None:
    path = zipped(tmp_path / "x.zip", bundle_of(name))
    installed = install(read_bundle(path, f"my-{name}"))
    assert installed == user_folder / f"my-{name}.yaml"
    text = installed.read_text(encoding="utf-8")
    assert "extends" not in text and str(builtin_presets_dir()) not in text and str(tmp_path) not in text
    copy = load_preset(f"my-{name}")
    assert copy.name == f"my-{name}"
    (tmp_path / "renamed.yaml").write_text(f"extends: {name}\nname: my-{name}\n", encoding="utf-8")
    original = load_preset(tmp_path / "renamed.yaml")
    assert copy.model_dump(exclude={"style", "description", "tags", "extends"}) == original.model_dump(
        exclude={"style", "description", "tags", "extends"}
    )
    assert (copy.description, copy.tags) == (load_preset(name).description, load_preset(name).tags)


def test_all_that_is_inherited_and_every_kind_of_picture_travels(
    tmp_path: Path, write: Write, picture: Picture
) -> None:
    for name, color in (("a/x.png", "red"), ("b/X.PNG", "green"), ("b/noise", "blue"), ("b/m.png", "white")):
        picture(name, color, format="PNG")
    write(
        "parent.yaml",
        "extends: base\nstyle: {images: [{path: a/x.png, weight: 2}, {path: b/X.PNG, region: 255}], mask: b/m.png, "
        "layers: {relu5_1: 0}}\n",
    )
    child = write("child.yaml", "extends: parent.yaml\noptimizer: {init: b/noise}\ntv_weight: 3\n")
    path = zipped(tmp_path / "x.zip", bundle_of(child))
    assert zipfile.ZipFile(path).namelist() == [
        "child.yaml",
        "images/x.png",
        "images/X-2.PNG",
        "images/m.png",
        "images/noise",
    ]
    alike(child, install(read_bundle(path)))
    assert load_preset("child").style.images[1].region == 255
    assert load_preset("child").optimizer.init.endswith("/noise")


def test_the_same_preset_gives_the_same_bytes_anywhere(
    tmp_path: Path, write: Write, picture: Picture
) -> None:
    for folder in ("here", "there"):
        os.utime(picture(f"{folder}/a.png"), ns=(1, 1))
        write(f"{folder}/p.yaml", "style: {images: [{path: a.png}]}\n")
    one, two = (zipped(tmp_path / f"{n}.zip", bundle_of(tmp_path / n / "p.yaml")) for n in ("here", "there"))
    assert one.read_bytes() == two.read_bytes()
    with zipfile.ZipFile(one) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert str(tmp_path).encode() not in one.read_bytes()


FILE_NAMES = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Cn", "Co"), exclude_characters="/\\")
    | st.sampled_from("aA.-_ ~:é"),
    min_size=1,
    max_size=40,
).filter(lambda name: name not in (".", "..") and len(name.encode()) < 200)
WORDS = st.text(st.characters(exclude_categories=("Cc", "Cs", "Cn")), max_size=20)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    files=st.lists(FILE_NAMES, max_size=4, unique=True),
    description=WORDS,
    tags=st.lists(WORDS, max_size=2),
    weight=st.floats(0, 1e6),
    init=st.booleans(),
)
def test_any_preset_goes_there_and_back(
    tmp_path: Path, files: list[str], description: str, tags: list[str], weight: float, init: bool
) -> None:
    pictures = {}
    for n, name in enumerate(files):
        made = io.BytesIO()
        Image.new("RGB", (3, 2), (n, 0, 0)).save(made, "PNG")
        pictures[f"{n}/{name}"] = made.getvalue()
        (tmp_path / str(n)).mkdir(exist_ok=True)
        (tmp_path / str(n) / name).write_bytes(made.getvalue())
    data: dict[str, Any] = {
        "name": "any",
        "description": description,
        "tags": tags,
        "tv_weight": weight,
        "style": {"images": [{"path": str(tmp_path / path)} for path in pictures]},
    }
    if init and files:
        data["optimizer"] = {"init": str(tmp_path / "0" / files[0])}
    source = tmp_path / "any.yaml"
    source.write_text(resolved_yaml(Preset.model_validate(data)), encoding="utf-8")
    there = zipped(tmp_path / "there.zip", bundle_of(source))
    read = read_bundle(there)
    assert sorted(read.pictures.values()) == sorted(pictures.values())
    alike(source, install(read, overwrite=True))
    again = zipped(tmp_path / "again.zip", bundle_of("any"))
    assert again.read_bytes() == there.read_bytes()


# -- out ---------------------------------------------------------------------------------------------------


def test_what_cannot_be_imported_is_not_exported(
    tmp_path: Path, write: Write, picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("text.jpg", "no picture")
    with pytest.raises(PresetError, match=r"text\.jpg is not an image"):
        bundle_of(write("p.yaml", "style: {images: [{path: text.jpg}]}\n"))
    with pytest.raises(PresetError, match="cannot be a preset's name"):
        bundle_of(write("a:b.yaml", "schema: 1\n"))
    with pytest.raises(PresetError, match="there is no image"):
        bundle_of(write("p.yaml", "style: {images: [{path: none.jpg}]}\n"))
    images = ", ".join(f"{{path: {picture(f'{n}.png')}}}" for n in range(4))
    many = write("p.yaml", f"style: {{images: [{images}]}}\n")
    monkeypatch.setattr(bundle, "MOST_ENTRIES", 4)
    with pytest.raises(PresetError, match="more than 3 pictures"):
        bundle_of(many)
    monkeypatch.setattr(bundle, "MOST_ENTRIES", 5)
    size = (tmp_path / "0.png").stat().st_size
    monkeypatch.setattr(bundle, "LARGEST_UNPACKED_BYTES", bundle.LARGEST_FILE_BYTES + 4 * size - 1)
    with pytest.raises(PresetError, match=r"with .*3\.png the preset is larger than"):
        bundle_of(many)
    monkeypatch.setattr(bundle, "LARGEST_UNPACKED_BYTES", bundle.LARGEST_FILE_BYTES + 4 * size)
    assert len(bundle_of(many).pictures) == 4


# -- in: what is refused -----------------------------------------------------------------------------------


def png() -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (3, 2), "teal").save(made, "PNG")
    return made.getvalue()


def hand_made(path: Path, yaml: str, **others: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mine.yaml", yaml)
        for name, data in others.items():
            archive.writestr(name.replace("__", "/").replace("_png", ".png"), data)
    return path


REFUSED = [
    (
        "style: {images: [{path: ../x.png}]}",
        "mine.yaml:1:25: style.images.0.path: '../x.png' is no file of the zip",
    ),
    ("style: {images: [{path: /etc/passwd}]}", "'/etc/passwd' is no file of the zip"),
    ("style: {images: [{path: ~/x.png}]}", "'~/x.png' is no file of the zip"),
    ("style: {images: [{path: 'C:\\x.png'}]}", "is no file of the zip"),
    ("style: {images: [{path: images/../x.png}]}", "is no file of the zip"),
    ("style: {images: [{path: other.png}]}", "'other.png' is no file of the zip"),
    ("style: {images: [{path: images}]}", "'images' is no file of the zip"),
    ("optimizer: {init: /etc/hostname}", "optimizer.init: '/etc/hostname' is no file of the zip"),
    ("optimizer: {init: nose}", "optimizer.init: 'nose' is no file of the zip"),
    ("extends: base", "mine.yaml:1:10: extends: a preset in a zip stands alone"),
    ("extends: ../../secret.yaml", "extends: a preset in a zip stands alone"),
    ("tv_wieght: 1", "mine.yaml:1:1: tv_wieght: no such key (did you mean tv_weight?)"),
    ("tv_weight: -1", "mine.yaml:1:12: tv_weight: must be"),
    ("schema: 99", "is made for a newer FrameStyle"),
    ("a: &a [*a]", "is not allowed"),
    ("", "is empty"),
    ("\x00", "U+0000"),
    ("style: {images: [{path: text.png}]}", "is refused: 'text.png' is not an image"),
    ("style: {images: [{path: cut.png}]}", "is refused: 'cut.png' is a damaged image"),
]


@pytest.mark.parametrize(("yaml", "message"), REFUSED, ids=[yaml[:40] for yaml, _ in REFUSED])
def test_presets_that_are_refused(tmp_path: Path, yaml: str, message: str) -> None:
    (tmp_path / "x.png").write_bytes(png())
    noise = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(noise, "PNG")
    others = {"x_png": png(), "images__x_png": png(), "text_png": b"milk", "cut_png": noise.getvalue()[:2000]}
    path = hand_made(tmp_path / "mine.zip", yaml, **others)
    before = tree(tmp_path)
    with pytest.raises(PresetError) as caught:
        read_bundle(path)
    assert message in caught.value.message and str(path) in caught.value.message
    assert tree(tmp_path) == before


def test_all_faults_of_a_preset_are_told_at_once(tmp_path: Path) -> None:
    path = hand_made(tmp_path / "x.zip", "tv_wieght: 1\nstyle: {images: [{path: /x.png}]}\nstrength: 2\n")
    with pytest.raises(PresetError) as caught:
        read_bundle(path)
    assert [line.split(": ")[0] for line in caught.value.message.splitlines()] == [
        f"{path}/mine.yaml:{place}" for place in ("1:1", "2:25", "3:11")
    ]


@pytest.mark.parametrize(
    ("names", "count"),
    [
        (["a.yaml", "b.yml"], 2),
        (["a.txt"], 0),
        ([".a.yaml"], 0),
        (["__MACOSX/a.yaml"], 0),
        (["a.YAML", "x/b.yaml"], 2),
    ],
)
def test_exactly_one_preset(tmp_path: Path, names: list[str], count: int) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for name in names:
            archive.writestr(name, "schema: 1\n")
    with pytest.raises(PresetError, match=rf"exactly one preset \(\.yaml\), and holds {count}"):
        read_bundle(tmp_path / "x.zip")


@pytest.mark.parametrize("name", ["a:b", "-a", ".a", "a/b", "a\\b", "", "x" * 300, "a\x1b", "a.yaml", "a."])
def test_names_that_are_refused(tmp_path: Path, name: str) -> None:
    path = hand_made(tmp_path / "x.zip", "schema: 1\n")
    with pytest.raises(PresetError, match="cannot be a preset's name"):
        read_bundle(path, name)


def test_a_file_name_that_is_no_presets_name_needs_another(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("ab:c.yaml", "schema: 1\n")
    with pytest.raises(PresetError, match="'ab:c' cannot be a preset's name"):
        read_bundle(tmp_path / "x.zip")
    assert read_bundle(tmp_path / "x.zip", "ab").name == "ab"


def test_a_preset_too_large_is_refused(tmp_path: Path) -> None:
    path = hand_made(tmp_path / "x.zip", f"description: {'x' * 1_000_000}\n")
    with pytest.raises(PresetError, match=r"'mine\.yaml' is larger than 1,000,000 bytes"):
        read_bundle(path)


# -- in: what is taken -------------------------------------------------------------------------------------


def test_a_zip_as_a_person_packs_it(tmp_path: Path, user_folder: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("wave/", "")
        archive.writestr("wave/my wave.yaml", "style: {images: [{path: ./my wave.png}]}\n")
        archive.writestr("wave/my wave.png", png())
        archive.writestr("wave/run-me.sh", "rm -rf /")
        archive.writestr("__MACOSX/wave/._my wave.yaml", b"\0\5\x16\7")
    install(read_bundle(tmp_path / "x.zip"))
    preset = load_preset("my wave")
    assert Path(preset.style.images[0].path).read_bytes() == png() and preset.name == "my wave"
    assert [Path(name).name for name in sorted(tree(user_folder))] == ["my_wave.png", "my wave.yaml"]


def test_no_name_of_the_zip_reaches_the_disk(tmp_path: Path, user_folder: Path) -> None:
    evil = "ab:c|$(x) -rf ~.png"
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("mine.yaml", f"style: {{images: [{{path: '{evil}'}}]}}\n")
        archive.writestr(evil, png())
    install(read_bundle(tmp_path / "x.zip"))
    assert [Path(name).name for name in sorted(tree(user_folder))] == ["ab_c___x__-rf__.png", "mine.yaml"]


def test_a_preset_of_that_name_is_replaced_only_where_asked(
    tmp_path: Path, user_folder: Path, write: Write
) -> None:
    first = read_bundle(hand_made(tmp_path / "1.zip", "tv_weight: 1\n"))
    second = read_bundle(hand_made(tmp_path / "2.zip", "style: {images: [{path: x.png}]}\n", x_png=png()))
    install(first)
    before = tree(user_folder)
    with pytest.raises(OutputError, match=r"mine\.yaml exists already") as caught:
        install(second)
    assert caught.value.exit_code == 6 and tree(user_folder) == before
    install(second, overwrite=True)
    assert load_preset("mine").style.images
    after = tree(user_folder)
    install(second, overwrite=True)
    assert tree(user_folder) == after, "the same again"


def test_a_yml_of_that_name_counts_too(tmp_path: Path, user_folder: Path) -> None:
    (user_folder / "mine.yml").write_text("tv_weight: 1\n")
    one = read_bundle(hand_made(tmp_path / "1.zip", "tv_weight: 2\n"))
    with pytest.raises(OutputError, match=r"mine\.yml exists already"):
        install(one)
    assert install(one, overwrite=True).name == "mine.yml" and load_preset("mine").tv_weight == 2


def test_a_built_in_name_is_taken_only_where_asked(tmp_path: Path) -> None:
    one = read_bundle(hand_made(tmp_path / "1.zip", "tv_weight: 9\n"), "base")
    with pytest.raises(OutputError, match="built-in"):
        install(one)
    install(one, overwrite=True)
    assert load_preset("base").tv_weight == 9


def test_pictures_that_someone_changed_are_left_alone(tmp_path: Path, user_folder: Path) -> None:
    one = read_bundle(hand_made(tmp_path / "1.zip", "style: {images: [{path: x.png}]}\n", x_png=png()))
    install(one)
    (kept,) = (user_folder / "art").glob("*/x.png")
    kept.write_bytes(b"repainted")
    install(one, overwrite=True)
    assert kept.read_bytes() == b"repainted"
    assert Path(load_preset("mine").style.images[0].path).read_bytes() == png()


@pytest.mark.skipif(
    os.geteuid() == 0 and not Path("/dev/full").exists(), reason="needs a folder that refuses"
)
def test_where_the_disk_refuses_nothing_stays(tmp_path: Path, user_folder: Path) -> None:
    (user_folder / "art").write_text("in the way")
    one = read_bundle(hand_made(tmp_path / "1.zip", "style: {images: [{path: x.png}]}\n", x_png=png()))
    before = tree(user_folder)
    with pytest.raises(OSError):
        install(one)
    assert tree(user_folder) == before and len(list(user_folder.iterdir())) == 1


def test_where_the_last_rename_fails_the_first_is_taken_back(tmp_path: Path, user_folder: Path) -> None:
    (user_folder / "mine.yaml").mkdir()  # a folder cannot be replaced by a file
    (user_folder / "mine.yaml" / "x").write_text("x")
    one = read_bundle(hand_made(tmp_path / "1.zip", "style: {images: [{path: x.png}]}\n", x_png=png()))
    with pytest.raises(OSError):
        install(one, overwrite=True)
    assert list(tree(user_folder)) == ["mine.yaml/x"]


def test_what_is_no_zip_is_an_input_error(write: Write) -> None:
    with pytest.raises(InputError):
        read_bundle(write("x.zip", "schema: 1\n"))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_export_is_refused_or_whole(tmp_path: Path, user_folder: Path, data: Any) -> None:
    path = hand_made(tmp_path / "x.zip", "style: {images: [{path: x.png}]}\n", x_png=png())
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(raw[: data.draw(st.none() | st.integers(0, len(raw)))])
    try:
        one = read_bundle(path)
    except FramestyleError as error:
        assert error.exit_code in (3, 5)
        assert tree(user_folder) == {}
    else:
        assert set(one.pictures.values()) <= {png()}
