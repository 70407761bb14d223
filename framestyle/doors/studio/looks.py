"""A look -> a preset: what the page shows, what the painter paints, what a job is given are made here alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from framestyle.doors.studio.answers import RefusedError
from framestyle.doors.studio.library import Library, check_settings
from framestyle.doors.studio.models import Look
from framestyle.presets import Preset, resolved_yaml

WHITE = 255


def preset_of(look: Look, library: Library, picture: Callable[[str], Path]) -> Preset:
    """With its settings and its regions, complete. `picture`: an uploaded picture's path, by its id.

    PresetError with what is wrong; RefusedError where it names what it may not.
    """
    overrides = check_settings(look.settings)
    if look.preset is not None:
        preset = library.load(look.preset, overrides)
    else:
        preset = library.load_text(look.yaml or "", "draft", overrides)
    if look.mask is None:
        return preset
    outside = None if look.outside is None else library.load(look.outside, ())
    return _in_regions(preset, outside, picture(look.mask))


def _in_regions(inside: Preset, outside: Preset | None, mask: Path) -> Preset:
    """`inside` where the mask is white; where it is black the style images of `outside`, or nothing."""
    data: dict[str, Any] = inside.model_dump(mode="json", by_alias=True, exclude={"extends"})
    images = [{**image, "region": WHITE} for image in data["style"]["images"]]
    if outside is not None:
        others = outside.model_dump(mode="json")["style"]["images"]
        images += [{**image, "region": "rest"} for image in others]
    data["style"]["images"], data["style"]["mask"] = images, str(mask)
    return Preset.model_validate(data)


def saved_text(name: str, look: Look, library: Library, picture: Callable[[str], Path], said: str) -> str:
    """A look as a preset's file: what it is based on and what was changed; all of it where that has no name, or is
    what the file replaces."""
    preset = preset_of(look, library, picture)
    if look.mask is not None:
        raise RefusedError(
            422,
            "mask-not-saved",
            "a painted mask is for one picture, and is not saved with a preset",
            "Save the look without its mask.",
        )
    if look.preset is None or look.preset == name:
        named = preset.model_copy(update={"name": name, "description": said or preset.description})
        return resolved_yaml(named)
    described = {"description": said} if said else {}
    head = {"schema": 1, "name": name, **described, "extends": look.preset}
    text: str = yaml.safe_dump({**head, **_nested(look.settings)}, sort_keys=False, allow_unicode=True)
    return text


def _nested(settings: Mapping[str, Any]) -> dict[str, Any]:
    """`{"style.scale": 2}` as `{"style": {"scale": 2}}`."""
    nested: dict[str, Any] = {}
    for key, value in settings.items():
        *sections, last = key.split(".")
        at = nested
        for section in sections:
            at = at.setdefault(section, {})
        at[last] = value
    return nested


def key_of(preset: Preset, *parts: object) -> str:
    """What a preview is called: the same for the same pixels. Pictures count by size and time."""
    from framestyle.presets import pictures_of

    data = preset.model_dump(mode="json", by_alias=True, exclude={"name", "description", "tags", "extends"})
    stamps = [stamp_of(Path(path)) for path in pictures_of(preset)]
    text = json.dumps([data, stamps, [str(part) for part in parts]], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:40]


def stamp_of(path: Path) -> str:
    """What changes when a file does."""
    try:
        stat = path.stat()
    except OSError:
        return f"{path} is not there"
    return f"{path} {stat.st_size} {stat.st_mtime_ns}"
