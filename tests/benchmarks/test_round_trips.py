"""Each codec in each container, once; all combinations are benchmarks/round_trips.py's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.round_trips import BAR_DB, LEFT_OUT, Case, Row, cases, identity_shop, measure
from framestyle.media.video.codecs import CODECS
from framestyle.session import Session

QUICK = list(cases(quick=True))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("round-trips")


@pytest.fixture(scope="module")
def shop() -> Session:
    return identity_shop()


def test_every_codec_and_container_is_in_it() -> None:
    wanted = {
        (name, one) for name, codec in CODECS.items() for one in codec.containers if name not in LEFT_OUT
    }
    assert {(case.codec, case.container) for case in QUICK} == wanted
    every = list(cases())
    assert len(every) == len(set(every)) >= 16 * len(wanted) - 8


def test_one_is_good_only_where_all_holds() -> None:
    row = Row(QUICK[0], BAR_DB, (), ("a note",))
    assert row.good
    assert not replace(row, psnr_db=BAR_DB - 0.1).good and not replace(row, problems=("a frame less",)).good


@pytest.mark.slow
@pytest.mark.parametrize("case", QUICK, ids=lambda case: case.name)
def test_a_clip_comes_through(case: Case, folder: Path, shop: Session) -> None:
    row = measure(case, folder, shop)
    assert row.good, row
