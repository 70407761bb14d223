// Painting a mask over the picture: white where the look goes.

import { upload, told } from "./api.js";
import { h } from "./dom.js";

const LONGEST = 768;

export function maskPainter(stage, media, onmask) {
  const scale = LONGEST / Math.max(media.width, media.height);
  const canvas = h("canvas", { width: Math.max(1, Math.round(media.width * scale)), height: Math.max(1, Math.round(media.height * scale)), "aria-label": "Painted region" });
  const paint = canvas.getContext("2d");
  const tint = "#ff5a36";
  let erasing = false, last = null;
  const size = h("input", { type: "range", min: "4", max: "160", "aria-label": "Brush size" });
  size.value = "48";
  const brush = h("button", { "aria-pressed": "true", onclick: () => mode(false) }, "Brush");
  const eraser = h("button", { "aria-pressed": "false", onclick: () => mode(true) }, "Eraser");
  function mode(off) {
    erasing = off;
    brush.setAttribute("aria-pressed", String(!off));
    eraser.setAttribute("aria-pressed", String(off));
  }
  function place(event) {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * canvas.width, ((event.clientY - box.top) / box.height) * canvas.height];
  }
  function stroke(from, to) {
    paint.globalCompositeOperation = erasing ? "destination-out" : "source-over";
    paint.strokeStyle = tint;
    paint.lineCap = paint.lineJoin = "round";
    paint.lineWidth = Number(size.value);
    paint.beginPath();
    paint.moveTo(...from);
    paint.lineTo(to[0] + 0.01, to[1]);
    paint.stroke();
  }
  canvas.addEventListener("pointerdown", (event) => {
    event.stopPropagation();
    canvas.setPointerCapture(event.pointerId);
    last = place(event);
    stroke(last, last);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!last) return;
    const now = place(event);
    stroke(last, now);
    last = now;
  });
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => { last = null; });

  const tools = h("div", { class: "row panel", role: "group", "aria-label": "Paint a region" },
    brush, eraser, size,
    h("button", { onclick: () => { mode(false); paint.globalCompositeOperation = "source-over"; paint.fillStyle = tint; paint.fillRect(0, 0, canvas.width, canvas.height / 2); } }, "Upper half"),
    h("button", { onclick: () => paint.clearRect(0, 0, canvas.width, canvas.height) }, "Clear"),
    h("button", { class: "primary", onclick: done }, "Use this region"),
    h("button", { class: "quiet", onclick: () => close(undefined) }, "Back"));

  async function done() {
    const plane = h("canvas", { width: canvas.width, height: canvas.height });
    const flat = plane.getContext("2d");
    const from = paint.getImageData(0, 0, canvas.width, canvas.height);
    let painted = 0;
    for (let i = 0; i < from.data.length; i += 4) {
      const on = from.data[i + 3] > 127;
      painted += on;
      from.data[i] = from.data[i + 1] = from.data[i + 2] = on ? 255 : 0;
      from.data[i + 3] = 255;
    }
    if (!painted) return close(null);
    flat.putImageData(from, 0, 0);
    const blob = await new Promise((resolve) => plane.toBlob(resolve, "image/png"));
    const kept = await told(() => upload(new File([blob], "mask.png")));
    close(kept ? kept.id : undefined);
  }
  function close(mask) {
    canvas.remove();
    tools.remove();
    delete stage.dataset.busy;
    onmask(mask);
  }
  stage.dataset.busy = "mask";
  stage.append(canvas);
  return tools;
}
