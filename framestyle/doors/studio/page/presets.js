// The library of presets: edited as text, copied, carried out and in, made from pictures.

import { call, get, post, remove, toast, told } from "./api.js";
import { ask, fill, h } from "./dom.js";
import { openEditor } from "./editor.js";
import { fromDisk, take } from "./pick.js";
import { loadPresets, picture, state, watch } from "./state.js";
import { openTuner } from "./tuner.js";

const view = document.getElementById("view-presets");

export function presetsView() {
  watch((what) => { if (what === "presets") draw(); });
  draw();
}

function draw() {
  const own = state.presets.filter((one) => !one.builtin), builtin = state.presets.filter((one) => one.builtin);
  fill(view, 
    h("div", { class: "head" },
      h("div", {}, h("h1", { id: "presets-title" }, "Presets"), h("p", {}, "Yours and those that came along. A picture of your own becomes a preset: drop it on the button.")),
      h("div", { class: "row" }, ofPictures(), h("button", { onclick: () => fromDisk(".zip,application/zip", false, (files) => told(() => takeIn(files[0]))) }, "Import a zip"))),
    own.length ? h("h2", {}, "Yours") : null, own.length ? listOf(own) : null,
    h("h2", { style: { "margin-top": "1.5rem" } }, "Built in"), listOf(builtin));
}

function ofPictures() {
  const button = h("button", { class: "primary", id: "style-from-picture", onclick: () => fromDisk("image/*", true, make) }, "New from a style picture");
  button.addEventListener("dragover", (event) => { event.preventDefault(); event.stopPropagation(); });
  button.addEventListener("drop", (event) => {
    event.preventDefault();
    event.stopPropagation();
    document.getElementById("drop-veil").classList.remove("on");
    make(event.dataTransfer.files);
  });
  return button;
}

async function make(files) {
  const taken = await take(files);
  if (!taken.length) return;
  const guess = taken[0].name.replace(/\.[^.]*$/, "").toLowerCase().replace(/[^a-z0-9_-]+/g, "-").slice(0, 40);
  const name = await ask("New preset", "A name: letters, digits, - and _", guess || "my-style");
  if (!name) return;
  await told(async () => {
    await post("/api/presets", { name, pictures: taken.map((one) => one.id) });
    toast(`${name} is a preset now.`);
    await loadPresets();
  });
}

async function takeIn(file) {
  if (!file) return;
  const saved = await call("POST", "/api/presets/import", file, "application/zip").catch((problem) => {
    if (problem.code !== "preset-exists" || !confirm(`${problem.message}. Replace it?`)) throw problem;
    return call("POST", "/api/presets/import?overwrite=1", file, "application/zip");
  });
  toast(`Taken in: ${saved.name}.`);
  await loadPresets();
}

function tune(preset) {
  location.hash = "#look";
  if (!picture()) return toast("Choose a picture first.", { more: `Then ${preset.name} stands among the looks.` });
  setTimeout(() => openTuner(document.getElementById("view-look"), { preset: preset.name }, preset), 50);
}

function listOf(presets) {
  return h("ul", { class: "presets" }, presets.map((preset) => {
    const path = `/api/presets/${encodeURIComponent(preset.name)}`;
    return h("li", {},
      h("img", { src: `${path}/art`, alt: "", loading: "lazy", onerror: (event) => { event.target.style.visibility = "hidden"; } }),
      h("div", {}, h("h3", {}, preset.name), h("p", { class: preset.problem ? "problem small" : "soft small" }, preset.problem || preset.description)),
      h("div", { class: "row" },
        preset.problem ? null : h("button", { "aria-label": `Open ${preset.name}`, onclick: () => tune(preset) }, "Open"),
        h("button", { "aria-label": `Edit ${preset.name} as YAML`, onclick: () => told(() => edit(preset, path)) }, preset.builtin ? "View YAML" : "Edit"),
        h("button", { "aria-label": `Copy ${preset.name}`, onclick: () => told(() => copy(preset, path)) }, "Copy"),
        h("a", { class: "button", href: `${path}/export`, download: `${preset.name}.zip`, "aria-label": `Export ${preset.name}` }, "Export"),
        preset.builtin ? null : h("button", { class: "quiet bad", "aria-label": `Remove ${preset.name}`, onclick: () => told(async () => {
          if (!confirm(`Remove the preset ${preset.name}?`)) return;
          await remove(path);
          await loadPresets();
        }) }, "Remove")));
  }));
}

async function edit(preset, path) {
  const found = await get(path);
  const name = preset.builtin ? `${preset.name}-mine` : preset.name;
  // A built-in one is not written over: what is saved extends it.
  const yaml = preset.builtin ? `${found.yaml.trimEnd()}\n` : found.yaml;
  openEditor({ name, yaml: preset.builtin ? `schema: 1\nname: ${name}\nextends: ${preset.name}\n\n# What ${preset.name} says:\n${yaml.split("\n").map((line) => `# ${line}`.trimEnd()).join("\n")}\n` : yaml, overwrite: !preset.builtin, locked: !preset.builtin });
}

async function copy(preset, path) {
  const name = await ask("Copy", "A name: letters, digits, - and _", `${preset.name}-2`, "Copy");
  if (!name) return;
  await post(`${path}/copy`, { name });
  toast(`Copied as ${name}.`);
  await loadPresets();
}
