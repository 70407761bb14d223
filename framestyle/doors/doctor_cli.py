"""`framestyle doctor`: what this machine has, and what does not work, with a next step for each."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import framestyle
from framestyle.doors.advice import finding_step, weights_text
from framestyle.doors.colors import BAD, DOUBTFUL, GOOD
from framestyle.doors.options import add_debug, add_flag
from framestyle.doors.rows import Row, print_rows
from framestyle.doors.text import json_text
from framestyle.errors import Code

if TYPE_CHECKING:
    from framestyle.doctor import Finding

SIGNS = {"ok": ("ok", GOOD), "warning": ("warning", DOUBTFUL), "failure": ("FAILURE", f"bold {BAD}")}
VERSION = 1


def add_doctor(parser: argparse.ArgumentParser) -> None:
    """The `doctor` command."""
    add_flag(parser, "--json", "for scripts; docs/reliability.md describes it")
    add_debug(parser)
    parser.set_defaults(run=run_doctor)


def run_doctor(args: argparse.Namespace) -> int:
    """`framestyle doctor`: everything is looked at; the exit code is the first failure's."""
    from framestyle.doctor import examine

    return report(examine(), as_json=args.json)


def report(found: Iterable[Finding], *, as_json: bool) -> int:
    """Prints what is found, as it is found or as JSON at the end; the exit code."""
    from framestyle.doctor import exit_code

    findings: list[Finding] = []
    if as_json:
        findings += found
        print(json_text(_as_json(findings)))
        return exit_code(findings)
    area = ""
    for finding in found:
        findings.append(finding)
        if finding.area != area:
            area = finding.area
            print_rows([Row("", area, "bold")])
        print_rows(_rows(finding))
    states = [finding.state for finding in findings]
    warnings, failures = states.count("warning"), states.count("failure")
    end = "All is well." if not warnings + failures else f"{failures} failed, {warnings} to look at."
    print_rows([Row("", end, f"bold {BAD if failures else DOUBTFUL if warnings else GOOD}")])
    return exit_code(findings)


def _rows(finding: Finding) -> list[Row]:
    sign, style = SIGNS[finding.state]
    rows = [Row(f"{sign:7}", f"{finding.name}: {_text(finding)}", style)]
    if (step := finding_step(finding)) is not None:
        rows.append(Row(" " * 7, f"  {step}"))
    return rows


def _text(finding: Finding) -> str:
    """What was found; of weights that are not here also how they come."""
    if finding.code == Code.WEIGHTS_NOT_HERE:
        return weights_text(finding.name, finding.text)
    return finding.text


def _as_json(findings: list[Finding]) -> dict[str, Any]:
    from framestyle.doctor import exit_code

    states = {finding.state for finding in findings}
    return {
        "framestyle_doctor": VERSION,
        "version": framestyle.__version__,
        "state": next(one for one in ("failure", "warning", "ok") if one in states or one == "ok"),
        "exit_code": exit_code(findings),
        "findings": [
            {
                "area": one.area,
                "name": one.name,
                "state": one.state,
                "text": _text(one),
                "next_step": finding_step(one),
                "code": one.code,
                "facts": one.facts,
            }
            for one in findings
        ],
    }
