"""Hostile zips are refused by what they are, damaged ones by what they are not."""

from __future__ import annotations

import io
import os
import stat
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framestyle.doors.advice import next_step
from framestyle.errors import FramestyleError, InputError, PresetError
from framestyle.presets import zip_source
from framestyle.presets.zip_source import LARGEST_UNPACKED_BYTES, MOST_ENTRIES, name_problem, open_zip


def zip_of(
    path: Path, *entries: tuple[str | zipfile.ZipInfo, bytes], packed: int = zipfile.ZIP_STORED
) -> Path:
    with zipfile.ZipFile(path, "w", packed) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(PresetError) as caught, open_zip(path):
        pass
    assert next_step(caught.value) and "\n" not in caught.value.message
    return caught.value.message.removeprefix(f"{path} is refused: ")


def test_a_harmless_zip_is_read(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "x.zip", ("a.yaml", b"1"), ("images/", b""), ("images/ü.jpg", b"22"))
    with open_zip(path) as archive:
        assert archive.names == ("a.yaml", "images/ü.jpg")
        assert (archive.read("a.yaml"), archive.read("images/ü.jpg")) == (b"1", b"22")


NAMES = [
    ("../x", "leads out of the zip"),
    ("a/../../x", "leads out of the zip"),
    ("a/..", "leads out of the zip"),
    ("/etc/passwd", "is absolute"),
    ("//host/share", "is absolute"),
    ("C:/x", "has a drive letter"),
    ("c:x", "has a drive letter"),
    ("a\\b", "has a backslash"),
    ("..\\x", "has a backslash"),
    ("a//b", "is no plain path"),
    ("./a", "is no plain path"),
    ("a\nb", "has control characters"),
    ("\x1b[2J", "has control characters"),
    ("a\u202eb", "has control characters"),
]


@pytest.mark.parametrize(("name", "problem"), NAMES)
def test_names_that_are_refused(tmp_path: Path, name: str, problem: str) -> None:
    path = zip_of(tmp_path / "x.zip", ("good.yaml", b""), (name, b"x"))
    assert refusal(path) == f"the name {name!r} {problem}"


def test_a_name_with_a_zero_byte_is_not_cut_there(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "x.zip", ("goodX/../x", b"x"))
    path.write_bytes(path.read_bytes().replace(b"goodX", b"good\0"))
    assert "has control characters" in refusal(path)


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from("ab./\\:C~\0\n é"), min_size=1, max_size=12))
def test_names_that_are_taken_lead_below_any_folder(name: str) -> None:
    if name_problem(name) is None:
        folder = Path("/some/folder")
        assert folder in Path(os.path.normpath(folder / name)).parents
        assert not (set("\\\0\n") & set(name)) and name[:2] not in ("a:", "b:", "C:")


def test_plain_names_are_taken() -> None:
    for name in ("a.yaml", "images/x y.jpg", "a/", "..a/b..", "ab:c", "~/x", "é.png"):
        assert name_problem(name) is None
    assert name_problem("") == "is no plain path"


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK])
def test_links_and_devices(tmp_path: Path, kind: int) -> None:
    entry = zipfile.ZipInfo("images/x.jpg")
    entry.external_attr = (kind | 0o777) << 16
    assert "is a link or a device" in refusal(zip_of(tmp_path / "x.zip", (entry, b"/etc/passwd")))


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("one", "other", "problem"),
    [
        ("a.jpg", "a.jpg", "'a.jpg' is there twice"),
        ("a", "a/", "'a' is there twice"),
        ("a.jpg", "A.JPG", "'A.JPG' and 'a.jpg' differ only by case"),
        ("straße", "STRASSE", "'STRASSE' and 'straße' differ only by case"),
        ("\u00e9.jpg", "e\u0301.jpg", "differ only by case"),
    ],
)
def test_names_that_some_system_takes_for_one(tmp_path: Path, one: str, other: str, problem: str) -> None:
    assert problem in refusal(zip_of(tmp_path / "x.zip", (one, b"1"), (other, b"2")))


def _with_flag(path: Path, flag: int) -> Path:
    """Sets bits in the flags of every entry, in both places."""
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(signature)
        while at >= 0:
            data[at + offset : at + offset + 2] = struct.pack(
                "<H", struct.unpack_from("<H", data, at + offset)[0] | flag
            )
            at = data.find(signature, at + 1)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("flag", [0x1, 0x40, 0x2000])
def test_encrypted_entries(tmp_path: Path, flag: int) -> None:
    path = zip_of(tmp_path / "x.zip", ("a.yaml", b"secret"))
    assert refusal(_with_flag(path, flag)) == "'a.yaml' is encrypted"


@pytest.mark.parametrize("packed", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_unusual_compression(tmp_path: Path, packed: int) -> None:
    path = zip_of(tmp_path / "x.zip", ("a.yaml", b"text"), packed=packed)
    assert "is packed in a way" in refusal(path)


def test_too_many_entries_are_refused_before_the_list_is_read(tmp_path: Path) -> None:
    entries = [(f"{n}", b"") for n in range(MOST_ENTRIES + 1)]
    path = zip_of(tmp_path / "x.zip", *entries)
    assert refusal(path) == f"it has more than {MOST_ENTRIES} entries"
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])  # no list of entries can be found any more, and none is looked for
    assert refusal(path) == f"it has more than {MOST_ENTRIES} entries"
    with open_zip(zip_of(tmp_path / "y.zip", *entries[:-1])) as archive:
        assert len(archive.names) == MOST_ENTRIES


def test_a_declared_size_is_refused_before_anything_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("bomb", "w") as file:
        for _ in range(LARGEST_UNPACKED_BYTES // 1_000_000 + 1):
            file.write(bytes(1_000_000))
    assert path.stat().st_size < 1_000_000
    assert refusal(path) == f"it unpacks to more than {LARGEST_UNPACKED_BYTES:,} bytes"


def _claiming(path: Path, size: int) -> Path:
    """Says another unpacked size, in both places."""
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = data.find(signature)
        data[at + offset : at + offset + 4] = struct.pack("<I", size)
    path.write_bytes(data)
    return path


def test_a_size_that_lies_is_found_while_reading(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "x.zip", ("bomb", bytes(5_000_000)), packed=zipfile.ZIP_DEFLATED)
    with open_zip(_claiming(path, 10)) as archive, pytest.raises(InputError, match="damaged"):
        archive.read("bomb")


def test_bytes_are_counted_over_all_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_source, "LARGEST_UNPACKED_BYTES", 1000)
    path = zip_of(tmp_path / "x.zip", ("a", bytes(600)), ("b", bytes(300)))
    with open_zip(path) as archive:
        assert len(archive.read("a")) == 600 and len(archive.read("b", 300)) == 300
        with pytest.raises(PresetError, match="'b' is larger than 100 bytes"):
            archive.read("b")
    with open_zip(path) as archive, pytest.raises(PresetError, match="'a' is larger than 599 bytes"):
        archive.read("a", 599)


def test_a_zip_larger_than_any_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with path.open("wb") as file:
        file.truncate(zip_source.LARGEST_ZIP_BYTES + 1)
    assert "it is larger than" in refusal(path)


@pytest.mark.parametrize("data", [b"", b"PK", b"schema: 1\n", b"PK\x05\x06" + bytes(10), bytes(4000)])
def test_what_is_no_zip(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.zip").write_bytes(data)
    with pytest.raises(InputError) as caught, open_zip(tmp_path / "x.zip"):
        pass
    assert caught.value.exit_code == 5


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.zip")
    for path in (tmp_path, tmp_path / "none.zip", tmp_path / "pipe.zip", Path("a\0b")):
        with pytest.raises(InputError, match="there is no file at"), open_zip(path):
            pass


def _sample() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.yaml", "schema: 1\n" * 20)
        archive.writestr("images/x.jpg", bytes(range(256)))
    return made.getvalue()


SAMPLE = _sample()


@settings(max_examples=100, deadline=None)
@given(
    changes=st.lists(
        st.tuples(st.integers(0, len(SAMPLE) - 1), st.binary(max_size=4)), min_size=1, max_size=4
    ),
    end=st.integers(0, len(SAMPLE)) | st.none(),
)
def test_any_damage_is_told_in_our_own_words(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, bytes]], end: int | None
) -> None:
    data = bytearray(SAMPLE)
    for at, new in changes:
        data[at : at + len(new)] = new
    path = tmp_path_factory.getbasetemp() / "damaged.zip"
    path.write_bytes(data[:end])
    try:
        with open_zip(path) as archive:
            for name in archive.names:
                assert name_problem(name) is None
                archive.read(name)
    except FramestyleError as error:
        assert error.exit_code in (3, 5)
