"""Every call of the JSON API, with its bodies and answers: routes and the OpenAPI document are made from this table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from framestyle.doors.studio import calls_jobs as jobs
from framestyle.doors.studio import calls_media as media
from framestyle.doors.studio import calls_presets as presets
from framestyle.doors.studio import models

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Operation:
    """`answer`: a model, or the content type of what is no JSON. `body` likewise."""

    method: str
    path: str
    handler: Handler
    summary: str
    answer: type[BaseModel] | str
    body: type[BaseModel] | str | None = None
    query: tuple[str, ...] = ()


OPERATIONS = (
    Operation("GET", "/api/studio", media.studio_facts, "What this studio is", models.StudioFacts),
    Operation(
        "GET",
        "/api/events",
        media.events,
        "Changes of jobs, of the queue, of previews",
        "text/event-stream",
        None,
        ("page",),
    ),
    Operation(
        "GET",
        "/api/folders",
        media.folder,
        "Part of a folder below the root; without a path, the root itself",
        models.FolderPart,
        None,
        ("path", "offset", "limit"),
    ),
    Operation("GET", "/api/uploads", media.uploads, "Uploads, the newest first", models.FolderPart),
    Operation(
        "POST",
        "/api/media",
        media.upload,
        "Upload a photo or a clip: its bytes are the body",
        models.MediaFacts,
        "application/octet-stream",
        ("name",),
    ),
    Operation("GET", "/api/media/{id}", media.media_facts, "What a photo or clip is", models.MediaFacts),
    Operation("DELETE", "/api/media/{id}", media.remove, "Remove an upload", models.Done),
    Operation(
        "GET",
        "/api/media/{id}/picture",
        media.picture,
        "A small picture of it; of a clip, at a time",
        "image/jpeg",
        None,
        ("side", "at"),
    ),
    Operation(
        "GET",
        "/api/media/{id}/file",
        media.file,
        "The file itself, with ranges",
        "application/octet-stream",
        None,
        ("download",),
    ),
    Operation(
        "GET",
        "/api/media/{id}/recipe",
        media.recipe,
        "The preset that a photo of ours was made with",
        models.Recipe,
    ),
    Operation("GET", "/api/presets", presets.listed, "All presets", list[models.PresetFacts]),  # type: ignore[arg-type]
    Operation(
        "POST",
        "/api/presets",
        presets.of_pictures,
        "A new preset in the style of pictures",
        models.Done,
        models.PresetOfPictures,
    ),
    Operation(
        "GET",
        "/api/presets/schema",
        presets.schema,
        "The JSON Schema of a preset's file",
        "application/schema+json",
    ),
    Operation(
        "POST",
        "/api/presets/check",
        presets.check,
        "What is wrong with a preset's text",
        models.Checked,
        models.CheckedText,
    ),
    Operation(
        "POST",
        "/api/presets/import",
        presets.take_in,
        "Take in a preset's zip",
        models.PresetText,
        "application/zip",
        ("name", "overwrite"),
    ),
    Operation("GET", "/api/presets/{name}", presets.text, "A preset as it is written", models.PresetText),
    Operation(
        "PUT", "/api/presets/{name}", presets.save, "Save a preset", models.PresetText, models.SavedPreset
    ),
    Operation("DELETE", "/api/presets/{name}", presets.remove, "Remove a preset of your own", models.Done),
    Operation(
        "POST",
        "/api/presets/{name}/copy",
        presets.duplicate,
        "A copy under another name",
        models.PresetText,
        models.Copy,
    ),
    Operation(
        "GET", "/api/presets/{name}/export", presets.export, "A preset and its pictures", "application/zip"
    ),
    Operation("GET", "/api/presets/{name}/art", presets.art, "Its style image, small", "image/jpeg"),
    Operation(
        "POST",
        "/api/previews",
        presets.want,
        "What a page wants to see now, the most wanted first",
        list[models.PreviewFacts],  # type: ignore[arg-type]
        models.WantedList,
    ),
    Operation("GET", "/api/previews/{key}", presets.preview, "The newest picture of a preview", "image/jpeg"),
    Operation(
        "GET", "/api/jobs", jobs.listed, "Part of the queue", models.JobList, None, ("offset", "limit")
    ),
    Operation("POST", "/api/jobs", jobs.add, "Add a render to the queue", models.JobFacts, models.NewJob),
    Operation(
        "POST",
        "/api/queue",
        jobs.switch,
        "Let the queue stand still, or go on",
        models.QueueFacts,
        models.Switch,
    ),
    Operation(
        "POST", "/api/queue/retry", jobs.retry, "Let every job that has failed wait again", models.QueueFacts
    ),
    Operation(
        "POST",
        "/api/queue/clear",
        jobs.clear,
        "Take all jobs that have ended off the list",
        models.QueueFacts,
    ),
    Operation("GET", "/api/jobs/{id}", jobs.facts, "A job", models.JobFacts),
    Operation(
        "DELETE", "/api/jobs/{id}", jobs.remove, "Take a job that is not at work off the queue", models.Done
    ),
    Operation("POST", "/api/jobs/{id}/cancel", jobs.cancel, "Stop a job for good", models.JobFacts),
    Operation("POST", "/api/jobs/{id}/pause", jobs.pause, "Stop a job for now", models.JobFacts),
    Operation(
        "POST",
        "/api/jobs/{id}/resume",
        jobs.resume,
        "Go on with a job that was stopped or has failed",
        models.JobFacts,
    ),
    Operation(
        "POST", "/api/jobs/{id}/move", jobs.move, "Put a waiting job before another", models.Done, models.Move
    ),
    Operation(
        "GET",
        "/api/jobs/{id}/events",
        jobs.events,
        "What a job says (docs/progress.md), from `Last-Event-ID` on",
        "text/event-stream",
    ),
    Operation("GET", "/api/jobs/{id}/live", jobs.live, "The picture that a job is painting", "image/jpeg"),
    Operation(
        "GET",
        "/api/results",
        jobs.results,
        "What was made, the newest first",
        models.ResultList,
        None,
        ("offset", "limit"),
    ),
    Operation(
        "POST",
        "/api/results/{id}/reveal",
        jobs.reveal,
        "Show a result in its folder, on this machine",
        models.Revealed,
    ),
)
