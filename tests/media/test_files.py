"""Inputs are known by their contents; outputs appear whole or not at all."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from framestyle.doors.advice import next_step
from framestyle.errors import InputError, OutputError, StorageError
from framestyle.kinds import MediaKind
from framestyle.media.files import atomic_output, file_identity, sniff, walk
from framestyle.media.photos import read_photo
from framestyle.media.video.probe import probe


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "AVIF", "GIF"])
def test_a_photo_is_known_under_any_name(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "holiday.mp4"
    Image.new("RGB", (16, 16), "teal").save(path, kind)
    assert sniff(path) is MediaKind.PHOTO


@pytest.mark.parametrize(
    "name",
    ["a.mp4", "a.mov", "a.mkv", "a.webm", "a.avi", "a.ts", "a.mpg", "a.y4m", "a.flv", "a.gif", "a.wmv"],
)
def test_a_video_is_known_without_its_name(make_clip: Callable[..., Path], name: str) -> None:
    path = make_clip(name, seconds=0.2)
    renamed = path.rename(path.with_name("portrait"))
    assert sniff(renamed) is MediaKind.VIDEO
    assert probe(renamed).width == 64


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("text.jpg", b"this is no picture\n"),
        ("empty.png", b""),
        ("bmp-like.bmp", b"BM is how this text begins, and it goes on for a while"),
        ("list.mp4", b"ffconcat version 1.0\nfile secret.mp4\n"),
        ("list.mkv", b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"),
        ("zeros.mov", bytes(5000)),
    ],
)
def test_what_is_neither_is_refused_with_its_path_and_the_next_step(
    tmp_path: Path, name: str, body: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(body)
    for refuse in (sniff, probe, read_photo):
        with pytest.raises(InputError) as caught:
            refuse(path)
        assert str(path) in caught.value.message
        assert next_step(caught.value)


def test_missing_files_pipes_and_devices_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (
        tmp_path / "none.mp4",
        tmp_path / "pipe",
        Path("/dev/zero"),
        tmp_path / "a\0b",
        tmp_path / ("n" * 300),
    ):
        with pytest.raises(InputError):
            sniff(path)


def test_a_url_is_a_missing_file_and_nobody_is_called() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.3)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/a.mp4"
        for opener in (sniff, probe, read_photo):
            with pytest.raises(InputError):
                opener(Path(url))
        with pytest.raises(TimeoutError):
            server.accept()


def test_a_walk_is_sorted_and_passes_over_what_is_hidden_or_left_out(tmp_path: Path) -> None:
    names = (
        "b.png",
        "a.dat",
        "deep/er/c.png",
        ".hidden.png",
        ".trash/d.png",
        "deep/out/e.png",
        "f.png",
        "a/z",
    )
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "link.png").symlink_to("f.png")
    found = walk(tmp_path, {tmp_path.resolve() / "deep" / "out", tmp_path.resolve() / "f.png"})
    assert [path.relative_to(tmp_path).as_posix() for path in found.files] == [
        "a/z", "a.dat", "b.png", "deep/er/c.png", "link.png"
    ]  # fmt: skip
    assert found.shut == ()


def test_links_in_a_circle_do_not_hold_a_walk_up(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in "abcdefghij"]
    for folder in folders:
        folder.mkdir()
        (folder / "x.png").touch()
    for folder in folders:
        for other in (tmp_path, *folders):
            (folder / f"to-{other.name}").symlink_to(other, target_is_directory=True)
    assert len(walk(tmp_path).files) == len(folders)
    # A folder that is named through a link is walked all the same.
    assert [path.name for path in walk(tmp_path / "a" / "to-b").files] == ["x.png"]


def test_a_folder_that_cannot_be_looked_into_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "locked").mkdir()
    (tmp_path / "a.png").touch()
    scandir = os.scandir

    def refuse(path: str | os.PathLike[str]) -> object:
        if Path(path).name == "locked":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = walk(tmp_path)
    assert [path.name for path in found.files] == ["a.png"]
    assert found.shut == ((tmp_path / "locked", "Permission denied"),)


def test_a_files_identity_sees_through_links(tmp_path: Path) -> None:
    one, link, hard, other = (tmp_path / name for name in ("one", "link", "hard", "other"))
    one.write_text("1")
    other.write_text("1")
    link.symlink_to(one)
    hard.hardlink_to(one)
    assert file_identity(one) == file_identity(link) == file_identity(hard)
    assert file_identity(one) != file_identity(other)


def test_an_output_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "new" / "folder" / "out.bin"
    with atomic_output(target) as temporary:
        temporary.write_bytes(b"whole")
        assert not target.exists()
        assert (temporary.parent, temporary.suffix, temporary.name[0]) == (target.parent, ".bin", ".")
    assert target.read_bytes() == b"whole"
    assert [path.name for path in target.parent.iterdir()] == ["out.bin"]


@pytest.mark.parametrize(
    "error", [ValueError("own"), KeyboardInterrupt(), PermissionError("of another file")]
)
def test_an_error_leaves_the_old_output_and_nothing_else(tmp_path: Path, error: BaseException) -> None:
    target = tmp_path / "out.bin"
    target.write_bytes(b"old")
    with pytest.raises(type(error)) as caught, atomic_output(target) as temporary:
        temporary.write_bytes(b"half")
        raise error
    assert caught.value is error
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["out.bin"]


def test_a_full_disk_and_an_impossible_target_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(StorageError), atomic_output(tmp_path / "out.bin"):
        raise OSError(errno.ENOSPC, "No space left on device")
    (tmp_path / "file").touch()
    for target in (tmp_path, tmp_path / "file" / "out.bin", Path("/proc/out.bin")):
        with pytest.raises(OutputError), atomic_output(target):
            pytest.fail("must not begin")


def test_a_new_output_has_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    with atomic_output(tmp_path / "out.bin"):
        pass
    (tmp_path / "plain").touch()
    assert (tmp_path / "out.bin").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("name", ["-y.png", "new\nline.png", "%04d.png", "žluťoučký 馬.png", "a b'c\".png"])
def test_odd_names_are_only_names(tmp_path: Path, name: str) -> None:
    from framestyle.media.photos import write_photo

    pixels = np.full((5, 7, 3), 90, np.uint8)
    write_photo(tmp_path / name, pixels, None, {})
    assert np.array_equal(read_photo(tmp_path / name).pixels, pixels)
    assert [path.name for path in tmp_path.iterdir()] == [name]
