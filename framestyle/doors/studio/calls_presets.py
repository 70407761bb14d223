"""Calls about presets, and about previews of looks."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from framestyle.doors.advice import KEY_HELP
from framestyle.doors.studio.answers import RefusedError, body_of, json_response, not_found
from framestyle.doors.studio.calls_media import KEEP, of, spooled
from framestyle.doors.studio.looks import saved_text
from framestyle.doors.studio.models import (
    Checked,
    CheckedText,
    Copy,
    Done,
    PresetOfPictures,
    PresetText,
    SavedPreset,
    WantedList,
)
from framestyle.presets.library import is_plain_name


async def listed(request: Request) -> Response:
    """All, with colours and slider values."""
    found = await asyncio.to_thread(of(request).library.listed)
    return json_response([facts.model_dump(mode="json") for facts in found])


def _text(request: Request, name: str) -> Response:
    library = of(request).library
    facts = PresetText(name=name, builtin=library.is_builtin(library.path(name)), yaml=library.text(name))
    of(request).hub.publish("presets", {})
    return json_response(facts)


async def text(request: Request) -> Response:
    """As it is written."""
    library, name = of(request).library, request.path_params["name"]
    path = library.path(name)
    return json_response(PresetText(name=name, builtin=library.is_builtin(path), yaml=library.text(name)))


async def save(request: Request) -> Response:
    """Checked, then whole or not at all."""
    studio, name = of(request), request.path_params["name"]
    body = await body_of(request, SavedPreset)
    written = body.yaml
    if body.look is not None:
        written = saved_text(name, body.look, studio.library, studio.uploaded, body.description)
    studio.library.save(name, written or "", overwrite=body.overwrite)
    return _text(request, name)


async def remove(request: Request) -> Response:
    """One of the user's own."""
    of(request).library.remove(request.path_params["name"])
    of(request).hub.publish("presets", {})
    return json_response(Done())


async def duplicate(request: Request) -> Response:
    """It stands alone."""
    body = await body_of(request, Copy)
    await asyncio.to_thread(of(request).library.duplicate, request.path_params["name"], body.name)
    return _text(request, body.name)


async def of_pictures(request: Request) -> Response:
    """The pictures are copied into the preset folder."""
    studio, body = of(request), await body_of(request, PresetOfPictures)
    found = [studio.media.get(one) for one in body.pictures]
    if any(media.kind != "photo" for media in found):
        raise RefusedError(422, "input-unusable", "a style image is a still picture")
    await asyncio.to_thread(studio.library.save_pictures, body.name, [media.path for media in found])
    studio.hub.publish("presets", {})
    return json_response(Done(), 201)


async def check(request: Request) -> Response:
    """While it is typed."""
    body = await body_of(request, CheckedText)
    name = body.name if is_plain_name(body.name) else "draft"
    faults, settings = of(request).library.faults(body.yaml, name)
    return json_response(Checked(faults=faults, settings=settings))


async def schema(request: Request) -> Response:
    """For editors."""
    from framestyle.presets.editors import schema_text

    found = await asyncio.to_thread(schema_text, KEY_HELP)
    return Response(found, media_type="application/schema+json", headers=KEEP)


async def export(request: Request) -> Response:
    """As `framestyle presets export` makes it."""
    name = request.path_params["name"]
    packed = await asyncio.to_thread(of(request).library.export, name)
    said = f"attachment; filename*=UTF-8''{quote(name)}.zip"
    return Response(packed, media_type="application/zip", headers={"content-disposition": said})


async def take_in(request: Request) -> Response:
    """As `framestyle presets import` takes it."""
    if request.headers.get("content-type", "") != "application/zip":
        raise RefusedError(415, "not-a-zip", "the body must be application/zip")
    studio = of(request)
    name, overwrite = request.query_params.get("name") or None, "overwrite" in request.query_params
    zipped = await spooled(request, studio.settings.state / "uploads", ".zip")
    try:
        taken = await asyncio.to_thread(studio.library.take_in, zipped, name, overwrite=overwrite)
    finally:
        zipped.unlink(missing_ok=True)
    return _text(request, taken)


async def art(request: Request) -> Response:
    """Its style image."""
    studio = of(request)
    path = studio.library.art(request.path_params["name"])
    return FileResponse(
        await studio.decoding.picture(path, "photo", 256), media_type="image/jpeg", headers=KEEP
    )


# -- previews ----------------------------------------------------------------------------------------------


async def want(request: Request) -> Response:
    """How each of them stands, in the same order."""
    studio, body = of(request), await body_of(request, WantedList)
    facts = studio.want(body.page, body.wanted)
    return json_response([one.model_dump(mode="json") for one in facts])


async def preview(request: Request) -> Response:
    """What there is of it so far."""
    key = request.path_params["key"]
    if not (key.isalnum() and key.isascii()):
        raise not_found("preview")
    path = of(request).previews.newest(key)
    if path is None:
        raise not_found("preview")
    kind = "video/mp4" if path.suffix == ".mp4" else "image/jpeg"
    if path.name.endswith(".part.jpg"):
        try:
            return Response(path.read_bytes(), media_type=kind)
        except OSError:
            raise not_found("preview") from None
    return FileResponse(path, media_type=kind, headers=KEEP)
