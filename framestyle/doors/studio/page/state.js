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
  if (what === "pictures" || what === "tray") keep();
  for (const watcher of watchers) watcher(what);
}

// A set may be of thousands: what is known of each is kept, so that nothing need be asked again.
function keep() {
  try {
    sessionStorage.setItem(KEY, JSON.stringify([state.pictures, state.current]));
  } catch {
    sessionStorage.removeItem(KEY); // the browser keeps no more: the set lasts as long as the page
  }
}

export const picture = () => state.pictures[state.current] || null;
export function at(media = picture()) {
  if (!media || media.kind !== "video") return null;
  return state.moments[media.id] ?? media.moments_s[1] ?? 0;
}
export const small = (media, side = 256, seconds = null) =>
  `/api/media/${media.id}/picture?side=${side}${seconds === null ? "" : `&at=${seconds}`}`;
export const aspect = (media) => (media && media.width ? `${media.width} / ${media.height}` : "4 / 3");

// The first is asked for at once, the others as they are: a set may be of thousands.
export async function choose(found) {
  const known = new Set(state.pictures.map((one) => one.id));
  const fresh = found.filter((one) => !known.has(one.id));
  if (fresh.length && !fresh[0].width) fresh[0] = await get(`/api/media/${fresh[0].id}`);
  const first = fresh.length ? state.pictures.length : state.pictures.findIndex((one) => one.id === found[0].id);
  if (first >= 0) state.current = first;
  state.pictures.push(...fresh);
  changed("pictures");
}

// One more of those that are coming in: what is looked at stays.
export function add(media) {
  if (state.pictures.some((one) => one.id === media.id)) return;
  state.pictures.push(media);
  changed("tray");
}

export async function turnTo(index) {
  state.current = Math.max(0, Math.min(index, state.pictures.length - 1));
  const media = picture();
  try {
    if (media && !media.width) Object.assign(media, await get(`/api/media/${media.id}`));
  } catch (problem) {
    // It has gone since it was chosen: it is no longer one of them.
    state.pictures = state.pictures.filter((one) => one !== media);
    state.current = Math.max(0, state.current - 1);
    changed("pictures");
    throw problem;
  }
  changed("pictures");
}

export function drop(index) {
  state.pictures.splice(index, 1);
  if (index < state.current) state.current--;
  return turnTo(Math.min(state.current, state.pictures.length - 1));
}

export async function remembered() {
  try {
    const [pictures, current] = JSON.parse(sessionStorage.getItem(KEY) || "[[], 0]");
    if (!pictures.length) return;
    const now = await get(`/api/media/${pictures[current].id}`).catch(() => null);
    state.pictures = pictures.filter((one, index) => one.id && (now || index !== current));
    state.current = now ? state.pictures.findIndex((one) => one.id === now.id) : 0;
    if (now) Object.assign(state.pictures[state.current], now);
    await turnTo(state.current);
  } catch {
    sessionStorage.removeItem(KEY);
  }
}

export async function loadPresets() {
  state.presets = await get("/api/presets");
  changed("presets");
}
