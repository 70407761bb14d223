"""A work folder as a job bundle for render farms: an Open Job Description template that paints tasks in chunks, then
joins them (https://github.com/OpenJobDescription, specification 2023-09).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from framestyle.media.files import atomic_output

TEMPLATE = "template.json"
CHUNK = 8
"""Tasks that one session does one after another, by default: the weights are loaded once for them."""
STOP_S = 120
"""Between the farm's notice and its end of a process: a shot checkpoints what is finished of it."""


@dataclass(frozen=True)
class Farm:
    """What the farm is told of a job. `command`: how FrameStyle is started on its machines."""

    name: str
    work: str
    tasks: int
    chunk: int = CHUNK
    command: str = "framestyle"
    device: str = "cpu"


def template(farm: Farm) -> dict[str, Any]:
    """The job template as plain values: a step that paints, in chunks of tasks, and one that joins when all is."""
    paint = ["task", "paint", "{{Param.WorkDir}}", "--only", "{{Task.Param.Task}}"]
    return {
        "specificationVersion": "jobtemplate-2023-09",
        "extensions": ["TASK_CHUNKING"],
        "name": farm.name,
        "parameterDefinitions": [
            {
                "name": "WorkDir",
                "type": "PATH",
                "objectType": "DIRECTORY",
                "dataFlow": "INOUT",
                "default": farm.work,
                "description": "The work folder: tasks, and what is painted of them. All machines must see it.",
            },
            {
                "name": "FrameStyle",
                "type": "STRING",
                "default": farm.command,
                "description": "The command that starts FrameStyle on the farm's machines.",
            },
            {
                "name": "ChunkSize",
                "type": "INT",
                "minValue": 1,
                "default": farm.chunk,
                "description": "Shots and photos that are painted in one go.",
            },
        ],
        "steps": [
            {
                "name": "Paint",
                "parameterSpace": {
                    "taskParameterDefinitions": [
                        {
                            "name": "Task",
                            "type": "CHUNK[INT]",
                            "range": f"0-{farm.tasks - 1}" if farm.tasks > 1 else "0",
                            "chunks": {
                                "defaultTaskCount": "{{Param.ChunkSize}}",
                                "rangeConstraint": "CONTIGUOUS",
                            },
                        }
                    ]
                },
                "script": _script([*paint, "--keep-going", "--progress", "openjd"]),
                "hostRequirements": _requirements(farm.device),
            },
            {
                "name": "Join",
                "dependencies": [{"dependsOn": "Paint"}],
                "script": _script(["task", "join", "{{Param.WorkDir}}", "--progress", "openjd"]),
            },
        ],
    }


def _script(arguments: list[str]) -> dict[str, Any]:
    return {
        "actions": {
            "onRun": {
                "command": "{{Param.FrameStyle}}",
                "args": arguments,
                "cancelation": {"mode": "NOTIFY_THEN_TERMINATE", "notifyPeriodInSeconds": STOP_S},
            }
        }
    }


def _requirements(device: str) -> dict[str, Any]:
    """What a machine must have for the plan's kind of device."""
    if device == "cuda":
        return {"amounts": [{"name": "amount.worker.gpu", "min": 1}]}
    return {"amounts": [{"name": "amount.worker.vcpu", "min": 1}]}


def write_bundle(folder: Path, farm: Farm) -> Path:
    """The template in a bundle's folder, whole or not at all; gives its path."""
    path = folder / TEMPLATE
    with atomic_output(path) as temporary:
        temporary.write_text(json.dumps(template(farm), indent=1), encoding="utf-8")
    return path
