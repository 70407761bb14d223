"""The measures of looks see what they say, on pictures whose values are known; nobody is made to paint here."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter
from torch_threads import torch_threads

from benchmarks import distances, looks, looks_sheets
from benchmarks.distances import Judge, bulge, grain, lattice, weave
from benchmarks.looks import Painted, Pair, Row, Way
from framestyle.nst.weights.catalog import load_backbone

WIDTH, HEIGHT = 96, 64
Levels = Callable[[np.ndarray, np.ndarray], np.ndarray]


def drawn(levels: Levels, width: int = WIDTH, height: int = HEIGHT) -> Image.Image:
    """Gray, by x and y."""
    y, x = np.mgrid[:height, :width]
    level = np.clip(np.rint(levels(x, y) + np.zeros(x.shape)), 0, 255).astype(np.uint8)
    return Image.fromarray(level).convert("RGB")


def coloured(width: int, height: int, turns: float) -> Image.Image:
    """Slopes and waves, another in each channel."""
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(turns * (x * a + y * b) / width) for a, b in ((3, 1), (1, 4), (5, -2))]
    return Image.fromarray(np.rint(127.5 + 100 * np.stack(waves, axis=-1)).astype(np.uint8))


def strokes(seed: int = 1) -> Image.Image:
    """Crisp bars across each other, of any width from one to twelve pixels."""
    random = np.random.default_rng(seed)
    level = np.full((HEIGHT, WIDTH), 128.0)
    for _ in range(400):
        width, height = (12, random.integers(1, 12))[:: random.choice((1, -1))]
        left, top = random.integers(-8, WIDTH), random.integers(-8, HEIGHT)
        level[max(top, 0) : top + height, max(left, 0) : left + width] = random.integers(60, 200)
    return Image.fromarray(level.astype(np.uint8)).convert("RGB")


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge(load_backbone("original"))


def test_a_picture_is_at_no_distance_from_itself(judge: Judge) -> None:
    picture = coloured(48, 32, 6.0)
    found = judge(picture, picture, picture)
    assert (found.style, found.content) == (0, 0) and found.style_by_layer == (0,) * 5


def test_distances_in_the_original_network_are_what_another_program_found(judge: Judge) -> None:
    """Values by another implementation of the same definitions, on torch 2.14.1."""
    found = judge(coloured(48, 32, 6.0), coloured(96, 64, 2.0), coloured(60, 90, 20.0))
    assert found.style == pytest.approx(18.7763, rel=1e-3)
    assert found.content == pytest.approx(1.86822, rel=1e-3)
    assert found.style_by_layer == pytest.approx((3.65776, 7.40807, 44.5778, 17.5335, 20.7043), rel=1e-3)


def test_the_distances_by_hand() -> None:
    """One channel of ones against one of twos; a channel of variance 1 that is off by 3."""
    ones, twos = torch.ones(1, 2, 2), torch.full((1, 3, 1), 2.0)
    assert distances.gram_distance(ones, twos) == pytest.approx((1 - 4) ** 2 / 4**2)
    wanted = torch.tensor([[[1.0, -1.0]]])
    assert distances.content_distance(wanted + 3, wanted) == pytest.approx(9)
    content, style = np.zeros(2, np.float32), np.asarray([3, 4], np.float32)
    assert distances.embedding_distance(style, content, style) == 0
    assert distances.embedding_distance(content, content, style) == 1
    assert distances.embedding_distance(style / 2, content, style) == pytest.approx(0.5)


def test_the_style_is_scaled_to_the_pictures_area() -> None:
    size = distances.at_working_size(Image.new("RGB", (400, 100)), Image.new("RGB", (50, 50))).size
    assert size == (100, 25)


def test_no_lattice_where_nothing_is_and_none_against_itself() -> None:
    assert bulge(drawn(lambda x, y: x * 0 + 90)) == pytest.approx(0)
    picture = strokes()
    assert lattice(picture, picture) == 0


@pytest.mark.parametrize(
    "dots",
    [
        lambda x, y: 10 * ((x // 2 + y // 2) % 2),
        lambda x, y: 10 * ((x + y) % 2),
        lambda x, y: 8 * np.sin(2 * np.pi * x / 4) * np.sin(2 * np.pi * y / 4),
        lambda x, y: 5 * np.sin(2 * np.pi * (x + y) / 4.4),
    ],
    ids=["squares of 2 px", "pixels", "dots 4 px apart", "ripples of 3 px"],
)
def test_dots_and_ripples_are_seen_on_a_slope(dots: Levels) -> None:
    slope = drawn(lambda x, y: 60 + x / 2)
    assert abs(bulge(slope)) < 0.1
    assert lattice(drawn(lambda x, y: 60 + x / 2 + dots(x, y)), slope) > 0.7


def test_dots_in_the_dark_are_seen_beside_strokes() -> None:
    """A third of the picture is dark, and has dots or none."""
    picture, dark = np.asarray(strokes()).copy(), slice(0, WIDTH // 3)
    picture[:, dark] = 20
    without = Image.fromarray(picture.copy())
    picture[:, dark] = np.asarray(drawn(lambda x, y: 16 + 9 * ((x // 2 + y // 2) % 2)))[:, dark]
    assert lattice(Image.fromarray(picture), without) > 0.5


def test_strokes_grain_and_a_blur_are_no_lattice() -> None:
    """Not even a blur of a lattice."""
    grain = np.random.default_rng(2).normal(0, 10, (HEIGHT, WIDTH))
    dots = drawn(lambda x, y: 120 + 10 * ((x // 2 + y // 2) % 2))
    assert bulge(dots) > 1
    for picture in (
        strokes(),
        drawn(lambda x, y: 128 + grain),
        strokes().filter(ImageFilter.GaussianBlur(1.5)),
    ):
        assert bulge(picture) < 0.5
    assert bulge(dots.filter(ImageFilter.GaussianBlur(3))) < 0.1


def test_grain_is_seen_and_a_picture_has_none_against_itself() -> None:
    noise = np.random.default_rng(2).normal(0, 6, (HEIGHT, WIDTH))
    slope, rough = drawn(lambda x, y: 60 + x / 2), drawn(lambda x, y: 60 + x / 2 + noise)
    assert grain(rough, rough) == 0
    assert grain(rough, slope) > 0.5 and grain(slope, rough) < -0.5
    assert grain(drawn(lambda x, y: 60 + x / 2 + 5 * np.sin(x * np.pi / 2)), slope) < 0.1


def test_a_weave_is_fine_detail_along_rows_and_columns() -> None:
    """Noise has none, nor has what is coarse; along the diagonals it is less than none."""
    noise = np.random.default_rng(2).normal(0, 10, (HEIGHT, WIDTH))
    even = drawn(lambda x, y: 128 + noise)
    assert weave(even, even) == 0
    woven = drawn(lambda x, y: 128 + noise + 9 * np.sin(x * 2.6) + 9 * np.sin(y * 2.6))
    assert weave(woven, even) > 1
    crossed = drawn(lambda x, y: 128 + noise + 9 * np.sin((x + y) * 1.8) + 9 * np.sin((x - y) * 1.8))
    assert weave(crossed, even) < -1
    assert abs(weave(drawn(lambda x, y: 128 + noise + 30 * np.sin(x / 3)), even)) < 0.2


def test_an_even_fall_does_not_bulge_and_a_rise_in_its_middle_does() -> None:
    """Rings that fall by one logarithm each half an octave, then with the third one raised by one."""
    even = np.exp(np.asarray([[9.0, 8.0, 7.0, 6.0, 5.0]], np.float32))
    assert distances.ring_bulges(even)[0] == pytest.approx([0, -0.5, -2], abs=0.02)
    raised = even * np.exp(np.asarray([0, 0, 1, 0, 0], np.float32))
    assert distances.ring_bulges(raised)[0] == pytest.approx([1, -0.5, -3], abs=0.02)


def test_a_picture_smaller_than_a_window_is_refused() -> None:
    with pytest.raises(ValueError, match="20x8 px"):
        bulge(Image.new("RGB", (20, 8)))


def test_pairs_are_relative_to_their_file_and_of_different_names(tmp_path: Path) -> None:
    told = [{"name": "a", "content": "in/a.png", "style": "/art/b.jpg"}]
    path = tmp_path / "pairs.json"
    path.write_text(json.dumps(told))
    assert looks.read_pairs(path) == [Pair("a", tmp_path / "in/a.png", Path("/art/b.jpg"))]
    path.write_text(json.dumps(told * 2))
    with pytest.raises(ValueError, match="one name"):
        looks.read_pairs(path)


def test_a_variants_settings_are_split_where_a_key_begins() -> None:
    way = looks.ours("deep:style.layers={relu1_1: 1, relu2_1: 2},tv_weight=8", 320)
    command = way.command(Pair("a", Path("a.png"), Path("b c.jpg")), Path("out.png"))
    given = [command[i + 1] for i, word in enumerate(command) if word == "--set"]
    assert way.name == "deep"
    assert given == [
        'style.images=[{"path": "b c.jpg"}]',
        "style.layers={relu1_1: 1, relu2_1: 2}",
        "tv_weight=8",
    ]
    assert [command[command.index(one) + 1] for one in ("--weights", "--max-side", "-p")] == [
        "original",
        "320",
        "base",
    ]
    plain = looks.ours("base", 320).command(Pair("a", Path("a.png"), Path("b.jpg")), Path("out.png"))
    assert plain.count("--set") == 1


def copier(name: str, side_px: int = 48) -> Way:
    """Paints by making the content smaller."""
    code = "import sys; from PIL import Image; i = Image.open(sys.argv[1]); i.thumbnail((int(sys.argv[3]),) * 2); "
    code += "i.save(sys.argv[2])"
    return Way(
        name,
        lambda pair, output: [sys.executable, "-c", code, str(pair.content), str(output), str(side_px)],
    )


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    found = Pair("a", tmp_path / "content.png", tmp_path / "style.png")
    coloured(96, 64, 2.0).save(found.content)
    coloured(60, 90, 20.0).save(found.style)
    return found


def test_what_is_painted_is_kept_until_the_command_changes(pair: Pair, tmp_path: Path) -> None:
    first = looks.paint(copier("x"), pair, tmp_path, 1)
    assert first.processor_s > 0
    first.path.write_bytes(b"not painted again")
    assert looks.paint(copier("x"), pair, tmp_path, 1) == first
    assert first.path.read_bytes() == b"not painted again"
    moved = (tmp_path / "a").rename(tmp_path / "b").parent / "elsewhere"
    moved.mkdir()
    (tmp_path / "b").rename(moved / "a")
    assert looks.paint(copier("x"), pair, moved, 1).processor_s == first.processor_s
    assert looks.paint(copier("x", 32), pair, tmp_path, 1).path == first.path
    with Image.open(first.path) as picture:
        assert picture.size == (32, 21)


def test_a_painter_that_fails_is_named_and_leaves_no_record(pair: Pair, tmp_path: Path) -> None:
    way = Way("broken", lambda pair, output: [sys.executable, "-c", "raise SystemExit(3)"])
    with pytest.raises(RuntimeError, match="SystemExit"):
        looks.paint(way, pair, tmp_path, 1)
    assert not list(tmp_path.glob("a/*"))


def test_the_table_has_means_over_the_pairs_that_all_have_painted() -> None:
    def row(pair: str, way: str, style: float, embedding: float | None = None) -> Row:
        return Row(pair, way, 10.0, 320, 200, style, 0.5, embedding, 0.1, 0.3, -0.2, (style,) * 5)

    rows = [
        row("a", "x", 0.1, 0.2),
        row("a", "y", 0.3),
        row("b", "x", 0.2, 0.4),
        row("b", "y", 0.5),
        row("c", "x", 9),
    ]
    told = looks.table(rows)
    assert "| **mean of 2** | x | 10.0 | 0.1500 | 0.500 | 0.300 | 0.10 | 0.30 | -0.20 |" in told
    assert "| **mean of 2** | y | 10.0 | 0.4000 | 0.500 |  | 0.10 | 0.30 | -0.20 |" in told


def test_the_sheet_has_a_line_a_pair_and_the_blind_one_no_names() -> None:
    wide, high = Image.new("RGB", (320, 160), "red"), Image.new("RGB", (100, 200), "blue")
    page = looks_sheets.contact_sheet(
        {"a": {"content": wide, "style": high, "ours": wide}, "b": {"content": high}}
    )
    assert page.width > 3 * 512 and page.height > 256 + 512
    orders = [looks_sheets.blind_order(["x", "y", "z"], 7, pair) for pair in "abcdefgh"]
    assert orders == [looks_sheets.blind_order(["x", "y", "z"], 7, pair) for pair in "abcdefgh"]
    assert len({tuple(order) for order in orders}) > 2
    assert looks_sheets.blind_sheet(wide, high, [wide, wide, wide]).width > 3 * 640


def test_the_whole_of_it_with_a_painter_that_only_copies(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(looks, "ours", lambda spec, side_px: copier(spec, side_px))
    pairs, output = tmp_path / "pairs.json", tmp_path / "out"
    told = [{"name": name, "content": pair.content.name, "style": pair.style.name} for name in ("a", "b")]
    pairs.write_text(json.dumps(told))
    arguments = [str(pairs), "-o", str(output), "--side", "48", "--ours", "x", "--ours", "y", "--blind", "3"]
    with torch_threads(1):
        assert looks.main(arguments) == 0
    rows = json.loads((output / "looks.json").read_text())["rows"]
    assert [(row["pair"], row["way"]) for row in rows] == [("a", "x"), ("a", "y"), ("b", "x"), ("b", "y")]
    assert rows[0]["content"] < 0.5 < rows[0]["style"] and rows[0]["embedding"] is None
    assert {path.name for path in output.iterdir()} == {
        "pictures",
        "blind",
        "blind-key.json",
        "looks.json",
        "looks.md",
        "looks.png",
    }
    assert sorted(json.loads((output / "blind-key.json").read_text())["a"]) == ["x", "y"]
    assert "mean of 2" in capsys.readouterr().out
    painted = Painted(Pair("a", pair.content, pair.style), "x", output / "pictures/a/x.png", 0.0)
    # Sums in float32, by as many threads as the machine gives at the time.
    assert next(looks.measure([painted], None)).style == pytest.approx(rows[0]["style"], rel=1e-5)
