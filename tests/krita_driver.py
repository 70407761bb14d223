"""Runs in Krita (`kritarunner -s krita_driver -f main`): drives the plug-in as a user would, and notes what came of it.

The folder that KRITA_TEST names holds `asked.json`; `found.json` and the layers' pixels are written there.
"""

import json
import os
import time
import traceback
from pathlib import Path

from krita import Krita

HERE = Path(os.environ["KRITA_TEST"])


def main(args=None):
    """All of it; an error is noted too."""
    from PyQt5.QtCore import QEventLoop, QTimer

    asked = json.loads((HERE / "asked.json").read_text())
    found = {}

    def until(done, seconds=60):
        loop, end = QEventLoop(), time.monotonic() + seconds
        timer = QTimer()
        timer.timeout.connect(lambda: loop.quit() if done() or time.monotonic() > end else None)
        timer.start(20)
        if not done():
            loop.exec_()
        assert done(), "it takes too long"

    def document(name, depth="U8", model="RGBA"):
        width, height = asked["sizes"][name]
        made = Krita.instance().createDocument(width, height, name, model, depth, "", 72.0)
        made.setBatchmode(True)
        if model == "RGBA":
            layer = made.createNode("content", "paintlayer")
            made.rootNode().setChildNodes([layer])
            layer.setPixelData((HERE / f"{name}.raw").read_bytes(), 0, 0, width, height)
            made.refreshProjection()
        return made

    def layers(made):
        return [node.name() for node in made.rootNode().childNodes()]

    def paint(name, made, wish, cancel_at_once=False):
        """A painting by itself: what it told."""
        from framestyle_krita.painting import Painting

        told = {"progress": [], "ended": []}
        painting = Painting(made, wish)
        painting.progressed.connect(told["progress"].append)
        painting.painted.connect(lambda layer: told["ended"].append("painted"))
        painting.failed.connect(lambda why: told["ended"].append(why))
        painting.cancelled.connect(lambda: told["ended"].append("cancelled"))
        if cancel_at_once:
            painting.progressed.connect(lambda share: painting.cancel() if share > 0 else None)
        painting.begin()
        until(lambda: told["ended"])
        told["layers"] = layers(made)
        told["at_work"] = painting.is_at_work
        found[name] = told
        if told["ended"] == ["painted"]:
            pixels = made.rootNode().childNodes()[-1].pixelData(0, 0, made.width(), made.height())
            (HERE / f"{name}-painted.raw").write_bytes(bytes(pixels))

    try:
        from framestyle_krita.command import Wish
        from framestyle_krita.docker import FrameStyleDocker

        plain = document("plain")

        class Docker(FrameStyleDocker):
            def document(self):
                return plain

        docker = Docker()
        until(docker.presets.count)
        listed = [docker.presets.item(row) for row in range(docker.presets.count())]
        found["presets"] = [one.text() for one in listed if not one.icon().isNull()]
        docker.presets.setCurrentItem(next(one for one in listed if one.text() == "mosaic"))
        docker.settings.setText(";".join(asked["settings"]))
        docker.side.setValue(0)
        bars = []
        docker.bar.valueChanged.connect(bars.append)
        docker.button.click()
        found["button"] = [docker.button.text()]
        until(lambda: docker.painting is None)
        found["button"].append(docker.button.text())
        found["docker"] = {"told": docker.told.text(), "bar": bars, "layers": layers(plain)}
        docker.grab().save(str(HERE / "docker.png"))
        top = plain.rootNode().childNodes()[-1]
        (HERE / "plain-painted.raw").write_bytes(bytes(top.pixelData(0, 0, plain.width(), plain.height())))

        settings = tuple(asked["settings"])
        deep = Wish("mosaic", settings, 0, device="cpu")
        paint("deep", document("deep", "U16"), deep)
        paint("large", document("large"), Wish("mosaic", settings, 16, device="cpu"))
        endless = (*settings, "scales.first_steps=100000")
        paint("endless", document("plain"), Wish("mosaic", endless, 0, device="cpu"), cancel_at_once=True)
        paint("unknown", document("plain"), Wish("mosiac"))
        paint("grey", document("plain", model="GRAYA"), Wish("mosaic"))
    except BaseException:
        found["error"] = traceback.format_exc()
    (HERE / "found.json").write_text(json.dumps(found))
