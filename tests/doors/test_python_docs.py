"""docs/python.md is true: its examples run in order, as written, with small presets under the names that it uses."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from framestyle.session import Session

PAGE = Path(__file__).resolve().parents[2] / "docs" / "python.md"


@pytest.fixture
def example_world(workplace: Path, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """photo.jpg; presets of few steps in the user's folder, which come before the built-in ones; quick weights."""
    Image.open(photo).save("photo.jpg")
    text = (
        "schema: 1\nextends: {}\nstyle: {{layers: {{relu3_1: 0, relu4_1: 0, relu5_1: 0}}}}\n"
        "content: {{layers: {{relu2_1: 1, relu3_2: 0, relu4_2: 0, relu5_2: 0}}}}\n"
        "scales: {{first_steps: 2, steps: 1}}\nvideo: {{steps: 1, min_steps: 1}}\n"
    )
    folder = workplace.parent / "config" / "framestyle" / "presets"
    folder.mkdir(parents=True)
    for name in ("mosaic", "watercolor"):
        (folder / f"{name}.yaml").write_text(text.format(name))
    opened = Session.open.__func__  # type: ignore[attr-defined]
    monkeypatch.setitem(
        opened.__kwdefaults__, "weights", "untrained"
    )  # all doors pass on what they are given


@pytest.mark.usefixtures("example_world")
def test_every_example_runs_as_it_is_written() -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 10
    known: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), known)
    photo = known["photo"]
    assert len(known["done"]) == 4 and known["stop"].is_set()
    for painted in (
        known["still"],
        *known["done"],
        known["painted"],
        known["first"],
        *known["paintings"],
        *known["moving"],
        known["partly"],
    ):
        assert painted.shape == photo.shape and painted.dtype == np.uint8
    assert np.array_equal(known["partly"][:12], photo[:12]) and (known["partly"] != photo)[13:].any()
    assert sorted(path.name for path in Path().glob("painted*.png")) == [
        "painted-000.png",
        "painted-001.png",
        "painted-002.png",
        "painted-003.png",
        "painted.png",
    ]
    assert {"crosshatch", "inkwash"} <= set(known["names"])
    assert len(known["losses"]) >= 2 and known["losses"][-1] > 0
    assert "mosiac" in known["told"] and "Did you mean mosaic" in known["told"]
