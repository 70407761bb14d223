// The page: which view is shown, light or dark, notifications.

import { get, listen, on, toast, told } from "./api.js";
import { once } from "./dom.js";
import { fresh, gallery } from "./gallery.js";
import { looks, wish } from "./looks.js";
import { wholePageTakesDrops } from "./pick.js";
import { presetsView } from "./presets.js";
import { queueView } from "./queue.js";
import { changed, loadPresets, remembered, state } from "./state.js";
import { closeTuner } from "./tuner.js";
import { want } from "./wants.js";

const VIEWS = ["look", "queue", "gallery", "presets"];

function turn() {
  const name = VIEWS.includes(location.hash.slice(1)) ? location.hash.slice(1) : "look";
  const title = { look: "Looks", queue: "Queue", gallery: "Gallery", presets: "Presets" }[name];
  for (const one of VIEWS) document.getElementById(`view-${one}`).hidden = one !== name;
  for (const link of document.querySelectorAll(".top nav a")) {
    if (link.hash === `#${name}`) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
  }
  document.title = `${title} · FrameStyle studio`;
  if (name === "look") wish();
  else { want("cards", 5, []); want("tuner", 0, []); }
  if (name === "gallery") fresh();
}

function theme() {
  const kept = localStorage.getItem("framestyle-theme");
  if (kept) document.documentElement.dataset.theme = kept;
  document.getElementById("theme").addEventListener("click", () => {
    const dark = getComputedStyle(document.documentElement).colorScheme.includes("dark") && document.documentElement.dataset.theme
      ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    document.documentElement.dataset.theme = dark ? "light" : "dark";
    localStorage.setItem("framestyle-theme", document.documentElement.dataset.theme);
  });
}

function notifications() {
  const button = document.getElementById("notify");
  const wanted = () => localStorage.getItem("framestyle-notify") === "yes" && "Notification" in window && Notification.permission === "granted";
  const draw = () => button.setAttribute("aria-pressed", String(wanted()));
  button.addEventListener("click", async () => {
    if (wanted()) localStorage.removeItem("framestyle-notify");
    else if ("Notification" in window && (await Notification.requestPermission()) === "granted") localStorage.setItem("framestyle-notify", "yes");
    else toast("The browser does not allow notifications.", { bad: true });
    draw();
  });
  draw();
  const states = new Map();
  on("job", (job) => {
    const before = states.get(job.id);
    states.set(job.id, job.state);
    if (before === "running" && ["done", "failed"].includes(job.state) && wanted()) {
      try {
        const note = new Notification(job.state === "done" ? "Painted" : "A render failed", { body: `${job.title} in ${job.preset}`, tag: job.id });
        note.onclick = () => { focus(); location.hash = "#queue"; };
      } catch { /* phones have none for pages; the queue shows it */ }
    }
  });
}

async function begin() {
  theme();
  notifications();
  wholePageTakesDrops();
  addEventListener("hashchange", () => { closeTuner(); turn(); if (location.hash === "#look" || !location.hash) changed("pictures"); });
  addEventListener("looks-again", () => changed("pictures"));
  state.studio = await told(() => get("/api/studio"));
  await told(loadPresets);
  looks();
  queueView();
  gallery();
  presetsView();
  await remembered();
  // Another page, or a program, has changed them.
  on("presets", once(200, () => told(loadPresets)));
  turn();
  listen();
  document.documentElement.dataset.ready = "yes";
}

begin();
