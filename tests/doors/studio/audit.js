// What a page must hold for everyone: contrast, names, sizes, no sideways scrolling. Returns what does not hold.
() => {
  const faults = [];
  const visible = (element) => {
    const box = element.getBoundingClientRect();
    const style = getComputedStyle(element);
    return box.width > 1 && box.height > 1 && style.visibility === "visible" && element.checkVisibility({ opacityProperty: true, contentVisibilityAuto: true }) && !element.closest(".sr, .skip, [aria-hidden=true]");
  };
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const paint = canvas.getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    paint.clearRect(0, 0, 1, 1);
    paint.fillStyle = color;
    paint.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = paint.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, under) => top.slice(0, 3).map((one, i) => one * top[3] + under[i] * (1 - top[3])).concat(1);
  const luminance = (color) => {
    const [r, g, b] = color.slice(0, 3).map((one) => { const c = one / 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      const color = rgba(getComputedStyle(at).backgroundColor);
      layers.push(color);
      if (color[3] === 1) break;
    }
    let under = rgba(getComputedStyle(document.body).backgroundColor);
    for (const layer of layers.reverse()) under = over(layer, under);
    return under;
  };
  const scope = document.querySelector("dialog[open]") || document;

  // Contrast (WCAG 2.2, 1.4.3): 4.5, or 3 for large text.
  const walker = document.createTreeWalker(scope === document ? document.body : scope, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.textContent.trim() || !visible(element) || element.closest(":disabled, script, style")) continue;
    const style = getComputedStyle(element), size = parseFloat(style.fontSize);
    const under = ground(element);
    const [a, b] = [luminance(over(rgba(style.color), under)), luminance(under)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05), least = size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5;
    if (ratio < least) faults.push(`contrast ${ratio.toFixed(2)}: "${node.textContent.trim().slice(0, 40)}"`);
  }

  // Names (4.1.2), and targets that a finger meets (2.5.8: 24 px).
  const ids = new Set();
  for (const element of document.querySelectorAll("[id]")) {
    if (ids.has(element.id)) faults.push(`the id ${element.id} is there twice`);
    ids.add(element.id);
  }
  for (const element of scope.querySelectorAll("button, a[href], input, select, textarea, video, [role=img], img")) {
    if (!visible(element) || element.type === "file") continue;
    if (element.tagName === "IMG") { if (!element.hasAttribute("alt")) faults.push(`an image without alt: ${element.src}`); continue; }
    const label = element.labels && element.labels.length ? element.labels[0].textContent : "";
    const named = element.getAttribute("aria-label") || label || element.textContent.trim() || [...element.querySelectorAll("img[alt]")].map((one) => one.alt).join("") || element.title;
    if (!named.trim()) faults.push(`without a name: ${element.outerHTML.slice(0, 90)}`);
    const box = element.getBoundingClientRect();
    if (["BUTTON", "SELECT", "INPUT"].includes(element.tagName) && (box.height < 24 || box.width < 24)) faults.push(`${box.width.toFixed(0)} x ${box.height.toFixed(0)} px: ${named.trim().slice(0, 40)}`);
  }

  // Pictures that are there to be looked at.
  for (const image of scope.querySelectorAll(".frame img:not([hidden]), .pic img, .thumb img, .layer img")) {
    const box = image.getBoundingClientRect();
    if (image.checkVisibility({ contentVisibilityAuto: true }) && image.src && (box.width < 24 || box.height < 24)) faults.push(`a picture of ${box.width} x ${box.height} px: ${image.src}`);
  }

  // Order and landmarks.
  if (document.querySelector("[tabindex]:not([tabindex='0']):not([tabindex='-1'])")) faults.push("a tabindex above 0 breaks the order");
  const headings = [...document.querySelectorAll("h1")].filter(visible);
  if (!scope.matches && headings.length !== 1) faults.push(`${headings.length} first headings`);
  if (document.documentElement.lang !== "en" || !document.querySelector("main")) faults.push("no language or no main");
  if (document.documentElement.scrollWidth > innerWidth + 1) {
    const wide = [...document.querySelectorAll("body *")].find((one) => one.getBoundingClientRect().right > innerWidth + 1 && visible(one));
    faults.push(`scrolls sideways: ${document.documentElement.scrollWidth} px, ${wide ? wide.outerHTML.slice(0, 80) : ""}`);
  }
  return faults.length ? [...new Set(faults)].slice(0, 12) : null;
}
