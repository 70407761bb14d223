"""Which pictures and clips there are: what was uploaded, and what lies below the root. Nothing else can be reached."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import sqlite3
import time
import unicodedata
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from framestyle.doors.studio import limits
from framestyle.doors.studio.answers import RefusedError, not_found
from framestyle.doors.studio.decoding import Decoding
from framestyle.doors.studio.settings import Settings
from framestyle.errors import FramestyleError
from framestyle.kinds import MediaKind
from framestyle.media.files import sniff

SUFFIXES = {
    b"\xff\xd8\xff": ".jpg",
    b"\x89PNG": ".png",
    b"RIFF": ".webp",
    b"II*\0": ".tif",
    b"MM\0*": ".tif",
    b"GIF8": ".gif",
    b"BM": ".bmp",
    b"\x1aE\xdf\xa3": ".mkv",
}
"""What an uploaded file is called after its first bytes; a clip of another kind is a .mp4, a photo a .heic or .avif."""
TYPES = {
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".mkv": "video/x-matroska",
}
"""Sent as what it is where a browser shows it as a picture; all else as bytes."""

LOOK_BYTES = 16 << 20
"""Of an upload, between two looks at the room that is left."""


@dataclass(frozen=True)
class Media:
    """A photo or a clip, by an id that says nothing of where it lies."""

    id: str
    path: Path
    name: str
    kind: str
    is_upload: bool


@dataclass(frozen=True)
class Entry:
    """Of a folder: a folder in it (`path` counts from the root), or a photo or clip."""

    name: str
    path: str | None = None
    media: Media | None = None


class MediaStore:
    """Everything that can be named in a call. Ids are kept in the database, so that they hold over restarts."""

    def __init__(self, settings: Settings, database: sqlite3.Connection, decoding: Decoding) -> None:
        self._settings, self._database, self._decoding = settings, database, decoding
        self._uploads = settings.state / "uploads"
        self._uploads.mkdir(parents=True, exist_ok=True)
        self._listings: dict[Path, tuple[int, list[str]]] = {}
        self._coming: dict[Path, int] = {}
        """Uploads on their way, and how large they say, or have turned out, to be."""
        for left in self._uploads.glob(".part-*"):
            left.unlink(missing_ok=True)

    # -- by id ---------------------------------------------------------------------------------------------

    def get(self, media_id: str) -> Media:
        """Refused where there is none, where it is gone, and where it leads out of the root."""
        row = self._database.execute("SELECT * FROM media WHERE id = ?", (media_id,)).fetchone()
        if row is None:
            raise not_found("picture")
        media = _of_row(row)
        self.inside(media.path)
        return media

    def inside(self, path: Path) -> Path:
        """The path itself, resolved; refused where it is no file, or leads out of the root by whatever link."""
        try:
            resolved = path.resolve(strict=True)
        except (OSError, ValueError, RuntimeError):
            raise not_found("picture") from None
        if not resolved.is_relative_to(self._settings.root) or not resolved.is_file():
            raise not_found("picture")
        return resolved

    def add(self, path: Path, kind: str, name: str | None = None, *, is_upload: bool = False) -> Media:
        """A file below the root gets an id; the same file the same one."""
        resolved = self.inside(path)
        media_id = hashlib.sha256(os.fsencode(resolved)).hexdigest()[:24]
        size = resolved.stat().st_size
        self._database.execute(
            "INSERT INTO media VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, "
            "size_bytes = excluded.size_bytes",
            (
                media_id,
                os.fsencode(resolved),
                _shown(name or resolved.name),
                kind,
                is_upload,
                time.time(),
                size,
            ),
        )
        return self.get(media_id)

    # -- folders -------------------------------------------------------------------------------------------

    def folder(self, written: str) -> Path:
        """A folder by its path from the root; refused where it leads out, or is hidden."""
        parts = PurePosixPath(written).parts
        if "\0" in written or "\\" in written or written.startswith("/") or ".." in parts:
            raise not_found("folder")
        if any(part.startswith(".") for part in parts):
            raise not_found("folder")
        try:
            resolved = self._settings.root.joinpath(*parts).resolve(strict=True)
        except (OSError, ValueError, RuntimeError):
            raise not_found("folder") from None
        if not resolved.is_relative_to(self._settings.root) or not resolved.is_dir():
            raise not_found("folder")
        if resolved.is_relative_to(self._settings.state):
            raise not_found("folder")
        return resolved

    def listed(self, written: str, offset: int, limit: int) -> tuple[list[Entry], int]:
        """Part of a folder's entries, folders first, and how many names there are. What is no picture is left out."""
        folder = self.folder(written)
        names = self._names(folder)
        entries: list[Entry] = []
        self._database.execute("BEGIN")
        try:
            for name in names[offset : offset + limit]:
                entry = self._entry(folder, name)
                if entry is not None:
                    entries.append(entry)
        finally:
            self._database.execute("COMMIT")
        return entries, len(names)

    def _names(self, folder: Path) -> list[str]:
        """Folders first, in a person's order; remembered as long as the folder is as it was."""
        try:
            stamp = folder.stat().st_mtime_ns
            known = self._listings.get(folder)
            if known is None or known[0] != stamp:
                with os.scandir(folder) as found:
                    shown = [(not one.is_dir(), one.name) for one in found if not one.name.startswith(".")]
                names = [name for _, name in sorted(shown, key=lambda one: (one[0], _natural(one[1])))]
                self._listings = {folder: (stamp, names)}
        except OSError as error:
            raise RefusedError(403, "folder-shut", f"the folder cannot be read: {error.strerror}") from error
        return self._listings[folder][1]

    def _entry(self, folder: Path, name: str) -> Entry | None:
        path = folder / name
        if path.is_dir():
            resolved = path.resolve()
            if path.is_symlink() or not resolved.is_relative_to(self._settings.root):
                return None
            # A page says a folder by its name, which must be text for that.
            is_text = _shown(name) == name
            return Entry(name, path.relative_to(self._settings.root).as_posix()) if is_text else None
        try:
            resolved = self.inside(path)
            kind = sniff(resolved)
            return None if kind is None else Entry(_shown(name), media=self.add(resolved, _word(kind), name))
        except (RefusedError, FramestyleError):
            return None

    # -- uploads -------------------------------------------------------------------------------------------

    async def upload(self, written_name: str, body: AsyncIterator[bytes], said_bytes: int = 0) -> Media:
        """A body becomes a file under a name of ours, once it is whole and was decoded."""
        part = self._uploads / f".part-{secrets.token_hex(8)}"
        self._coming[part] = said_bytes
        try:
            self._check_room(said_bytes)
            await self._take_in(part, body)
            facts = await self._decoding.facts(part, whole=True)
            folder = self._uploads / secrets.token_hex(8)
            folder.mkdir()
            target = folder / f"{safe_stem(written_name)}{_suffix(part, str(facts['kind']))}"
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
            del self._coming[part]
        return self.add(target, str(facts["kind"]), target.name, is_upload=True)

    async def _take_in(self, part: Path, body: AsyncIterator[bytes]) -> None:
        """Looks at the room again as it comes: what has no length, or comes beside others, fills the disk as well."""
        written, looked = 0, 0
        with part.open("xb") as file:
            async for piece in body:
                file.write(piece)
                written += len(piece)
                if written - looked >= LOOK_BYTES:
                    looked = written
                    self._coming[part] = max(written, self._coming[part])
                    self._check_room(0)

    def _check_room(self, more_bytes: int) -> None:
        """For those on their way too, one of which has so many bytes yet to come, as far as is known."""
        count, size = self._database.execute(
            "SELECT count(*), coalesce(sum(size_bytes), 0) FROM media WHERE is_upload"
        ).fetchone()
        size += sum(self._coming.values())
        if count + len(self._coming) > limits.UPLOADS or size > limits.UPLOADS_BYTES:
            raise RefusedError(
                413, "uploads-full", "no more uploads are kept", "Remove some, or choose from a folder."
            )
        if shutil.disk_usage(self._uploads).free < limits.UPLOADS_ROOM_BYTES + more_bytes:
            raise RefusedError(507, "disk-full", "the disk has no room for uploads", "Free some space.")

    def uploads(self) -> list[Media]:
        """The newest first."""
        rows = self._database.execute("SELECT * FROM media WHERE is_upload ORDER BY added_s DESC LIMIT 500")
        return [media for media in map(_of_row, rows) if media.path.is_file()]

    def remove(self, media_id: str) -> None:
        """An upload; nothing else is ever removed."""
        media = self.get(media_id)
        if not media.is_upload or not media.path.is_relative_to(self._uploads):
            raise RefusedError(403, "not-an-upload", "only uploads can be removed")
        self._database.execute("DELETE FROM media WHERE id = ?", (media_id,))
        shutil.rmtree(media.path.parent)


def _of_row(row: sqlite3.Row) -> Media:
    return Media(row["id"], Path(os.fsdecode(row["path"])), row["name"], row["kind"], bool(row["is_upload"]))


def _shown(name: str) -> str:
    """A file's name as text: names of some systems are bytes of no encoding."""
    return os.fsencode(name).decode("utf-8", "replace")


def _word(kind: MediaKind) -> str:
    return "photo" if kind is MediaKind.PHOTO else "video"


def _natural(name: str) -> list[tuple[int, int | str]]:
    """IMG_9 before IMG_10."""
    parts = re.split(r"(\d{1,18})", name.casefold())
    return [(0, int(part)) if part.isdigit() and part.isascii() else (1, part) for part in parts]


def safe_stem(name: str, longest: int = 60) -> str:
    """Of a file's name, what means nothing to any system."""
    flat = unicodedata.normalize("NFKD", PurePosixPath(name.replace("\\", "/")).name)
    flat = "".join(one for one in flat if not unicodedata.combining(one))
    stem = flat.rpartition(".")[0] or flat
    return re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-_")[:longest] or "picture"


def _suffix(path: Path, kind: str) -> str:
    with path.open("rb") as file:
        head = file.read(16)
    found = next((suffix for sign, suffix in SUFFIXES.items() if head.startswith(sign)), None)
    if head[4:8] == b"ftyp" and kind == "photo":
        return ".avif" if head[8:12] == b"avif" else ".heic"
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return ".avi"
    return found or (".mp4" if kind == "video" else ".jpg")
