#!/usr/bin/env python3
"""Stands where ffmpeg is looked for. Records what a real one answers, or gives such an answer again.

What to do comes by the environment: GOLDEN_TEXTS is a JSON file of answers by clip and question; with GOLDEN_FFMPEG, a
real ffmpeg is asked and its answer added. Only this one file is run by itself, so it imports nothing of the tests.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

QUESTIONS = {"ffmetadata": "metadata", "framecrc": "listing", "null": "pictures"}
"""By the output's format; without an output a file is only described."""
Answers = dict[str, dict[str, dict[str, list[str]]]]
"""Clip -> question -> stream -> lines."""


def main(arguments: list[str]) -> None:
    """Answer as the version of ffmpeg does whose texts these are."""
    texts = Path(os.environ["GOLDEN_TEXTS"])
    clip, question = _understood(arguments)
    answers: Answers = json.loads(texts.read_text("utf-8")) if texts.exists() else {}
    if real := os.environ.get("GOLDEN_FFMPEG"):
        answers.setdefault(clip.name, {})[question] = _asked(real, arguments, str(clip))
        texts.write_text(json.dumps(answers, indent=1, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")
    answer = answers[clip.name][question]
    for stream, lines in ((sys.stdout, answer["stdout"]), (sys.stderr, answer["stderr"])):
        stream.write("".join(f"{line.replace('CLIP', str(clip))}\n" for line in lines))


def _understood(arguments: list[str]) -> tuple[Path, str]:
    """Which clip is asked about, and what."""
    if arguments[-1] == "-version":
        return Path("itself"), "version"
    clip = Path(arguments[arguments.index("-i") + 1].removeprefix("file:"))
    return clip, QUESTIONS[arguments[-2]] if arguments[-1] == "-" else "description"


def _asked(real: str, arguments: list[str], clip: str) -> dict[str, list[str]]:
    done = subprocess.run([real, *arguments], capture_output=True, check=False, stdin=subprocess.DEVNULL)
    both = {"stdout": done.stdout, "stderr": done.stderr}
    return {
        name: said.decode("utf-8", "replace").replace(clip, "CLIP").splitlines()
        for name, said in both.items()
    }


if __name__ == "__main__":
    main(sys.argv[1:])
