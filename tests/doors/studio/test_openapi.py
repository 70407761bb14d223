"""The OpenAPI document tells of every call there is, and of no other; what is answered is as it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from studio_client import Client, wait_until

from framestyle.doors.studio.app import make_app
from framestyle.doors.studio.openapi import document
from framestyle.doors.studio.operations import OPERATIONS, Operation
from framestyle.doors.studio.settings import Settings
from framestyle.doors.studio.studio import Studio


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


def test_the_server_has_the_routes_that_are_described_and_no_other(root: Path) -> None:
    studio = Studio(Settings(root))
    guard = make_app(studio)
    routes = {(method, route.path) for route in guard._app.routes for method in route.methods}  # type: ignore[attr-defined]
    studio.database.close()
    studio._lock.release()
    described = {(method.upper(), path) for path, one in document()["paths"].items() for method in one}
    heads = {("HEAD", path) for method, path in routes if method == "GET"}
    ways_in = {("GET", "/"), ("POST", "/login"), ("GET", "/page/{name}"), ("GET", "/api/openapi.json")}
    assert routes == described | heads | ways_in


class Described:
    """A client whose calls are held against the document: path, query and body on the way in, the answer's on the way
    out."""

    def __init__(self, studio: Client) -> None:
        self._studio = studio
        self._found = studio.get("/api/openapi.json")
        self.called: set[tuple[str, str]] = set()

    def operation(self, method: str, path: str) -> dict[str, Any]:
        found: dict[str, Any] = self._found["paths"][path][method.lower()]
        return found

    def _valid(self, value: Any, schema: dict[str, Any]) -> None:
        jsonschema.validate(value, {**schema, "components": self._found["components"]})

    def __call__(self, method: str, path: str, body: Any = None, query: str = "", **inside: str) -> Any:
        """JSON of the answer, or its bytes."""
        operation = self.operation(method, path)
        assert {one.partition("=")[0] for one in query.split("&") if one} <= {
            one["name"] for one in operation["parameters"] if one["in"] == "query"
        }
        taken = operation.get("requestBody", {"content": {}})["content"]
        assert (body is not None) == bool(taken)
        headers = {}
        if isinstance(body, bytes):
            (headers["Content_Type"],) = taken
        elif body is not None:
            self._valid(body, taken["application/json"]["schema"])
        address = f"{path.format(**inside)}{'?' if query else ''}{query}"
        answer = self._studio.call(method, address, body, **headers)
        assert 200 <= answer.status < 300, answer.body
        self.called.add((method, path))
        ((kind, content),) = operation["responses"]["2XX"]["content"].items()
        said = answer.headers["content-type"].partition(";")[0]
        # A file is sent as what it is.
        assert said == kind or (kind == "application/octet-stream" and path.endswith("/file"))
        if said != "application/json":
            return answer.body
        self._valid(answer.json, content["schema"])
        return answer.json


def test_every_operation_does_as_described(studio: Client, photo: Path, sample: Path) -> None:
    call = Described(studio)
    call("GET", "/api/studio")
    call("POST", "/api/queue", {"paused": True})
    (entry,) = call("GET", "/api/folders", query="path=&offset=0&limit=10")["entries"]
    media = entry["media"]["id"]
    for part in ("", "/picture", "/file"):
        call("GET", f"/api/media/{{id}}{part}", id=media)
    upload = call("POST", "/api/media", sample.read_bytes(), "name=a.jpg")["id"]
    call("GET", "/api/uploads")

    call("GET", "/api/presets")
    call("GET", "/api/presets/schema")
    call("POST", "/api/presets", {"name": "mine", "pictures": [upload]})
    call(
        "PUT",
        "/api/presets/{name}",
        {"look": {"preset": "quick", "settings": {"strength": 0.4}}},
        name="other",
    )
    call("GET", "/api/presets/{name}", name="other")
    call("POST", "/api/presets/check", {"yaml": "schema: 1\nnothing: 1\n"})
    call("POST", "/api/presets/{name}/copy", {"name": "third"}, name="mine")
    packed = call("GET", "/api/presets/{name}/export", name="mine")
    call("POST", "/api/presets/import", packed, "name=fourth")
    call("GET", "/api/presets/{name}/art", name="mine")
    call("DELETE", "/api/presets/{name}", name="third")
    call("DELETE", "/api/media/{id}", id=upload)

    wants = {"page": "a", "wanted": [{"picture": media, "side_px": 32, "look": {"preset": "quick"}}]}
    wait_until(lambda: call("POST", "/api/previews", wants)[0]["state"] == "done")
    call("GET", "/api/previews/{key}", key=call("POST", "/api/previews", wants)[0]["key"])

    look = {"preset": "quick", "settings": {}}
    job, other = (call("POST", "/api/jobs", {"inputs": [media], "look": look})["id"] for _ in range(2))
    call("GET", "/api/jobs", query="offset=0&limit=5")
    call("POST", "/api/jobs/{id}/move", {"before": job}, id=other)
    call("POST", "/api/jobs/{id}/pause", id=other)
    call("POST", "/api/jobs/{id}/cancel", id=other)
    call("DELETE", "/api/jobs/{id}", id=other)
    call("POST", "/api/jobs/{id}/pause", id=job)
    call("POST", "/api/jobs/{id}/resume", id=job)
    call("POST", "/api/queue", {"paused": False})
    wait_until(lambda: call("GET", "/api/jobs/{id}", id=job)["state"] == "done")
    call("GET", "/api/jobs/{id}/live", id=job)
    assert b"event: end" in call("GET", "/api/jobs/{id}/events", id=job)
    (result,) = call("GET", "/api/results")["results"]
    call("GET", "/api/media/{id}/recipe", id=result["media"]["id"])
    call("POST", "/api/results/{id}/reveal", id=result["media"]["id"])
    call("POST", "/api/queue/retry")
    call("POST", "/api/queue/clear")
    # The stream of changes has no end: its beginning is looked at by itself.
    assert {(one.method, one.path) for one in OPERATIONS} - call.called == {("GET", "/api/events")}
    assert "text/event-stream" in call.operation("GET", "/api/events")["responses"]["2XX"]["content"]


CAN_BE_WRONG = [one for one in OPERATIONS if "{" in one.path or one.body is not None]


@pytest.mark.parametrize("one", CAN_BE_WRONG, ids=lambda one: f"{one.method} {one.path}")
def test_what_is_refused_is_a_problem_as_described(one: Operation, studio: Client) -> None:
    path = re.sub(r"{\w+}", "0" * 24, one.path)
    bodies = {"application/octet-stream": b"no picture", "application/zip": b"no zip"}
    body = bodies[one.body] if isinstance(one.body, str) else {"nothing": 1} if one.body else None
    headers = {"Content_Type": one.body} if isinstance(one.body, str) else {}
    answer = studio.call(one.method, path, body, **headers)
    assert 400 <= answer.status < 500
    found = document()
    schema = {"$ref": "#/components/schemas/Problem", "components": found["components"]}
    jsonschema.validate(answer.json, schema)
    assert found["paths"][one.path][one.method.lower()]["responses"]["default"] == {
        "$ref": "#/components/responses/Problem"
    }
