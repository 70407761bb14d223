"""What made a picture, as text in its metadata, and the preset recovered from it. Loads no torch."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from framestyle.errors import InputError, PresetError
from framestyle.media.photos import recipe_in
from framestyle.media.verify.verdict import precision_in
from framestyle.nst.weights.hashes import sha256_of
from framestyle.presets import SCHEMA_VERSION, Preset, builtin_presets_dir, pictures_of, resolved_yaml
from framestyle.presets.paths import picture_keys, value_at
from framestyle.spec import RenderSpec, with_precision

BUILTIN = "<presets>"
"""Stands for the folder of the built-in presets: another on every machine."""
LONGEST_WORD = 300


@dataclass(frozen=True)
class Recipe:
    """A render spec as it is written into what was made by it. `device` in words, with the precision."""

    spec: RenderSpec
    device: str
    versions: Mapping[str, str]

    def text(self) -> str:
        """As JSON. Paths below the home folder begin with `~`: a published picture need not say whose it is."""
        spec = self.spec
        preset = spec.decided_preset.model_dump(mode="json", by_alias=True, exclude={"extends"})
        images = {path: one for path, one in spec.pictures.items() if isinstance(one, str)}
        _renamed(preset, _portable)
        return json.dumps(
            {
                "preset": preset,
                "weights": _portable(spec.weights),
                "weights_fingerprint": spec.weights_fingerprint,
                "seed": spec.seed,
                "device": self.device,
                "versions": dict(self.versions),
                "images": {_portable(path): digest for path, digest in images.items()},
            },
            ensure_ascii=False,
            separators=(",", ":"),
        )


def _renamed(preset: Any, rename: Callable[[str], str]) -> None:
    """Each picture's path in a preset's plain data, in place."""
    for place in picture_keys(preset):
        value_at(preset, place[:-1])[place[-1]] = rename(value_at(preset, place))


def _portable(path: str) -> str:
    for root, sign in ((builtin_presets_dir(), BUILTIN), (_home(), "~")):
        if root is not None and Path(path).is_absolute() and Path(path).is_relative_to(root):
            return f"{sign}/{Path(path).relative_to(root).as_posix()}"
    return path


def _home() -> Path | None:
    try:
        return Path.home()
    except RuntimeError:
        return None


def _located(path: str) -> str:
    """The inverse of `_portable`, on this machine."""
    if path.startswith(f"{BUILTIN}/"):
        return str(builtin_presets_dir() / path.removeprefix(f"{BUILTIN}/"))
    try:
        return str(Path(path).expanduser())
    except RuntimeError:
        return path


def read_recipe(text: str, picture: Path) -> Recipe:
    """The recipe that `Recipe.text` wrote, its paths those of this machine. PresetError where it cannot be used."""
    try:
        data = json.loads(text)
        plain = data["preset"]
        _refuse_newer(plain, picture)
        _renamed(plain, _located)
        preset, device = Preset.model_validate(plain), str(data["device"])
        # What a preset's `auto` came to was once written beside the device alone.
        if (precision := precision_in(device)) is not None:
            preset = with_precision(preset, precision)
        spec = RenderSpec(
            preset,
            str(data["weights"]),
            str(data.get("weights_fingerprint", "")),
            {_located(str(path)): str(digest) for path, digest in data["images"].items()},
            int(data["seed"]),
            device.split(" ")[0].partition(":")[0],
        )
        return Recipe(spec, device, {str(key): str(value) for key, value in data["versions"].items()})
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        what = (
            f"{error.error_count()} of its keys are not known here"
            if isinstance(error, ValidationError)
            else ""
        )
        raise PresetError(
            f"{picture} holds a preset that cannot be read{': ' if what else ''}{what}",
            next_step="It may come from another version of FrameStyle: pip install --upgrade framestyle",
        ) from error


def _refuse_newer(preset: Mapping[str, Any], picture: Path) -> None:
    if preset["schema"] > SCHEMA_VERSION:
        raise PresetError(
            f"{picture} was made by a newer FrameStyle: its preset has schema {int(preset['schema'])}",
            next_step="Update FrameStyle: pip install --upgrade framestyle",
        )


@dataclass(frozen=True)
class Recovered:
    """A preset's file, in comments what it was used with, and what is no longer as it was."""

    made: str
    """By what, and on which device: a comment's text."""
    weights: str
    seed: int
    text: str
    """The preset, as YAML."""
    doubts: tuple[str, ...]


def recovered_preset(picture: Path) -> Recovered:
    """The preset that a photo of ours was made with.

    InputError where it names none, PresetError where it cannot be used.
    """
    text = recipe_in(picture)
    if text is None:
        raise InputError(
            f"{picture} does not say which preset it was made with",
            next_step="Photos that FrameStyle wrote do, unless as BMP, or stripped of their metadata since.",
        )
    recipe = read_recipe(text, picture)
    versions = ", ".join(f"{name} {version}" for name, version in recipe.versions.items())
    # Comments, so nothing in them may begin a new line.
    spec = recipe.spec
    made = f"Recovered from {_word(picture.name)}, made by {_word(versions)} on {_word(recipe.device)}"
    return Recovered(made, _word(spec.weights), spec.seed, resolved_yaml(spec.preset), tuple(_doubts(spec)))


def _word(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text[:LONGEST_WORD])


def _doubts(spec: RenderSpec) -> Iterator[str]:
    for path in pictures_of(spec.preset):
        try:
            same = spec.pictures.get(path) in (None, sha256_of(Path(path)))
        except (OSError, ValueError):
            yield f"{path} is not there: put the image back, or change its path in the preset"
            continue
        if not same:
            yield f"{path} is another image now than the one that was used"
