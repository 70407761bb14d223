"""`stylize --dry-run`: the plan in words. What, how large, how long and how much disk, by estimate; nothing is done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from framestyle.doors.text import byte_count, counted, plain, roughly
from framestyle.doors.timeline_chart import chart_lines
from framestyle.errors import Code, FramestyleError, StorageError
from framestyle.jobs.plan.estimate import Estimate, estimate
from framestyle.jobs.plan.step_cost import Price, price_of
from framestyle.jobs.plan.tasks import Task
from framestyle.jobs.resume.disk_space import free_bytes
from framestyle.jobs.run.batch import Job, Order
from framestyle.jobs.run.refusals import refuse_job, refuse_task
from framestyle.kinds import MediaKind
from framestyle.nst.weights.catalog import width_of
from framestyle.registries import is_elsewhere
from framestyle.spec import AUTO

KINDS = {MediaKind.PHOTO: "photo", MediaKind.VIDEO: "clip"}


def dry_run(jobs: Sequence[Job], order: Order, workers: int | None = None) -> Iterator[str]:
    """Line by line. Raises what the run would refuse; that the disk has too little room, after the last line.

    `workers`: for an engine on other machines, with how many it is reckoned.
    """
    for job in jobs:
        if job.to_do:
            clips = any(task.kind is MediaKind.VIDEO for task in job.to_do)
            refuse_job(job.preset, order.weights, _looked_for(order), clips=clips)
    alone = sum(job.tasks for job in jobs) == 1
    total_s = total_bytes = most_work = 0.0
    prices: list[Price] = []
    for job in jobs:
        price = price_of(job.preset, order.device, width_of(order.weights))
        seconds = size = 0.0
        yield plain(f"preset {job.preset.name} -> {job.output}")
        if job.preset.optimizer.precision == AUTO:
            yield f"  precision: {_precision(job)}"
        yield from (plain(f"  {line}") for line in chart_lines(job.preset))
        for task in job.to_do:
            try:
                refuse_task(task, job.preset, order.span)
                expected = estimate(task, job.preset, order.span)
            except FramestyleError as error:
                if alone:
                    raise
                yield _cannot(error)
                continue
            seconds += expected.megapixel_steps * price.seconds
            size += expected.size_bytes
            most_work = max(most_work, expected.work_bytes)
            prices.append(price)
            again = job.manifest is not None and job.manifest.has_failed(task)
            yield _line(task, expected, expected.megapixel_steps * price.seconds, again)
        for unusable in job.inputs.unusable:
            yield _cannot(unusable.error)
        yield f"  {_tally(job)}"
        total_s, total_bytes = total_s + seconds, total_bytes + size
    if prices:
        clips = any(task.kind is MediaKind.VIDEO for job in jobs for task in job.to_do)
        by_keys = any(job.preset.video.frames_a_key_frame > 1 for job in jobs)
        of_clips = "by key frames, fewer or more of them with the motion" if by_keys else "at most"
        most = f" (clips: {of_clips})" if clips else ""
        yield f"time: {roughly(total_s)}{most}; an estimate, by {_basis(prices)}"
        if is_elsewhere(order.engine):
            from framestyle.doors.dry_run_machines import machines

            yield from machines(jobs, order, workers)
        free = free_bytes(order.output)
        needed = total_bytes + most_work
        short = ", which will not do" if needed > free else ""
        while_at_work = f", and {byte_count(most_work)} more while at work" if most_work else ""
        yield (
            f"disk: about {byte_count(total_bytes)}{while_at_work}; an estimate. Free there: {byte_count(free)}{short}"
        )
    yield "Nothing was done: this was --dry-run."
    if prices and needed > free:
        raise StorageError(
            f"by estimate {byte_count(needed)} are needed on the disk of {order.output}, and {byte_count(free)} free",
            code=Code.DISK_FULL,
            facts={"path": str(order.output), "free_bytes": free, "needed_bytes": needed},
            next_step="Free some space there, or choose another disk.",
        )


def _looked_for(order: Order) -> str:
    """The device that must be here: none for work that is done elsewhere."""
    return "cpu" if is_elsewhere(order.engine) else order.device


def _precision(job: Job) -> str:
    """What the preset's `auto` comes to. A plan measures nothing."""
    begun = job.spec.decided_precision
    return "auto: measured when the work begins, and kept" if begun is None else f"{begun}, as it was begun"


def _line(task: Task, expected: Estimate, seconds: float, failed_before: bool) -> str:
    was, becomes = expected.was, expected.becomes
    size = f"{was.width}x{was.height}"
    if becomes != was:
        size += f" to {becomes.width}x{becomes.height}"
    frames = f", {counted(expected.frames, 'frame')}" if task.kind is MediaKind.VIDEO else ""
    facts = f"{size}{frames}, {roughly(seconds)}, about {byte_count(expected.size_bytes)}"
    if failed_before:
        facts = "could not be read last time"
    return plain(f"  {KINDS[task.kind]}: {task.source} -> {task.target} ({facts})")


def _cannot(error: FramestyleError) -> str:
    return plain(f"  will fail: {error.message}")


def _tally(job: Job) -> str:
    counts = [(sum(task.kind is kind for task in job.to_do), word) for kind, word in KINDS.items()]
    said = " and ".join(counted(count, word) for count, word in counts if count)
    parts = [f"{said or 'nothing'} to do"]
    if job.done:
        parts.append(f"{len(job.done)} done before")
    if job.inputs.unusable:
        parts.append(f"{len(job.inputs.unusable)} that cannot be read")
    if job.inputs.passed_over:
        parts.append(f"{counted(job.inputs.passed_over, 'other file')} passed over")
    return ", ".join(parts)


def _basis(prices: Sequence[Price]) -> str:
    devices = " and ".join(sorted({price.device for price in prices}))
    if all(price.measured for price in prices):
        return f"what a step last took on this machine ({devices})"
    return f"a stated speed ({devices}): nothing like it was measured on this machine yet"
