// Before and after, one over the other: a divider that moves by hand or by keys, zoom down to single pixels.

import { h } from "./dom.js";

const ZOOMS = [1, 1.5, 2, 3, 4, 6, 8, 12, 16];

function ratioOf(aspect) {
  const [width, height] = aspect.split("/").map(Number);
  return String(width / height);
}

export function compare({ before, after, aspect, label = "Before and after", start = 50 }) {
  const beforeImage = h("img", { alt: "Before", draggable: "false" });
  const afterImage = h("img", { alt: "After", draggable: "false" });
  const afterTag = h("span", { class: "kind tag right" }, "after");
  const stage = h("div", { class: "stage", tabindex: "0", role: "group", "aria-label": `${label}: + and − zoom, arrow keys move`, style: { "--aspect": aspect, "--ratio": ratioOf(aspect), "--split": `${start}%` } },
    h("div", { class: "before" }, h("div", { class: "layer" }, beforeImage)),
    h("div", { class: "after" }, h("div", { class: "layer" }, afterImage)),
    h("div", { class: "handle" }),
    h("span", { class: "kind tag left" }, "before"),
    afterTag);
  if (before) beforeImage.src = before;
  if (after) afterImage.src = after;
  const split = h("input", { type: "range", min: "0", max: "100", "aria-label": `${label}: divider` });
  split.value = String(start);
  split.addEventListener("input", divide);
  let factor = 1, x = 0, y = 0;
  const said = h("output", { class: "num small soft" }, "fit");
  const nearer = h("button", { class: "quiet", "aria-label": "Zoom in", onclick: () => zoomTo(next(1)) }, "+");
  const farther = h("button", { class: "quiet", "aria-label": "Zoom out", onclick: () => zoomTo(next(-1)) }, "−");
  const whole = h("button", { class: "quiet small", title: "One pixel of the picture on one of the page", onclick: () => zoomTo(1 / pixelAtFit()) }, "1:1");
  const tools = h("div", { class: "stage-tools" },
    h("div", { class: "split" }, h("span", { class: "small soft" }, "Before"), split, h("span", { class: "small soft" }, "After")),
    h("div", { class: "row", role: "group", "aria-label": "Zoom" }, farther, said, nearer, whole));

  // How many of the page's pixels one of the picture takes where all of it is shown.
  function pixelAtFit() {
    const own = afterImage.naturalWidth || beforeImage.naturalWidth;
    return own ? stage.getBoundingClientRect().width / own : 1;
  }

  function next(by) {
    const near = by > 0 ? ZOOMS.find((one) => one > factor * 1.01) : ZOOMS.findLast((one) => one < factor * 0.99);
    return near ?? factor;
  }

  function place() {
    const box = stage.getBoundingClientRect();
    x = Math.min(0, Math.max(x, box.width * (1 - factor)));
    y = Math.min(0, Math.max(y, box.height * (1 - factor)));
    stage.style.setProperty("--zoom", factor);
    stage.style.setProperty("--x", `${x}px`);
    stage.style.setProperty("--y", `${y}px`);
    const pixel = pixelAtFit() * factor;
    stage.classList.toggle("pixels", pixel >= 3);
    stage.classList.toggle("zoomed", factor > 1);
    said.textContent = factor === 1 ? "fit" : `${Math.round(pixel * 100)} %`;
    farther.disabled = factor === 1;
    nearer.disabled = factor >= ZOOMS.at(-1);
  }

  function zoomTo(wanted, cx = stage.clientWidth / 2, cy = stage.clientHeight / 2) {
    const from = factor;
    factor = Math.max(1, Math.min(wanted, ZOOMS.at(-1)));
    const ratio = factor / from;
    x = cx - (cx - x) * ratio;
    y = cy - (cy - y) * ratio;
    place();
  }

  stage.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey && factor === 1 && event.deltaY > 0) return;
    event.preventDefault();
    const box = stage.getBoundingClientRect();
    zoomTo(next(event.deltaY < 0 ? 1 : -1), event.clientX - box.left, event.clientY - box.top);
  }, { passive: false });

  const keys = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };
  stage.addEventListener("keydown", (event) => {
    if (event.key === "+" || event.key === "=") zoomTo(next(1));
    else if (event.key === "-") zoomTo(next(-1));
    else if (keys[event.key] && factor > 1) { x += keys[event.key][0]; y += keys[event.key][1]; place(); } else return;
    event.preventDefault();
  });

  let held = null;
  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || stage.dataset.busy) return;
    const box = stage.getBoundingClientRect();
    const at = ((event.clientX - box.left) / box.width) * 100;
    const divider = factor === 1 || Math.abs(at - Number(split.value)) < 4;
    held = { divider, x: event.clientX, y: event.clientY };
    stage.setPointerCapture(event.pointerId);
    if (divider) slide(at);
  });
  stage.addEventListener("pointermove", (event) => {
    if (!held) return;
    const box = stage.getBoundingClientRect();
    if (held.divider) slide(((event.clientX - box.left) / box.width) * 100);
    else {
      x += event.clientX - held.x;
      y += event.clientY - held.y;
      Object.assign(held, { x: event.clientX, y: event.clientY });
      place();
    }
  });
  for (const name of ["pointerup", "pointercancel"]) stage.addEventListener(name, () => { held = null; });
  function slide(percent) {
    split.value = String(Math.max(0, Math.min(100, percent)));
    divide();
  }
  function divide() {
    stage.style.setProperty("--split", `${split.value}%`);
    stage.toggleAttribute("data-bare", Number(split.value) === 0);
  }
  divide();
  place();
  return { stage, tools, beforeImage, afterImage, afterTag, split };
}
