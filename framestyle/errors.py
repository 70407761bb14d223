"""What can go wrong: each kind carries its exit code, a word for programs, and the facts that advice is made of.

What to do next is worded by the door that is used (`doors/advice.py`): nothing here or below the doors knows an option
of the command line. docs/errors.md lists the codes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from typing import ClassVar, Self, TypeAlias

Fact: TypeAlias = str | int | float | bool | list[str] | None
"""What JSON can hold as it is."""
Facts: TypeAlias = Mapping[str, Fact]


class Code(StrEnum):
    """What happened, in a word that stays the same from version to version. docs/errors.md says what each means."""

    FAILED = "failed"

    USAGE_WRONG = "usage-wrong"
    OUTPUT_NOT_A_FOLDER = "output-not-a-folder"
    PRESETS_SHARE_A_NAME = "presets-share-a-name"
    WEIGHTS_FROM_FILE = "weights-from-file"

    PRESET_UNUSABLE = "preset-unusable"
    PRESET_UNKNOWN = "preset-unknown"
    PRESET_UNREADABLE = "preset-unreadable"
    PRESET_IS_PICTURE = "preset-is-picture"
    PRESET_EMPTY = "preset-empty"
    PRESET_INVALID = "preset-invalid"
    PRESET_ZIP_REFUSED = "preset-zip-refused"
    STYLE_MISSING = "style-missing"
    MASK_MISSING = "mask-missing"
    REGIONS_MISSING = "regions-missing"

    PART_FAILED = "part-failed"

    INPUT_UNUSABLE = "input-unusable"
    INPUT_MISSING = "input-missing"
    INPUT_UNKNOWN = "input-unknown"
    RANGE_EMPTY = "range-empty"
    SEQUENCE_UNCLEAR = "sequence-unclear"
    STREAM_UNKNOWN = "stream-unknown"
    STREAM_CUT_SHORT = "stream-cut-short"
    STREAM_ONCE = "stream-once"

    OUTPUT_UNUSABLE = "output-unusable"
    OUTPUT_EXISTS = "output-exists"
    OUTPUT_IS_FOLDER = "output-is-folder"
    OUTPUT_IS_INPUT = "output-is-input"
    OUTPUT_NAME_REFUSED = "output-name-refused"
    OUTPUT_BUSY = "output-busy"
    OUTPUT_DAMAGED = "output-damaged"
    PRESET_EXISTS = "preset-exists"
    PRESET_BUILT_IN = "preset-built-in"
    WORK_CHANGED = "work-changed"
    WORK_DAMAGED = "work-damaged"
    WORK_UNFINISHED = "work-unfinished"
    ENCODER_MISSING = "encoder-missing"
    ENCODER_FAILED = "encoder-failed"
    CODEC_TOO_SMALL = "codec-too-small"
    HDR_NEEDS_BITS = "hdr-needs-bits"
    HDR_NOT_IN_IMAGES = "hdr-not-in-images"

    STORAGE_REFUSES = "storage-refuses"
    DISK_FULL = "disk-full"

    WEIGHTS_UNUSABLE = "weights-unusable"
    WEIGHTS_MISSING = "weights-missing"
    WEIGHTS_NOT_FETCHED = "weights-not-fetched"
    WEIGHTS_OF_FLOW = "weights-of-flow"
    WEIGHTS_DAMAGED = "weights-damaged"
    WEIGHTS_SHAPES = "weights-shapes"

    DEVICE_UNUSABLE = "device-unusable"
    DEVICE_ABSENT = "device-absent"
    DEVICE_DRIVER = "device-driver"
    DEVICE_MEMORY = "device-memory"
    MEMORY_LIMIT = "memory-limit"
    LOSS_NOT_FINITE = "loss-not-finite"

    HOST_NOT_FOUND = "host-not-found"
    HOST_NOTHING = "host-nothing"
    HOST_FILE_EXISTS = "host-file-exists"

    INTERRUPTED = "interrupted"
    INTERRUPTED_PART_WAY = "interrupted-part-way"
    STREAM_CLOSED = "stream-closed"

    # Of notes, and of what the doctor finds: nothing fails.
    HDR_KEPT = "hdr-kept"
    TEN_BITS = "ten-bits"
    MEMORY_LITTLE = "memory-little"
    WEIGHTS_NOT_HERE = "weights-not-here"
    FOLDER_OF_RESULTS = "folder-of-results"
    HOST_NOT_WHOLE = "host-not-whole"
    HOST_GONE = "host-gone"


class Explained(BaseException):
    """One sentence on what is wrong (with path and place), a code, and facts: plain values that advice is made of.

    `next_step` is advice that holds whatever door the user came by; where it depends on the door it is None, and the
    door words it from code and facts. `exit_code` is part of the command line's contract; see docs/troubleshooting.md.
    """

    exit_code: ClassVar[int] = 1
    code: Code = Code.FAILED

    def __init__(
        self,
        message: str,
        *,
        code: Code | None = None,
        facts: Facts | None = None,
        next_step: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.facts: Facts = dict(facts or {})
        self.next_step = next_step

    def __str__(self) -> str:
        return self.message if self.next_step is None else f"{self.message}\n  {self.next_step}"


class FramestyleError(Explained, Exception):
    """What has failed; see `Explained` for what it carries."""

    def with_next_step(self, next_step: str | None) -> Self:
        """This error itself, as `with_traceback` gives it, with the advice of the door that it goes out by."""
        self.next_step = next_step
        return self

    def retold(self, message: str, facts: Facts) -> Self:
        """Another error of this kind, code and advice, in other words and with other facts."""
        return type(self)(message, code=self.code, facts=facts, next_step=self.next_step)


class UsageError(FramestyleError):
    """The call itself does not make sense."""

    exit_code = 2
    code = Code.USAGE_WRONG


class PresetError(FramestyleError):
    """A preset cannot be found, read, or accepted."""

    exit_code = 3
    code = Code.PRESET_UNUSABLE


class BatchError(FramestyleError):
    """Part of a batch failed; the rest is done."""

    exit_code = 4
    code = Code.PART_FAILED


class InputError(FramestyleError):
    """An input is missing, unreadable, or not what it was taken for."""

    exit_code = 5
    code = Code.INPUT_UNUSABLE


class OutputError(FramestyleError):
    """The result could not be encoded or put in its place."""

    exit_code = 6
    code = Code.OUTPUT_UNUSABLE


class StorageError(FramestyleError):
    """The disk is full or refuses."""

    exit_code = 7
    code = Code.STORAGE_REFUSES


class WeightsError(FramestyleError):
    """Network weights are missing, damaged, or not to be had."""

    exit_code = 8
    code = Code.WEIGHTS_UNUSABLE


class DeviceError(FramestyleError):
    """The compute device is missing, unusable, or out of memory."""

    exit_code = 9
    code = Code.DEVICE_UNUSABLE


@contextmanager
def foreign_errors(ours: Callable[[Exception], FramestyleError]) -> Iterator[None]:
    """What else is raised inside becomes one of ours: around libraries that raise whatever they like."""
    try:
        yield
    except FramestyleError:
        raise
    except Exception as error:
        raise ours(error) from error


class Cancelled(Explained):
    """The call was ended by its caller: raised by a context's `check_cancelled`, or in answer to Ctrl-C or SIGTERM.

    Not a FramestyleError, nor an Exception: nothing on its way up takes it for a failure, to be told and passed over.
    `message` says what is kept, where something is; code, facts and `next_step` are those of a FramestyleError.
    """

    exit_code = 130
    code = Code.INTERRUPTED

    def __init__(
        self,
        message: str = "stopped",
        *,
        code: Code | None = None,
        facts: Facts | None = None,
        next_step: str | None = None,
    ) -> None:
        super().__init__(message, code=code, facts=facts, next_step=next_step)
