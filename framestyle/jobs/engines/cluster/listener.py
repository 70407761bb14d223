"""What workers tell, on its way to the driver. Loads no torch: its process is there sooner than the workers are."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from framestyle.jobs.engines.cluster.orders import Batch


class Listener:
    """An actor beside the driver: keeps what workers tell until it is asked for."""

    def __init__(self) -> None:
        self._batches: list[Batch] = []

    def push(self, batch: Batch) -> None:
        """A worker tells."""
        self._batches.append(batch)

    def drain(self) -> list[Batch]:
        """The driver asks."""
        batches, self._batches = self._batches, []
        return batches
