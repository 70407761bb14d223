"""Locks where the file system has some: not every network folder does."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import BaseFileLock

from framestyle.media.files import storage_error

NO_LOCKS = {errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOLCK}


@contextmanager
def released_on_error(lock: BaseFileLock, path: Path) -> Iterator[None]:
    """A lock that is taken inside is held on only where nothing fails there; an OSError is one of writing to `path`."""
    try:
        yield
    except OSError as error:
        lock.release()
        raise storage_error(error, path) from error
    except BaseException:
        lock.release()
        raise


def acquired(lock: BaseFileLock) -> bool:
    """Take a lock; False where the file system has none. Timeout where another holds it, OSError where it refuses."""
    try:
        lock.acquire()
    except NotImplementedError:
        return False
    except OSError as error:
        if error.errno in NO_LOCKS:
            return False
        raise
    return True
