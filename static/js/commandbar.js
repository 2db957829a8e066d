/**
 * The bar at the foot of the canvas: the command that an act is, before it runs, with what it still needs to know and what it would do; then
 * how it went and the way back. A line goes into the page's own terminal as if it had been typed; its exit code comes back. Kubernetes has no
 * undo: what is offered is the opposite command where there is one, else a room forked from the revision before.
 *
 * @typedef {import("./acts.js").Act} Act @typedef {import("./acts.js").Values} Values @typedef {import("./acts.js").Field} Field
 * @typedef {{line: string, back: string|null, revision: number}} Done
 */
import * as docks from "./docks.js";
import { byId, h, icon, toast } from "./dom.js";
import { t } from "./i18n.js";

/** So many acts are remembered for the way back. */
const MOST_DONE = 20;
/** What was done is told for so long, in milliseconds; the way back stays at Ctrl Z. */
const TOLD = 14_000;
/** A terminal that is busy for longer, in milliseconds, is told of. */
const PATIENCE = 900;

export class CommandBar {
  /** @param {{stage: import("./canvas/stage.js").Stage, live: import("./live.js").Live, api: import("./api.js").Api, terminal: import("./terminal.js").Terminal}} page */
  constructor(page) {
    this.page = page;
    /** @type {Done[]} */
    this.done = [];
    /** @type {(() => void)|null} */
    this.cancel = null;
    this.fading = 0;
    this.element = h("section.command-bar", { id: "command-bar", hidden: true });
    this.said = h("div.sr-only", { "aria-live": "polite" });
    page.stage.host.append(this.element, this.said);
    this.element.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Enter" && event.repeat) event.preventDefault();
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.close(true);
    });
  }

  /** The revision that the cluster has now, as the page knows it. */
  get revision() {
    return Math.max(this.page.stage.revision, this.page.stage.scene.storeRevision);
  }

  /** @param {boolean} [refocus] gives the canvas the focus */
  close(refocus = false) {
    this.element.hidden = true;
    this.element.replaceChildren();
    this.cancel?.();
    this.cancel = null;
    if (refocus) byId("eye").focus({ preventScroll: true });
  }

  /** @param {string} tone @param {...any} children */
  #show(tone, ...children) {
    this.element.dataset.tone = tone;
    this.element.setAttribute("aria-label", t("bar.label"));
    this.element.replaceChildren(...children, h("button.icon", { type: "button", "aria-label": t("bar.close"), title: `${t("bar.close")} (Esc)`, onclick: () => this.close(true) }, icon("close")));
    this.element.hidden = false;
  }

  /** Shows an act as its command; a harmless one that needs to know nothing more runs at once. @param {Act} act @param {{title: string, changed?: (values: Values) => void, given?: Values, before?: Record<string, Record<string, string>>, cancel?: () => void}} about */
  async act(act, about) {
    this.close();
    if (!act.fields && !act.danger && act.line) return this.run(act, act.line, {});
    /** @type {Values} */
    const values = { ...Object.fromEntries((act.fields ?? []).map((field) => [field.name, field.value ?? ""])), ...about.given };
    const preview = h("code.line", { id: "bar-line" });
    const go = h(act.danger ? "button.button.danger" : "button.button.primary", { type: "submit" }, t(act.danger ? `act.${act.id}.do` : "bar.run"), " ", h("kbd", { text: "↵", "aria-hidden": "true" }));
    const draw = () => {
      const line = act.line ?? act.make?.(values) ?? "";
      preview.textContent = line || t("bar.incomplete");
      preview.classList.toggle("none", !line);
      go.disabled = !line;
      about.changed?.(values);
      return line;
    };
    const fields = (act.fields ?? []).map((field) => this.#field(field, values, draw));
    const form = h("form", { onsubmit: (/** @type {Event} */ event) => {
      event.preventDefault();
      const line = draw();
      if (!line) return;
      this.cancel = null;
      about.cancel?.();
      void this.run(act, line, { ...values, before: about.before });
    } }, h("strong", { text: about.title }), ...fields, preview, act.warn ? h("small.warn", { text: t(act.warn, act.params) }) : null,
    h("span.row", {}, go, h("button.button", { type: "button", text: t("bar.cancel"), onclick: () => this.close(true) })));
    this.cancel = about.cancel ?? null;
    this.#show(act.danger ? "danger" : "ask", form);
    draw();
    const first = form.querySelector("input, select");
    (first ?? go).focus();
    first?.select?.();
  }

  /** @param {Field} field @param {Values} values @param {() => void} draw */
  #field(field, values, draw) {
    const keep = (/** @type {any} */ event) => ((values[field.name] = event.target.value), draw());
    const given = { id: `bar-${field.name}`, value: `${values[field.name] ?? ""}`, oninput: keep, autocomplete: "off", spellcheck: "false", placeholder: field.hint };
    const input = field.kind === "choice" ? h("select", { id: given.id, onchange: keep }, ...(field.choices ?? []).map((value) => h("option", { value, text: value })))
      : field.kind === "number" ? h("input", { ...given, type: "number", step: "1", min: `${field.least ?? 0}`, max: field.most === undefined ? null : `${field.most}`, required: !field.optional })
        : h("input", { ...given, type: "text", required: !field.optional, size: field.kind === "labels" ? "34" : "18" });
    input.value = values[field.name] ?? "";
    if (field.kind === "number") input.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      const way = { "+": 1, "=": 1, "-": -1 }[event.key];
      if (!way) return;
      event.preventDefault();
      input.value = `${Math.max(field.least ?? 0, Math.min(field.most ?? Infinity, Number(input.value) + way))}`;
      keep({ target: input });
    });
    return h("label", {}, t(`bar.field.${field.name}`), input);
  }

  /** Runs a line in the terminal and tells how it went. @param {Act} act @param {string} line @param {Values} values @param {boolean} [again] that it is itself a way back */
  async run(act, line, values, again = false) {
    if (this.page.live.past !== null) return void toast(t("act.past"), true);
    if (!(await this.#free())) return;
    const revision = this.revision;
    const back = act.reads ? undefined : typeof act.back === "function" ? act.back(values) : act.back;
    this.#show("runs", h("span.sign", { text: "…", "aria-hidden": "true" }), h("code.line", { text: line }));
    const code = await this.#type(line, !!act.holds);
    if (code === null) return this.close();
    if (code !== 0) {
      this.said.textContent = t("bar.failed", { code });
      return this.#show("failed", h("span.sign", { text: "✕", "aria-hidden": "true" }), h("code.line", { text: line }), h("small", { text: t("bar.failed", { code }) }));
    }
    if (act.reads) return this.close();
    if (!again) this.done.push({ line, back: back || null, revision });
    if (this.done.length > MOST_DONE) this.done.shift();
    this.said.textContent = t(again ? "bar.undone" : "bar.done", { line });
    this.#fade();
    this.#show("done", h("span.sign", { text: "✓", "aria-hidden": "true" }), h("code.line", { text: line }), again ? h("small", { text: t("bar.undoneShort") }) : this.#way(/** @type {Done} */ (this.done.at(-1))));
  }

  /** What was told goes by itself, unless somebody is at it. */
  #fade() {
    clearTimeout(this.fading);
    this.fading = setTimeout(() => {
      if (this.element.dataset.tone !== "done") return;
      if (this.element.matches(":hover, :focus-within")) this.#fade();
      else this.close();
    }, TOLD);
  }

  /** @param {Done} done */
  #way(done) {
    if (done.back) return h("button.button", { type: "button", id: "bar-undo", title: "Ctrl Z", onclick: () => this.undo() }, `${t("bar.back")} `, h("code", { text: done.back }));
    return h("button.button", { type: "button", id: "bar-fork", title: `Ctrl Z. ${t("bar.forkWhy")}`, text: t("bar.fork"), onclick: () => this.undo() });
  }

  /** The way back from the last act: its opposite, or a room as it was before. */
  async undo() {
    const last = this.done.pop();
    if (!last) return void toast(t("bar.nothing"));
    if (last.back) return this.run({ id: "back", group: "change", line: last.back }, last.back, {}, true);
    this.#show("ask", h("div", {}, h("strong", { text: t("bar.forkTitle") }), h("small", { text: t("bar.forkText", { line: last.line, revision: last.revision }) }),
      h("span.row", {}, h("button.button.primary", { type: "button", id: "bar-fork-now", text: t("bar.forkNow"), onclick: () => void this.#fork(last) }))));
    document.getElementById("bar-fork-now")?.focus();
  }

  /** @param {Done} done */
  async #fork(done) {
    try {
      const room = await this.page.api.fork(done.revision);
      this.#show("done", h("span.sign", { text: "✓", "aria-hidden": "true" }), h("span", { text: t("bar.forked", { revision: done.revision }) }), h("a.button.primary", { href: room.url, target: "_blank", rel: "noopener", id: "bar-forked", text: t("bar.goFork") }));
      document.getElementById("bar-forked")?.focus();
    } catch (error) {
      this.#show("failed", h("span.sign", { text: "✕", "aria-hidden": "true" }), h("span", { text: /** @type {Error} */ (error).message }));
    }
  }

  /** Waits for the terminal's prompt; a command that stays is ended only if the person says so. @returns {Promise<boolean>} */
  async #free() {
    const { terminal } = this.page;
    await terminal.ready;
    const since = performance.now();
    while (terminal.running && performance.now() - since < PATIENCE) await rest(40);
    if (terminal.pending) terminal.screen.input("\x03");
    if (!terminal.running) return true;
    const name = terminal.command.split("\n")[0];
    return new Promise((settle) => {
      const stop = async () => {
        this.cancel = null;
        for (let tries = 0; terminal.running && tries < 40; tries++) {
          if (tries % 10 === 0) terminal.screen.input(tries < 20 ? "\x03" : "\x04");
          await rest(60);
        }
        settle(!terminal.running);
        if (terminal.running) toast(t("bar.stuck", { command: name }), true);
      };
      this.cancel = () => settle(false);
      this.#show("ask", h("span", { text: t("bar.busy", { command: name }) }), h("button.button.primary", { type: "button", id: "bar-stop", text: t("bar.stop"), onclick: () => void stop() }));
      document.getElementById("bar-stop")?.focus();
    });
  }

  /** @param {string} line @param {boolean} holds it keeps the keys @returns {Promise<number|null>} its exit code; null: it goes on, or nobody knows */
  #type(line, holds) {
    const { terminal } = this.page;
    docks.set("bottom", { folded: false });
    const draft = terminal.line.line;
    if (draft) terminal.rest = draft;
    terminal.run(line);
    const name = terminal.running;
    if (holds) return Promise.resolve(null);
    byId("eye").focus({ preventScroll: true });
    return new Promise((settle) => {
      const end = (/** @type {any} */ exit) => {
        if (exit?.id && exit.id !== name) return;
        terminal.socket.off("terminal.exit", end);
        terminal.socket.off("disconnect", lost);
        settle(exit?.code ?? null);
      };
      const lost = () => end(null);
      terminal.socket.on("terminal.exit", end);
      terminal.socket.on("disconnect", lost);
    });
  }
}

/** @param {number} milliseconds */
const rest = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
