"""What one studio is: its root, where it keeps things, where it listens."""

from __future__ import annotations

import ipaddress
import secrets
import socket
from dataclasses import dataclass, field
from pathlib import Path

STATE, RESULTS = ".framestyle-studio", "framestyle-studio"
"""Folders of the root: what the studio keeps for itself, and what it has painted."""


@dataclass(frozen=True)
class Settings:
    """`root` is resolved. `token` lets in; it is made at each start. `password`: of a studio that others may reach."""

    root: Path
    host: str = "127.0.0.1"
    port: int = 0
    password: str | None = None
    weights: str = "auto"
    device: str = "auto"
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    @property
    def state(self) -> Path:
        """The queue, uploads, jobs, and pictures that can be made again."""
        return self.root / STATE

    @property
    def results(self) -> Path:
        """What was painted."""
        return self.root / RESULTS

    @property
    def is_private(self) -> bool:
        """Only this machine can reach it."""
        return is_loopback(self.host)

    @property
    def cookie(self) -> str:
        """A cookie's name: those of two studios on one machine must differ, for cookies know no ports."""
        return f"framestyle_studio_{self.port}"

    @property
    def address(self) -> str:
        """Where a browser finds it."""
        host = self.host if self.is_private else socket.gethostname()
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    def is_own_host(self, header: str) -> bool:
        """Whether a Host header names this server.

        To this machine alone: by the names of the loopback, and with the port. Else by number or by the machine's own
        name: a name that somebody made lead here is neither.
        """
        host, port = _split(header)
        if port != self.port:
            return False
        if self.is_private:
            return host in {"127.0.0.1", "localhost", "::1"}
        return host in {"localhost", socket.gethostname().lower(), self.host.lower()} or _is_address(host)


def is_loopback(host: str) -> bool:
    """Whether nothing but this machine can reach what listens there."""
    if host == "localhost":
        return True
    return _is_address(host) and ipaddress.ip_address(host).is_loopback


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _split(header: str) -> tuple[str, int]:
    """Host and port as a Host header has them; a port of -1 where it is none."""
    host, colon, port = header.lower().rpartition(":")
    if not colon or port.endswith("]"):
        host, port = header.lower(), "80"
    bracketed = host.startswith("[") and host.endswith("]")
    return (host[1:-1] if bracketed else host), (int(port) if port.isascii() and port.isdecimal() else -1)
