"""Processes of the command, forked from one that has loaded torch already: all but those seconds is as it always is.

`Popen` and `run` stand for subprocess's, for `[sys.executable, "-m", "framestyle", ...]`, the same with `"-c", code`,
and with a file. A process that is to show what is loaded, or when, is started by subprocess itself.
`tests.warm_python` has a program that others can start as Python.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import threading
from multiprocessing import connection, forkserver, reduction
from pathlib import Path
from typing import Any

LOADED = [
    "torch",
    "framestyle.doors.cli",
    "framestyle.doors.studio.server",
    "framestyle.jobs.run.batch",
    "framestyle.jobs.run.job",
    "tests.warm_weights",
]
PYTHON = "TESTS_PYTHON"
"""What a process of ours takes for its Python, where its environment says so."""
_CONTEXT = multiprocessing.get_context("forkserver")
_AT_ONCE = threading.Lock()
"""How a process has ended is told once, to whoever asks first: multiprocessing asks of all when it starts one."""


def start_server() -> None:
    """The process that others are forked from; nothing where it is there already."""
    _CONTEXT.set_forkserver_preload(LOADED)
    forkserver.ensure_running()


def stop_server() -> None:
    """Ends it, and waits for it."""
    forkserver._forkserver._stop()


class _Descriptor:
    """A file descriptor that travels to a process that is being started."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __reduce__(self) -> tuple[Any, ...]:
        return _detached, (reduction.DupFd(self._number),)


def _detached(given: Any) -> int:
    number: int = given.detach()
    return number


class Popen(subprocess.Popen[Any]):
    """As subprocess's; `preexec_fn` is called in no process, for Ctrl-C is heard in all of them."""

    def _execute_child(self, args: Any, *given: Any) -> None:
        cwd, env = given[4:6]
        *pipes, _, _, _, _, _, new_session, _ = given[9:]
        ours = (pipes[0], pipes[3], pipes[5])
        streams = [_Descriptor(own if own != -1 else number) for number, own in enumerate(ours)]
        place = (dict(os.environ if env is None else env), os.fspath(cwd or Path.cwd()), bool(new_session))
        self._forked = _CONTEXT.Process(target=_run, args=([str(one) for one in args[1:]], place, streams))
        self._forked.daemon = True
        with _AT_ONCE:
            self._forked.start()
        assert self._forked.pid is not None
        self.pid, self._child_created = self._forked.pid, True
        self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]

    def _internal_poll(self, *_: Any, **__: Any) -> int | None:
        with _AT_ONCE:
            if self.returncode is None:
                self.returncode = self._forked.exitcode
            return self.returncode

    @property
    def ended(self) -> int:
        """What can be read of where it has ended, for `multiprocessing.connection.wait`."""
        return self._forked.sentinel

    def _wait(self, timeout: float | None) -> int:
        if self.returncode is None:
            connection.wait([self.ended], timeout)
            if self._internal_poll() is None:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
        assert self.returncode is not None
        return self.returncode


def run(
    command: list[str], *, timeout: float | None = None, check: bool = False, **options: Any
) -> subprocess.CompletedProcess[Any]:
    """As subprocess's."""
    if options.pop("capture_output", False):
        options |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    given = options.pop("input", None)
    if given is not None:
        options["stdin"] = subprocess.PIPE
    with Popen(command, **options) as process:
        try:
            out, err = process.communicate(given, timeout=timeout)
        except BaseException:
            process.kill()
            raise
    done = subprocess.CompletedProcess(command, process.returncode, out, err)
    if check:
        done.check_returncode()
    return done


def _run(arguments: list[str], place: tuple[dict[str, str], str, bool], streams: list[int]) -> None:
    """In the forked process: as Python starts, then what it was asked for."""
    environment, folder, new_session = place
    if new_session:
        os.setsid()
    for number, own in enumerate(streams):
        os.dup2(own, number)
        os.close(own)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    tempfile.tempdir = None
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.executable = environment.get(PYTHON, sys.executable)
    _take_threads()
    try:
        if arguments[0] == "-m":
            sys.argv = arguments[1:]
            runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        elif arguments[0] != "-c":
            sys.argv = arguments
            sys.path.insert(0, str(Path(arguments[0]).parent))
            runpy.run_path(arguments[0], run_name="__main__")
        else:
            sys.argv = ["-c", *arguments[2:]]
            exec(compile(arguments[1], "<string>", "exec"), {"__name__": "__main__"})
    finally:
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()


def _take_threads() -> None:
    """What libraries read of the environment when they are loaded."""
    import torch

    threads = os.environ.get("OMP_NUM_THREADS", "")
    torch.set_num_threads(int(threads) if threads.isdecimal() and int(threads) > 0 else os.cpu_count() or 1)
