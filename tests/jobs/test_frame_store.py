"""What waits on disk comes back as it was, and nothing stays behind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from framestyle.doors.advice import next_step
from framestyle.errors import StorageError
from framestyle.jobs.resume.frame_store import DiskStore

ANY_ARRAY = arrays.arrays(
    st.sampled_from([np.uint8, np.uint16, np.float32]),
    arrays.array_shapes(min_dims=2, max_dims=3, max_side=6),
)
ONE = {"a": np.zeros(3)}


@settings(max_examples=25, deadline=None)
@given(
    st.dictionaries(st.integers(0, 10**9), st.dictionaries(st.sampled_from("abc"), ANY_ARRAY), max_size=4),
    st.booleans(),
)
def test_it_keeps_what_a_dict_would(
    tmp_path_factory: pytest.TempPathFactory, wanted: dict[int, dict[str, np.ndarray]], hold: bool
) -> None:
    folder = tmp_path_factory.mktemp("in") / "store"
    store = DiskStore(folder, hold=hold)
    for number, named in wanted.items():
        store[number] = {}
        store[number] = named  # what stood there before is gone
    # And so does one that is told what another one left.
    for one in (store, DiskStore(folder, store.files, hold=hold)):
        assert list(one) == sorted(wanted) and len(one) == len(wanted)
        for number, named in wanted.items():
            kept = one[number]
            assert set(kept) == set(named)
            for name, array in named.items():
                assert kept[name].dtype == array.dtype and np.array_equal(
                    kept[name], array, equal_nan=array.dtype == np.float32
                )
    for number in list(store):
        store.pop(number)
    store.tidy()
    assert not store and not [path for path in folder.rglob("*") if path.is_file()]


def test_what_was_replaced_or_deleted_is_held_until_it_is_tidied(tmp_path: Path) -> None:
    store = DiskStore(tmp_path / "store", hold=True)
    store[1], store[2] = ONE, ONE
    before = dict(store.files)
    store[1] = {"a": np.ones(3)}
    del store[2]
    again = DiskStore(tmp_path / "store", before, hold=True)
    assert not again[1]["a"].any() and 2 in again
    again[3] = ONE
    assert again.files[3] not in before.values()
    store.tidy(before.values())
    assert not DiskStore(tmp_path / "store", before)[1]["a"].any()
    store.tidy()
    assert [path.name for path in (tmp_path / "store").iterdir()] == [store.files[1]]


def test_what_is_not_there_is_a_key_error(tmp_path: Path) -> None:
    store = DiskStore(tmp_path / "store")
    with pytest.raises(KeyError):
        store[1]
    with pytest.raises(KeyError):
        del store[1]
    store.tidy()
    assert not list(tmp_path.iterdir()), "no folder before it is needed"


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    store = DiskStore(tmp_path / "gone" / "store")
    with pytest.raises(StorageError, match="cannot be kept in") as caught:
        store[1] = ONE
    assert caught.value.exit_code == 7 and "same command" in str(next_step(caught.value))
