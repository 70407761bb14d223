"""FrameStyle in Krita: a docker that paints the picture in a named style, onto a layer of its own.

Krita's Python is not the one that FrameStyle is installed in: the command line is called, with pictures in a temporary
folder. `framestyle integrations install krita` puts this package where Krita looks, and notes beside it where
FrameStyle lies.
"""

from krita import DockWidgetFactory, DockWidgetFactoryBase, Krita

from .docker import FrameStyleDocker

Krita.instance().addDockWidgetFactory(
    DockWidgetFactory("framestyle", DockWidgetFactoryBase.DockRight, FrameStyleDocker)
)
