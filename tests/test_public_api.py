"""What `import framestyle` offers: every public name, each loaded when it is first used."""

from __future__ import annotations

import inspect

import pytest

import framestyle


@pytest.mark.parametrize("name", framestyle.__all__)
def test_every_public_name_is_there_and_explained(name: str) -> None:
    thing = getattr(framestyle, name)
    assert name in dir(framestyle)
    assert name == "__version__" or inspect.getdoc(thing)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'paint'"):
        framestyle.paint  # noqa: B018
