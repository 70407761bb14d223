"""Which file is what, by its contents; and outputs that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from framestyle.errors import Code, FramestyleError, InputError, OutputError, StorageError
from framestyle.kinds import MediaKind
from framestyle.media.apng import is_animated_png
from framestyle.media.jpeg import JPEG_HEAD, is_mjpeg
from framestyle.media.png_chunks import PNG_HEAD
from framestyle.paths import near_names, resolved

HEAD_BYTES = 4096
DISK_FULL, TOO_LARGE = {errno.ENOSPC, errno.EDQUOT}, {errno.EFBIG}
NO_SYNC = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
"""Some network folders cannot be told to write at once; they write all the same."""
NO_NAME = {errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL}
"""A file system's refusals of a name: too long, or with signs that it does not hold."""
KNOWN = (
    "Videos: MP4, MOV, MKV, WebM, AVI, MPEG, Y4M, MJPEG, animated GIF, WebP, PNG, AVIF and HEIC. "
    "Photos: JPEG, PNG, WebP, TIFF, BMP, AVIF, HEIC, OpenEXR, Radiance HDR."
)


def sniff(path: Path) -> MediaKind | None:
    """Whether a local file is a video or a photo, from its first bytes, never its name; None: it is a folder.

    InputError where it is missing, empty, no regular file, or nothing known. A URL is a missing file.
    """
    if _is_folder(path):
        return None
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror}", next_step="Check permissions."
        ) from error
    if not head:
        raise InputError(f"{path} is empty", next_step="Copy or download it again.")
    kind = _kind_of(head, path)
    if kind is None:
        raise InputError(
            f"{path} is neither a video nor a photo that FrameStyle knows",
            code=Code.INPUT_UNKNOWN,
            facts={"path": str(path)},
            next_step=KNOWN,
        )
    return kind


def _is_folder(path: Path) -> bool:
    """Whether it is a folder rather than a regular file; InputError where it is neither, or not there."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as error:
        raise InputError(
            f"{path} does not exist",
            code=Code.INPUT_MISSING,
            facts={"path": str(path), "near": near_names(path)},
        ) from error
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        raise InputError(
            f"{path} cannot be reached: {getattr(error, 'strerror', None) or error}",
            next_step="Check the path.",
        ) from error
    if stat.S_ISDIR(mode):
        return True
    if not stat.S_ISREG(mode):
        raise InputError(f"{path} is not a regular file", next_step="Save it to a file first.")
    return False


PHOTO_HEADS = (
    *(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),  # TIFF, BigTIFF
    *(b"\x76\x2f\x31\x01", b"#?RADIANCE", b"#?RGBE"),  # OpenEXR, Radiance
)
VIDEO_HEADS = (
    b"\x1aE\xdf\xa3",  # Matroska, WebM
    b"YUV4MPEG2 ",
    b"FLV\x01",
    b"OggS",
    b"\0\0\x01\xba",  # MPEG program stream
    b"\0\0\x01\xb3",  # MPEG-1/2 video
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",  # ASF: WMV
    b"\x06\x0e\x2b\x34\x02\x05\x01\x01",  # MXF
    b"nut/multimedia container",
    b"DKIF",  # IVF
)
STILL_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"mif1", b"avif"}
"""Of AVIF and HEIC; those of their sequences (avis, hevc, msf1) are clips'."""
QUICKTIME_ATOMS = {b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}
WEBP_FLAGS_AT, WEBP_ANIMATED = 20, 0x02
"""Where the flags of an extended WebP are, and one of them."""
BMP_HEADER_BYTES = {12, 16, 40, 52, 56, 64, 108, 124}


def _kind_of(head: bytes, path: Path) -> MediaKind | None:
    if head.startswith(JPEG_HEAD):
        return MediaKind.VIDEO if is_mjpeg(path) else MediaKind.PHOTO
    if head.startswith(PNG_HEAD):
        return MediaKind.VIDEO if is_animated_png(path) else MediaKind.PHOTO
    if head.startswith(PHOTO_HEADS) or _is_bmp(head):
        return MediaKind.PHOTO
    if head.startswith((b"GIF87a", b"GIF89a")):
        return MediaKind.VIDEO if _is_animated(path) else MediaKind.PHOTO
    if head.startswith(b"RIFF"):
        if _webp_flags(head) & WEBP_ANIMATED:
            return MediaKind.VIDEO
        return {b"WEBP": MediaKind.PHOTO, b"AVI ": MediaKind.VIDEO}.get(head[8:12])
    if head[4:8] == b"ftyp":
        return MediaKind.PHOTO if head[8:12] in STILL_BRANDS else MediaKind.VIDEO
    if head[4:8] in QUICKTIME_ATOMS or head.startswith(VIDEO_HEADS) or _is_transport_stream(head):
        return MediaKind.VIDEO
    return None


def _webp_flags(head: bytes) -> int:
    return head[WEBP_FLAGS_AT] if head[8:16] == b"WEBPVP8X" and len(head) > WEBP_FLAGS_AT else 0


def _is_bmp(head: bytes) -> bool:
    """Two letters are not enough: a text may begin with BM."""
    return head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in BMP_HEADER_BYTES


def _is_transport_stream(head: bytes) -> bool:
    """Three packets in a row begin with 0x47: of 188 bytes, or of 192 with a time stamp first (M2TS)."""
    starts = ((0, 188, 376), (4, 196, 388))
    return len(head) > 400 and any(all(head[at] == 0x47 for at in places) for places in starts)


def _is_animated(path: Path) -> bool:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            return bool(getattr(image, "is_animated", False))
    except UnidentifiedImageError as error:  # in whose words stands the path as Python writes it
        raise InputError(f"{path} is a damaged GIF", next_step="Copy or download it again.") from error
    except Exception as error:  # decoders raise whatever they like on damaged files
        raise InputError(
            f"{path} is a damaged GIF: {error}", next_step="Copy or download it again."
        ) from error


ASIDE_FOLDERS = {
    "@eadir", "@tmp", "@recycle", "@recently-snapshot", "#recycle", "#snapshot", "$recycle.bin", "__macosx",
    "system volume information", "lost+found", "thumbnails.noindex",
}  # fmt: skip
"""What file servers, systems and archives keep beside people's own files, in small letters."""
ASIDE_ENDINGS = ("_original", "~", ".lrv", ".lrf", ".thm")
"""Of ExifTool's copies of what it has changed, of editors', and of the small copies that cameras make of clips."""


def is_kept_aside(name: str) -> bool:
    """Whether a file or folder that is met below a folder is hidden, or a program's own: not meant to be painted."""
    return name.startswith(".") or name.lower() in ASIDE_FOLDERS or name.lower().endswith(ASIDE_ENDINGS)


@dataclass(frozen=True)
class Walk:
    """What lies below a folder. `shut`: folders that cannot be looked into, each with the system's reason."""

    files: tuple[Path, ...]
    shut: tuple[tuple[Path, str], ...] = ()


def walk(folder: Path, leave_out: Set[Path] = frozenset()) -> Walk:
    """All files below `folder`, sorted, but for what is hidden and for `leave_out`, files and folders, resolved.

    Left out, too, is what programs keep for themselves beside pictures: NAS's thumbnails, originals of edited tags.
    Links to files are files. Links to folders are not followed: so none leads in a circle.
    """
    root = resolved(folder)
    files: list[Path] = []
    shut: list[tuple[Path, str]] = []

    def refused(error: OSError) -> None:
        shut.append((Path(error.filename), error.strerror or str(error)))

    for at, folders, names in os.walk(folder, onerror=refused):
        inside = Path(at).relative_to(folder)

        def wanted(name: str, inside: Path = inside) -> bool:
            return not is_kept_aside(name) and root / inside / name not in leave_out

        folders[:] = filter(wanted, folders)
        files += (folder / inside / name for name in filter(wanted, names))
    return Walk(tuple(sorted(files)), tuple(sorted(shut)))


def file_identity(path: Path) -> tuple[int, int]:
    """The same for all names, links included, that lead to one existing file."""
    found = path.stat()
    return found.st_dev, found.st_ino


@contextmanager
def atomic_output(target: Path, scratch: Path | None = None) -> Iterator[Path]:
    """A hidden temporary path beside `target`, of its suffix: fsynced and put in its place, or removed.

    `scratch`: a folder of the same file system for it instead, which somebody clears where even this process is killed.

    Missing parent folders are made. OutputError where the target is a folder or cannot be written,
    StorageError where the disk is full; other errors of the caller's own pass through.
    """
    temporary = _reserve(target, scratch)
    try:
        try:
            yield temporary
        except OSError as error:
            if error.errno in DISK_FULL | TOO_LARGE:
                raise storage_error(error, target) from error
            raise
        put_in_place(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def _reserve(target: Path, scratch: Path | None) -> Path:
    """An empty new file, with the permissions that a new file gets here."""
    if not target.name:
        raise OutputError(f"{target} is a folder", next_step="Name a file in it.")
    temporary = (scratch or target.parent) / f".framestyle-{secrets.token_hex(6)}{target.suffix}"
    try:
        if target.is_dir():
            raise OutputError(f"{target} is a folder", next_step="Name a file in it.")
        target.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except (OSError, ValueError) as error:
        raise storage_error(error, target) from error
    return temporary


def put_in_place(temporary: Path, target: Path) -> None:
    """A finished file under its name, so that both outlast a crash."""
    try:
        sync(temporary)
        os.replace(temporary, target)
        if os.name == "posix":
            sync(target.parent)  # the new name itself must reach the disk
    except OSError as error:
        raise storage_error(error, target) from error


def put_folder_in_place(folder: Path, target: Path) -> bool:
    """A folder of finished files under its name. False where one is there already, which stays; then this one goes."""
    try:
        folder.rename(target)
        if os.name == "posix":
            sync(target.parent)
    except OSError as error:
        if not target.is_dir():
            raise storage_error(error, target) from error
        shutil.rmtree(folder, ignore_errors=True)
        return False
    return True


def sync(path: Path) -> None:
    """What was written to a file or folder, onto the disk; as far as its file system can be told to."""
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in NO_SYNC:
            raise
    finally:
        os.close(descriptor)


def storage_error(error: OSError | ValueError, target: Path) -> FramestyleError:
    """The system's refusal in our words."""
    if isinstance(error, OSError) and error.errno in DISK_FULL:
        return StorageError(
            f"no room left for {target}",
            code=Code.DISK_FULL,
            facts={"path": str(target)},
            next_step="Free some space, then give the same command again.",
        )
    if isinstance(error, OSError) and error.errno in TOO_LARGE:
        return StorageError(
            f"{target} grew larger than a file may be there",
            next_step="Choose another disk for it, then give the same command again.",
        )
    cause = getattr(error, "strerror", None) or str(error)
    if isinstance(error, OSError) and error.errno in NO_NAME:
        return OutputError(
            f"{target} cannot be written: {cause}", code=Code.OUTPUT_NAME_REFUSED, facts={"path": str(target)}
        )
    return OutputError(
        f"{target} cannot be written: {cause}", next_step="Choose another output, or check permissions."
    )
