"""What made a picture, read back from its metadata."""

from __future__ import annotations

from pathlib import Path

from framestyle.errors import InputError
from framestyle.kinds import MediaKind
from framestyle.media.files import sniff
from framestyle.media.photos.reading import opened
from framestyle.media.photos.writing import RECIPE
from framestyle.media.photos.xmp import own_property


def recipe_in(path: Path) -> str | None:
    """The recipe that `write_photo` left in a photo; None where there is none. InputError as for `read_photo`."""
    if sniff(path) is not MediaKind.PHOTO:
        raise InputError(f"{path} is not a photo", next_step="Name a photo that FrameStyle made.")
    with opened(path) as image:
        text = image.info.get(RECIPE)
        if isinstance(text, str):
            return text
        return own_property(image.info.get("xmp") or image.info.get("XML:com.adobe.xmp"), "recipe")
