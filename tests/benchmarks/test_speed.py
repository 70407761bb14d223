"""The speed benchmarks measure what they say, on a small scale; how fast it is, they alone tell."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks import parts, plots, side_by_side, speed, throughput, time_to_quality
from benchmarks.shallow import SHALLOW
from benchmarks.time_to_quality import PEER, Row, against_peer, reached_after
from framestyle.nst.image import Size
from framestyle.nst.weights.backbone import Backbone


def test_a_step_has_the_operations_that_were_counted_by_hand() -> None:
    """Of the convolutions, by their channels and the maps' sides."""
    layers = [(3, 64, 256), (64, 64, 256), (64, 128, 128), (128, 128, 128), (128, 256, 64)]
    layers += [(256, 256, 64)] * 3 + [(256, 512, 32)] + [(512, 512, 32)] * 3 + [(512, 512, 16)]
    wanted = sum(2 * 2 * 9 * inputs * outputs * side**2 for inputs, outputs, side in layers)
    assert speed.operations(Size(256, 256)) == wanted
    assert speed.operations(Size(512, 512)) == pytest.approx(4 * speed.operations(Size(256, 256)), rel=1e-6)


@pytest.mark.slow
def test_each_way_is_timed_and_held_against_float64(untrained: Backbone) -> None:
    pictures = speed.picture(speed.PHOTO), speed.picture(speed.STYLE)
    best = {"convolution float32": 100.0, "convolution bfloat16": 1.0}
    plain, ours = speed.measure(64, 2, untrained, pictures, best)
    assert plain.way == speed.PLAIN and plain.part == 1
    assert ours.way == "float32" and ours.part == pytest.approx(ours.seconds / plain.seconds)
    assert ours.gflops == pytest.approx(
        speed.operations(Size(64, 64), untrained.channels) / 1e9 / ours.seconds
    )
    assert ours.gradient_error < 1e-3 and ours.loss_error < 1e-3 and ours.gradient_cosine > 0.99999
    assert "| 64 | float32 |" in speed.table([plain, ours])


def test_bfloat16_is_measured_where_it_is_more_than_emulated() -> None:
    assert speed.precisions({"convolution float32": 100.0, "convolution bfloat16": 50.0}) == (
        "float32",
        "bfloat16",
    )
    assert speed.precisions({"convolution float32": 100.0, "convolution bfloat16": 0.3}) == ("float32",)


def test_the_time_outside_is_what_the_frames_did_not_take() -> None:
    def frame(time_s: float, seconds: float, warm: bool = True) -> dict[str, object]:
        return {"event": "frame_done", "time_s": time_s, "seconds": seconds, "steps": 6, "warm": warm}

    events = [{"event": "job_started", "time_s": 0.0}, frame(9, 8, False), frame(11, 1.9), frame(13, 1.7)]
    assert throughput.shares(events) == (2, 2.0, 6.0, pytest.approx(0.1))
    with pytest.raises(ValueError, match="no warm frames"):
        throughput.shares(events[:2])


@pytest.mark.slow
def test_a_clip_is_rendered_and_its_events_are_read(tmp_path: Path) -> None:
    (tmp_path / "quick.yaml").write_text(SHALLOW + "scales: {min_px: 16, first_steps: 2, steps: 2}\n")
    command = ["-p", str(tmp_path / "quick.yaml"), "--max-side", "32", "--weights", "untrained"]
    assert throughput.main([*command, "--device=cpu", "--end=0.2", "-o", str(tmp_path)]) == 0
    (row,) = json.loads((tmp_path / "throughput.json").read_text())["rows"]
    assert row["warm_frames"] >= 3 and row["seconds_a_frame"] > 0 and row["steps_a_frame"] > 0
    assert set(row["shares"]) == {"decode", "flow", "optimise", "encode"}
    assert all(0 < share < 1 for share in row["shares"].values())
    # Of a fifth of a second, counted in ticks of a hundredth: more than all cores can be had by rounding.
    assert row["idle"] == pytest.approx(1 - row["shares"]["optimise"])
    assert (
        0 <= row["outside"] < 1
        and 0 < row["processor_busy"] < 2 * (os.cpu_count() or 1)
        and row["peak_bytes"] > 100 << 20
    )


@pytest.mark.slow
def test_a_folder_is_painted_both_ways(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "quick.yaml").write_text(SHALLOW + "scales: {min_px: 16, first_steps: 2, steps: 2}\n")
    (tmp_path / "photos").mkdir()
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 256, (24, 32, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "photos" / f"{number}.png")
    command = [str(tmp_path / "photos"), f"--preset={tmp_path / 'quick.yaml'}", "--weights=untrained"]
    assert side_by_side.main([*command, "--max-side", "32", "--rounds", "1", "-o", str(tmp_path)]) == 0
    one, beside = json.loads((tmp_path / "side_by_side.json").read_text())["rows"]
    assert (one["way"], one["part"], beside["way"]) == ("one by one", 1.0, "side by side")
    assert beside["part"] == pytest.approx(beside["seconds_a_photo"] / one["seconds_a_photo"])
    for row in (one, beside):
        assert row["photos"] == 3 and row["processor_s"] > 0 and row["peak_bytes"] > 100 << 20
    assert "| 32 | side by side |" in capsys.readouterr().out


def test_a_part_is_watched_on_every_thread_and_decoding_where_a_render_reads() -> None:
    watch = parts.Watch()

    class Clip:
        def __iter__(self) -> Iterator[int]:
            for number in range(3):
                time.sleep(0.01)
                yield number

    Clip.__iter__ = watch.over_frames(Clip.__iter__)  # type: ignore[method-assign]
    assert list(Clip()) == [0, 1, 2] and watch.seconds["decode"] == 0
    reading = threading.Thread(target=lambda: list(Clip()), name=parts.DECODING_THREAD)
    reading.start()
    reading.join()
    assert watch.seconds["decode"] >= 0.03
    pause = watch.over("encode", time.sleep)
    threads = [threading.Thread(target=pause, args=(0.02,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with pytest.raises(ValueError, match="negative"):
        pause(-1)
    assert watch.seconds["encode"] >= 0.04 and watch.seconds["flow"] == 0


def test_what_was_measured_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    steps = [
        speed.Row(side, way, 1.0, 0.8, 50.0, 0.7, 0.0, 0.0, 1.0)
        for way in ("plain", "float32")
        for side in (128, 256)
    ]
    plots.speed_by_size(steps, tmp_path / "speed.png")
    shares = dict.fromkeys(parts.PARTS, 0.1)
    clips = [
        throughput.Row("a.mp4", "wave", side, 3, 1.0, 5.0, 0.1, shares, 0.9, 0.8, 1 << 28)
        for side in (64, 128)
    ]
    plots.shares_of_time(clips, tmp_path / "throughput.png")
    assert (
        "| 128 | 3 | 1.00 | 5.0 | 10.0% | 10.0% | 10.0% | 10.0% | 10.0% | 90.0% | 80% | 256 |"
        in throughput.table(clips)
    )
    for name in ("speed.png", "throughput.png"):
        height, width = cv2.imread(str(tmp_path / name)).shape[:2]
        assert height > 200 and width > 300


def _row(schedule: str, seconds: float, loss: float, share: float = 1.0) -> Row:
    return Row(schedule, share, 10, seconds, loss, loss / 2, loss / 2, 2 * loss)


def test_time_to_quality_is_that_of_the_quickest_run_that_comes_as_far() -> None:
    rows = [_row("a", 5, 0.3), _row("a", 10, 0.2), _row("a", 20, 0.1), _row("b", 1, 0.5)]
    rows += [_row(PEER, 10, 0.4, 0.1), _row(PEER, 100, 0.2)]
    assert reached_after(rows[:3], 0.2) == 10 and reached_after(rows[:3], 0.05) is None
    assert against_peer(rows) == {"a": 0.1, "b": None}
    told = time_to_quality.table(rows, against_peer(rows))
    assert "| a × 1 | 10 | 10 | 0.2000 | 0.1000 | 0.1000 | 0.4000 | 0.100 |" in told


@pytest.mark.slow
def test_schedules_are_run_and_peers_take_the_plain_loops_time(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    chosen = ["default", PEER, "the 2015 paper's schedule"]
    few = [
        "--side",
        "48",
        "--steps",
        "0.02",
        "--weights",
        "untrained",
        "--threads",
        str(torch.get_num_threads()),
    ]
    assert time_to_quality.main(["--only", *chosen, *few, "-o", str(tmp_path)]) == 0
    rows = json.loads((tmp_path / "time-to-quality.json").read_text())["rows"]
    assert {row["schedule"] for row in rows} == set(chosen)
    assert all(row["seconds"] > 0 and row["loss"] > 0 for row in rows if row["steps"])
    assert (tmp_path / "time-to-quality.png").stat().st_size > 1000
    most = [row for row in rows if row["schedule"] == PEER][-1]
    assert most["steps"] == 20  # 48 px is one scale
