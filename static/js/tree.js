/**
 * The canvas in words: a tree of what is drawn, beside it for those who do not see or point. Only the rows in view exist; one row
 * has the focus; arrows walk, Enter inspects. Hidden until it has the focus.
 */
import { WORKLOADS } from "./canvas/layout.js";
import { h } from "./dom.js";
import { refusal } from "./follow.js";
import { sourced, stateText } from "./facts.js";
import { onLanguage, t } from "./i18n.js";

const ROW = 26;
const OVER = 6;

export class Tree {
  /** @param {HTMLElement} host @param {import("./scene.js").Scene} scene @param {(id: string) => void} show @param {(id: string|null) => void} point */
  constructor(host, scene, show, point) {
    this.host = host;
    this.scene = scene;
    this.show = show;
    this.point = point;
    this.focused = 0;
    this.drawing = false;
    /** @type {{id: string, label: string, level: number, place: number, of: number, open?: boolean}[]} */
    this.rows = [];
    this.space = h("div", { role: "presentation" });
    host.append(this.space);
    host.addEventListener("scroll", () => this.#render());
    host.addEventListener("keydown", (event) => this.#key(event));
    host.addEventListener("focusin", (event) => host.contains(/** @type {Node|null} */ (event.relatedTarget)) || this.drawing || this.#render());
    host.addEventListener("focusout", (event) => this.drawing || host.contains(/** @type {Node|null} */ (event.relatedTarget)) || this.point(null));
    let due = false;
    scene.listen(() => {
      if (due) return;
      due = true;
      setTimeout(() => ((due = false), this.#build()), 500);
    });
    onLanguage(() => this.#build());
    /** @type {Set<string>} */
    this.shut = new Set(["group.system", "group.control"]);
    this.#build();
  }

  #build() {
    const was = this.rows[this.focused]?.id;
    /** @type {typeof this.rows} */
    const rows = [];
    const nodes = this.scene.ofKind("Node");
    const pods = this.scene.ofKind("Pod");
    /** @type {Map<string, string[]>} */
    const on = new Map();
    for (const [id, pod] of pods) {
      const key = pod.system ? "system" : pod.node ? `Node//${pod.node}` : "tray";
      on.get(key)?.push(id) ?? on.set(key, [id]);
    }
    /** @type {[string, string[]][]} */
    const groups = [
      ["group.services", this.scene.ofKind("Service").map(([id]) => id)],
      ["group.network", ["Ingress", "NetworkPolicy"].flatMap((kind) => this.scene.ofKind(kind)).map(([id]) => id)],
      ["group.workloads", [...WORKLOADS].flatMap((kind) => this.scene.ofKind(kind)).filter(([, one]) => !one.system && !one.owner).map(([id]) => id)],
      ["group.storage", ["PersistentVolumeClaim", "PersistentVolume"].flatMap((kind) => this.scene.ofKind(kind)).map(([id]) => id)],
      ["group.policies", ["HorizontalPodAutoscaler", "PodDisruptionBudget"].flatMap((kind) => this.scene.ofKind(kind)).map(([id]) => id)],
      ["group.traffic", this.scene.ofKind("Traffic").map(([id]) => id)],
      ["group.unscheduled", on.get("tray") ?? []],
      ...nodes.map(([id]) => /** @type {[string, string[]]} */ ([id, on.get(id) ?? []])),
      ["group.system", on.get("system") ?? []],
      ["group.control", this.scene.ofKind("Component").map(([id]) => id)],
      ["group.faults", this.scene.ofKind("Fault").map(([id]) => id)],
    ];
    const shown = groups.filter(([id, children]) => id.startsWith("Node/") || children.length);
    shown.forEach(([id, children], index) => {
      const open = !this.shut.has(id);
      const node = this.scene.get(id);
      rows.push({ id, label: node ? `${node.name}, ${stateText(node, t)}, ${t("tree.pods", { count: children.length })}` : `${t(id)} (${children.length})`, level: 1, place: index + 1, of: shown.length, open: children.length ? open : undefined });
      if (open) children.sort().forEach((child, place) => rows.push({ id: child, label: this.#label(child), level: 2, place: place + 1, of: children.length }));
    });
    this.rows = rows;
    const at = rows.findIndex((row) => row.id === was);
    this.focused = at >= 0 ? at : Math.min(this.focused, Math.max(0, rows.length - 1));
    this.#render();
  }

  /** @param {string} id */
  #label(id) {
    const thing = this.scene.get(id);
    if (!thing) return id;
    if (thing.kind === "Fault") return `${t(`chaos.${thing.fault}`)}, ${stateText(thing, t)}`;
    if (thing.kind === "Traffic") return [t("traffic.source"), sourced(thing, t), stateText(thing, t), thing.error && refusal(thing.error, t)].filter(Boolean).join(", ");
    return `${thing.kind} ${thing.name}, ${stateText(thing, t)}`;
  }

  #render() {
    const height = this.host.clientHeight || 200;
    const from = Math.max(0, Math.floor(this.host.scrollTop / ROW) - OVER);
    const to = Math.min(this.rows.length, Math.ceil((this.host.scrollTop + height) / ROW) + OVER);
    const had = this.host.contains(document.activeElement);
    const wanted = new Set();
    for (let i = from; i < to; i++) wanted.add(i);
    if (this.rows.length) wanted.add(this.focused);
    this.space.style.height = `${this.rows.length * ROW}px`;
    this.drawing = true;
    this.space.replaceChildren(...[...wanted].sort((a, b) => a - b).map((index) => this.#row(index)));
    if (had) this.space.querySelector("[tabindex='0']")?.focus({ preventScroll: true });
    this.drawing = false;
  }

  /** @param {number} index */
  #row(index) {
    const row = this.rows[index];
    const element = h("div", {
      role: "treeitem", "aria-level": `${row.level}`, "aria-posinset": `${row.place}`, "aria-setsize": `${row.of}`, tabIndex: index === this.focused ? 0 : -1,
      "aria-expanded": row.open === undefined ? undefined : `${row.open}`, text: row.label, onclick: () => (this.#to(index), this.#enter()),
    });
    element.style.top = `${index * ROW + 6}px`;
    element.style.paddingLeft = `${8 + (row.level - 1) * 16}px`;
    return element;
  }

  /** @param {number} index */
  #to(index) {
    this.focused = Math.max(0, Math.min(this.rows.length - 1, index));
    const top = this.focused * ROW;
    if (top < this.host.scrollTop) this.host.scrollTop = top;
    if (top + ROW + 12 > this.host.scrollTop + this.host.clientHeight) this.host.scrollTop = top + ROW + 12 - this.host.clientHeight;
    this.#render();
    this.space.querySelector("[tabindex='0']")?.focus({ preventScroll: true });
    const id = this.rows[this.focused]?.id;
    this.point(id && this.scene.get(id) ? id : null);
  }

  #enter() {
    const row = this.rows[this.focused];
    if (row && this.scene.get(row.id)) this.show(row.id);
    else if (row) this.#toggle(row, !!this.shut.has(row.id));
  }

  /** @param {{id: string, open?: boolean}} row @param {boolean} open */
  #toggle(row, open) {
    if (row.open === undefined) return;
    if (open) this.shut.delete(row.id);
    else this.shut.add(row.id);
    this.#build();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const row = this.rows[this.focused];
    if (!row) return;
    const page = Math.max(1, Math.floor(this.host.clientHeight / ROW) - 1);
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowDown: () => this.#to(this.focused + 1), ArrowUp: () => this.#to(this.focused - 1), Home: () => this.#to(0), End: () => this.#to(this.rows.length - 1),
      PageDown: () => this.#to(this.focused + page), PageUp: () => this.#to(this.focused - page), Enter: () => this.#enter(), " ": () => this.#enter(),
      ArrowRight: () => (row.open === false ? this.#toggle(row, true) : row.open ? this.#to(this.focused + 1) : undefined),
      ArrowLeft: () => (row.open ? this.#toggle(row, false) : this.#to(this.rows.findLastIndex((one, index) => index < this.focused && one.level === 1))),
    };
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }
}

/** Three things in words; of more, what is no pod, and the pods' number. @param {Map<string, string>} news */
function tell(news) {
  if (news.size <= 3) return [...news.values()].join(". ");
  const other = [...news].filter(([id]) => !id.startsWith("Pod/")).slice(0, 3).map(([, text]) => text);
  const pods = [...news.keys()].filter((id) => id.startsWith("Pod/")).length;
  return [...other, ...(pods ? [t("say.many", { count: pods })] : [])].join(". ");
}

/** Says what changed, at most every two seconds, and in counts when it is much. @param {HTMLElement} host @param {import("./scene.js").Scene} scene */
export function announce(host, scene) {
  /** @type {Map<string, string>} */
  const news = new Map();
  let due = false;
  scene.listen((update) => {
    if (update.whole) return;
    for (const { id, before, after } of update.changes) {
      if (id.startsWith("Fault/") && !before !== !after) news.set(id, t(after ? "say.fault" : "say.healed", { what: t(`chaos.${(after ?? before)?.fault}`), target: stateText(/** @type {any} */ (after ?? before), t) }));
      if (id.startsWith("Node/") && before && after && before.ready !== after.ready) news.set(id, t("say.state", { name: after.name, state: stateText(after, t) }));
      if (!id.startsWith("Pod/") || after?.system) continue;
      if (!after) news.set(id, t("say.gone", { name: before?.name }));
      else if (before?.state !== after.state) news.set(id, t("say.state", { name: after.name, state: after.status ?? after.state }));
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
