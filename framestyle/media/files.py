"""Which file is what, by its contents; and outputs that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path

from framestyle.errors import FramestyleError, InputError, OutputError, StorageError


class InputKind(Enum):
    """What an input is."""

    VIDEO = "video"
    PHOTO = "photo"
    FOLDER = "folder"


def sniff(path: Path) -> InputKind:
    """The kind of a local file or folder, from its first bytes; InputError where it is none."""
    if path.is_dir():
        return InputKind.FOLDER
    if not path.exists():
        raise InputError(f"{path} does not exist", next_step="Check the path.")
    if not path.is_file():
        raise InputError(f"{path} is not a regular file")
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    if not head:
        raise InputError(f"{path} is empty")
    kind = _kind_of(head, path)
    if kind is None:
        raise InputError(
            f"{path} is neither a video nor a photo that FrameStyle knows",
            next_step="Videos: MP4, MOV, MKV, WebM, AVI, MPEG-TS, GIF. Photos: JPEG, PNG, WebP, TIFF, BMP, HEIC, AVIF.",
        )
    return kind


def _kind_of(head: bytes, path: Path) -> InputKind | None:
    photos = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0*", b"BM")
    if head.startswith(photos):
        return InputKind.PHOTO
    if head.startswith(b"RIFF"):
        return {b"WEBP": InputKind.PHOTO, b"AVI ": InputKind.VIDEO}.get(head[8:12])
    if head.startswith((b"GIF87a", b"GIF89a")):
        return InputKind.VIDEO if _frames_in_gif(path) > 1 else InputKind.PHOTO
    if head[4:8] == b"ftyp":
        still = head[8:12] in (b"heic", b"heix", b"mif1", b"avif")
        return InputKind.PHOTO if still else InputKind.VIDEO
    if head[4:8] in (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"):
        return InputKind.VIDEO
    if head.startswith((b"\x1aE\xdf\xa3", b"YUV4MPEG2 ", b"FLV\x01", b"\0\0\x01\xba", b"\0\0\x01\xb3", b"OggS")):
        return InputKind.VIDEO
    return InputKind.VIDEO if len(head) > 376 and head[0] == head[188] == head[376] == 0x47 else None


def _frames_in_gif(path: Path) -> int:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            return int(getattr(image, "n_frames", 1))
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError) as error:
        raise InputError(f"{path} is a damaged GIF: {error}") from error


def photos_in(folder: Path) -> list[Path]:
    """All photos below `folder`, sorted; hidden files and everything that is no photo are passed over."""
    found = []
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.is_file() and not hidden:
            try:
                if sniff(path) is InputKind.PHOTO:
                    found.append(path)
            except InputError:
                continue
    return found


def same_file(a: Path, b: Path) -> bool:
    """Whether both names lead to one file, also through links."""
    return a.exists() and b.exists() and a.samefile(b)


@contextmanager
def atomic_output(target: Path) -> Iterator[Path]:
    """A temporary path beside `target`, of its suffix; put in its place at the end, removed on any error."""
    if target.is_dir():
        raise OutputError(f"{target} is a folder", next_step="Name a file in it.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".framestyle-", suffix=target.suffix, dir=target.parent)
        os.close(handle)
    except OSError as error:
        raise storage_error(error, target) from error
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        os.replace(temporary, target)
    except OSError as error:
        raise storage_error(error, target) from error
    finally:
        temporary.unlink(missing_ok=True)


def storage_error(error: OSError, target: Path) -> FramestyleError:
    """The system's refusal in our words."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageError(f"no room left for {target}", next_step="Free some space, then give the same command again.")
    return OutputError(f"{target} cannot be written: {error.strerror or error}")
