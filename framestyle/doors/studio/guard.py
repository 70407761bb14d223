"""Who may call: the Host that is ours, the Origin that is ours, the token of this start; and how much may be sent.

Before anything else sees a request. What a browser sends on behalf of another page is refused whatever it asks for:
by Host (a name that was made to lead here), by Origin and Sec-Fetch-Site (forms, fetch, EventSource, images), and by
the cookie, which a browser does not send along for another site. A program sends the token in `Authorization`.
"""

from __future__ import annotations

import asyncio
import hmac
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from framestyle.doors.studio.answers import RefusedError
from framestyle.doors.studio.limits import BODY_PAUSE_S, JSON_BYTES, UPLOAD_BYTES, ZIP_BYTES
from framestyle.doors.studio.settings import Settings

OPEN_PATHS = {"/", "/login"}
"""They let in: all else needs the token."""
SAFE = {"GET", "HEAD"}
METHODS = SAFE | {"POST", "PUT", "DELETE"}
LARGE_BODIES = {"/api/media": UPLOAD_BYTES, "/api/presets/import": ZIP_BYTES}
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}
"""Of every answer that does not say otherwise itself."""


class Guard:
    """ASGI middleware around the whole server."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app, self._settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuses, or hands on with a body that is counted."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        sending = _with_headers(send)
        try:
            headers = Headers(scope=scope)
            self._check(scope, headers)
            counted = _Counted(receive, most_bytes(scope["path"]), headers)
            await self._app(scope, counted, sending)
        except RefusedError as refusal:
            await refusal.response()(scope, receive, sending)

    def _check(self, scope: Scope, headers: Headers) -> None:
        method = scope["method"]
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._settings.is_own_host(hosts[0]):
            raise RefusedError(400, "host-refused", "this is not the studio's address")
        if method not in METHODS:
            raise RefusedError(405, "method-refused", "there is no such method here")
        self._check_origin(method, headers, hosts[0])
        if scope["path"] not in OPEN_PATHS and not self.is_let_in(headers):
            raise RefusedError(
                401,
                "token-missing",
                "the studio does not know this page",
                "Open the address that the studio's terminal shows.",
            )

    def _check_origin(self, method: str, headers: Headers, host: str) -> None:
        origins, site = headers.getlist("origin"), headers.get("sec-fetch-site")
        foreign = RefusedError(403, "origin-refused", "another page may not use the studio")
        if any(origin != f"http://{host}" and origin != f"https://{host}" for origin in origins):
            raise foreign
        allowed = {None, "same-origin", "none"} if method in SAFE else {None, "same-origin"}
        if site not in allowed:
            raise foreign
        unnamed = not origins and site is None
        if method not in SAFE and unnamed and "authorization" not in headers:
            # No browser of today; a program says the token itself.
            raise foreign

    def is_let_in(self, headers: Headers) -> bool:
        """By the cookie, or by `Authorization: Bearer TOKEN`."""
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self.is_token(given.strip())
        try:
            cookies = SimpleCookie(headers.get("cookie", ""))
        except CookieError:
            return False
        found = cookies.get(self._settings.cookie)
        return found is not None and self.is_token(found.value)

    def is_token(self, given: str) -> bool:
        """In a time that does not tell how much of it is right."""
        return hmac.compare_digest(given.encode(), self._settings.token.encode())


def most_bytes(path: str) -> int:
    """Of a request's body."""
    return LARGE_BODIES.get(path, JSON_BYTES)


class _Counted:
    """A request's body, which may be neither larger than it may nor slower."""

    def __init__(self, receive: Receive, most: int, headers: Headers) -> None:
        self._receive, self._left = receive, most
        self._is_whole = False
        said = headers.get("content-length", "0")
        if not said.isdecimal() or int(said) > most:
            raise self._too_large(most)
        self._most = most

    @staticmethod
    def _too_large(most: int) -> RefusedError:
        return RefusedError(413, "too-large", f"the body is larger than {most:,} bytes")

    async def __call__(self) -> Message:
        if self._is_whole:  # what comes now is the end of the connection, however long that takes
            return await self._receive()
        try:
            message = await asyncio.wait_for(self._receive(), BODY_PAUSE_S)
        except TimeoutError:
            raise RefusedError(408, "too-slow", "the body did not come") from None
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            self._is_whole = not message.get("more_body", False)
        if self._left < 0:
            raise self._too_large(self._most)
        return message


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending
