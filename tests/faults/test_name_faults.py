"""A name is a name, whatever it looks like; and a file is what is in it, whatever it is called."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from clips import make_clip
from fault_list import fault
from loopback import Server
from media_facts import encode
from photo_makers import picture, save
from place import Place

from framestyle.media.video.probe import probe

PHOTO = picture(height=24, width=32)
NFC, NFD = (unicodedata.normalize(form, "Müßiggang é.png") for form in ("NFC", "NFD"))


def _painted_as_named(place: Place, *names: str) -> None:
    """A folder's clips and photos, and each on its own: their results have their names."""
    for name in names:
        if name.endswith(".png"):
            save(place.sources / name, PHOTO)
        else:
            make_clip(place.sources / name, "-c:a", "aac", frames=3, sound=True)
    place.paints("sources", "-o", "out")
    place.results |= {"out/", "out/.framestyle.json", *(f"out/{name}" for name in names)}
    for name in names:
        alone = Path("alone") / name
        place.paints(f"sources/{name}", "-o", str(alone))
        place.results |= {"alone/", str(alone)}
        if name.endswith(".mp4"):
            assert probe(alone).audio_streams == 1


@fault("leading dash", 0, "in folders and after `./` or `--` it is a name as any other")
def test_leading_dash(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    _painted_as_named(place, "-i.mp4", "--help.png")
    monkeypatch.chdir("sources")
    quick = "../presets/quick.yaml"
    place.paints("-o", "../out.mp4", "--", "-i.mp4", preset=quick)
    place.paints("./-i.mp4", "-o", "./-o.mp4", preset=quick)
    place.results |= {"out.mp4", "sources/-o.mp4"}


@fault("newline", 0, "a name as any other; shown as \\x0a")
def test_newline(place: Place) -> None:
    _painted_as_named(place, "new\nline.mp4", "new\nline.png")
    told = place.call(
        "stylize", "sources/gone\nframestyle: fine.png", "-o", "x.png", "-p", "presets/quick.yaml"
    )
    assert told.code == 5 and told.err.count("\nframestyle:") == 0
    assert "gone\\x0aframestyle: fine.png does not exist" in told.err


@fault(
    "unicode NFC/NFD",
    2,
    "kept as written; two names that differ in nothing else are refused: one file on many systems",
)
def test_unicode_forms(place: Place) -> None:
    _painted_as_named(place, NFD)
    save(place.sources / NFC, PHOTO)
    place.is_now(f"sources/{NFC}")
    place.refuses("sources", "-o", "other", words=(NFC, NFD, "would both become", "one file on many systems"))


@fault("%04d", 0, "a file of that very name comes first; else it stands for an image sequence")
def test_percent(place: Place) -> None:
    _painted_as_named(place, "%04d.mp4", "a%04d.png", "100%s.mp4")
    for number in (7, 8):
        save(place.sources / f"f.{number:04d}.png", PHOTO)
        place.is_now(f"sources/f.{number:04d}.png")
    place.paints("sources/f.%04d.png", "-o", "frames/g.%04d.png")
    place.results |= {"frames/", "frames/g.0007.png", "frames/g.0008.png"}


@pytest.mark.parametrize(
    "name", ["concat:sources/a.mp4|sources/b.mp4", "concat:sources/a.mp4", "file:sources/a.mp4"]
)
@fault("concat:", 5, "it is a missing file; a file of such a name is one")
def test_concat(place: Place, name: str) -> None:
    _painted_as_named(place, "concat:a|b.mp4")
    make_clip(place.sources / "a.mp4")
    place.is_now("sources/a.mp4")
    place.refuses(
        name, "-o", "x.mp4", words=(f"{name.replace('//', '/')} does not exist", "only local files")
    )


@fault("http:", 5, "it is a missing file, and nobody is asked for it; a file of such a name is one")
def test_http(place: Place, server: Server) -> None:
    _painted_as_named(place, "http:x.mp4")
    server.bodies["a.mp4"] = (place.sources / "http:x.mp4").read_bytes()
    place.refuses(server.url("a.mp4"), "-o", "x.mp4", words=("a.mp4 does not exist", "only local files"))
    assert server.asked == []


@pytest.mark.parametrize("name", ["list.mp4", "list.mkv", "list.ffconcat", "list.png"])
@fault("ffconcat body", 5, "it is no video, whatever its name; what it names is not opened")
def test_ffconcat(place: Place, name: str) -> None:
    make_clip(place.sources / "a.mp4")
    (place.sources / name).write_text("ffconcat version 1.0\nfile a.mp4\n")
    place.refuses(f"sources/{name}", "-o", "x.mp4", words=(f"sources/{name} is neither a video nor a photo",))


@pytest.mark.parametrize("name", ["list.m3u8", "list.mp4", "list.ts"])
@fault("m3u8", 5, "it is no video, whatever its name; nobody is asked for what it names")
def test_m3u8(place: Place, server: Server, name: str) -> None:
    body = make_clip(place.sources / "a.ts").read_bytes()
    server.bodies["a.ts"] = body
    lines = "#EXTM3U", "#EXT-X-TARGETDURATION:1", "#EXTINF:1,", server.url("a.ts"), "#EXTINF:1,", "a.ts"
    (place.sources / name).write_text("\n".join((*lines, "#EXT-X-ENDLIST\n")))
    place.refuses(f"sources/{name}", "-o", "x.mp4", words=(f"sources/{name} is neither a video nor a photo",))
    assert server.asked == []


ESCAPES = "\x1b]0;owned\x07\x1b[2J\x9b31m"


@pytest.mark.parametrize("progress", ["auto", "rich", "json", "none"])
@fault("terminal escapes in names and in logs", 5, "shown as text, by whatever display: `\\x1b[2J`")
def test_escapes(place: Place, progress: str) -> None:
    """In a clip's name, in its words and in what ffmpeg says of it."""
    source = place.sources / f"a{ESCAPES}.mp4"
    words = ("-metadata", f"title={ESCAPES}", "-metadata:s:v:0", f"handler_name={ESCAPES}")
    encode("-f", "lavfi", "-i", "testsrc2=size=32x24:rate=25,trim=end_frame=3", *words, f"file:{source}")
    damaged = place.sources / f"b{ESCAPES}.mkv"
    damaged.write_bytes(b"\x1aE\xdf\xa3" + ESCAPES.encode() * 20)
    for image in ("photo.png", "cut.png"):
        save(place.sources / image, PHOTO)
    cut = (place.sources / "cut.png").rename(place.sources / f"c{ESCAPES}.png")
    cut.write_bytes(cut.read_bytes()[:-40])
    dry = place.call(*place.stylize(("sources", "-o", "out", "--dry-run"), progress))
    told = place.call(*place.stylize(("sources", "-o", "out"), progress))
    alone = place.call(*place.stylize((str(damaged), "-o", "x.mp4"), progress))
    assert (dry.code, told.code, alone.code) == (0, 4, place.fault.code)
    ours = ("\x1b]0", "\x07", "\x1b[2J", "\x9b")
    for text in (dry.out, dry.err, told.out, told.err, alone.out, alone.err):
        assert not any(sign in text for sign in ours), text
        assert progress == "rich" or "\x1b" not in text
    assert "\\x1b[2J" in alone.err
    place.results |= {"out/", "out/.framestyle.json", "out/photo.png", f"out/a{ESCAPES}.mp4"}
