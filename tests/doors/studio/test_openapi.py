"""The OpenAPI document tells of every call there is, and of no other; what is answered is as it says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
from studio_client import Client

from framestyle.doors.studio.openapi import document
from framestyle.doors.studio.operations import OPERATIONS


def test_every_operation_is_described_once() -> None:
    found = document()
    described = {(method.upper(), path) for path, one in found["paths"].items() for method in one}
    assert described == {(one.method, one.path) for one in OPERATIONS}
    names = [one["operationId"] for path in found["paths"].values() for one in path.values()]
    assert len(set(names)) == len(names) == len(OPERATIONS)


def test_every_reference_leads_somewhere() -> None:
    found = document()
    for reference in _references(found):
        at: Any = found
        for part in reference.removeprefix("#/").split("/"):
            at = at[part]


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [one for inner in value.values() for one in _references(inner)]
    return [one for inner in value for one in _references(inner)] if isinstance(value, list) else []


def _check(
    found: dict[str, Any], path: str, answer: Any, *, status: str = "2XX", method: str = "get"
) -> None:
    content = found["paths"][path][method]["responses"][status]["content"]["application/json"]["schema"]
    jsonschema.validate(answer, {**content, "components": found["components"]})


def test_answers_are_as_described(studio: Client, photo: Path, in_folder: Callable[[Path], str]) -> None:
    found = studio.get("/api/openapi.json")
    media = in_folder(photo)
    job = studio.post("/api/jobs", {"inputs": [media], "look": {"preset": "quick"}})
    _check(found, "/api/jobs", job, method="post")
    studio.until(job["id"], "done")
    wants = {"page": "a", "wanted": [{"picture": media, "look": {"preset": "quick"}}]}
    _check(found, "/api/previews", studio.post("/api/previews", wants), method="post")
    for path in ("/api/studio", "/api/folders", "/api/uploads", "/api/presets", "/api/jobs", "/api/results"):
        _check(found, path, studio.get(path))
    _check(found, "/api/media/{id}", studio.get(f"/api/media/{media}"))
    _check(found, "/api/jobs/{id}", studio.get(f"/api/jobs/{job['id']}"))
    _check(found, "/api/presets/{name}", studio.get("/api/presets/quick"))
    problem = studio.call("GET", "/api/jobs/none").json
    schema = {"$ref": "#/components/schemas/Problem", "components": found["components"]}
    jsonschema.validate(problem, schema)
