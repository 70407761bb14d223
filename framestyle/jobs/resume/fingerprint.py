"""Which file it is: told by size, time and contents, so that a file that changed is noticed."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from framestyle.nst.weights.hashes import sha256_of


@dataclass(frozen=True)
class FileFingerprint:
    """Which file it is: size and time to see quickly that it is the same, SHA-256 where they do not tell.

    Of an image sequence, all together: its names count too.
    """

    size: int
    mtime_ns: int
    sha256: str

    @classmethod
    def of(cls, files: Sequence[Path]) -> FileFingerprint:
        """OSError where they cannot be read, or there are none."""
        # Stats first: what is written meanwhile shows as a later time.
        size, mtime_ns = _size_and_time(files)
        digests = [sha256_of(path) for path in files]
        return cls(size, mtime_ns, digests[0] if len(files) == 1 else _of_all(files, digests))

    def of_same(self, files: Sequence[Path]) -> FileFingerprint | None:
        """The mark that files of the same content have now, else None."""
        try:
            size, mtime_ns = _size_and_time(files)
            if size != self.size:
                return None
            if mtime_ns == self.mtime_ns:
                return self
            now = FileFingerprint.of(files)
        except OSError:
            return None
        return now if now.sha256 == self.sha256 else None


def _size_and_time(files: Sequence[Path]) -> tuple[int, int]:
    """Of several, the sum and a number that is another where any of them has another name, size or time."""
    stats = [path.stat() for path in files]
    if not stats:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    if len(stats) == 1:
        return stats[0].st_size, stats[0].st_mtime_ns
    digest = _of_all(files, [(stat.st_size, stat.st_mtime_ns) for stat in stats])
    return sum(stat.st_size for stat in stats), int(digest[:15], 16)


def _of_all(files: Sequence[Path], facts: Sequence[object]) -> str:
    """The hexadecimal SHA-256 of their names with a fact of each."""
    lines = [f"{path.name!a} {fact}" for path, fact in zip(files, facts, strict=True)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
