"""Presets: those there are, texts that are checked as they are typed, and what is saved.

Whatever comes by a call names presets by plain names, and pictures below the root or in the preset folders alone.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from framestyle.doors.studio.answers import RefusedError
from framestyle.doors.studio.models import Fault, PresetFacts
from framestyle.errors import Code, OutputError, PresetError
from framestyle.media.files import atomic_output
from framestyle.presets import (
    Preset,
    PresetSummary,
    builtin_presets_dir,
    find_preset,
    is_plain_name,
    list_presets,
    load_preset,
    load_text,
    main_colors,
    new_preset_text,
    own_preset,
    picture_problem,
    pictures_of,
    preset_dirs,
    preset_text,
    user_presets_dir,
)
from framestyle.presets.bundle import bundle_of, install, read_bundle, write_bundle
from framestyle.presets.library import absolute, looks_like_path
from framestyle.presets.paths import picture_keys
from framestyle.presets.yaml_source import KeyPath, UnreadableError, dotted, parse
from framestyle.registries import INITS

IN_THE_FOLDER = "Put it into the studio's folder."
SLIDERS = (
    "strength",
    "style.scale",
    "style.weight",
    "content.weight",
    "tv_weight",
    "color.preserve",
    "scales.max_side_px",
    "video.temporal_weight",
    "scales.first_steps",
    "scales.between_steps",
    "scales.steps",
    "video.steps",
)
"""Keys that the page has controls for; effort multiplies the steps."""
KEEPS = frozenset({"name", "description", "tags", "extends", "schema"})
"""Keys that no setting changes."""


class Library:
    """The presets that the studio shows. `root`: where pictures of presets may lie, beside the preset folders."""

    def __init__(self, root: Path) -> None:
        self._root = root

    # -- what there is -------------------------------------------------------------------------------------

    def listed(self) -> list[PresetFacts]:
        """All that can be used, and those that do not load with the reason."""
        rows = list_presets()
        paths = list(dict.fromkeys(path for row in rows for path in row.images))
        colors = dict(zip(paths, main_colors(paths), strict=True))
        return [self._facts(row, colors) for row in rows]

    def _facts(self, row: PresetSummary, colors: Mapping[Path, tuple[str, ...]]) -> PresetFacts:
        found = list(dict.fromkeys(color for path in row.images for color in colors[path]))[:6]
        facts = PresetFacts(
            name=row.name,
            description="" if row.is_broken else row.description,
            tags=list(row.tags),
            cost_class=row.cost_class,
            builtin=row.builtin,
            colors=found,
            settings={},
            problem=row.description if row.is_broken else None,
        )
        if not row.is_broken:
            facts.settings = slider_values(load_preset(row.path))
        return facts

    def path(self, name: str) -> Path:
        """A preset's file, by a plain name."""
        return find_preset(_plain(name))

    def text(self, name: str) -> str:
        """As it is written."""
        return preset_text(self.path(name))

    def art(self, name: str) -> Path:
        """Its first style image, where that lies in a place that may be shown."""
        images = load_preset(self.path(name)).style.images
        if not images or not self._may_be_read(Path(images[0].path)):
            raise RefusedError(404, "not-found", "there is no such picture")
        return Path(images[0].path)

    def is_builtin(self, path: Path) -> bool:
        """Whether it came with the program."""
        return path.parent == builtin_presets_dir().resolve()

    # -- loading -------------------------------------------------------------------------------------------

    def load(self, name: str, overrides: Iterable[str]) -> Preset:
        """A preset by name, with settings."""
        return _load(self.path(name), tuple(overrides), _stamp())

    def load_text(self, text: str, name: str, overrides: Iterable[str] = ()) -> Preset:
        """A text that is not saved, as if it were among the user's presets. PresetError with all its faults."""
        self._check_text(text)
        preset = load_text(text, self._place(name), tuple(overrides), origin="setting")
        for picture in pictures_of(preset):
            if not self._may_be_read(Path(picture)):
                raise PresetError(f"{picture} may not be read here", next_step=IN_THE_FOLDER)
        return preset

    def faults(self, text: str, name: str) -> tuple[list[Fault], dict[str, Any]]:
        """What is wrong with a text, and what its sliders would say where nothing is."""
        try:
            preset = self.load_text(text, name)
        except PresetError as error:
            return [_placed(line, self._place(name)) for line in error.message.splitlines()], {}
        return [], slider_values(preset)

    def _place(self, name: str) -> Path:
        return user_presets_dir() / f"{_plain(name)}.yaml"

    def _check_text(self, text: str) -> None:
        """Before any file is opened: what the text names must lie where it may be read."""
        try:
            root, _ = parse(text, "")
        except UnreadableError:
            return  # loading says it with its place
        if root is None or not isinstance(root.value, dict):
            return
        extends = root.value.get("extends")
        if extends is not None and isinstance(extends.value, str) and looks_like_path(extends.value):
            raise PresetError(
                f"{self._place('draft')}:{extends.place.line}:{extends.place.column}: extends: "
                "name a preset; a path is not taken here",
                next_step="framestyle presets list tells their names.",
            )
        for key in picture_keys(root.plain()):
            node, _ = root.at(key)
            if not isinstance(node.value, str) or self._may_be_named(key, node.value):
                continue
            raise PresetError(
                f"{self._place('draft')}:{node.place.line}:{node.place.column}: {dotted(key)}: "
                "the picture must lie in the studio's folder, or among the presets",
                next_step=IN_THE_FOLDER,
            )

    def _may_be_named(self, key: KeyPath, written: str) -> bool:
        if key == ("optimizer", "init") and written in INITS:
            return True
        return "\0" not in written and self._may_be_read(absolute(written, user_presets_dir()))

    def _may_be_read(self, path: Path) -> bool:
        try:
            resolved = path.resolve()
        except (OSError, ValueError, RuntimeError):
            return False
        return any(resolved.is_relative_to(one.resolve()) for one in (self._root, *preset_dirs()))

    # -- saving --------------------------------------------------------------------------------------------

    def save(self, name: str, text: str, *, overwrite: bool) -> None:
        """A text that was checked, as the user's preset of that name."""
        target = self._target(name, overwrite=overwrite)
        self.load_text(text, name)
        with atomic_output(target) as temporary:
            temporary.write_text(text, encoding="utf-8")

    def _target(self, name: str, *, overwrite: bool = False) -> Path:
        _plain(name)
        if any((builtin_presets_dir() / f"{name}{suffix}").exists() for suffix in (".yaml", ".yml")):
            raise OutputError(
                f"{name!r} is the name of a built-in preset",
                code=Code.PRESET_BUILT_IN,
                facts={"preset": name},
                next_step="Choose another name.",
            )
        there = own_preset(name)
        if there is not None and not overwrite:
            raise OutputError(
                f"there is a preset {name!r} already",
                code=Code.PRESET_EXISTS,
                facts={"preset": name},
                next_step="Choose another name, or replace it.",
            )
        return there or user_presets_dir() / f"{name}.yaml"

    def save_pictures(self, name: str, pictures: Iterable[Path]) -> None:
        """A new preset in the style of these pictures, which are copied into the preset folder."""
        target = self._target(name)
        named = [self._kept(picture) for picture in pictures]
        with atomic_output(target) as temporary:
            temporary.write_text(new_preset_text(name, named), encoding="utf-8")

    def _kept(self, picture: Path) -> str:
        """A copy named by what is in it; its path from the preset folder."""
        if problem := picture_problem(picture):
            raise PresetError(
                f"the picture {problem}", next_step="Use a photo or a painting: JPEG, PNG, WebP."
            )
        data = picture.read_bytes()
        name = f"art/studio-{hashlib.sha256(data).hexdigest()[:16]}{picture.suffix}"
        if not (user_presets_dir() / name).exists():
            with atomic_output(user_presets_dir() / name) as temporary:
                temporary.write_bytes(data)
        return name

    def duplicate(self, name: str, other: str) -> None:
        """A copy that stands alone, its pictures with it."""
        self._target(other)
        bundle = bundle_of(self.path(name))
        with tempfile.TemporaryDirectory() as folder:
            packed = Path(folder) / f"{bundle.name}.zip"
            with packed.open("wb") as file:
                write_bundle(bundle, file)
            install(read_bundle(packed, other))

    def export(self, name: str) -> bytes:
        """Its zip."""
        import io

        file = io.BytesIO()
        write_bundle(bundle_of(self.path(name)), file)
        return file.getvalue()

    def take_in(self, zipped: Path, name: str | None, *, overwrite: bool) -> str:
        """A zip's preset among the user's; its name."""
        bundle = read_bundle(zipped, name)
        self._target(bundle.name, overwrite=overwrite)
        install(bundle, overwrite=overwrite)
        return bundle.name

    def remove(self, name: str) -> None:
        """One of the user's own; its pictures stay, for others may use them."""
        path = own_preset(_plain(name))
        if path is None:
            raise RefusedError(403, "preset-built-in", "only your own presets can be removed")
        path.unlink()


def check_settings(settings: Mapping[str, Any]) -> list[str]:
    """As overrides; refused where one names a picture, or what is no setting."""
    import json

    overrides: list[str] = []
    for key, value in settings.items():
        names_picture = key.startswith("style.images") or key in {"style.mask", "optimizer.init", "style"}
        if names_picture or key in KEEPS or not re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)*", key):
            raise RefusedError(422, "usage-wrong", f"{key[:80]!r} cannot be set here")
        overrides.append(f"{key}={json.dumps(value)}")
    return overrides


def slider_values(preset: Preset) -> dict[str, Any]:
    """The values that the page's controls begin with."""
    values: dict[str, Any] = {}
    for key in SLIDERS:
        at: Any = preset
        for part in key.split("."):
            at = getattr(at, part)
        values[key] = at
    return values


def _plain(name: str) -> str:
    if not is_plain_name(name):
        raise PresetError(
            f"{name[:200]!r} cannot be a preset's name",
            code=Code.PRESET_UNUSABLE,
            next_step="Use letters, digits, - and _, such as my-style.",
        )
    return name


def _stamp() -> tuple[int, ...]:
    """Another one when a preset was saved or removed."""
    stamps: list[int] = []
    for folder in preset_dirs():
        try:
            stamps += [path.stat().st_mtime_ns for path in sorted(folder.glob("*.y*ml"))]
        except OSError:
            continue
    return tuple(stamps)


@lru_cache(maxsize=512)
def _load(path: Path, overrides: tuple[str, ...], stamp: tuple[int, ...]) -> Preset:
    """Remembered: a page asks for the same looks with every scroll."""
    return load_preset(path, overrides, origin="setting")


def _placed(line: str, place: Path) -> Fault:
    """`file:line:column: key: what`, taken apart where the file is the text itself."""
    own = (
        line.removeprefix(f"{place}:") if line.startswith(f"{place}:") else line.replace(f"{place}", "draft")
    )
    draft = str(place.with_name("draft.yaml"))
    own = own.removeprefix(f"{draft}:")
    found = re.match(r"(\d+):(\d+): (.*)", own)
    if found is None:
        return Fault(line=None, column=None, message=own)
    return Fault(line=int(found[1]), column=int(found[2]), message=found[3])
