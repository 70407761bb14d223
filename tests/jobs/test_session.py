"""What a whole job shares is made once, and says what it was made from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import framestyle
from framestyle import opening, resolve
from framestyle.context import Context
from framestyle.doors.advice import next_step
from framestyle.errors import DeviceError, FramestyleError, InputError, PresetError, WeightsError
from framestyle.events import Event, Note, Preparing
from framestyle.jobs.plan.tasks import Task
from framestyle.jobs.run.job import run
from framestyle.jobs.run.provenance import provenance_of, recipe_of
from framestyle.jobs.run.recipes import Recipe, read_recipe
from framestyle.kinds import MediaKind, TimeRange
from framestyle.motion.flow import DISFlow
from framestyle.motion.raft import RAFTFlow
from framestyle.nst import styles as styles_module
from framestyle.nst.targets import AREAS_KEPT
from framestyle.nst.weights.catalog import import_file
from framestyle.nst.weights.store import WeightsStore
from framestyle.opening import load_weights
from framestyle.presets import Preset
from framestyle.session import Session

MakeClip = Callable[..., Path]


@pytest.fixture
def preset(photo: Path) -> Callable[..., Preset]:
    """`preset(optimizer={"init": PATH})`: two shallow layers, the photo as style image, sections merged in."""

    def made(**changes: Any) -> Preset:
        data: dict[str, Any] = {
            "name": "mine",
            "style": {"images": [{"path": str(photo)}], "layers": {"relu1_1": 1.0, "relu2_1": 1.0}},
            "content": {"layers": {"relu2_2": 1.0}},
            "optimizer": {"precision": "float32"},
        }
        for key, value in changes.items():
            data[key] = {**data.get(key, {}), **value}
        return Preset.model_validate(data)

    return made


def _open(preset: Preset, on_event: Callable[[Event], None] = lambda event: None, **changes: Any) -> Session:
    options = {"weights": "untrained", "device": "cpu", "seed": 7, "clips": True, "masks_follow": False}
    return Session.open(preset, context=Context(on_event), **options | changes)


def _counted(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> list[str]:
    """The real function still runs; each call leaves its name."""
    calls: list[str] = []
    real = getattr(module, name)

    def counting(*args: Any, **kwargs: Any) -> Any:
        calls.append(name)
        return real(*args, **kwargs)

    monkeypatch.setattr(module, name, counting)
    return calls


def test_a_batch_reads_weights_and_style_once_and_makes_targets_once_an_area(
    preset: Callable[..., Preset],
    make_clip: MakeClip,
    photo: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    backbones = _counted(monkeypatch, opening, "load_backbone")
    styles = _counted(monkeypatch, opening, "read_style_image")
    targets = _counted(monkeypatch, styles_module, "blended_targets")
    digests = _counted(monkeypatch, resolve, "sha256_of")
    recipes = _counted(monkeypatch, Recipe, "text")
    few = {"scales": {"min_px": 64, "first_steps": 1, "steps": 1}, "video": {"steps": 1, "min_steps": 1}}
    session = _open(preset(**few))
    # Three photos and two clips of one size, one photo of that size on its side, and one of another.
    tasks = [Task(MediaKind.PHOTO, photo, tmp_path / "out" / f"{n}.png") for n in range(3)]
    tasks += [
        Task(MediaKind.VIDEO, make_clip(f"{n}.mp4", shots=(3,)), tmp_path / "out" / f"{n}.mp4")
        for n in range(2)
    ]
    Image.fromarray(np.zeros((40, 20, 3), np.uint8)).save(tmp_path / "tall.png")
    tasks.append(Task(MediaKind.PHOTO, tmp_path / "tall.png", tmp_path / "out" / "tall.png"))
    Image.fromarray(np.zeros((32, 24, 3), np.uint8)).save(tmp_path / "turned.png")
    tasks.append(Task(MediaKind.PHOTO, tmp_path / "turned.png", tmp_path / "out" / "turned.png"))
    done = run(tasks, tmp_path / "out", TimeRange(), session)
    assert len(done.outputs) == 7
    assert (len(backbones), len(styles), len(targets)) == (1, 1, 2)
    assert (len(digests), len(recipes)) == (1, 1)


def test_sessions_share_weights_that_were_loaded_once(
    preset: Callable[..., Preset], monkeypatch: pytest.MonkeyPatch
) -> None:
    backbones = _counted(monkeypatch, opening, "load_backbone")
    news: list[Event] = []
    kind, backbone = load_weights("untrained", Context(news.append))
    one, two = (_open(preset(), news.append, weights=kind, backbone=backbone) for _ in range(2))
    assert len(backbones) == len(news) == 1  # and the warning is given once
    alone = _open(preset())
    assert one.weights == two.weights == alone.weights == "untrained"
    assert recipe_of(one) == recipe_of(two) == recipe_of(alone)


def test_targets_do_not_pile_up_over_a_folder_of_many_sizes(
    preset: Callable[..., Preset], monkeypatch: pytest.MonkeyPatch
) -> None:
    """About 5 MB for each scale of each size: a thousand photos would fill any memory."""
    targets = _counted(monkeypatch, styles_module, "blended_targets")
    stylizer = _open(preset(scales={"min_px": 64, "first_steps": 1})).stylizer
    usual = torch.zeros(1, 3, 16, 16)
    for width in range(17, 57):
        stylizer.stylize(torch.zeros(1, 3, 16, width))
        stylizer.stylize(usual)
    assert len(stylizer.styles.kept) == AREAS_KEPT
    # The size that comes again and again was made once.
    assert len(targets) == 40 + 1


def test_the_provenance_says_all_that_decides_the_pixels(preset: Callable[..., Preset]) -> None:
    (words,) = provenance_of(_open(preset())).values()
    for part in (
        f"framestyle {framestyle.__version__}",
        f"torch {torch.__version__}",
        "preset mine",
        "weights untrained",
        "seed 7",
        "cpu float32",
    ):
        assert part in words


def test_the_recipe_holds_the_whole_preset_and_all_that_was_used(
    preset: Callable[..., Preset], photo: Path
) -> None:
    made = preset(scales={"steps": 3})
    recipe = read_recipe(recipe_of(_open(made)).text(), Path("picture.png"))
    assert recipe.spec.preset == made
    assert (recipe.spec.weights, recipe.spec.seed, recipe.device) == ("untrained", 7, "cpu float32")
    assert recipe.versions == {"framestyle": framestyle.__version__, "torch": torch.__version__}
    assert recipe.spec.pictures == {str(photo): hashlib.sha256(photo.read_bytes()).hexdigest()}


def test_untrained_weights_are_never_used_without_a_warning(preset: Callable[..., Preset]) -> None:
    news: list[Event] = []
    session = _open(preset(), news.append)
    assert session.weights == "untrained"
    assert [event.level for event in news if isinstance(event, Note)] == ["warning"]
    assert not any(isinstance(event, Preparing) for event in news)


def test_the_seed_reaches_the_stylizer_and_no_listener_stays(preset: Callable[..., Preset]) -> None:
    at_first: list[Event] = []
    session = _open(preset(scales={"first_steps": 1}), at_first.append, seed=11)
    assert session.stylizer.seed == session.spec.seed == 11
    before, news = len(at_first), list[Event]()
    session.stylizer.stylize(torch.zeros(1, 3, 16, 16), Context(news.append))
    session.stylizer.stylize(torch.zeros(1, 3, 16, 16))
    assert len(at_first) == before and len(news) == 1


def test_an_init_image_is_read_and_used(preset: Callable[..., Preset], tmp_path: Path) -> None:
    start = np.full((16, 16, 3), (255, 0, 51), np.uint8)
    Image.fromarray(start).save(tmp_path / "start.png")
    stylizer = _open(preset(optimizer={"init": str(tmp_path / "start.png")})).stylizer
    assert stylizer.init_image is not None
    torch.testing.assert_close(stylizer.init_image[0, :, 0, 0], torch.tensor([1.0, 0.0, 0.2]))
    assert _open(preset(optimizer={"init": "noise"})).stylizer.init_image is None


@pytest.mark.parametrize(
    ("changes", "options", "kind", "word"),
    [
        ({"style": {"images": []}}, {}, PresetError, "style image"),
        ({"style": {"images": [{"path": "gone.png"}]}}, {}, InputError, "gone.png"),
        ({"optimizer": {"init": "gone.png"}}, {}, InputError, "gone.png"),
        ({}, {"device": "cuda:99"}, DeviceError, "cuda:99"),
        ({}, {"weights": "gone.pth"}, FramestyleError, "gone.pth"),
    ],
)
def test_what_is_missing_is_said_with_the_next_step(
    preset: Callable[..., Preset],
    changes: dict[str, Any],
    options: dict[str, Any],
    kind: type[FramestyleError],
    word: str,
) -> None:
    with pytest.raises(kind, match=word) as caught:
        _open(preset(**changes), **options)
    assert next_step(caught.value)


RAFT = {"flow": "raft", "flow_quality": "ultrafast", "steps": 1, "min_steps": 1}


def test_missing_flow_weights_are_said_before_any_others_are_loaded(
    preset: Callable[..., Preset], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backbones = _counted(monkeypatch, opening, "load_backbone")
    news: list[Event] = []
    with pytest.raises(WeightsError, match="needs the raft-small weights") as caught:
        _open(preset(video=RAFT), news.append, store=WeightsStore(tmp_path / "empty"))
    assert next_step(caught.value) is not None and "video.flow=dis" in next_step(caught.value)
    assert (backbones, news) == ([], [])


@pytest.mark.parametrize("warm_start", ["previous", "none"])
def test_where_nothing_follows_the_flow_no_weights_are_wanted_for_it(
    preset: Callable[..., Preset], tmp_path: Path, warm_start: str
) -> None:
    session = _open(preset(video={**RAFT, "warm_start": warm_start}), store=WeightsStore(tmp_path / "empty"))
    assert session.flow is None


def test_clips_are_measured_with_the_sessions_own_flow(
    preset: Callable[..., Preset],
    make_clip: MakeClip,
    raft_file: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Whoever looked for the weights anew would look here.
    monkeypatch.setenv("FRAMESTYLE_CACHE", str(tmp_path / "empty"))
    store = WeightsStore(tmp_path / "weights")
    import_file(store, "raft-small", raft_file("raft-small"))
    few = {"scales": {"min_px": 64, "first_steps": 1, "steps": 1}, "video": RAFT}
    session = _open(preset(**few), store=store)
    assert isinstance(session.flow, RAFTFlow) and isinstance(_open(preset()).flow, DISFlow)
    measured = _counted(monkeypatch, RAFTFlow, "both_ways")
    tasks = [
        Task(MediaKind.VIDEO, make_clip(f"{n}.mp4", shots=(3,)), tmp_path / "out" / f"{n}.mp4") for n in "ab"
    ]
    assert len(run(tasks, tmp_path / "out", TimeRange(), session).outputs) == 2
    assert len(measured) == 4
