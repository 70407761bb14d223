"""The list is whole: each case has one test, and the documentation says what the tests say."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from fault_list import ALL, PENDING, registered, table

DOC = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- faults: begin -->\n", "<!-- faults: end -->"


def test_the_list_has_seventy_cases() -> None:
    assert len(ALL) == len(set(ALL)) == 70


def test_each_case_has_one_test_or_a_reason_why_not() -> None:
    counted = Counter(one.case for one in registered())
    assert {case: count for case, count in counted.items() if count > 1} == {}
    assert set(counted) | set(PENDING) == set(ALL)
    assert not set(counted) & set(PENDING)


def test_the_documentation_says_what_is_tested() -> None:
    """Where it does not: `python -m tests.faults.write_table`, from the repository's root."""
    text = DOC.read_text(encoding="utf-8")
    assert text.split(BEGIN)[1].split(END)[0].strip() == table().strip()
    done = len(ALL) - len(PENDING)
    assert f"{done} of {len(ALL)} cases" in text
