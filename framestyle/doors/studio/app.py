"""The server: routes, the guard around them, and the studio that they work on."""

from __future__ import annotations

import sqlite3
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from framestyle.doors.studio.answers import RefusedError, json_response, refusal_of, refusal_of_system
from framestyle.doors.studio.doorway import asset, index, login
from framestyle.doors.studio.guard import Guard
from framestyle.doors.studio.openapi import document
from framestyle.doors.studio.operations import OPERATIONS
from framestyle.doors.studio.studio import Studio
from framestyle.errors import FramestyleError


def make_app(studio: Studio) -> ASGIApp:
    """What a server serves. The studio's queue goes on while it does, and is stopped with it."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        studio.open()
        try:
            yield
        finally:
            await studio.close()

    routes = [Route(one.path, one.handler, methods=[one.method]) for one in OPERATIONS]
    routes += [
        Route("/", index, methods=["GET"]),
        Route("/login", login, methods=["POST"]),
        Route("/page/{name}", asset, methods=["GET"]),
        Route("/api/openapi.json", described, methods=["GET"]),
    ]
    app = Starlette(
        routes=routes,
        lifespan=lifespan,
        exception_handlers={
            RefusedError: _refused,
            FramestyleError: _failed,
            HTTPException: _no_route,
            ClientDisconnect: _gone,
            OSError: _system,
            sqlite3.Error: _system,
            Exception: _unexpected,
        },
    )
    app.router.redirect_slashes = False
    guard = Guard(app, studio.settings)
    app.state.studio, app.state.guard = studio, guard
    return guard


async def described(request: Request) -> Response:
    """This document."""
    return json_response(document())


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)
    return error.response()


async def _failed(request: Request, error: Exception) -> Response:
    assert isinstance(error, FramestyleError)
    return refusal_of(error).response()


async def _system(request: Request, error: Exception) -> Response:
    assert isinstance(error, OSError | sqlite3.Error)
    return refusal_of_system(error).response()


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return RefusedError(error.status_code, "not-found", error.detail).response()


async def _unexpected(request: Request, error: Exception) -> Response:
    traceback.print_exception(error)
    said = "This is a bug: the studio's terminal has the whole story."
    return RefusedError(500, "unexpected", f"unexpected {type(error).__name__}", said).response()


async def _gone(request: Request, error: Exception) -> Response:
    return Response(status_code=400)
