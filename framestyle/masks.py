"""Masks: where the regions of an input lie, for style images that are for one region alone."""

from __future__ import annotations

from pathlib import Path

from framestyle.errors import Code, InputError, PresetError
from framestyle.frames import Pixels
from framestyle.kinds import MediaKind
from framestyle.media.files import sniff, walk
from framestyle.media.photos import read_style_image
from framestyle.presets import Preset


def has_regions(preset: Preset) -> bool:
    """Whether any style image is for a region alone."""
    return any(image.region_color is not None for image in preset.style.images)


def check_masks(preset: Preset, *, more_follow: bool = False) -> None:
    """PresetError where regions lack a mask, unless `more_follow`, or a mask regions."""
    if has_regions(preset) and preset.style.mask is None and not more_follow:
        raise PresetError(
            f"style images of preset {preset.name!r} are for regions, and no mask says where those are",
            code=Code.MASK_MISSING,
            facts={"preset": preset.name},
        )
    if not has_regions(preset) and preset.style.mask is not None:
        raise PresetError(
            f"there is a mask, {preset.style.mask}, but no style image of preset {preset.name!r} is for a region",
            code=Code.REGIONS_MISSING,
            facts={"preset": preset.name, "mask": str(preset.style.mask)},
        )


def mask_of(preset: Preset, source: Path | None) -> Pixels | None:
    """HWC uint8. One that is for every input is the mask of None; in a folder, an input has the one named as it is.

    InputError where there is none in the folder, or more than one.
    """
    if preset.style.mask is None:
        return None
    path = Path(preset.style.mask)
    if path.is_dir() != (source is not None):
        return None
    return read_style_image(path if source is None else _in_folder(path, source))


def _in_folder(folder: Path, source: Path) -> Path:
    found = [path for path in walk(folder).files if path.stem == source.stem and _is_photo(path)]
    found = [path for path in found if path.name == source.name] or found
    if len(found) == 1:
        return found[0]
    if not found:
        raise InputError(
            f"there is no mask for {source} in {folder}", next_step=f"Add {source.stem}.png there."
        )
    names = " and ".join(str(path.relative_to(folder)) for path in found)
    raise InputError(f"{names} in {folder} may both be the mask for {source}", next_step="Leave one.")


def _is_photo(path: Path) -> bool:
    try:
        return sniff(path) is MediaKind.PHOTO
    except InputError:
        return False
