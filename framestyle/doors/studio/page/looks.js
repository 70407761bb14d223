// All presets as cards on the picture that was chosen; what is on screen is painted first.

import { on, told } from "./api.js";
import { clock, fill, h, once } from "./dom.js";
import { browse, fromDisk, takeAndChoose } from "./pick.js";
import { aspect, at, changed, drop, picture, small, state, turnTo, watch } from "./state.js";
import { closeTuner, isTuning, openTuner } from "./tuner.js";
import { address, show, want } from "./wants.js";

const view = document.getElementById("view-look");
const cards = new Map(); // name -> card
const onScreen = new Set();
const trouble = h("p", { class: "problem", role: "status", hidden: true });
let tag = null;

export function looks() {
  watch((what) => {
    if (what === "pictures" || (what === "presets" && !isTuning())) draw();
    else if (what === "tray" && view.querySelector(".tray")) view.querySelector(".tray").replaceWith(tray());
    else if (what === "moment") paint();
  });
  on("anew", () => wish());
  draw();
}

const accepted = "image/*,video/*,.mkv,.y4m,.heic,.avif,.tif,.tiff";
const fromFiles = () => fromDisk(accepted, true, takeAndChoose);

function draw() {
  closeTuner();
  if (!picture()) return hero();
  const media = picture();
  const list = h("ul", { class: "cards" });
  fill(view, 
    h("div", { class: "head" },
      h("div", {}, h("h1", { id: "look-title" }, "Looks"), h("p", {}, "Every preset on your own picture. Open one to tune it.")),
      h("div", { class: "row", role: "group", "aria-label": "Show" }, tags())),
    tray(),
    media.kind === "video" ? scrubber(media) : null,
    trouble,
    list);
  trouble.hidden = true;
  cards.clear();
  onScreen.clear();
  seen.disconnect();
  for (const preset of state.presets.filter((one) => !one.problem && (!tag || one.tags.includes(tag)))) {
    const card = cardOf(preset, media);
    cards.set(preset.name, card);
    list.append(card.element);
    seen.observe(card.element);
  }
  wish();
}

function hero() {
  want("cards", 5, []);
  fill(view, h("div", { class: "hero" },
    h("h1", { id: "look-title" }, "See your picture in every style"),
    h("p", {}, "Drop a photo or a clip anywhere on this page. It is painted on this machine and goes nowhere else."),
    h("div", { class: "row" },
      h("button", { class: "primary", id: "pick-files", onclick: fromFiles }, "Choose files"),
      h("button", { id: "pick-folder", onclick: browse }, "Choose from folders")),
    h("div", { class: "strip", "aria-hidden": "true" }, styles().slice(0, 12).map((preset) => h("figure", {},
      h("img", { src: `/api/presets/${encodeURIComponent(preset.name)}/art`, alt: "", loading: "lazy" }), h("figcaption", {}, preset.name))))));
}

// Each style image once, whichever presets share it.
function styles() {
  const seenColors = new Set();
  return state.presets.filter((one) => {
    const colors = one.colors.join();
    if (one.problem || seenColors.has(colors)) return false;
    return seenColors.add(colors);
  });
}

function tags() {
  const names = [...new Set(state.presets.flatMap((one) => one.tags))].sort();
  return [null, ...names].map((name) => h("button", { "aria-pressed": String(tag === name), class: "quiet", onclick: () => { tag = name; draw(); } }, name || "all"));
}

function tray() {
  const shown = state.pictures.slice(0, 60);
  return h("div", { class: "tray", role: "group", "aria-label": "Your pictures" },
    shown.map((media, index) => h("button", {
      class: "thumb", "aria-pressed": String(index === state.current), title: `${media.name} (Delete takes it off)`,
      onclick: () => told(() => turnTo(index)),
      onkeydown: (event) => { if (event.key === "Delete") told(() => drop(index)); },
    }, h("img", { src: small(media, 160), alt: media.name, loading: "lazy" }), media.kind === "video" ? h("span", { class: "kind" }, "clip") : null)),
    state.pictures.length > shown.length ? h("span", { class: "chip" }, `and ${state.pictures.length - shown.length} more`) : null,
    h("button", { class: "add", onclick: fromFiles }, "+ Add files"),
    h("button", { class: "add", onclick: browse }, "From folders"),
    h("div", { class: "less" },
      state.pictures.length > 1 ? h("button", { class: "quiet", onclick: () => told(() => drop(state.current)) }, "Take this off") : null,
      h("button", { class: "quiet", onclick: () => { state.pictures = []; state.current = 0; changed("pictures"); } }, state.pictures.length > 1 ? "Clear all" : "Clear")));
}

export function scrubber(media) {
  const time = h("output", { class: "num small" }, clock(at(media)));
  const range = h("input", { type: "range", min: "0", max: String(media.duration_s || 0), step: "0.04", "aria-label": "Moment of the clip" });
  range.value = String(at(media));
  const tell = once(220, () => changed("moment"));
  const go = (seconds) => {
    state.moments[media.id] = Math.round(seconds * 100) / 100;
    time.textContent = clock(seconds);
    tell();
  };
  range.addEventListener("input", () => go(Number(range.value)));
  return h("div", { class: "scrub" },
    h("div", { class: "moments" }, media.moments_s.map((seconds) => h("button", { class: "moment small num", "aria-label": `The moment at ${clock(seconds)}`, onclick: () => { range.value = String(seconds); go(seconds); } },
      h("img", { src: small(media, 160, seconds), alt: "", style: { "--aspect": aspect(media) } }), clock(seconds)))),
    range, time);
}

function cardOf(preset, media) {
  const under = h("img", { class: "under", src: small(media, 256, at(media)), alt: "" });
  const image = h("img", { alt: "", hidden: true });
  const bar = h("span", { class: "bar", hidden: true }, h("i"));
  const said = h("span", { class: "kind said", hidden: true });
  const button = h("button", { "aria-label": `${preset.name}: ${preset.description}`, onclick: () => openTuner(view, { preset: preset.name }, preset) },
    h("span", { class: "frame", style: { "--aspect": aspect(media), display: "block" } }, under, image, said, bar),
    h("span", { class: "words" },
      h("b", {}, preset.name, preset.builtin ? null : h("span", { class: "chip" }, "yours")),
      h("p", {}, preset.description),
      h("span", { class: "swatches", "aria-hidden": "true" }, preset.colors.map((color) => h("i", { style: { background: color } })))));
  const element = h("li", { class: "card" }, button,
    h("img", { class: "art", src: `/api/presets/${encodeURIComponent(preset.name)}/art`, alt: "", loading: "lazy", onerror: (event) => event.target.remove() }));
  element.dataset.preset = preset.name;
  const facts = { sketch: null, full: null };
  function told(which, one) {
    facts[which] = one;
    const best = facts.full && address(facts.full) && (facts.full.state === "done" || facts.full.version > 2) ? facts.full : facts.sketch;
    if (best && address(best)) show(image, address(best));
    element.dataset.state = (facts.full && facts.full.state === "done") ? "full" : (facts.sketch && facts.sketch.state === "done") ? "sketch" : one.state;
    const now = [facts.full, facts.sketch].find((each) => each && each.state === "painting");
    bar.hidden = !now;
    if (now) bar.style.setProperty("--done", `${now.steps ? Math.round((100 * now.step) / now.steps) : 0}%`);
    said.hidden = one.state !== "failed";
    if (one.state === "failed") { trouble.hidden = false; trouble.textContent = one.message || ""; said.textContent = "cannot be shown"; said.title = one.message || ""; }
  }
  return { element, under, image, told, preset };
}

const seen = new IntersectionObserver((found) => {
  for (const one of found) {
    if (one.isIntersecting) onScreen.add(one.target.dataset.preset);
    else onScreen.delete(one.target.dataset.preset);
  }
  wish();
}, { rootMargin: "80px" });

// The moment of a clip is another one.
function paint() {
  for (const card of cards.values()) {
    show(card.under, small(picture(), 256, at()));
    card.under.classList.add("under");
    card.image.hidden = true;
    delete card.image.dataset.source;
  }
  wish();
}

// First a sketch of each card on screen, then of the others; then those on screen in full.
export function wish() {
  const media = picture();
  if (!media || document.getElementById("view-look").hidden || !cards.size) return want("cards", 5, []);
  const asked = (card, sketch) => ({
    want: { picture: media.id, at_s: at(media), look: { preset: card.preset.name }, side_px: 128, sketch },
    onfacts: (facts) => card.told(sketch ? "sketch" : "full", facts),
  });
  const near = [...cards.values()].filter((card) => onScreen.has(card.preset.name));
  const far = [...cards.values()].filter((card) => !onScreen.has(card.preset.name));
  want("cards", 5, [...near.map((card) => asked(card, true)), ...far.map((card) => asked(card, true)), ...near.map((card) => asked(card, false))]);
}

