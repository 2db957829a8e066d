/** Docks that resize with pointer or arrow keys, fold, and remember; tabs with arrow keys. */
import { byId, icon } from "./dom.js";
import { t } from "./i18n.js";

const LIMITS = { side: { least: 300, most: 0.6, first: 430 }, bottom: { least: 110, most: 0.7, first: 260 } };
const FOLDED = { side: 0, bottom: 34 };
/** On a phone the docks lie below each other and the terminal begins folded. */
const NARROW = matchMedia("(max-width: 720px)");

/** @typedef {"side"|"bottom"} Name */

/** @param {Name} name */
function saved(name) {
  return JSON.parse(localStorage.getItem(`podium.dock.${name}`) ?? "null") ?? { size: 0 };
}

/** @param {Name} name */
export function size(name) {
  const limit = LIMITS[name];
  const whole = name === "side" ? innerWidth : innerHeight;
  const first = Math.min(limit.first, whole * (name === "side" ? 0.3 : 0.26));
  return Math.round(Math.min(whole * limit.most, Math.max(limit.least, saved(name).size || first)));
}

/** @param {Name} name @param {{size?: number, folded?: boolean}} change */
export function set(name, change) {
  const state = { ...saved(name), ...change };
  localStorage.setItem(`podium.dock.${name}`, JSON.stringify(state));
  lay();
}

/** @param {Name} name */
export const folded = (name) => (name === "side" && NARROW.matches ? false : saved(name).folded ?? NARROW.matches);

/** Whether the terminal is as high as it goes. */
const grown = () => !folded("bottom") && size("bottom") >= Math.floor(innerHeight * LIMITS.bottom.most);

export function lay() {
  const bench = byId("workbench");
  for (const name of /** @type {Name[]} */ (["side", "bottom"])) {
    const shut = folded(name);
    bench.style.setProperty(`--${name}`, `${shut ? FOLDED[name] : size(name)}px`);
    const splitter = byId(`splitter-${name}`);
    splitter.setAttribute("aria-valuenow", `${size(name)}`);
    splitter.setAttribute("aria-valuemin", `${LIMITS[name].least}`);
    splitter.setAttribute("aria-valuemax", `${Math.round((name === "side" ? innerWidth : innerHeight) * LIMITS[name].most)}`);
  }
  byId("side").inert = folded("side");
  byId("terminal").hidden = folded("bottom");
  const fold = byId("fold-bottom");
  fold.replaceChildren(icon(folded("bottom") ? "up" : "down"));
  fold.setAttribute("aria-expanded", `${!folded("bottom")}`);
  fold.setAttribute("aria-label", t("dock.foldBottom"));
  const grow = byId("grow-bottom");
  grow.replaceChildren(icon(grown() ? "shrink" : "grow"));
  grow.setAttribute("aria-pressed", `${grown()}`);
  grow.setAttribute("aria-label", t("dock.growBottom"));
  grow.title = t("dock.growBottom");
}

export function setUp() {
  for (const name of /** @type {Name[]} */ (["side", "bottom"])) {
    const splitter = byId(`splitter-${name}`);
    splitter.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => {
      splitter.setPointerCapture(event.pointerId);
      const start = name === "side" ? event.clientX : event.clientY;
      const before = folded(name) ? FOLDED[name] : size(name);
      /** @param {PointerEvent} move */
      const drag = (move) => {
        const next = before + start - (name === "side" ? move.clientX : move.clientY);
        set(name, next < LIMITS[name].least / 2 ? { folded: true } : { size: next, folded: false });
      };
      splitter.addEventListener("pointermove", drag);
      splitter.addEventListener("pointerup", () => splitter.removeEventListener("pointermove", drag), { once: true });
    });
    splitter.addEventListener("dblclick", () => set(name, { folded: !folded(name) }));
    splitter.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      const way = name === "side" ? { ArrowLeft: 1, ArrowRight: -1 }[event.key] : { ArrowUp: 1, ArrowDown: -1 }[event.key];
      if (way) set(name, { size: size(name) + way * 24, folded: false });
      else if (event.key === "Enter") set(name, { folded: !folded(name) });
      else return;
      event.preventDefault();
    });
  }
  byId("grow-bottom").addEventListener("click", () => set("bottom", { size: grown() ? 0 : innerHeight, folded: false }));
  byId("fold-bottom").addEventListener("click", () => set("bottom", { folded: !folded("bottom") }));
  addEventListener("resize", lay);
  const tabs = [...byId("side-tabs").querySelectorAll("[role=tab]")];
  for (const tab of tabs) {
    tab.addEventListener("click", () => open(tab.id.slice(4)));
    tab.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!way) return;
      const next = tabs[(tabs.indexOf(tab) + way + tabs.length) % tabs.length];
      open(next.id.slice(4));
      next.focus();
    });
  }
  lay();
}

/** The tab that is open now. */
export const shown = () => byId("side-tabs").querySelector("[aria-selected='true']")?.id.slice(4);

/** @param {string} panel */
export function open(panel) {
  if (folded("side")) set("side", { folded: false });
  for (const tab of byId("side-tabs").querySelectorAll("[role=tab]")) {
    const chosen = tab.id === `tab-${panel}`;
    tab.setAttribute("aria-selected", `${chosen}`);
    tab.tabIndex = chosen ? 0 : -1;
    byId(tab.getAttribute("aria-controls")).hidden = !chosen;
  }
}
