"""What waits on disk comes back as it was, and nothing stays behind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from framestyle.errors import StorageError
from framestyle.jobs.frame_store import DiskStore

ANY_ARRAY = arrays.arrays(
    st.sampled_from([np.uint8, np.uint16, np.float32]),
    arrays.array_shapes(min_dims=2, max_dims=3, max_side=6),
)


@settings(max_examples=25, deadline=None)
@given(st.dictionaries(st.integers(0, 10**9), st.dictionaries(st.sampled_from("abc"), ANY_ARRAY), max_size=4))
def test_it_keeps_what_a_dict_would(
    tmp_path_factory: pytest.TempPathFactory, wanted: dict[int, dict[str, np.ndarray]]
) -> None:
    folder = tmp_path_factory.mktemp("store")
    with DiskStore(folder) as store:
        for number, named in wanted.items():
            store[number] = {}
            store[number] = named  # what stood there before is gone
        assert list(store) == sorted(wanted) and len(store) == len(wanted)
        for number, named in wanted.items():
            kept = store[number]
            assert set(kept) == set(named)
            for name, array in named.items():
                assert kept[name].dtype == array.dtype and np.array_equal(
                    kept[name], array, equal_nan=array.dtype == np.float32
                )
        for number in list(store):
            store.pop(number)
        assert not store and not [path for path in folder.rglob("*") if path.is_file()]
    assert not list(folder.iterdir())


def test_an_error_leaves_no_folder_behind(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), DiskStore(tmp_path) as store:
        store[1] = {"a": np.zeros(3)}
        assert len(list(tmp_path.iterdir())) == 1
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())


def test_what_is_not_there_is_a_key_error(tmp_path: Path) -> None:
    with DiskStore(tmp_path) as store:
        with pytest.raises(KeyError):
            store[1]
        assert not list(tmp_path.iterdir()), "no folder before it is needed"


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    with DiskStore(gone) as store, pytest.raises(StorageError, match="cannot be kept in") as caught:
        store[1] = {"a": np.zeros(3)}
    assert caught.value.exit_code == 7 and "passes=1" in str(caught.value.next_step)
