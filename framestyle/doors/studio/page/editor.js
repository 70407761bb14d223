// A preset as text: what is wrong stands at its line while it is typed, and each key says what it means.

import { call, get, post, toast, told } from "./api.js";
import { dialog, h, once } from "./dom.js";
import { loadPresets } from "./state.js";

let keys = null; // dotted key -> help
async function helps() {
  if (keys) return keys;
  keys = {};
  const schema = await get("/api/presets/schema");
  const visit = (model) => {
    for (const key of Object.values(model.properties || {})) {
      keys[key.title.replaceAll("[]", "")] = key.description || "";
      const inner = key.$ref || (key.items && key.items.$ref);
      const found = inner && schema.$defs[inner.split("/").pop()];
      if (found && found !== model && inner.split("/").pop() !== "Layers") visit(found);
    }
  };
  visit(schema);
  return keys;
}

// Saved; where there is one of that name, it is replaced if that is what is wanted.
export async function savePreset(name, body) {
  const path = `/api/presets/${encodeURIComponent(name)}`;
  let saved;
  try {
    saved = await call("PUT", path, body);
  } catch (problem) {
    if (problem.code !== "preset-exists" || !confirm(`There is a preset ${name} already. Replace it?`)) throw problem;
    saved = await call("PUT", path, { ...body, overwrite: true });
  }
  await loadPresets();
  return saved;
}

export function openEditor({ name, yaml, overwrite = false, ontry = null, locked = false }) {
  const field = h("input", { type: "text", id: "preset-name", maxlength: "100" });
  field.value = name;
  const text = h("textarea", { "aria-label": "The preset as YAML", spellcheck: "false", autocapitalize: "off", autocomplete: "off" });
  text.value = yaml;
  const gutter = h("div", { class: "gutter", "aria-hidden": "true" });
  const faults = h("ul", { class: "faults", role: "status", "aria-label": "What is wrong" });
  const help = h("p", { class: "key-help" });
  const save = h("button", { class: "primary", onclick: () => told(keep) }, "Save");
  const attempt = ontry && h("button", { onclick: () => { box.close(); ontry(text.value, values); } }, "Try it on the picture");
  const box = dialog("Preset as YAML",
    h("div", {}, h("div", { class: "row" }, h("label", { for: "preset-name" }, "Name"), field), h("div", { class: "editor", style: { "margin-top": ".75rem" } }, gutter, text), help, faults),
    [attempt, save].filter(Boolean));
  field.disabled = locked;
  let wrong = [], values = {}, asked = 0;

  const check = once(250, async () => {
    const mine = ++asked;
    const found = await told(() => post("/api/presets/check", { yaml: text.value, name: field.value || "draft" }));
    if (!found || mine !== asked) return;
    wrong = found.faults;
    values = found.settings;
    faults.replaceChildren(...wrong.map((fault) => h("li", {}, h("button", { onclick: () => go(fault) }, fault.line ? `${fault.line}:${fault.column}  ${fault.message}` : fault.message))),
      ...(wrong.length ? [] : [h("li", { class: "state-done small" }, "Nothing is wrong with it.")]));
    save.disabled = wrong.length > 0;
    if (attempt) attempt.disabled = wrong.length > 0;
    number();
  });
  function number() {
    const bad = new Set(wrong.map((fault) => fault.line));
    gutter.replaceChildren(...text.value.split("\n").map((_, index) => h("span", { class: bad.has(index + 1) ? "wrong" : "" }, String(index + 1))));
    gutter.scrollTop = text.scrollTop;
  }
  function go(fault) {
    if (!fault.line) return;
    const lines = text.value.split("\n");
    const at = lines.slice(0, fault.line - 1).reduce((sum, line) => sum + line.length + 1, 0) + (fault.column || 1) - 1;
    text.focus();
    text.setSelectionRange(at, at);
    text.scrollTop = Math.max(0, (fault.line - 6) * 24);
  }
  async function explain() {
    const known = await helps();
    const lines = text.value.slice(0, text.selectionStart).split("\n");
    const whole = text.value.split("\n")[lines.length - 1];
    const own = whole.match(/^(\s*)([a-z0-9_]+)\s*:/);
    let key = own ? own[2] : "";
    if (own && own[1].length) {
      const section = [...lines.slice(0, -1)].reverse().find((line) => /^[a-z0-9_]+\s*:/.test(line));
      if (section) key = `${section.split(":")[0].trim()}.${key}`;
    }
    help.textContent = known[key] ? `${key}: ${known[key]}` : "";
  }
  async function keep() {
    const wanted = field.value.trim();
    const saved = await savePreset(wanted, { yaml: text.value, overwrite: overwrite && wanted === name });
    toast(`Saved as ${saved.name}.`);
    box.close();
  }
  text.addEventListener("input", () => { number(); check(); });
  text.addEventListener("scroll", () => { gutter.scrollTop = text.scrollTop; });
  for (const moved of ["keyup", "click"]) text.addEventListener(moved, () => told(explain));
  text.addEventListener("keydown", (event) => {
    // Tab leaves the field, as everywhere; Ctrl-S saves.
    if ((event.ctrlKey || event.metaKey) && event.key === "s") { event.preventDefault(); if (!save.disabled) told(keep); }
  });
  number();
  check();
  text.focus();
  text.setSelectionRange(0, 0);
}
