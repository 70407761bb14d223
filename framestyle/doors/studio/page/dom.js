// Elements from plain values: text is always text, never markup.

export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [key, one] of Object.entries(value)) element.style.setProperty(key, one);
    else if (name in element && typeof value !== "string") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((one) => one !== null && one !== undefined && one !== false));
  return element;
}

// What an element holds from now on; what is null or false is left out.
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((one) => one !== null && one !== undefined && one !== false));
}

export function svg(tag, properties = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(properties)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export function once(wait, call) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => call(...given), wait);
  };
}

export function dialog(title, body, foot = [], { small = false, onclose = () => {} } = {}) {
  const close = h("button", { class: "quiet", onclick: () => element.close(), "aria-label": "Close" }, "✕");
  const id = `dialog-${Math.random().toString(36).slice(2)}`;
  const element = h("dialog", { class: small ? "small" : "", "aria-labelledby": id },
    h("div", { class: "dialog-head" }, h("h2", { id }, title), close),
    h("div", { class: "dialog-body" }, body),
    foot.length ? h("div", { class: "dialog-foot" }, foot) : null);
  element.addEventListener("close", () => { element.remove(); onclose(); });
  element.addEventListener("click", (event) => { if (event.target === element) element.close(); });
  document.body.append(element);
  element.showModal();
  return element;
}

// One line asked for; null where it was not given.
export function ask(title, label, value = "", action = "Save") {
  return new Promise((resolve) => {
    const field = h("input", { type: "text", id: "asked", maxlength: "100", required: true });
    field.value = value;
    const form = h("form", { class: "stack", onsubmit: (event) => { event.preventDefault(); given = field.value.trim() || null; box.close(); } },
      h("label", { for: "asked" }, label), field, h("div", { class: "row" }, h("button", { class: "primary" }, action)));
    let given = null;
    const box = dialog(title, form, [], { small: true, onclose: () => resolve(given) });
    field.focus();
    field.select();
  });
}

export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "";
  if (seconds < 1) return "less than a second";
  if (seconds < 90) return `about ${Math.round(seconds)} s`;
  if (seconds < 5400) return `about ${Math.round(seconds / 60)} min`;
  const hours = Math.floor(seconds / 3600), minutes = Math.round((seconds % 3600) / 600) * 10;
  if (hours < 48) return minutes && minutes < 60 ? `about ${hours} h ${minutes} min` : `about ${hours} h`;
  return `about ${Math.round(seconds / 86400)} days`;
}

export function bytes(size) {
  if (!size) return "";
  return size >= 1e9 ? `${(size / 1e9).toFixed(1)} GB` : `${Math.round(size / 1e6)} MB`;
}

export function clock(seconds) {
  const whole = Math.floor(seconds), tenths = Math.floor((seconds - whole) * 10);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}.${tenths}`;
}
