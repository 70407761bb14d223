"""The curve by which `strength` goes in time: measured once for a preset and its weights, and kept in the cache."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from framestyle.context import SILENT, Context
from framestyle.errors import FramestyleError
from framestyle.events import Preparing
from framestyle.kinds import MediaKind
from framestyle.media.files import atomic_output
from framestyle.media.photos import read_style_image
from framestyle.nst.image import to_tensor
from framestyle.nst.strength import measured_curve
from framestyle.nst.stylizer import Stylizer
from framestyle.presets import Preset, builtin_presets_dir
from framestyle.presets.library import cache_dir
from framestyle.presets.schema import Output, Video
from framestyle.presets.strength_curve import USUAL, StrengthCurve
from framestyle.spec import RenderSpec

VERSION = 1
"""Raised when the same preset comes to be measured otherwise."""
PHOTO = "canyon.jpg"
"""Of the samples: it is measured on the same picture for every clip, so that parts of one agree."""


def curve_of(spec: RenderSpec, stylizer: Stylizer, context: Context = SILENT) -> StrengthCurve:
    """That of the spec's preset, which the stylizer paints; the usual one where its `strength` does not change in time.

    As it was kept, else measured, which takes some hundred steps on a picture of 64 px.
    """
    if not changes_strength(spec.preset) or stylizer.is_identity:
        return USUAL
    path = cache_dir() / "strength" / f"{_key(spec, stylizer.preset)}.json"
    found = _kept(path)
    if found is None:
        context.on_event(Preparing("strength", 0.0, spec.preset.name))
        photo = read_style_image(builtin_presets_dir().parent / "samples" / "photos" / PHOTO)
        found = measured_curve(stylizer, to_tensor(photo), context.check_cancelled)
        with suppress(OSError, FramestyleError), atomic_output(path) as temporary:
            temporary.write_text(json.dumps(found.painted), encoding="utf-8")
    return found


def changes_strength(preset: Preset) -> bool:
    """Whether its timeline takes `strength` from one value to another."""
    return len({point.strength for point in preset.timeline} - {None}) > 1


def _key(spec: RenderSpec, preset: Preset) -> str:
    """Another one as soon as another curve may be found. `preset`: the spec's, with the precision decided on."""
    preset = preset.model_copy(
        update={"timeline": (), "strength": None, "mix": 1.0, "output": Output(), "video": Video()}
    )
    alone = RenderSpec(preset, spec.weights, spec.weights_fingerprint, spec.pictures, spec.seed)
    return f"{alone.key(MediaKind.PHOTO)}-{VERSION}"


def _kept(path: Path) -> StrengthCurve | None:
    """None where there is none, or it is not as it was written."""
    try:
        return StrengthCurve(tuple(map(float, json.loads(path.read_text(encoding="utf-8")))))
    except (OSError, ValueError, TypeError):
        return None
