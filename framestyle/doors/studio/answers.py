"""Answers and refusals as JSON, and bodies as checked values."""

from __future__ import annotations

import json
import sqlite3
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from framestyle.doors.advice import next_step
from framestyle.errors import Cancelled, Code, Facts, FramestyleError
from framestyle.media.files import DISK_FULL

STATUS = {
    Code.INPUT_MISSING: 404,
    Code.PRESET_UNKNOWN: 404,
    Code.PRESET_EXISTS: 409,
    Code.PRESET_BUILT_IN: 409,
    Code.OUTPUT_EXISTS: 409,
    Code.DISK_FULL: 507,
}
"""HTTP's word for what has failed; 422 for all else that the call is to blame for."""
Model = TypeVar("Model", bound=BaseModel)


class RefusedError(Exception):
    """A call that is not done: HTTP status, a code for programs, a sentence and what to do."""

    def __init__(
        self, status: int, code: str, message: str, next_step: str | None = None, facts: Facts | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.next_step, self.facts = next_step, dict(facts or {})

    def response(self) -> Response:
        """As JSON."""
        body = {
            "code": self.code,
            "message": self.message,
            "next_step": self.next_step,
            "facts": self.facts,
        }
        return JSONResponse(body, self.status)


def refusal_of(error: FramestyleError | Cancelled) -> RefusedError:
    """The core's errors keep their codes, and are advised in this door's words."""
    return RefusedError(
        STATUS.get(error.code, 422), str(error.code), error.message, next_step(error), error.facts
    )


def refusal_of_system(error: OSError | sqlite3.Error) -> RefusedError:
    """What the system or the disk has refused: a full disk, a file that has gone meanwhile. No bug of ours."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return not_found("file any more")
    if is_full(error):
        return RefusedError(507, str(Code.DISK_FULL), "the disk is full", "Free some space, then try again.")
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return RefusedError(
        500,
        str(Code.STORAGE_REFUSES),
        f"the disk refuses: {said}",
        "Check the studio's folder, then try again.",
    )


def is_full(error: BaseException) -> bool:
    """Whether it is the disk's room that lacks."""
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return isinstance(error, OSError) and error.errno in DISK_FULL


def not_found(what: str) -> RefusedError:
    """Whether there is none, or it may not be reached, is one answer."""
    return RefusedError(404, "not-found", f"there is no such {what}")


async def body_of(request: Request, model: type[Model]) -> Model:
    """The JSON body, checked. Anything that a page elsewhere could send without being asked for leave is refused."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise RefusedError(415, "not-json", "the body must be application/json")
    try:
        value = json.loads(await request.body())
        json.dumps(
            value, ensure_ascii=False
        ).encode()  # half a surrogate pair is no text, and cannot be told of
        return model.model_validate(value)
    except (json.JSONDecodeError, UnicodeError, RecursionError) as error:
        raise RefusedError(400, "not-json", f"the body is not JSON: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise RefusedError(422, "usage-wrong", f"{where or 'the body'}: {first['msg']}") from error


def number(request: Request, name: str, default: int, least: int, most: int) -> int:
    """A whole number of the query, within bounds."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal()) or not least <= int(text[:12]) <= most:
        raise RefusedError(422, "usage-wrong", f"{name} must be a whole number from {least} to {most}")
    return int(text[:12])


def seconds(request: Request, name: str) -> float | None:
    """A time of the query, or none."""
    text = request.query_params.get(name)
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e7:
        raise RefusedError(422, "usage-wrong", f"{name} must be seconds, from 0 on")
    return value


def json_response(model: BaseModel | list[Any] | dict[str, Any], status: int = 200) -> Response:
    """A value as JSON."""
    content = model.model_dump(mode="json") if isinstance(model, BaseModel) else model
    return JSONResponse(content, status)
