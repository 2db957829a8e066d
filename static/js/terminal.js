/**
 * The terminal: xterm.js draws, our line editor types, the room's shell answers over Socket.IO as it goes. Whatever is printed is
 * also kept as text for screen readers.
 */
import { FitAddon, Terminal as Screen } from "../vendor/xterm.js";
import { byId, h } from "./dom.js";
import { t } from "./i18n.js";
import { LineEditor } from "./lineeditor.js";
import { onTheme } from "./theme.js";

const PROMPT = "\x1b[1;32m$\x1b[0m ";
const PROMPT_WIDTH = 2;
const MAX_LOG = 200;
const THEMES = {
  dark: { background: "#0b0f13", foreground: "#d7dee6", cursor: "#53f3ce", selectionBackground: "#2b4a48", black: "#1b232c", green: "#53f3ce", brightGreen: "#53f3ce", yellow: "#f6b027", red: "#ff8a73", blue: "#6cabe0", brightBlack: "#8390a0" },
  light: { background: "#f3f3ee", foreground: "#1b2127", cursor: "#1f7a67", selectionBackground: "#c9e2da", black: "#1b2127", green: "#1f7a67", brightGreen: "#1f7a67", cursorAccent: "#f3f3ee", yellow: "#856118", red: "#8d1420", blue: "#0d3d86", brightBlack: "#565f68" },
};

export class Terminal {
  /** @param {HTMLElement} host @param {any} socket @param {string} room @param {(name: string) => string|null} find @param {(id: string) => void} show */
  constructor(host, socket, room, find, show) {
    this.socket = socket;
    this.store = `podium.history.${room}`;
    this.line = new LineEditor(JSON.parse(localStorage.getItem(this.store) ?? "[]"));
    /** @type {string|null} the command that runs */
    this.running = null;
    /** @type {string[]} lines pasted behind it */
    this.queue = [];
    this.count = 0;
    this.rows = 0;
    this.column = 0;
    this.screen = new Screen({ fontFamily: '"JetBrains Mono", "NanumGothicCoding", monospace', fontSize: 12.5, lineHeight: 1.25, cursorBlink: false, cursorStyle: "bar", cursorWidth: 2, scrollback: 5000, convertEol: true, screenReaderMode: false, allowTransparency: false });
    this.fitter = new FitAddon();
    this.screen.loadAddon(this.fitter);
    this.screen.open(host);
    onTheme((theme) => (this.screen.options.theme = THEMES[theme]));
    new ResizeObserver(() => this.fit()).observe(host);
    this.screen.onData((/** @type {string} */ data) => this.#typed(data));
    this.screen.attachCustomKeyEventHandler((/** @type {KeyboardEvent} */ event) => this.#leave(event));
    this.screen.registerLinkProvider({ provideLinks: (/** @type {number} */ y, /** @type {any} */ done) => done(this.#links(y, find, show)) });
    socket.on("terminal.output", (/** @type {any} */ output) => output.id === this.running && this.#print(output.data, output.stream));
    socket.on("terminal.exit", (/** @type {any} */ exit) => exit.id === this.running && this.#ended());
    socket.on("disconnect", () => this.running && (this.#print("\n", "stderr"), this.#ended()));
    this.screen.write(`\x1b[90m${t("terminal.welcome")}\x1b[0m\r\n`);
    this.#prompt();
  }

  fit() {
    try {
      this.fitter.fit();
    } catch {
      return;
    }
  }

  focus() {
    this.screen.focus();
  }

  /** Runs a line as if it had been typed. @param {string} line */
  run(line) {
    this.line.set("");
    this.#typed(`${line}\r`);
    this.focus();
  }

  /** Escape leaves the terminal for people who go by keyboard. @param {KeyboardEvent} event */
  #leave(event) {
    if (event.type === "keydown" && event.key === "Escape" && !this.running) {
      byId("stage").querySelector("[tabindex='0']")?.focus();
      return false;
    }
    return !((event.ctrlKey || event.metaKey) && event.key === "k" && event.shiftKey);
  }

  /** @param {string} data */
  #typed(data) {
    if (this.running) {
      if (data === "\x03") {
        this.queue = [];
        this.screen.write("^C");
        this.socket.emit("terminal.interrupt", { id: this.running });
      } else if (data.length > 1 && /[\r\n]/.test(data) && !data.startsWith("\x1b")) this.queue.push(data);
      else {
        this.screen.write(data.replace(/\r/g, "\r\n").replace(/\x7f/g, "\b \b"));
        this.socket.emit("terminal.input", { id: this.running, data: data.replace(/\r/g, "\n") });
      }
      return;
    }
    const parts = data.length > 1 && !data.startsWith("\x1b") ? data.split(/(?<=[\r\n])/) : [data];
    for (let i = 0; i < parts.length; i++) {
      if (this.running) {
        this.queue.push(parts.slice(i).join(""));
        return;
      }
      for (const act of this.line.feed(parts[i])) this.#do(act);
    }
  }

  /** @param {import("./lineeditor.js").Act} act */
  #do(act) {
    switch (act.type) {
      case "draw": this.#draw(); break;
      case "run": this.#start(act.line ?? ""); break;
      case "complete": this.#complete(); break;
      case "clear": this.screen.clear(); this.screen.write("\x1b[2J\x1b[H"); this.rows = 0; this.#prompt(); this.#draw(); break;
      case "interrupt": this.screen.write("^C\r\n"); this.rows = 0; this.#prompt(); break;
      case "end": break;
    }
  }

  #prompt() {
    this.rows = 0;
    this.screen.write(`${this.column ? "\r\n" : ""}${PROMPT}`);
    this.column = 0;
  }

  /** Draws the line again over itself, however many rows it takes. */
  #draw() {
    const width = Math.max(10, this.screen.cols);
    const before = cells(this.line.line.slice(0, this.line.cursor)) + PROMPT_WIDTH;
    const all = cells(this.line.line) + PROMPT_WIDTH;
    let out = this.rows ? `\x1b[${this.rows}A` : "";
    out += `\r\x1b[J${PROMPT}${this.line.line}`;
    if (all % width === 0) out += "\r\n";
    const up = Math.floor(all / width) - Math.floor(before / width);
    if (up > 0) out += `\x1b[${up}A`;
    out += `\r${before % width ? `\x1b[${before % width}C` : ""}`;
    this.rows = Math.floor(before / width);
    this.screen.write(out);
  }

  /** @param {string} line */
  #start(line) {
    this.line.cursor = this.line.line.length;
    this.screen.write("\r\n");
    this.rows = 0;
    this.column = 0;
    localStorage.setItem(this.store, JSON.stringify(this.line.history.slice(-100)));
    if (!line.trim()) return this.#prompt();
    if (line.trim() === "clear") return this.#do({ type: "clear" });
    this.#log(`$ ${line}`);
    this.running = `${Date.now()}-${++this.count}`;
    this.socket.emit("terminal.start", { id: this.running, line });
  }

  /** @param {string} data @param {string} stream */
  #print(data, stream) {
    this.screen.write(stream === "stderr" ? `\x1b[31m${data}\x1b[0m` : data);
    this.column = data.endsWith("\n") ? 0 : 1;
    this.#log(data);
  }

  #ended() {
    this.running = null;
    this.#prompt();
    const next = this.queue.shift();
    if (next !== undefined) this.#typed(next);
    else if (this.line.line) this.#draw();
  }

  async #complete() {
    const { line, cursor } = this.line;
    const answer = await this.socket.timeout(3000).emitWithAck("terminal.complete", { line, cursor }).catch(() => null);
    if (!answer?.candidates?.length || this.line.line !== line) return;
    /** @type {string[]} */
    const candidates = answer.candidates.map((/** @type {any} */ one) => one.value ?? one);
    const typed = line.slice(answer.from, cursor);
    let common = candidates[0];
    for (const one of candidates) while (!one.startsWith(common)) common = common.slice(0, -1);
    if (candidates.length === 1 && !/[=/:]$/.test(common)) common += " ";
    if (common.length > typed.length) {
      this.line.set(line.slice(0, answer.from) + common + line.slice(cursor), answer.from + common.length);
      return this.#draw();
    }
    if (candidates.length < 2) return;
    const width = Math.max(...candidates.map((one) => one.length)) + 2;
    const across = Math.max(1, Math.floor(this.screen.cols / width));
    let out = "\r\n";
    candidates.slice(0, 120).forEach((one, index) => (out += one.padEnd(width) + ((index + 1) % across === 0 ? "\r\n" : "")));
    this.screen.write(out.endsWith("\r\n") ? out : `${out}\r\n`);
    this.rows = 0;
    this.#draw();
  }

  /** Names of things in the scene can be clicked. @param {number} y @param {(name: string) => string|null} find @param {(id: string) => void} show */
  #links(y, find, show) {
    const text = this.screen.buffer.active.getLine(y - 1)?.translateToString(true) ?? "";
    const links = [];
    for (const match of text.matchAll(/[a-z0-9][a-z0-9./-]*[a-z0-9]/g)) {
      const id = find(match[0]);
      if (!id) continue;
      links.push({ text: match[0], range: { start: { x: match.index + 1, y }, end: { x: match.index + match[0].length, y } }, activate: () => show(id) });
    }
    return links;
  }

  /** @param {string} text */
  #log(text) {
    const log = byId("terminal-log");
    log.append(h("pre", { text }));
    while (log.childElementCount > MAX_LOG) log.firstElementChild?.remove();
  }
}

/** Columns a text takes: Hangul and other wide letters take two. @param {string} text */
export function cells(text) {
  let count = 0;
  for (const letter of text) count += /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/.test(letter) ? 2 : 1;
  return count;
}
