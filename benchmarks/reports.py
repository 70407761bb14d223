"""What every benchmark of the optimiser writes: its rows, and what they were measured on."""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch


def write_report(path: Path, rows: Sequence[Any], settings: argparse.Namespace) -> None:
    """`rows` are dataclasses."""
    report = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.processor() or platform.machine()}, {torch.get_num_threads()} threads",
        "torch": torch.__version__,
        "settings": {key: str(value) for key, value in vars(settings).items()},
        "rows": [asdict(row) for row in rows],
    }
    path.write_text(json.dumps(report, indent=1), encoding="utf-8")
