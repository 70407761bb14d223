// What the page works on: the pictures that were chosen, the presets. Views are told of a change.

import { get } from "./api.js";

const KEY = "framestyle-pictures";
export const state = {
  pictures: [], // MediaFacts
  current: 0,
  moments: {}, // media id -> seconds
  presets: [],
  studio: null,
};

const watchers = [];
export const watch = (watcher) => watchers.push(watcher);
export function changed(what) {
  if (what === "pictures") sessionStorage.setItem(KEY, JSON.stringify([state.pictures.map((one) => one.id), state.current]));
  for (const watcher of watchers) watcher(what);
}

export const picture = () => state.pictures[state.current] || null;
export function at(media = picture()) {
  if (!media || media.kind !== "video") return null;
  return state.moments[media.id] ?? media.moments_s[1] ?? 0;
}
export const small = (media, side = 256, seconds = null) =>
  `/api/media/${media.id}/picture?side=${side}${seconds === null ? "" : `&at=${seconds}`}`;
export const aspect = (media) => (media && media.width ? `${media.width} / ${media.height}` : "4 / 3");

export async function choose(found) {
  const known = new Set(state.pictures.map((one) => one.id));
  const fresh = found.filter((one) => !known.has(one.id));
  const full = [];
  // The first is asked for at once, the others as they are: a set may be of thousands.
  for (const one of fresh) full.push(one.width || full.length ? one : await get(`/api/media/${one.id}`));
  if (full.length) state.current = state.pictures.length;
  state.pictures.push(...full);
  changed("pictures");
}

export async function turnTo(index) {
  state.current = Math.max(0, Math.min(index, state.pictures.length - 1));
  const media = picture();
  if (media && !media.width) Object.assign(media, await get(`/api/media/${media.id}`));
  changed("pictures");
}

export function drop(index) {
  state.pictures.splice(index, 1);
  if (state.current >= state.pictures.length) state.current = Math.max(0, state.pictures.length - 1);
  turnTo(state.current);
}

export async function remembered() {
  try {
    const [ids, current] = JSON.parse(sessionStorage.getItem(KEY) || "[[], 0]");
    const found = await Promise.all(ids.slice(0, 50).map((id) => get(`/api/media/${id}`).catch(() => null)));
    state.pictures = found.filter(Boolean);
    state.current = Math.max(0, Math.min(current, state.pictures.length - 1));
    changed("pictures");
  } catch {
    sessionStorage.removeItem(KEY);
  }
}

export async function loadPresets() {
  state.presets = await get("/api/presets");
  changed("presets");
}
