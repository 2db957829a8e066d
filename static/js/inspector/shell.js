/**
 * A shell in a container: `kubectl exec -it` in a terminal of the panel's own, or for all to see in the page's terminal. It goes on while
 * other tabs are looked at and ends when another thing is.
 */
import { h } from "../dom.js";
import { t } from "../i18n.js";
import { parseId } from "../scene.js";
import { Run, quoted } from "./run.js";

const SHELLS = ["sh", "bash"];

export class ShellView {
  /** @param {import("./panel.js").Panel} panel */
  constructor(panel) {
    this.panel = panel;
    this.parts = ["about"];
    /** @type {Run|null} */
    this.run = null;
    /** @type {any} */
    this.screen = null;
    this.which = h("select", { id: "shell-container", "aria-label": t("inspect.container"), onchange: () => this.#say() });
    this.shell = h("select", { id: "shell-program", "aria-label": t("inspect.program"), onchange: () => this.#say() }, ...SHELLS.map((value) => h("option", { value, text: value })));
    this.command = h("code.said", {});
    this.here = h("button.button.primary", { type: "button", id: "shell-here", text: t("inspect.shellHere"), onclick: () => void this.#open() });
    this.there = h("button.button", { type: "button", id: "shell-there", text: t("inspect.shellThere"), onclick: () => panel.acts.run(this.line()) });
    this.note = h("p.note", { hidden: true });
    this.hint = h("p.quiet", { text: t("inspect.shellHint") });
    this.host = h("div.screen", { hidden: true });
    this.element = h("div.view.fixed.shell", {}, h("div.strip", {}, this.which, this.shell, this.here, this.there), this.command, this.hint, this.note, this.host);
    new ResizeObserver(() => this.#fit()).observe(this.host);
  }

  line() {
    const { ns, name } = parseId(this.panel.id ?? "");
    return ["kubectl exec -it", quoted(name), ns && ns !== "default" ? `-n ${quoted(ns)}` : "", this.which.options.length > 1 ? `-c ${quoted(this.which.value)}` : "", "--", this.shell.value].filter(Boolean).join(" ");
  }

  begin() {
    this.run?.stop();
    this.run = null;
    this.host.hidden = true;
    this.which.replaceChildren();
  }

  update() {
    const found = (this.panel.detail?.about?.containers ?? []).filter((/** @type {any} */ one) => one.role !== "init" || one.state === "running");
    const names = found.map((/** @type {any} */ one) => one.name);
    if (names.join() !== [...this.which.options].map((one) => one.value).join()) {
      const chosen = this.which.value;
      this.which.replaceChildren(...names.map((/** @type {string} */ value) => h("option", { value, text: value })));
      if (names.includes(chosen)) this.which.value = chosen;
    }
    this.which.hidden = names.length < 2;
    const own = found.find((/** @type {any} */ one) => one.name === this.which.value);
    const why = this.panel.past !== null ? t("inspect.noShellPast") : this.panel.gone ? t("inspect.gone") : own && own.state !== "running" ? t("inspect.noShell", { state: own.reason ?? own.state }) : "";
    this.note.textContent = why;
    this.note.hidden = !why;
    this.here.disabled = this.there.disabled = !!why || !own;
    this.#say();
  }

  #say() {
    this.command.textContent = `$ ${this.line()}`;
    this.hint.hidden = !this.host.hidden;
  }

  async #open() {
    this.run?.stop();
    this.here.disabled = true;
    const parts = Promise.all([import("../../vendor/xterm.js"), import("../terminal.js"), import("../theme.js")]);
    const [{ FitAddon, Terminal }, { THEMES }, { current, letters }] = await parts.finally(() => (this.here.disabled = false));
    if (!this.screen) {
      this.screen = new Terminal({ fontFamily: '"JetBrains Mono", "NanumGothicCoding", monospace', fontSize: letters(), lineHeight: 1.25, cursorBlink: false, cursorStyle: "bar", cursorWidth: 2, scrollback: 2000, convertEol: true, screenReaderMode: true });
      this.fitter = new FitAddon();
      this.screen.loadAddon(this.fitter);
      this.host.hidden = false;
      this.screen.open(this.host);
      this.screen.onData((/** @type {string} */ data) => this.run?.input(data));
      this.screen.onResize((/** @type {{cols: number, rows: number}} */ { cols, rows }) => this.run?.resize(cols, rows));
      this.screen.attachCustomKeyEventHandler((/** @type {KeyboardEvent} */ event) => !((event.ctrlKey || event.metaKey) && event.key === "`"));
    }
    Object.assign(this.screen.options, { theme: THEMES?.[current()] ?? {}, fontSize: letters() });
    this.host.hidden = false;
    this.#say();
    this.screen.reset();
    this.#fit();
    const line = this.line();
    this.screen.write(`\x1b[90m$ ${line}\x1b[0m\r\n`);
    this.run = new Run(this.panel.acts.live.socket, line, {
      output: (data, stream) => this.screen.write(stream === "stderr" ? `\x1b[31m${data}\x1b[0m` : data),
      exit: (code) => this.screen.write(`\r\n\x1b[90m${t(code === null ? "inspect.shellLost" : "inspect.shellEnded", { code: code ?? "" })}\x1b[0m\r\n`),
    }, { columns: this.screen.cols, rows: this.screen.rows });
    this.screen.focus();
  }

  #fit() {
    if (this.host.hidden || !this.screen || !this.host.clientHeight) return;
    try {
      this.fitter?.fit();
    } catch {
      return;
    }
  }

  leave() {}
}
