"""What people's pictures say of themselves, and what they are called: nothing of it is lost in silence."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from fault_list import fault
from photo_makers import deep_png, deep_tiff, picture, png_chunk, save
from PIL import Image, ImageDraw, PngImagePlugin, features
from place import Place

from framestyle.media.animated import plays_of
from framestyle.media.ffmpeg import ffmpeg_exe
from framestyle.media.photos import Photo, read_photo
from framestyle.media.photos.avif import StillPicture, write_avif
from framestyle.media.photos.cicp import Cicp
from framestyle.media.photos.isobmff import still_in
from framestyle.media.video.probe import probe
from framestyle.media.video.reader import VideoReader

needs_avif = pytest.mark.skipif(not features.check("avif"), reason="Pillow has no AVIF")
PQ = bytes((9, 16, 0, 1))


def _shown(dtype: Any = np.uint8) -> Any:
    return picture(dtype, 24, 32)


def _png(place: Place, name: str, chunks: bytes) -> Path:
    path = place.sources / name
    path.write_bytes(deep_png(_shown(np.uint16), more=chunks))
    return path


def _painted(place: Place, source: Path, output: str, *more: str) -> tuple[Photo, str]:
    place.results.add(output)
    said = place.paints(str(source), "-o", output, *more, progress="auto").err
    return read_photo(Path(output)), said


def _frames(path: str) -> list[Any]:
    with VideoReader(Path(path)) as reader:
        return list(reader)


def _drawn(number: int) -> Image.Image:
    layer = Image.new("RGBA", (32, 24), (0, 0, 0, 0))
    ImageDraw.Draw(layer).rectangle([4 * number, 6, 4 * number + 12, 18], fill=(200, 30 * number, 40, 255))
    return layer


def _ffmpeg(*arguments: str, data: bytes = b"") -> None:
    subprocess.run([ffmpeg_exe(), "-v", "error", "-y", *arguments], input=data, check=True)


@pytest.mark.parametrize(
    ("kind", "body"),
    [(b"cICP", bytes((12, 13, 0, 1))), (b"cICP", bytes((1, 8, 0, 1))), (b"gAMA", struct.pack(">L", 100_000))],
)
@fault("colours told by cICP, gAMA, cHRM", 0, "converted for the work and back; the result says the same")
def test_coded_colours(place: Place, kind: bytes, body: bytes) -> None:
    photo, _ = _painted(place, _png(place, "in.png", png_chunk(kind, body)), "out.png")
    assert png_chunk(kind, body) in Path("out.png").read_bytes() and photo.coded is not None


@fault("an HDR still", 0, "PQ and HLG are kept, with their tags and depth, and it says so")
def test_hdr_still(place: Place) -> None:
    transfers = {"pq": 16, "hlg": 18}
    sources = {
        name: _png(place, f"{name}.png", png_chunk(b"cICP", bytes((9, transfer, 0, 1))))
        for name, transfer in transfers.items()
    }
    for name, source in sources.items():
        photo, said = _painted(place, source, f"{name}.png")
        assert photo.hdr == name.upper() and photo.bits == 16 and "stays so" in said


@fault("an HDR still into a format without HDR", 6, "refused before it is painted, with what to do")
def test_hdr_still_refused(place: Place) -> None:
    source = _png(place, "in.png", png_chunk(b"cICP", PQ))
    place.refuses(str(source), "-o", "out.jpg", words=("JPEG holds no HDR (PQ)", "output.hdr=tonemap"))


@fault("an HDR still made SDR", 0, "by `output.hdr=tonemap`; the result is sRGB and says so")
def test_hdr_still_made_sdr(place: Place) -> None:
    source = _png(place, "in.png", png_chunk(b"cICP", PQ))
    photo, said = _painted(place, source, "out.jpg", "--set", "output.hdr=tonemap")
    assert photo.hdr is None and photo.icc_profile is not None and "is made SDR" in said


@needs_avif
@fault("an AVIF of 10 bits", 0, "stays one of 10 bits, in its colours")
def test_deep_avif(place: Place) -> None:
    source = place.sources / "in.avif"
    write_avif(source, StillPicture(_shown(np.uint16), None, 10, Cicp(12, 13), None, None, None), 95, "4:4:4")
    photo, _ = _painted(place, source, "out.avif")
    assert (photo.bits, photo.coded) == (10, Cicp(12, 13))
    assert still_in(Path("out.avif")).bits == 10


@pytest.mark.parametrize(
    ("output", "codec"), [("out.gif", "gif"), ("out.webp", "webp"), ("out.mov", "prores")]
)
@fault("a transparent GIF", 0, "what shows through still does, in every format that holds it")
def test_transparent_gif(place: Place, output: str, codec: str) -> None:
    frames = [_drawn(n) for n in range(3)]
    source = place.sources / "in.gif"
    frames[0].save(source, save_all=True, append_images=frames[1:], duration=80, disposal=2, loop=0)
    place.results.add(output)
    place.paints(str(source), "-o", output, "--set", f"output.video_codec={codec}")
    for mine, theirs in zip(_frames(output), frames, strict=True):
        assert np.array_equal(mine.alpha > 0, np.asarray(theirs)[..., 3] > 0)


@pytest.mark.parametrize("codec", ["gif", "webp"])
@fault("a loop count", 0, "as often as the source, by each format's own way of counting")
def test_loop_count(place: Place, codec: str) -> None:
    frames = [_drawn(n) for n in range(3)]
    source = place.sources / "in.gif"
    frames[0].save(source, save_all=True, append_images=frames[1:], duration=80, loop=3)
    place.results.add(f"out.{codec}")
    place.paints(str(source), "-o", f"out.{codec}", "--set", f"output.video_codec={codec}")
    assert plays_of(Path(f"out.{codec}")) == plays_of(source) == 4


@needs_avif
@fault("an AVIF sequence", 0, "a clip of all its pictures, each at its time")
def test_avif_sequence(place: Place) -> None:
    frames = [Image.new("RGB", (32, 24), colour) for colour in ("red", "green", "blue")]
    source = place.sources / "in.avif"
    frames[0].save(source, save_all=True, append_images=frames[1:], duration=[100, 200, 100])
    place.results |= {"out/", "out/in.mp4", "out/.framestyle.json"}
    place.paints("sources", "-o", "out")
    assert [float(frame.pts) for frame in _frames("out/in.mp4")] == pytest.approx([0, 0.1, 0.3], abs=0.002)


@fault("raw MJPEG", 0, "a clip, and no photo of its first picture")
def test_raw_mjpeg(place: Place) -> None:
    _ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=s=32x24:r=25:d=0.12", "-c:v", "mjpeg", str(place.sources / "cam.mjpeg")
    )
    place.results |= {"out/", "out/cam.mp4", "out/.framestyle.json"}
    place.paints("sources", "-o", "out")
    assert probe(Path("out/cam.mp4")).frame_count_estimate == 3


@fault(
    "a JPEG called .jfif, .jpe, .png, or nothing", 0, "stays a JPEG; what its name says wrongly is put right"
)
def test_endings(place: Place) -> None:
    save(place.sources / "a.jpg", _shown())
    for name in ("b.jfif", "c.jpe", "d", "e.png"):
        (place.sources / name).write_bytes((place.sources / "a.jpg").read_bytes())
    made = {"a.jpg", "b.jfif", "c.jpe", "d.jpg", "e.jpg"}
    place.results |= {"out/", "out/.framestyle.json"} | {f"out/{name}" for name in made}
    place.paints("sources", "-o", "out")
    assert {read_photo(Path("out", name)).format for name in made} == {"JPEG"}


@pytest.mark.parametrize("dtype", [np.float32, np.uint32])
@fault("a TIFF of floating-point or 32-bit pixels", 0, "read, and written with 16 bits, and it says so")
def test_float_tiff(place: Place, dtype: Any) -> None:
    values = _shown(np.uint16)[..., ::-1] / 65535 * (1 if dtype == np.float32 else 0xFFFFFFFF)
    assert cv2.imwrite(str(place.sources / "in.tif"), values.astype(dtype))
    photo, said = _painted(place, place.sources / "in.tif", "out.tif", "--set", "strength=0.01")
    assert photo.bits == 16 and "written with 16 bits" in said
    assert np.abs(photo.pixels / 65535 - _shown(np.uint16) / 65535).mean() < 0.05


@fault(
    "a TIFF of floating-point pixels without a white",
    5,
    "most of them above 1: it says that its white is not known",
)
def test_float_tiff_without_white(place: Place) -> None:
    assert cv2.imwrite(str(place.sources / "in.tif"), _shown().astype(np.float32))
    place.refuses("sources/in.tif", "-o", "out.tif", words=("floating-point pixels, most of them above 1",))


@pytest.mark.parametrize("suffix", ["exr", "hdr"])
@fault("OpenEXR and Radiance", 0, "read as light, written as PNG of 16 bits; what is clipped is said")
def test_pictures_of_light(place: Place, suffix: str) -> None:
    shape = ("-f", "rawvideo", "-pix_fmt", "gbrpf32le", "-s", "32x24", "-i", "-", "-frames:v", "1")
    light = np.full((3, 24, 32), 0.5, "<f4")
    light[:, :12] = 3
    _ffmpeg(*shape, str(place.sources / f"in.{suffix}"), data=light.tobytes())
    place.results |= {"out/", f"out/in.{suffix}.png", "out/.framestyle.json"}
    said = place.paints("sources", "-o", "out", progress="auto").err
    assert read_photo(Path(f"out/in.{suffix}.png")).bits == 16
    assert "50.0% of it is brighter than white, and was clipped" in said


@fault("an OpenEXR that is cut off", 5, "it says that it cannot be decoded")
def test_damaged_exr(place: Place) -> None:
    (place.sources / "in.exr").write_bytes(b"\x76\x2f\x31\x01\x02\0\0\0channels")
    place.refuses("sources/in.exr", "-o", "out.png", words=("damaged, or an OpenEXR of a kind",))


@fault("texts in a PNG", 0, "kept in a PNG; of other formats it is said which are left out")
def test_png_texts(place: Place) -> None:
    words = PngImagePlugin.PngInfo()
    words.add_itxt("parameters", "a cat, 猫")
    save(place.sources / "in.png", _shown(), pnginfo=words)
    photo, _ = _painted(place, place.sources / "in.png", "out.png")
    assert photo.texts == {"parameters": "a cat, 猫"}
    _, said = _painted(place, place.sources / "in.png", "out.jpg")
    assert "JPEG holds no PNG text: parameters was left out" in said


@fault("a gain map, or another view, in a JPEG", 0, "the first picture is painted, and it says so")
def test_further_pictures(place: Place) -> None:
    image = Image.fromarray(_shown())
    image.save(place.sources / "in.jpg", format="MPO", save_all=True, append_images=[image.resize((8, 6))])
    _, said = _painted(place, place.sources / "in.jpg", "out.jpg")
    assert "it holds 2 pictures; only the first is used, without gain maps and other views" in said


@fault(
    "what programs keep beside pictures",
    0,
    "@eaDir, #recycle, *_original are passed over; named, they are painted",
)
def test_kept_aside(place: Place) -> None:
    for name in ("a.png", "@eaDir/a.png", "#recycle/b.png", "sub/__MACOSX/a.png"):
        (place.sources / name).parent.mkdir(parents=True, exist_ok=True)
        save(place.sources / name, _shown())
    (place.sources / "a.png_original").write_bytes((place.sources / "a.png").read_bytes())
    place.results |= {"out/", "out/a.png", "out/.framestyle.json", "named.png"}
    place.paints("sources", "-o", "out")
    place.paints("sources/@eaDir/a.png", "-o", "named.png")


@pytest.mark.parametrize(("dtype", "apart"), [("<f2", False), ("<f2", True), ("<u2", True), ("<f4", True)])
@fault("a TIFF of half precision, or of channels apart", 0, "read, and written with 16 bits")
def test_wide_tiffs(place: Place, dtype: str, apart: bool) -> None:
    values = _shown(np.uint16)
    stored = values.astype(dtype) if dtype == "<u2" else (values / 65535).astype(dtype)
    (place.sources / "in.tif").write_bytes(deep_tiff(stored, planar=apart))
    read = read_photo(place.sources / "in.tif").pixels.astype(int)
    assert np.abs(read - values.astype(int)).max() <= (32 if dtype == "<f2" else 1)
    photo, said = _painted(place, place.sources / "in.tif", "out.tif")
    assert photo.bits == 16 and ("written with 16 bits" in said) == (dtype != "<u2")


@fault(
    "a film behind a photo (motion photos)", 0, "the picture is painted; the film is left out, and it says so"
)
def test_motion_photos(place: Place) -> None:
    film = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(64)
    behind = {"plain": b"", "google": film, "samsung": b"\0\0\x30\x0aMotionPhoto_Data" + film}
    for name, more in behind.items():
        save(place.sources / f"{name}.jpg", _shown())
        with (place.sources / f"{name}.jpg").open("ab") as file:
            file.write(more)
    for name, more in behind.items():
        photo, said = _painted(place, place.sources / f"{name}.jpg", f"{name}.jpg")
        assert ("the film behind it (a motion photo) is left out" in said) == bool(more)
        assert b"ftyp" not in Path(f"{name}.jpg").read_bytes() and photo.pixels.shape == (24, 32, 3)


PANORAMA = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:GPano="http://ns.google.com/photos/1.0/panorama/"
 GPano:ProjectionType="equirectangular" GPano:FullPanoWidthPixels="400" GPano:CroppedAreaImageWidthPixels="200"
 GPano:CroppedAreaLeftPixels="100"><GPano:FullPanoHeightPixels>200</GPano:FullPanoHeightPixels>
<GPano:CroppedAreaImageHeightPixels>100</GPano:CroppedAreaImageHeightPixels></rdf:Description></rdf:RDF></x:xmpmeta>"""


@fault("a panorama made smaller", 0, "the same part of what is all around, in its own pixels")
def test_smaller_panoramas(place: Place) -> None:
    save(place.sources / "in.jpg", picture(np.uint8, 100, 200), xmp=PANORAMA.encode())
    photo, _ = _painted(place, place.sources / "in.jpg", "out.jpg", "--max-side", "100")
    told = (photo.xmp or b"").decode()
    for words in (
        'FullPanoWidthPixels="200"',
        'ImageWidthPixels="100"',
        'LeftPixels="50"',
        "HeightPixels>100<",
    ):
        assert words in told, told
    same, _ = _painted(place, place.sources / "in.jpg", "same.jpg", "--max-side", "0")
    assert 'FullPanoWidthPixels="400"' in (same.xmp or b"").decode()


@fault(
    "a camera's small copies of its clips",
    0,
    ".LRV, .LRF and .THM are passed over in folders; named, they are painted",
)
def test_small_copies(place: Place) -> None:
    save(place.sources / "GX01.png", _shown())
    save(place.sources / "GX01.THM", _shown(), format="JPEG")
    (place.sources / "GL01.LRV").write_bytes(b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom")
    place.results |= {"out/", "out/GX01.png", "out/.framestyle.json", "named.jpg"}
    place.paints("sources", "-o", "out")
    place.paints("sources/GX01.THM", "-o", "named.jpg")


@fault("a clip of like frames into WebP", 0, "one picture, as WebP has it; whole")
def test_like_frames(place: Place) -> None:
    _ffmpeg("-f", "lavfi", "-i", "color=c=red:s=32x24:r=25:d=0.12", str(place.sources / "in.mkv"))
    place.results.add("out.webp")
    place.paints("sources/in.mkv", "-o", "out.webp")
    told = place.call("verify", "out.webp", "--against", "sources/in.mkv")
    assert told.code == 0 and "WebP makes one of frames that are all alike" in told.out, told


@fault("an HDR image sequence", 0, "a clip of PQ, and no SDR one")
def test_hdr_sequence(place: Place) -> None:
    for number in range(3):
        _png(place, f"f{number}.png", png_chunk(b"cICP", PQ))
    place.results.add("out.mkv")
    place.paints("sources/f%d.png", "-o", "out.mkv", "--set", "output.video_codec=ffv1")
    assert probe(Path("out.mkv")).colors.hdr == "PQ"
