/** Docks that resize with pointer or arrow keys, fold, and remember; tabs with arrow keys. */
import { byId, icon } from "./dom.js";
import { t } from "./i18n.js";
import { kept } from "./kept.js";

const LIMITS = { side: { least: 300, most: 0.6, first: 430 }, bottom: { least: 110, most: 0.7, first: 240 } };
const FOLDED = { side: 0, bottom: 34 };
/** On a phone the docks are sheets under the canvas, at most one of them open; they begin folded. */
export const NARROW = matchMedia("(max-width: 720px)");
/** On a phone that lies on its side the terminal begins folded. */
const LOW = matchMedia("(max-height: 480px)");

/** @typedef {"side"|"bottom"} Name */

/** @param {Name} name */
function saved(name) {
  return kept.read(`podium.dock.${name}`, /** @type {{size: number, folded?: boolean}} */ ({ size: 0 }));
}

/** @param {Name} name */
export function size(name) {
  const limit = LIMITS[name];
  const whole = name === "side" ? innerWidth : innerHeight;
  const first = name === "side" ? Math.min(limit.first, whole * 0.3) : Math.min(limit.first, Math.max(150, whole * 0.225));
  return Math.round(Math.min(whole * limit.most, Math.max(limit.least, saved(name).size || first)));
}

/** @param {Name} name @param {{size?: number, folded?: boolean}} change */
export function set(name, change) {
  const state = { ...saved(name), ...change };
  kept.write(`podium.dock.${name}`, state);
  const other = name === "side" ? "bottom" : "side";
  if (NARROW.matches && change.folded === false && !folded(other)) return set(other, { folded: true });
  lay();
}

/** @param {Name} name */
export const folded = (name) => saved(name).folded ?? (NARROW.matches || (name === "bottom" && LOW.matches));

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
  byId("side").inert = folded("side") && !NARROW.matches;
  byId("side").classList.toggle("folded", folded("side"));
  for (const panel of byId("side").querySelectorAll("[role=tabpanel]")) panel.inert = folded("side");
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
  for (const kind of [NARROW, LOW]) kind.addEventListener("change", lay);
  const bar = byId("side-tabs");
  bar.addEventListener("click", (/** @type {any} */ event) => {
    const panel = event.target.closest("[role=tab]")?.id.slice(4);
    if (!panel) return;
    if (NARROW.matches && panel === shown() && !folded("side")) set("side", { folded: true });
    else open(panel);
  });
  bar.addEventListener("keydown", (/** @type {any} */ event) => {
    const tabs = [...bar.querySelectorAll("[role=tab]")];
    const way = { ArrowRight: 1, ArrowLeft: -1 }[/** @type {string} */ (event.key)];
    if (!way || !tabs.includes(event.target)) return;
    const next = tabs[(tabs.indexOf(event.target) + way + tabs.length) % tabs.length];
    open(next.id.slice(4));
    next.focus();
  });
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
