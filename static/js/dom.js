/** Elements without a framework. */

/**
 * @param {string} tag `button.primary#go`
 * @param {Record<string, any>} [props] attributes; `on…` functions listen, `text` is text
 * @param {...(Node|string|null|undefined|false)} children
 * @returns {any}
 */
export function h(tag, props = {}, ...children) {
  const [, name, rest] = /** @type {RegExpMatchArray} */ (tag.match(/^([a-z0-9]*)(.*)$/i));
  const element = document.createElement(name || "div");
  for (const [, sign, word] of rest.matchAll(/([.#])([^.#]+)/g)) {
    if (sign === ".") element.classList.add(word);
    else element.id = word;
  }
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "text") element.textContent = value;
    else if (key in element && typeof value !== "string") /** @type {any} */ (element)[key] = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(.../** @type {(Node|string)[]} */ (children.filter((child) => child !== null && child !== undefined && child !== false)));
  return element;
}

/** @param {string} id @returns {any} */
export const byId = (id) => document.getElementById(id);

const SVG = "http://www.w3.org/2000/svg";
/** @type {Record<string, string>} */
const ICONS = {
  play: "M7 5v14l11-7z", pause: "M8 5v14M16 5v14", step: "M6 5v14l9-7zM18 5v14", fit: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  plus: "M12 5v14M5 12h14", minus: "M5 12h14", people: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7M2.5 20c0-3.5 3-5.5 6.5-5.5s6.5 2 6.5 5.5M16 4.5a3.5 3.5 0 0 1 0 6.5M18 14.8c2 .7 3.5 2.3 3.5 5.2",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 2v2M12 20v2M4.9 4.9l1.4 1.4M17.7 17.7l1.4 1.4M2 12h2M20 12h2M4.9 19.1l1.4-1.4M17.7 6.3l1.4-1.4",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5", auto: "M12 3a9 9 0 1 0 0 18zM12 3a9 9 0 0 1 0 18",
  link: "M10 14a4 4 0 0 0 6 .5l3-3a4 4 0 0 0-5.7-5.7L12 7.1M14 10a4 4 0 0 0-6-.5l-3 3a4 4 0 0 0 5.7 5.7l1.3-1.3", search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14M20 20l-4-4",
  down: "M6 9l6 6 6-6", up: "M6 15l6-6 6 6", text: "M3 19 8.5 5 14 19M5 14.5h7M15 19l3-8 3 8M16 16.5h4", help: "M9.2 9a2.9 2.9 0 1 1 4 2.7c-.9.4-1.2 1-1.2 2M12 17.2v.1M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18", side: "M4 5h16v14H4zM14.5 5v14",
  cursor: "M5 4l6 15 2-6 6-2z", grow: "M12 4v16M7 9l5-5 5 5M7 15l5 5 5-5", shrink: "M12 3v7M12 14v7M8 6l4 4 4-4M8 18l4-4 4 4", close: "M6 6l12 12M18 6L6 18",
  right: "M9 6l6 6-6 6", more: "M4.5 12h1M11.5 12h1M18.5 12h1", diff: "M12 4v7M8.5 7.5h7M8.5 18h7", format: "M4 6h16M8 11h12M8 16h8", flag: "M6 21V4M6 5h11l-2.5 3.5L17 12H6", stop: "M7 7h10v10H7z",
};

/** @param {string} name */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** @param {(...args: any[]) => void} run @param {number} wait milliseconds */
export function debounce(run, wait) {
  let timer = 0;
  return (/** @type {any[]} */ ...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => run(...args), wait);
  };
}

/**
 * Puts a text on the clipboard; rejects where it cannot. Over plain http a page has no clipboard of its own: there the text is marked and copied as by hand.
 * @param {string} text @returns {Promise<void>}
 */
export async function clip(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const before = /** @type {HTMLElement|null} */ (document.activeElement);
  const field = h("textarea.sr-only", { readonly: true });
  field.value = text;
  (document.querySelector("dialog[open]") ?? document.body).append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  before?.focus();
  if (!done) throw new Error(text);
}

/** @param {string} text @param {boolean} [bad] */
export function toast(text, bad = false) {
  const box = byId("toasts");
  const note = h(bad ? "div.toast.bad" : "div.toast", { text });
  box.append(note);
  setTimeout(() => note.remove(), bad ? 7000 : 3000);
}
