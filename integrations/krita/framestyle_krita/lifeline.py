"""FrameStyle's command line, in its own Python: it ends where its standard input does, with Krita, however that ends.

`python lifeline.py FOLDER ARGUMENTS…`; the folder of temporary files goes, too: nobody else may be left to remove it.
"""

import _thread
import os
import runpy
import shutil
import signal
import sys
import threading


def main() -> None:
    """The command; its exit code is its own."""
    sys.path.pop(0)  # this folder: its modules are Krita's
    folder, cut = sys.argv.pop(1), threading.Event()
    threading.Thread(target=_watch, args=(cut,), daemon=True).start()
    try:
        runpy.run_module("framestyle", run_name="__main__", alter_sys=True)
    finally:
        if cut.is_set():
            shutil.rmtree(folder, ignore_errors=True)


def _watch(cut: threading.Event) -> None:
    while os.read(0, 1024):  # nothing is ever sent
        pass
    cut.set()
    if os.name == "posix":
        os.kill(os.getpid(), signal.SIGINT)
    else:
        _thread.interrupt_main()


if __name__ == "__main__":
    main()
