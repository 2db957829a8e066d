/**
 * The menu of a thing: what can be done with it, and beneath, the command that the entry under the eye would run. Entries come in, the
 * chosen one is run; the keyboard goes through it as through any menu.
 *
 * @typedef {{label: string, group?: string, command?: string, note?: string, disabled?: string, danger?: boolean, key?: string, run: () => void}} Item `disabled` says why
 */
import { byId, h } from "./dom.js";

/** @type {HTMLElement|null} */
let shown = null;

/** @param {{x: number, y: number, title: string, label: string, items: Item[], back: () => void}} menu `back` gives the focus back */
export function openMenu({ x, y, title, label, items, back }) {
  closeMenu();
  const foot = h("div.menu-foot", { id: "menu-foot", role: "note" });
  let at = 0;
  let typed = "";
  let since = 0;
  /** @param {boolean} [refocus] */
  const close = (refocus = true) => {
    if (shown !== menu) return;
    closeMenu();
    if (refocus) back();
  };
  /** @param {number} index */
  const choose = (index) => {
    if (items[index].disabled) return;
    close();
    items[index].run();
  };
  const entries = items.map((item, index) => h(item.danger ? "button.danger" : "button", {
    role: "menuitem", type: "button", tabIndex: index ? -1 : 0, "aria-disabled": item.disabled ? "true" : undefined, "aria-describedby": "menu-foot",
    onclick: () => choose(index), onpointermove: () => index !== at && to(index),
  }, h("span", { text: item.label }), item.key ? h("kbd", { text: item.key }) : null));
  /** @param {number} index */
  const to = (index) => {
    entries[at].tabIndex = -1;
    at = (index + entries.length) % entries.length;
    entries[at].tabIndex = 0;
    const { command, note, disabled } = items[at];
    foot.replaceChildren(disabled ? h("span.no", { text: disabled }) : command ? h("code", { text: command }) : "", !disabled && note ? h("small", { text: note }) : "");
    entries[at].focus({ preventScroll: true });
    entries[at].scrollIntoView({ block: "nearest" });
  };
  const list = h("div.menu-list", { role: "menu", "aria-label": label }, ...entries.flatMap((entry, index) => (index && items[index].group !== items[index - 1].group ? [h("hr", { role: "separator" }), entry] : [entry])));
  const menu = h("div.menu", { id: "menu", oncontextmenu: (/** @type {Event} */ event) => event.preventDefault() }, h("header", { text: title, "aria-hidden": "true" }), list, foot);
  menu.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const { key } = event;
    if (key === "Escape" || key === "Tab") close();
    else if (key === "ArrowDown") to(at + 1);
    else if (key === "ArrowUp") to(at - 1);
    else if (key === "Home") to(0);
    else if (key === "End") to(entries.length - 1);
    else if (key === "Enter" || key === " ") choose(at);
    else if (key.length === 1 && !event.ctrlKey && !event.metaKey) {
      typed = event.timeStamp - since > 700 ? key : typed + key;
      since = event.timeStamp;
      const from = typed.length === 1 ? at + 1 : at;
      const found = items.findIndex((_, index) => items[(from + index) % items.length].label.toLowerCase().startsWith(typed.toLowerCase()));
      if (found >= 0) to((from + found) % items.length);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  menu.addEventListener("focusout", (/** @type {FocusEvent} */ event) => menu.contains(/** @type {Node|null} */ (event.relatedTarget)) || !event.relatedTarget || close(false));
  shown = menu;
  byId("workbench").append(menu);
  menu.style.left = `${Math.max(6, Math.min(x, innerWidth - menu.offsetWidth - 6))}px`;
  menu.style.top = `${Math.max(6, Math.min(y, innerHeight - menu.offsetHeight - 6))}px`;
  addEventListener("pointerdown", outside, true);
  to(Math.max(0, items.findIndex((item) => !item.disabled)));
}

/** @param {Event} event */
const outside = (event) => shown?.contains(/** @type {Node} */ (event.target)) || closeMenu();

export function closeMenu() {
  removeEventListener("pointerdown", outside, true);
  const was = shown;
  shown = null;
  was?.remove();
}
