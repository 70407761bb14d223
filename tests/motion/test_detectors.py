"""PySceneDetect is imported without a word to the terminal: by a command in its background, or a cluster's worker."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pty = pytest.importorskip("pty")

SHELL = """
import fcntl, os, signal, subprocess, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
job = subprocess.Popen([sys.executable, "-c", sys.argv[1]], process_group=0)
_, status = os.waitpid(job.pid, os.WUNTRACED)
if os.WIFSTOPPED(status):
    os.killpg(job.pid, signal.SIGKILL)
    sys.exit(f"stopped by {signal.Signals(os.WSTOPSIG(status)).name}")
sys.exit(os.waitstatus_to_exitcode(status))
"""
"""A session of its own on the terminal that is its input, and a job in its background."""


def _in_the_background(code: str) -> subprocess.CompletedProcess[str]:
    """Python at work in the background of a real terminal, as of a shell: `code &`."""
    ours, its = pty.openpty()
    try:
        command = [sys.executable, "-c", SHELL, code]
        return subprocess.run(
            command, stdin=its, capture_output=True, text=True, start_new_session=True, timeout=60
        )
    finally:
        os.close(ours)
        os.close(its)


def test_it_is_imported_in_the_background_of_a_terminal() -> None:
    """Which is the input afterwards, as it was."""
    code = "import os; from framestyle.motion import detectors; raise SystemExit(not os.isatty(0))"
    done = _in_the_background(code)
    assert (done.returncode, done.stderr) == (0, "")
    done = _in_the_background("import termios; termios.tcsetattr(0, 0, termios.tcgetattr(0))")
    assert done.stderr.strip() == "stopped by SIGTTOU"  # it is a terminal
