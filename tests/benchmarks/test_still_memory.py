"""The benchmark of photos' memory paints as asked, and reckons by what a photo is larger."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from benchmarks.still_memory import Row, main, table


def test_extra_memory_is_of_a_megapixel() -> None:
    row = Row("gram", 1000, 2000, 1_200_000_000, 7_200_000_000, 8.4)
    assert row.gb_a_megapixel == pytest.approx(2.0)
    assert table([row]).splitlines()[-1] == "| gram | 1000, 2000 | 1.20, 7.20 | 2.00 | 8 |"


def test_photos_are_painted_at_both_sizes_as_asked(tmp_path: Path) -> None:
    ways = ["--ours", "plain", "--ours", "twice:content.layers={relu4_2: 2},tv_weight=0"]
    main([*ways, "--sides", "32", "48", "--weights", "untrained", "-o", str(tmp_path)])
    with Image.open(tmp_path / "painted-48.png") as painted:
        assert painted.size == (48, 48)
    rows = json.loads((tmp_path / "still-memory.json").read_text(encoding="utf-8"))["rows"]
    assert [row["way"] for row in rows] == ["plain", "twice"]
    assert all(row["larger_bytes"] > 100 << 20 and row["processor_s"] > 0 for row in rows)


def test_what_cannot_be_painted_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="no-such-preset"):
        main(["--ours", "plain", "--preset", "no-such-preset", "-o", str(tmp_path)])
