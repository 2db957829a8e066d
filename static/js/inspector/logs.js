/**
 * A container's log, followed by `kubectl logs -f` as long as it is looked at: lines come in as they are printed, a bounded number is kept.
 * Who scrolls up reads on undisturbed; at the end it follows again. Of the past the log is read once, as it was.
 */
import { h, toast } from "../dom.js";
import { t } from "../i18n.js";
import { parseId } from "../scene.js";
import { copier, Finder } from "./find.js";
import { Run, quoted } from "./run.js";

const MOST = 2000;
const TAIL = 500;
/** After so many characters the terminal is told that somebody still reads, or it would cut the output. */
const RENEW = 1_000_000;
const ESCAPES = /\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[()][A-Z0-9]|\r/g;

export class LogsView {
  /** @param {import("./panel.js").Panel} panel */
  constructor(panel) {
    this.panel = panel;
    this.parts = ["about"];
    /** @type {Run|null} */
    this.run = null;
    this.rest = "";
    this.heard = 0;
    this.dropped = 0;
    this.follows = true;
    this.turn = 0;
    this.restarts = 0;
    this.ended = false;
    /** @type {string|undefined} the container's state when it was last seen */
    this.was = undefined;
    const again = () => this.start();
    this.which = h("select", { id: "logs-container", "aria-label": t("inspect.container"), onchange: again });
    /** @param {string} id @param {string} key @param {() => void} onchange @param {boolean} [checked] */
    const check = (id, key, onchange, checked = false) => {
      const input = h("input", { type: "checkbox", id, checked, onchange });
      return [input, h("label.check", {}, input, h("span", { text: t(key) }))];
    };
    const [previous, previousLabel] = check("logs-previous", "inspect.previous", again);
    this.previous = previous;
    this.previousLabel = previousLabel;
    const [times, timesLabel] = check("logs-times", "inspect.timestamps", again);
    const [wrap, wrapLabel] = check("logs-wrap", "inspect.wrap", () => this.code.classList.toggle("wrap", wrap.checked), true);
    this.times = times;
    this.finder = new Finder("logs-find", () => /** @type {any} */ (this.code.children), (line) => ((this.follows = false), line.scrollIntoView({ block: "center" }), this.#say()));
    this.code = h("div.code.log.wrap", { role: "log", tabIndex: 0, "aria-live": "off", "aria-label": t("inspect.logs"), onscroll: () => this.#scrolled() });
    this.state = h("span.state", { role: "status" });
    this.down = h("button.button", { type: "button", id: "logs-follow", hidden: true, text: t("inspect.toEnd"), onclick: () => ((this.follows = true), this.#end(), this.#say()) });
    this.element = h("div.view.fixed", {}, h("div.strip", {}, this.which, this.finder.element, copier("logs-copy", () => this.text(), () => toast(t("help.copied")))), h("div.strip.low", {}, timesLabel, wrapLabel, this.previousLabel), this.code, h("div.foot", {}, this.state, this.down));
  }

  text() {
    return [...this.code.children].map((line) => line.textContent).join("\n");
  }

  begin() {
    this.stop();
    this.which.replaceChildren();
    this.previous.checked = false;
    this.code.replaceChildren();
    this.state.textContent = t("inspect.loading");
  }

  update() {
    const found = this.panel.detail?.about?.containers ?? [];
    if (!found.length) return;
    const names = found.map((/** @type {any} */ one) => one.name);
    const had = [...this.which.options].map((one) => one.value);
    if (names.join() !== had.join()) {
      const chosen = this.which.value;
      this.which.replaceChildren(...found.map((/** @type {any} */ one) => h("option", { value: one.name, text: one.role ? `${one.name} (${one.role})` : one.name })));
      const failing = found.find((/** @type {any} */ one) => !one.ready && one.state !== "waiting");
      this.which.value = names.includes(chosen) ? chosen : this.panel.state.container && names.includes(this.panel.state.container) ? this.panel.state.container : failing?.role ? failing.name : names[0];
    }
    this.which.hidden = names.length < 2;
    const own = found.find((/** @type {any} */ one) => one.name === this.which.value);
    this.previousLabel.hidden = !own?.previous && !this.previous.checked;
    if (!this.run && !this.turn) this.start();
    else if (own && this.ended && this.panel.past === null && !this.previous.checked && (own.restarts !== this.restarts || (own.state === "running" && this.was !== "running"))) this.start();
    this.restarts = own?.restarts ?? 0;
    this.was = own?.state;
  }

  stop() {
    this.run?.stop();
    this.run = null;
    this.turn = 0;
  }

  start() {
    const { id, past } = this.panel;
    if (!id) return;
    this.stop();
    const turn = (this.turn = performance.now());
    const { ns, name } = parseId(id);
    const options = [`-c ${quoted(this.which.value)}`, `--tail=${TAIL}`, this.times.checked && "--timestamps", this.previous.checked && "--previous"].filter(Boolean).join(" ");
    const line = `kubectl logs ${quoted(name)} -n ${quoted(ns)} ${options}`;
    this.code.replaceChildren();
    this.rest = "";
    this.heard = this.dropped = 0;
    this.follows = true;
    this.ended = false;
    this.state.textContent = t("inspect.loading");
    if (past !== null || this.previous.checked) {
      this.panel.api.terminal(line).then((/** @type {any} */ said) => turn === this.turn && (this.#hear(said.stdout), this.#hear(said.stderr, "stderr"), this.#stopped(0)), (/** @type {Error} */ error) => turn === this.turn && (this.#hear(`${error.message}\n`, "stderr"), this.#stopped(1)));
      return;
    }
    this.run = new Run(this.panel.acts.live.socket, `${line} -f`, { output: (data, stream) => this.#hear(data, stream), exit: (code) => this.#stopped(code) });
    this.#say();
  }

  /** @param {string} data @param {string} [stream] */
  #hear(data, stream = "stdout") {
    this.heard += data.length;
    if (this.heard > RENEW) {
      this.heard = 0;
      this.run?.input("");
    }
    const lines = (this.rest + data.replace(ESCAPES, "")).split("\n");
    this.rest = lines.pop() ?? "";
    if (lines.length > MOST) this.dropped += lines.splice(0, lines.length - MOST).length;
    this.code.append(...lines.map((line) => h(stream === "stderr" ? "div.line.bad" : "div.line", { text: line || " " })));
    while (this.code.childElementCount > MOST) {
      this.code.firstElementChild?.remove();
      this.dropped++;
    }
    if (this.finder.input.value) this.finder.again();
    this.#end();
    this.#say();
  }

  /** @param {number|null} code */
  #stopped(code) {
    this.ended = true;
    if (this.rest) this.#hear("\n");
    if (code === null) this.panel.acts.live.socket.once("connect", () => this.panel.view === "logs" && this.start());
    this.#say();
  }

  #say() {
    const count = this.code.childElementCount;
    const state = this.panel.past !== null ? "inspect.asOf" : this.ended ? (count ? "inspect.logsEnded" : "inspect.noLogs") : this.follows ? "inspect.following" : "inspect.reading";
    this.state.textContent = [t(state), this.dropped ? t("inspect.dropped", { count: this.dropped, kept: MOST }) : ""].filter(Boolean).join(" · ");
    this.state.classList.toggle("live", !this.ended && this.follows && this.panel.past === null);
    this.down.hidden = this.follows;
  }

  #scrolled() {
    const { scrollTop, clientHeight, scrollHeight } = this.code;
    const end = scrollTop + clientHeight >= scrollHeight - 24;
    if (end === this.follows) return;
    this.follows = end;
    this.#say();
  }

  #end() {
    if (this.follows) this.code.scrollTop = this.code.scrollHeight;
  }

  leave() {
    this.stop();
    this.finder.leave();
  }
}
