"""Masks: where the regions of an input lie, for style images that are for one region alone."""

from __future__ import annotations

from pathlib import Path

from framestyle.errors import Code, InputError, PresetError
from framestyle.frames import Pixels
from framestyle.kinds import MediaKind
from framestyle.media.files import sniff, walk
from framestyle.media.photos import read_style_image
from framestyle.media.video.sequences import existing_files, numbering_of, sequence_in
from framestyle.presets import Preset
from framestyle.presets.paths import ALPHA_MASK


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

    None where the mask moves. InputError where there is none in the folder, or more than one.
    """
    if preset.style.mask is None or preset.style.mask == ALPHA_MASK:
        return None
    path = Path(preset.style.mask)
    if path.is_dir() != (source is not None):
        return None
    path = path if source is None else _in_folder(path, source)
    return None if moves(path) else read_style_image(path)


def moving_mask(preset: Preset, source: Path) -> Path | None:
    """The clip or the sequence that is an input's mask; None where its mask stands still, or it is its own.

    InputError where there is none in the folder, or more than one.
    """
    if preset.style.mask is None or preset.style.mask == ALPHA_MASK:
        return None
    path = Path(preset.style.mask)
    path = _in_folder(path, source) if path.is_dir() else path
    return path if moves(path) else None


def moves(path: Path) -> bool:
    """Whether a mask is a clip or an image sequence. InputError where it is no picture either."""
    return numbering_of(path) is not None or sniff(path) is MediaKind.VIDEO


def _in_folder(folder: Path, source: Path) -> Path:
    of_sequence = folder / source.name
    if numbering_of(of_sequence) is not None and existing_files(of_sequence):
        return of_sequence
    if (folder / source.stem).is_dir():
        return sequence_in(folder / source.stem)
    found = [path for path in walk(folder).files if path.stem == source.stem and _is_picture(path)]
    found = [path for path in found if path.name == source.name] or found
    if len(found) == 1:
        return found[0]
    if not found:
        raise InputError(
            f"there is no mask for {source} in {folder}", next_step=f"Add {source.stem}.png there."
        )
    names = " and ".join(str(path.relative_to(folder)) for path in found)
    raise InputError(f"{names} in {folder} may both be the mask for {source}", next_step="Leave one.")


def _is_picture(path: Path) -> bool:
    try:
        return sniff(path) in (MediaKind.PHOTO, MediaKind.VIDEO)
    except InputError:
        return False
