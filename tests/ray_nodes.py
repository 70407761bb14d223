"""A Ray cluster of two nodes on this machine, closed as our own are, and a store of S3's kind beside it."""

from __future__ import annotations

import os
import secrets
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from framestyle.jobs.engines.cluster import starting

BYTES = 100 * 2**20
DEAD_AFTER = {
    "health_check_period_ms": 1000,
    "health_check_failure_threshold": 4,
    "health_check_timeout_ms": 5000,
}
"""When a node that is silent counts as lost: after some 4 s, where Ray's own default is 15."""
TOKEN = "RAY_AUTH_TOKEN"


class TwoNodes:
    """The head, which is the driver's own, and a second node that can be taken away; a place each.

    Each node's workers have a cache of their own: `head_cache`, `second_cache`. `s3_port` is where they look for S3.
    """

    def __init__(self, cluster: Any, folder: Path, s3_port: int) -> None:
        self.address: str = cluster.address
        self.head_cache, self.second_cache = folder / "head", folder / "second"
        self.s3_port = s3_port
        self._cluster = cluster
        self._second: Any = None

    def complete(self) -> TwoNodes:
        """With its second node."""
        if self._second is None:
            self._second = self._cluster.add_node(
                num_cpus=1,
                object_store_memory=BYTES,
                env_vars={"FRAMESTYLE_CACHE": str(self.second_cache)},
            )
        return self

    def lose_a_node(self) -> None:
        """As if its plug were pulled."""
        lost, self._second = self._second, None
        self._cluster.remove_node(lost, allow_graceful=False)

    def lose_a_worker(self) -> None:
        """One of ours that is painting."""
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                is_ours = process.environ().get(TOKEN) == os.environ[TOKEN]
                if is_ours and process.cmdline()[:1] == ["ray::paint"]:
                    process.kill()
                    return
        raise AssertionError("no worker is painting")


@contextmanager
def two_nodes(folder: Path) -> Iterator[TwoNodes]:
    """While the block runs; this process is its driver."""
    with pytest.MonkeyPatch.context() as patch, socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
        found.close()
        there = {
            **starting.SETTINGS,
            **starting.LOOPBACK,
            "OMP_NUM_THREADS": "1",
            "FRAMESTYLE_CACHE": str(folder / "head"),
            "PYTHONPATH": os.pathsep.join([os.fspath(Path(__file__).parents[1]), *sys.path]),
            TOKEN: secrets.token_hex(32),
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "tests",
            "AWS_SECRET_ACCESS_KEY": "tests",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        for name, value in there.items():
            patch.setenv(name, value)
        import ray  # it reads its settings once
        from ray.cluster_utils import Cluster

        head = {
            "num_cpus": 1,
            "include_dashboard": False,
            "object_store_memory": BYTES,
            "_system_config": DEAD_AFTER,
        }
        made = Cluster(initialize_head=True, head_node_args=head)
        try:
            nodes = TwoNodes(made, folder, port)
            starting.connected(made.address)
            yield nodes
        finally:
            ray.shutdown()
            made.shutdown()
