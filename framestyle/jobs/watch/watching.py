"""The loop: look, wait until files are quiet and whole, have them painted, look again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path

from framestyle.context import SILENT, Context
from framestyle.errors import (
    Code,
    FramestyleError,
    InputError,
    OutputError,
    PresetError,
    StorageError,
    UsageError,
)
from framestyle.events import Event, FolderWatched, Note, TaskFailed
from framestyle.jobs.run.batch import Order, paint, prepare
from framestyle.jobs.watch.arrivals import Arrivals, Clock
from framestyle.jobs.watch.folders import alone, check_folders
from framestyle.jobs.watch.listing import Listing, Signature, listed, signature_of, with_sequences
from framestyle.jobs.watch.settling import Settling
from framestyle.jobs.watch.wholeness import is_meant, why_not_whole, why_unknown
from framestyle.presets import Preset

COSTS_TO_REST = 60
"""A look is followed by a rest of at least so many times what it took: an idle watch takes less than 2 % of a core."""
MOST_AT_ONCE = 32
"""Files are opened and painted so many at a time: the first result does not wait for the last file."""
LONGEST_TRIES = 12
"""How many settling times a file that does not open is waited for."""
OF_ONE_FILE = (InputError, OutputError, UsageError, PresetError)
"""Errors that say nothing of other files."""


@dataclass(frozen=True)
class Watch:
    """What a person asks for. `order`: how, with `output` and `presets`; its inputs are found in `folder`.

    `preset_of`: where each folder in `folder` is called as the preset that its files are painted in; PresetError where
    there is none of that name. Seconds: `settle_s` without a change make a file quiet, `rescan_s` lie between two looks
    at the most. `worded`: a reason as it is written for people.
    """

    folder: Path
    order: Order
    preset_of: Callable[[str], Preset] | None = None
    settle_s: float = 5.0
    rescan_s: float = 5.0
    once: bool = False
    move_done: bool = False
    sequences: bool = False
    worded: Callable[[TaskFailed], str] = lambda failed: failed.message


@dataclass(frozen=True)
class Tally:
    """How many files were dealt with, and which have failed with what."""

    done: int
    failures: tuple[TaskFailed, ...]


def watch(
    asked: Watch,
    context: Context = SILENT,
    *,
    rest: Callable[[float], object] = time.sleep,
    clock: Clock = time.monotonic,
) -> Tally:
    """Serves the folder: for ever, or with `once` until all that arrived is dealt with.

    `rest(seconds)` waits for the next look, and may come back sooner where something may have happened. Ends by what
    the context's `check_cancelled` raises, and by errors that say that nothing can be painted here: no weights, no
    room. UsageError where the folders are one or the other way round, OutputError where another watch is at work there.
    """
    check_folders(asked.folder, asked.order.output, moves=asked.move_done)
    with alone([asked.order.output, *([asked.folder] if asked.move_done else [])]):
        return _Watcher(asked, context, clock).serve(rest)


class _Watcher:
    """Serves one folder."""

    def __init__(self, asked: Watch, context: Context, clock: Clock) -> None:
        self._asked, self._context, self._clock = asked, context, clock
        self._arrivals = Arrivals(asked.settle_s, asked.settle_s * LONGEST_TRIES, clock)
        self._settling = Settling(asked.folder, asked.order.output, moves=asked.move_done)
        self._leave_out = {asked.order.output.resolve()}
        self._done = 0
        self._failures: dict[Path, TaskFailed] = {}
        self._unmade: set[Path] = set()
        """Of the quiet files, those that no result is there of: they are not asked about again."""
        self._reported: FolderWatched | None = None
        self._is_gone = False

    def serve(self, rest: Callable[[float], object]) -> Tally:
        while True:
            began_s = self._clock()
            self._forget(self._arrivals.see(self._listing()))
            cost_s = self._clock() - began_s
            quiet = self._known(self._arrivals.quiet())
            self._report()
            worked = [self._work(order) for order in self._orders(quiet)]
            self._report()
            if any(worked):
                continue
            if self._asked.once and not self._arrivals.waiting:
                return Tally(self._done, tuple(self._failures.values()))
            self._context.check_cancelled()
            rest(self._rest_s(cost_s))

    def _forget(self, gone: Set[Path]) -> None:
        """What somebody took away has not failed any more."""
        self._unmade -= gone
        if self._is_gone or self._asked.move_done:
            return
        for path in gone:
            self._failures.pop(path, None)
            self._settling.forget(path)

    def _rest_s(self, cost_s: float) -> float:
        soonest = self._arrivals.next_s()
        wanted = self._asked.rescan_s if soonest is None else min(self._asked.rescan_s, soonest)
        return max(wanted, cost_s * COSTS_TO_REST, min(1.0, self._asked.settle_s) / 10)

    def _listing(self) -> Listing:
        """Nothing, with a word, where the folder is away: a share may come back."""
        folder = self._asked.folder
        try:
            found = listed(folder, self._leave_out)
        except OSError as error:
            if not self._is_gone:
                self._context.on_event(Note(f"{folder} cannot be read now: {error.strerror}.", "warning"))
            self._is_gone = True
            return {}
        if self._is_gone:
            self._context.on_event(Note(f"{folder} can be read again."))
        self._is_gone = False
        return with_sequences(found, folder) if self._asked.sequences else found

    def _report(self) -> None:
        waiting = len(self._arrivals.waiting)
        now = FolderWatched(str(self._asked.folder), waiting, self._done, len(self._failures))
        if now != self._reported:
            self._reported = now
            self._context.on_event(now)

    # -- what is whole -------------------------------------------------------------------------------------

    def _known(self, quiet: Sequence[Path]) -> list[Path]:
        """Those that begin as photos and clips do; what is not meant to be one is left alone."""
        known = []
        for path in quiet:
            if path in self._unmade or (error := why_unknown(path)) is None:
                known.append(path)
            elif error.code == Code.INPUT_UNKNOWN and not is_meant(path):
                self._arrivals.deal_with(path)
            else:
                self._wait_longer(path, error)
        return known

    def _not_done(self, order: Order) -> list[Path]:
        """Without what was painted before this watch began, which is not even opened."""
        new = [path for path in order.inputs if path not in self._unmade]
        to_do = set(new)
        if new:
            try:
                jobs = prepare(replace(order, inputs=new))
            except OF_ONE_FILE:
                pass  # painting will tell of which
            else:
                to_do = {task.source for job in jobs for task in job.to_do}
                to_do.update(one.path for job in jobs for one in job.inputs.unusable)
        for path in new:
            if path not in to_do:
                self._settle([path], {}, {path: self._arrivals.deal_with(path)})
        self._unmade |= to_do
        return [path for path in order.inputs if path in self._unmade]

    def _is_whole(self, path: Path) -> bool:
        """Decoded to its end, and the same before and after; else it waits longer, or is given up."""
        self._context.check_cancelled()
        before = signature_of(path)
        if (error := why_not_whole(path)) is not None:
            self._wait_longer(path, error)
            return False
        return before is not None and signature_of(path) == before

    def _wait_longer(self, path: Path, error: FramestyleError) -> None:
        if self._arrivals.not_whole(path):
            self._arrivals.deal_with(path)
            self._fail(path, error)

    # -- painting ------------------------------------------------------------------------------------------

    def _orders(self, whole: Sequence[Path]) -> Iterator[Order]:
        """One for all, or one for each preset's folder."""
        asked = self._asked
        if asked.preset_of is None:
            yield replace(asked.order, inputs=whole, within=asked.folder)
            return
        by_folder: dict[str, list[Path]] = {}
        for path in whole:
            inner = path.relative_to(asked.folder).parts
            by_folder.setdefault(inner[0] if len(inner) > 1 else "", []).append(path)
        for name, paths in by_folder.items():
            try:
                yield self._order_of(name, paths)
            except PresetError as error:
                for path in paths:
                    self._arrivals.deal_with(path)
                    self._fail(path, error)

    def _order_of(self, name: str, paths: Sequence[Path]) -> Order:
        asked = self._asked
        if name:
            assert asked.preset_of is not None
            presets, output, within = [asked.preset_of(name)], asked.order.output / name, asked.folder / name
            return replace(asked.order, inputs=paths, output=output, presets=presets, within=within)
        if not asked.order.presets:
            raise PresetError(
                f"files lie in {asked.folder} itself, and no preset is named for them",
                code=Code.PRESET_UNKNOWN,
                facts={"name": "", "near": []},
                next_step="Put them into a folder that is called as a preset is.",
            )
        return replace(asked.order, inputs=paths, within=asked.folder)

    def _work(self, order: Order) -> bool:
        """The next few files that are whole, painted; whether there were any to be looked at."""
        at_hand = self._not_done(order)[:MOST_AT_ONCE]
        self._unmade.difference_update(at_hand)
        if whole := [path for path in at_hand if self._is_whole(path)]:
            self._paint(replace(order, inputs=whole))
        return bool(at_hand)

    def _paint(self, order: Order) -> None:
        """What of it cannot be painted is told apart from the rest, file by file."""
        alone = len(order.inputs) == 1
        failed: dict[str, TaskFailed] = {}

        def listener(event: Event) -> None:
            if isinstance(event, TaskFailed):
                failed.setdefault(event.path, event)

        try:
            jobs = prepare(order)
        except OF_ONE_FILE as error:
            self._refused(order, error)
            return
        # As they were when they were looked at: what changes from here on is seen as another file.
        taken = {path: self._arrivals.deal_with(path) for path in order.inputs}
        try:
            paint(jobs, order, self._context.also(listener))
        except OF_ONE_FILE as error:
            if not alone:
                raise
            failed[str(order.inputs[0])] = TaskFailed.of(str(order.inputs[0]), error)
        self._settle(order.inputs, failed, taken)

    def _refused(self, order: Order, error: FramestyleError) -> None:
        if len(order.inputs) > 1:
            for path in order.inputs:
                self._paint(replace(order, inputs=[path]))
        elif error.code == Code.WORK_CHANGED and not order.fresh:
            self._paint(replace(order, fresh=True))  # begun before its file was another
        else:
            self._arrivals.deal_with(order.inputs[0])
            self._fail(order.inputs[0], error)

    def _settle(
        self,
        paths: Sequence[Path],
        failed: Mapping[str, TaskFailed],
        taken: Mapping[Path, Signature | None],
    ) -> None:
        refused = None
        for path in paths:
            if signature_of(path) not in (None, taken[path]):
                continue  # another file by now, which has a turn of its own
            if (failure := failed.get(str(path))) is not None and failure.code is Code.DISK_FULL:
                refused = failure  # nothing is wrong with the file: it is painted once there is room
            elif failure is not None:
                self._fail(path, failure)
            else:
                self._done += 1
                self._failures.pop(path, None)
                self._settling.done(path)
        if refused is not None:
            raise StorageError(
                refused.message,
                code=Code.DISK_FULL,
                facts={**refused.facts},
                next_step=refused.next_step,
            )

    def _fail(self, path: Path, error: FramestyleError | TaskFailed) -> None:
        """Where it is not there any more, nothing has failed: somebody took it away."""
        if signature_of(path) is None:
            return
        if isinstance(error, TaskFailed):
            failure = error
        else:
            failure = TaskFailed.of(str(path), error)
            self._context.on_event(failure)
        self._failures[path] = failure
        self._settling.failed(path, self._asked.worded(failure))
