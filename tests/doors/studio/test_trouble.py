"""What goes wrong around a studio: full disks, files that vanish, cut-off and crowded uploads, odd names and clips."""

from __future__ import annotations

import asyncio
import io
import socket
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from studio_client import Client, Process, wait_until

from framestyle.doors.studio import limits, media
from framestyle.doors.studio.helpers import Answering, HelperFailedError
from framestyle.presets import load_preset, user_presets_dir

FULL = OSError(28, "No space left on device")


def jpeg(seed: int = 0) -> bytes:
    file = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 255, (30, 40, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file, "JPEG")
    return file.getvalue()


def upload_head(client: Client) -> str:
    """Of an upload whose length and bytes follow."""
    said = f"Host: 127.0.0.1:{client.port}\r\nAuthorization: Bearer {client.token}\r\n"
    return f"POST /api/media HTTP/1.1\r\n{said}Content-Type: application/octet-stream\r\n"


def uploads_of(root: Path) -> Path:
    return root / ".framestyle-studio" / "uploads"


# -- the disk ----------------------------------------------------------------------------------------------


def test_an_upload_that_fills_the_disk_is_refused_and_leaves_nothing(
    studio: Client, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "LOOK_BYTES", 100)
    free = iter([1 << 40, 1 << 40, 0])
    usage = media.shutil.disk_usage(root)
    monkeypatch.setattr(media.shutil, "disk_usage", lambda path: usage._replace(free=next(free, 0)))
    answer = studio.upload("a.jpg", bytes(1 << 20))
    assert (answer.status, answer.json["code"]) == (507, "disk-full") and answer.json["next_step"]
    assert list(uploads_of(root).iterdir()) == []


def test_an_upload_larger_than_the_room_is_refused_before_it_comes(
    studio: Client, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = 1 << 30
    usage = media.shutil.disk_usage(root)._replace(free=free)
    monkeypatch.setattr(media.shutil, "disk_usage", lambda path: usage)
    head = upload_head(studio)
    with socket.create_connection(("127.0.0.1", studio.port)) as connection:
        connection.sendall(f"{head}Content-Length: {free}\r\n\r\n".encode())
        assert b" 507 " in connection.recv(200).split(b"\r\n")[0]


@pytest.mark.parametrize(
    ("what", "call"),
    [
        ("framestyle.doors.studio.library.atomic_output", "PUT /api/presets/mine"),
        ("framestyle.doors.studio.calls_jobs.write_command", "POST /api/jobs"),
        ("framestyle.doors.studio.media.MediaStore._take_in", "POST /api/media"),
    ],
)
def test_a_full_disk_is_said_and_is_no_bug(
    studio: Client, photo: Path, monkeypatch: pytest.MonkeyPatch, what: str, call: str
) -> None:
    def full(*given: object, **named: object) -> None:
        raise FULL

    picture = studio.get("/api/folders")["entries"][0]["media"]["id"]
    monkeypatch.setattr(what, full)
    look = {"preset": "quick"}
    bodies = {"PUT": {"look": look}, "POST": {"look": look, "inputs": [picture]}}
    method, path = call.split()
    answer = (
        studio.upload("a.jpg", jpeg()) if path == "/api/media" else studio.call(method, path, bodies[method])
    )
    assert (answer.status, answer.json["code"]) == (507, "disk-full") and "Free some space" in answer.json[
        "next_step"
    ]


# -- files that vanish -------------------------------------------------------------------------------------


def test_a_picture_that_vanishes_fails_where_it_is_needed_and_says_so(
    studio: Client, root: Path, photo: Path, in_folder: Callable[[Path], str]
) -> None:
    picture = in_folder(photo)
    studio.post("/api/queue", {"paused": True})
    job = studio.post("/api/jobs", {"inputs": [picture], "look": {"preset": "quick"}})["id"]
    photo.unlink()
    for call in ("", "/picture", "/file", "/recipe"):
        assert studio.call("GET", f"/api/media/{picture}{call}").status == 404
    wanted = {"page": "a", "wanted": [{"picture": picture, "look": {"preset": "quick"}}]}
    assert studio.post("/api/previews", wanted)[0]["state"] == "failed"
    assert studio.get(f"/api/jobs/{job}")["state"] == "waiting"
    studio.post("/api/queue", {"paused": False})
    problem = studio.until(job, "failed")["problem"]
    assert photo.name in problem["message"] and problem["next_step"]
    assert studio.get("/api/folders")["entries"] == []


def test_a_file_that_goes_between_two_looks_at_it_is_gone_and_no_bug(
    studio: Client, photo: Path, in_folder: Callable[[Path], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = in_folder(photo)
    inside = media.MediaStore.inside

    def vanishing(self: media.MediaStore, path: Path) -> Path:
        found = inside(self, path)
        photo.unlink()
        return found

    monkeypatch.setattr(media.MediaStore, "inside", vanishing)
    wanted = {"page": "a", "wanted": [{"picture": picture, "look": {"preset": "quick"}}]}
    assert studio.post("/api/previews", wanted)[0]["message"] == "the file is gone"
    photo.write_bytes(jpeg())
    assert studio.call("GET", f"/api/media/{picture}").status == 404


def test_a_preset_that_is_edited_away_leaves_the_jobs_as_they_were_asked_for(
    studio: Client, photo: Path, in_folder: Callable[[Path], str]
) -> None:
    studio.post("/api/queue", {"paused": True})
    look = {"preset": "quick", "settings": {"strength": 0.7}}
    body = {"inputs": [in_folder(photo)], "look": look, "max_side_px": 24}
    job = studio.post("/api/jobs", body)["id"]
    (user_presets_dir() / "quick.yaml").write_text("schema: 1\nextends: nightswirl\nstrength: 0.1\n")
    assert studio.call("DELETE", "/api/presets/quick").status == 200
    studio.post("/api/queue", {"paused": False})
    done = studio.until(job, "done", "failed")
    assert done["state"] == "done", done["problem"]
    assert "strength: 0.7" in studio.get(f"/api/media/{done['outputs'][0]['id']}/recipe")["yaml"]
    (result,) = studio.get("/api/results")["results"]
    studio.post("/api/queue/clear")
    # The job is off the list; in which look and how large it was is still known.
    assert studio.get("/api/jobs")["total"] == 0
    assert result["look"]["settings"] == {"strength": 0.7, "scales.max_side_px": 24}


def test_an_upload_that_a_job_needs_is_kept(studio: Client) -> None:
    studio.post("/api/queue", {"paused": True})
    picture, mask = (studio.upload(f"{name}.jpg", jpeg()).json["id"] for name in "ab")
    job = studio.post("/api/jobs", {"inputs": [picture], "look": {"preset": "quick", "mask": mask}})["id"]
    for one in (picture, mask):
        answer = studio.call("DELETE", f"/api/media/{one}")
        assert (answer.status, answer.json["code"]) == (409, "in-use")
    studio.post(f"/api/jobs/{job}/cancel")
    assert studio.call("DELETE", f"/api/media/{mask}").status == 200


# -- uploads, cut off and crowded --------------------------------------------------------------------------


def test_fifty_uploads_at_once_are_fifty_pictures_and_a_bad_one_harms_no_other(studio: Client) -> None:
    def send(number: int) -> int:
        return studio.upload(f"{number}.jpg", jpeg(number) if number % 10 else b"no picture").status

    with ThreadPoolExecutor(50) as pool:
        statuses = list(pool.map(send, range(50)))
    assert statuses == [201 if number % 10 else 422 for number in range(50)]
    entries = studio.get("/api/uploads")["entries"]
    assert sorted(int(entry["name"].removesuffix(".jpg")) for entry in entries) == [
        n for n in range(50) if n % 10
    ]


def test_uploads_on_their_way_count_as_well(
    studio: Client, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "UPLOADS_BYTES", 100_000)
    head = upload_head(studio)
    with socket.create_connection(("127.0.0.1", studio.port)) as coming:
        coming.sendall(f"{head}Content-Length: 99000\r\n\r\nx".encode())
        wait_until(lambda: list(uploads_of(root).glob(".part-*")))
        assert studio.upload("a.jpg", jpeg()).json["code"] == "uploads-full"
    # It was cut off: nothing is left, and there is room again.
    wait_until(lambda: not list(uploads_of(root).iterdir()))
    wait_until(lambda: studio.upload("a.jpg", jpeg()).status == 201)


@pytest.mark.slow
@pytest.mark.parametrize("end", ["killed", "stopped"])
def test_a_studio_that_ends_in_the_middle_of_an_upload_keeps_nothing_of_it(
    start: Callable[[], Process], root: Path, end: str
) -> None:
    one = start()
    head = upload_head(one.client)
    with socket.create_connection(("127.0.0.1", one.client.port)) as connection:
        connection.sendall(f"{head}Content-Length: 9000\r\n\r\nx".encode())
        wait_until(lambda: list(uploads_of(root).glob(".part-*")))
        if end == "killed":
            one.kill()
        else:
            assert one.stop() == 0
    two = start()
    assert two.client.get("/api/uploads")["entries"] == [] and list(uploads_of(root).iterdir()) == []


HELPER = """\
import json, sys
for line in sys.stdin:
    question = json.loads(line)
    if question["do"] == "die":
        sys.exit(1)
    print(json.dumps({"number": question["number"], "said": question["do"]}), flush=True)
"""


def test_a_helper_that_dies_of_one_question_answers_those_that_waited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mortal.py").write_text(HELPER)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    async def asked() -> list[Any]:
        helper = Answering("mortal", 30)
        try:
            questions = ({"do": word} for word in ("a", "die", "b", "c"))
            return await asyncio.gather(*(helper.ask(one) for one in questions), return_exceptions=True)
        finally:
            await helper.end()

    first, died, *others = asyncio.run(asked())
    assert isinstance(died, HelperFailedError)
    assert [one["said"] for one in (first, *others)] == ["a", "b", "c"]


# -- names and clips ---------------------------------------------------------------------------------------


def test_the_longest_names_are_painted_under_names_that_fit(
    studio: Client, root: Path, photo: Path, in_folder: Callable[[Path], str]
) -> None:
    long = root / f"{'ä long name ' * 16}.png"
    photo.rename(long)
    preset = "p" * 100
    studio.call("PUT", f"/api/presets/{preset}", {"look": {"preset": "quick"}})
    job = studio.post("/api/jobs", {"inputs": [in_folder(long)], "look": {"preset": preset}})
    assert job["title"] == long.name
    done = studio.until(job["id"], "done", "failed")
    assert done["state"] == "done", done["problem"]
    assert len(done["outputs"][0]["name"]) < 150
    assert studio.upload("x" * 5000, jpeg()).status == 201


@pytest.mark.skipif(sys.platform != "linux", reason="names elsewhere are text")
def test_a_name_that_is_no_text_is_a_name_as_any_other(studio: Client, root: Path, photo: Path) -> None:
    photo.rename(root / b"caf\xe9.png".decode("utf-8", "surrogateescape"))
    (root / b"d\xe9part".decode("utf-8", "surrogateescape")).mkdir()
    (entry,) = studio.get("/api/folders")["entries"]
    assert entry["name"] == "caf\ufffd.png"
    assert studio.call("GET", f"/api/media/{entry['media']['id']}/picture").status == 200
    job = studio.post("/api/jobs", {"inputs": [entry["media"]["id"]], "look": {"preset": "quick"}})
    done = studio.until(job["id"], "done", "failed")
    assert done["state"] == "done", done["problem"]
    (result,) = studio.get("/api/results")["results"]
    assert result["input"]["id"] == entry["media"]["id"]


@pytest.mark.parametrize("text", ["\\ud800", "\\udfff x", "a\\ud83d"])
def test_half_a_character_is_refused_wherever_text_is_taken(studio: Client, text: str) -> None:
    body = f'{{"yaml": "schema: 1\\nextends: {text}\\n"}}'.encode()
    for method, path in (("POST", "/api/presets/check"), ("PUT", "/api/presets/a")):
        answer = studio.call(method, path, body, Content_Type="application/json")
        assert (answer.status, answer.json["code"]) == (400, "not-json")


def test_a_clip_that_cannot_be_decoded_is_told_wherever_it_is_used(
    studio: Client, root: Path, clip: Path, in_folder: Callable[[Path], str]
) -> None:
    # It begins as a clip does; what it says of itself is cut off.
    broken = clip.read_bytes()[:600]
    assert studio.upload("a.mp4", broken).status == 422
    clip.write_bytes(broken)
    found = in_folder(clip)
    for call in ("", "/picture"):
        answer = studio.call("GET", f"/api/media/{found}{call}")
        assert answer.status == 422 and answer.json["message"] and str(root) not in answer.json["message"]
    wanted = {"page": "a", "wanted": [{"picture": found, "look": {"preset": "quick"}}]}
    wait_until(lambda: studio.post("/api/previews", wanted)[0]["state"] == "failed")
    job = studio.post("/api/jobs", {"inputs": [found], "look": {"preset": "quick"}})["id"]
    assert studio.until(job, "failed")["problem"]["message"]


def test_the_thousandth_job_of_one_name_is_added_as_quickly_as_the_first(
    studio: Client, photo: Path, in_folder: Callable[[Path], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from framestyle.doors.studio.store import JobStore

    studio.post("/api/queue", {"paused": True})
    body = {"inputs": [in_folder(photo)], "look": {"preset": "quick"}}
    looked = 0
    is_output_taken = JobStore.is_output_taken

    def counting(self: JobStore, output: str) -> bool:
        nonlocal looked
        looked += 1
        return is_output_taken(self, output)

    monkeypatch.setattr(JobStore, "is_output_taken", counting)
    for _ in range(40):
        studio.post("/api/jobs", body)
    assert looked <= 2 * 40


# -- two at once -------------------------------------------------------------------------------------------


def test_two_pages_hear_of_each_others_changes_and_each_sees_its_own_previews(
    studio: Client, photo: Path, in_folder: Callable[[Path], str]
) -> None:
    picture = in_folder(photo)

    def wants(page: str, strength: float) -> dict[str, Any]:
        look = {"preset": "quick", "settings": {"strength": strength}}
        return {"page": page, "wanted": [{"picture": picture, "side_px": 32, "look": look}]}

    pages = (wants("a", 0.2), wants("b", 0.8))
    wait_until(lambda: all(studio.post("/api/previews", one)[0]["state"] == "done" for one in pages))
    jobs = [
        studio.post("/api/jobs", {"inputs": [picture], "look": {"preset": "quick"}})["id"] for _ in range(2)
    ]
    assert len(set(jobs)) == 2
    # Both press Cancel: the second is told that it is done already, and nothing else happens.
    answers = [studio.call("POST", f"/api/jobs/{jobs[1]}/cancel", {}) for _ in range(2)]
    assert [one.status for one in answers] == [200, 409] and answers[1].json["code"] == "state-refused"
    # Both save under one name: the second is asked whether it replaces.
    look = {"preset": "quick", "settings": {"strength": 0.3}}
    saved = [studio.call("PUT", "/api/presets/same", {"look": look}).status for _ in range(2)]
    assert saved == [200, 409]


def test_a_preset_of_ones_own_is_replaced_by_what_was_made_of_it(studio: Client) -> None:
    studio.call("PUT", "/api/presets/mine", {"look": {"preset": "quick", "settings": {"strength": 0.3}}})
    again = {"look": {"preset": "mine", "settings": {"style.scale": 2.0}}, "overwrite": True}
    assert studio.call("PUT", "/api/presets/mine", again).status == 200
    preset = load_preset("mine")
    assert (preset.strength, preset.style.scale, preset.scales.max_side_px) == (0.3, 2.0, 32)
