"""`framestyle doctor` on a machine that is well, and on several that are not."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from framestyle.doctor import AREAS, Area, Finding, examine, exit_code
from framestyle.doors.doctor_cli import report
from framestyle.errors import DeviceError
from framestyle.media.ffmpeg import ffmpeg_exe
from framestyle.media.video.codecs import CODECS
from framestyle.nst.devices import measured_speed
from framestyle.nst.weights.store import WeightsStore, keep

Call = Callable[..., Any]


def by_name(told: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(one["area"], one["name"]): one for one in told["findings"]}


@pytest.fixture
def found(capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """`found("weights")`: the exit code and findings of some areas, as JSON tells them. An Area stands for itself."""

    def run(*wanted: str | Area) -> tuple[int, dict[tuple[str, str], dict[str, Any]]]:
        known = {area.name: area for area in AREAS}
        areas = [known[one] if isinstance(one, str) else one for one in wanted]
        code = report(examine(areas), as_json=True)
        told = json.loads(capsys.readouterr().out)
        assert told["exit_code"] == code
        return code, by_name(told)

    return run


def test_everything_is_examined_and_tried(call: Call) -> None:
    done = call("doctor", "--json")
    assert done.returncode == 0, done.stdout
    told = json.loads(done.stdout)
    assert (told["framestyle_doctor"], told["exit_code"]) == (1, 0)
    one = by_name(told)
    assert {area for area, _ in one} == {
        "system", "packages", "devices", "ffmpeg", "encoders", "weights", "folders", "presets", "plugins",
        "integrations",
    }  # fmt: skip
    assert one["devices", "cpu"]["facts"]["float32"]["convolution_gflops"] > 0
    assert {name for area, name in one if area == "encoders"} == {*CODECS, "sound", "nvenc"}
    assert one["encoders", "h264"]["facts"]["works"] == ["libx264", "libx264rgb"]
    assert one["ffmpeg", "decoders"]["state"] == "ok"
    assert one["packages", "versions"]["facts"]["torch"].split("+")[0] == torch.__version__.split("+")[0]
    size = one["packages", "size"]["facts"]
    assert size["all_bytes"] > size["torch_bytes"] + size["gpu_bytes"] > 5e7
    assert one["folders", "cache"]["facts"]["free_bytes"] > 0
    assert one["presets", "built-in"]["facts"]["count"] >= 16


def test_a_person_gets_a_line_each_and_a_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    quick = [area for area in AREAS if area.name not in ("devices", "ffmpeg")]
    assert report(examine(quick), as_json=False) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "system" and lines[1].startswith("  ok       Python: ")
    assert any(line.startswith("  ok       untrained: ") for line in lines)
    assert lines[-1] in ("All is well.", "0 failed, 1 to look at.")


def test_an_ffmpeg_that_fails_is_the_one_failure(
    call: Call, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = workplace / "ffmpeg"
    broken.write_text("#!/bin/sh\necho 'no such library' >&2\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(broken))
    done = call("doctor", "--json")
    told = json.loads(done.stdout)
    assert done.returncode == told["exit_code"] == 6 and told["state"] == "failure"
    (failure,) = [one for one in told["findings"] if one["state"] == "failure"]
    assert failure["name"] == "ffmpeg" and "no such library" in failure["text"]
    assert "IMAGEIO_FFMPEG_EXE" in failure["next_step"]
    assert not [one for one in told["findings"] if one["area"] == "encoders"]


def test_an_ffmpeg_older_than_what_is_tried_is_something_to_look_at(
    found: Callable[..., Any], workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = workplace / "ffmpeg"
    old.write_text(f"""#!/bin/sh
case "$*" in *-version) echo 'ffmpeg version 5.1.9-0+deb12u1 by others';; *) exec {ffmpeg_exe()} "$@";; esac
""")
    old.chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(old))
    told = found("ffmpeg")[1]
    assert told["ffmpeg", "ffmpeg"]["state"] == "warning"
    assert "older than 7.0" in told["ffmpeg", "ffmpeg"]["text"]


def test_an_encoder_that_is_missing_is_named(
    call: Call, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was built without AV1: a warning, for nothing else needs it."""
    from framestyle.media.ffmpeg import ffmpeg_exe

    poor = workplace / "ffmpeg"
    poor.write_text(
        f'#!/bin/sh\ncase "$*" in *libsvtav1*) echo "Unknown encoder \'libsvtav1\'" >&2; exit 1;; esac\n'
        f'exec "{ffmpeg_exe()}" "$@"\n'
    )
    poor.chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(poor))
    done = call("doctor", "--json")
    one = by_name(json.loads(done.stdout))
    assert done.returncode == 0
    assert (
        one["encoders", "av1"]["state"] == "warning" and "Unknown encoder" in one["encoders", "av1"]["text"]
    )
    assert one["encoders", "vp9"]["state"] == "ok"


@pytest.mark.skipif(
    os.name != "posix", reason="a file where a folder should be is refused elsewhere otherwise"
)
def test_a_cache_that_cannot_be_written_to_is_a_failure(
    found: Callable[..., Any], workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workplace / "file").write_text("in the way")
    monkeypatch.setenv("FRAMESTYLE_CACHE", str(workplace / "file" / "cache"))
    code, one = found("folders")
    assert code == 7 and one["folders", "cache"]["state"] == "failure"
    assert "FRAMESTYLE_CACHE" in one["folders", "cache"]["next_step"]
    assert one["folders", "current"]["state"] == "ok"


@pytest.mark.parametrize(("kind", "code", "state"), [("imagenet", 8, "failure"), ("learned", 0, "warning")])
def test_damaged_weights_are_found(found: Callable[..., Any], kind: str, code: int, state: str) -> None:
    path = WeightsStore().path(kind)
    keep(path, {"conv1_1.weight": torch.zeros(1)}, kind)
    assert found("weights")[1]["weights", kind]["facts"]["verified"] is True
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    told_code, one = found("weights")
    assert (told_code, one["weights", kind]["state"]) == (code, state)
    assert "SHA-256 differs" in one["weights", kind]["text"] and one["weights", kind]["next_step"]


def test_presets_of_ones_own_that_cannot_be_used_are_named(found: Callable[..., Any]) -> None:
    from framestyle.presets import user_presets_dir

    user_presets_dir().mkdir(parents=True)
    (user_presets_dir() / "good.yaml").write_text("schema: 1\nname: good\nextends: wave\n")
    (user_presets_dir() / "bad.yaml").write_text("schema: 1\nname: bad\nextends: wave\ncontnt: 3\n")
    code, one = found("presets")
    assert code == 0 and one["presets", "your own"]["text"] == "1 of 2 can be used"
    assert one["presets", "bad.yaml"]["state"] == "warning" and "contnt" in one["presets", "bad.yaml"]["text"]


def test_an_area_that_breaks_down_is_a_failure_and_the_rest_goes_on(found: Callable[..., Any]) -> None:
    def broken() -> Any:
        raise OSError("libtorch is\nnot there")

    code, one = found(Area("devices", broken, DeviceError), "presets")
    assert code == 9 and "libtorch is not there" in one["devices", "devices"]["text"]
    assert one["presets", "built-in"]["state"] == "ok"


def test_the_first_failure_gives_the_exit_code() -> None:
    states = [Finding("a", "a", "warning", "")]
    states += [Finding("b", "b", "failure", "", exit_code=code) for code in (6, 9)]
    assert exit_code(states) == 6 and exit_code(states[:1]) == 0


def test_no_home_folder_is_told(found: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    home = Path.home()
    monkeypatch.setenv("FRAMESTYLE_CACHE", str(home / "cache"))
    _, one = found("folders")
    assert one["folders", "cache"]["facts"]["path"] == "~/cache"


def test_speed_is_measured_in_both_precisions() -> None:
    for dtype in (torch.float32, torch.bfloat16):
        speed = measured_speed(torch.device("cpu"), dtype)
        assert speed.convolution > 0 and speed.product > 0 and f"torch.{speed.dtype}" == str(dtype)
