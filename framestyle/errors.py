"""What can go wrong, in the user's words: each kind carries its exit code and the next step."""

from __future__ import annotations


class FramestyleError(Exception):
    """One sentence on what is wrong (with path and place), and the next step for the user.

    `exit_code` is part of the command line's contract; see README, "Exit codes".
    """

    exit_code = 1

    def __init__(self, message: str, *, next_step: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step

    def __str__(self) -> str:
        return self.message if self.next_step is None else f"{self.message}\n  {self.next_step}"


class UsageError(FramestyleError):
    """The call itself does not make sense."""

    exit_code = 2


class PresetError(FramestyleError):
    """A preset cannot be found, read, or accepted."""

    exit_code = 3


class BatchError(FramestyleError):
    """Part of a batch failed; the rest is done."""

    exit_code = 4


class InputError(FramestyleError):
    """An input is missing, unreadable, or not what it was taken for."""

    exit_code = 5


class OutputError(FramestyleError):
    """The result could not be encoded or put in its place."""

    exit_code = 6


class StorageError(FramestyleError):
    """The disk is full or refuses."""

    exit_code = 7


class WeightsError(FramestyleError):
    """Network weights are missing, damaged, or not to be had."""

    exit_code = 8


class DeviceError(FramestyleError):
    """The compute device is missing, unusable, or out of memory."""

    exit_code = 9


class Cancelled(BaseException):
    """The call was ended by its caller: raised by a context's `check_cancelled`, or in answer to Ctrl-C or SIGTERM.

    Not a FramestyleError, nor an Exception: nothing on its way up takes it for a failure, to be told and passed over.
    `message` says what is kept, where something is; `next_step` how to resume.
    """

    exit_code = 130

    def __init__(self, message: str = "stopped", *, next_step: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step

    def __str__(self) -> str:
        return self.message if self.next_step is None else f"{self.message}\n  {self.next_step}"
