// Choosing pictures: dropped, from a file dialog, or from folders below the root.

import { get, remove, toast, told, upload } from "./api.js";
import { dialog, h } from "./dom.js";
import { add, choose, small } from "./state.js";

export async function take(files, ontaken = () => {}) {
  const wanted = [...files].filter((file) => file.size > 0 && !file.name.startsWith("."));
  if (!wanted.length) return [];
  const note = h("div", { class: "toast" }, h("p", {}, ""), h("progress", { max: 1 }));
  document.getElementById("toasts").append(note);
  const taken = [];
  for (const [index, file] of wanted.entries()) {
    note.firstChild.textContent = `Taking in ${file.name} (${index + 1} of ${wanted.length})`;
    const found = await told(() => upload(file, (share) => { note.lastChild.value = share; }), file.name);
    if (!found) continue;
    taken.push(found);
    await told(() => ontaken(found, taken.length));
  }
  note.remove();
  return taken;
}

// The first is looked at as soon as it is in, while the others come.
export async function takeAndChoose(files) {
  await take(files, async (media, count) => {
    if (count > 1) return add(media);
    location.hash = "#look";
    await choose([media]);
  });
}

// What was dropped, with all files in folders that were.
async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry && item.webkitGetAsEntry()).filter(Boolean);
  const plain = [...transfer.files];
  if (!entries.some((entry) => entry.isDirectory)) return plain;
  const found = [];
  const visit = async (entry) => {
    if (entry.name.startsWith(".")) return;
    if (entry.isFile) { found.push(await new Promise((resolve, reject) => entry.file(resolve, reject))); return; }
    const reader = entry.createReader();
    for (;;) {
      const part = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (!part.length) return;
      for (const one of part) await visit(one);
    }
  };
  for (const entry of entries) await visit(entry);
  return found;
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
    dropped(event.dataTransfer).then(takeAndChoose, () => toast("The folder cannot be read.", { bad: true }));
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
  const uploads = "uploads/"; // no folder's path ends so
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
      path === uploads ? h("span", { class: "soft" }, "/ Uploads") : "",
      ...parts.filter(() => path !== uploads).map((name, index) => h("button", { class: "quiet", onclick: () => open(parts.slice(0, index + 1).join("/")) }, `/ ${name}`)));
    more();
  }

  async function more() {
    if (busy || next === null) return;
    busy = true;
    const mine = asked;
    const part = await told(() => get(path === uploads ? "/api/uploads" : `/api/folders?path=${encodeURIComponent(path)}&offset=${next}&limit=200`));
    if (mine !== asked || !part) { if (!part) next = null; busy = false; return; }
    if (!path && !next) grid.append(h("li", {}, h("button", { class: "tile folder", onclick: () => open(uploads) }, h("em", {}, "Uploads"))));
    grid.append(...part.entries.map(tile));
    next = part.next;
    busy = false;
    const shown = grid.childElementCount;
    end.textContent = next === null ? (shown ? `${shown} shown` : "No photos or clips here. What is dropped on the page is kept under Uploads.") : "More below…";
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
    if (path !== uploads) return h("li", {}, button);
    const item = h("li", { class: "removable" }, button,
      h("button", { class: "quiet remove", title: "Remove the upload", "aria-label": `Remove ${media.name}`, onclick: () => told(async () => {
        await remove(`/api/media/${media.id}`);
        toggle(media, button, false);
        item.remove();
      }) }, "✕"));
    return item;
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
