"""What is left of prepared jobs, done. Loads torch only where something is left to paint."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from framestyle.context import Context
from framestyle.events import JobDone, Note, TaskFailed
from framestyle.jobs.plan.inputs import Unusable
from framestyle.jobs.plan.step_cost import StepCostMeter, keep_step_cost
from framestyle.jobs.plan.tasks import Task
from framestyle.jobs.resume.manifest import Manifest
from framestyle.jobs.resume.precision import begun_precision
from framestyle.jobs.resume.scratch import Scratch
from framestyle.jobs.run.known_failures import failing_again
from framestyle.jobs.run.reporting import JobDescription, PriorResults, closing_event, starting_events
from framestyle.kinds import MediaKind
from framestyle.nst.weights.catalog import width_of
from framestyle.nst.weights.paths import NOT_HERE, weights_identity
from framestyle.registries import ENGINES, engine_name, is_elsewhere
from framestyle.resolve import PrecisionChoice

if TYPE_CHECKING:
    from framestyle.jobs.engines.engine import Engine, MakeEngine
    from framestyle.jobs.run.batch import Job, Order
    from framestyle.nst.weights.backbone import Backbone
    from framestyle.session import Session


class JobPainter:
    """Does one job after another, and remembers the weights: from the first job on that needs them."""

    def __init__(self, order: Order, alone: bool, engine: Engine | None = None) -> None:
        self._order, self._alone, self._given = order, alone, engine
        self._backbone: Backbone | None = None
        self._choice: PrecisionChoice | None = None

    def do(self, job: Job, scratch: Scratch | None, context: Context) -> JobDone:
        with job.manifest or nullcontext():
            if job.manifest is not None and job.manifest.trouble is not None:
                context.on_event(_not_trusted(job.manifest))
            again = {} if self._alone else failing_again(job.to_do, job.manifest)
            failed = (*map(_failure, job.inputs.unusable), *again.values())
            before = PriorResults(job.done, failed)
            left = tuple(task for task in job.to_do if task not in again)
            if not left:
                return self._nothing_left(job, before, context)
            return self._paint(job, left, before, scratch, context)

    def _paint(
        self,
        job: Job,
        left: Sequence[Task],
        before: PriorResults,
        scratch: Scratch | None,
        context: Context,
    ) -> JobDone:
        from framestyle.jobs.engines.engine import NeedsNoSession, paints_elsewhere
        from framestyle.jobs.plan.surveys import Surveys
        from framestyle.jobs.resume.recorder import ManifestRecorder
        from framestyle.jobs.resume.work_folder import discard_work
        from framestyle.jobs.run.job import run
        from framestyle.jobs.run.provenance import recipe_text

        meter, order = StepCostMeter(), self._order
        context, engine = context.also(meter), self._engine()
        surveys = Surveys.of(left, order.span, job.preset, context)
        if self._alone and (error := surveys.error_of(left[0])) is not None:
            ManifestRecorder(job.record, job.spec).refuse(left[0], error)
            raise error
        session = self._session(engine, job, left, context)
        if paints_elsewhere(engine):
            session.close()  # from here on it only says what is painted with: the device's memory is a worker's
        spec = replace(job.spec, precision=session.spec.precision)
        if NOT_HERE in spec.weights_fingerprint:  # they are now
            spec = replace(spec, weights_fingerprint=weights_identity(spec.weights))
        if job.record is not None:
            recorded = json.loads(recipe_text(session))
            for kind in {task.kind for task in left}:
                job.record.record_work(spec.key(kind), recorded)
        for task in left:
            if order.fresh and task.kind is MediaKind.VIDEO:
                discard_work(task.target)
        record = ManifestRecorder(job.record, spec)
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
        if meter.price_s is not None and not isinstance(engine, NeedsNoSession):
            keep_step_cost(job.preset, session.device, meter.price_s, width_of(session.weights))
        return done

    def _engine(self) -> Engine:
        from framestyle.jobs.engines.engine import Machine
        from framestyle.nst.devices import choose_device, devices_of

        if self._given is not None:
            return self._given
        order = self._order
        devices = devices_of(order.device)
        name = engine_name(order.engine)
        make: MakeEngine = ENGINES.load(name)
        if not is_elsewhere(name):
            for device in devices:
                choose_device(device)  # before work is given to one that is not there
        with ENGINES.blamed(name):
            return make(Machine(devices, order.memory_limit_bytes, order.engine, order.work))

    def _session(self, engine: Engine, job: Job, left: Sequence[Task], context: Context) -> Session:
        """On the first device; the weights are kept for the next one. An engine elsewhere says what it paints with."""
        from framestyle.jobs.engines.engine import NeedsNoSession
        from framestyle.nst.devices import devices_of
        from framestyle.session import Session

        if isinstance(engine, NeedsNoSession):
            return engine.open(job.spec, context)
        session = Session(
            replace(job.spec, precision=self._precision(job)),
            context,
            device=devices_of(self._order.device)[0],
            backbone=self._backbone,
            clips=any(task.kind is MediaKind.VIDEO for task in left),
            masks_follow=False,
            memory_limit_bytes=self._order.memory_limit_bytes,
            asked_weights=self._order.weights,
        )
        self._backbone = session.backbone
        return session

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
        recorded: Mapping[str, Any] = {}
        if job.record is not None and job.done:
            recorded = job.record.recorded_work(job.done[0])
        description = JobDescription(
            str(job.output),
            job.preset.name,
            str(recorded.get("weights", job.spec.weights)),
            str(recorded.get("device", "no device")),
        )
        for event in starting_events(description, (), 0, before):
            context.on_event(event)
        done = closing_event((), (), time.perf_counter() - started, before)
        context.on_event(done)
        return done


def _not_trusted(manifest: Manifest) -> Note:
    return Note(
        f"{manifest.path} is not used: {manifest.trouble}. It is set aside; what it called done is not known to be.",
        "warning",
    )


def _failure(unusable: Unusable) -> TaskFailed:
    return TaskFailed.of(str(unusable.path), unusable.error)
