"""A program that uses a studio, and a studio that is a process of its own."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Answer:
    """Of a call: status, headers by lower-case names, body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Client:
    """Calls a studio as a program does, with its token; `headers` go with every call."""

    port: int
    token: str
    headers: dict[str, str] = field(default_factory=dict)

    def raw(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """With these headers and no others."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read())
        finally:
            connection.close()

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """With the token; a body that is no bytes goes as JSON."""
        given = {"Authorization": f"Bearer {self.token}", **self.headers}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            given["Content-Type"] = "application/json"
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.raw(method, path, body, given)

    def get(self, path: str) -> Any:
        """JSON of a call that is done."""
        answer = self.call("GET", path)
        assert answer.status == 200, answer.body
        return answer.json

    def post(self, path: str, body: Any = None) -> Any:
        """JSON of a call that is done."""
        answer = self.call("POST", path, {} if body is None else body)
        assert answer.status in (200, 201), answer.body
        return answer.json

    def upload(self, name: str, data: bytes) -> Answer:
        """A file's bytes."""
        return self.call("POST", f"/api/media?name={name}", data, Content_Type="application/octet-stream")

    def until(self, job: str, *states: str, timeout_s: float = 60) -> Any:
        """The job, once it is in one of these states."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            found = self.get(f"/api/jobs/{job}")
            if found["state"] in states:
                return found
            time.sleep(0.1)
        raise AssertionError(f"{found['state']}: {found['progress']} {found['problem']}")


@dataclass
class Process:
    """A studio as a process of its own."""

    process: subprocess.Popen[str]
    client: Client
    address: str

    def kill(self) -> None:
        """As kill -9 does."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """As Ctrl-C does; its exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)


def answers(client: Client) -> bool:
    """Whether a studio is there by now."""
    try:
        return client.call("GET", "/api/studio").status == 200
    except OSError:
        return False


def wait_until(is_so: Callable[[], Any], timeout_s: float = 60) -> None:
    """Looks ten times a second."""
    end = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.1)
