"""FrameStyle's nodes for ComfyUI (V3): Paint, Video, Preset and Style by image."""

try:
    import framestyle  # noqa: F401
except ModuleNotFoundError as error:
    if error.name != "framestyle":
        raise
    raise ImportError(
        "these nodes need the package framestyle in ComfyUI's own Python. Install it there: "
        "python -m pip install framestyle"
    ) from error

from .nodes import comfy_entrypoint

__all__ = ["comfy_entrypoint"]
