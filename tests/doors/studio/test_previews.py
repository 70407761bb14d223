"""Previews: what is wanted most is painted first, what nobody wants is dropped, what is there is kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image
from studio_client import Client, wait_until

from framestyle.doors.live_picture import LivePicture


def wanted(media: str, **more: Any) -> dict[str, Any]:
    return {"picture": media, "side_px": 32, "look": {"preset": "quick", **more.pop("look", {})}, **more}


def want(studio: Client, *wants: dict[str, Any], page: str = "a") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = studio.post("/api/previews", {"page": page, "wanted": list(wants)})
    return found


def painted(studio: Client, *wants: dict[str, Any]) -> list[dict[str, Any]]:
    wait_until(lambda: all(one["state"] in ("done", "failed") for one in want(studio, *wants)))
    return want(studio, *wants)


def test_a_preview_is_painted_once_for_the_same_look(
    studio: Client, photo: Path, in_folder: Callable[[Path], str]
) -> None:
    media = in_folder(photo)
    one, other = painted(studio, wanted(media), wanted(media, look={"settings": {"strength": 0.9}}))
    assert one["state"] == other["state"] == "done" and one["key"] != other["key"] and one["render_s"] > 0
    shown = studio.call("GET", f"/api/previews/{one['key']}")
    assert shown.headers["content-type"] == "image/jpeg" and "max-age" in shown.headers["cache-control"]
    # A saved copy of the look has the same pixels, whatever it is called.
    studio.call("PUT", "/api/presets/copy", {"look": {"preset": "quick"}})
    (same,) = want(studio, {**wanted(media), "look": {"preset": "copy"}})
    assert (same["key"], same["state"]) == (one["key"], "done")


def test_a_picture_in_the_making_can_be_seen_and_is_dropped_when_nobody_wants_it(
    studio: Client, photo: Path, in_folder: Callable[[Path], str]
) -> None:
    media = in_folder(photo)
    long = wanted(media, look={"settings": {"scales.first_steps": 50_000}})
    (facts,) = want(studio, long)
    wait_until(lambda: want(studio, long)[0]["version"] >= 2)
    assert want(studio, long)[0]["step"] > 0
    assert studio.call("GET", f"/api/previews/{facts['key']}").body.startswith(b"\xff\xd8\xff")
    want(studio)
    (quick,) = painted(studio, wanted(media))
    assert quick["state"] == "done"
    assert want(studio, long)[0]["state"] in ("waiting", "painting")


def test_what_is_urgent_overtakes(studio: Client, photo: Path, in_folder: Callable[[Path], str]) -> None:
    media = in_folder(photo)
    long = wanted(media, look={"settings": {"scales.first_steps": 50_000}})
    want(studio, long, page="cards")
    wait_until(lambda: want(studio, long, page="cards")[0]["state"] == "painting")
    urgent = wanted(media, look={"settings": {"strength": 0.1}}, urgent=True)
    wait_until(lambda: want(studio, urgent, page="tuner")[0]["state"] == "done")


def test_one_that_cannot_be_does_not_stop_the_others(
    studio: Client, root: Path, photo: Path, in_folder: Callable[[Path], str]
) -> None:
    media = in_folder(photo)
    (root / "b.png").write_bytes(photo.read_bytes())
    broken = in_folder(root / "b.png")
    (root / "b.png").write_bytes(photo.read_bytes()[:50])
    found = painted(
        studio,
        wanted(broken),
        wanted("0" * 24),
        wanted(media, look={"settings": {"nothing": 1}}),
        wanted(media),
    )
    assert [one["state"] for one in found] == ["failed", "failed", "failed", "done"]
    assert all(one["message"] for one in found[:3])


def test_a_region_is_painted_and_the_rest_stays(
    studio: Client, root: Path, sample: Path, in_folder: Callable[[Path], str]
) -> None:
    Image.open(sample).resize((64, 48)).save(root / "a.png")
    halves = np.zeros((48, 64), np.uint8)
    halves[:, 32:] = 255
    Image.fromarray(halves).save(root / "mask.png")
    mask = studio.upload("mask.png", (root / "mask.png").read_bytes()).json["id"]
    (facts,) = painted(
        studio,
        {
            **wanted(in_folder(root / "a.png")),
            "look": {
                "preset": "quick",
                "mask": mask,
                "settings": {"scales.max_side_px": 64, "scales.first_steps": 20},
            },
            "side_px": 64,
        },
    )
    assert facts["state"] == "done", facts
    (root / "p.jpg").write_bytes(studio.call("GET", f"/api/previews/{facts['key']}").body)
    change = np.abs(
        np.asarray(Image.open(root / "p.jpg"), float) - np.asarray(Image.open(root / "a.png"), float)
    ).mean(2)
    assert change[:, 38:].mean() > 2 * change[:, :26].mean()


def test_a_painter_that_dies_is_started_again(
    studio: Client, photo: Path, in_folder: Callable[[Path], str]
) -> None:
    media = in_folder(photo)
    long = wanted(media, look={"settings": {"scales.first_steps": 50_000}})
    want(studio, long)
    wait_until(lambda: want(studio, long)[0]["version"] >= 1)
    painters = [child for child in psutil.Process().children() if "painter" in " ".join(child.cmdline())]
    painters[0].kill()
    (quick,) = painted(studio, {**wanted(media), "urgent": True})
    assert quick["state"] == "done"


@pytest.mark.slow
def test_a_clip_is_seen_in_motion_and_at_a_moment(
    studio: Client, clip: Path, in_folder: Callable[[Path], str]
) -> None:
    media = in_folder(clip)
    still, other, moving = painted(
        studio, wanted(media, at_s=0.1), wanted(media, at_s=0.4), wanted(media, moving=True)
    )
    assert [one["state"] for one in (still, other, moving)] == ["done"] * 3 and still["key"] != other["key"]
    # A moment tells what the whole clip would take, which has eleven more frames than that one.
    first_alone = wanted(media, at_s=0.1, look={"settings": {"video.steps": 0, "video.min_steps": 0}})
    (short,) = painted(studio, first_alone)
    assert still["at_most"] and still["render_s"] > 1.5 * short["render_s"]
    shown = studio.call("GET", f"/api/previews/{moving['key']}")
    assert shown.headers["content-type"] == "video/mp4" and shown.body[4:8] == b"ftyp"


@pytest.mark.parametrize("key", ["0" * 40, "..", "..%2f..%2fstudio.sqlite", "a/b", "%00"])
def test_a_preview_that_is_not_there(studio: Client, key: str) -> None:
    assert studio.call("GET", f"/api/previews/{key}").status == 404


def test_a_live_picture_is_written_now_and_then_small_and_whole(tmp_path: Path) -> None:
    now = 0.0
    (tmp_path / "live").mkdir()
    path, asked = tmp_path / "live" / "live.jpg", 0

    def picture() -> np.ndarray[Any, Any]:
        nonlocal asked
        asked += 1
        return np.full((100, 2000, 3), asked * 40, np.uint8)

    live = LivePicture(path, lambda: now, every_s=1.0)
    live(picture)
    assert Image.open(path).size == (512, 26) and asked == 1
    live(picture)
    assert asked == 1
    now = 1.0
    live(picture)
    assert asked == 2 and [one.name for one in path.parent.iterdir()] == ["live.jpg"]
    # What the disk refuses does not stop the work.
    LivePicture(tmp_path / "nowhere" / "live.jpg", lambda: now)(picture)
    assert asked == 3
