"""Helper processes that are asked in lines of JSON: what they do may take long, need much memory, or die."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

Message = Mapping[str, Any]
LINE_BYTES = 1 << 22


class Helper:
    """A process of `python -m MODULE`, started with the first message and again after it has died.

    Each line of its standard output is a message for `on_message`; `on_death` is called where it ended by itself.
    """

    def __init__(
        self, module: str, on_message: Callable[[Message], None], on_death: Callable[[], None]
    ) -> None:
        self._module, self._on_message, self._on_death = module, on_message, on_death
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()

    @property
    def is_alive(self) -> bool:
        """Whether it runs now."""
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int | None:
        """Of the process that runs now."""
        return self._process.pid if self._process is not None and self.is_alive else None

    async def send(self, message: Message) -> None:
        """One line; the process is started where there is none."""
        async with self._starting:
            if not self.is_alive:
                await self._start()
        assert self._process is not None and self._process.stdin is not None
        with contextlib.suppress(ConnectionError):  # its death is told by the reader
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            await self._process.stdin.drain()

    async def _start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            self._module,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            # A Ctrl-C in the terminal reaches the server alone, and the server ends its helpers.
            start_new_session=True,
            limit=LINE_BYTES,
        )
        self._reader = asyncio.create_task(self._read(self._process))

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            with contextlib.suppress(json.JSONDecodeError):
                self._on_message(json.loads(line))
        await process.wait()
        if process is self._process:
            self._process = None
            self._on_death()

    async def end(self) -> None:
        """Ends it, with what it has started."""
        process, self._process = self._process, None
        if process is None:
            return
        end_group(process.pid)
        if self._reader is not None:
            self._reader.cancel()
        await process.wait()


def end_group(pid: int) -> None:
    """Ends a process that leads a session, and its children."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGTERM)


class HelperFailedError(Exception):
    """A question has no answer: the helper died, or took too long."""


class Answering:
    """A helper whose messages are answers to questions, each with the question's number."""

    def __init__(self, module: str, timeout_s: float) -> None:
        self._helper = Helper(module, self._answered, self._died)
        self._timeout_s = timeout_s
        self._open: dict[int, asyncio.Future[Message]] = {}
        """Questions that the helper has been sent: those that wait their turn do not die with it."""
        self.waiting = 0
        """Questions without an answer yet."""
        self._numbers = count()
        self._turn = asyncio.Lock()

    async def ask(self, question: Message) -> Message:
        """The answer. One question is asked at a time, so that the time limit is each question's own."""
        number = next(self._numbers)
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self.waiting += 1
        try:
            async with self._turn:
                self._open[number] = answer
                return await self._answer_to({**question, "number": number}, answer)
        finally:
            self.waiting -= 1
            self._open.pop(number, None)

    async def _answer_to(self, question: Message, answer: asyncio.Future[Message]) -> Message:
        try:
            await self._helper.send(question)
            return await asyncio.wait_for(answer, self._timeout_s)
        except TimeoutError as error:
            await self._helper.end()
            raise HelperFailedError("it took too long to read") from error

    def _answered(self, message: Message) -> None:
        waiting = self._open.get(int(message.get("number", -1)))
        if waiting is not None and not waiting.done():
            waiting.set_result(message)

    def _died(self) -> None:
        for waiting in self._open.values():
            if not waiting.done():
                waiting.set_exception(
                    HelperFailedError("it needs more memory than it may have, or is harmful")
                )

    async def end(self) -> None:
        """Ends the process."""
        await self._helper.end()
