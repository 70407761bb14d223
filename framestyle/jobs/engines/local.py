"""The engine of this machine: units one by one, several side by side on a CPU, or a process for each of its GPUs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import torch

from framestyle.context import Context
from framestyle.errors import FramestyleError
from framestyle.events import TaskDone
from framestyle.jobs.engines.engine import Ledger, Machine, Outcome, Setting
from framestyle.jobs.engines.processes import WORKER, Processes
from framestyle.jobs.engines.side_by_side import UNSEEN_ROOM_BYTES, Crew, Places, SideBySide
from framestyle.jobs.plan.estimate import photo_size_painted, shot_work
from framestyle.jobs.plan.units import PhotoTask, ShotTask, Unit
from framestyle.jobs.run.shots import ShotDone
from framestyle.jobs.run.units import paint_unit
from framestyle.nst.memory import TilingPlanner
from framestyle.nst.sizes import LARGEST_BESIDE_PX, Size
from framestyle.presets import Preset


class LocalEngine:
    """This machine. On one device, `run` works in this process; on several, in one each, which `worker` starts."""

    def __init__(self, machine: Machine | None = None, *, worker: Sequence[str] = WORKER) -> None:
        machine = machine or Machine()
        self._processes = Processes(machine, worker) if len(machine.devices) > 1 else None

    @property
    def paints_elsewhere(self) -> bool:
        """On several devices, every unit is a worker's: this process needs none of them."""
        return self._processes is not None

    def photos_at_once(self, setting: Setting) -> int:
        """As many as there are hands: threads of a CPU, or devices."""
        if self._processes is not None:
            return self._processes.at_once(setting.photos)
        return _photo_crew(setting).pictures

    def paints_apart(self, setting: Setting) -> bool:
        """Where several shots at once are done sooner, and fit into memory; on several devices, always."""
        if self.paints_elsewhere:
            return True
        return _shot_crew(setting).pictures > 1

    def run(self, units: Sequence[Unit], setting: Setting, ledger: Ledger, context: Context) -> None:
        """Photos, then shots."""
        if self._processes is not None:
            self._processes.run(units, setting, ledger, context)
            return
        for kind, crew in ((PhotoTask, _photo_crew), (ShotTask, _shot_crew)):
            row = [(number, unit) for number, unit in enumerate(units) if isinstance(unit, kind)]
            if row:
                _Row(setting, ledger, context, crew(setting)).do(row)


class _Row:
    """Units of a kind."""

    def __init__(self, setting: Setting, ledger: Ledger, context: Context, crew: Crew) -> None:
        self._setting, self._ledger, self._context, self._crew = setting, ledger, context, crew
        self._places = Places(crew, setting.session.stylizer.fitting)

    def do(self, row: Iterable[tuple[int, Unit]]) -> None:
        if self._crew.pictures == 1:
            self._one_by_one(row)
        else:
            self._side_by_side(row)

    def _one_by_one(self, row: Iterable[tuple[int, Unit]]) -> None:
        for number, unit in row:
            self._ledger.begin(number)
            outcome = _outcome(partial(self._paint, unit, self._context))
            if (event := self._ledger.end(number, outcome)) is not None:
                self._context.on_event(event)

    def _side_by_side(self, row: Iterable[tuple[int, Unit]]) -> None:
        row = list(row)
        in_turn = all(isinstance(unit, PhotoTask) for _, unit in row)
        with SideBySide(self._crew.pictures, self._context, self._ledger.end, in_turn=in_turn) as beside:
            for number, unit in row:
                threads = self._places.wait_for(number, size_of(unit, self._setting.session.preset), beside)
                if isinstance(unit, ShotTask):
                    threads = self._crew.threads  # whatever is left of the clip: a stop changes no pixels
                self._ledger.begin(number)
                beside.begin(number, partial(self._paint, unit), threads)
            beside.wait_for_all()

    def _paint(self, unit: Unit, context: Context) -> TaskDone | ShotDone:
        return paint_unit(unit, self._setting.session, context, self._setting.scratch)


def _photo_crew(setting: Setting) -> Crew:
    """For all photos of the job, those done before with them. A GPU is one for all."""
    if setting.session.stylizer.device.type != "cpu":
        return Crew(1, torch.get_num_threads())
    return Crew.of(setting.photos, torch.get_num_threads())


def _shot_crew(setting: Setting) -> Crew:
    """For all shots of the clip, those done before with them."""
    one = Crew(1, torch.get_num_threads())
    stylizer, shots = setting.session.stylizer, setting.shots
    if stylizer.device.type != "cpu" or len(shots) < 2 or shots[0].size.area_px > LARGEST_BESIDE_PX:
        return one
    preset = setting.session.preset
    crew = Crew.of_shots([shot_work(preset, shot.size, shot.shot.frames) for shot in shots], one.threads)
    return crew if _has_room(stylizer.fitting, shots[0].size, crew.pictures) else one


def _has_room(fitting: TilingPlanner, size: Size, pictures: int) -> bool:
    room_bytes = fitting.room_bytes()
    return pictures * fitting.whole_bytes(size) <= (UNSEEN_ROOM_BYTES if room_bytes is None else room_bytes)


def size_of(unit: Unit, preset: Preset) -> Size | None:
    """At which a unit is painted; None where a photo's file does not say."""
    return unit.size if isinstance(unit, ShotTask) else photo_size_painted(unit.source, preset)


def _outcome(work: Callable[[], Outcome]) -> Outcome:
    """Of a unit on this thread. A stop is none: it is raised."""
    try:
        return work()
    except FramestyleError as error:
        return error
