"""Calls about the queue and what it has made."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from framestyle.doors.studio.answers import RefusedError, body_of, json_response, not_found, number
from framestyle.doors.studio.calls_media import of
from framestyle.doors.studio.hub import BEAT_S, encoded
from framestyle.doors.studio.limits import LISTED
from framestyle.doors.studio.looks import preset_of
from framestyle.doors.studio.media import Media, safe_stem
from framestyle.doors.studio.models import (
    Done,
    JobList,
    Move,
    NewJob,
    ResultFacts,
    ResultList,
    Revealed,
    Switch,
)
from framestyle.doors.studio.reveal import reveal as show_in_folder
from framestyle.doors.studio.runner import POLL_S, write_command
from framestyle.doors.studio.store import RESUMABLE, Job, new_id
from framestyle.doors.studio.studio import Studio
from framestyle.media.files import atomic_output
from framestyle.media.video.codecs import CODECS
from framestyle.presets import Preset, resolved_yaml

PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".avif", ".heic")
"""Of formats that are written; a photo of another one becomes a PNG."""


async def listed(request: Request) -> Response:
    """A part, with how many there are."""
    studio = of(request)
    offset, limit = number(request, "offset", 0, 0, 1_000_000), number(request, "limit", 50, 1, LISTED)
    jobs = [studio.job_facts(job) for job in studio.store.listed(offset, limit)]
    queue = studio.queue_facts()
    return json_response(JobList(jobs=jobs, total=sum(queue.counts.values()), queue=queue))


async def facts(request: Request) -> Response:
    """One job."""
    studio = of(request)
    return json_response(studio.job_facts(studio.store.get(request.path_params["id"])))


async def add(request: Request) -> Response:
    """The look is written out as it is now: a preset that is changed later does not change the job."""
    studio, body = of(request), await body_of(request, NewJob)
    inputs = [studio.media.get(one) for one in dict.fromkeys(body.inputs)]
    preset = preset_of(body.look, studio.library, studio.uploaded)
    if body.quality is not None:
        preset = preset.model_copy(
            update={"output": preset.output.model_copy(update={"quality": body.quality})}
        )
    job_id = new_id()
    name = body.look.preset or preset.name
    output = _output_for(studio, inputs, name, preset)
    folder = studio.runner.folder_of(job_id)
    write_command(folder, _arguments(studio, body, inputs, folder, output))
    with atomic_output(folder / "preset.yaml") as temporary:
        temporary.write_text(resolved_yaml(preset.model_copy(update={"name": name})), encoding="utf-8")
    count = f"{len(inputs)} pictures" if len(inputs) > 1 else inputs[0].name
    look = body.look.model_dump(mode="json")
    if body.max_side_px is not None:
        look["settings"]["scales.max_side_px"] = body.max_side_px  # made again, it is as large
    asked = {"inputs": [media.id for media in inputs], "preset": name, "look": look}
    try:
        job = studio.store.add(job_id, count, asked, os.fspath(output))
    except RefusedError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    studio.runner.wake()
    studio.tell_of_queue()
    return json_response(studio.job_facts(job), 201)


def _arguments(studio: Studio, body: NewJob, inputs: list[Media], folder: Path, output: Path) -> list[str]:
    options = [
        "--seed",
        str(body.seed),
        "--weights",
        studio.settings.weights,
        "--device",
        studio.settings.device,
    ]
    if body.max_side_px is not None:
        options += ["--max-side", str(body.max_side_px)]
    for option, value in (("--start", body.start_s), ("--end", body.end_s)):
        if value is not None:
            options += [option, f"{value:.3f}"]
    # A trailing slash says "folder"; `--` that what follows are names, whatever they look like.
    target = f"{output}{os.sep}" if len(inputs) > 1 else str(output)
    paths = [str(media.path) for media in inputs]
    return [*options, "-p", str(folder / "preset.yaml"), "-o", target, "--progress", "json", "--", *paths]


def _output_for(studio: Studio, inputs: list[Media], preset: str, settings: Preset) -> Path:
    """A name of ours below the root, which nothing has yet: nothing is ever written over."""
    style = safe_stem(f"{preset}.x")
    if len(inputs) == 1:
        stem, suffix = f"{safe_stem(inputs[0].name)}-{style}", _suffix(inputs[0], settings)
    else:
        stem, suffix = f"{safe_stem(inputs[0].name)}-and-{len(inputs) - 1}-more-{style}", ""
    for number_ in range(studio.output_numbers.get((stem, suffix), 1), 100_000):
        output = studio.settings.results / f"{stem}{'' if number_ == 1 else f'-{number_}'}{suffix}"
        if not os.path.lexists(output) and not studio.store.is_output_taken(os.fspath(output)):
            studio.output_numbers[stem, suffix] = number_
            return output
    raise RefusedError(
        409, "output-exists", "there are too many results of that name", "Clear out the folder."
    )


def _suffix(media: Media, preset: Preset) -> str:
    if media.kind == "video":
        return CODECS[preset.output.video_codec].containers[0]
    if preset.output.photo_format:
        return f".{preset.output.photo_format}"
    own = media.path.suffix.lower()
    return own if own in PHOTO_SUFFIXES else ".png"


async def cancel(request: Request) -> Response:
    """For good, though it can be resumed: what is checkpointed stays."""
    return _end(request, "cancelled")


async def pause(request: Request) -> Response:
    """For now."""
    return _end(request, "paused")


def _end(request: Request, state: str) -> Response:
    studio = of(request)
    job = studio.store.get(request.path_params["id"])
    if job.state == "running":
        studio.runner.stop(job, state)
    else:
        allowed = ("waiting",) if state == "paused" else ("waiting", "paused", "failed")
        job = studio.store.change(job.id, state, allowed)
        studio.tell_of_queue()
    return json_response(studio.job_facts(job))


async def resume(request: Request) -> Response:
    """The same command again: what is done is not done again."""
    studio = of(request)
    job = studio.store.change(request.path_params["id"], "waiting", RESUMABLE, ended_s=None)
    studio.runner.wake()
    studio.tell_of_queue()
    return json_response(studio.job_facts(job))


async def remove(request: Request) -> Response:
    """Results stay."""
    studio = of(request)
    studio.store.remove(request.path_params["id"])
    shutil.rmtree(studio.runner.folder_of(request.path_params["id"]), ignore_errors=True)
    studio.tell_of_queue()
    return json_response(Done())


async def move(request: Request) -> Response:
    """The order of those that wait."""
    studio, body = of(request), await body_of(request, Move)
    studio.store.get(request.path_params["id"])
    studio.store.move(request.path_params["id"], body.before)
    studio.tell_of_queue()
    return json_response(Done())


async def switch(request: Request) -> Response:
    """The job at work is not stopped by it."""
    studio, body = of(request), await body_of(request, Switch)
    studio.store.pause(body.paused)
    studio.runner.wake()
    studio.tell_of_queue()
    return json_response(studio.queue_facts())


async def retry(request: Request) -> Response:
    """Each goes on where it failed."""
    studio = of(request)
    studio.store.retry_failed()
    studio.runner.wake()
    studio.tell_of_queue()
    return json_response(studio.queue_facts())


async def clear(request: Request) -> Response:
    """Results stay."""
    studio = of(request)
    studio.forget(studio.store.forgotten(0))
    studio.tell_of_queue()
    return json_response(studio.queue_facts())


async def live(request: Request) -> Response:
    """The newest one."""
    studio = of(request)
    job = studio.store.get(request.path_params["id"])
    try:
        picture = studio.runner.live_picture(job.id).read_bytes()
    except OSError:
        raise not_found("picture") from None
    return Response(picture, media_type="image/jpeg")


async def events(request: Request) -> Response:
    """Each line with the number of its attempt and its own: a program that was cut off goes on behind the last."""
    studio = of(request)
    job = studio.store.get(request.path_params["id"])
    last = request.headers.get("last-event-id", "")
    attempt, _, line = last.partition(".")
    behind = int(line) if attempt == str(job.attempt) and line.isascii() and line.isdecimal() else 0
    with studio.hub.stream():
        pass
    return StreamingResponse(_lines(studio, job, behind), media_type="text/event-stream")


async def _lines(studio: Studio, job: Job, behind: int) -> AsyncIterator[bytes]:
    with studio.hub.stream():
        offset, line, beat = 0, 0, 0.0
        while True:
            now = studio.store.get(job.id)
            if now.attempt != job.attempt:
                job, offset, line, behind = now, 0, 0, 0
            lines, offset = _whole_lines(studio.runner.log_of(job), offset)
            for text in lines:
                line += 1
                if line > behind and text.startswith("{"):
                    yield f"id: {job.attempt}.{line}\nevent: progress\ndata: {text}\n\n".encode()
            if not lines and now.state not in ("running", "waiting"):
                yield encoded("end", {"state": now.state})
                return
            beat = 0.0 if lines else beat + POLL_S
            if beat > BEAT_S:
                yield b": still here\n\n"
                beat = 0.0
            await asyncio.sleep(0 if lines else POLL_S)


def _whole_lines(log: Path, offset: int) -> tuple[list[str], int]:
    data = b""
    with contextlib.suppress(OSError), log.open("rb") as file:
        file.seek(offset)
        data = file.read(1 << 18)
    whole, newline, _ = data.rpartition(b"\n")
    if not newline:
        return [], offset
    return whole.decode("utf-8", "replace").split("\n"), offset + len(whole) + 1


# -- results -----------------------------------------------------------------------------------------------


async def results(request: Request) -> Response:
    """Those that are still there."""
    studio = of(request)
    offset, limit = number(request, "offset", 0, 0, 1_000_000), number(request, "limit", 60, 1, LISTED)
    found, total = studio.store.results(offset, limit)
    shown = []
    for one in found:
        media = studio.known(one.id)
        if media is not None:
            source = None if one.input is None else studio.known(one.input)
            look = None if one.look is None else dict(one.look)
            shown.append(
                ResultFacts(
                    media=media, input=source, job=one.job, preset=one.preset, made_s=one.made_s, look=look
                )
            )
    return json_response(ResultList(results=shown, total=total))


async def reveal(request: Request) -> Response:
    """Of a studio that only this machine can reach."""
    studio = of(request)
    studio.store.result(request.path_params["id"])
    path = studio.media.get(request.path_params["id"]).path
    shown = studio.settings.is_private and await asyncio.to_thread(show_in_folder, path)
    return json_response(Revealed(folder=str(path.parent), shown=shown))
