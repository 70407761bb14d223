"""An order -> jobs, one for each preset; and the jobs done, one after another. What is finished is not done again.

Loads torch only where something is left to paint.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from framestyle.context import SILENT, Context
from framestyle.errors import Code, UsageError
from framestyle.events import JobDone, Note
from framestyle.jobs.plan.inputs import Inputs, gather
from framestyle.jobs.plan.tasks import (
    PHOTO_SUFFIXES,
    VIDEO_SUFFIXES,
    Naming,
    Task,
    as_one,
    codec_for,
    is_one_file,
    names_a_clip,
    plan,
)
from framestyle.jobs.resume.claims import claim
from framestyle.jobs.resume.manifest import NAME, Manifest
from framestyle.jobs.resume.one_result import OneResult
from framestyle.jobs.resume.precision import begun_precision
from framestyle.jobs.resume.resume_key import work_folder_of
from framestyle.jobs.resume.scratch import Scratch, clear_dead
from framestyle.jobs.run.job_painter import JobPainter
from framestyle.jobs.run.output_status import Replacing, placed, split_by_status
from framestyle.kinds import WHOLE_CLIP, MediaKind, TimeRange
from framestyle.masks import check_masks
from framestyle.media.video.codecs import CODECS
from framestyle.media.video.sequences import existing_files
from framestyle.media.writable import check_name
from framestyle.nst.weights.paths import choose_kind, weights_identity
from framestyle.paths import resolved
from framestyle.presets import Preset, is_plain_name, pictures_of
from framestyle.resolve import picture_digests, refuse_styleless
from framestyle.spec import RenderSpec

if TYPE_CHECKING:
    from framestyle.jobs.engines.engine import Engine


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
    """What does the work, by its name in the registry; of one elsewhere perhaps with an address: ray://HOST:PORT."""
    work: str | None = None
    """For an engine elsewhere: a folder or URL through which all travels."""
    within: Path | None = None
    """A watched folder around all inputs: its tree is mirrored, and what changed in it is made anew."""

    specs: tuple[RenderSpec, ...] = ()
    """Of each preset, where what is left open was decided on before: work that was handed out."""

    @property
    def replacing(self) -> Replacing:
        """Which results that exist may be replaced."""
        return Replacing(self.overwrite, self.fresh, changed=self.within is not None)


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
    one: OneResult | None = None
    """Of a file, in place of a manifest."""

    @property
    def record(self) -> Manifest | None:
        """What says which results are made."""
        return self.one if self.manifest is None else self.manifest

    @property
    def folder(self) -> Path:
        """Where its results go."""
        return self.output.parent if self.manifest is None else self.output

    @property
    def tasks(self) -> int:
        """All of them, with what can only fail."""
        return len(self.to_do) + len(self.done) + len(self.inputs.unusable)


# -- what is to be done ------------------------------------------------------------------------------------


def prepare(order: Order) -> list[Job]:
    """The jobs, with what is finished told from what is left; nothing is written.

    Raises PresetError, InputError, UsageError and OutputError for what cannot be: before any work.
    """
    for preset in order.presets:
        refuse_styleless(preset)
        check_masks(preset)
    folders = _folders(order)
    manifests = [Manifest(folder) for folder in folders]
    into_folder = order.into_folder or len(order.presets) > 1 or order.within is not None
    one_clip = not into_folder and names_a_clip(order.output)
    left_out = frozenset[Path]() if order.within else _earlier_results(order.output, folders)
    inputs = gather(order.inputs, left_out, one_clip=one_clip, within=order.within)
    if not inputs.found and len(inputs.unusable) == 1:
        raise inputs.unusable[0].error
    one_file = is_one_file(order.output, inputs, into_folder=into_folder)
    kind, identity = choose_kind(order.weights), weights_identity(order.weights)
    jobs = []
    for number, (preset, folder, manifest) in enumerate(zip(order.presets, folders, manifests, strict=True)):
        if one_file:
            preset = _for_ending(preset, folder)
        naming = Naming(preset.output.photo_format, preset.output.video_codec, order.within is not None)
        pictures = [Path(path) for path in pictures_of(preset)]
        tasks = plan(inputs, folder, naming, one_file=one_file, style_images=pictures)
        kept = None if one_file else manifest
        if order.specs:
            spec = order.specs[number]
        else:
            spec = RenderSpec(preset, kind, identity, picture_digests(preset), order.seed, span=order.span)
            spec = replace(spec, precision=begun_precision(tasks, spec, kept, fresh=order.fresh))
        one = OneResult(folder) if one_file else None
        to_do, done = split_by_status(tasks, spec, one or kept, order.replacing)
        to_do, refused = placed(to_do, kept, alone=len(tasks) + len(inputs.unusable) == 1)
        given = replace(inputs, unusable=(*inputs.unusable, *refused))
        jobs.append(Job(preset, folder, spec, to_do, done, given, kept, one))
    return jobs


def _folders(order: Order) -> list[Path]:
    """Where each preset's results go."""
    check_name(order.output)
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


def _for_ending(preset: Preset, output: Path) -> Preset:
    """With the codec that the output's ending stands for, where the preset names none and its own does not go there."""
    chosen, codec = preset.output, codec_for(output)
    if "video_codec" in chosen.model_fields_set or codec is None:
        return preset
    if output.suffix.lower() in CODECS[chosen.video_codec].containers:
        return preset
    return preset.model_copy(update={"output": chosen.model_copy(update={"video_codec": codec})})


def _earlier_results(output: Path, folders: Sequence[Path]) -> set[Path]:
    """What is no input though it lies in one: the output folders, and outputs where such a folder is an input too.

    Below `output`, folders of presets that are not asked for this time hold earlier results as well.
    """
    left_out = {resolved(folder) for folder in (output, *folders)}
    known = [output, *(path.parent for path in sorted(output.glob(f"*/{NAME}")))]
    for folder in known:
        for name in Manifest(folder).names():
            left_out.update(existing_files(resolved(folder) / name))
    return left_out


# -- doing it ----------------------------------------------------------------------------------------------


def paint(
    jobs: Sequence[Job], order: Order, context: Context = SILENT, engine: Engine | None = None
) -> list[JobDone]:
    """Do what is left of each. The weights are loaded once, style targets and network once a preset.

    `engine`: does the work, in place of the one that the order names.
    """
    if jobs and (count := jobs[0].inputs.passed_over):
        context.on_event(Note(f"Files passed over, being neither photos nor clips: {count}."))
    painter = JobPainter(order, len(jobs) == 1 and jobs[0].tasks == 1, engine)
    with ExitStack() as stack:
        # All of them before the first: nothing is painted that another run is at work on, or has made meanwhile.
        held = [_held(job, order, stack) for job in jobs]
        return [painter.do(job, scratch, context) for job, scratch in held]


def _held(job: Job, order: Order, stack: ExitStack) -> tuple[Job, Scratch | None]:
    """A job whose outputs no other job makes from here on, as they stand then, and its scratch folder."""
    if job.one is not None:
        stack.enter_context(job.one)  # to go last
    if not job.to_do:
        clear_dead(job.folder)
        _tidy(job)
        return job, None
    scratch = stack.enter_context(Scratch(job.folder))
    claim(scratch, [task.target for task in job.to_do])
    job = replace(
        job,
        manifest=None if job.manifest is None else Manifest(job.output),
        one=None if job.one is None else OneResult(job.output),
    )
    if job.record is not None:
        job.record.scratch = scratch.folder
    to_do, done = split_by_status((*job.done, *job.to_do), job.spec, job.record, order.replacing)
    job = replace(job, to_do=to_do, done=done)
    _tidy(job)
    return job, scratch


def _tidy(job: Job) -> None:
    """What a run left that was killed after a clip was in its place."""
    for task in job.done:
        if task.kind is MediaKind.VIDEO and work_folder_of(task.target).is_dir():
            from framestyle.jobs.resume.work_folder import tidy_after  # loads torch

            tidy_after(task.target)
