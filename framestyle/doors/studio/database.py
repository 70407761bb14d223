"""The studio's SQLite file: what is there after a kill -9."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from framestyle.errors import Code, StorageError

VERSION = 2
TABLES = """
CREATE TABLE media (
  id TEXT PRIMARY KEY, path TEXT NOT NULL UNIQUE, name TEXT NOT NULL, kind TEXT NOT NULL,
  is_upload INTEGER NOT NULL, added_s REAL NOT NULL, size_bytes INTEGER NOT NULL
);
CREATE TABLE jobs (
  id TEXT PRIMARY KEY, place INTEGER NOT NULL, state TEXT NOT NULL, title TEXT NOT NULL, request TEXT NOT NULL,
  output TEXT NOT NULL, made_s REAL NOT NULL, started_s REAL, ended_s REAL, attempt INTEGER NOT NULL DEFAULT 0,
  pid INTEGER, pid_born_s REAL, outcome TEXT
);
CREATE INDEX jobs_in_order ON jobs (state, place);
CREATE INDEX jobs_by_output ON jobs (output);
CREATE TABLE results (
  id TEXT PRIMARY KEY, job TEXT NOT NULL, input TEXT, preset TEXT NOT NULL, made_s REAL NOT NULL, look TEXT
);
CREATE TABLE switches (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


def open_database(path: Path) -> sqlite3.Connection:
    """Made where it is not there. A call has committed when it returns, and outlasts the process."""
    # Used by the server's loop alone, which may run in another thread than the one that opens it.
    connection = sqlite3.connect(path, isolation_level=None, timeout=10, check_same_thread=False)
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise StorageError(
                f"{path} was written by a newer FrameStyle",
                next_step="Update FrameStyle: pip install --upgrade framestyle",
            )
        if version == 0:
            connection.executescript(f"BEGIN; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;")
        elif version == 1:
            added = "ALTER TABLE results ADD COLUMN look TEXT; CREATE INDEX jobs_by_output ON jobs (output);"
            connection.executescript(f"BEGIN; {added} PRAGMA user_version = {VERSION}; COMMIT;")
    except sqlite3.DatabaseError as error:
        connection.close()
        raise StorageError(
            f"{path} cannot be used: {error}",
            code=Code.STORAGE_REFUSES,
            next_step="Move it away: the studio then begins with an empty queue.",
        ) from error
    except BaseException:
        connection.close()
        raise
    return connection
