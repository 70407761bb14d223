"""The docker: presets with their style images, settings, progress and cancel."""

from __future__ import annotations

import json

from krita import DockWidget, Krita

from .command import NotFoundError, Wish, environment, program
from .painting import Painting
from .qt import QtCore, QtGui, QtWidgets

ICON_PX = 64
ROWS_SHOWN = 2
"""At least, of presets; Krita gives a docker no more than it asks for."""
FIRST_SIDE_PX = 320
"""A first look within a minute or two without a GPU; the user raises it for the picture that stays."""
PATH = QtCore.Qt.ItemDataRole.UserRole


class PresetList(QtWidgets.QListWidget):
    """Typed letters choose a preset: Krita would take some of them as its own shortcuts."""

    def event(self, event) -> bool:
        """Qt asks whoever has the keys before it looks for a shortcut."""
        if event.type() == QtCore.QEvent.Type.ShortcutOverride and _is_typed(event):
            event.accept()
            return True
        return super().event(event)


def _is_typed(key) -> bool:
    """Whether a key writes something, and commands nothing."""
    modifiers = QtCore.Qt.KeyboardModifier
    commands = modifiers.ControlModifier | modifiers.AltModifier | modifiers.MetaModifier
    return bool(key.text()) and key.text().isprintable() and not key.modifiers() & commands


class FrameStyleDocker(DockWidget):
    """Paints the active document. One painting at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle("FrameStyle")
        self.painting: Painting | None = None
        self.presets = PresetList()
        self.presets.setIconSize(QtCore.QSize(ICON_PX, ICON_PX))
        self.presets.setMinimumHeight(ROWS_SHOWN * ICON_PX)
        self.settings = QtWidgets.QLineEdit()
        self.settings.setPlaceholderText("strength=0.7; color.preserve=luminance")
        self.settings.setToolTip("KEY=VALUE of the preset, several with ; between them")
        self.side = QtWidgets.QSpinBox()
        self.side.setRange(0, 100_000)
        self.side.setValue(FIRST_SIDE_PX)
        self.side.setSuffix(" px")
        self.side.setSpecialValueText("the image's own")
        self.side.setToolTip(
            "Longest side to paint at; the layer is stretched to the image. Time grows with its square."
        )
        self.button = QtWidgets.QPushButton("Paint")
        self.bar = QtWidgets.QProgressBar()
        self.bar.setRange(0, 100)
        self.told = QtWidgets.QLabel()
        self.told.setWordWrap(True)
        self._lay_out()
        self.button.clicked.connect(self.begin_or_cancel)
        self._listing = QtCore.QProcess(self)
        self._listing.finished.connect(self._listed)
        self.list_presets()

    def canvasChanged(self, canvas) -> None:  # noqa: N802
        """Krita's: nothing depends on it, for the active document is asked for when Paint is pressed."""

    def document(self):
        """What is to be painted."""
        return Krita.instance().activeDocument()

    # -- presets -------------------------------------------------------------------------------------------

    def list_presets(self) -> None:
        """Asks FrameStyle for its presets; the list is filled when it answers."""
        try:
            first, *others = program()
        except NotFoundError as error:
            self.told.setText(str(error))
            return
        variables = QtCore.QProcessEnvironment()
        for name, value in environment().items():
            variables.insert(name, value)
        self._listing.setProcessEnvironment(variables)
        self._listing.start(first, [*others, "presets", "list", "--json"])

    def _listed(self, code: int, _) -> None:
        if code:
            self.told.setText(bytes(self._listing.readAllStandardError()).decode("utf-8", "replace"))
            return
        for preset in json.loads(bytes(self._listing.readAllStandardOutput())):
            item = QtWidgets.QListWidgetItem(preset["name"])
            item.setToolTip(preset["description"])
            item.setData(PATH, preset["name"])
            if preset["images"]:
                item.setIcon(QtGui.QIcon(_thumbnail(preset["images"][0])))
            self.presets.addItem(item)
        self.presets.setCurrentRow(0)

    # -- painting ------------------------------------------------------------------------------------------

    def wish(self) -> Wish:
        """What the controls say."""
        chosen = self.presets.currentItem()
        settings = tuple(one.strip() for one in self.settings.text().split(";") if one.strip())
        return Wish("" if chosen is None else chosen.data(PATH), settings, self.side.value())

    def begin_or_cancel(self) -> None:
        """The button: Paint, or Cancel while it paints."""
        if self.painting is not None:
            self.painting.cancel()
            return
        document, wish = self.document(), self.wish()
        if document is None or not wish.preset:
            self.told.setText("Open an image and choose a preset.")
            return
        self.painting = Painting(document, wish, self)
        self.painting.progressed.connect(lambda share: self.bar.setValue(round(100 * share)))
        self.painting.painted.connect(lambda layer: self._end(f"Painted onto the layer {layer.name()}."))
        self.painting.failed.connect(self._end)
        self.painting.cancelled.connect(lambda: self._end("Cancelled; nothing was changed."))
        self.button.setText("Cancel")
        self.told.setText("")
        self.painting.begin()

    def _end(self, said: str) -> None:
        if self.painting is not None:
            self.painting.deleteLater()
        self.painting = None
        self.button.setText("Paint")
        self.bar.reset()
        self.told.setText(said)

    def _lay_out(self) -> None:
        inside = QtWidgets.QWidget()
        rows = QtWidgets.QVBoxLayout(inside)
        rows.addWidget(self.presets)
        form = QtWidgets.QFormLayout()
        form.addRow("Settings", self.settings)
        form.addRow("Longest side", self.side)
        rows.addLayout(form)
        for widget in (self.button, self.bar, self.told):
            rows.addWidget(widget)
        self.setWidget(inside)


def _thumbnail(path: str) -> QtGui.QPixmap:
    """Read small: a style image may be large."""
    reader = QtGui.QImageReader(path)
    size = reader.size()
    size.scale(ICON_PX, ICON_PX, QtCore.Qt.AspectRatioMode.KeepAspectRatio)
    reader.setScaledSize(size)
    return QtGui.QPixmap.fromImage(reader.read())
