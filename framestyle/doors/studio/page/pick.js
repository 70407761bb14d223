// Choosing pictures: dropped, from a file dialog, or from folders below the root.

import { get, toast, told, upload } from "./api.js";
import { dialog, h } from "./dom.js";
import { choose, small } from "./state.js";

export async function take(files) {
  const wanted = [...files].filter((file) => file.size > 0);
  if (!wanted.length) return [];
  const note = h("div", { class: "toast" }, h("p", {}, ""), h("progress", { max: 1 }));
  document.getElementById("toasts").append(note);
  const taken = [];
  for (const [index, file] of wanted.entries()) {
    note.firstChild.textContent = `Taking in ${file.name} (${index + 1} of ${wanted.length})`;
    const found = await told(() => upload(file, (share) => { note.lastChild.value = share; }));
    if (found) taken.push(found);
  }
  note.remove();
  return taken;
}

export async function takeAndChoose(files) {
  const taken = await take(files);
  if (taken.length) {
    location.hash = "#look";
    await choose(taken);
  }
}

export function fromDisk(accept, multiple, ontaken) {
  const field = h("input", { type: "file", accept, multiple, hidden: true, "aria-hidden": "true", tabindex: "-1" });
  field.addEventListener("change", async () => {
    ontaken(field.files);
    field.remove();
  });
  document.body.append(field);
  field.click();
}

export function wholePageTakesDrops() {
  const veil = document.getElementById("drop-veil");
  let depth = 0;
  const files = (event) => event.dataTransfer && [...event.dataTransfer.types].includes("Files");
  addEventListener("dragenter", (event) => { if (files(event)) { depth++; veil.classList.add("on"); } });
  addEventListener("dragleave", (event) => { if (files(event) && --depth <= 0) veil.classList.remove("on"); });
  addEventListener("dragover", (event) => { if (files(event)) event.preventDefault(); });
  addEventListener("drop", (event) => {
    depth = 0;
    veil.classList.remove("on");
    if (!files(event) || event.defaultPrevented) return;
    event.preventDefault();
    takeAndChoose(event.dataTransfer.files);
  });
  addEventListener("paste", (event) => {
    const found = event.clipboardData ? [...event.clipboardData.files] : [];
    if (found.length) takeAndChoose(found);
  });
}

// A dialog over the folders below the root.
export function browse() {
  const chosen = new Map();
  const crumbs = h("nav", { class: "crumbs", "aria-label": "Folder" });
  const grid = h("ul", { class: "grid" });
  const end = h("div", { class: "soft small", role: "status" });
  const count = h("span", { class: "soft", role: "status" }, "Nothing chosen");
  const all = h("button", { onclick: () => everything() }, "Choose all shown");
  const take = h("button", { class: "primary", disabled: true, onclick: () => { box.close(); told(() => choose([...chosen.values()])); } }, "Use these");
  const box = dialog("Choose from folders", h("div", {}, crumbs, grid, end), [count, all, take]);
  let path = "", next = 0, busy = false, asked = 0;

  const seen = new IntersectionObserver((found) => { if (found.some((one) => one.isIntersecting)) more(); }, { root: grid.closest(".dialog-body"), rootMargin: "600px" });
  seen.observe(end);
  box.addEventListener("close", () => seen.disconnect());
  open("");

  function open(where) {
    path = where;
    next = 0;
    asked++;
    busy = false;
    grid.replaceChildren();
    const parts = path ? path.split("/") : [];
    crumbs.replaceChildren(h("button", { class: "quiet", onclick: () => open("") }, "All folders"),
      ...parts.map((name, index) => h("button", { class: "quiet", onclick: () => open(parts.slice(0, index + 1).join("/")) }, `/ ${name}`)));
    more();
  }

  async function more() {
    if (busy || next === null) return;
    busy = true;
    const mine = asked;
    const part = await told(() => get(`/api/folders?path=${encodeURIComponent(path)}&offset=${next}&limit=200`));
    if (mine !== asked || !part) { if (!part) next = null; busy = false; return; }
    grid.append(...part.entries.map(tile));
    next = part.next;
    busy = false;
    const shown = grid.childElementCount;
    end.textContent = next === null ? (shown ? `${shown} shown` : "No photos or clips here.") : "More below…";
    // Looked at anew: whoever scrolls faster than it loads is at the end without ever having left it.
    seen.unobserve(end);
    seen.observe(end);
  }

  function tile(entry) {
    if (entry.path !== null) {
      return h("li", {}, h("button", { class: "tile folder", onclick: () => open(entry.path) }, entry.name));
    }
    const media = entry.media;
    const button = h("button", { class: "tile", "aria-pressed": String(chosen.has(media.id)), title: media.name, onclick: () => toggle(media, button) },
      h("span", { class: "frame" }, h("img", { src: small(media, 160), loading: "lazy", decoding: "async", fetchpriority: "low", alt: "" }),
        media.kind === "video" ? h("span", { class: "kind said" }, "clip") : null),
      h("span", { class: "name" }, media.name));
    button.media = media;
    return h("li", {}, button);
  }

  function toggle(media, button, on = !chosen.has(media.id)) {
    if (on) chosen.set(media.id, media); else chosen.delete(media.id);
    button.setAttribute("aria-pressed", String(on));
    count.textContent = chosen.size ? `${chosen.size} chosen` : "Nothing chosen";
    take.disabled = !chosen.size;
  }

  function everything() {
    for (const button of grid.querySelectorAll(".tile:not(.folder)")) toggle(button.media, button, true);
    if (next !== null) toast("The folder has more: scroll down to show and choose them.");
  }
}
