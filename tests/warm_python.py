"""A program that stands for Python where others start FrameStyle: the work is done in a process of `tests.warm`.

What was started is what is seen, by its number, its arguments, its streams, its signals and its end; ended by force, it
takes the work with it, a moment later: whoever then waits for the end of a pipe from it needs Python itself, which
gets whatever is not one of TAKEN.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import connection
from pathlib import Path
from typing import Any

from tests import warm

TAKEN = ("-m framestyle", "lifeline.py", "pretended_worker.py")
PROGRAM = """\
#!{python} -IS
import os, sys
arguments = sys.argv[1:]
asked = " ".join(arguments[:2]) if arguments[:1] == ["-m"] else os.path.basename(arguments[0] if arguments else "")
if asked not in {taken!r}:
    os.execv({python!r}, [{python!r}, *arguments])
import json, signal, socket
PASSED_ON = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
signal.pthread_sigmask(signal.SIG_BLOCK, PASSED_ON)
door = socket.socket(socket.AF_UNIX)
door.connect({address!r})
socket.send_fds(door, [b"0"], [0, 1, 2])
place = dict(arguments=arguments, cwd=os.getcwd(), env=dict(os.environ))
answers = door.makefile("rw")
answers.write(json.dumps(place) + chr(10))
answers.flush()
process = int(answers.readline())
for number in PASSED_ON:
    signal.signal(number, lambda number, frame: os.kill(process, number))
signal.pthread_sigmask(signal.SIG_UNBLOCK, PASSED_ON)
for descriptor in (0, 1, 2):
    os.close(descriptor)
code = int(answers.readline())
if code < 0:
    signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
os._exit(code)
"""


@contextmanager
def warm_python(folder: Path) -> Iterator[Path]:
    """The program, while the block runs; `warm.start_server` was called before. `folder` is for it alone."""
    program, address = folder / "python3", str(folder / "door")
    program.write_text(PROGRAM.format(python=sys.executable, taken=TAKEN, address=address))
    program.chmod(0o755)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(address)
        door.listen(64)
        threading.Thread(target=_let_in, args=(door,), daemon=True).start()
        yield program
        door.shutdown(socket.SHUT_RDWR)


def _let_in(door: socket.socket) -> None:
    with suppress(OSError):  # it was closed
        while True:
            threading.Thread(target=_stand_for, args=(door.accept()[0],), daemon=True).start()


def _stand_for(asking: socket.socket) -> None:
    """One program: its work is begun, told of, and ended with it."""
    with asking, suppress(OSError):  # the program may be gone by then
        _, streams, _, _ = socket.recv_fds(asking, 1, 3)
        try:
            with asking.makefile() as said:
                process = _begun(json.loads(said.readline()), streams)
        finally:
            for one in streams:
                os.close(one)
        asking.sendall(f"{process.pid}\n".encode())
        connection.wait([process.ended, asking])
        if process.poll() is None:
            with suppress(ProcessLookupError):  # as long as it has not begun a session of its own
                os.killpg(process.pid, signal.SIGKILL)
            process.kill()
        asking.sendall(f"{process.wait()}\n".encode())


def _begun(place: dict[str, Any], streams: list[int]) -> warm.Popen:
    stdin, stdout, stderr = streams
    return warm.Popen(
        [sys.executable, *place["arguments"]],
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        cwd=place["cwd"],
        env=place["env"],
        start_new_session=True,
    )
