/**
 * Everything the page can do, by name: each part adds its actions, and the palette, the keyboard and the help read this one list.
 *
 * @typedef {{id: string, label: () => string, key?: string|string[], hint?: string, group?: string, where?: "canvas"|"everywhere", when?: () => boolean, about?: () => string, shows?: string[], run: () => void}} Action
 *   `key` is what is pressed outside of text fields: a letter, "Escape", "ArrowLeft", "Space", with "Shift+" and "Ctrl+" before it, or several
 *   of them; `hint` what the palette shows beside it; `group` the message key of the heading it stands under; `where` a key that counts only while the
 *   canvas has the focus, or in text fields too; `when` whether it can be done now; `about` and `shows` tell the help of a family
 *   of keys.
 * @typedef {{label: string, hint?: string, note?: string, group?: string, id?: string, run: () => void}} Entry what the palette shows
 */

/** Where letters are typed or keys mean something of their own. */
const FIELDS = "input, select, textarea, dialog, .cm-editor, #terminal, [role=menu]";
/** Where letters mean what they mean everywhere, and other keys move what has the focus. */
const MOVED = "[role=tab], [role=separator], [role=slider]";
/** A letter of an action's key, as a keyboard shows it. @type {Record<string, string>} */
const SHOWN = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", Escape: "Esc", ContextMenu: "Menu", " ": "Space" };

/** @template T @template K @param {Iterable<T>} list @param {(one: T) => K} key @returns {Map<K, T[]>} */
export function grouped(list, key) {
  /** @type {Map<K, T[]>} */
  const groups = new Map();
  for (const one of list) {
    const of = key(one);
    groups.get(of)?.push(one) ?? groups.set(of, [one]);
  }
  return groups;
}

/** How a pressed key is called; a Hangul letter is the Latin one of its key. @param {KeyboardEvent} event */
export function nameOf(event) {
  let key = event.key === " " ? "Space" : event.key;
  const latin = event.code?.match(/^Key([A-Z])$/)?.[1].toLowerCase();
  if (latin && (key === "Process" || /[^\x00-\x7f]/.test(key))) key = event.shiftKey ? latin.toUpperCase() : latin;
  const ctrl = event.ctrlKey || event.metaKey;
  if (key.length === 1 && (ctrl || !event.shiftKey)) key = key.toLowerCase();
  return `${ctrl ? "Ctrl+" : ""}${event.shiftKey && (key.length > 1 || ctrl) ? "Shift+" : ""}${key}`;
}

/** @param {Action} action @returns {string[]} */
export const keysOf = (action) => [action.key ?? []].flat();

/** A key as it is written on the page. @param {string} key */
export const shown = (key) => key.split(/(?<=.)\+/).map((part) => SHOWN[part] ?? (part.length === 1 ? part.toUpperCase() : part)).join(" ");

/** Whether the canvas has the focus, or nothing has. @param {EventTarget|null} target */
const onCanvas = (target) => target === document.body || /** @type {HTMLElement|null} */ (target)?.id === "eye";

export class Actions {
  constructor() {
    /** @type {Map<string, Action>} */
    this.all = new Map();
    /** @type {(() => Entry[])[]} what the palette lists besides, made when it opens */
    this.more = [];
  }

  /** @param {...Action} actions a later one of the same id takes its place */
  add(...actions) {
    for (const action of actions) this.all.set(action.id, action);
  }

  /** @param {() => Entry[]} more */
  list(more) {
    this.more.push(more);
  }

  /** The palette's entries. @returns {Entry[]} */
  entries() {
    const own = [...this.all.values()].filter((one) => one.label() && one.when?.() !== false)
      .map((one) => ({ id: one.id, label: one.label(), hint: one.hint ?? keysOf(one).map(shown)[0], group: one.group ?? "palette.page", run: one.run }));
    return [...own, ...this.more.flatMap((more) => more())];
  }

  /** Does what a key stands for; whether it stood for anything. @param {KeyboardEvent} event */
  press(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.altKey || event.isComposing) return false;
    const name = nameOf(event);
    const typing = !!document.querySelector("dialog:modal") || !!target.closest?.(event.key === "Escape" || (event.key.length === 1 && event.key !== " ") ? FIELDS : `${FIELDS}, ${MOVED}`);
    for (const action of this.all.values()) {
      if (!keysOf(action).includes(name) || (action.where === "canvas" ? !onCanvas(target) : typing && action.where !== "everywhere") || action.when?.() === false) continue;
      event.preventDefault();
      action.run();
      return true;
    }
    return false;
  }
}
