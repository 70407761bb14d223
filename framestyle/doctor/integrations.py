"""Plug-ins in other programs: whether what was installed is still there, whole, and of this version."""

from __future__ import annotations

from collections.abc import Iterator

from framestyle.doctor.finding import OK, WARNING, Finding
from framestyle.errors import Code

STATES = {
    "whole": "whole",
    "old": "not of this version of FrameStyle",
    "changed": "files of it were changed or are missing",
    "gone": "its folder is not there any more",
}


def integrations() -> Iterator[Finding]:
    """One for each; one that says so where there are none. Nothing essential: the command line needs none of them.

    A host that is on this machine is asked whether it loads what was installed.
    """
    from framestyle.hosts import HOSTS, State, installed, state_of, trouble_of

    found = [one for one in installed() if one.host in HOSTS]
    for one in found:
        state = state_of(one)
        facts = {"folder": one.folder, "version": one.version, "state": str(state), "host": one.host}
        text = f"{one.folder}: {STATES[state]}"
        if state is State.WHOLE and (trouble := trouble_of(one)) is not None:
            said = f"{text}, and cannot be loaded: {trouble.text}"
            yield Finding("integrations", one.host, WARNING, said, trouble.next_step, facts=facts)
        elif state is State.WHOLE:
            yield Finding("integrations", one.host, OK, text, facts=facts)
        else:
            code = Code.HOST_GONE if state is State.GONE else Code.HOST_NOT_WHOLE
            yield Finding("integrations", one.host, WARNING, text, facts=facts, code=code)
    if not found:
        yield Finding("integrations", "integrations", OK, "none are installed")
