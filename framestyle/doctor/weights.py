"""Weights: which are here, and whether they are what they should be."""

from __future__ import annotations

from collections.abc import Iterator

from framestyle.doctor.finding import FAILURE, OK, WARNING, Finding
from framestyle.errors import Code, WeightsError
from framestyle.registries import FETCH, WEIGHTS


def weights() -> Iterator[Finding]:
    """Every kind: whether it is installed, its size, and whether its hash is what was recorded."""
    from framestyle.nst.weights.catalog import list_weights, traits_of, verify

    checked = verify()
    for row in list_weights():
        state = checked.get(row.kind)
        facts = {
            "installed": row.installed,
            "size_bytes": row.size_bytes,
            "verified": state == "ok" if state else None,
        }
        if row.kind not in WEIGHTS:
            yield Finding("weights", row.kind, WARNING, row.note, facts=facts)
        elif state is not None and state != "ok":
            kind = traits_of(row.kind)
            # Without it others are taken, which is said then; a file that is not what it should be is refused.
            bearable = kind.mends_itself or not row.installed
            rank, exit_code = (WARNING, 0) if bearable else (FAILURE, WeightsError.exit_code)
            is_fetched = FETCH in WEIGHTS.entry(row.kind).plugin.traits
            code = Code.WEIGHTS_DAMAGED if kind.remedy is None and is_fetched else None
            yield Finding("weights", row.kind, rank, state, kind.remedy, exit_code, facts, code)
        elif state == "ok":
            text = f"{row.size_bytes / 1e6:.0f} MB, its hash is right"
            yield Finding("weights", row.kind, OK, text, facts=facts)
        elif row.installed:
            yield Finding("weights", row.kind, OK, "made when they are used", facts=facts)
        else:
            text = f"not here: {row.note}"
            yield Finding("weights", row.kind, OK, text, facts=facts, code=Code.WEIGHTS_NOT_HERE)
