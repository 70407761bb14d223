"""One studio: its parts, what they hear of each other, its beginning and its end."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time
from collections.abc import Iterable
from pathlib import Path

from filelock import FileLock, Timeout

from framestyle.doors.studio import limits
from framestyle.doors.studio.answers import RefusedError
from framestyle.doors.studio.database import open_database
from framestyle.doors.studio.decoding import Decoding, prune
from framestyle.doors.studio.hub import Hub
from framestyle.doors.studio.library import Library
from framestyle.doors.studio.looks import key_of, preset_of
from framestyle.doors.studio.media import Media, MediaStore
from framestyle.doors.studio.models import (
    JobFacts,
    MediaFacts,
    PreviewFacts,
    Problem,
    QueueFacts,
    Wanted,
)
from framestyle.doors.studio.previews import Order, Previews
from framestyle.doors.studio.progress import Progress
from framestyle.doors.studio.runner import Runner
from framestyle.doors.studio.settings import Settings
from framestyle.doors.studio.store import ENDED_KEPT, Job, JobStore, Result
from framestyle.errors import FramestyleError, OutputError, StorageError
from framestyle.media.files import sniff, storage_error
from framestyle.presets import Preset

MOMENTS = (0.1, 0.5, 0.9)
"""Of a clip's length: what stands for it."""
TOLD_EVERY_S = 0.4
"""A job's progress is told no more often."""


class Studio:
    """What the calls work on. `open` and `close` are of the server's loop."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._lock = _locked(settings.state)
        self.database = open_database(settings.state / "studio.sqlite")
        self.hub = Hub()
        self.decoding = Decoding(settings.state / "cache")
        self.media = MediaStore(settings, self.database, self.decoding)
        self.library = Library(settings.root)
        self.store = JobStore(self.database)
        self.previews = Previews(
            settings.state / "cache" / "previews",
            settings.weights,
            settings.device.partition(",")[0],  # a preview is one picture, for one device
            lambda facts: self.hub.publish("preview", facts.model_dump(mode="json")),
        )
        self.runner = Runner(self.store, settings.state / "jobs", self._job_changed, self._job_ended)
        self.hub.on_leaving = self.previews.leave
        self.output_numbers: dict[tuple[str, str], int] = {}
        """Where to look on for a name that nothing has, by stem and suffix: a thousand jobs may differ in it alone."""
        self._work: asyncio.Task[None] | None = None
        self._warming: asyncio.Task[None] | None = None

    def open(self) -> None:
        """The queue goes on."""
        prune(self.decoding.cache, limits.CACHE_BYTES)
        self._work = asyncio.get_running_loop().create_task(self.runner.run())

    def warm(self) -> None:
        """A page is there: what it will ask for is loaded meanwhile."""
        self.previews.warm()
        if self._warming is None:
            self._warming = asyncio.get_running_loop().create_task(self.decoding.warm())

    async def close(self) -> None:
        """Work is checkpointed; helpers end."""
        await self.runner.close()
        if self._work is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._work, 60)
        if self._warming is not None:
            self._warming.cancel()
        await self.previews.end()
        await self.decoding.end()
        self.database.close()
        self._lock.release()

    # -- jobs ----------------------------------------------------------------------------------------------

    def queue_facts(self) -> QueueFacts:
        """How the queue stands."""
        return QueueFacts(paused=self.store.is_paused, counts=self.store.counts())

    def job_facts(self, job: Job) -> JobFacts:
        """A job as a page shows it."""
        outcome = job.outcome or {}
        problem = outcome.get("problem")
        inputs = list(job.request["inputs"])
        outputs = [facts for one in outcome.get("media", [])[:24] if (facts := self.known(one)) is not None]
        return JobFacts(
            id=job.id,
            state=job.state,
            title=job.title,
            preset=str(job.request["preset"]),
            inputs=len(inputs),
            input=inputs[0] if inputs else None,
            made_s=job.made_s,
            started_s=job.started_s,
            ended_s=job.ended_s,
            attempt=job.attempt,
            progress=self.runner.shown(job.id) or outcome.get("progress"),
            problem=None if problem is None else Problem(**problem),
            outputs=outputs,
            look=dict(job.request["look"]),
        )

    def tell_of_queue(self) -> None:
        """Its order, or how many there are, is another."""
        self.hub.publish("queue", self.queue_facts().model_dump(mode="json"))

    def _job_changed(self, job_id: str) -> None:
        if not self.hub.has_listeners:
            return
        try:
            job = self.store.get(job_id)
        except RefusedError:
            return
        self.hub.publish("job", self.job_facts(job).model_dump(mode="json"))

    def _job_ended(self, job: Job, progress: Progress) -> None:
        """Its outputs become results; what it needed only while it ran goes."""
        found: list[str] = []
        inputs = {str(self.media.get(one).path): one for one in job.request["inputs"] if self.known(one)}
        for source, output in progress.outputs:
            with contextlib.suppress(RefusedError, FramestyleError):
                kind = sniff(Path(output))
                media = self.media.add(Path(output), "photo" if str(kind) == "photo" else "video")
                made_of, preset, look = inputs.get(source), str(job.request["preset"]), job.request["look"]
                self.store.add_result(Result(media.id, job.id, made_of, preset, time.time(), look))
                found.append(media.id)
        self.store.change(job.id, job.state, (job.state,), outcome={**(job.outcome or {}), "media": found})
        self.forget(self.store.forgotten(ENDED_KEPT))
        self.tell_of_queue()

    def forget(self, jobs: Iterable[str]) -> None:
        """What lies on disk of jobs that are no longer in the list; their results stay."""
        for job_id in jobs:
            shutil.rmtree(self.runner.folder_of(job_id), ignore_errors=True)

    # -- pictures ------------------------------------------------------------------------------------------

    def known(self, media_id: str) -> MediaFacts | None:
        try:
            return brief(self.media.get(media_id))
        except RefusedError:
            return None

    async def full_facts(self, media: Media) -> MediaFacts:
        """With its size, and of a clip its length and moments."""
        told = await self.decoding.facts(media.path)
        facts = brief(media).model_copy(
            update={
                key: told.get(key) for key in ("width", "height", "duration_s", "frame_rate", "has_sound")
            }
        )
        if facts.duration_s:
            facts.moments_s = [round(share * facts.duration_s, 3) for share in MOMENTS]
        return facts

    def uploaded(self, media_id: str) -> Path:
        """The path of a picture that a look names."""
        return self.media.get(media_id).path

    def preset_of(self, wanted: Wanted) -> Preset:
        """What a preview is painted with."""
        return preset_of(wanted.look, self.library, self.uploaded)

    def order_of(self, wanted: Wanted) -> Order:
        """A preview as the painter is asked for it."""
        media = self.media.get(wanted.picture)
        preset = self.preset_of(wanted)
        stat = media.path.stat()
        of = (
            media.path,
            stat.st_size,
            stat.st_mtime_ns,
            wanted.at_s,
            wanted.side_px,
            wanted.sketch,
            wanted.moving,
        )
        return Order(
            key=key_of(preset, self.settings.weights, *of),
            path=media.path,
            kind=media.kind,
            at_s=wanted.at_s,
            preset=preset.model_dump(mode="json", by_alias=True, exclude={"extends"}),
            side_px=wanted.side_px,
            sketch=wanted.sketch,
            moving=wanted.moving,
            urgent=wanted.urgent,
        )

    def want(self, page: str, wanted: list[Wanted]) -> list[PreviewFacts]:
        """What a page wants now. One that cannot be is told of as failed; the others go on."""
        orders: list[Order] = []
        answers: list[PreviewFacts | int] = []
        for one in wanted:
            try:
                answers.append(len(orders))
                orders.append(self.order_of(one))
            except (FramestyleError, RefusedError) as error:
                answers[-1] = PreviewFacts(key="", state="failed", version=0, message=error.message)
            except OSError:  # it has gone since it was looked up
                answers[-1] = PreviewFacts(key="", state="failed", version=0, message="the file is gone")
        facts = self.previews.want(page, orders)
        return [facts[one] if isinstance(one, int) else one for one in answers]


def brief(media: Media) -> MediaFacts:
    """What is known of a picture without opening it."""
    return MediaFacts(id=media.id, name=media.name, kind=media.kind, is_upload=media.is_upload)


def _locked(state: Path) -> FileLock:
    """One studio a folder: two would do each job twice."""
    try:
        state.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(error, state) from error
    if state.is_symlink():
        raise OutputError(f"{state} is a link", next_step="Remove it: the studio keeps its queue there.")
    lock = FileLock(state / "lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise StorageError(
            f"a studio is at work in {state.parent} already",
            next_step="Use its page, or end it, or choose another --root.",
        ) from None
    return lock
