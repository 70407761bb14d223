// What was made: before and after, to be kept, shown in its folder, or made again with another picture.

import { get, on, post, toast, told } from "./api.js";
import { compare } from "./compare.js";
import { dialog, h, once } from "./dom.js";
import { aspect, picture, small, state } from "./state.js";
import { openTuner } from "./tuner.js";

const view = document.getElementById("view-gallery");
const grid = h("ul", { class: "grid large" });
const more = h("button", { hidden: true, onclick: () => load() }, "Show more");
let next = 0, asked = 0;

export function gallery() {
  view.replaceChildren(h("div", { class: "head" }, h("div", {}, h("h1", { id: "gallery-title" }, "Gallery"), h("p", {}, `What was painted here. The files lie in ${state.studio ? state.studio.results : "the results folder"}, below the studio’s folder.`))), grid, h("div", { class: "row", style: { "margin-top": "1rem" } }, more));
  on("queue", once(400, () => { if (!view.hidden) fresh(); }));
}

export function fresh() {
  next = 0;
  load();
}

async function load() {
  const from = next, mine = ++asked;
  const found = await told(() => get(`/api/results?offset=${from}&limit=60`));
  if (!found || mine !== asked) return; // asked for again meanwhile: that answer is shown
  if (from === 0) grid.replaceChildren();
  grid.append(...found.results.map((result) => h("li", {}, h("button", { class: "tile", onclick: () => openResult(result), "aria-label": `${result.media.name}, ${result.preset}` },
    h("span", { class: "frame", style: { display: "block" } }, h("img", { src: small(result.media, 512), alt: "", loading: "lazy", decoding: "async", fetchpriority: "low" }), result.media.kind === "video" ? h("span", { class: "kind said" }, "clip") : null),
    h("span", { class: "name" }, result.media.name, h("span", { class: "soft" }, ` ${result.preset}`))))));
  next = from + 60;
  more.hidden = next >= found.total;
  const isEmpty = more.hidden && !grid.childElementCount;
  if (isEmpty) grid.replaceChildren(h("li", { class: "empty", style: { "grid-column": "1 / -1" } }, h("h2", {}, "Nothing yet"), h("p", {}, "Renders appear here when they are done."), h("a", { class: "button", href: "#look" }, "Choose a look")));
  else if (!grid.childElementCount) await load(); // their files have gone: on to those that are there
}

// Large enough to be zoomed into, down to its pixels.
const sideOf = (media) => Math.max(media.width, media.height) > 2048 ? 4096 : 2048;

export async function openResult(result) {
  const media = await told(() => get(`/api/media/${result.media.id}`));
  if (!media) return;
  const source = typeof result.input === "string" ? result.input : result.input && result.input.id;
  const before = source ? await get(`/api/media/${source}`).catch(() => null) : null;
  const body = h("div", { class: "stack" });
  if (media.kind === "video") {
    const clips = [before && before.kind === "video" ? clip(before, "before") : null, clip(media, "after")].filter(Boolean);
    for (const name of ["play", "pause", "seeking"]) for (const one of clips) one.video.addEventListener(name, () => together(clips, one, name));
    body.append(h("div", { class: "row", style: { "flex-wrap": "wrap" } }, clips.map((one) => one.box)));
  } else {
    const side = compare({ before: before ? small(before, sideOf(before)) : null, after: small(media, sideOf(media)), aspect: aspect(media), start: before ? 50 : 0 });
    body.append(side.stage, side.tools);
  }
  const foot = [
    h("a", { class: "button", href: `/api/media/${media.id}/file?download=1`, download: media.name }, "Download"),
    h("button", { onclick: () => told(async () => {
      const told_ = await post(`/api/results/${media.id}/reveal`);
      toast(told_.shown ? "Shown in its folder." : "It lies in this folder:", { more: told_.folder });
    }) }, "Show in folder"),
    h("button", { class: "primary", onclick: () => told(() => again(media, result, before, box)) }, "Make again with…"),
  ];
  const box = dialog(`${media.name} · ${result.preset}`, body, foot);
}

function clip(media, word) {
  const video = h("video", { src: `/api/media/${media.id}/file`, controls: true, loop: true, muted: true, preload: "metadata", playsinline: true, "aria-label": word, style: { width: "100%", "border-radius": "8px" } });
  return { video, box: h("figure", { style: { flex: "1 1 18rem", margin: "0" } }, video, h("figcaption", { class: "soft small" }, word)) };
}

function together(clips, one, name) {
  for (const other of clips) {
    if (other === one) continue;
    if (Math.abs(other.video.currentTime - one.video.currentTime) > 0.1) other.video.currentTime = one.video.currentTime;
    if (name === "play" && other.video.paused) other.video.play();
    if (name === "pause" && !other.video.paused) other.video.pause();
  }
}

// A photo says itself how it was made; of a clip the studio knows.
async function again(media, result, before, box) {
  let look;
  if (media.kind === "photo") {
    const recipe = await get(`/api/media/${media.id}/recipe`);
    const { settings } = await post("/api/presets/check", { yaml: recipe.yaml });
    look = { yaml: recipe.yaml, name: `as ${media.name}`, values: settings };
    for (const doubt of recipe.doubts) toast(doubt);
  } else {
    look = { ...(result.look || { preset: result.preset }), name: result.preset };
  }
  if (!picture() && !before) return toast("What it was made of has gone.", { bad: true, more: "Choose a picture first, then make it again with that." });
  box.close();
  if (!picture()) {
    state.pictures.push(before);
    state.current = 0;
  }
  location.hash = "#look";
  setTimeout(() => openTuner(document.getElementById("view-look"), look, look.preset ? state.presets.find((one) => one.name === look.preset) : null), 50);
}
