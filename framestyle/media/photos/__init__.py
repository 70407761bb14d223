"""Photos in and out: upright, sRGB, with their EXIF, XMP, colour profile, resolution, transparency and 16 bits.

reading.py and writing.py are the two ways; photo.py is what goes between them. formats.py: which formats there are;
alpha.py: transparency; colors.py and icc.py: profiles; cicp.py: colours told by numbers; tone.py: HDR made SDR;
exif.py, tags.py and xmp.py: words; deep.py, floating.py, png.py, tiff.py, isobmff.py, avif.py and heif.py: what Pillow
alone does not do; words.py: what made a picture, read back.
"""

from __future__ import annotations

from framestyle.media.photos.alpha import with_hidden_filled
from framestyle.media.photos.formats import FORMATS, check_photo_format, own_suffix
from framestyle.media.photos.photo import Photo
from framestyle.media.photos.reading import photo_hdr, photo_size, read_photo, read_style_image
from framestyle.media.photos.recipe_metadata import recipe_in
from framestyle.media.photos.writing import PhotoSettings, check_holds, write_photo

__all__ = [
    "FORMATS",
    "Photo",
    "PhotoSettings",
    "check_holds",
    "check_photo_format",
    "own_suffix",
    "photo_hdr",
    "photo_size",
    "read_photo",
    "read_style_image",
    "recipe_in",
    "with_hidden_filled",
    "write_photo",
]
