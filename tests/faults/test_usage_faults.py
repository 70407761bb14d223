"""What is asked for and cannot be is told before the work, with what may have been meant."""

from __future__ import annotations

from pathlib import Path

import pytest
from clips import make_clip
from fault_list import fault
from photo_makers import picture, save
from place import Place

from framestyle.doors.cli import main
from framestyle.media.video.probe import probe
from framestyle.presets.library import builtin_presets_dir

PHOTO = picture(height=24, width=32)


def _refused_usage(place: Place, *arguments: str) -> str:
    """What a call that argparse ends says."""
    place.watch()
    place.capfd.readouterr()
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == place.fault.code
    return place.capfd.readouterr().err


OUTPUTS = {
    "below what is a file": ("notes.txt/out.png", "notes.txt"),
    "below a photo, deep": ("sources/in.png/a/b/out.png", "sources/in.png"),
    "where nothing can be made": ("/proc/framestyle/out.png", "/proc/framestyle/out.png cannot be written"),
    "where no file can be made": ("/proc/out.png", "/proc/out.png cannot be written"),
    "of too long a name": (f"{'w' * 300}.png", "File name too long"),
    "in a folder of too long a name": (f"{'w' * 300}/out.png", "File name too long"),
    "in a new folder of too long a name": (f"new/{'w' * 300}/", "File name too long"),
}


@pytest.mark.parametrize("case", OUTPUTS)
@fault(
    "an output that can't be written",
    6,
    "refused before any work, and by --dry-run; no folder is made for it",
)
def test_unwritable_outputs(place: Place, case: str, loads: list[str]) -> None:
    save(place.sources / "in.png", PHOTO)
    Path("notes.txt").write_text("ultramarine")
    output, words = OUTPUTS[case]
    if output.startswith("/proc") and not Path("/proc/self").exists():
        pytest.skip("no /proc here")
    for dry in ((), ("--dry-run",)):
        place.refuses("sources/in.png", "-o", output, *dry, words=(words,))
    assert loads == []


@fault(
    "a link in a circle",
    4,
    "it is named, and the others are painted; where it is all there is, 5",
)
def test_links_in_circles(place: Place) -> None:
    save(place.sources / "in.png", PHOTO)
    (place.sources / "loop.png").symlink_to("loop.png")
    (place.sources / "one").symlink_to("two")
    (place.sources / "two").symlink_to("one")
    (place.sources / "up").symlink_to("..")
    told = place.call(*place.stylize(("sources", "-o", "out"), "none"))
    assert told.code == place.fault.code and "1 of 2 failed" in told.err, told.err
    assert "sources/loop.png" in told.err and "symbolic links" in told.err and "Errno" not in told.err
    place.results |= {"out/", "out/in.png", "out/.framestyle.json"}
    for arguments in (("sources/loop.png", "-o", "x.png"), ("sources/*/loop.png", "sources/one", "-o", "x/")):
        assert place.call(*place.stylize(arguments, "none")).code == 5
    Path("ring").symlink_to("ring")
    assert place.call(*place.stylize(("sources/in.png", "-o", "ring/x.png"), "none")).code == 6
    Path("ring").unlink()


REFUSED: dict[str, tuple[tuple[str, ...], int]] = {
    "unknown device": (("--device", "abacus"), 9),
    "absent device": (("--device", "cuda:99"), 9),
    "weights by a path that is not there": (("--weights", "nowhere.pth"), 8),
    "weights that are no weights": (("--weights", "presets/style.png"), 8),
    "weights that were not imported": (("--weights", "caffe"), 8),
    "weights that paint nothing": (("--weights", "raft-small"), 8),
    "flow weights that are not here": (("--set", "video.flow=raft"), 8),
    "no style image": (("--set", "style.images=[]"), 3),
    "a clip as style image": (("--set", "style.images=sources/in.mp4"), 5),
    "a style image cut in half": (("--set", "style.images=sources/cut.png"), 5),
    "a clip to start from": (("--set", "optimizer.init=sources/in.mp4"), 5),
    "a mask for no region": (("--mask", "presets/style.png"), 3),
    "a start beyond the end": (("--start", "99"), 5),
    "an end at the beginning": (("--end", "0"), 2),
    "a start after the end": (("--start", "0.3", "--end", "0.2"), 2),
    "a codec that holds no picture so small": (("--set", "output.video_codec=h265", "--max-side", "8"), 6),
    "a codec that the ending does not hold": (("--set", "output.video_codec=vp9"), 6),
}


@pytest.mark.parametrize("case", REFUSED)
@fault("a dry run of what would be refused", None, "it refuses too: the same words, the same exit code")
def test_dry_runs(place: Place, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from framestyle import opening
    from framestyle.nst.weights.catalog import load_backbone

    monkeypatch.setattr(opening, "load_backbone", load_backbone)  # as asked for
    make_clip(place.sources / "in.mp4", frames=4)
    save(place.sources / "cut.png", PHOTO)
    (place.sources / "cut.png").write_bytes((place.sources / "cut.png").read_bytes()[:-40])
    options, code = REFUSED[case]
    weights = () if "--weights" in options else ("--weights", "untrained")
    device = () if "--device" in options else ("--device", "cpu")
    order = (
        "stylize",
        "sources/in.mp4",
        "-o",
        "out.mov",
        "-p",
        "presets/quick.yaml",
        *weights,
        *device,
        *options,
    )
    run, dry = (place.call(*order, "--progress", "none", *more) for more in ((), ("--dry-run",)))
    assert (run.code, dry.code) == (code, code), (run.err, dry.err)
    assert run.err == dry.err
    run.is_one_sentence()


@fault(
    "a disk that is too small, told by --dry-run", 7, "the plan, then how much is missing; nothing is done"
)
def test_dry_run_without_room(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    from framestyle.doors import dry_run

    make_clip(place.sources / "in.mp4", frames=4)
    save(place.sources / "in.png", PHOTO)
    for source in ("in.mp4", "in.png"):
        order = place.stylize((f"sources/{source}", "-o", f"out{Path(source).suffix}", "--dry-run"), "none")
        with monkeypatch.context() as patch:
            patch.setattr(dry_run, "free_bytes", lambda folder: 100.0)
            told = place.call(*order)
        assert told.code == 7 and "which will not do" in told.out and "by estimate" in told.err, told.err
        assert place.call(*order).code == 0


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (("stylise", "a.png"), "stylize"),
        (("presets", "lst"), "list"),
        (("weights", "fecth"), "fetch"),
        (("stylize", "a.png", "--ouput", "b.png"), "--output"),
        (("stylize", "a.png", "-o", "b.png", "-p", "wave", "--devise=cpu"), "--device"),
        (("presets", "new", "mine", "--stile", "a.png"), "--style"),
        (("verify", "a.png", "--againts", "b.png"), "--against"),
        (("--debgu", "doctor"), "--debug"),
    ],
)
@fault("a mistyped command or option", 2, "what may have been meant is said")
def test_mistyped(place: Place, typed: tuple[str, ...], meant: str) -> None:
    err = _refused_usage(place, *typed)
    assert f"Did you mean {meant}?" in err and "--help" in err and len(err.splitlines()) == 2


@fault("a mistyped file", 5, "the names of its folder that may have been meant are said")
def test_mistyped_file(place: Place) -> None:
    for name in ("holiday.png", "holidays-2.png", "other.png"):
        save(place.sources / name, PHOTO)
    place.refuses("sources/holidya.png", "-o", "x.png", words=("Did you mean sources/holiday.png",))
    place.refuses("sources/zebra.mp4", "-o", "x.png", words=("sources/zebra.mp4 does not exist\n  Check",))
    told = place.call(*place.stylize(("sources/other.png", "-o", "x.png"), "none", "presets/quik.yaml"))
    assert told.code == 3 and "presets/quick.yaml?" in told.err


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (("--max-side=-5",), "--max-side -5: must be ≥ 0"),
        (("--max-side", "999999"), "--max-side 999999: must be ≤ 32768"),
        (("--mask", "gone.png"), '--mask "gone.png": there is no image at'),
        (("--set", "max_side_px=-5"), "--set scales.max_side_px: must be ≥ 0"),
    ],
)
@fault("a value out of its range", 3, "it is told in the words that were typed")
def test_values_as_typed(place: Place, typed: tuple[str, ...], words: str) -> None:
    save(place.sources / "in.png", PHOTO)
    place.refuses("sources/in.png", "-o", "x.png", *typed, words=(words,))


@pytest.mark.parametrize(
    ("ending", "codec"),
    [(".gif", "gif"), (".webm", "vp9"), (".mov", "h264"), (".webp", "webp_anim"), (".mkv", "h264")],
)
@fault(
    "an ending that the default codec does not go with",
    0,
    "it chooses the codec; one that was chosen stays, or is refused",
)
def test_endings_choose_codecs(place: Place, ending: str, codec: str) -> None:
    make_clip(place.sources / "in.mp4", frames=8)
    place.results.add(f"out{ending}")
    place.paints("sources/in.mp4", "-o", f"out{ending}")
    assert probe(Path(f"out{ending}")).video_codec == codec
    if ending == ".mkv":
        place.results.add("chosen.mkv")
        place.paints("sources/in.mp4", "-o", "chosen.mkv", "--set", "output.video_codec=ffv1")
        assert probe(Path("chosen.mkv")).video_codec == "ffv1"
    else:
        told = place.call(
            *place.stylize(("sources/in.mp4", "-o", f"x{ending}", "--set", "output.video_codec=ffv1"), "none")
        )
        assert told.code == 6 and f"x{ending} cannot hold ffv1 video" in told.err


@fault("a clip into one picture", 6, "refused before any work; the name of its frames is said: a.%04d.png")
def test_clip_into_one_picture(place: Place) -> None:
    make_clip(place.sources / "in.mp4", frames=2)
    for ending in (".png", ".jpg", ".tif"):
        place.refuses(
            "sources/in.mp4",
            "-o",
            f"a{ending}",
            words=(f"a{ending} is one picture", f"a.%04d{ending}", "a.mp4"),
        )
    place.results |= {"a.0000.png", "a.0001.png"}
    place.paints("sources/in.mp4", "-o", "a.%04d.png")


@fault(
    "a preset of a built-in one's name",
    6,
    "refused; with --overwrite it is made, and said whenever it is used",
)
def test_hidden_presets(place: Place) -> None:
    mine = place.folder.parent / "config" / "framestyle" / "presets" / "mosaic.yaml"
    save(place.sources / "in.png", PHOTO)
    for name in ("mosaic", "Mosaic"):
        told = place.call("presets", "new", name, "--style", "presets/style.png")
        assert told.code == 6 and not mine.parent.exists()
        told.is_one_sentence("is the name of a built-in preset", "--overwrite")
    assert place.call("presets", "new", "mosaic", "--style", "presets/style.png", "--overwrite").code == 0
    assert mine.is_file()
    used = place.call("stylize", "sources/in.png", "-o", "x.png", "-p", "mosaic", "--dry-run")
    assert used.code == 0 and f"is yours, at {mine}" in used.out
    assert place.call("presets", "remove", "mosaic").code == 0 and not mine.exists()
    used = place.call("stylize", "sources/in.png", "-o", "x.png", "-p", "mosaic", "--dry-run")
    assert used.code == 0 and "is yours" not in used.out
    assert (builtin_presets_dir() / "mosaic.yaml").is_file()


@pytest.mark.parametrize("name", ["my art", "my.art", "art!", "-art", "a'b", "art\u200b", "$HOME"])
@fault(
    "a preset's name that a shell would take apart",
    2,
    "refused by the rule that is said: letters, digits, - and _",
)
def test_preset_names(place: Place, name: str) -> None:
    told = place.call("presets", "new", "--style", "presets/style.png", "--", name)
    assert told.code == 2, told.err
    told.is_one_sentence("cannot be a preset's name", "letters, digits, - and _")
    good = place.call("presets", "new", "Été_2-हिन्दी", "--style", "presets/style.png")
    assert good.code == 0, good.err


@fault(
    "a preset that is removed",
    3,
    "yours alone, with its imported pictures; not one that others extend",
)
def test_removed_presets(place: Place) -> None:
    library = place.folder.parent / "config" / "framestyle" / "presets"
    export = ("presets", "export", "presets/quick.yaml", "-o", "quick.zip")
    assert place.call(*export).code == 0
    for name in ("one", "two"):
        assert place.call("presets", "import", "quick.zip", "--name", name).code == 0
    art = sorted(path.name for path in (library / "art").iterdir())
    assert len(art) == 2
    (library / "heir.yaml").write_text("schema: 1\nextends: two\n")
    assert place.call("presets", "remove", "two").code == 6
    assert place.call("presets", "remove", "wave").code == 6
    told = place.call("presets", "remove", "oen")
    assert told.code == place.fault.code and "Did you mean one?" in told.err
    told = place.call("presets", "remove", "one")
    assert told.code == 0 and len(told.out.splitlines()) == 2
    assert sorted(path.name for path in library.iterdir()) == ["art", "heir.yaml", "two.yaml"]
    assert [path.name for path in (library / "art").iterdir()] == art[1:]
    assert place.call("presets", "validate", "two", "heir").code == 0
    told = place.call("presets", "validate", "wave", "presets/quick.yaml", "wvae")
    assert told.code == 3 and "wave: ok" in told.out and "quick.yaml: ok" in told.out
    assert "Did you mean wave?" in told.err and "1 of 3 presets" in told.err
    place.results.add("quick.zip")


@fault("a file to verify that is not there", 5, "it is missing, not damaged; the others are looked at")
def test_missing_files_to_verify(place: Place) -> None:
    save(place.sources / "in.png", PHOTO)
    told = place.call("verify", "nope.png", "sources/in.png")
    assert told.code == 5 and "nope.png: missing" in told.out and "sources/in.png: whole" in told.out
    assert told.out.splitlines()[-1] == "2 files: 1 whole, 1 missing"
    told = place.call("verify", "sources/in.png", "--against", "sources/ni.png")
    assert told.code == 5
    told.is_one_sentence("sources/ni.png does not exist", "Did you mean sources/in.png?")


@fault("a clip of one frame, in words", 0, "one frame, one shot, one step")
def test_words_for_one(place: Place) -> None:
    make_clip(place.sources / "in.mp4", frames=1)
    place.results.add("out.mp4")
    one_step = ("--set", "scales.first_steps=1", "--max-side", "64")
    told = place.call(*place.stylize(("sources/in.mp4", "-o", "out.mp4", *one_step), "auto"))
    assert told.code == 0, told.err
    assert "1 frame, 1 shot, 32x24" in told.err and "MB, 1 frame, " in told.err and "1 frames" not in told.err
