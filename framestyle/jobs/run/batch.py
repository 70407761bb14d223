"""An order -> jobs, one for each preset; and the jobs done, one after another. What is finished is not done again.

Loads torch only where something is left to paint.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from framestyle.context import SILENT, Context
from framestyle.errors import Code, OutputError, UsageError
from framestyle.events import JobDone, Note
from framestyle.jobs.plan.inputs import Inputs, gather
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
from framestyle.jobs.run.job_painter import JobPainter
from framestyle.kinds import WHOLE_CLIP, MediaKind, TimeRange
from framestyle.media.video.sequences import existing_files
from framestyle.nst.weights.paths import choose_kind, weights_identity
from framestyle.presets import Preset, is_plain_name, pictures_of
from framestyle.resolve import picture_digests
from framestyle.spec import RenderSpec


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
    painter = JobPainter(order, len(jobs) == 1 and jobs[0].tasks == 1)
    return [painter.do(job, context) for job in jobs]
