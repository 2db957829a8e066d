/**
 * Hands on the canvas: the menus of things, the handle that scales by dragging, labels edited in place, the bar of several. Every act is a
 * kubectl command that the command bar shows and the terminal runs; nothing here changes the cluster by itself.
 *
 * @typedef {import("./acts.js").Act} Act
 * @typedef {{stage: import("./canvas/stage.js").Stage, scene: import("./scene.js").Scene, live: import("./live.js").Live, api: import("./api.js").Api, terminal: import("./terminal.js").Terminal,
 *   selection: import("./canvas/selection.js").Selection, travel: import("./canvas/travel.js").Travel, actions: import("./actions.js").Actions,
 *   edit: (id: string) => void, traffic: (id: string) => void, browser: (id: string) => void, chaos: (id: string) => void, heal: (id: string) => void}} Page
 */
import { acts } from "./acts.js";
import { grouped, shown } from "./actions.js";
import { consequences } from "./canvas/relations.js";
import { scalable } from "./canvas/selection.js";
import { CommandBar } from "./commandbar.js";
import { byId, h, icon, toast } from "./dom.js";
import { knows, onLanguage, t } from "./i18n.js";
import { closeMenu, openMenu } from "./menu.js";
import { parseId } from "./scene.js";

/** Pixels that the pointer is dragged for a replica more or less; with Shift for ten. */
const PER_REPLICA = 14;
/** Of so many things the labels before a change are asked for, for the way back. */
const MOST_ASKED = 20;
/** The entries of an empty place's menu, from the page's actions. */
const PLACE = ["find", "selectAll", "fit", "copyView", "help"];

/** @param {string} id @param {import("./scene.js").Scene} scene */
const titled = (id, scene) => {
  const thing = scene.get(id);
  return thing ? `${thing.kind} ${thing.name}` : id;
};

export class Manipulate {
  /** @param {Page} page */
  constructor(page) {
    this.page = page;
    this.bar = new CommandBar(page);
    /** @type {string|null} the workload whose handle is shown */
    this.held = null;
    this.dragging = false;
    /** The namespace kubectl is in. */
    this.here = "default";
    this.handle = h("div.scaler", { role: "slider", tabIndex: 0, id: "scaler", hidden: true, onpointerdown: (/** @type {PointerEvent} */ event) => this.#drag(event), onkeydown: (/** @type {KeyboardEvent} */ event) => this.#slide(event), onpointerleave: () => this.#retract() });
    this.many = h("div.many-bar", { role: "toolbar", id: "many-bar", hidden: true });
    page.stage.host.append(this.handle);
    byId("stage-bar").append(this.many);
    page.selection.listen(() => this.#several());
    page.scene.listen((update) => this.held && update.changes.some((one) => one.id === this.held) && this.place());
    page.live.on("past", () => (this.bar.close(), this.#several(), this.reach(null)));
    onLanguage(() => (this.bar.close(), this.#several()));
    this.#several();
  }

  /** Why nothing can be done now, if so. */
  get #barred() {
    return this.page.live.past !== null ? t("act.past") : document.body.dataset.connection !== "live" ? t("act.offline") : "";
  }

  /** The namespace of kubectl's context: what is not in it needs a flag. */
  async #whereabouts() {
    const answer = await this.page.api.terminal("kubectl config view --minify -o jsonpath={..namespace}").catch(() => null);
    this.here = answer?.exit_code === 0 ? answer.stdout.trim() || "default" : "default";
  }

  // menus

  /** The menu of what is under the pointer or the ring: of all that is selected, if it is among that. @param {string|null} id @param {number} x @param {number} y in pixels of the canvas */
  async menu(id, x, y) {
    const { stage, scene, selection } = this.page;
    const at = stage.host.getBoundingClientRect();
    const ids = id === null ? [] : selection.has(id) && selection.ids.length > 1 ? selection.ids : [id];
    const back = () => byId("eye").focus({ preventScroll: true });
    if (!ids.length) return openMenu({ x: at.left + x, y: at.top + y, title: t("menu.canvas"), label: t("menu.canvas"), items: this.#place(), back });
    if (this.page.live.past === null) await this.#whereabouts();
    const title = ids.length > 1 ? t("bar.many", { count: ids.length }) : titled(ids[0], scene);
    openMenu({ x: at.left + x, y: at.top + y, title, label: t("menu.of", { what: title }), items: this.#items(ids), back });
  }

  /** @returns {import("./menu.js").Item[]} */
  #place() {
    return PLACE.flatMap((id) => {
      const action = this.page.actions.all.get(id);
      return action ? [{ label: action.label(), key: [action.key ?? []].flat().map(shown)[0], run: action.run }] : [];
    });
  }

  /** @param {string[]} ids @returns {import("./menu.js").Item[]} */
  #items(ids) {
    const barred = this.#barred;
    return acts(this.page.scene, ids, this.here).map((act) => ({
      label: this.label(act, ids), group: act.group, danger: act.danger, command: act.line ?? (act.page ? undefined : act.make?.(Object.fromEntries((act.fields ?? []).map((field) => [field.name, field.value ?? ""]))) || t("menu.asks")),
      note: act.page ? t(`act.${act.id}.about`) : act.warn ? t(act.warn, act.params) : undefined, disabled: (act.page === "edit" ? "" : barred) || (act.no ? t(act.no, act.params) : undefined), run: () => this.run(act, ids),
    }));
  }

  /** @param {Act} act @param {string[]} ids */
  label(act, ids) {
    const many = ids.length > 1 && knows(`act.${act.id}.many`);
    return t(`act.${act.id}${many ? ".many" : ""}`, { count: ids.length, ...act.params });
  }

  /** @param {Act} act @param {string[]} ids @param {import("./acts.js").Values} [given] */
  async run(act, ids, given) {
    const { page } = this;
    if (act.no) return void toast(t(act.no, act.params));
    if (act.page !== "edit" && this.#barred) return void toast(this.#barred, true);
    if (act.page === "edit") return page.edit(ids[0]);
    if (act.page === "traffic") return (ids[0].startsWith("Ingress/") ? page.browser : page.traffic)(ids[0]);
    if (act.page === "chaos") return page.chaos(ids[0]);
    if (act.page === "heal") return page.heal(ids[0]);
    const metadata = act.fields?.[0]?.kind === "labels" ? (act.id === "label" ? "labels" : "annotations") : "";
    const before = metadata ? await this.#before(ids, metadata) : undefined;
    if (metadata && ids.length === 1) return this.#pairs(act, ids[0], before?.[ids[0]] ?? {});
    const title = `${this.label(act, ids).replace("…", "")}: ${ids.length > 1 ? t("bar.many", { count: ids.length }) : titled(ids[0], page.scene)}`;
    return this.bar.act(act, { title, given, before });
  }

  /** Does what a name stands for with all that is selected, or what the ring is on. @param {string} name @param {import("./acts.js").Values} [given] */
  async selected(name, given) {
    const { selection, travel } = this.page;
    const ids = selection.ids.length ? selection.ids : travel.at ? [travel.at] : [];
    if (!ids.length) return;
    if (this.page.live.past === null) await this.#whereabouts();
    const act = acts(this.page.scene, ids, this.here).find((one) => one.id === name);
    if (act) await this.run(act, ids, given);
  }

  /** What the palette offers for what is selected. @returns {import("./actions.js").Entry[]} */
  entries() {
    const ids = this.page.selection.ids;
    if (!ids.length || this.#barred) return [];
    const group = ids.length > 1 ? t("bar.many", { count: ids.length }) : titled(ids[0], this.page.scene);
    return acts(this.page.scene, ids, this.here).filter((act) => !act.no).map((act) => ({ id: `act.${act.id}`, label: this.label(act, ids), note: act.line ?? "", group, run: () => this.selected(act.id) }));
  }

  // labels, in place

  /** @param {string[]} ids @param {string} what @returns {Promise<Record<string, Record<string, string>>>} */
  async #before(ids, what) {
    /** @type {Record<string, Record<string, string>>} */
    const found = {};
    await Promise.all(ids.slice(0, MOST_ASKED).map(async (id) => {
      const { kind, ns, name } = parseId(id);
      const answer = await this.page.api.terminal(`kubectl get ${kind.toLowerCase()} ${name}${ns ? ` -n ${ns}` : ""} -o jsonpath={.metadata.${what}}`).catch(() => null);
      found[id] = answer?.stdout ? JSON.parse(answer.stdout) : {};
    }));
    return found;
  }

  /** A thing's labels as rows beside it: changed, added and removed there, and told as the command that it makes. @param {Act} act @param {string} id @param {Record<string, string>} before */
  #pairs(act, id, before) {
    const { stage } = this.page;
    this.bar.close();
    document.getElementById("labels")?.remove();
    const preview = h("code.line");
    const effects = h("ul.effects", { "aria-live": "polite" });
    const go = h("button.button.primary", { type: "submit" }, t("bar.run"), " ", h("kbd", { text: "↵", "aria-hidden": "true" }));
    const rows = h("div.rows");
    const keys = Object.keys(before).filter((key) => act.id === "label" || before[key].length < 200).sort();
    /** @returns {Record<string, string|null>} */
    const changes = () => {
      /** @type {Record<string, string|null>} */
      const now = {};
      for (const row of rows.children) {
        const [key, value] = row.querySelectorAll("input");
        if (key.value.trim()) now[key.value.trim()] = value.value.trim();
      }
      return Object.fromEntries([...keys.filter((key) => !(key in now)).map((key) => [key, null]), ...Object.entries(now).filter(([key, value]) => before[key] !== value)]);
    };
    const draw = () => {
      const line = act.make?.({ changes: changes() }) ?? "";
      preview.textContent = line || t("labels.none");
      preview.classList.toggle("none", !line);
      go.disabled = !line;
      const pod = act.id === "label" && line ? this.page.scene.get(id) : undefined;
      const told = pod?.kind === "Pod" ? consequences(this.page.scene, pod, changes()) : [];
      effects.replaceChildren(...told.map(({ code, id: other }) => h("li", { "data-code": code, text: t(`labels.${code}`, { what: titled(other, this.page.scene) }) })));
      return line;
    };
    /** @param {string} key @param {string} value */
    const row = (key, value) => {
      const line = h("div.pair-row", {}, h("input", { type: "text", value: key, "aria-label": t("labels.key"), oninput: draw, spellcheck: "false", autocomplete: "off", placeholder: t("labels.key") }), "=",
        h("input", { type: "text", value, "aria-label": key ? t("labels.valueOf", { key }) : t("labels.value"), oninput: draw, spellcheck: "false", autocomplete: "off", placeholder: t("labels.value") }),
        h("button.icon", { type: "button", "aria-label": t("labels.remove", { key }), title: t("labels.remove", { key }), onclick: () => (line.remove(), draw()) }, icon("close")));
      return line;
    };
    rows.append(...keys.map((key) => row(key, before[key])));
    const close = () => (popover.remove(), byId("eye").focus({ preventScroll: true }));
    const add = () => {
      const line = row("", "");
      rows.append(line);
      line.querySelector("input").focus();
    };
    const form = h("form", { onsubmit: (/** @type {Event} */ event) => {
      event.preventDefault();
      const line = draw();
      if (!line) return;
      const values = { changes: changes(), before: { [id]: before } };
      close();
      void this.bar.run(act, line, values);
    }, onkeydown: (/** @type {KeyboardEvent} */ event) => event.key === "Escape" && (event.stopPropagation(), close()) },
    h("strong", { text: `${t(`act.${act.id}`).replace("…", "")}: ${titled(id, this.page.scene)}` }), rows, h("button.link", { type: "button", text: t("labels.add"), onclick: add }), effects, preview,
    h("span.row", {}, go, h("button.button", { type: "button", text: t("bar.cancel"), onclick: close })));
    const popover = h("div.labels", { id: "labels", role: "dialog", "aria-label": `${t(`act.${act.id}`).replace("…", "")}: ${titled(id, this.page.scene)}` }, form);
    stage.host.append(popover);
    const box = stage.layout.box(id);
    const b = box ? stage.camera.box(box) : { x: stage.width / 2, y: stage.height / 3, w: 0, h: 0 };
    const right = b.x + b.w + 8 + popover.offsetWidth < stage.width;
    popover.style.left = `${Math.max(8, right ? b.x + b.w + 8 : Math.min(stage.width - popover.offsetWidth - 8, b.x - popover.offsetWidth - 8))}px`;
    popover.style.top = `${Math.max(8, Math.min(stage.height - popover.offsetHeight - 8, b.y))}px`;
    draw();
    if (!keys.length) add();
    else rows.querySelector("input:nth-of-type(2)")?.focus();
  }

  // several

  #several() {
    const { selection, scene } = this.page;
    const ids = selection.ids;
    this.many.hidden = ids.length < 2;
    if (ids.length < 2) return;
    const kinds = [...grouped(ids, (id) => id.slice(0, id.indexOf("/")))].map(([kind, all]) => `${all.length} ${kind}`).join(", ");
    const barred = this.#barred;
    const offered = acts(scene, ids, this.here);
    /** @param {string} id */
    const button = (id) => {
      const act = offered.find((one) => one.id === id);
      return act && h(act.danger ? "button.button.danger" : "button.button", { type: "button", "data-act": id, disabled: !!barred, title: barred || act.line, text: this.label(act, ids), onclick: () => void this.selected(id) });
    };
    const more = h("button.button", { type: "button", id: "many-more", "aria-haspopup": "menu", text: t("bar.more"), onclick: () => {
      const at = more.getBoundingClientRect();
      const stage = this.page.stage.host.getBoundingClientRect();
      void this.menu(ids[0], at.left - stage.left, at.top - stage.top);
    } });
    this.many.setAttribute("aria-label", t("bar.many", { count: ids.length }));
    this.many.replaceChildren(h("strong", { text: t("bar.many", { count: ids.length }) }), h("small", { text: kinds }), ...["scale", "cordon", "label", "delete"].map(button).filter(Boolean), more,
      h("button.icon", { type: "button", "aria-label": t("bar.deselect"), title: t("bar.deselect"), onclick: () => selection.show(null) }, icon("close")));
  }

  // the handle

  /** Shows the handle of a workload; another thing takes it away. @param {string|null} id */
  reach(id) {
    if (this.dragging) return;
    const thing = id ? this.page.scene.get(id) : undefined;
    const fits = !!id && scalable(thing) && !this.#barred;
    if (!fits && this.handle.matches(":hover, :focus-visible")) return;
    this.held = fits ? id : null;
    this.place();
  }

  #retract() {
    if (!this.dragging && this.held !== this.page.stage.selected) this.reach(null);
  }

  /** Where the handle stands: at the right edge of its workload's card. */
  place() {
    const { stage, scene } = this.page;
    const thing = this.held ? scene.get(this.held) : undefined;
    const box = this.held && thing ? stage.layout.box(this.held) : null;
    const b = box ? stage.camera.box(box) : null;
    this.handle.hidden = !b || b.h < 22 || b.y + b.h < stage.camera.view.y || b.x > stage.width;
    if (!b || !thing || this.handle.hidden || this.dragging) return;
    this.handle.replaceChildren(icon("up"), h("span", { text: `${thing.replicas ?? 0}` }), icon("down"));
    this.handle.setAttribute("aria-label", t("scaler.label", { name: thing.name }));
    this.handle.setAttribute("aria-valuemin", "0");
    this.handle.setAttribute("aria-valuenow", `${thing.replicas ?? 0}`);
    this.handle.title = t("scaler.title");
    const x = Math.min(stage.width - 34, b.x + b.w - 4);
    this.handle.style.transform = `translate(${Math.round(x)}px, ${Math.round(b.y + b.h / 2 - 33)}px)`;
  }

  /** @param {PointerEvent} event */
  #drag(event) {
    const id = this.held;
    const thing = id ? this.page.scene.get(id) : undefined;
    if (!id || !thing || event.button !== 0) return;
    event.preventDefault();
    closeMenu();
    this.dragging = true;
    this.handle.setPointerCapture(event.pointerId);
    this.handle.classList.add("dragged");
    const first = thing.replicas ?? 1;
    let count = first;
    const act = acts(this.page.scene, [id], this.here).find((one) => one.id === "scale");
    const label = this.handle.querySelector("span");
    const move = (/** @type {PointerEvent} */ to) => {
      count = Math.max(0, Math.min(5000, first + Math.round((event.clientY - to.clientY) / PER_REPLICA) * (to.shiftKey ? 10 : 1)));
      label.textContent = `${count}`;
      this.handle.dataset.change = count === first ? "" : `${count > first ? "+" : "−"}${Math.abs(count - first)}`;
      this.handle.setAttribute("aria-valuenow", `${count}`);
      this.#preview(act?.make?.({ replicas: count }) ?? "", act);
    };
    const stop = (/** @type {Event} */ end) => {
      for (const [name, listener] of /** @type {const} */ ([["pointermove", move], ["pointerup", stop], ["pointercancel", stop]])) this.handle.removeEventListener(name, /** @type {any} */ (listener));
      removeEventListener("keydown", escape, true);
      this.dragging = false;
      this.handle.classList.remove("dragged");
      this.handle.dataset.change = "";
      this.bar.close();
      this.place();
      if (end.type === "pointerup" && count !== first && act) void this.#scale(id, count);
    };
    const escape = (/** @type {KeyboardEvent} */ key) => key.key === "Escape" && (key.stopPropagation(), stop(key));
    this.handle.addEventListener("pointermove", move);
    this.handle.addEventListener("pointerup", stop);
    this.handle.addEventListener("pointercancel", stop);
    addEventListener("keydown", escape, true);
  }

  /** @param {string} line @param {Act|undefined} act */
  #preview(line, act) {
    this.bar.element.hidden = false;
    this.bar.element.dataset.tone = "ask";
    this.bar.element.replaceChildren(h("code.line", { text: line }), h("small", { text: act?.warn ? t(act.warn, act.params) : t("scaler.release") }));
  }

  /** @param {string} id @param {number} replicas */
  async #scale(id, replicas) {
    await this.#whereabouts();
    const act = acts(this.page.scene, [id], this.here).find((one) => one.id === "scale");
    const line = act?.make?.({ replicas });
    if (act && line) await this.bar.run(act, line, { replicas });
  }

  /** @param {KeyboardEvent} event */
  #slide(event) {
    const way = { ArrowUp: 1, ArrowRight: 1, "+": 1, "=": 1, ArrowDown: -1, ArrowLeft: -1, "-": -1 }[event.key];
    if (!way || !this.held) return;
    event.preventDefault();
    event.stopPropagation();
    void this.step(way, this.held);
  }

  /** One replica more or less, shown as the command until Enter. @param {number} way @param {string} [id] */
  async step(way, id = this.page.selection.ids[0]) {
    const thing = this.page.scene.get(id);
    if (!thing || this.#barred) return;
    await this.#whereabouts();
    const act = acts(this.page.scene, [id], this.here).find((one) => one.id === "scale");
    if (act) await this.run(act, [id], { replicas: Math.max(0, (thing.replicas ?? 1) + way) });
  }
}
