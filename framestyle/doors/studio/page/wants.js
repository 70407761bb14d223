// What is to be seen now: every part of the page says what it wants, the studio hears one list, the nearest first.

import { PAGE, call, on } from "./api.js";
import { once } from "./dom.js";

const slots = new Map(); // name -> {rank, wants: [{want, onfacts}]}
let heard = new Map(); // key -> [onfacts]
let number = 0;

export function want(name, rank, wants) {
  if (wants.length) slots.set(name, { rank, wants });
  else slots.delete(name);
  send();
}

const send = once(60, async () => {
  const all = [...slots.values()].sort((a, b) => a.rank - b.rank).flatMap((slot) => slot.wants).slice(0, 200);
  const mine = ++number;
  let facts;
  try {
    facts = await call("POST", "/api/previews", { page: PAGE, wanted: all.map((one) => one.want) });
  } catch {
    return; // told by the banner; the list is sent again when the studio is back
  }
  if (mine !== number) return;
  heard = new Map();
  facts.forEach((one, index) => {
    const { onfacts } = all[index];
    if (one.key) heard.set(one.key, [...(heard.get(one.key) || []), onfacts]);
    onfacts(one);
  });
});

on("preview", (facts) => {
  for (const onfacts of heard.get(facts.key) || []) onfacts(facts);
});
on("anew", send);
on("presets", send);

export function address(facts) {
  if (!facts.key || (facts.state !== "done" && !facts.version)) return null;
  return `/api/previews/${facts.key}?v=${facts.state === "done" ? "done" : facts.version}`;
}

// A picture is shown once it is whole: no flicker between two.
export function show(image, source) {
  if (!source || image.dataset.source === source) return;
  image.dataset.source = source;
  const next = new Image();
  next.src = source;
  next.decode().then(() => {
    if (image.dataset.source === source) {
      image.src = source;
      image.classList.remove("under");
      image.hidden = false;
    }
  }).catch(() => {});
}
