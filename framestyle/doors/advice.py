"""What to do next, in the command line's words and in Python's: from an error's code and its facts.

An error that brings a `next_step` of its own is advised by it: that holds whatever the door. All others are worded
here, so that nothing below the doors knows how they are called.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, TypeAlias

from framestyle.errors import Code, Facts, FramestyleError
from framestyle.registries import FETCH, FLOW, WEIGHTS

if TYPE_CHECKING:
    from framestyle.doctor import Finding
    from framestyle.events import Note

Wording: TypeAlias = str | Callable[[Facts], str]
"""A sentence with the names of facts in braces, or what makes one of the facts."""

ALL_KEYS = "All keys and their ranges: framestyle presets keys"
ALL_NAMES = "All names: framestyle presets list"
FETCHING = {
    "imagenet": "framestyle weights fetch",
    "caffe": "framestyle weights fetch caffe --file FILE",
    "raft-small": "framestyle weights fetch raft-small",
    "raft-large": "framestyle weights fetch raft-large",
}
"""How each of our kinds of weights that is not there by itself comes here."""
KEY_HELP = {"style.mask": "; --mask sets it", "video.flow": ": framestyle weights fetch"}
"""What the command line adds to the help of a preset's keys."""
PYTHON_KEYS = 'load_preset(name, ["{}"])'


class Failure(Protocol):
    """A `FramestyleError`, or a `TaskFailed` that tells of one."""

    @property
    def code(self) -> Code: ...
    @property
    def facts(self) -> Facts: ...
    @property
    def next_step(self) -> str | None: ...


def _device_memory(facts: Facts) -> str:
    return "Lower --max-side, or use --device cpu."


def _memory_limit(facts: Facts) -> str:
    gigabytes = math.ceil(_number(facts["least_bytes"]) / 2**30 * 10) / 10
    return f"Raise --memory-limit to {gigabytes:.1f}G, or lower --max-side."


def _weights_missing(facts: Facts) -> str:
    kind = str(facts["kind"])
    if kind == "caffe":
        return f"Import the original network's file once: {FETCHING[kind]}"
    fetching = f"Fetch them once: {_fetching(kind)}."
    return f"{fetching} Or use --set video.flow=dis." if _measures_flow(kind) else fetching


def _weights_not_fetched(facts: Facts) -> str:
    if _measures_flow(str(facts["kind"])):
        return "Check the network, or measure flow with --set video.flow=dis, which needs none."
    return "Check the network, or use --weights learned, which needs none."


def _fetching(kind: str) -> str:
    """The command for weights that are not here, a plugin's too."""
    return FETCHING.get(kind, f"framestyle weights fetch {kind}")


def _measures_flow(kind: str) -> bool:
    return kind in WEIGHTS.names(FLOW)


def _preset_unknown(facts: Facts) -> str:
    return f"{_did_you_mean(facts)}{ALL_NAMES}"


def _input_missing(facts: Facts) -> str:
    return f"{_did_you_mean(facts)}Check the path; only local files are read."


def _preset_invalid(facts: Facts) -> str:
    causes = facts["causes"]
    unknown = isinstance(causes, list) and Code.PRESET_UNKNOWN in causes
    return f"{ALL_KEYS}. {ALL_NAMES}" if unknown else ALL_KEYS


COMMAND_LINE: Mapping[Code, Wording] = {
    Code.OUTPUT_NOT_A_FOLDER: "Name a folder with -o.",
    Code.WEIGHTS_FROM_FILE: "Add --file FILE.",
    Code.PRESETS_SHARE_A_NAME: "Use them one at a time, each with an -o of its own.",
    Code.PRESET_UNKNOWN: _preset_unknown,
    Code.PRESET_UNREADABLE: "Correct it there; framestyle presets keys tells all keys.",
    Code.PRESET_IS_PICTURE: (
        "As the style: --style {name}. As a preset of yours: framestyle presets new NAME --style {name}"
    ),
    Code.PRESET_EMPTY: "Start one: framestyle presets new NAME --style IMAGE",
    Code.PRESET_INVALID: _preset_invalid,
    Code.PRESET_ZIP_REFUSED: "Nothing was unpacked. framestyle presets export makes a zip that can be imported.",
    Code.PRESET_EXISTS: "Choose another name with --name, or --overwrite it.",
    Code.PRESET_BUILT_IN: "Choose another name with --name; with --overwrite yours is found first.",
    Code.STYLE_MISSING: "Add one: --style IMAGE, or choose another: framestyle presets list",
    Code.MASK_MISSING: "Add --mask PATH: a picture or a clip of the input's regions, in their grey levels or colours.",
    Code.REGIONS_MISSING: "Say which is for what, as in --set style.images.0.region=255 for white.",
    Code.INPUT_MISSING: _input_missing,
    Code.RANGE_EMPTY: "Check --start and --end against its duration.",
    Code.SEQUENCE_UNCLEAR: (
        "Name the sequence as in frames/shot.%04d.png; or name a folder with -o, for single photos."
    ),
    Code.OUTPUT_EXISTS: "Choose another -o, or add --overwrite to replace what is not done.",
    Code.OUTPUT_IS_FOLDER: "Move it away, or choose another -o.",
    Code.OUTPUT_IS_INPUT: "Choose another -o.",
    Code.OUTPUT_NAME_REFUSED: "Give the input a shorter or plainer name, or name the result: -o FILE.",
    Code.OUTPUT_BUSY: "Wait for it, stop it, or choose another -o.",
    Code.OUTPUT_DAMAGED: "Give the same command again, or try another --set output.video_codec.",
    Code.WORK_CHANGED: "Give the command as it was to go on, or add --fresh to begin anew.",
    Code.WORK_DAMAGED: "Add --fresh to begin anew.",
    Code.ENCODER_MISSING: "Choose another --set output.video_codec: {codecs}.",
    Code.ENCODER_FAILED: "Try another --set output.video_codec or output name.",
    Code.CODEC_TOO_SMALL: "Choose another --set output.video_codec or a larger --max-side.",
    Code.HDR_NEEDS_BITS: (
        "Add --set output.hdr=tonemap, or choose h265 at 10 bits: --set output.video_codec=h265."
    ),
    Code.HDR_NOT_IN_IMAGES: "Add --set output.hdr=tonemap, or name a PNG, an AVIF or a video.",
    Code.WEIGHTS_MISSING: _weights_missing,
    Code.WEIGHTS_NOT_FETCHED: _weights_not_fetched,
    Code.WEIGHTS_OF_FLOW: "Name {kinds} or a path; for flow by RAFT use --set video.flow=raft.",
    Code.WEIGHTS_DAMAGED: "Fetch torchvision's own: framestyle weights fetch {kind}.",
    Code.WEIGHTS_SHAPES: "Use other weights: framestyle weights list",
    Code.DEVICE_ABSENT: "Use --device auto or cpu.",
    Code.DEVICE_MEMORY: _device_memory,
    Code.MEMORY_LIMIT: _memory_limit,
    Code.LOSS_NOT_FINITE: "Lower optimizer.learning_rate, or use --set optimizer.precision=float32.",
    Code.HOST_NOT_FOUND: "Name its folder with --dir.",
    Code.HOST_NOTHING: "See what is: framestyle integrations list",
    Code.HOST_FILE_EXISTS: "Move it away, or add --overwrite to replace it.",
    Code.INTERRUPTED_PART_WAY: "The same command resumes there; with --fresh it begins anew.",
}


def _python_weights_missing(facts: Facts) -> str:
    kind = str(facts["kind"])
    if not _measures_flow(kind):
        return _weights_missing(facts)
    return f"Fetch them once: {_fetching(kind)}. Or use {PYTHON_KEYS.format('video.flow=dis')}."


def _python_weights_not_fetched(facts: Facts) -> str:
    if not _measures_flow(str(facts["kind"])):
        return 'Check the network, or use weights="learned", which needs none.'
    return (
        f"Check the network, or measure flow with {PYTHON_KEYS.format('video.flow=dis')}, which needs none."
    )


PYTHON: Mapping[Code, Wording] = {
    Code.PRESET_UNKNOWN: lambda facts: f"{_did_you_mean(facts)}All names: list_presets()",
    Code.PRESET_IS_PICTURE: 'As the style: load_preset("base", ["style.images={name}"])',
    Code.STYLE_MISSING: (
        f"Add one: {PYTHON_KEYS.format('style.images=PATH')}, or choose another: list_presets()"
    ),
    Code.MASK_MISSING: "Give mask=, an array in the regions' grey levels or colours.",
    Code.REGIONS_MISSING: f"Say which is for what: {PYTHON_KEYS.format('style.images.0.region=255')}.",
    Code.WEIGHTS_MISSING: _python_weights_missing,
    Code.WEIGHTS_NOT_FETCHED: _python_weights_not_fetched,
    Code.WEIGHTS_OF_FLOW: (
        f"Name {{kinds}} or a path; for flow by RAFT use {PYTHON_KEYS.format('video.flow=raft')}."
    ),
    Code.DEVICE_ABSENT: 'Use device="auto" or "cpu".',
    Code.DEVICE_MEMORY: 'Give smaller pictures, or use device="cpu".',
    Code.MEMORY_LIMIT: "Raise memory_limit_bytes to {least_bytes}, or give smaller pictures.",
    Code.LOSS_NOT_FINITE: (
        f"Lower optimizer.learning_rate, or use {PYTHON_KEYS.format('optimizer.precision=float32')}."
    ),
}
"""Where Python says it otherwise than the command line."""

NOTES: Mapping[Code, str] = {
    Code.HDR_KEPT: "; --set output.hdr=tonemap makes it SDR.",
    Code.TEN_BITS: ", or --set {setting}.",
}
"""How what a note tells can be had otherwise: the end of its sentence."""

FINDINGS: Mapping[Code, str] = {
    Code.MEMORY_LITTLE: "Close other programs, or choose a smaller --max-side.",
    Code.DEVICE_DRIVER: "Update its driver, or use --device cpu.",
    Code.DEVICE_UNUSABLE: "Use another --device.",
    Code.ENCODER_MISSING: "Choose another --set output.video_codec, or an ffmpeg that has it.",
    Code.WEIGHTS_DAMAGED: "Delete it, then: framestyle weights fetch {name}",
    Code.FOLDER_OF_RESULTS: "Results go where -o says; choose a folder with room.",
    Code.HOST_NOT_WHOLE: "Install it anew: framestyle integrations install {name}",
    Code.HOST_GONE: "Forget it: framestyle integrations remove {name}",
    Code.PRESET_UNUSABLE: "framestyle presets validate FILE tells every error.",
}
"""What the doctor advises: it speaks of the machine, not of a job."""


def next_step(failure: Failure) -> str | None:
    """What to do, as one says it to those who gave a command; None where there is nothing to say."""
    return _worded(failure, COMMAND_LINE)


def next_step_in_python(failure: Failure) -> str | None:
    """The same for those who called a function: the command line's words where Python has no others."""
    return _worded(failure, PYTHON if failure.code in PYTHON else COMMAND_LINE)


def note_text(note: Note) -> str:
    """What a note says, and how to have it otherwise."""
    tail = None if note.code is None else NOTES.get(note.code)
    return note.message if tail is None else note.message.removesuffix(".") + _filled(tail, note.facts)


def finding_step(finding: Finding) -> str | None:
    """What to do about something that the doctor found."""
    if finding.next_step is not None or finding.code is None:
        return finding.next_step
    if (wordings := FINDINGS.get(finding.code)) is not None:
        return wordings.format(name=finding.name)
    for_error = COMMAND_LINE.get(finding.code)
    return None if for_error is None else _filled(for_error, finding.facts)


def weights_text(kind: str, text: str) -> str:
    """What is said of a kind of weights, and the command that brings it here where there is one."""
    is_fetched = kind in FETCHING or _is_a_fetched_plugin(kind)
    return f"{text}: {_fetching(kind)}" if is_fetched else text


def _is_a_fetched_plugin(kind: str) -> bool:
    return kind in WEIGHTS.names(FETCH) and not WEIGHTS.entry(kind).is_built_in


@contextmanager
def in_python_words() -> Iterator[None]:
    """Errors that leave it are advised in Python's words. Decorates a function, too."""
    try:
        yield
    except FramestyleError as error:
        error.with_next_step(next_step_in_python(error))
        raise


def _worded(failure: Failure, wordings: Mapping[Code, Wording]) -> str | None:
    if failure.next_step is not None or failure.code not in wordings:
        return failure.next_step
    try:
        return _filled(wordings[failure.code], failure.facts)
    except KeyError:  # a plugin's error may give fewer facts than ours do
        return None


def _filled(wordings: Wording, facts: Facts) -> str:
    if callable(wordings):
        return wordings(facts)
    return wordings.format_map(
        {name: ", ".join(fact) if isinstance(fact, list) else fact for name, fact in facts.items()}
    )


def _did_you_mean(facts: Facts) -> str:
    near = facts.get("near")
    return f"Did you mean {' or '.join(near)}? " if isinstance(near, list) and near else ""


def _number(fact: object) -> float:
    assert isinstance(fact, int | float), fact
    return fact
