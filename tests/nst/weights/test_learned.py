"""The backbone that is learned here: the same from the same seed, even in its activations, and kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from framestyle.nst.network.vgg import VGG19
from framestyle.nst.weights import backbone as weights
from framestyle.nst.weights import learning as learned
from framestyle.nst.weights.catalog import load_backbone, verify
from framestyle.nst.weights.learning import (
    RECIPE,
    Convolutions,
    Recipe,
    corpus,
    dead_leaves,
    learn,
    recipe_key,
)
from framestyle.nst.weights.store import WeightsStore

TINY = Recipe(
    pictures=2,
    picture_px=64,
    leaves=40,
    patches=600,
    full_whitening_up_to=9 * 64,
    rounds=1,
    rounds_large=1,
)


@pytest.fixture(scope="module", autouse=True)
def few_samples() -> Iterator[None]:
    """For speed: their sorting is most of the time of so small a recipe."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learned, "SAMPLED_POSITIONS", 2000)
        yield


@pytest.fixture(scope="module")
def filters(few_samples: None) -> Convolutions:
    return learn(0, TINY)


def test_the_pictures_follow_from_the_seed_and_are_varied() -> None:
    one, same, other = corpus(1, TINY), corpus(1, TINY), corpus(2, TINY)
    assert torch.equal(one, same) and not torch.equal(one, other)
    assert one.shape == (2, 3, 64, 64) and one.dtype == torch.float32
    assert float(one.min()) >= 0 and float(one.max()) <= 1 and float(one.std()) > 0.1
    assert not torch.equal(one[0], one[1])


def test_dead_leaves_have_flat_regions_and_edges() -> None:
    """Heavier tails than a Gaussian's in the differences of neighbours: what photographs have."""
    image = dead_leaves(np.random.default_rng(0), 128, 120)
    steps = np.diff(image, axis=2).ravel()
    kurtosis = float(((steps - steps.mean()) ** 4).mean() / steps.var() ** 2)
    assert kurtosis > 6


def test_learning_twice_gives_the_same_filters(filters: Convolutions) -> None:
    again = learn(0, TINY)
    for name, (weight, bias) in filters.items():
        assert torch.equal(weight, again[name][0]) and torch.equal(bias, again[name][1]), name


def test_another_seed_gives_other_filters(filters: Convolutions) -> None:
    images = (corpus(1, TINY) - 0.5) * 2
    weight, _, _ = learned._learn_layer(images, 64, torch.Generator().manual_seed(1), TINY)
    assert weight.shape == filters["conv1_1"][0].shape
    assert not torch.equal(weight, filters["conv1_1"][0])


class _StopError(Exception):
    pass


def test_the_filters_are_vgg19s_as_far_as_presets_go_by_default(filters: Convolutions) -> None:
    wanted = [name for name in weights.CONVOLUTION_INDICES if name <= "conv5_2"]
    assert list(filters) == wanted
    inputs = 3
    for name, (weight, bias) in filters.items():
        outputs = weights.CHANNELS[int(name[4]) - 1]
        assert (weight.shape, bias.shape) == ((outputs, inputs, 3, 3), (outputs,)), name
        assert bool(weight.isfinite().all()) and bool(bias.isfinite().all()), name
        inputs = outputs


def test_each_layers_mean_activation_is_about_one_on_what_it_learned_from(filters: Convolutions) -> None:
    backbone = weights.own_backbone("learned", filters, "tiny")
    taps = [name.replace("conv", "relu") for name in filters]
    found = VGG19(backbone, taps)(corpus(0, TINY))
    for name, features in found.items():
        assert bool(features.isfinite().all()), name
        assert 0.8 < float(features.mean()) < 1.2, (name, float(features.mean()))
        alive = features.mean((0, 2, 3))
        assert 0.6 < float(alive.median()) < 1.4, name
        # The 60 % quantile: about two values in five are above zero.
        assert 0.3 < float((features > 0).float().mean()) < 0.5, name


def test_the_first_layers_filters_are_distinct_and_of_both_signs() -> None:
    recipe = replace(TINY, pictures=4, patches=4000, rounds=8)
    weight, _, _ = learned._learn_layer(
        (corpus(0, recipe) - 0.5) * 2, 64, torch.Generator().manual_seed(0), recipe
    )
    flat = F.normalize(weight.flatten(1), dim=1)
    nearest = (flat @ flat.T).fill_diagonal_(0).max(1).values
    assert float((nearest < 0.99).float().mean()) > 0.8
    assert float((flat > 0).float().mean()) == pytest.approx(0.5, abs=0.2)


def test_no_flat_colour_is_invisible(filters: Convolutions) -> None:
    """Units that all sleep on a flat patch give it no gradient: it would come out unstylized."""
    network = VGG19(weights.own_backbone("learned", filters, "tiny"), ["relu1_1"])
    levels = torch.linspace(0, 1, 5)
    colours = torch.cartesian_prod(levels, levels, levels)[:, :, None, None].expand(-1, 3, 8, 8)
    alive = (network(colours)["relu1_1"] > 0).float().mean((1, 2, 3))
    assert float(alive.min()) > 0.2


def test_progress_goes_from_the_first_layer_to_the_whole() -> None:
    seen: list[tuple[float, str]] = []
    with pytest.raises(_StopError):
        learn(0, TINY, on_progress=lambda done, name: _noted(seen, done, name))
    assert [name for _, name in seen] == ["conv1_1", "conv1_2", "conv2_1"]
    assert [done for done, _ in seen] == pytest.approx([1 / 14, 2 / 14, 3 / 14])


def _noted(seen: list[tuple[float, str]], done: float, name: str) -> None:
    seen.append((done, name))
    if len(seen) == 3:
        raise _StopError


def test_the_key_names_the_seed_and_every_part_of_the_recipe() -> None:
    keys = {
        recipe_key(0),
        recipe_key(1),
        recipe_key(0, TINY),
        recipe_key(0, replace(Recipe(), version=RECIPE.version + 1)),
        recipe_key(0, Recipe(bias_quantile=0.5)),
    }
    assert len(keys) == 5 and recipe_key(0) == recipe_key(0, Recipe())


# -- the cache ---------------------------------------------------------------------------------------------


@pytest.fixture
def counted(filters: Convolutions, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The seeds that were learned: learning itself is replaced by filters learned before, for speed."""
    calls: list[int] = []

    def learn_again(seed: int, on_progress: object = None) -> Convolutions:
        calls.append(seed)
        return filters

    monkeypatch.setattr(learned, "learn", learn_again)
    return calls


def test_what_was_learned_is_kept_and_used_again(counted: list[int], tmp_path: Path) -> None:
    store = WeightsStore(tmp_path)
    first, second = (load_backbone("learned", seed=0, store=store) for _ in range(2))
    assert counted == [0]
    assert first.fingerprint == second.fingerprint
    for name in first.convolutions:
        assert torch.equal(first.convolutions[name][0], second.convolutions[name][0])
    assert (first.kind, first.native_pooling) == ("learned", "average")
    assert verify(store) == {"original": "ok", "learned": "ok"}
    load_backbone("learned", seed=1, store=store)
    assert counted == [0, 1]


def test_the_first_run_uses_the_rounding_of_the_file(
    counted: list[int], filters: Convolutions, tmp_path: Path
) -> None:
    backbone = load_backbone("learned", store=WeightsStore(tmp_path))
    weight = filters["conv3_1"][0]
    assert torch.equal(backbone.convolutions["conv3_1"][0], weight.bfloat16().float())
    assert not torch.equal(backbone.convolutions["conv3_1"][0], weight)


@pytest.mark.parametrize("damage", ["cut", "changed", "no record"])
def test_a_damaged_cache_is_learned_anew(counted: list[int], tmp_path: Path, damage: str) -> None:
    store = WeightsStore(tmp_path)
    before = load_backbone("learned", store=store)
    path = store.path("learned")
    body = path.read_bytes()
    if damage == "cut":
        path.write_bytes(body[: len(body) // 2])
    elif damage == "changed":
        path.write_bytes(body[:-1] + bytes([body[-1] ^ 1]))
    else:
        path.with_suffix(".json").unlink()
    after = load_backbone("learned", store=store)
    assert counted == [0, 0]
    assert after.fingerprint == before.fingerprint and path.read_bytes() == body


def test_seeds_have_files_of_their_own_where_the_filters_depend_on_them(tmp_path: Path) -> None:
    store = WeightsStore(tmp_path)
    assert store.path("learned", 0) != store.path("learned", 1)
    assert store.path("imagenet", 0) == store.path("imagenet", 1)
