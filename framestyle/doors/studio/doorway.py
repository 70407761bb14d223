"""The ways in: the page itself, the token that lets it in, and, where others may come, the password."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from importlib.resources import files
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from framestyle.doors.studio.answers import not_found
from framestyle.doors.studio.guard import Guard
from framestyle.doors.studio.settings import Settings

PAGE = files("framestyle.doors.studio") / "page"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
PAUSE_S = 1.0
"""Between two tries of a password, whoever tries."""
STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:18vh auto;padding:0 1.5rem;color-scheme:light dark}"
    "input,button{font:inherit;padding:.5rem .75rem}"
)
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
CSP = f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; form-action 'self'; frame-ancestors 'none'"
FORM = """<form method="post" action="/login"><p><label for="password">Password</label></p>
<p><input id="password" name="password" type="password" autocomplete="current-password" required autofocus>
<button>Enter</button></p></form>"""

_one_at_a_time = asyncio.Lock()


async def index(request: Request) -> Response:
    """The page, for those that are let in; a token in the address becomes a cookie, and goes from the address."""
    settings: Settings = request.app.state.studio.settings
    guard: Guard = request.app.state.guard
    token = request.query_params.get("token")
    if token is not None and settings.password is None and guard.is_token(token):
        return _let_in(settings)
    if not guard.is_let_in(request.headers):
        return _closed(settings)
    return HTMLResponse((PAGE / "index.html").read_text(encoding="utf-8"))


def _let_in(settings: Settings) -> Response:
    response = RedirectResponse("/", 303)
    response.set_cookie(settings.cookie, settings.token, httponly=True, samesite="strict", path="/")
    return response


def _closed(settings: Settings, said: str = "") -> Response:
    if settings.password is None:
        inside = "<p>Open the address that the studio’s terminal shows: it holds the key of this start.</p>"
    else:
        inside = f"<p>{said}</p>{FORM}" if said else FORM
    body = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>FrameStyle studio</title><style>{STYLE}</style>'
        f"<main><h1>FrameStyle studio</h1>{inside}</main></html>"
    )
    return HTMLResponse(body, 401, {"content-security-policy": CSP})


async def login(request: Request) -> Response:
    """One try a second, for all together: a password is not guessed."""
    settings: Settings = request.app.state.studio.settings
    if settings.password is None:
        raise not_found("page")
    fields = parse_qs((await request.body()).decode("utf-8", "replace"))
    given = fields.get("password", [""])[0]
    async with _one_at_a_time:
        if hmac.compare_digest(given.encode(), settings.password.encode()):
            return _let_in(settings)
        await asyncio.sleep(PAUSE_S)
    return _closed(settings, "That was not it.")


async def asset(request: Request) -> Response:
    """A part of the page, by a name from the package alone."""
    name = request.path_params["name"]
    known = {one.name: one for one in PAGE.iterdir()}
    suffix = name[name.rfind(".") :]
    if name not in known or suffix not in TYPES:
        raise not_found("page")
    return Response(known[name].read_bytes(), media_type=TYPES[suffix], headers={"cache-control": "no-cache"})
