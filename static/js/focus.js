/** The focus is never lost: when what has it is removed, hidden or disabled, the nearest that is left beside it takes it, at last the canvas. */
import { byId } from "./dom.js";

const TAKES = "a[href], button:enabled, input:enabled, select:enabled, textarea:enabled, summary, [tabindex='0']";
/** @type {HTMLElement|null} */
let last = null;
/** What it stood in, the nearest first. @type {HTMLElement[]} */
let around = [];

/** @param {any} one */
const takes = (one) => one.isConnected && one.matches(TAKES) && !one.closest("[inert]") && one.checkVisibility({ visibilityProperty: true });

/** Gives the focus to what is left, if it was lost. */
function keep() {
  if (!last || document.activeElement !== document.body || document.querySelector("dialog:modal") || takes(last)) return;
  for (const part of around) {
    if (!part.isConnected) continue;
    const left = /** @type {any[]} */ ([part, ...part.querySelectorAll(TAKES)]).filter(takes);
    const found = left.findLast((one) => last?.isConnected && one.compareDocumentPosition(last) & Node.DOCUMENT_POSITION_FOLLOWING) ?? left[0];
    if (found) return found.focus();
  }
  byId("eye")?.focus();
}

export function keepFocus() {
  addEventListener("focusin", (event) => {
    const taken = /** @type {HTMLElement} */ (event.target);
    last = taken.matches(TAKES) ? taken : null;
    around = [];
    for (let part = taken.parentElement; part && !part.matches(".stage, .workbench, body"); part = part.parentElement) around.push(part);
  });
  addEventListener("focusout", (event) => event.relatedTarget || requestAnimationFrame(keep));
  addEventListener("keydown", (event) => event.key === "Enter" || event.key === " " || keep(), true);
}
