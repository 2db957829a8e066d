/**
 * Everything there is in the cluster, drawn on the canvas or not: kinds with their counts, and a kind's objects as `kubectl get` lists them.
 * Only the rows in view exist; pages are fetched as they come into view.
 */
import { h } from "../dom.js";
import { t } from "../i18n.js";
import { parseId } from "../scene.js";
import { throttled } from "./keyed.js";

const ROW = 28;
const PAGE = 100;
const OVER = 8;

export class Browse {
  /** @param {import("./panel.js").Panel} panel */
  constructor(panel) {
    this.panel = panel;
    this.resource = "";
    this.turn = 0;
    this.total = 0;
    /** @type {string[]} */
    this.columns = [];
    /** @type {Map<number, any>} rows by place */
    this.rows = new Map();
    /** @type {Set<number>} pages that are asked for */
    this.asked = new Set();
    this.focused = 0;
    const again = throttled(() => void this.load(), 250);
    this.kind = h("select", { id: "browse-kind", "aria-label": t("browse.kind"), onchange: () => this.open(this.kind.value) });
    this.namespace = h("select", { id: "browse-namespace", "aria-label": t("browse.namespace"), onchange: () => void this.load() });
    this.name = h("input", { type: "search", id: "browse-name", autocomplete: "off", spellcheck: "false", "aria-label": t("browse.name"), placeholder: t("browse.name"), oninput: again });
    this.count = h("span.hits", { role: "status" });
    this.space = h("div.rows", { role: "presentation" });
    this.list = h("div.browse-list", { role: "listbox", tabIndex: -1, "aria-label": t("browse.objects"), onscroll: () => this.#render(), onkeydown: (/** @type {KeyboardEvent} */ event) => this.#key(event) }, this.space);
    this.kinds = h("div.kinds", {});
    this.element = h("div.browse", {}, h("div.strip", {}, this.kind, this.namespace, this.name, this.count), this.kinds, this.list);
    new ResizeObserver(() => this.#render()).observe(this.list);
  }

  async show() {
    const { kinds } = await this.panel.api.objects().catch(() => ({ kinds: [] }));
    const shown = kinds.filter((/** @type {any} */ one) => one.count);
    this.kind.replaceChildren(h("option", { value: "", text: t("browse.kinds") }), ...shown.map((/** @type {any} */ one) => h("option", { value: one.resource, text: `${one.kind} (${one.count})` })));
    this.all = shown;
    const spaces = this.panel.scene.ofKind("Namespace").map(([, one]) => one.name).sort();
    const had = this.namespace.value;
    this.namespace.replaceChildren(h("option", { value: "", text: t("browse.everywhere") }), ...spaces.map((text) => h("option", { value: text, text })));
    this.namespace.value = spaces.includes(had) ? had : "";
    this.kinds.replaceChildren(...shown.map((/** @type {any} */ one) => h("button.kind-card", { type: "button", "data-resource": one.resource, onclick: () => this.open(one.resource) }, one.short.length < 8 ? h("span.badge", { text: one.short }) : h("span"), h("span", { text: one.kind }), h("b", { text: `${one.count}` }))));
    this.open(this.kind.value && shown.some((/** @type {any} */ one) => one.resource === this.resource) ? this.resource : "");
  }

  /** @param {string} resource @param {string} [namespace] @param {string} [name] */
  open(resource, namespace, name) {
    this.resource = resource;
    this.kind.value = resource;
    if (namespace !== undefined) this.namespace.value = namespace;
    if (name !== undefined) this.name.value = name;
    const row = (this.all ?? []).find((/** @type {any} */ one) => one.resource === resource);
    this.kinds.hidden = !!resource;
    this.list.hidden = this.name.hidden = this.count.hidden = !resource;
    this.namespace.hidden = !resource || !row?.namespaced;
    if (resource) void this.load();
  }

  async load() {
    this.turn++;
    this.rows.clear();
    this.asked.clear();
    this.focused = 0;
    this.list.scrollTop = 0;
    await this.#page(0);
  }

  /** @param {number} page */
  async #page(page) {
    if (this.asked.has(page) || !this.resource) return;
    this.asked.add(page);
    const turn = this.turn;
    const namespace = this.namespace.hidden ? "" : this.namespace.value;
    const answer = await this.panel.api.objects({ resource: this.resource, namespace, name: this.name.value.trim(), offset: `${page * PAGE}`, limit: `${PAGE}` }).catch((/** @type {Error} */ error) => ({ failed: error.message, rows: [], columns: [], total: 0 }));
    if (turn !== this.turn) return;
    this.total = answer.total;
    this.columns = answer.columns;
    answer.rows.forEach((/** @type {any} */ row, /** @type {number} */ index) => this.rows.set(page * PAGE + index, row));
    this.count.textContent = answer.failed ?? t("browse.count", { count: answer.total });
    this.#render();
  }

  #render() {
    if (this.list.hidden) return;
    const height = this.list.clientHeight || 300;
    const from = Math.max(0, Math.floor(this.list.scrollTop / ROW) - OVER);
    const to = Math.min(this.total, Math.ceil((this.list.scrollTop + height) / ROW) + OVER);
    for (let page = Math.floor(from / PAGE); page <= Math.floor(Math.max(from, to - 1) / PAGE); page++) void this.#page(page);
    this.space.style.height = `${this.total * ROW}px`;
    const had = this.list.contains(document.activeElement);
    const places = new Set(Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index));
    if (this.total) places.add(this.focused);
    this.space.replaceChildren(...[...places].sort((a, b) => a - b).map((place) => this.#row(place)));
    if (had) this.space.querySelector("[tabindex='0']")?.focus({ preventScroll: true });
  }

  /** @param {number} place */
  #row(place) {
    const row = this.rows.get(place);
    const { ns, name } = row ? parseId(row.id) : { ns: "", name: "…" };
    const element = h("div.browse-row", { role: "option", "aria-selected": `${row?.id === this.panel.id}`, "aria-posinset": `${place + 1}`, "aria-setsize": `${this.total}`, tabIndex: place === this.focused ? 0 : -1, "data-show": row?.id, onfocus: () => (this.focused = place) },
      h("span.name", { text: name }), ns ? h("span.chip", { text: ns }) : null, h("small", { text: (row?.cells ?? []).filter(Boolean).join("  ") , title: this.columns.join("  ") }));
    element.style.top = `${place * ROW}px`;
    return element;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const page = Math.max(1, Math.floor(this.list.clientHeight / ROW) - 1);
    const way = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -this.total, End: this.total }[event.key];
    const row = this.rows.get(this.focused);
    if (way !== undefined) this.#to(this.focused + way);
    else if ((event.key === "Enter" || event.key === " ") && row) this.panel.go(row.id);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {number} place */
  #to(place) {
    this.focused = Math.max(0, Math.min(this.total - 1, place));
    const top = this.focused * ROW;
    if (top < this.list.scrollTop) this.list.scrollTop = top;
    if (top + ROW > this.list.scrollTop + this.list.clientHeight) this.list.scrollTop = top + ROW - this.list.clientHeight;
    this.#render();
    this.space.querySelector("[tabindex='0']")?.focus({ preventScroll: true });
  }
}
