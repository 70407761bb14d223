"""Locks where the file system has some: not every network folder does."""

from __future__ import annotations

import errno

from filelock import BaseFileLock

NO_LOCKS = {errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOLCK}


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
