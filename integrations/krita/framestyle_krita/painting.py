"""One painting of a document, beside Krita's own work: told of by signals, ended by `cancel`."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from . import pictures
from .command import LIFELINE, Listener, NotFoundError, Wish, environment, program_on_a_lifeline
from .qt import QtCore

KILLED_AFTER_MS = 5000
"""So long the command may take to stop when it is told to."""
INTERRUPTED = 130
"""Its exit code then."""


class Painting(QtCore.QObject):
    """`begin` and then one of `painted`, `failed` and `cancelled`; nothing is left on disk after any of them."""

    progressed = QtCore.pyqtSignal(float)
    """How much is done, from 0 to 1."""
    painted = QtCore.pyqtSignal(object)
    """The new layer."""
    failed = QtCore.pyqtSignal(str)
    cancelled = QtCore.pyqtSignal()

    def __init__(self, document, wish: Wish, parent=None) -> None:
        super().__init__(parent)
        self._document, self._wish = document, wish
        self._listener = Listener()
        self._folder: Path | None = None
        self._saved: pictures.Saved | None = None
        self._stopped = False
        self._process = QtCore.QProcess(self)
        self._process.readyReadStandardError.connect(self._hear)
        self._process.finished.connect(self._ended)
        self._process.errorOccurred.connect(self._broken)
        QtCore.QCoreApplication.instance().aboutToQuit.connect(self._leave)

    def begin(self) -> None:
        """Saves what the document shows, and starts the command on it."""
        try:
            self._folder = Path(tempfile.mkdtemp(prefix="framestyle-krita-"))
            self._saved = pictures.save(self._document, self._source)
            first, *others = program_on_a_lifeline(self._folder)
        except (pictures.UnfitError, NotFoundError, OSError) as error:
            self._close()
            self.failed.emit(str(error))
            return
        variables = QtCore.QProcessEnvironment()
        for name, value in environment().items():
            variables.insert(name, value)
        self._process.setProcessEnvironment(variables)
        self._process.setStandardOutputFile(QtCore.QProcess.nullDevice())
        self.progressed.emit(0.0)
        self._process.start(first, [*others, *self._wish.arguments(self._source, self._target)])

    def cancel(self) -> None:
        """Stops within a step."""
        self._stopped = True
        self._tell_to_stop()
        QtCore.QTimer.singleShot(KILLED_AFTER_MS, self._process.kill)

    def _leave(self) -> None:
        """Krita ends: so does what it has started."""
        if self.is_at_work:
            self._stopped = True
            self._tell_to_stop()
            if not self._process.waitForFinished(KILLED_AFTER_MS):
                self._process.kill()
                self._process.waitForFinished(KILLED_AFTER_MS)
        self._close()

    def _tell_to_stop(self) -> None:
        self._process.closeWriteChannel()
        if str(LIFELINE) not in self._process.arguments():
            self._process.terminate()  # on Windows a program without a window does not hear of it

    @property
    def is_at_work(self) -> bool:
        """Whether the command runs."""
        return self._process.state() != QtCore.QProcess.ProcessState.NotRunning

    @property
    def _source(self) -> Path:
        return self._folder / "picture.png"

    @property
    def _target(self) -> Path:
        return self._folder / "painted.png"

    def _hear(self) -> None:
        self._listener.hear(bytes(self._process.readAllStandardError()))
        self.progressed.emit(self._listener.share)

    def _broken(self, error) -> None:
        if error == QtCore.QProcess.ProcessError.FailedToStart:
            self._close()
            self.failed.emit(f"FrameStyle cannot be started: {self._process.errorString()}")

    def _ended(self, code: int, status) -> None:
        self._hear()
        try:
            if self._stopped or code == INTERRUPTED:
                self.cancelled.emit()
            elif code or status != QtCore.QProcess.ExitStatus.NormalExit:
                self.failed.emit(self._listener.why())
            else:
                self._put()
        finally:
            self._close()

    def _put(self) -> None:
        try:
            name = f"FrameStyle: {self._wish.preset}"
            layer = pictures.put(self._document, self._target, name, self._saved)
        except (pictures.UnfitError, RuntimeError) as error:  # the document may have been closed meanwhile
            self.failed.emit(str(error))
            return
        self.progressed.emit(1.0)
        self.painted.emit(layer)

    def _close(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
