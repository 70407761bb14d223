// Calls of the studio's API, and what has changed there.

import { h } from "./dom.js";

export const PAGE = crypto.randomUUID ? crypto.randomUUID() : Math.random().toString(36).slice(2);

export class Problem extends Error {
  constructor(status, body) {
    super(body.message || `the studio answered ${status}`);
    this.status = status;
    this.code = body.code;
    this.nextStep = body.next_step;
  }
}

export async function call(method, path, body, type) {
  const options = { method, headers: {} };
  if (body !== undefined) {
    options.headers["content-type"] = type || "application/json";
    options.body = type ? body : JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Problem(0, { code: "away", message: "the studio does not answer", next_step: "Is it still running?" });
  }
  const said = answer.headers.get("content-type") || "";
  const found = said.includes("json") ? await answer.json() : null;
  if (!answer.ok) {
    if (answer.status === 401) banner("The studio was started anew: open the address that its terminal shows.");
    throw new Problem(answer.status, found || {});
  }
  return found;
}

export const get = (path) => call("GET", path);
export const post = (path, body = {}) => call("POST", path, body);
export const remove = (path) => call("DELETE", path);

// Bytes with their progress, which fetch does not tell.
export function upload(file, onprogress = () => {}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `/api/media?name=${encodeURIComponent(file.name || "picture")}`);
    request.setRequestHeader("content-type", "application/octet-stream");
    request.responseType = "json";
    request.upload.onprogress = (event) => onprogress(event.loaded / Math.max(1, event.total));
    request.onload = () => request.status < 300 ? resolve(request.response) : reject(new Problem(request.status, request.response || {}));
    request.onerror = () => reject(new Problem(0, { message: "the upload was cut off" }));
    request.send(file);
  });
}

const listeners = {};
export function on(name, listener) {
  (listeners[name] ||= []).push(listener);
}
export function emit(name, data) {
  for (const listener of listeners[name] || []) listener(data);
}

// A browser opens six connections to a server for all its pages: a page that nobody sees gives its own back, but for
// one, which goes on to tell when a job is done.
export function listen() {
  let isOne = !navigator.locks; // where there are no locks, every page listens
  let stop = null;
  const look = () => {
    const wanted = isOne || document.visibilityState === "visible";
    if (wanted && !stop) stop = follow();
    if (!wanted && stop) { stop(); stop = null; }
  };
  document.addEventListener("visibilitychange", look);
  if (navigator.locks) navigator.locks.request("framestyle-events", () => { isOne = true; look(); return new Promise(() => {}); });
  look();
}

let away = false;
function follow() {
  let again = 0;
  const source = new EventSource(`/api/events?page=${PAGE}`);
  for (const name of ["job", "queue", "preview", "presets", "anew"]) {
    source.addEventListener(name, (event) => emit(name, JSON.parse(event.data)));
  }
  source.onopen = () => {
    if (away) emit("anew", {});
    away = false;
    banner(null);
  };
  source.onerror = () => {
    away = true;
    if (source.readyState === EventSource.CLOSED) {
      get("/api/studio").catch(() => {});
      again = setTimeout(() => { stop = follow(); }, 2000);
    } else {
      banner("The studio does not answer. This page goes on when it does.");
    }
  };
  let stop = () => { clearTimeout(again); source.close(); away = true; };
  return () => stop();
}

function banner(text) {
  const element = document.getElementById("banner");
  element.hidden = text === null;
  if (text !== null) element.textContent = text;
}

export function toast(message, { bad = false, more = "" } = {}) {
  const element = h("div", { class: `toast${bad ? " bad" : ""}` }, h("p", {}, message), more ? h("p", {}, more) : null);
  document.getElementById("toasts").append(element);
  setTimeout(() => element.remove(), bad ? 9000 : 4500);
}

// Whatever a person starts: what goes wrong is told.
export async function told(work, about = "") {
  try {
    return await work();
  } catch (problem) {
    if (!(problem instanceof Problem)) console.error(problem);
    const said = about ? `${about}: ${problem.message}` : problem.message[0].toUpperCase() + problem.message.slice(1);
    toast(said, { bad: true, more: problem.nextStep || "" });
    return undefined;
  }
}
