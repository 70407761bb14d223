"""What a render spec needs beside itself, carried along with work that is handed out: pictures and weights, by hash.

A picture counts by its bytes wherever it lies, and so do weights: whoever lacks one takes it from the folder, checked.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from framestyle.context import SILENT, Context
from framestyle.errors import WeightsError
from framestyle.media.files import atomic_output
from framestyle.nst.weights.backbone import Backbone
from framestyle.nst.weights.hashes import has_sha256, record_of, recorded_hash, sha256_of
from framestyle.nst.weights.paths import NOT_HERE, WeightsStore, weights_identity
from framestyle.opening import load_weights
from framestyle.presets import builtin_presets_dir
from framestyle.presets.paths import with_pictures
from framestyle.registries import WEIGHTS
from framestyle.session import Session
from framestyle.spec import RenderSpec

PICTURES, WEIGHTS_FOLDER = "pictures", "weights"
BUILTIN = "<presets>/"
"""Stands for the folder of the built-in presets: another on every machine."""


def carry(spec: RenderSpec, folder: Path) -> None:
    """Copy the spec's pictures and its weights' file, if it has one, into `folder`, each under its hash.

    Masks, which are a folder, stay where they are. Storage and output errors where the folder refuses.
    """
    for path, digest in spec.pictures.items():
        if isinstance(digest, str):
            _copied(Path(path), _picture(folder, path, digest), digest)
    found = weights_file(spec)
    if found is not None:
        source, digest = found
        target = _weights(folder, source, spec)
        _copied(source, target, digest)
        if record_of(source).exists() and spec.weights in WEIGHTS:
            _copied(record_of(source), record_of(target), None)


def weights_file(spec: RenderSpec) -> tuple[Path, str] | None:
    """The file of the spec's weights here, and its SHA-256; None where they come with the install, or are not here."""
    if spec.weights not in WEIGHTS:
        path = Path(spec.weights)
        return (path, spec.weights_fingerprint) if path.is_file() else None
    store = WeightsStore()
    with suppress(KeyError):
        path = store.path(spec.weights)
        if path.parent == store.folder and (digest := recorded_hash(path)) is not None and path.is_file():
            return path, digest
    return None


def _copied(source: Path, target: Path, digest: str | None) -> None:
    if target.exists() and (digest is None or sha256_of(target) == digest):
        return
    with atomic_output(target) as temporary:
        shutil.copyfile(source, temporary)


def _picture(folder: Path, path: str, digest: str) -> Path:
    return folder / PICTURES / f"{digest}{Path(path).suffix}"


def _weights(folder: Path, path: Path, spec: RenderSpec) -> Path:
    name = path.name if spec.weights in WEIGHTS else f"{spec.weights_fingerprint}{path.suffix}"
    return folder / WEIGHTS_FOLDER / name


# -- the spec, elsewhere -----------------------------------------------------------------------------------


def portable(spec: RenderSpec) -> str:
    """The spec's JSON, in which the pictures of built-in presets are named wherever FrameStyle is installed."""
    root = builtin_presets_dir()

    def renamed(path: str) -> str:
        inside = Path(path).is_relative_to(root)
        return f"{BUILTIN}{Path(path).relative_to(root).as_posix()}" if inside else path

    return _renamed(spec, renamed).to_json()


def located(text: str, folder: Path) -> RenderSpec:
    """What `portable` wrote, its pictures where they are on this machine: in their place, else as carried in `folder`.

    InputError where it is no spec, or one of a newer FrameStyle.
    """
    spec = RenderSpec.from_json(text)

    def found(path: str) -> str:
        here = str(builtin_presets_dir() / path.removeprefix(BUILTIN)) if path.startswith(BUILTIN) else path
        digest = spec.pictures.get(path)
        if not isinstance(digest, str) or has_sha256(Path(here), digest):
            return here
        carried = _picture(folder, path, digest)
        return str(carried) if has_sha256(carried, digest) else here

    return _renamed(spec, found)


def _renamed(spec: RenderSpec, renamed: Callable[[str], str]) -> RenderSpec:
    preset = with_pictures(spec.preset, renamed)
    return replace(
        spec, preset=preset, pictures={renamed(path): digest for path, digest in spec.pictures.items()}
    )


# -- a session, elsewhere ----------------------------------------------------------------------------------


def open_session(
    spec: RenderSpec,
    folder: Path,
    context: Context = SILENT,
    *,
    device: str | None = None,
    memory_limit_bytes: int | None = None,
) -> Session:
    """A session from a spec that was decided on elsewhere. Weights that are not here come from `folder`, checked.

    WeightsError where those that are here are others than the spec's, and nor does the folder hold them.
    """
    store, backbone = _weights_for(spec, folder)
    return Session(
        spec,
        context,
        device=device or spec.device or None,
        store=store,
        backbone=backbone,
        masks_follow=False,
        memory_limit_bytes=memory_limit_bytes,
    )


def refuse_other_weights(spec: RenderSpec, folder: Path) -> None:
    """WeightsError where the spec's weights are neither on this machine nor in the folder; none is opened."""
    if weights_identity(spec.weights) == spec.weights_fingerprint:
        return
    if spec.weights in WEIGHTS:
        carried = WeightsStore(folder / WEIGHTS_FOLDER)
        has_them = weights_identity(spec.weights, carried) == spec.weights_fingerprint
    else:
        has_them = has_sha256(_weights(folder, Path(spec.weights), spec), spec.weights_fingerprint)
    if not has_them:
        raise other_weights(spec)


def _weights_for(spec: RenderSpec, folder: Path) -> tuple[WeightsStore | None, Backbone | None]:
    """Where the spec's weights come from: none of both, where those of this machine are they."""
    if weights_identity(spec.weights) == spec.weights_fingerprint:
        return None, None
    if spec.weights in WEIGHTS:
        carried = WeightsStore(folder / WEIGHTS_FOLDER)
        if weights_identity(spec.weights, carried) == spec.weights_fingerprint:
            return carried, None
    elif (backbone := _carried_backbone(spec, folder)) is not None:
        return None, backbone
    raise other_weights(spec)


def _carried_backbone(spec: RenderSpec, folder: Path) -> Backbone | None:
    carried = _weights(folder, Path(spec.weights), spec)
    return load_weights(str(carried))[1] if has_sha256(carried, spec.weights_fingerprint) else None


def other_weights(spec: RenderSpec) -> WeightsError:
    """For a machine whose weights are not the spec's."""
    here = weights_identity(spec.weights)
    lacking = NOT_HERE in here or here.endswith("which is not there")
    what = "are not on this machine" if lacking else "on this machine are others than those of the plan"
    return WeightsError(
        f"the {spec.weights} weights {what}, and the work folder carries none",
        next_step="Install the same weights here, or plan the work anew on the machine that has them.",
    )
