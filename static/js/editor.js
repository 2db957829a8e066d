/**
 * The YAML editor: files of the room's workstation in tabs; what the API server says of them out, as a dry run while one types and for
 * real on Apply. This is its frame. The text stands in a plain text area until somebody reaches for it; editor library, completion,
 * diff, gallery and the rest (editor/*.js) are loaded when they are first used.
 */
import { byId, h, icon, toast } from "./dom.js";
import { Files, passing } from "./editor/files.js";
import { printed, placeOf } from "./editor/results.js";
import { StandIn } from "./editor/standin.js";
import { onLanguage, t } from "./i18n.js";
import { once } from "./lazy.js";

const MAC = /Mac/.test(navigator.platform);

export class Editor {
  /** @param {HTMLElement} host @param {import("./api.js").Api} api @param {(id: string) => void} show */
  constructor(host, api, show) {
    this.api = api;
    this.show = show;
    /** Runs a line in the terminal. @type {(line: string) => void} */
    this.run = () => {};
    /** Tells a command that waits what its file was saved as, or that it was closed without (null). @type {(id: string, text: string|null) => Promise<boolean>} whether it still waited */
    this.answer = async () => false;
    this.applying = false;
    this.host = host;
    this.files = new Files(this);
    this.tabs = h("div.file-tabs", { role: "tablist", "data-i18n-label": "editor.files" });
    this.tools = h("div.bar");
    this.frame = h("div.editor");
    this.results = h("div.results", { role: "log", "aria-live": "polite", tabindex: "0", "data-i18n-label": "editor.results" });
    host.append(this.tabs, this.tools, this.frame, this.results, h("span.sr-only", { id: "editor-keys", "data-i18n": "editor.keys" }));
    /** @type {StandIn|import("./editor/view.js").View} */
    this.surface = new StandIn(this.frame, {
      changed: (text) => this.edited(text), wanted: () => void this.open(),
      keys: { Enter: () => void this.apply(), s: () => void this.store() },
    });
    /** The real editor. */
    this.open = once(async () => (this.surface = new (await import("./editor/view.js")).View(this.frame, this, /** @type {StandIn} */ (this.surface))));
    onLanguage(() => this.#words());
    for (const target of [host, byId("stage")]) this.#drops(target);
    new MutationObserver(() => this.#words()).observe(document.body, { attributeFilter: ["data-past"] });
    this.#words();
  }

  #acts() {
    return import("./editor/acts.js");
  }

  /** Files can be dropped there. @param {HTMLElement} target */
  #drops(target) {
    /** @param {DragEvent} event */
    const files = (event) => event.dataTransfer?.types.includes("Files");
    target.addEventListener("dragover", (event) => files(event) && (event.preventDefault(), (target.dataset.drop = t("editor.drop"))));
    target.addEventListener("dragleave", (event) => !target.contains(/** @type {Node|null} */ (event.relatedTarget)) && delete target.dataset.drop);
    target.addEventListener("drop", (event) => {
      delete target.dataset.drop;
      if (!files(event) || !event.dataTransfer) return;
      event.preventDefault();
      const data = event.dataTransfer;
      const kept = { files: [...data.files] };
      void this.#acts().then(({ dropped }) => dropped(this, /** @type {any} */ (kept)));
    });
  }

  /** Whether the cluster is looked at as it was: nothing can be changed then. */
  get past() {
    return Boolean(document.body.dataset.past);
  }

  #words() {
    /** @param {string} label @param {string} key @param {() => void} run @param {string} [kind] */
    const button = (label, key, run, kind = "") => h(`button.button${kind}`, { type: "button", onclick: run }, label, key && h("kbd", { text: key }));
    this.save = button(t("editor.save"), MAC ? "⌘S" : "Ctrl S", () => this.store());
    this.button = button(t("editor.apply"), MAC ? "⌘↵" : "Ctrl ↵", () => this.apply(), ".primary");
    /** @param {string} name @param {string} label @param {(event: Event) => void} run */
    const small = (name, label, run) => h("button.icon", { type: "button", "aria-label": label, title: label, onclick: run }, icon(name));
    this.tools.replaceChildren(
      button(t("editor.examples"), "", () => this.gallery()), h("span.grow"), small("diff", t("editor.diff"), () => this.diff()), small("format", t("editor.format"), () => this.format()),
      small("more", t("editor.more"), (event) => void this.#acts().then(({ menu }) => menu(this, /** @type {HTMLElement} */ (event.target).closest("button") ?? this.tools))), this.save, this.button);
    if (!this.results.querySelector("p:not(.quiet)")) this.results.replaceChildren(h("p.quiet", { text: t("editor.hint") }));
    this.#able();
  }

  #able() {
    const { now } = this.files;
    if (this.save) this.save.disabled = this.past || !(this.files.dirty() || now?.waits);
    if (this.button) this.button.disabled = this.past || this.applying;
    this.save?.classList.toggle("primary", this.live);
    this.button?.toggleAttribute("hidden", this.live);
  }

  focus() {
    this.surface.focus();
  }

  /** CodeMirror's view, once it is loaded. @returns {any} */
  get view() {
    return "view" in this.surface ? this.surface.view : null;
  }

  get text() {
    return this.surface.text;
  }

  /** @param {string} text @param {boolean} [top] whether the cursor goes to the top */
  set(text, top = true) {
    this.surface.set(text, top);
  }

  /** An example, in a tab: as it is, or beside what was made of it. @param {string} name @param {string} yaml */
  take(name, yaml) {
    const open = this.files.open.find((one) => one.name === name);
    if (open && !this.files.dirty(open)) return this.files.show(this.files.open.indexOf(open));
    this.files.new(yaml, name);
  }

  /** What the editor can do, for the palette and the keys. @param {import("./actions.js").Actions} actions @param {() => void} open shows the editor */
  register(actions, open) {
    /** @param {string} id @param {string} key @param {() => unknown} run @param {string} [hint] @param {boolean} [acts] */
    const add = (id, key, run, hint, acts = false) => actions.add({ id, label: () => t(key), hint, when: acts ? () => !this.past : undefined, run: () => (open(), void run()) });
    add("examples", "gallery.title", () => this.gallery());
    add("newFile", "editor.new", () => this.files.new());
    add("diff", "editor.diff", () => this.diff());
    add("format", "editor.format", () => this.format(), "Alt Shift F");
    add("applyOne", "editor.applyOne", () => this.#acts().then(({ applyOne }) => applyOne(this)), undefined, true);
    add("dryRun", "editor.dryRun", () => this.apply(this.text, true), undefined, true);
    add("deleteThese", "editor.deleteThese", () => this.#acts().then(({ deleteThese }) => deleteThese(this)), undefined, true);
    add("export", "export.open", () => this.#acts().then(({ exported }) => exported(this, {})));
    add("exportDownload", "export.download", () => this.#acts().then(({ download }) => download(this, {})));
  }

  /** The text is another now. @param {string} text */
  edited(text) {
    this.files.edited(text);
    this.#able();
  }

  /** Whether the text is a live object's, which goes back to the command that waits for it. */
  get live() {
    const { now } = this.files;
    return Boolean(now && passing(now));
  }

  get kept() {
    return this.files.now?.kept ?? "";
  }

  load() {
    return this.files.restore("nginx-deploy.yml");
  }

  /** Opens a file of the workstation. @param {string} name */
  async openFile(name) {
    try {
      const text = await this.api.read(name);
      this.files.put(name, text, text);
    } catch (error) {
      toast(/** @type {Error} */ (error).message, true);
    }
  }

  /** A command at the terminal waits until a text is saved or closed. @param {{name: string, id: string, text: string, fresh: boolean}} file */
  wait({ name, id, text, fresh }) {
    this.files.put(name, text, fresh ? null : text);
    const { now } = this.files;
    if (now?.name !== name) return void this.answer(id, null);
    now.waits = id;
    this.results.replaceChildren(h("p.quiet", { text: t("editor.waits") }));
    this.edited(this.text);
    this.focus();
  }

  /** Nobody waits any more for one, or for any. @param {string} [id] */
  forget(id) {
    for (const one of this.files.open.filter(({ waits }) => waits && waits === (id ?? waits))) {
      delete one.waits;
      if (passing(one)) this.files.dirty(one) ? this.files.keep(one) : this.files.close(this.files.open.indexOf(one), false);
    }
    this.#able();
  }

  /** Files of the workstation are not what they were. @param {string[]} names */
  changed(names) {
    return this.files.changed(names);
  }

  /** Writes what is edited to its file. */
  async store() {
    const one = this.files.now;
    if (!one || this.past) return;
    try {
      const { text } = this;
      const heard = await this.files.over(one, text);
      if (passing(one)) return this.files.close(this.files.open.indexOf(one), !heard);
      if (!heard) await this.api.write(one.name, text);
      one.kept = text;
      this.files.draw();
      this.edited(this.text);
      toast(t("editor.saved", { name: one.name }));
    } catch (error) {
      toast(/** @type {Error} */ (error).message, true);
    }
  }

  /** Applies what is edited, or a part of it. @param {string} [text] @param {boolean} [dry] only says what would be */
  async apply(text = this.text, dry = false) {
    if (this.live) return this.store();
    if (this.applying || this.past || !text.trim()) return;
    this.applying = true;
    this.#able();
    try {
      const { results } = await this.api.apply(text, dry, undefined, this.files.now?.name);
      this.print(results);
    } catch (error) {
      this.print([{ ok: false, error: /** @type {Error} */ (error).message }]);
    } finally {
      this.applying = false;
      this.#able();
    }
  }

  /** @param {any[]} results as `apply` answers */
  print(results) {
    this.results.replaceChildren(...printed(results, { show: this.show, jump: (at) => this.jump(at) }));
    this.results.scrollTop = 0;
  }

  /** @param {{line?: number, column?: number}} at */
  jump(at) {
    if (!at.line) return;
    const { from, to } = placeOf(this.text, at.line, at.column);
    this.surface.select(from, to);
  }

  /** Examples and files, to choose from. @param {string} [category] */
  gallery(category) {
    return import("./editor/gallery.js").then(({ gallery }) => gallery(this, category));
  }

  /** What Apply would change. */
  diff() {
    return import("./editor/diff.js").then(({ diff }) => diff(this));
  }

  /** The same manifest as it is usually written. */
  format() {
    return import("./editor/format.js").then(({ format }) => format(this));
  }
}
