"""The page in a browser: pick, look, tune, render, kill, resume, compare, save; by mouse, by keys, at every width."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from studio_client import Process, wait_until

from framestyle.presets import load_preset

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: apt-get install chromium"),
]
Page = Any
AUDIT = (Path(__file__).parent / "audit.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as running:
        # Without a GPU it would draw with one that it makes up, in software, at the priority of a real one.
        opened = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


@pytest.fixture
def pages(browser: Any) -> Iterator[Callable[..., Page]]:
    """`pages(address, **context)`: a page whose scripts are to raise nothing, and that asks nobody else."""
    complaints: list[str] = []
    contexts: list[Any] = []

    def opened(address: str, **context: Any) -> Page:
        contexts.append(browser.new_context(**context))
        page = contexts[-1].new_page()
        page.set_default_timeout(120_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request",
            lambda request: (
                request.url.startswith(("http://127.0.0.1:", "blob:", "data:"))
                or complaints.append(request.url)
            ),
        )
        page.on("console", lambda said: "Content Security" in said.text and complaints.append(said.text))
        page.goto(address)
        page.wait_for_selector("html[data-ready]")
        return page

    yield opened
    for context in contexts:
        context.close()  # an open page goes on asking and drawing
    assert complaints == []


def choose(page: Page, path: Path) -> None:
    with page.expect_file_chooser() as chooser:
        page.locator("#pick-files, .add >> nth=0").first.click()
    chooser.value.set_files(str(path))


def stylize_of(studio: Process) -> list[psutil.Process]:
    return [child for child in psutil.Process(studio.process.pid).children() if "stylize" in child.cmdline()]


def test_from_a_picture_to_a_render_that_is_killed_resumed_and_compared(
    start: Callable[[], Process], pages: Callable[..., Page], root: Path, photo: Path, clip: Path
) -> None:
    studio = start()
    page = pages(studio.address)
    assert "token" not in page.url

    # Pick, and look: every preset is a card on the picture. The quick one is painted.
    choose(page, photo)
    page.wait_for_selector(".card")
    assert page.locator(".card").count() == len(
        [one for one in studio.client.get("/api/presets") if not one["problem"]]
    )
    page.locator(".card[data-preset=quick] button").click()
    page.wait_for_selector(".stage[data-shown$=done]")
    first = page.locator(".stage").get_attribute("data-shown")

    # Tune: the preview follows the slider, by keys.
    page.get_by_label("Strength").focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "before => [before, undefined].every((one) => one !== document.querySelector('.stage').dataset.shown)"
        " && document.querySelector('.stage').dataset.shown.endsWith('done')",
        arg=first,
    )
    page.get_by_label("divider").fill("50")
    assert page.locator(".stage").evaluate("one => one.style.getPropertyValue('--split')") == "50%"

    # Save what the sliders say.
    page.get_by_role("button", name="Save as preset").click()
    page.locator("dialog input").fill("quick-strong")
    page.locator("dialog").get_by_role("button", name="Save").click()
    page.get_by_text("Saved as quick-strong").wait_for()
    assert load_preset("quick-strong").strength == 0.7

    # Render the photo.
    page.get_by_role("button", name="Render", exact=True).click()
    page.get_by_role("link", name="Queue").click()
    page.wait_for_selector(".job[data-state=done]")

    # A clip, with a preset that gives time to kill: server and job, as a power cut does.
    (root / "config-done").touch()
    media = next(
        entry["media"]["id"]
        for entry in studio.client.get("/api/folders")["entries"]
        if entry["name"] == clip.name
    )
    look = {
        "preset": "quick",
        "settings": {"video.steps": 40, "video.min_steps": 40, "scales.max_side_px": 64},
    }
    job = studio.client.post("/api/jobs", {"inputs": [media], "look": look})["id"]
    row = page.locator(f".job[data-job='{job}']")
    page.wait_for_selector(f".job[data-job='{job}'][data-state=running]")
    wait_until(
        lambda: ((studio.client.get(f"/api/jobs/{job}")["progress"] or {}).get("frames_done") or 0) >= 2
    )
    row.get_by_text("frame").wait_for()
    painting = stylize_of(studio)
    studio.kill()
    for process in painting:
        os.kill(process.pid, signal.SIGKILL)
    page.get_by_text("does not answer").wait_for()

    # The next studio goes on by itself; it is cancelled from the page, and resumed.
    studio = start()
    page = pages(studio.address)
    page.get_by_role("link", name="Queue").click()
    row = page.locator(f".job[data-job='{job}']")
    row.get_by_role("button", name="Cancel").click()
    page.wait_for_selector(f".job[data-job='{job}'][data-state=cancelled]")
    row.get_by_role("button", name="Resume").click()
    page.wait_for_selector(f".job[data-job='{job}'][data-state=done]")
    assert studio.client.get(f"/api/jobs/{job}")["progress"]["resumed_at"] >= 1

    # Compare, and make again from the picture's own words.
    page.get_by_role("link", name="Gallery").click()
    page.wait_for_selector(".tile")
    assert page.locator("#view-gallery .tile").count() == 2
    page.locator("#view-gallery .tile", has_text="photo-quick").click()
    page.locator("dialog .stage img").last.wait_for()
    assert page.locator("dialog .stage img").evaluate_all("all => all.every((one) => one.src)")
    page.get_by_role("button", name="Make again with").click()
    page.get_by_label("Strength").wait_for()
    assert page.get_by_label("Strength").input_value() == "0.7"
    assert studio.stop() == 0


def test_by_keys_alone_with_faults_at_their_line(
    start: Callable[[], Process], pages: Callable[..., Page], photo: Path
) -> None:
    studio = start()
    page = pages(studio.address, reduced_motion="reduce")
    order = []
    for _ in range(9):
        page.keyboard.press("Tab")
        order.append(
            page.evaluate(
                "(() => { const now = document.activeElement;"
                " return [now.textContent.trim(), getComputedStyle(now).outlineStyle]; })()"
            )
        )
    assert [name for name, _ in order][:9] == [
        "To the content",
        "FrameStyle studio",
        "Looks",
        "Queue",
        "Gallery",
        "Presets",
        "Tell me when a job is done",
        "Light or dark",
        "Choose files",
    ]
    assert all(outline != "none" for _, outline in order)
    assert page.evaluate("document.getAnimations().length") == 0

    page.goto(page.url.split("#")[0] + "#presets")
    page.get_by_role("button", name="Edit quick as YAML").focus()
    page.keyboard.press("Enter")
    text = page.get_by_label("The preset as YAML")
    text.fill("schema: 1\nextends: nightswirl\nstrength: 9\n")
    page.get_by_role("button", name="3:11").wait_for()
    assert page.locator(".gutter .wrong").text_content() == "3"
    assert page.get_by_role("button", name="Save").is_disabled()
    text.fill("schema: 1\nextends: nightswirl\nstrength: 0.9\n")
    page.get_by_text("Nothing is wrong").wait_for()
    text.press("Control+s")
    page.get_by_text("Saved as quick").wait_for()
    assert load_preset("quick").strength == 0.9


DROP = """([selector, files]) => {
    const carried = new DataTransfer(), target = document.querySelector(selector);
    for (const [name, data] of files) {
        carried.items.add(new File([Uint8Array.from(atob(data), (one) => one.charCodeAt(0))], name));
    }
    for (const kind of ["dragenter", "dragover", "drop"]) {
        target.dispatchEvent(new DragEvent(kind, { dataTransfer: carried, bubbles: true, cancelable: true }));
    }
}"""


def drop(page: Page, selector: str, *files: Path) -> None:
    page.evaluate(
        DROP, [selector, [[one.name, base64.b64encode(one.read_bytes()).decode()] for one in files]]
    )


def test_a_set_is_dropped_a_style_made_of_a_picture_and_two_pages_agree(
    start: Callable[[], Process],
    pages: Callable[..., Page],
    root: Path,
    photo: Path,
    sample: Path,
    tmp_path: Path,
) -> None:
    studio = start()
    page, other = pages(studio.address, accept_downloads=True), pages(studio.address)
    # What is no picture is told by its name; the others are taken, and the first is looked at.
    bad, second = root / "notes.jpg", root / "second.png"
    bad.write_text("no picture")
    second.write_bytes(photo.read_bytes())
    drop(page, "body", photo, bad, second)
    page.locator(".toast.bad", has_text="notes.jpg: ").wait_for()
    page.wait_for_function("() => document.querySelectorAll('.thumb').length === 2")
    assert page.locator(".thumb").first.get_attribute("aria-pressed") == "true"

    # A style of one's own; the other page has it without being asked.
    page.get_by_role("link", name="Presets").click()
    other.get_by_role("link", name="Presets").click()
    drop(page, "#style-from-picture", sample)
    page.locator("dialog input").fill("harbour")
    page.locator("dialog").get_by_role("button", name="Save").click()
    other.get_by_role("heading", name="harbour").wait_for()
    with page.expect_download() as download:
        page.get_by_role("link", name="Export harbour").click()
    download.value.save_as(tmp_path / "harbour.zip")
    other.on("dialog", lambda dialog: dialog.accept())
    with other.expect_file_chooser() as chooser:
        other.get_by_role("button", name="Import a zip").click()
    chooser.value.set_files(str(tmp_path / "harbour.zip"))
    other.get_by_text("Taken in: harbour").wait_for()

    # A region, painted over the picture as it is; its preview comes.
    page.get_by_role("link", name="Looks").click()
    page.locator(".card[data-preset=quick] button").click()
    page.wait_for_selector(".stage[data-shown$=done]")
    shown = page.locator(".stage").get_attribute("data-shown")
    page.get_by_role("button", name="Paint a region").click()
    assert not page.locator(".stage .handle").is_visible()
    page.get_by_role("button", name="Upper half").click()
    page.get_by_role("button", name="Use this region").click()
    page.get_by_label("Outside the region").wait_for()
    page.wait_for_function("(before) => document.querySelector('.stage').dataset.shown !== before", arg=shown)

    # A preset that is there is replaced when that is what is wanted; the tuner stays as it is.
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_label("Strength").fill("0.35")
    for saved in range(2):
        page.get_by_role("button", name="Save as preset").click()
        page.locator("dialog input").fill("mine")
        page.locator("dialog").get_by_role("button", name="Save").click()
        page.locator(".toast", has_text="Saved as mine").nth(saved).wait_for()
    assert page.get_by_label("Strength").input_value() == "0.35"

    # The set is there after a reload; both become one job; an upload that it needs stays.
    page.reload()
    page.wait_for_function("() => document.querySelectorAll('.thumb').length === 2")
    page.locator(".card[data-preset=quick] button").click()
    studio.client.post("/api/queue", {"paused": True})
    page.get_by_role("button", name="Render all 2").click()
    page.get_by_role("button", name="All looks").click()
    page.get_by_role("button", name="From folders").click()
    page.get_by_role("button", name="Uploads").click()
    page.get_by_role("button", name="Remove photo.png").click()
    page.get_by_text("a job in the queue needs this picture").wait_for()
    page.get_by_role("button", name="Remove mask.png").click()
    page.wait_for_function("() => document.querySelectorAll('.removable').length === 3")
    assert [job["inputs"] for job in studio.client.get("/api/jobs")["jobs"]] == [2]


HIDDEN = """
Object.defineProperty(document, "visibilityState", { configurable: true, get: () => window.seen || "hidden" });
"""


def test_a_page_that_nobody_sees_gives_its_connection_back(
    start: Callable[[], Process], pages: Callable[..., Page], root: Path
) -> None:
    # A browser opens six connections to a server: the seventh page would wait for ever.
    studio = start()
    first = pages(studio.address)
    first.context.add_init_script(HIDDEN)
    many = []
    for _ in range(7):
        page = first.context.new_page()
        page.goto(studio.address.partition("?")[0])
        page.wait_for_selector("html[data-ready]", timeout=60_000)
        many.append(page)
    many[-1].evaluate("window.seen = 'visible'; document.dispatchEvent(new Event('visibilitychange'))")
    many[-1].get_by_role("link", name="Presets").click()
    many[-1].wait_for_timeout(500)
    studio.client.call("PUT", "/api/presets/new", {"look": {"preset": "quick"}})
    many[-1].get_by_role("heading", name="new", exact=True).wait_for()


def test_every_view_can_be_read_named_and_reached_at_every_width(
    start: Callable[[], Process], pages: Callable[..., Page], root: Path, photo: Path
) -> None:
    studio = start()
    media = next(entry["media"]["id"] for entry in studio.client.get("/api/folders")["entries"])
    job = studio.client.post("/api/jobs", {"inputs": [media], "look": {"preset": "quick"}})["id"]
    studio.client.until(job, "done")
    studio.client.post("/api/queue", {"paused": True})
    studio.client.post("/api/jobs", {"inputs": [media], "look": {"preset": "quick"}})
    faults: dict[str, Any] = {}
    for scheme in ("light", "dark"):
        page = pages(studio.address, color_scheme=scheme, viewport={"width": 1280, "height": 900})
        for view in ("empty", "folder", "look", "tuner", "queue", "gallery", "result", "presets", "editor"):
            turn_to(page, view, photo)
            for width in (360, 1280, 2560):
                page.set_viewport_size({"width": width, "height": 900})
                found = page.evaluate(AUDIT)
                if found:
                    faults[f"{view} {scheme} {width}"] = found
    assert faults == {}, json.dumps(faults, indent=1)


def turn_to(page: Page, view: str, photo: Path) -> None:
    page.keyboard.press("Escape")
    if view == "folder":
        page.locator("#pick-folder").click()
        page.wait_for_selector("dialog .tile")
    elif view == "look":
        choose(page, photo)
        page.wait_for_selector(".card")
    elif view == "tuner":
        page.locator(".card[data-preset=quick] button").click()
        page.wait_for_selector(".controls")
    elif view == "result":
        page.locator("#view-gallery .tile").first.click()
        page.wait_for_selector("dialog .stage")
    elif view == "editor":
        page.get_by_role("button", name="Edit quick as YAML").click()
        page.wait_for_selector("dialog .state-done")
    elif view != "empty":
        page.get_by_role("link", name=view.capitalize()).click()
        page.wait_for_selector(
            {"queue": ".job", "gallery": "#view-gallery .tile", "presets": ".presets li"}[view]
        )


def test_a_queue_of_a_thousand_and_a_folder_of_five_thousand_stay_quick(
    start: Callable[[], Process], pages: Callable[..., Page], root: Path, photo: Path
) -> None:
    studio = start()
    studio.client.post("/api/queue", {"paused": True})
    media = next(entry["media"]["id"] for entry in studio.client.get("/api/folders")["entries"])
    for _ in range(1000):
        studio.client.post("/api/jobs", {"inputs": [media], "look": {"preset": "quick"}})
    (root / "many").mkdir()
    data = photo.read_bytes()
    for number in range(5000):
        (root / "many" / f"{number}.png").write_bytes(data)
    page = pages(studio.address)
    page.get_by_role("link", name="Queue").click()
    page.get_by_text("1000 waiting").wait_for()
    for shown in range(150, 700, 100):
        page.get_by_role("button", name="Show more").click()
        page.wait_for_function("(shown) => document.querySelectorAll('.job').length === shown", arg=shown)
    page.get_by_role("link", name="Looks").click()
    page.locator("#pick-folder").click()
    page.get_by_role("button", name="many").click()
    page.wait_for_function("() => document.querySelectorAll('.tile').length >= 200")
    # Scrolled to the end as often as there is more.
    page.wait_for_function(
        """() => {
        const body = document.querySelector('dialog .dialog-body');
        body.scrollTo(0, body.scrollHeight);
        return document.querySelectorAll('.tile').length >= 1000;
    }"""
    )
    # What a click costs the page itself, script, style and layout: of processor time, whatever else the machine does.
    spent = page.evaluate(
        """() => {
        const times = [];
        for (const tile of [...document.querySelectorAll('.tile')].slice(100, 130)) {
            const began = performance.now();
            tile.click();
            document.querySelector('dialog').getBoundingClientRect();
            times.push(performance.now() - began);
        }
        return times.sort((a, b) => a - b)[15];
    }"""
    )
    assert spent < 100
