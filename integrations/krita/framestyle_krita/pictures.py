"""A document's pixels to a PNG, and a PNG's to a layer. Krita has BGRA, 8 or 16 bits, not multiplied by alpha."""

from __future__ import annotations

from dataclasses import dataclass

from .qt import QtCore, QtGui
from .selections import confine

DEPTHS = {"U8": (4, QtGui.QImage.Format.Format_ARGB32), "U16": (8, QtGui.QImage.Format.Format_RGBA64)}
"""Bytes a pixel, and Qt's form of it. Qt's ARGB32 is BGRA in memory; its RGBA64 is not."""


class UnfitError(Exception):
    """A document that cannot be painted."""


@dataclass(frozen=True)
class Saved:
    """What a document was when its pixels were saved. `selection`: a byte a pixel; None: nothing was selected."""

    size: tuple[int, int]
    selection: bytes | None


def check(document) -> None:
    """UnfitError, with what to do, where the document is closed, or of another colour space."""
    if not document.width():
        raise UnfitError("The image was closed.")
    if document.colorModel() != "RGBA" or document.colorDepth() not in DEPTHS:
        raise UnfitError(
            f"The image is {document.colorModel()} {document.colorDepth()}. Convert it to RGB of 8 or 16 bits: "
            "Image > Convert Image Color Space."
        )


def save(document, path) -> Saved:
    """What the document shows, as a PNG of its depth. UnfitError where it cannot be written."""
    check(document)
    size, form = DEPTHS[document.colorDepth()]
    width, height = document.width(), document.height()
    pixels = document.pixelData(0, 0, width, height)
    image = QtGui.QImage(pixels, width, height, width * size, form)
    if document.colorDepth() == "U16":
        image = image.rgbSwapped()
    if not image.save(str(path), "PNG"):
        raise UnfitError(f"{path} cannot be written")
    chosen = document.selection()
    return Saved((width, height), None if chosen is None else bytes(chosen.pixelData(0, 0, width, height)))


def put(document, path, name: str, saved: Saved):
    """The picture as a new layer on top, stretched to the document's size; where something was selected, that alone.

    UnfitError where the picture cannot be read, or the document is not what it was.
    """
    check(document)
    size, form = DEPTHS[document.colorDepth()]
    image = QtGui.QImage(str(path))
    if image.isNull():
        raise UnfitError(f"{path} cannot be read")
    image = image.convertToFormat(form)
    width, height = document.width(), document.height()
    if (width, height) != saved.size:
        raise UnfitError("The image has another size by now. Paint it again.")
    if (image.width(), image.height()) != (width, height):
        smooth = QtCore.Qt.TransformationMode.SmoothTransformation
        image = image.scaled(width, height, QtCore.Qt.AspectRatioMode.IgnoreAspectRatio, smooth)
        image = image.convertToFormat(form)
    if document.colorDepth() == "U16":
        image = image.rgbSwapped()
    bits = image.constBits()
    bits.setsize(image.sizeInBytes())
    packed, line, row = bytes(bits), image.bytesPerLine(), width * size
    rows = b"".join(packed[at : at + row] for at in range(0, line * height, line))
    if saved.selection is not None:
        rows = confine(rows, saved.selection, size // 4)
    layer = document.createNode(name, "paintlayer")
    document.rootNode().addChildNode(layer, None)
    layer.setPixelData(QtCore.QByteArray(rows), 0, 0, width, height)
    document.refreshProjection()
    return layer
