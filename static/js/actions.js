/**
 * Everything the page can do, by name: each part adds its actions, and the palette, the keyboard and the help read this one list.
 *
 * @typedef {{id: string, label: () => string, key?: string, hint?: string, when?: () => boolean, run: () => void}} Action
 *   `key` is what is pressed outside of text fields (a letter, "Escape", "ArrowLeft", or "Shift+..."); `hint` what the palette shows beside it;
 *   `when` whether it can be done now.
 */
export class Actions {
  constructor() {
    /** @type {Map<string, Action>} */
    this.all = new Map();
    /** @type {(() => {label: string, hint?: string, run: () => void}[])[]} what the palette lists besides, made when it opens */
    this.more = [];
  }

  /** @param {...Action} actions a later one of the same id takes its place */
  add(...actions) {
    for (const action of actions) this.all.set(action.id, action);
  }

  /** @param {() => {label: string, hint?: string, run: () => void}[]} more */
  list(more) {
    this.more.push(more);
  }

  /** The palette's entries. */
  entries() {
    const own = [...this.all.values()].filter((one) => one.label() && one.when?.() !== false).map((one) => ({ label: one.label(), hint: one.hint ?? one.key, run: one.run }));
    return [...own, ...this.more.flatMap((more) => more())];
  }

  /** Does what a key stands for; whether it stood for anything. @param {KeyboardEvent} event */
  press(event) {
    const name = `${event.shiftKey && event.key.length > 1 ? "Shift+" : ""}${event.key}`;
    for (const action of this.all.values()) {
      if (action.key !== name || action.when?.() === false) continue;
      event.preventDefault();
      action.run();
      return true;
    }
    return false;
  }
}
