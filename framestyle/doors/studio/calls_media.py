"""Calls about pictures and clips, and about the studio itself."""

from __future__ import annotations

import asyncio
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse

import framestyle
from framestyle.doors.studio import limits
from framestyle.doors.studio.answers import RefusedError, json_response, number, seconds
from framestyle.doors.studio.media import TYPES, Entry
from framestyle.doors.studio.models import Done, FolderEntry, FolderPart, Recipe, StudioFacts
from framestyle.doors.studio.reveal import can_reveal
from framestyle.doors.studio.studio import Studio, brief

SIDES_PX = (96, 160, 256, 512, 1024, 2048, limits.PICTURE_PX)
"""Small pictures are made at these sizes and no others."""
KEEP = {"cache-control": "private, max-age=86400"}


def of(request: Request) -> Studio:
    """The studio that is called."""
    studio: Studio = request.app.state.studio
    return studio


async def studio_facts(request: Request) -> Response:
    """What this studio is, and what it takes."""
    studio = of(request)
    settings = studio.settings
    return json_response(
        StudioFacts(
            version=framestyle.__version__,
            root=settings.root.name or str(settings.root),
            results=settings.results.name,
            weights=settings.weights,
            can_reveal=settings.is_private and can_reveal(),
            limits={
                "upload_bytes": limits.UPLOAD_BYTES,
                "uploads": limits.UPLOADS,
                "inputs": limits.INPUTS,
                "wanted": limits.WANTED,
            },
            queue=studio.queue_facts(),
        )
    )


async def events(request: Request) -> Response:
    """Server-sent events until the page leaves."""
    page = request.query_params.get("page", "")
    if not page.replace("-", "").isalnum() or len(page) > 64:
        raise RefusedError(422, "usage-wrong", "a page needs a name of its own")
    hub = of(request).hub
    with hub.stream():  # refused here, where there is an answer to refuse with
        pass
    of(request).warm()
    return StreamingResponse(hub.listen(page), media_type="text/event-stream")


async def folder(request: Request) -> Response:
    """Part of a folder."""
    path = request.query_params.get("path", "")
    offset = number(request, "offset", 0, 0, 10_000_000)
    limit = number(request, "limit", 200, 1, limits.LISTED)
    studio = of(request)
    entries, names = studio.media.listed(path, offset, limit)
    following = offset + limit if offset + limit < names else None
    shown = [_shown(entry) for entry in entries]
    return json_response(FolderPart(path=path, entries=shown, names=names, next=following))


def _shown(entry: Entry) -> FolderEntry:
    facts = None if entry.media is None else brief(entry.media)
    return FolderEntry(name=entry.name, path=entry.path, media=facts)


async def uploads(request: Request) -> Response:
    """What was uploaded and not removed."""
    found = of(request).media.uploads()
    entries = [FolderEntry(name=media.name, media=brief(media)) for media in found]
    return json_response(FolderPart(path="", entries=entries, names=len(entries), next=None))


async def upload(request: Request) -> Response:
    """The body is the file: nothing is taken apart before it is known what it is."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if kind != "application/octet-stream":
        raise RefusedError(415, "not-bytes", "the body must be application/octet-stream")
    studio = of(request)
    name = request.query_params.get("name", "picture")[:300]
    said = request.headers.get("content-length", "0")
    media = await studio.media.upload(name, request.stream(), int(said))
    return json_response(await studio.full_facts(media), 201)


async def media_facts(request: Request) -> Response:
    """Size, length and moments."""
    studio = of(request)
    return json_response(await studio.full_facts(studio.media.get(request.path_params["id"])))


async def remove(request: Request) -> Response:
    """An upload is removed; nothing else ever is."""
    studio, media_id = of(request), request.path_params["id"]
    if studio.store.is_needed(media_id):
        raise RefusedError(409, "in-use", "a job in the queue needs this picture", "Cancel the job first.")
    studio.media.remove(media_id)
    return json_response(Done())


async def picture(request: Request) -> Response:
    """Small, as JPEG."""
    studio = of(request)
    media = studio.media.get(request.path_params["id"])
    asked = number(request, "side", 256, 1, limits.PICTURE_PX)
    side_px = next(side for side in SIDES_PX if side >= asked)
    at_s = seconds(request, "at")
    if media.kind == "photo":
        at_s = None
    elif at_s is None:
        facts = await studio.full_facts(media)
        at_s = facts.moments_s[0] if facts.moments_s else 0.0
    at_s = None if at_s is None else round(at_s, 2)
    made = await studio.decoding.picture(media.path, media.kind, side_px, at_s)
    return FileResponse(made, media_type="image/jpeg", headers=KEEP)


async def file(request: Request) -> Response:
    """The file as it is; ranges are answered, so that a clip can be played from anywhere."""
    media = of(request).media.get(request.path_params["id"])
    kind = TYPES.get(media.path.suffix.lower(), "application/octet-stream")
    shown = kind != "application/octet-stream" and "download" not in request.query_params
    return FileResponse(
        media.path,
        media_type=kind,
        filename=media.name,
        content_disposition_type="inline" if shown else "attachment",
        # Whatever it turns out to be to a browser: it runs nothing, and is no part of this page.
        headers={
            "content-security-policy": "sandbox; default-src 'none'; media-src 'self'; style-src 'unsafe-inline'"
        },
    )


async def recipe(request: Request) -> Response:
    """From the picture's own metadata."""
    studio = of(request)
    media = studio.media.get(request.path_params["id"])
    if media.kind != "photo":
        raise RefusedError(422, "no-recipe", "only photos carry their preset", "Take the preset of its job.")
    told = await studio.decoding.recipe(media.path)
    return json_response(Recipe(**{key: told[key] for key in Recipe.model_fields}))


async def spooled(request: Request, folder: Path, suffix: str) -> Path:
    """A body as a file of ours, which the caller removes."""
    import secrets

    target = folder / f".part-{secrets.token_hex(8)}{suffix}"
    try:
        with target.open("xb") as written:
            async for piece in request.stream():
                await asyncio.to_thread(written.write, piece)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return target
