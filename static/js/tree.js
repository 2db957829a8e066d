/**
 * The canvas in words: a tree of what is drawn, beside it for those who do not see or point, and a list for those who prefer one. A change
 * moves only what it is about; only the rows in view exist, and words are made for these alone. One row has the focus; arrows walk, Enter
 * inspects, letters find. Hidden until it has the focus or is wanted.
 */
import { byId, h, icon } from "./dom.js";
import { refusal } from "./follow.js";
import { sourced, stateText, tone } from "./facts.js";
import { Forest } from "./forest.js";
import { onLanguage, t } from "./i18n.js";
import { kept } from "./kept.js";

/** @typedef {import("./types").Thing} Thing @typedef {import("./forest.js").Group} Group @typedef {import("./forest.js").Row} Row */

const ROW = 26;
const OVER = 6;
const KEEP = "podium.tree";
const MARKS = /** @type {Record<string, string>} */ ({ ready: "●", pending: "◌", failing: "✕", done: "✓", unknown: "?" });

export class Tree {
  /** @param {HTMLElement} host @param {import("./scene.js").Scene} scene @param {(id: string) => void} show @param {(id: string|null) => void} point @param {(id: string, x: number, y: number) => void} [menu] */
  constructor(host, scene, show, point, menu) {
    this.host = host;
    this.scene = scene;
    this.show = show;
    this.point = point;
    this.menu = menu;
    this.forest = new Forest();
    this.focused = 0;
    /** @type {string|null} */
    this.focusedId = null;
    this.typed = "";
    this.typedAt = 0;
    /** @type {Map<string, {element: HTMLElement, told: string}>} */
    this.rows = new Map();
    this.space = h("div.rows", { role: "presentation" });
    this.title = h("h2", { id: "tree-title" });
    this.close = h("button.icon", { type: "button", tabIndex: -1, onclick: () => this.pin(false) }, icon("close"));
    this.panel = h("div.tree-panel.sr-only-focusable", {}, h("header", {}, this.title, this.close));
    host.before(this.panel);
    host.classList.remove("sr-only-focusable");
    this.panel.append(host);
    host.append(this.space);
    host.addEventListener("scroll", () => this.render());
    host.addEventListener("keydown", (event) => this.#key(event));
    host.addEventListener("click", (event) => this.#click(event));
    host.addEventListener("contextmenu", (event) => this.#menu(event));
    host.addEventListener("focusin", (event) => host.contains(/** @type {Node|null} */ (event.relatedTarget)) || this.render());
    host.addEventListener("focusout", (event) => host.contains(/** @type {Node|null} */ (event.relatedTarget)) || this.point(null));
    new ResizeObserver(() => this.render()).observe(host);
    let due = false;
    scene.listen((update) => {
      this.forest.take(update, scene.things);
      if (due) return;
      due = true;
      setTimeout(() => ((due = false), this.#settle()), 300);
    });
    this.forest.take({ changes: [], signals: [], whole: true }, scene.things);
    onLanguage(() => this.#words());
    this.#words();
    if (kept.get(KEEP) === "open") this.panel.classList.remove("sr-only-focusable");
  }

  /** Whether it stays in sight. */
  get pinned() {
    return !this.panel.classList.contains("sr-only-focusable");
  }

  /** Shows it for good with the focus in it, or puts it away. @param {boolean} [open] */
  pin(open = !this.pinned) {
    this.panel.classList.toggle("sr-only-focusable", !open);
    kept.set(KEEP, open ? "open" : "shut");
    if (open) {
      this.#settle();
      this.focus();
    } else if (this.panel.contains(document.activeElement)) byId("eye").focus();
  }

  focus() {
    this.space.querySelector("[tabindex='0']")?.focus();
  }

  #words() {
    this.title.textContent = t("tree.label");
    this.close.setAttribute("aria-label", t("tree.close"));
    this.close.title = t("tree.close");
    this.rows.clear();
    this.space.replaceChildren();
    this.#settle();
  }

  /** Finds the row that has the focus again, and draws. */
  #settle() {
    const at = this.focusedId ? this.forest.index(this.focusedId, this.scene.get(this.focusedId)) : -1;
    this.forest.lay();
    this.focused = at >= 0 ? at : Math.min(this.focused, Math.max(0, this.forest.size - 1));
    this.focusedId = this.forest.row(this.focused)?.id ?? null;
    this.render();
  }

  render() {
    const { forest } = this;
    forest.lay();
    const height = this.host.clientHeight || 200;
    const from = Math.max(0, Math.floor(this.host.scrollTop / ROW) - OVER);
    const to = Math.min(forest.size, Math.ceil((this.host.scrollTop + height) / ROW) + OVER);
    const places = new Set(Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index));
    if (forest.size) places.add(this.focused);
    this.space.style.height = `${forest.size * ROW}px`;
    /** @type {typeof this.rows} */
    const now = new Map();
    let lost = false;
    for (const place of [...places].sort((a, b) => a - b)) {
      const row = /** @type {Row} */ (forest.row(place));
      const known = this.rows.get(row.id) ?? { element: h("div", { role: "treeitem" }), told: "" };
      this.#fill(known, row, place);
      now.set(row.id, known);
    }
    for (const [id, { element }] of this.rows)
      if (!now.has(id)) {
        lost ||= element === document.activeElement;
        element.remove();
      }
    let at = this.space.firstChild;
    for (const { element } of now.values()) {
      if (element === at) at = at.nextSibling;
      else this.space.insertBefore(element, at);
    }
    this.rows = now;
    if (lost) this.focus();
  }

  /** @param {{element: HTMLElement, told: string}} known @param {Row} row @param {number} place */
  #fill(known, row, place) {
    const { element } = known;
    const thing = this.scene.get(row.id);
    const open = row.level === 1 && row.of ? (row.group.children.length ? `${!this.forest.shut.has(row.id)}` : "") : "";
    const label = row.level === 1 ? this.#group(row.group, thing) : this.#label(row.id, thing);
    const hue = thing ? tone(thing) : "";
    const told = [place, row.place, row.of, open, label, hue, place === this.focused].join("\u0000");
    if (told === known.told) return;
    known.told = told;
    element.dataset.id = row.id;
    element.style.top = `${place * ROW}px`;
    element.dataset.level = `${row.level}`;
    element.setAttribute("aria-level", `${row.level}`);
    element.setAttribute("aria-posinset", `${row.place}`);
    element.setAttribute("aria-setsize", `${row.of}`);
    element.tabIndex = place === this.focused ? 0 : -1;
    if (open) element.setAttribute("aria-expanded", open);
    else element.removeAttribute("aria-expanded");
    element.replaceChildren(...(hue ? [h("span.mark", { "aria-hidden": "true", "data-tone": hue, text: MARKS[hue] ?? "●" })] : []), label);
    element.title = label;
  }

  /** @param {Group} group @param {Thing|undefined} node */
  #group(group, node) {
    const count = group.children.length;
    return node ? `${node.name}, ${stateText(node, t)}, ${t("tree.pods", { count })}` : `${t(group.id)} (${count})`;
  }

  /** @param {string} id @param {Thing|undefined} thing */
  #label(id, thing) {
    if (!thing) return id;
    if (thing.kind === "Fault") return `${t(`chaos.${thing.fault}`)}, ${stateText(thing, t)}`;
    if (thing.kind === "Traffic") return [t("traffic.source"), sourced(thing, t), stateText(thing, t), thing.error && refusal(thing.error, t)].filter(Boolean).join(", ");
    const more = thing.kind === "Pod" ? [thing.ready && t("fact.readyCount", { ready: thing.ready }), thing.node ? t("tree.on", { node: thing.node }) : "", thing.restarts ? t("inspect.restarts", { count: thing.restarts }) : ""] : [];
    return [`${thing.kind} ${thing.name}`, stateText(thing, t), ...more, thing.ns && thing.ns !== "default" ? t("tree.in", { namespace: thing.ns }) : ""].filter(Boolean).join(", ");
  }

  /** @param {number} index */
  #to(index) {
    this.focused = Math.max(0, Math.min(this.forest.size - 1, index));
    const row = this.forest.row(this.focused);
    this.focusedId = row?.id ?? null;
    const top = this.focused * ROW;
    if (top < this.host.scrollTop) this.host.scrollTop = top;
    if (top + ROW > this.host.scrollTop + this.host.clientHeight) this.host.scrollTop = top + ROW - this.host.clientHeight;
    this.render();
    this.space.querySelector("[tabindex='0']")?.focus({ preventScroll: true });
    this.point(row && this.scene.get(row.id) ? row.id : null);
  }

  #enter() {
    const row = this.forest.row(this.focused);
    if (row && this.scene.get(row.id)) this.show(row.id);
    else if (row) this.#fold(row.id, !this.forest.shut.has(row.id));
  }

  /** @param {string} id @param {boolean} shut */
  #fold(id, shut) {
    if (shut) this.forest.shut.add(id);
    else this.forest.shut.delete(id);
    this.forest.laid = null;
    this.#settle();
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const element = /** @type {HTMLElement|null} */ (/** @type {HTMLElement} */ (event.target).closest("[role=treeitem]"));
    const index = element ? this.forest.index(element.dataset.id ?? "", this.scene.get(element.dataset.id ?? "")) : -1;
    if (index < 0) return;
    const row = this.forest.row(index);
    this.#to(index);
    if (row?.level === 1 && event.offsetX < 22) this.#fold(row.id, !this.forest.shut.has(row.id));
    else this.#enter();
  }

  /** @param {MouseEvent|KeyboardEvent} event */
  #menu(event) {
    const element = /** @type {HTMLElement|null} */ (/** @type {HTMLElement} */ (event.target).closest("[role=treeitem]"));
    const id = element?.dataset.id;
    if (!element || !id || !this.scene.get(id) || !this.menu) return;
    event.preventDefault();
    const [row, stage] = [element.getBoundingClientRect(), /** @type {HTMLElement} */ (this.panel.parentElement).getBoundingClientRect()];
    this.menu(id, row.left - stage.left + 40, row.bottom - stage.top);
  }

  /** The next row whose name begins with what is typed. @param {string} letter @param {number} now when it was pressed */
  #type(letter, now) {
    this.typed = now - this.typedAt < 700 ? this.typed + letter.toLowerCase() : letter.toLowerCase();
    this.typedAt = now;
    const first = this.typed.length > 1 ? 0 : 1;
    for (let step = first; step <= this.forest.size; step++) {
      const index = (this.focused + step) % this.forest.size;
      const row = /** @type {Row} */ (this.forest.row(index));
      if ((this.scene.get(row.id)?.name ?? t(row.id)).toLowerCase().startsWith(this.typed)) return this.#to(index);
    }
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const row = this.forest.row(this.focused);
    if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey)) return event.stopPropagation(), this.#menu(event);
    const page = Math.max(1, Math.floor(this.host.clientHeight / ROW) - 1);
    const shut = this.forest.shut.has(row.id);
    const parent = row.level === 1 && row.group.children.length > 0;
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowDown: () => this.#to(this.focused + 1), ArrowUp: () => this.#to(this.focused - 1), Home: () => this.#to(0), End: () => this.#to(this.forest.size - 1),
      PageDown: () => this.#to(this.focused + page), PageUp: () => this.#to(this.focused - page), Enter: () => this.#enter(), " ": () => this.#enter(),
      ArrowRight: () => parent && (shut ? this.#fold(row.id, false) : this.#to(this.focused + 1)),
      ArrowLeft: () => (parent && !shut ? this.#fold(row.id, true) : row.level === 2 && this.#to(this.focused - row.place)),
    };
    if (event.key === "Escape") keys.Escape = () => this.pin(false);
    const act = keys[event.key] ?? (event.key.length === 1 && (/[\p{L}\p{N}]/u.test(event.key) || (/[.-]/.test(event.key) && event.timeStamp - this.typedAt < 700)) ? () => this.#type(event.key, event.timeStamp) : null);
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }
}

/** What became of how many pods, in words. @param {Map<string, {before: Thing|undefined, after: Thing|undefined, text: string}>} news */
export function tell(news) {
  const other = [...news].filter(([id]) => !id.startsWith("Pod/"));
  const pods = [...news].filter(([id]) => id.startsWith("Pod/"));
  if (news.size <= 3) return [...news.values()].map((one) => one.text).join(". ");
  /** @type {Map<string, number>} */
  const states = new Map();
  for (const [, { after }] of pods) states.set(after ? `${after.status ?? after.state}` : "", (states.get(after ? `${after.status ?? after.state}` : "") ?? 0) + 1);
  const counted = [...states].sort((a, b) => b[1] - a[1]).slice(0, 4).map(([state, count]) => (state ? t("say.pods", { count, state }) : t("say.podsGone", { count })));
  return [...other.slice(0, 3).map(([, one]) => one.text), ...counted].join(". ");
}

/** Says what changed, at most every two seconds, and in counts when it is much. @param {HTMLElement} host @param {import("./scene.js").Scene} scene */
export function announce(host, scene) {
  /** @type {Map<string, {before: Thing|undefined, after: Thing|undefined, text: string}>} */
  const news = new Map();
  let due = false;
  scene.listen((update) => {
    if (update.whole) return;
    for (const { id, before, after } of update.changes) {
      const add = (/** @type {string} */ text) => news.set(id, { before, after, text });
      if (id.startsWith("Fault/") && !before !== !after) add(t(after ? "say.fault" : "say.healed", { what: t(`chaos.${(after ?? before)?.fault}`), target: stateText(/** @type {any} */ (after ?? before), t) }));
      if (id.startsWith("Node/") && before && after && before.ready !== after.ready) add(t("say.state", { name: after.name, state: stateText(after, t) }));
      if (!id.startsWith("Pod/") || (after ?? before)?.system) continue;
      if (!after) add(t("say.gone", { name: before?.name }));
      else if (before?.state !== after.state) add(t("say.state", { name: after.name, state: after.status ?? after.state }));
    }
    if (!news.size || due) return;
    due = true;
    setTimeout(() => {
      due = false;
      host.textContent = tell(news);
      news.clear();
    }, 2000);
  });
}
