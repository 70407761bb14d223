"""The benchmark of previews tells a preview that shows its render from one that shows another's."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks.preview_agreement import LAYERS, Pair, distances, looks, main, pairs, rows, statistics, table
from framestyle.nst.network.vgg import VGG19
from framestyle.nst.weights.catalog import load_backbone


@pytest.fixture(scope="module")
def network() -> VGG19:
    return VGG19(load_backbone("untrained"), LAYERS)


def test_a_distance_is_symmetric_and_0_for_the_same_and_grows_with_the_difference(network: VGG19) -> None:
    picture = torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(1))
    same, near, far = (statistics(network, image) for image in (picture, picture * 0.9, picture * 0.2))
    little, much = distances(same, near), distances(same, far)
    for layer in LAYERS:
        assert 0 <= distances(same, same)[layer] < 1e-3 < little[layer] < much[layer]
        assert distances(near, same)[layer] == pytest.approx(little[layer], rel=1e-2)


def test_rows_name_the_nearest_picture_of_another_preset_and_the_least_sure_come_first() -> None:
    far = {"a": 9.0, "b": 9.0}
    names = [(preset, kind) for preset in ("one", "two") for kind in ("preview", "render")]
    apart = {frozenset(("one preview", "one render")): 2.0, frozenset(("two preview", "two render")): 6.0,
             frozenset(("one render", "two preview")): 4.0}  # fmt: skip
    found = [
        Pair(first, second, {"a": apart[both], "b": apart[both]} if both in apart else far)
        for number, first in enumerate(names)
        for second in names[number + 1 :]
        for both in [frozenset((" ".join(first), " ".join(second)))]
    ]
    two, one = rows("photo", found)
    assert (two.preset, two.own, two.other, two.nearest, two.part) == ("two", 6, 4, "one render", 1.5)
    assert (one.preset, one.own, one.other, one.nearest, one.part) == ("one", 2, 4, "two preview", 0.5)


def test_the_presets_are_the_looks_each_once() -> None:
    assert {"mosaic", "wave"} <= set(looks())
    assert not {"base", "draft", "nightswirl-draft", "gatys2015"} & set(looks())


def test_a_preview_is_nearer_to_its_render_than_to_another_presets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    y, x = np.mgrid[0:96, 0:128]
    photo = tmp_path / "photo.png"
    Image.fromarray(np.dstack([x * 2, y * 2, (x + y) % 256]).astype(np.uint8)).save(photo)
    steps = ("scales.first_steps=20", "scales.steps=5", "scales.min_px=32", "style.weight=4")
    command = ("--photos", str(photo), "--presets", "mosaic", "wave", "--side", "32", "--full", "64")
    main(
        [*command, "--weights", "untrained", "--device", "cpu", "--set", *steps, "-o", str(tmp_path / "out")]
    )
    report = json.loads((tmp_path / "out" / "preview-agreement.json").read_text())
    assert {row["preset"] for row in report["rows"]} == {"mosaic", "wave"}
    assert all(0 < row["own"] < row["other"] for row in report["rows"])
    written = (tmp_path / "out" / "preview-agreement.md").read_text()
    assert written == capsys.readouterr().out and written.count("\n| photo | ") == 2
    with Image.open(tmp_path / "out" / "photo-sheet.png") as sheet:
        assert sheet.width > 64 and sheet.height > 3 * 24


def test_pairs_are_of_every_two_pictures(network: VGG19) -> None:
    found = statistics(network, torch.full((1, 3, 32, 32), 0.5))
    assert len(pairs({(name, "preview"): found for name in "abc"})) == 3
    assert table([]).count("\n") == 1
