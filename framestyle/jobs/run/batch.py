"""An order -> jobs, one for each preset; and the jobs done, one after another. What is finished is not done again.

Loads torch only where something is left to paint.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from framestyle.context import SILENT, Context
from framestyle.errors import Code, OutputError, UsageError
from framestyle.events import JobDone, Note, TaskFailed
from framestyle.jobs.plan.inputs import Inputs, Unusable, gather
from framestyle.jobs.plan.step_cost import StepCostMeter, keep_step_cost
from framestyle.jobs.plan.tasks import (
    PHOTO_SUFFIXES,
    VIDEO_SUFFIXES,
    Naming,
    Task,
    as_one,
    is_one_file,
    names_a_clip,
    plan,
)
from framestyle.jobs.resume.manifest import NAME, Manifest, OutputStatus
from framestyle.jobs.resume.precision import begun_precision
from framestyle.jobs.resume.resume_key import is_publishing, refuse_change
from framestyle.jobs.resume.scratch import Scratch
from framestyle.jobs.run.known_failures import failing_again
from framestyle.jobs.run.reporting import JobWords, PriorResults, first_news, last_news
from framestyle.kinds import WHOLE_CLIP, MediaKind, TimeRange
from framestyle.media.video.sequences import existing_files
from framestyle.nst.weights.paths import NOT_HERE, choose_kind, weights_identity
from framestyle.presets import Preset, is_plain_name, pictures_of
from framestyle.registries import ENGINES
from framestyle.resolve import PrecisionChoice, picture_digests
from framestyle.spec import RenderSpec

if TYPE_CHECKING:
    from framestyle.jobs.engines.engine import MakeEngine
    from framestyle.nst.weights.backbone import Backbone


@dataclass(frozen=True)
class Order:
    """What a person asks for. With several presets, each has a folder of its name in `output`."""

    inputs: Sequence[Path]
    output: Path
    presets: Sequence[Preset]
    weights: str = "auto"
    device: str = "auto"
    seed: int = 0
    span: TimeRange = WHOLE_CLIP
    into_folder: bool = False
    overwrite: bool = False
    """Outputs that exist may be replaced."""
    fresh: bool = False
    """What is done counts as not done."""
    memory_limit_bytes: int | None = None
    """Most that is held on the device; on a CPU, by the process."""
    engine: str = "local"
    """What does the work, by its name in the registry."""


@dataclass(frozen=True)
class Job:
    """One preset's part of an order. `output` is a file where there is no `manifest`, else a folder."""

    preset: Preset
    output: Path
    spec: RenderSpec
    to_do: tuple[Task, ...]
    done: tuple[Task, ...]
    inputs: Inputs
    manifest: Manifest | None

    @property
    def tasks(self) -> int:
        """All of them, with what can only fail."""
        return len(self.to_do) + len(self.done) + len(self.inputs.unusable)


# -- what is to be done ------------------------------------------------------------------------------------


def prepare(order: Order) -> list[Job]:
    """The jobs, with what is finished told from what is left; nothing is written.

    Raises InputError, UsageError and OutputError for what cannot be: before any work.
    """
    folders = _folders(order)
    manifests = [Manifest(folder) for folder in folders]
    into_folder = order.into_folder or len(order.presets) > 1
    one_clip = not into_folder and names_a_clip(order.output)
    inputs = gather(order.inputs, _earlier_results(order.output, folders), one_clip=one_clip)
    if not inputs.found and len(inputs.unusable) == 1:
        raise inputs.unusable[0].error
    one_file = is_one_file(order.output, inputs, into_folder=into_folder)
    kind, identity = choose_kind(order.weights), weights_identity(order.weights)
    jobs = []
    for preset, folder, manifest in zip(order.presets, folders, manifests, strict=True):
        naming = Naming(preset.output.photo_format, preset.output.video_codec)
        pictures = [Path(path) for path in pictures_of(preset)]
        tasks = plan(inputs, folder, naming, one_file=one_file, style_images=pictures)
        kept = None if one_file else manifest
        spec = RenderSpec(preset, kind, identity, picture_digests(preset), order.seed, span=order.span)
        spec = replace(spec, precision=begun_precision(tasks, spec, kept, fresh=order.fresh))
        to_do, done = _told_apart(tasks, spec, kept, order)
        jobs.append(Job(preset, folder, spec, to_do, done, inputs, kept))
    return jobs


def _folders(order: Order) -> list[Path]:
    """Where each preset's results go."""
    if len(order.presets) == 1:
        return [order.output]
    if order.output.suffix.lstrip(".").lower() in PHOTO_SUFFIXES | VIDEO_SUFFIXES and not order.into_folder:
        raise UsageError(
            f"{order.output} is one file, but there are several presets",
            code=Code.OUTPUT_NOT_A_FOLDER,
            facts={"path": str(order.output)},
        )
    taken: set[str] = set()
    for preset in order.presets:
        if not is_plain_name(preset.name):
            raise UsageError(
                f"preset {preset.name!r} needs a folder, which cannot have that name",
                next_step="Give it a plain name in its file, or use one preset at a time.",
            )
        if as_one(Path(preset.name)) in taken:
            raise UsageError(
                f"two of the presets are called {preset.name!r}, and would share a folder",
                code=Code.PRESETS_SHARE_A_NAME,
                facts={"preset": preset.name},
            )
        taken.add(as_one(Path(preset.name)))
    return [order.output / preset.name for preset in order.presets]


def _earlier_results(output: Path, folders: Sequence[Path]) -> set[Path]:
    """What is no input though it lies in one: the output folders, and outputs where such a folder is an input too.

    Below `output`, folders of presets that are not asked for this time hold earlier results as well.
    """
    left_out = {folder.resolve() for folder in (output, *folders)}
    known = [output, *(path.parent for path in sorted(output.glob(f"*/{NAME}")))]
    for folder in known:
        for name in Manifest(folder).names():
            left_out.update(existing_files(folder.resolve() / name))
    return left_out


def _told_apart(
    tasks: Sequence[Task], spec: RenderSpec, manifest: Manifest | None, order: Order
) -> tuple[tuple[Task, ...], tuple[Task, ...]]:
    """To do, and done before. OutputError where an output exists that may not be replaced."""
    to_do, done, refused = [], [], []
    for task in tasks:
        standing = _standing(task, spec, manifest)
        if task.kind is MediaKind.VIDEO and standing is not OutputStatus.DONE and not order.fresh:
            refuse_change(task, spec)
        ours = standing in (OutputStatus.DONE, OutputStatus.OTHER_INPUT, OutputStatus.OTHER_WORK)
        if standing is OutputStatus.DONE and not order.fresh:
            done.append(task)
        elif (
            standing in (OutputStatus.ABSENT, OutputStatus.BEGUN) or order.overwrite or (ours and order.fresh)
        ):
            to_do.append(task)
        else:
            refused.append((task, standing))
    if refused:
        raise _refusal(refused, None if manifest is None else manifest.trouble)
    return tuple(to_do), tuple(done)


def _standing(task: Task, spec: RenderSpec, manifest: Manifest | None) -> OutputStatus:
    if task.outputs() and task.kind is MediaKind.VIDEO and is_publishing(task.target):
        return OutputStatus.BEGUN
    if manifest is not None:
        return manifest.standing(task, spec.done_keys(task.kind))
    return OutputStatus.UNKNOWN if task.outputs() else OutputStatus.ABSENT


def _refusal(refused: Sequence[tuple[Task, OutputStatus]], trouble: str | None) -> OutputError:
    (task, standing), others = refused[0], len(refused) - 1
    why = "" if standing is OutputStatus.UNKNOWN else f", {standing.value}"
    more = "" if not others else f"; so {'does one more' if others == 1 else f'do {others} more'}"
    lost = (
        "" if trouble is None else f" (what is done there is not known: {NAME} is not used, since {trouble})"
    )
    return OutputError(
        f"{task.outputs()[0]} exists already{why}{more}{lost}",
        code=Code.OUTPUT_EXISTS,
        facts={"path": str(task.outputs()[0]), "outputs": len(refused)},
    )


# -- doing it ----------------------------------------------------------------------------------------------


def paint(jobs: Sequence[Job], order: Order, context: Context = SILENT) -> list[JobDone]:
    """Do what is left of each. The weights are loaded once, style targets and network once a preset."""
    if jobs and (count := jobs[0].inputs.passed_over):
        context.on_event(Note(f"Files passed over, being neither photos nor clips: {count}."))
    painter = _Painter(order, len(jobs) == 1 and jobs[0].tasks == 1)
    return [painter.do(job, context) for job in jobs]


class _Painter:
    """Does one job after another, and remembers the weights: from the first job on that needs them."""

    def __init__(self, order: Order, alone: bool) -> None:
        self._order, self._alone = order, alone
        self._backbone: Backbone | None = None
        self._choice: PrecisionChoice | None = None

    def do(self, job: Job, context: Context) -> JobDone:
        with job.manifest or nullcontext():
            if job.manifest is not None and job.manifest.trouble is not None:
                context.on_event(_not_trusted(job.manifest))
            again = {} if self._alone else failing_again(job.to_do, job.manifest)
            failed = (*map(_failure, job.inputs.unusable), *again.values())
            before = PriorResults(job.done, failed)
            left = tuple(task for task in job.to_do if task not in again)
            if not left:
                return self._nothing_left(job, before, context)
            return self._paint(job, left, before, context)

    def _paint(self, job: Job, left: Sequence[Task], before: PriorResults, context: Context) -> JobDone:
        from framestyle.jobs.engines.engine import Machine
        from framestyle.jobs.plan.surveys import Surveys
        from framestyle.jobs.resume.recorder import ManifestRecorder
        from framestyle.jobs.resume.work_folder import discard_work
        from framestyle.jobs.run.job import run
        from framestyle.jobs.run.provenance import recipe_of
        from framestyle.nst.devices import devices_of
        from framestyle.session import Session

        meter, order = StepCostMeter(), self._order
        devices = devices_of(order.device)
        with ENGINES.blamed(order.engine):
            make_engine: MakeEngine = ENGINES.load(order.engine)
            engine = make_engine(Machine(devices, order.memory_limit_bytes))
        context = context.also(meter)
        surveys = Surveys.of(left, order.span, job.preset, context)
        session = Session(
            replace(job.spec, precision=self._precision(job)),
            context,
            device=devices[0],
            backbone=self._backbone,
            clips=any(task.kind is MediaKind.VIDEO for task in left),
            masks_follow=False,
            memory_limit_bytes=order.memory_limit_bytes,
            asked_weights=order.weights,
        )
        self._backbone = session.backbone
        spec = replace(job.spec, precision=session.spec.precision)
        if NOT_HERE in spec.weights_fingerprint:  # they are now
            spec = replace(spec, weights_fingerprint=weights_identity(spec.weights))
        if job.manifest is not None:
            told = json.loads(recipe_of(session).text())
            for kind in {task.kind for task in left}:
                job.manifest.tell(spec.key(kind), told)
        for task in left:
            if order.fresh and task.kind is MediaKind.VIDEO:
                discard_work(task.target)
        record = ManifestRecorder(job.manifest, spec)
        # Clips have work folders of their own.
        needs_scratch = job.manifest is not None or any(task.kind is MediaKind.PHOTO for task in left)
        beside = job.output if job.manifest is not None else job.output.parent
        with Scratch(beside) if needs_scratch else nullcontext() as scratch:
            if job.manifest is not None and scratch is not None:
                job.manifest.scratch = scratch.folder
            done = run(
                left,
                job.output,
                order.span,
                session,
                context,
                engine=engine,
                surveys=surveys,
                record=record,
                before=before,
                alone=self._alone,
                scratch=scratch,
            )
        if meter.price_s is not None:
            keep_step_cost(job.preset, session.device, meter.price_s)
        return done

    def _precision(self, job: Job) -> str:
        """The one that the job was begun in; else one that is measured for all jobs, once."""
        from framestyle.nst.devices import choose_device, devices_of

        precision = job.spec.decided_precision
        if precision is None and job.manifest is not None:
            # Another job may have begun there since.
            precision = begun_precision(job.to_do, job.spec, Manifest(job.output), fresh=self._order.fresh)
        if precision is not None:
            return precision
        if self._choice is None:
            self._choice = PrecisionChoice(choose_device(devices_of(self._order.device)[0]))
        return self._choice.resolve(job.preset).optimizer.precision

    def _nothing_left(self, job: Job, before: PriorResults, context: Context) -> JobDone:
        """No network is needed to say so."""
        started = time.perf_counter()
        told: Mapping[str, Any] = {}
        if job.manifest is not None and job.done:
            told = job.manifest.told_of(job.done[0])
        words = JobWords(
            str(job.output),
            job.preset.name,
            str(told.get("weights", job.spec.weights)),
            str(told.get("device", "no device")),
        )
        for event in first_news(words, (), 0, before):
            context.on_event(event)
        done = last_news((), (), time.perf_counter() - started, before)
        context.on_event(done)
        return done


def _not_trusted(manifest: Manifest) -> Note:
    return Note(
        f"{manifest.path} is not used: {manifest.trouble}. It is set aside; what it called done is not known to be.",
        "warning",
    )


def _failure(unusable: Unusable) -> TaskFailed:
    return TaskFailed.of(str(unusable.path), unusable.error)
