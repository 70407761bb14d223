"""The pages say what is so: links lead somewhere, commands run, and how-to pages are in sentences that can be read."""

from __future__ import annotations

import re
import runpy
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from framestyle.doors.cli import main
from framestyle.media.ffmpeg import ffmpeg_exe

REPOSITORY = Path(__file__).parents[2]
DOCS = REPOSITORY / "docs"
PAGES = [
    *sorted(REPOSITORY.glob("*.md")),
    *sorted(DOCS.rglob("*.md")),
    *sorted((REPOSITORY / "integrations").rglob("*.md")),
    *sorted((REPOSITORY / "samples").glob("*.md")),
]
HOW_TO = (
    "README.md", "docs/first-steps.md", "docs/weights.md", "docs/troubleshooting.md", "docs/pipes.md", "docs/watch.md",
    "docs/studio.md", "docs/comfyui.md", "docs/krita.md", "docs/gstreamer.md", "docs/moviepy.md", "docs/photos.md",
    "docs/folders.md", "docs/python.md", "docs/questions.md", "docs/media.md", "docs/presets.md", "docs/time.md",
    "docs/previews.md", "docs/machines.md", "docs/extending.md",
)  # fmt: skip
MOST_WORDS = 35
FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
QUICK = [
    "--weights", "untrained", "--device", "cpu", "--progress", "none",
    *(word for change in ("network.places=1", "scales.first_steps=1", "scales.steps=1", "video.steps=1")
      for word in ("--set", change)),
]  # fmt: skip


def _prose(path: Path) -> str:
    return FENCED.sub("", path.read_text(encoding="utf-8"))


def _anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", _prose(path), re.MULTILINE)
    plain = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading.replace("`", "")) for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(REPOSITORY).as_posix())
def test_links_lead_to_pages_and_headings_that_are_there(page: Path) -> None:
    dead = []
    for target in re.findall(r"\]\(([^)\s]+)\)", _prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        led_to = page.parent / name if name else page
        if not led_to.exists() or (anchor and anchor not in _anchors(led_to)):
            dead.append(target)
    assert dead == []


@pytest.mark.parametrize("name", HOW_TO)
def test_sentences_of_how_to_pages_are_short(name: str) -> None:
    paragraphs = re.split(r"\n\s*\n|\n(?=[-|#] ?)|\n\d+\. ", _prose(REPOSITORY / name))
    text = [one for one in paragraphs if not one.startswith(("|", "#"))]
    sentences = [one for paragraph in text for one in re.split(r"(?<=[.!?:;])\s+", paragraph)]
    words = [re.findall(r"[\w'’.-]+", re.sub(r"\]\([^)]*\)", "]", sentence)) for sentence in sentences]
    assert [" ".join(one) for one in words if len(one) > MOST_WORDS] == []


def test_the_readme_is_a_page_that_is_read() -> None:
    assert len((REPOSITORY / "README.md").read_text(encoding="utf-8").splitlines()) <= 150


def test_the_list_of_decisions_is_whole() -> None:
    """Where it is not: `python docs/make_decisions_index.py` writes it anew."""
    index = runpy.run_path(str(DOCS / "make_decisions_index.py"))["index"]()
    assert (DOCS / "decisions" / "index.md").read_text(encoding="utf-8") == index


def test_the_reference_says_what_the_code_says() -> None:
    """Where it does not: `python docs/make_reference.py` writes it anew."""
    made = runpy.run_path(str(DOCS / "make_reference.py"))["texts"]()
    assert {page.name for page in made} == {"command-line.md", "api.md"}
    assert [page.name for page, text in made.items() if page.read_text(encoding="utf-8") != text] == []


def _commands(name: str) -> list[str]:
    blocks = FENCED.findall((REPOSITORY / name).read_text(encoding="utf-8"))
    lines = [line for language, block in blocks if language == "sh" for line in block.splitlines()]
    return list(dict.fromkeys(line for line in lines if line.startswith("framestyle ") and "|" not in line))


@pytest.fixture
def pictures(workplace: Path, photo: Path) -> Path:
    """A folder with all that the pages' commands name, as small as may be: photos, a clip of 4 s, a sequence, masks."""
    names = (
        "photo.jpg",
        "my-painting.jpg",
        "one.jpg",
        "two.jpg",
        "portrait.jpg",
        "photos/a.jpg",
        "photos/b/c.png",
    )
    masks = ("face-is-white.png", "masks/a.png", "masks/b/c.png")
    for name in (*names, *masks, "render/shot.0001.png", "render/shot.0002.png"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        with Image.open(photo) as picture:
            (picture.convert("L").point(lambda level: 255 * (level > 90)) if name in masks else picture).save(
                name
            )
    Path("two-styles.yaml").write_text(
        "schema: 1\nname: two-styles\nextends: base\nstyle:\n  images:\n"
        "    - {path: one.jpg, region: 0}\n    - {path: two.jpg, region: 255}\n"
    )
    picture = "testsrc2=size=48x36:rate=2:duration=4"
    subprocess.run(
        [ffmpeg_exe(), "-v", "error", "-nostdin", "-f", "lavfi", "-i", picture, "clip.mp4"], check=True
    )
    shutil.copy("clip.mp4", "film.mp4")
    photo.unlink()
    return workplace


@pytest.mark.slow
@pytest.mark.parametrize("command", _commands("README.md"))
def test_the_readmes_commands_run(command: str, pictures: Path) -> None:
    """As they stand but for what makes them quick; other tests run those that are not about pictures."""
    arguments = shlex.split(command, comments=True)[1:]
    small = ["--max-side", "24"] if arguments[0] == "preview" else []
    assert main([*arguments, *QUICK, *small]) == 0
    assert "--dry-run" in arguments or Path(arguments[arguments.index("-o") + 1]).exists()


RENDERS = [
    one
    for page in ("docs/first-steps.md", "docs/questions.md")
    for one in _commands(page)
    if one.startswith("framestyle stylize")
]


@pytest.mark.parametrize("command", list(dict.fromkeys(RENDERS)))
def test_the_renders_of_how_to_pages_are_accepted(command: str, pictures: Path) -> None:
    """Planned to the end, with the inputs that they name; none is refused."""
    arguments = shlex.split(command, comments=True)[1:]
    assert main([*arguments, "--weights", "untrained", "--device", "cpu", "--dry-run"]) == 0
