/** Dark, light, or as the system says; and whether text is large, for those in the back row. Set on the root before the first paint. */
import { kept } from "./kept.js";

const DARK = matchMedia("(prefers-color-scheme: dark)");
/** @type {Set<(theme: "dark"|"light") => void>} */
const listeners = new Set();

/** @returns {"auto"|"dark"|"light"} */
export const chosen = () => /** @type {any} */ (["dark", "light"].find((one) => one === kept.get("podium.theme")) ?? "auto");
/** @returns {"dark"|"light"} */
export const current = () => {
  const choice = chosen();
  return choice === "auto" ? (DARK.matches ? "dark" : "light") : choice;
};

export const isLarge = () => kept.get("podium.text") === "large";
/** The size of a terminal's letters, in pixels. */
export const letters = () => (isLarge() ? 18 : 12.5);

function show() {
  document.documentElement.dataset.theme = current();
  document.documentElement.dataset.text = isLarge() ? "large" : "";
  for (const listener of listeners) listener(current());
}

/** @param {"auto"|"dark"|"light"} theme */
export function choose(theme) {
  kept.set("podium.theme", theme);
  show();
}

/** @param {boolean} large */
export function enlarge(large) {
  kept.set("podium.text", large ? "large" : "");
  show();
}

/** @param {(theme: "dark"|"light") => void} listener of theme and size, called now and at each change */
export function onTheme(listener) {
  listeners.add(listener);
  listener(current());
}

DARK.addEventListener("change", show);
show();
