/** Dark, light, or as the system says. Set on the root before the first paint of the page. */
const DARK = matchMedia("(prefers-color-scheme: dark)");
/** @type {Set<(theme: "dark"|"light") => void>} */
const listeners = new Set();

/** @returns {"auto"|"dark"|"light"} */
export const chosen = () => /** @type {any} */ (localStorage.getItem("podium.theme") ?? "auto");
/** @returns {"dark"|"light"} */
export const current = () => {
  const choice = chosen();
  return choice === "auto" ? (DARK.matches ? "dark" : "light") : choice;
};

function show() {
  document.documentElement.dataset.theme = current();
  for (const listener of listeners) listener(current());
}

/** @param {"auto"|"dark"|"light"} theme */
export function choose(theme) {
  localStorage.setItem("podium.theme", theme);
  show();
}

/** @param {(theme: "dark"|"light") => void} listener called now and at each change */
export function onTheme(listener) {
  listeners.add(listener);
  listener(current());
}

DARK.addEventListener("change", show);
show();
