"""What docs/studio.md counts and promises is what the tests and the code have."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sized
from pathlib import Path

import test_guard
import test_media
import test_presets

from framestyle.doors.studio.operations import OPERATIONS

PAGE = (Path(__file__).parents[3] / "docs" / "studio.md").read_text(encoding="utf-8")
ATTACKS: dict[str, tuple[Callable[..., None], ...]] = {
    "A foreign `Host`": (test_guard.test_a_foreign_host_is_refused, test_guard.test_two_hosts_are_refused),
    "Another page": (test_guard.test_another_page_is_refused_even_with_the_cookie,),
    "A form": (test_guard.test_what_a_form_can_send_is_refused, test_guard.test_other_methods_are_refused),
    "No token": (test_guard.test_without_the_token_nothing_is_told,),
    "A way out of the root": (
        test_guard.test_no_folder_leads_out_of_the_root,
        test_guard.test_links_that_lead_out_are_not_there,
        test_guard.test_the_page_has_its_own_files_alone,
        test_guard.test_presets_have_plain_names,
        test_guard.test_a_preset_names_nothing_outside,
        test_guard.test_a_setting_names_no_picture,
    ),
    "What is no picture": (
        test_media.test_what_is_no_picture_is_not_kept,
        test_media.test_a_file_is_sent_as_what_it_is_and_runs_nothing,
    ),
    "A harmful zip": (test_presets.test_zips_that_harm_are_refused_and_leave_nothing,),
    "YAML that unfolds": (test_guard.test_an_alias_bomb_is_a_fault_in_its_line,),
    "Too much": (
        test_guard.test_a_hundred_gigabytes_are_refused_before_they_come,
        test_guard.test_a_body_without_a_length_is_counted,
        test_guard.test_a_head_that_is_too_long_is_refused,
        test_guard.test_streams_are_counted,
        test_guard.test_ten_thousand_requests_leave_it_as_it_was,
        test_media.test_uploads_are_limited_in_number,
        test_media.test_odd_numbers_are_refused,
    ),
    "Too slow": (
        test_guard.test_a_slow_head_is_cut_off_and_the_others_are_served,
        test_guard.test_a_slow_body_is_cut_off,
    ),
}
"""Rows of the page's table, and the tests that try them."""
LOOPS: dict[Callable[..., None], Sized] = {
    test_guard.test_a_foreign_host_is_refused: test_guard.FOREIGN_HOSTS,
    test_guard.test_another_page_is_refused_even_with_the_cookie: test_guard.FOREIGN,
    test_guard.test_what_a_form_can_send_is_refused: test_guard.FORMS,
    test_guard.test_without_the_token_nothing_is_told: test_guard.NO_TOKENS,
    test_guard.test_other_methods_are_refused: test_guard.OTHER_METHODS,
    test_guard.test_no_folder_leads_out_of_the_root: test_guard.WAYS_OUT,
    test_guard.test_the_page_has_its_own_files_alone: test_guard.NO_FILES,
    test_guard.test_presets_have_plain_names: test_guard.NO_NAMES,
    test_guard.test_a_preset_names_nothing_outside: test_guard.OUTSIDE,
    test_guard.test_a_setting_names_no_picture: test_guard.NO_SETTINGS,
}
"""What some of them try one after the other, of one studio."""


def cases_of(test: Callable[..., None]) -> int:
    marks = [mark for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
    return math.prod(len(mark.args[1]) for mark in marks) * len(LOOPS.get(test, " "))


def test_attacks_are_counted_as_they_are_tried() -> None:
    section = PAGE.partition("### What was tried")[2].partition("###")[0]
    told = {
        found[1]: int(found[2])
        for found in re.finditer(r"^\| ([^|:]+?)(?:: [^|]*)? \| (\d+) \|$", section, re.M)
    }
    tried = {name: sum(map(cases_of, tests)) for name, tests in ATTACKS.items()}
    assert told == tried
    assert f"**{sum(tried.values())} of {sum(tried.values())}**" in PAGE


def test_every_call_that_the_page_names_is_there() -> None:
    there = {(one.method, re.sub(r"{\w+}", "X", one.path)) for one in OPERATIONS}
    there.add(("GET", "/api/openapi.json"))
    named = re.findall(r"`(GET|POST|PUT|DELETE) (/api/[^`?]*)", PAGE)
    assert named
    assert {(method, re.sub(r"/(ID|NAME)\b", "/X", path)) for method, path in named} <= there
