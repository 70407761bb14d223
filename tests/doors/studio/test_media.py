"""Pictures that are uploaded, and those in folders: known by their contents, named by the studio, small on demand."""

from __future__ import annotations

import io
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from studio_client import Client


def jpeg(width: int = 40, height: int = 30) -> bytes:
    file = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file, "JPEG")
    return file.getvalue()


def test_an_upload_is_a_picture_under_a_name_of_ours(studio: Client, root: Path) -> None:
    answer = studio.upload("../../Mein%20B%C3%BCld%3Cb%3E.exe", jpeg())
    assert answer.status == 201
    facts = answer.json
    assert (facts["kind"], facts["width"], facts["height"], facts["is_upload"]) == ("photo", 40, 30, True)
    assert facts["name"] == "Mein-Buld-b.jpg"
    (path,) = (root / ".framestyle-studio" / "uploads").rglob("*.jpg")
    assert path.name == facts["name"] and path.stat().st_mode & 0o111 == 0
    small = studio.call("GET", f"/api/media/{facts['id']}/picture?side=96")
    assert small.headers["content-type"] == "image/jpeg" and Image.open(io.BytesIO(small.body)).size == (
        40,
        30,
    )


def png_that_claims(width: int, height: int) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


NO_PICTURES = {
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "html": b"<!doctype html><script>alert(1)</script>",
    "html after a jpeg's first bytes": b"\xff\xd8\xff\xe0<script>alert(1)</script>",
    "a png of 4 gigapixels": png_that_claims(65_000, 65_000),
    "a png cut short": png_that_claims(2000, 2000),
    "a zip": b"PK\x03\x04" + bytes(100),
    "a program": b"\x7fELF" + bytes(100),
    "a playlist": b"#EXTM3U\nfile:///etc/passwd\n",
    "a list of clips": b"ffconcat version 1.0\nfile /etc/passwd\n",
    "nothing": b"",
    "text": b"hello",
}


@pytest.mark.parametrize("what", NO_PICTURES)
def test_what_is_no_picture_is_not_kept(studio: Client, root: Path, what: str) -> None:
    answer = studio.upload("photo.jpg", NO_PICTURES[what])
    assert answer.status == 422 and answer.json["message"]
    assert str(root) not in answer.body.decode()
    assert list((root / ".framestyle-studio" / "uploads").iterdir()) == []
    assert studio.get("/api/uploads")["entries"] == []


def test_a_file_is_sent_as_what_it_is_and_runs_nothing(studio: Client) -> None:
    facts = studio.upload("a.jpg", jpeg() + b"<script>alert(1)</script>").json
    answer = studio.call("GET", f"/api/media/{facts['id']}/file")
    assert answer.headers["content-type"] == "image/jpeg"
    assert "sandbox" in answer.headers["content-security-policy"]
    kept = studio.call("GET", f"/api/media/{facts['id']}/file?download=1")
    assert kept.headers["content-disposition"].startswith("attachment")
    part = studio.call("GET", f"/api/media/{facts['id']}/file", Range="bytes=2-5")
    assert (part.status, part.body) == (206, answer.body[2:6])


def test_an_upload_can_be_removed_and_nothing_else(studio: Client, root: Path, photo: Path) -> None:
    uploaded = studio.upload("a.jpg", jpeg()).json["id"]
    own = studio.get("/api/folders")["entries"][0]["media"]["id"]
    assert studio.call("DELETE", f"/api/media/{uploaded}").status == 200
    assert studio.call("GET", f"/api/media/{uploaded}").status == 404
    assert studio.call("DELETE", f"/api/media/{own}").status == 403 and photo.exists()


def test_uploads_are_limited_in_number(studio: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from framestyle.doors.studio import limits

    monkeypatch.setattr(limits, "UPLOADS", 1)
    assert studio.upload("a.jpg", jpeg()).status == 201
    answer = studio.upload("b.jpg", jpeg())
    assert (answer.status, answer.json["code"]) == (413, "uploads-full")


def test_a_folder_is_listed_by_contents_in_a_persons_order(studio: Client, root: Path, photo: Path) -> None:
    for name in ("img10.jpg", "img9.jpg", "IMG_1"):
        (root / name).write_bytes(jpeg())
    (root / "notes.jpg").write_text("no picture")
    (root / "trip").mkdir()
    (root / "trip" / "a.jpg").write_bytes(jpeg())
    entries = studio.get("/api/folders")["entries"]
    assert [entry["name"] for entry in entries] == ["trip", "img9.jpg", "img10.jpg", "IMG_1", photo.name]
    inner = studio.get("/api/folders?path=trip")["entries"]
    assert [entry["name"] for entry in inner] == ["a.jpg"]


def test_five_thousand_pictures_come_in_parts_and_quickly(studio: Client, root: Path) -> None:
    data = jpeg(8, 8)
    (root / "many").mkdir()
    for number in range(5000):
        (root / "many" / f"{number}.jpg").write_bytes(data)
    studio.get("/api/folders?path=many&limit=200")  # the listing itself, once
    found, offset, slowest_s = [], 0, 0.0
    while offset is not None:
        began = time.process_time()
        part = studio.get(f"/api/folders?path=many&offset={offset}&limit=200")
        slowest_s = max(slowest_s, time.process_time() - began)
        found += [entry["name"] for entry in part["entries"]]
        offset = part["next"]
    assert found == [f"{number}.jpg" for number in range(5000)]
    assert slowest_s < 0.5  # of processor time, of this process: server and client


def test_a_clip_shows_its_moments(studio: Client, clip: Path, in_folder: Callable[[Path], str]) -> None:
    media = in_folder(clip)
    facts = studio.get(f"/api/media/{media}")
    assert (facts["kind"], facts["width"], facts["height"]) == ("video", 64, 48)
    assert facts["duration_s"] == pytest.approx(0.5, abs=0.05) and facts["has_sound"]
    pictures = [
        studio.call("GET", f"/api/media/{media}/picture?side=96&at={at}").body for at in facts["moments_s"]
    ]
    assert len(facts["moments_s"]) == 3 == len(set(pictures))
    # Behind its end, its last frame.
    assert studio.call("GET", f"/api/media/{media}/picture?at=1000").status == 200


def test_a_decoder_that_hangs_or_dies_does_not_take_the_studio_along(
    studio: Client, root: Path, photo: Path, in_folder: Callable[[Path], str]
) -> None:
    import psutil

    media = in_folder(photo)
    assert studio.call("GET", f"/api/media/{media}/picture").status == 200
    helpers = [child for child in psutil.Process().children() if "decoder" in " ".join(child.cmdline())]
    assert helpers
    for helper in helpers:
        helper.kill()
    time.sleep(0.3)
    assert studio.call("GET", f"/api/media/{media}/picture?side=512").status == 200


@pytest.mark.parametrize("query", ["side=0", "side=-1", "side=1e9", "side=x", "at=-1", "at=nan", "at=1e99"])
def test_odd_numbers_are_refused(
    studio: Client, photo: Path, in_folder: Callable[[Path], str], query: str
) -> None:
    assert studio.call("GET", f"/api/media/{in_folder(photo)}/picture?{query}").status == 422
