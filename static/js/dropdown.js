/** A menu that falls from a button: groups of things to do come in, the keyboard goes through them, whatever is outside closes it. */
import { h } from "./dom.js";

/** @typedef {{label: string, items: {text: string, note?: string, run: () => void}[], row?: boolean}} Group `row`: its items stand beside each other */

/** @param {HTMLElement} button @param {string} label @param {Group[]} groups @returns {HTMLElement|undefined} */
export function dropdown(button, label, groups) {
  const id = `${button.id}-menu`;
  const old = document.getElementById(id);
  if (old) return void old.dispatchEvent(new Event("close"));
  /** @param {Group["items"][0]} item */
  const entry = ({ text, note, run }) => h("button", { type: "button", role: "menuitem", tabindex: "-1", onclick: () => (close(), run()) }, text, note && h("kbd", { text: note, "aria-hidden": "true" }));
  const menu = h("div.menu.until", { id, role: "menu", "aria-label": label, onclose: () => close() }, ...groups.filter((one) => one.items.length).map((group) =>
    h("div", { role: "group", "aria-label": group.label }, h("small", { text: group.label, "aria-hidden": "true" }), ...(group.row ? [h("div.row", {}, ...group.items.map(entry))] : group.items.map(entry)))));
  /** @returns {HTMLElement[]} */
  const items = () => [...menu.querySelectorAll("[role=menuitem]")];
  const close = () => {
    if (!menu.isConnected) return;
    const inside = menu.contains(document.activeElement) || document.activeElement === document.body;
    menu.remove();
    button.setAttribute("aria-expanded", "false");
    document.removeEventListener("pointerdown", outside, true);
    if (inside) button.focus();
  };
  /** @param {Event} event */
  const outside = (event) => menu.contains(/** @type {Node} */ (event.target)) || button.contains(/** @type {Node} */ (event.target)) || close();
  menu.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const all = items();
    const at = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const to = { ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (event.key === "Escape" || event.key === "Tab") close();
    else if (to === undefined) return;
    else all[(to + all.length) % all.length].focus();
    event.preventDefault();
    event.stopPropagation();
  });
  document.addEventListener("pointerdown", outside, true);
  document.body.append(menu);
  const box = button.getBoundingClientRect();
  menu.style.left = `${Math.max(8, Math.min(innerWidth - menu.offsetWidth - 8, box.right - menu.offsetWidth))}px`;
  menu.style.top = `${box.bottom + 6}px`;
  button.setAttribute("aria-expanded", "true");
  items()[0].focus();
  return menu;
}
