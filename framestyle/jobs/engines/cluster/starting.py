"""Ray: a cluster of our own on this machine, or one that stands; with a token, no dashboard, on loopback by default."""

from __future__ import annotations

import importlib.util
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from framestyle.errors import DeviceError, UsageError
from framestyle.jobs.engines.cluster.orders import Remote

EXTRA = 'pip install "framestyle[ray]"'
NAMESPACE = "framestyle"
STORE_BYTES = 100 * 2**20
"""Of Ray's object store: no frame goes through it."""
SETTINGS = {
    "RAY_AUTH_MODE": "token",
    "RAY_USAGE_STATS_ENABLED": "0",
    # Or a warning about GPUs would stand in every log.
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""By which Ray listens on 127.0.0.1 alone: no other machine can join."""


def why_unavailable() -> str | None:
    """None where Ray is installed."""
    if importlib.util.find_spec("ray") is None:
        return f"Ray is not installed; {EXTRA}"
    return None


def address_of(engine: str) -> str | None:
    """`ray://HOST:PORT` -> HOST:PORT, `ray` -> what RAY_ADDRESS says, or None: a cluster of our own."""
    _, _, address = engine.partition("://")
    if address:
        host, _, port = address.rpartition(":")
        if not host or not port.isdigit():
            raise UsageError(
                f"{engine!r} names no cluster", next_step="Write it as ray://HOST:PORT, or ray alone."
            )
        return address
    return os.environ.get("RAY_ADDRESS") or None


def connected(address: str | None) -> Remote:
    """Ray, connected: to the cluster at the address, or to one that begins now and ends with this process.

    DeviceError where the cluster does not answer, or does not let us in.
    """
    for name, value in (SETTINGS if address else {**SETTINGS, **LOOPBACK}).items():
        os.environ.setdefault(name, value)
    import ray

    if ray.is_initialized():
        return ray
    with _signals_kept():
        try:
            if address is not None:
                ray.init(address=address, namespace=NAMESPACE, log_to_driver=False, logging_level="ERROR")
            else:
                ray.init(
                    address="local",
                    namespace=NAMESPACE,
                    include_dashboard=False,
                    num_cpus=os.cpu_count(),
                    object_store_memory=STORE_BYTES,
                    log_to_driver=False,
                    logging_level="ERROR",
                )
        except Exception as error:  # Ray raises whatever it likes
            where = "on this machine" if address is None else f"at {address}"
            raise DeviceError(
                f"no Ray cluster {where}: {type(error).__name__}: {' '.join(str(error).split())[:300]}",
                next_step="Start one, which this machine has joined, with the same token: docs/machines.md says how.",
            ) from error
    return ray


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Ray hears SIGTERM in our place otherwise."""
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.getsignal(number) for number in numbers}
    try:
        yield
    finally:
        with suppress(ValueError):  # not the main thread
            for number, handler in before.items():
                signal.signal(number, handler)
