// One look on one picture, large: sliders, a preview that follows and sharpens, regions, rendering, saving.

import { get, post, toast, told } from "./api.js";
import { compare } from "./compare.js";
import { ask, duration, fill, h, once } from "./dom.js";
import { maskPainter } from "./mask.js";
import { openEditor, savePreset } from "./editor.js";
import { aspect, at, picture, small, state, watch } from "./state.js";
import { address, show, want } from "./wants.js";
import { scrubber } from "./looks.js";

const MINE = ", as I like it";
let open = null; // {host, look, settings, …} of the look that is tuned

watch((what) => {
  if (what === "moment" && open) open.moment();
  if (what === "tray" && open) open.tray();
});
export const isTuning = () => open !== null;

export function closeTuner() {
  if (!open) return;
  want("tuner", 0, []);
  open = null;
}

const COLORS = [["none", "the style’s"], ["luminance", "the picture’s own"], ["histogram", "matched by histogram"], ["content_stats", "the picture’s palette, after"], ["style_stats", "the picture’s palette, before"]];
const EFFORTS = { draft: 0.5, usual: 1, fine: 2 };
const STEPS = { "scales.first_steps": 100, "scales.between_steps": 30, "scales.steps": 80, "video.steps": 10 };
const SIZES = [[512, "512 px"], [768, "768 px"], [1024, "1024 px"], [1536, "1536 px"], [2048, "2048 px"], [0, "as the picture"]];

export function openTuner(host, look, preset = null) {
  const media = picture();
  if (!media) return toast("Choose a picture first.", { bad: true });
  const first = preset ? preset.settings : look.values || {};
  const settings = { ...(look.settings || {}) };
  const base = look.preset ? { preset: look.preset } : { yaml: look.yaml };
  const name = look.preset || look.name || "this look";
  let mask = null, outside = "", effort = "usual", size = settings["scales.max_side_px"] ?? first["scales.max_side_px"] ?? 1024, quality = "visually_lossless";

  const side = compare({ before: small(media, 1024, at(media)), after: small(media, 512, at(media)), aspect: aspect(media), label: name, start: 0 });
  side.afterImage.alt = `${media.name} in ${name}`;
  const veil = h("div", { class: "veil" }, h("span", {}, "The first strokes are being painted…"));
  side.stage.append(veil);
  const bar = h("span", { class: "bar", hidden: true }, h("i"));
  side.stage.append(bar);
  const all = h("button", { onclick: () => render(true) });
  const tray = () => { all.hidden = state.pictures.length < 2; all.textContent = `Render all ${state.pictures.length}`; };
  tray();
  const status = h("div", { class: "status", role: "status" });
  const moving = h("div");
  const controls = h("div", { class: "controls panel" });
  const stageHost = h("div", {}, side.stage, side.tools, status,
    media.kind === "video" ? scrubber(media) : null, moving);
  fill(host, 
    h("div", { class: "head" },
      h("div", {}, h("button", { class: "quiet", onclick: () => { closeTuner(); dispatchEvent(new CustomEvent("looks-again")); } }, "← All looks"),
        h("h1", { id: "look-title" }, name), h("p", {}, preset ? preset.description : "From a text that is not saved yet.")),
      h("div", { class: "row" },
        h("button", { class: "primary", id: "render", onclick: () => render(false) }, "Render"),
        all,
        h("button", { onclick: saveAs }, "Save as preset"),
        h("button", { onclick: asText }, "Edit as YAML"))),
    h("div", { class: "tuner" }, stageHost, controls));

  drawControls();
  open = { tray, moment() {
    side.beforeImage.src = small(media, 1024, at(media));
    wish();
  } };
  wish();
  scrollTo({ top: 0 });

  // As many as the preset has, times the effort.
  function steps() {
    if (effort === "usual") return {};
    return Object.fromEntries(Object.entries(STEPS).map(([key, usual]) => [key, Math.round((first[key] ?? usual) * EFFORTS[effort])]));
  }

  function current() {
    const all = { ...settings, ...steps() };
    return { ...base, settings: all, ...(mask ? { mask, ...(outside ? { outside } : {}) } : {}) };
  }

  // Small and quick, then the same in full, then larger.
  function wish() {
    const common = { picture: media.id, at_s: at(media), look: current(), urgent: true };
    const best = { rank: -1 };
    const stages = [{ side_px: 128, sketch: true }, { side_px: 128 }, { side_px: 256 }, { side_px: 512 }];
    want("tuner", 0, stages.map((stage, rank) => ({
      want: { sketch: false, ...common, ...stage },
      onfacts: (facts) => {
        if (facts.state === "failed") { bar.hidden = true; veil.remove(); status.textContent = facts.message || "This look cannot be shown."; return; }
        const source = address(facts);
        if (source && rank >= best.rank && (facts.state === "done" || rank === 0 || facts.version > 2)) {
          best.rank = rank;
          side.stage.dataset.shown = `${facts.key}:${facts.state}`;
          show(side.afterImage, source);
          side.afterTag.textContent = stage.sketch ? "after · sketch" : `after · ${shownAt(stage)} px`;
          veil.remove();
        }
        say(facts, stage);
      },
    })));
  }

  // No larger than the render itself would be.
  const shownAt = (stage) => Math.min(stage.side_px, size || Infinity, Math.max(media.width, media.height));

  function say(facts, stage) {
    bar.hidden = facts.state !== "painting";
    if (facts.steps) bar.style.setProperty("--done", `${Math.round((100 * facts.step) / facts.steps)}%`);
    const words = facts.state === "painting" ? `Painting at ${shownAt(stage)} px${facts.steps ? `, ${facts.step} of ${facts.steps} steps` : ""}` : facts.state === "done" ? `Shown at ${shownAt(stage)} px` : "";
    const time = facts.render_s != null && !mask ? ` · the full render takes ${facts.at_most ? "at most " : ""}${duration(facts.render_s)}` : "";
    if (words) status.textContent = words + time;
  }

  function slider(key, title, ends, { min, max, step, log = false, fallback }) {
    const id = `control-${key.replaceAll(".", "-")}`;
    const value = settings[key] ?? first[key] ?? fallback;
    const field = h("input", { type: "range", id, min: String(min), max: String(max), step: String(step) });
    field.value = String(log ? Math.log2(value) : value);
    const said = h("output", { for: id }, shown(value));
    function shown(number) { return log ? `× ${Number(number).toFixed(2)}` : String(Math.round(number * 100) / 100); }
    const apply = once(120, wish);
    field.addEventListener("input", () => {
      const now = log ? Math.round(2 ** Number(field.value) * 100) / 100 : Number(field.value);
      settings[key] = now;
      said.textContent = shown(now);
      apply();
    });
    return h("div", { class: "control" }, h("div", { class: "row between" }, h("label", { for: id }, title), said), field,
      h("div", { class: "ends", "aria-hidden": "true" }, h("span", {}, ends[0]), h("span", {}, ends[1])));
  }

  function choice(id, title, options, value, onchange) {
    // What a preset says need not be one of ours.
    const known = options.some(([key]) => String(key) === String(value)) ? options : [[value, `${value}${id === "size" ? " px" : ""}`], ...options];
    const field = h("select", { id }, known.map(([key, text]) => h("option", { value: String(key) }, text)));
    field.value = String(value);
    field.addEventListener("change", () => onchange(field.value));
    return h("div", { class: "control" }, h("label", { for: id }, title), field);
  }

  function drawControls() {
    const video = media.kind === "video";
    fill(controls, [
      slider("strength", "Strength", ["more picture", "more style"], { min: 0, max: 1, step: 0.05, fallback: 0.5 }),
      slider("style.scale", "Stroke size", ["fine", "broad"], { min: -2, max: 2, step: 0.1, log: true, fallback: 1 }),
      choice("colors", "Colours", COLORS, settings["color.preserve"] ?? first["color.preserve"] ?? "none", (value) => { settings["color.preserve"] = value; wish(); }),
      slider("tv_weight", "Smoothness", ["crisp", "smooth"], { min: 0, max: 2, step: 0.05, fallback: 0.2 }),
      video ? slider("video.temporal_weight", "Steadiness", ["lively", "steady"], { min: 0, max: 100, step: 1, fallback: 27 }) : null,
      h("hr"),
      choice("effort", "Effort", [["draft", "draft: half the steps"], ["usual", "as the preset"], ["fine", "fine: twice the steps"]], effort, (value) => { effort = value; wish(); }),
      choice("size", "Size of the render", SIZES, size, (value) => { size = Number(value); settings["scales.max_side_px"] = size; wish(); }),
      video ? choice("quality", "Encoding", [["draft", "draft"], ["good", "good"], ["visually_lossless", "visually lossless"], ["lossless", "lossless"]], quality, (value) => { quality = value; }) : null,
      h("hr"),
      regions(),
      video ? h("button", { onclick: showMoving }, "See it move") : null,
      h("button", { class: "quiet", onclick: () => { for (const key of Object.keys(settings)) delete settings[key]; effort = "usual"; mask = null; drawControls(); wish(); } }, "Back to the preset"),
    ]);
  }

  function regions() {
    if (!mask) return h("button", { onclick: paintRegion }, "Paint a region");
    const others = [["", "the picture stays"], ...state.presets.filter((one) => !one.problem).map((one) => [one.name, one.name])];
    return h("div", { class: "stack" },
      choice("outside", "Outside the region", others, outside, (value) => { outside = value; wish(); }),
      h("div", { class: "row" }, h("button", { onclick: paintRegion }, "Paint anew"), h("button", { class: "quiet", onclick: () => { mask = null; drawControls(); wish(); } }, "Whole picture")));
  }

  function paintRegion() {
    const tools = maskPainter(side.stage, media, (found) => {
      if (found !== undefined) mask = found;
      drawControls();
      wish();
    });
    side.stage.after(tools);
    tools.querySelector("button").focus();
  }

  function showMoving() {
    const video = h("video", { controls: true, loop: true, muted: true, autoplay: !matchMedia("(prefers-reduced-motion: reduce)").matches, playsinline: true, "aria-label": "The clip beside itself painted" });
    const said = h("p", { class: "soft small", role: "status" }, "The excerpt is being painted…");
    fill(moving, h("h2", {}, "In motion"), said, video);
    video.hidden = true;
    want("moving", 1, [{
      want: { picture: media.id, look: current(), side_px: 128, moving: true, urgent: true },
      onfacts: (facts) => {
        if (facts.state === "failed") said.textContent = facts.message;
        else if (facts.state === "done") { video.hidden = false; video.src = address(facts); said.textContent = "Left as it is, right painted."; want("moving", 1, []); }
        else if (facts.step) said.textContent = `Painted ${facts.step} frames…`;
      },
    }]);
  }

  async function render(all) {
    const chosen = all ? state.pictures : [media];
    const body = { inputs: chosen.map((one) => one.id), look: current(), max_side_px: size };
    if (chosen.some((one) => one.kind === "video")) body.quality = quality;
    const job = await told(() => post("/api/jobs", body));
    if (job) toast(`In the queue: ${job.title} in ${name}`, { more: "It goes on when this window is closed." });
  }

  async function saveAs() {
    const wanted = await ask("Save as preset", "A name: letters, digits, - and _", look.preset ? `${look.preset}-mine` : "my-style");
    if (!wanted) return;
    const kept = { ...base, settings: { ...settings, ...steps() } };
    const saved = await told(() => savePreset(wanted, { look: kept, description: preset && !preset.description.endsWith(MINE) ? `${preset.description}${MINE}` : "" }));
    if (saved) toast(`Saved as ${saved.name}.`);
  }

  async function asText() {
    const lines = [];
    if (base.preset) {
      const found = await told(() => get(`/api/presets/${encodeURIComponent(base.preset)}`));
      if (!found) return;
      lines.push("schema: 1", `name: ${base.preset}-mine`, `extends: ${base.preset}`, ...yamlOf({ ...settings, ...steps() }));
      if (!Object.keys(settings).length) lines.push("# strength: 0.5", "# style: {scale: 1.0}", "# color: {preserve: none}");
    }
    openEditor({ name: base.preset ? `${base.preset}-mine` : "my-style", yaml: base.preset ? `${lines.join("\n")}\n` : base.yaml,
      ontry: (yaml, values) => openTuner(host, { yaml, name: "this text", values }) });
  }
}

function yamlOf(settings) {
  const sections = {};
  for (const [key, value] of Object.entries(settings)) {
    const [section, name] = key.split(".");
    if (name) (sections[section] ||= []).push(`${name}: ${value}`);
    else sections[key] = value;
  }
  return Object.entries(sections).map(([key, value]) => Array.isArray(value) ? `${key}: {${value.join(", ")}}` : `${key}: ${value}`);
}

