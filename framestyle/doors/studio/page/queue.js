// The queue: what is painted now, what waits in which order, what has ended.

import { call, get, on, post, remove, toast, told } from "./api.js";
import { bytes, duration, h, once, svg } from "./dom.js";
import { small } from "./state.js";
import { openResult } from "./gallery.js";

const view = document.getElementById("view-queue");
const list = h("ol", { class: "jobs" });
const more = h("button", { hidden: true, onclick: () => { shown += 100; load(); } }, "Show more");
const hold = h("button", { onclick: () => told(() => call("POST", "/api/queue", { paused: !queue.paused })) }, "Hold the queue");
const retry = h("button", { hidden: true, onclick: () => told(() => post("/api/queue/retry")) }, "Try all failed again");
const clear = h("button", { class: "quiet", hidden: true, onclick: () => told(() => post("/api/queue/clear")) }, "Clear finished jobs");
const empty = h("div", { class: "empty", hidden: true }, h("h2", {}, "Nothing in the queue"), h("p", {}, "Open a look and press Render. Jobs go on when this window is closed, and after the studio was ended."), h("a", { class: "button", href: "#look" }, "Choose a look"));
const count = h("p", { class: "soft" });
const items = new Map(); // id -> {element, update}
let queue = { paused: false, counts: {} }, shown = 50, order = [];

export function queueView() {
  view.replaceChildren(h("div", { class: "head" }, h("div", {}, h("h1", { id: "queue-title" }, "Queue"), count), h("div", { class: "row" }, clear, retry, hold)), list, empty, h("div", { class: "row", style: { "margin-top": "1rem" } }, more));
  on("queue", (facts) => { counted(facts); again(); });
  on("job", (job) => {
    const item = items.get(job.id);
    if (item) item.update(job); else again();
    dispatchEvent(new CustomEvent("job", { detail: job }));
  });
  on("anew", () => load());
  load();
}

const again = once(150, () => load());

function counted(facts) {
  queue = facts;
  const left = (facts.counts.running || 0) + (facts.counts.waiting || 0);
  const badge = document.getElementById("queue-badge");
  badge.hidden = !left;
  badge.textContent = left ? String(left) : "";
  hold.textContent = facts.paused ? "Let the queue go on" : "Hold the queue";
  hold.setAttribute("aria-pressed", String(facts.paused));
  const ended = ["done", "failed", "cancelled"].reduce((sum, state) => sum + (facts.counts[state] || 0), 0);
  hold.hidden = !left && !facts.paused;
  retry.hidden = (facts.counts.failed || 0) < 2;
  clear.hidden = ended < 2;
  const said = [["running", "at work"], ["waiting", "waiting"], ["paused", "paused"], ["failed", "failed"], ["cancelled", "cancelled"], ["done", "done"]].filter(([state]) => facts.counts[state]).map(([state, word]) => `${facts.counts[state]} ${word}`);
  count.textContent = said.join(" · ") + (facts.paused ? " · the queue is held: nothing new begins" : "");
}

// The first so many; an answer holds at most 500.
async function part(count) {
  const found = await get(`/api/jobs?limit=${Math.min(500, count)}`);
  while (found.jobs.length < Math.min(count, found.total)) {
    const next = await get(`/api/jobs?offset=${found.jobs.length}&limit=${Math.min(500, count - found.jobs.length)}`);
    if (!next.jobs.length) break;
    found.jobs.push(...next.jobs);
  }
  // One that has moved meanwhile may have come twice.
  found.jobs = [...new Map(found.jobs.map((job) => [job.id, job])).values()];
  return found;
}

let loading = 0;
async function load() {
  const mine = ++loading;
  const found = await told(() => part(shown));
  if (!found || mine !== loading) return;
  counted(found.queue);
  order = found.jobs.map((job) => job.id);
  more.hidden = found.total <= found.jobs.length;
  const known = new Set(order);
  for (const [id, item] of items) if (!known.has(id)) { item.element.remove(); items.delete(id); }
  const focused = document.activeElement;
  let before = list.firstElementChild;
  for (const job of found.jobs) {
    let item = items.get(job.id);
    if (item) item.update(job); else items.set(job.id, item = itemOf(job));
    if (item.element === before) before = before.nextElementSibling;
    else list.insertBefore(item.element, before);
  }
  if (focused && focused !== document.activeElement && focused.isConnected) focused.focus();
  empty.hidden = found.jobs.length > 0;
}

function itemOf(first) {
  const element = h("li", { class: "job" });
  element.dataset.job = first.id;
  const grip = h("span", { class: "grip", title: "Drag to another place", "aria-hidden": "true" }, "⋮⋮");
  const image = h("img", { alt: "" });
  const pic = h("div", { class: "pic" }, image);
  const title = h("div", { class: "title" });
  const state = h("span", { class: "chip" });
  const bar = h("progress", { max: 1, "aria-label": "Progress" });
  const facts = h("dl", { class: "facts" });
  const line = svg("polyline", { points: "" });
  const spark = svg("svg", { class: "spark", viewBox: "0 0 100 30", preserveAspectRatio: "none", role: "img", "aria-label": "Loss" }, line);
  const problem = h("p", { class: "problem small" });
  const actions = h("div", { class: "row" });
  element.append(grip, pic, h("div", { class: "stack", style: { gap: ".35rem" } }, h("div", { class: "row" }, title, state), bar, facts, spark, problem), actions);
  let job = first, drawn = "", last = "";

  grip.addEventListener("pointerdown", () => { element.draggable = true; });
  element.addEventListener("dragstart", (event) => { event.dataTransfer.setData("text/x-job", job.id); event.dataTransfer.effectAllowed = "move"; });
  element.addEventListener("dragend", () => { element.draggable = false; });
  element.addEventListener("dragover", (event) => { if ([...event.dataTransfer.types].includes("text/x-job")) { event.preventDefault(); element.classList.add("over"); } });
  element.addEventListener("dragleave", () => element.classList.remove("over"));
  element.addEventListener("drop", (event) => {
    const moved = event.dataTransfer.getData("text/x-job");
    element.classList.remove("over");
    if (!moved) return;
    event.preventDefault();
    if (moved !== job.id) told(() => post(`/api/jobs/${moved}/move`, { before: ["waiting", "paused"].includes(job.state) ? job.id : null }));
  });

  const act = (name) => () => told(() => post(`/api/jobs/${job.id}/${name}`));
  function step(by) {
    const waiting = order.filter((id) => items.has(id) && ["waiting", "paused"].includes(items.get(id).job().state));
    const to = waiting.indexOf(job.id) + (by < 0 ? -1 : 2);
    if (to < 0) return;
    told(() => post(`/api/jobs/${job.id}/move`, { before: waiting[to] || null }));
  }
  const isStopping = () => job.state === "running" && (job.progress || {}).phase === "stopping";
  function buttons() {
    const open = job.state === "waiting" || job.state === "paused";
    if (isStopping()) return [h("span", { class: "soft small" }, "Its work is being kept…")];
    return [
      open && h("button", { class: "quiet", "aria-label": `Move ${job.title} up`, onclick: () => step(-1) }, "↑"),
      open && h("button", { class: "quiet", "aria-label": `Move ${job.title} down`, onclick: () => step(1) }, "↓"),
      ["running", "waiting"].includes(job.state) && h("button", { onclick: act("pause") }, "Pause"),
      ["paused", "failed", "cancelled"].includes(job.state) && h("button", { onclick: act("resume") }, job.state === "failed" ? "Try again" : "Resume"),
      ["running", "waiting", "paused"].includes(job.state) && h("button", { class: "bad", onclick: act("cancel") }, "Cancel"),
      job.outputs.length > 0 && h("button", { class: "primary", onclick: () => openResult({ media: job.outputs[0], input: job.input, preset: job.preset, job: job.id, look: job.look }) }, "Look at it"),
      job.state !== "running" && !open && h("button", { class: "quiet", "aria-label": `Take ${job.title} off the list`, onclick: () => told(() => remove(`/api/jobs/${job.id}`)) }, "✕"),
    ].filter(Boolean);
  }

  function update(now) {
    const said = JSON.stringify(now);
    if (said === last) return;
    last = said;
    if (now.state !== job.state && now.state === "done") toast(`Done: ${now.title} in ${now.preset}`);
    job = now;
    const progress = job.progress || {};
    element.classList.toggle("running", job.state === "running");
    element.dataset.state = job.state;
    grip.hidden = !["waiting", "paused"].includes(job.state);
    element.classList.toggle("still", grip.hidden);
    title.textContent = `${job.title} in ${job.preset}`;
    state.textContent = job.state === "running" ? { starting: "starting", preparing: "getting ready", stopping: "stopping", done: "finishing" }[progress.phase] || "painting" : job.state;
    state.className = `chip state-${job.state}`;
    const source = job.state === "running" && progress.live ? `/api/jobs/${job.id}/live?v=${progress.live}` : job.outputs.length ? small(job.outputs[0], 256) : job.input ? `/api/media/${job.input}/picture?side=256` : "";
    if (source && image.dataset.source !== source) {
      image.dataset.source = source;
      const next = new Image();
      next.src = source;
      next.decode().then(() => { if (image.dataset.source === source) image.src = source; }).catch(() => {});
    }
    const running = job.state === "running";
    bar.hidden = !running;
    const share = shareOf(progress);
    if (share === null) bar.removeAttribute("value"); else bar.value = share;
    facts.replaceChildren(...factsOf(job, progress).map(([key, value]) => h("div", {}, h("dt", {}, key), h("dd", {}, value))));
    const losses = running ? progress.losses || [] : [];
    spark.style.display = losses.length > 2 ? "" : "none";
    if (losses.length > 2) line.setAttribute("points", points(losses));
    problem.hidden = !job.problem && !(progress.failures || []).length;
    problem.textContent = [job.problem && `${job.problem.message}. ${job.problem.next_step || ""}`, ...(progress.failures || []).slice(0, 3).map((one) => one.message)].filter(Boolean).join(" · ");
    const wanted = `${job.state}:${job.outputs.length}:${isStopping()}`;
    if (wanted !== drawn) { drawn = wanted; actions.replaceChildren(...buttons()); }
  }
  update(first);
  return { element, update, job: () => job };
}

function shareOf(progress) {
  if (progress.phase !== "painting" || !progress.frames) return null;
  let inside = 0;
  if (progress.steps) inside = ((progress.scale_index || 0) + progress.step / progress.steps) / (progress.scales || 1);
  return Math.min(1, ((progress.frames_done || 0) + Math.min(0.99, inside)) / progress.frames);
}

function factsOf(job, progress) {
  if (job.state !== "running") {
    const took = job.started_s && job.ended_s ? duration(job.ended_s - job.started_s) : "";
    return [took && ["took", took.replace("about ", "")], job.inputs > 1 && ["pictures", String(job.inputs)], progress.resumed_at && ["resumed at frame", String(progress.resumed_at)]].filter(Boolean);
  }
  return [
    progress.frames > 1 && ["frame", `${Math.min(progress.frames, (progress.frames_done || 0) + 1)} of ${progress.frames}`],
    progress.steps && ["step", `${progress.step} of ${progress.steps}${progress.scales > 1 ? `, scale ${progress.scale_index + 1} of ${progress.scales}` : ""}`],
    progress.loss && ["loss", progress.loss.toPrecision(3)],
    progress.remaining_s !== null && progress.remaining_s !== undefined && ["left", duration(progress.remaining_s)],
    progress.memory_bytes && ["memory", bytes(progress.memory_bytes)],
    progress.device && ["on", progress.device],
  ].filter(Boolean);
}

function points(losses) {
  const logs = losses.map((loss) => Math.log(Math.max(loss, 1e-9)));
  const low = Math.min(...logs), high = Math.max(...logs);
  return logs.map((value, index) => `${((index / (logs.length - 1)) * 100).toFixed(2)},${(28 - ((value - low) / (high - low || 1)) * 26).toFixed(2)}`).join(" ");
}
