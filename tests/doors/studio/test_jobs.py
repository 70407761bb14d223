"""Renders by the studio: each a process that outlives it, stopped and resumed without a pixel's difference."""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from studio_client import Client, Process, wait_until

LONG = {"scales.first_steps": 3000, "scales.steps": 3000}


def job_of(studio: Client, media: str, **more: object) -> str:
    body = {"inputs": [media], "look": {"preset": "quick", "settings": more.pop("settings", {})}, **more}
    found: str = studio.post("/api/jobs", body)["id"]
    return found


def first(studio: Client, name: str) -> str:
    entries = studio.get("/api/folders")["entries"]
    found: str = next(entry["media"]["id"] for entry in entries if entry["name"] == name)
    return found


def test_a_photo_is_painted_and_says_how_it_was_made(studio: Client, root: Path, photo: Path) -> None:
    before = photo.read_bytes()
    media = first(studio, photo.name)
    job = job_of(studio, media, settings={"strength": 0.7})
    done = studio.until(job, "done", "failed")
    assert done["state"] == "done" and done["progress"]["phase"] == "done"
    (output,) = done["outputs"]
    assert output["name"] == "photo-quick.png" and (root / "framestyle-studio" / output["name"]).is_file()
    (result,) = studio.get("/api/results")["results"]
    assert (result["media"]["id"], result["input"]["id"], result["preset"]) == (output["id"], media, "quick")
    recipe = studio.get(f"/api/media/{output['id']}/recipe")
    assert "strength: 0.7" in recipe["yaml"] and recipe["doubts"] == []
    again = studio.post("/api/presets/check", {"yaml": recipe["yaml"]})
    assert again["faults"] == [] and again["settings"]["strength"] == 0.7
    assert photo.read_bytes() == before
    # The same once more gets a name of its own: nothing is written over.
    other = studio.until(job_of(studio, media), "done", "failed")
    assert other["outputs"][0]["name"] == "photo-quick-2.png"


def test_several_pictures_are_one_job_and_a_bad_one_is_told(studio: Client, root: Path, photo: Path) -> None:
    (root / "b.png").write_bytes(photo.read_bytes())
    ids = [first(studio, "photo.png"), first(studio, "b.png")]
    (root / "b.png").write_bytes(photo.read_bytes()[:50])
    job = studio.post("/api/jobs", {"inputs": ids, "look": {"preset": "quick"}})
    ended = studio.until(job["id"], "done", "failed")
    assert ended["state"] == "failed" and ended["problem"]["code"] == "part-failed"
    assert [one["name"] for one in ended["outputs"]] == ["photo.png"]
    assert "b.png" in ended["progress"]["failures"][0]["path"]
    # Mended, and tried again: what is done is not done again.
    (root / "b.png").write_bytes(photo.read_bytes())
    studio.post(f"/api/jobs/{job['id']}/resume")
    ended = studio.until(job["id"], "done", "failed")
    assert ended["state"] == "done" and ended["attempt"] == 2 and len(ended["outputs"]) == 2


def test_the_right_job_is_cancelled_and_the_order_is_kept(studio: Client, photo: Path) -> None:
    media = first(studio, photo.name)
    jobs = [job_of(studio, media, settings=LONG) for _ in range(4)]
    studio.until(jobs[0], "running")
    studio.post(f"/api/jobs/{jobs[3]}/move", {"before": jobs[1]})
    studio.post(f"/api/jobs/{jobs[2]}/cancel")
    listed = [(job["id"], job["state"]) for job in studio.get("/api/jobs")["jobs"]]
    assert listed == [
        (jobs[0], "running"),
        (jobs[3], "waiting"),
        (jobs[1], "waiting"),
        (jobs[2], "cancelled"),
    ]
    studio.post("/api/queue", {"paused": True})
    wait_until(lambda: studio.get(f"/api/jobs/{jobs[0]}")["progress"]["phase"] == "painting")
    studio.post(f"/api/jobs/{jobs[0]}/cancel")
    assert studio.until(jobs[0], "cancelled")["problem"] is None
    # The queue is held: nothing new has begun.
    assert studio.get("/api/studio")["queue"]["counts"] == {"waiting": 2, "cancelled": 2}


def test_pausing_stops_a_job_and_shows_what_it_was_painting(studio: Client, photo: Path) -> None:
    job = job_of(studio, first(studio, photo.name), settings=LONG)
    wait_until(lambda: studio.call("GET", f"/api/jobs/{job}/live").status == 200)
    wait_until(lambda: "step" in studio.get(f"/api/jobs/{job}")["progress"])
    live = studio.call("GET", f"/api/jobs/{job}/live")
    assert live.body.startswith(b"\xff\xd8\xff")
    shown = studio.get(f"/api/jobs/{job}")["progress"]
    assert shown["step"] > 0 and shown["loss"] > 0 and shown["losses"] and shown["memory_bytes"] > 0
    studio.post(f"/api/jobs/{job}/pause")
    assert studio.until(job, "paused")["ended_s"] is None
    assert studio.call("POST", f"/api/jobs/{job}/pause", {}).status == 409
    studio.post(f"/api/jobs/{job}/cancel")
    assert studio.call("DELETE", f"/api/jobs/{job}").status == 200
    assert studio.get("/api/jobs")["total"] == 0


def test_what_a_job_says_is_heard_from_where_one_was_cut_off(studio: Client, photo: Path) -> None:
    job = job_of(studio, first(studio, photo.name))
    studio.until(job, "done")
    whole = studio.call("GET", f"/api/jobs/{job}/events").body.decode()
    blocks = [block for block in whole.split("\n\n") if block.startswith("id: ")]
    assert '"job_started"' in whole and "event: end" in whole
    last = blocks[2].splitlines()[0].removeprefix("id: ")
    rest = studio.call("GET", f"/api/jobs/{job}/events", Last_Event_ID=last).body.decode()
    assert [block for block in rest.split("\n\n") if block.startswith("id: ")] == blocks[3:]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"inputs": [], "look": {"preset": "quick"}},
        {"inputs": ["0" * 24], "look": {"preset": "quick"}},
        {"inputs": ["../etc"], "look": {"preset": "quick"}},
        {"inputs": ["PHOTO"], "look": {"preset": "nothing-like-it"}},
        {"inputs": ["PHOTO"], "look": {}},
        {"inputs": ["PHOTO"], "look": {"preset": "quick", "yaml": "a: 1"}},
        {"inputs": ["PHOTO"], "look": {"preset": "quick", "settings": {"strength": 7}}},
        {"inputs": ["PHOTO"], "look": {"preset": "quick", "outside": "quick"}},
        {"inputs": ["PHOTO"], "look": {"preset": "quick"}, "output": "/etc/x.png"},
        {"inputs": ["PHOTO"], "look": {"preset": "quick"}, "start_s": 2, "end_s": 1},
        {"inputs": ["PHOTO"], "look": {"preset": "quick"}, "max_side_px": 10**9},
    ],
)
def test_a_job_that_cannot_be_is_refused_when_it_is_asked_for(
    studio: Client, root: Path, photo: Path, body: dict[str, object]
) -> None:
    media = first(studio, photo.name)
    body = {**body, "inputs": [media if one == "PHOTO" else one for one in body.get("inputs", [])]}  # type: ignore[attr-defined]
    answer = studio.call("POST", "/api/jobs", body)
    assert answer.status in (404, 422) and answer.json["message"]
    assert studio.get("/api/jobs")["total"] == 0
    assert list((root / ".framestyle-studio").glob("jobs/*")) == []


@pytest.mark.slow
def test_server_and_job_are_killed_and_the_clip_is_what_it_would_have_been(
    start: Callable[[], Process], root: Path, clip: Path
) -> None:
    one = start()
    settings = {"video.steps": 6, "video.min_steps": 6, "scales.max_side_px": 48}
    whole = job_of(one.client, first(one.client, clip.name), settings=settings)
    done = one.client.until(whole, "done", "failed")
    expected = sha256(root / "framestyle-studio" / done["outputs"][0]["name"])
    job = job_of(one.client, first(one.client, clip.name), settings=settings)
    wait_until(lambda: ((one.client.get(f"/api/jobs/{job}")["progress"] or {}).get("frames_done") or 0) >= 2)
    children = [child for child in psutil.Process(one.process.pid).children() if "stylize" in child.cmdline()]
    one.kill()
    for child in children:
        os.kill(child.pid, signal.SIGKILL)
    two = start()
    done = two.client.until(job, "done", "failed")
    assert done["state"] == "done" and done["attempt"] == 2
    assert done["progress"]["resumed_at"] >= 1
    assert sha256(root / "framestyle-studio" / done["outputs"][0]["name"]) == expected
    assert two.stop() == 0


@pytest.mark.slow
def test_a_job_outlives_the_server_that_is_killed_and_the_next_one_hears_it(
    start: Callable[[], Process], photo: Path
) -> None:
    one = start()
    job = job_of(one.client, first(one.client, photo.name), settings={"scales.first_steps": 300})
    wait_until(lambda: one.client.get(f"/api/jobs/{job}")["progress"]["phase"] == "painting")
    (painting,) = (
        child for child in psutil.Process(one.process.pid).children() if "stylize" in child.cmdline()
    )
    one.kill()
    assert painting.is_running()
    two = start()
    done = two.client.until(job, "done", "failed")
    assert done["state"] == "done" and done["attempt"] == 1
    assert two.client.get("/api/results")["total"] == 1


@pytest.mark.slow
def test_ending_the_studio_ends_its_work_and_the_next_start_goes_on(
    start: Callable[[], Process], photo: Path
) -> None:
    one = start()
    job = job_of(one.client, first(one.client, photo.name), settings=LONG)
    wait_until(lambda: one.client.get(f"/api/jobs/{job}")["progress"]["phase"] == "painting")
    children = psutil.Process(one.process.pid).children(recursive=True)
    assert one.stop() == 0
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []
    two = start()
    assert two.client.until(job, "running")["attempt"] == 2


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
