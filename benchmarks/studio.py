"""How quick the studio is: python -m benchmarks.studio {previews,cost,many} [--weights auto]

A studio in a folder of its own and a page in chromium (playwright), as a person uses them. `previews`: from the drop of
a photo to the first preview and to a sketch of every preset, and from a slider's change to its preview. `cost`: what
the server's own process takes of a core while a job is painted and a page looks on. `many`: what an interaction takes,
from the click to the next frame on screen, with 1,000 jobs in the queue and 5,000 pictures in a folder. Each line ends
with what was promised. Wall time: nothing else may be at work.
"""

from __future__ import annotations

import argparse
import base64
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from PIL import Image

from framestyle.doors.demo import samples_dir

PHOTO = samples_dir() / "photos" / "harbour.jpg"
CLIP = samples_dir() / "clip.mp4"
JOBS, PICTURES = 1000, 5000
COST_S = 30.0
DROP = """([name, data]) => {
  const bytes = Uint8Array.from(atob(data), (one) => one.charCodeAt(0)), carried = new DataTransfer();
  carried.items.add(new File([bytes], name, { type: "image/jpeg" }));
  document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true }));
}"""
PAINTED = "document.querySelectorAll('.card .frame img:nth-child(2):not([hidden])').length"
SKETCHED = "document.querySelectorAll('.card[data-state=sketch], .card[data-state=full]').length"
UNTIL_SHOWN = """async (act) => {
  const began = performance.now();
  (0, eval)(act);
  await new Promise((shown) => requestAnimationFrame(() => requestAnimationFrame(shown)));
  return performance.now() - began;
}"""
Page = Any


class Studio:
    """A running one: its process, its address, and calls of its API."""

    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        self.process, self.address = process, address

    def call(self, page: Page, method: str, path: str, body: object = None) -> Any:
        """From the page itself, with its cookie."""
        code = (
            "async ([method, path, body]) => (await (await fetch(path, {method, headers: {'content-type': "
            "'application/json'}, body: body === null ? undefined : JSON.stringify(body)})).json())"
        )
        return page.evaluate(code, [method, path, body])


@contextmanager
def running(root: Path, weights: str) -> Iterator[Studio]:
    """`framestyle studio` in `root`, ended in the end."""
    command = [sys.executable, "-m", "framestyle", "studio", "--root", str(root), "--port", "0"]
    environment = os.environ | {"XDG_CONFIG_HOME": str(root.parent / "config")}
    with subprocess.Popen(
        [*command, "--weights", weights], stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        try:
            address = next(found[0] for line in process.stdout if (found := re.search(r"http://\S+", line)))
            yield Studio(process, address)
        finally:
            process.terminate()
            process.wait(90)


@contextmanager
def page_of(studio: Studio) -> Iterator[Page]:
    """A page of 1280 x 900, once it can be used."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as starting:
        browser = starting.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(900_000)
        page.goto(studio.address)
        page.wait_for_selector("html[data-ready]")
        yield page
        browser.close()


def told(what: str, value: float, unit: str, promised: float) -> None:
    """A line of the result."""
    verdict = "kept" if value <= promised else "NOT KEPT"
    print(f"{what}: {value:.2f} {unit} (at most {promised:g}: {verdict})", flush=True)


def previews(root: Path, weights: str) -> None:
    """Drop, cards, slider."""
    with running(root, weights) as studio, page_of(studio) as page:
        page.wait_for_timeout(
            5000
        )  # whoever drops a picture has looked at the page first: helpers are loaded
        began = time.perf_counter()
        page.evaluate(DROP, [PHOTO.name, base64.b64encode(PHOTO.read_bytes()).decode()])
        page.wait_for_function(f"() => {PAINTED} >= 1")
        told("first preview on screen after a drop", time.perf_counter() - began, "s", 8)
        cards = page.locator(".card").count()
        page.wait_for_function(f"(cards) => {SKETCHED} >= cards", arg=cards)
        told(f"a preview of all {cards} cards at 128 px", time.perf_counter() - began, "s", 90)
        page.locator(".card[data-preset=wave] button").click()
        page.wait_for_selector(".stage[data-shown]")
        page.wait_for_timeout(3000)
        for strength in (0.7, 0.2):
            shown = page.locator(".stage").get_attribute("data-shown").partition(":")[0]
            began = time.perf_counter()
            page.get_by_label("Strength").fill(str(strength))
            page.wait_for_function(
                "(key) => !document.querySelector('.stage').dataset.shown.startsWith(key)", arg=shown
            )
            told(f"a slider's change to {strength}: a new preview", time.perf_counter() - began, "s", 6)
            page.wait_for_timeout(2000)


def cost(root: Path, weights: str) -> None:
    """The server's process alone: helpers and the job are processes of their own."""
    shutil.copy(CLIP, root / "clip.mp4")
    with running(root, weights) as studio, page_of(studio) as page:
        (entry,) = (
            one for one in studio.call(page, "GET", "/api/folders")["entries"] if one["name"] == "clip.mp4"
        )
        look = {"preset": "wave", "settings": {}}
        body = {"inputs": [entry["media"]["id"]], "look": look, "max_side_px": 160}
        job = studio.call(page, "POST", "/api/jobs", body)["id"]
        page.evaluate("location.hash = '#queue'")
        page.locator(f".job[data-job='{job}'] .facts", has_text="step").wait_for()
        server = psutil.Process(studio.process.pid)
        began, before = time.perf_counter(), server.cpu_times()
        page.wait_for_timeout(COST_S * 1000)
        spent, after = time.perf_counter() - began, server.cpu_times()
        used = after.user + after.system - before.user - before.system
        assert studio.call(page, "GET", f"/api/jobs/{job}")["state"] == "running", (
            "the job has ended too soon"
        )
        told("the server's own cost while a job is painted", 100 * used / spent, "% of a core", 3)
        print(f"the server's memory: {server.memory_info().rss / 1e6:.0f} MB")
        studio.call(page, "POST", f"/api/jobs/{job}/cancel", {})


def many(root: Path, weights: str) -> None:
    """A long queue and a large folder."""
    (root / "many").mkdir()
    with Image.open(PHOTO) as photo:
        photo.thumbnail((160, 160))
        photo.save(root / "small.jpg")
    data = (root / "small.jpg").read_bytes()
    for number in range(PICTURES):
        (root / "many" / f"{number:04}.jpg").write_bytes(data)
    with running(root, weights) as studio, page_of(studio) as page:
        entry = next(one for one in studio.call(page, "GET", "/api/folders")["entries"] if one["media"])
        page.evaluate(
            """async ([id, count]) => {
            const headers = {"content-type": "application/json"}, look = {preset: "wave", settings: {}};
            const send = (path, body) => fetch(path, {method: "POST", headers, body: JSON.stringify(body)});
            await send("/api/queue", {paused: true});
            for (let one = 0; one < count; one++) await send("/api/jobs", {inputs: [id], look});
        }""",
            [entry["media"]["id"], JOBS],
        )
        page.evaluate("location.hash = '#queue'")
        page.get_by_text(f"{JOBS} waiting").wait_for()
        _shown(
            page,
            "queue: to the gallery and back",
            "location.hash = location.hash === '#queue' ? '#gallery' : '#queue'",
            20,
        )
        page.evaluate("location.hash = '#queue'")
        page.get_by_role("button", name="Show more").click()
        page.wait_for_function("() => document.querySelectorAll('.job').length >= 150")
        _shown(
            page,
            "queue: a job is moved",
            "document.querySelectorAll('.job [aria-label$=down]')[40].click()",
            20,
        )
        _shown(page, "queue: scrolled", "scrollBy(0, 700)", 20)
        page.evaluate("location.hash = '#look'")
        page.locator("#pick-folder").click()
        page.get_by_role("button", name="many").click()
        page.wait_for_function(
            """() => {
            const body = document.querySelector('dialog .dialog-body');
            body.scrollTo(0, body.scrollHeight);
            return document.querySelectorAll('.tile').length >= 2000;
        }"""
        )
        page.wait_for_timeout(3000)
        _shown(
            page,
            "folder: a picture is chosen",
            "document.querySelectorAll('.tile')[1000 + Math.floor(Math.random() * 900)].click()",
            30,
        )
        _shown(page, "folder: scrolled", "document.querySelector('dialog .dialog-body').scrollBy(0, 900)", 30)
        _shown(
            page,
            "folder: all are chosen",
            "document.querySelector('.dialog-foot button').click()",
            1,
        )


def _shown(page: Page, what: str, act: str, times: int) -> None:
    """From a click to the frame that shows what it did: the median, with the worst beside it."""
    spent = []
    for _ in range(times):
        spent.append(page.evaluate(UNTIL_SHOWN, act))
        page.wait_for_timeout(60)
    told(f"{what} ({times} times, worst {max(spent):.0f} ms)", statistics.median(spent), "ms", 100)


def main() -> None:
    """Measures in a folder that is removed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    kinds: dict[str, Callable[[Path, str], None]] = {"previews": previews, "cost": cost, "many": many}
    parser.add_argument("what", choices=kinds)
    parser.add_argument("--weights", default="auto")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "root"
        root.mkdir()
        shutil.copy(PHOTO, root / "photo.jpg")
        kinds[args.what](root, args.weights)


if __name__ == "__main__":
    main()
