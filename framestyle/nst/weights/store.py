"""Weights into their folder and out of it: fetch, open, keep, and load again with nothing taken on trust.

What is in a file is its network's own affair (backbone.py for VGG19, raft_network.py for RAFT). The way is one: a
download is checked against the publisher's hash before it is opened, opened without running code from it, kept as
safetensors, and its full SHA-256 is checked at each load.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import re
import tempfile
import urllib.error
import urllib.request
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from framestyle.errors import Code, StorageError, WeightsError
from framestyle.nst.weights.hashes import record_of, recorded_hash, sha256_of
from framestyle.nst.weights.kind import OnProgress as OnProgress
from framestyle.nst.weights.paths import WeightsStore as WeightsStore

TIMEOUT_S = 30.0
NO_WEIGHTS = "Name a file of weights that was not changed: .safetensors, or torchvision's .pth."
CHECK_CACHE = "Free some space there, check its permissions, or name another folder in FRAMESTYLE_CACHE."


@dataclass(frozen=True)
class Publisher:
    """Where a kind is published."""

    kind: str
    url: str
    """Its file name carries the first digits of the SHA-256: NAME-HASH.pth."""


def fetch_file(
    store: WeightsStore, publisher: Publisher, on_progress: OnProgress | None = None
) -> tuple[dict[str, Any], str]:
    """Download, check against the hash in the name, open with `weights_only`: the table, and where it came from.

    WeightsError where it cannot be had or is not what was published; StorageError where the folder refuses.
    """
    url = store.url or publisher.url
    expected = Path(url).stem.rpartition("-")[2]
    with _scratch(store.folder) as folder:
        download = Path(folder) / "download.pth"
        digest = _download(url, download, publisher, on_progress)
        if not digest.startswith(expected):
            raise WeightsError(
                f"the download from {url} is damaged: its SHA-256 begins {digest[:8]}, not {expected}",
                next_step="Try again; if it stays, something between you and the publisher changes the file.",
            )
        return _open_pickle(download), url


def _scratch(folder: Path) -> tempfile.TemporaryDirectory[str]:
    """A folder for the download, beside where the weights will be kept."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-")
    except OSError as error:
        raise _not_kept(folder, error) from error


def _not_kept(folder: Path, error: OSError) -> StorageError:
    return StorageError(
        f"weights cannot be kept in {folder}: {error.strerror or error}", next_step=CHECK_CACHE
    )


def _download(url: str, target: Path, publisher: Publisher, on_progress: OnProgress | None) -> str:
    """To `target`; the SHA-256 of what arrived. A download cut short is an error, never half-used."""
    digest = hashlib.sha256()
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as response, target.open("wb") as out:
            total, got = int(response.headers.get("Content-Length") or 0), 0
            while block := response.read(1 << 20):
                out.write(block)
                digest.update(block)
                got += len(block)
                if on_progress is not None and total:
                    on_progress(got / total, f"{got >> 20} of {total >> 20} MB")
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", error)
        raise WeightsError(
            f"the {publisher.kind} weights cannot be fetched from {url}: {reason}",
            code=Code.WEIGHTS_NOT_FETCHED,
            facts={"kind": publisher.kind, "url": url},
        ) from error
    except OSError as error:
        raise StorageError(
            f"the download cannot be written to {target.parent}: {error.strerror}", next_step=CHECK_CACHE
        ) from error
    if total and got != total:
        raise WeightsError(
            f"the download from {url} ended after {got} of {total} bytes", next_step="Try again."
        )
    return digest.hexdigest()


def open_file(path: Path, *, next_step: str = "Name a file that is there.") -> dict[str, Any]:
    """The table of a .safetensors file, or of a pickle that holds tensors alone. WeightsError for anything else."""
    if not path.is_file():
        raise WeightsError(f"no weights file at {path}", next_step=next_step)
    if path.suffix != ".safetensors":
        return _open_pickle(path)
    try:
        return dict(load_file(path))
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path} is no safetensors file: {error}", next_step=NO_WEIGHTS) from error


def _open_pickle(path: Path) -> dict[str, Any]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch thinks aloud of odd files
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise WeightsError(
            f"{path} is no file of weights, or holds more than tensors; it was not opened further",
            next_step=NO_WEIGHTS,
        ) from error
    if not isinstance(state, dict):
        raise WeightsError(f"{path} holds no table of weights", next_step=NO_WEIGHTS)
    return state


def save_tensors(
    path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None
) -> None:
    """As safetensors. OSError where the disk refuses, as any file gives it: the library has an error of its own."""
    try:
        save_file(dict(tensors), path, metadata=None if metadata is None else dict(metadata))
    except SafetensorError as error:
        if (found := re.search(r"\(os error (\d+)\)", str(error))) is None:
            raise
        number = int(found[1])
        raise OSError(number, os.strerror(number), str(path)) from error


def keep(path: Path, tensors: Mapping[str, Tensor], kind: str) -> Path:
    """Write safetensors and, beside it, its SHA-256; each whole or not at all."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".keep-") as folder:
            made = Path(folder) / path.name
            save_tensors(made, tensors, {"kind": kind})
            record = Path(folder) / "record.json"
            record.write_text(json.dumps({"kind": kind, "sha256": sha256_of(made)}))
            # The record first: a file without its record is not trusted, a record without its file is nothing.
            os.replace(record, record_of(path))
            os.replace(made, path)
    except OSError as error:
        raise _not_kept(path.parent, error) from error
    return path


def load_kept(path: Path) -> tuple[dict[str, Tensor], str]:
    """A file that `keep` wrote, and its SHA-256, checked against the record before it is opened."""
    again = "Delete it and fetch or import the weights again."
    if (expected := recorded_hash(path)) is None:
        raise WeightsError(f"{path} has no readable record of its hash", next_step=again)
    digest = sha256_of(path)
    if digest != expected:
        raise WeightsError(f"{path} is not what was written: its SHA-256 differs", next_step=again)
    return open_file(path), digest
