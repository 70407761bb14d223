"""Runs in Krita (`kritarunner -s krita_driver -f main`): works the docker as a user would, and tells what came of it.

Requests come as lines of JSON by the descriptor KRITA_ASKED, an answer goes back for each by KRITA_TOLD:
`krita_host.py` is the other end. Krita's own event loop runs while a request is at work.
"""

import json
import os
import time
import traceback
from pathlib import Path

from krita import Krita, Selection


def main(args=None):
    """Until no more is asked; an error is told, too."""
    told = int(os.environ["KRITA_TOLD"])
    driver = Driver()
    with os.fdopen(int(os.environ["KRITA_ASKED"]), encoding="utf-8") as asked:
        for line in asked:
            request = json.loads(line)
            try:
                answer = getattr(driver, request.pop("do"))(**request)
            except BaseException:
                answer = {"error": traceback.format_exc()}
            os.write(told, json.dumps(answer).encode() + b"\n")


def until(done, seconds=120):
    """Krita works on until something is so."""
    from PyQt5.QtCore import QEventLoop, QTimer

    loop, end = QEventLoop(), time.monotonic() + seconds
    timer = QTimer()
    timer.timeout.connect(lambda: loop.quit() if done() or time.monotonic() > end else None)
    timer.start(20)
    if not done():
        loop.exec_()
    assert done(), "it takes too long"


class Driver:
    """The docker, as long as Krita runs, and one document after another."""

    def __init__(self):
        from framestyle_krita.docker import FrameStyleDocker

        driver = self
        self.document = self.wish = None

        class Docker(FrameStyleDocker):
            def document(self):
                return driver.document

            def wish(self):
                return driver.wish or super().wish()

        self.docker = Docker()

    def presets(self):
        """Those that are listed with a picture."""
        listed = self.docker.presets
        until(listed.count)
        items = [listed.item(row) for row in range(listed.count())]
        return {"presets": [one.text() for one in items if not one.icon().isNull()]}

    def type(self, text, shortcuts):
        """Keys for the list of presets, in a window of which some letters are the shortcuts."""
        from PyQt5.QtTest import QTest
        from PyQt5.QtWidgets import QAction, QApplication, QMainWindow

        until(self.docker.presets.count)
        window, taken = QMainWindow(), []
        for keys in shortcuts:
            action = QAction(keys, window)
            action.setShortcut(keys)
            action.triggered.connect(lambda _, keys=keys: taken.append(keys))
            window.addAction(action)
        window.setCentralWidget(self.docker)
        window.show()
        QApplication.setActiveWindow(window)
        self.docker.presets.setFocus()
        QTest.keyClicks(self.docker.presets, text)
        chosen = self.docker.presets.currentItem().text()
        QTest.keySequence(self.docker.presets, shortcuts[-1])
        window.takeCentralWidget().setParent(None)
        return {"chosen": chosen, "taken": taken}

    def paint(
        self,
        size,
        pixels=None,
        depth="U8",
        model="RGBA",
        wish=None,
        controls=None,
        selection=None,
        then=None,
        into=None,
    ):
        """A document painted by the button, with the controls as they are set or with a `wish`.

        `then`, at the first step that is told of: "cancel" by the button, "close" the document or "convert" it; or
        "leave" it at work. `into`: the file for the pixels of the layer on top.
        """
        self.document = made = _document(size, pixels, depth, model)
        if selection is not None:
            made.setSelection(_selection(size, selection))
        self.wish = None if wish is None else _wish(wish)
        if controls is not None:
            self._set(**controls)
        docker, shares, late, bars, buttons = self.docker, [], [], [], []
        docker.bar.valueChanged.connect(bars.append)
        docker.told.setText("")
        docker.button.click()
        buttons.append(docker.button.text())
        acts = {"cancel": docker.button.click, "close": made.close, "convert": lambda: _grey(made)}
        acted_s = None

        def heard(share):
            nonlocal acted_s
            (shares if acted_s is None else late).append(share)
            if then in acts and share > 0 and acted_s is None:
                acted_s = time.monotonic()
                acts[then]()

        if docker.painting is not None:
            shares.append(0.0)  # told as it began, before anyone could listen
            docker.painting.progressed.connect(heard)
        if then == "leave":
            until(lambda: len(shares) > 1)
            return {}
        until(lambda: docker.painting is None)
        ended_s = time.monotonic()
        docker.bar.valueChanged.disconnect(bars.append)
        buttons.append(docker.button.text())
        answer = {"told": docker.told.text(), "shares": shares, "late": late, "bar": bars, "button": buttons}
        if acted_s is not None:
            answer["seconds"] = ended_s - acted_s
        if then != "close":
            nodes = made.rootNode().childNodes()
            answer["layers"] = [node.name() for node in nodes]
            if into is not None:
                Path(into).write_bytes(bytes(nodes[-1].pixelData(0, 0, made.width(), made.height())))
            made.close()
        return answer

    def _set(self, preset, settings, side):
        docker = self.docker
        items = [docker.presets.item(row) for row in range(docker.presets.count())]
        docker.presets.setCurrentItem(next(one for one in items if one.text() == preset))
        docker.settings.setText(settings)
        docker.side.setValue(side)


def _wish(told):
    from framestyle_krita.command import Wish

    return Wish(**{**told, "settings": tuple(told.get("settings", ()))})


def _document(size, pixels, depth, model):
    width, height = size
    made = Krita.instance().createDocument(width, height, "a document", model, depth, "", 72.0)
    made.setBatchmode(True)
    if pixels is not None:
        layer = made.createNode("content", "paintlayer")
        made.rootNode().setChildNodes([layer])
        layer.setPixelData(Path(pixels).read_bytes(), 0, 0, width, height)
        made.refreshProjection()
    return made


def _selection(size, path):
    """A byte a pixel: how much of it is selected."""
    made = Selection()
    made.setPixelData(Path(path).read_bytes(), 0, 0, *size)
    return made


def _grey(made):
    made.setColorSpace("GRAYA", "U8", "")
    made.waitForDone()
