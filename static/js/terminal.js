/**
 * The terminal: xterm.js draws, our line editor types at the prompt, the shell of the room's workstation answers over Socket.IO as it
 * goes. While a command runs, keys go to the command's own terminal on the server as they come. Whatever is printed is also kept as text
 * for screen readers. Until somebody is there to use it, prompt.js stands in its place; then xterm.js is loaded.
 */
import { byId, clip, h } from "./dom.js";
import { t } from "./i18n.js";
import { kept } from "./kept.js";
import { insist } from "./lazy.js";
import { LineEditor } from "./lineeditor.js";
import { Prompt } from "./prompt.js";
import { letters, onTheme } from "./theme.js";

const MAX_LOG = 200;
const MAX_NAME = 40;
/** A command that has run for so long, in milliseconds, is one to talk with. */
const LONG = 600;
/** The beginning of a frame of a program that paints the whole screen. */
const FRAME = /\x1b\[(?:H|1;1H|2J|\?1049h)/;
const MAX_LOG_TEXT = 20000;
const ESCAPES = /\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[()][A-Z0-9]|\x1b[=>78]|[\x00-\x08\x0b\x0c\x0e-\x1f]/g;
export const THEMES = {
  dark: { background: "#0b0f13", foreground: "#d7dee6", cursor: "#53f3ce", selectionBackground: "#2b4a48", black: "#1b232c", green: "#53f3ce", brightGreen: "#53f3ce", yellow: "#f6b027", red: "#ff8a73", blue: "#6cabe0", brightBlack: "#8390a0" },
  light: { background: "#f3f3ee", foreground: "#1b2127", cursor: "#1a6d5c", selectionBackground: "#c9e2da", black: "#1b2127", green: "#1a6d5c", brightGreen: "#1a6d5c", cursorAccent: "#f3f3ee", yellow: "#7d5a13", red: "#8d1420", blue: "#0d3d86", brightBlack: "#565f68" },
};

export class Terminal {
  /** @param {HTMLElement} host @param {any} socket @param {string} room @param {(name: string) => string|null} find @param {(id: string) => void} show */
  constructor(host, socket, room, find, show) {
    this.socket = socket;
    this.store = `podium.history.${room}`;
    this.line = new LineEditor(kept.read(this.store, []));
    /** @type {string|null} the command that runs */
    this.running = null;
    /** @type {{text: string, drawn: number}|null} what was sent, until the shell says how much of it is a command */
    this.sent = null;
    /** what was typed of a command that is not whole yet, and pasted lines behind the one that runs */
    this.pending = "";
    this.queue = "";
    this.rest = "";
    this.ahead = "";
    this.command = "";
    this.lasting = false;
    this.patience = 0;
    this.place = "~";
    /** The kept revision that commands are of; null: now. @type {number|null} */
    this.at = null;
    this.count = 0;
    this.logged = true;
    this.rows = 0;
    this.column = 0;
    /** @type {any} */
    this.screen = null;
    this.prompt = new Prompt(host);
    this.ready = this.prompt.wanted.then(() => this.#open(host, find, show));
  }

  /** @param {HTMLElement} host @param {(name: string) => string|null} find @param {(id: string) => void} show */
  async #open(host, find, show) {
    const [{ FitAddon, Terminal: Screen }] = await Promise.all([insist(() => import("../vendor/xterm.js")), document.fonts.load('500 12px "JetBrains Mono"').catch(() => null)]);
    const { socket } = this;
    this.screen = new Screen({ fontFamily: '"JetBrains Mono", "NanumGothicCoding", monospace', fontSize: letters(), lineHeight: innerHeight > 820 ? 1.25 : 1.1, cursorBlink: false, cursorStyle: "bar", cursorWidth: 2, scrollback: 5000, convertEol: true, screenReaderMode: false, allowTransparency: false });
    this.fitter = new FitAddon();
    this.screen.loadAddon(this.fitter);
    const { text, held } = this.prompt.leave();
    this.screen.open(host);
    onTheme((theme) => (Object.assign(this.screen.options, { theme: THEMES[theme], fontSize: letters() }), this.fit()));
    new ResizeObserver(() => this.fit()).observe(host);
    this.screen.onData((/** @type {string} */ data) => this.#typed(data));
    this.screen.attachCustomKeyEventHandler((/** @type {KeyboardEvent} */ event) => this.#leave(event));
    this.screen.registerLinkProvider({ provideLinks: (/** @type {number} */ y, /** @type {any} */ done) => done(this.#links(y, find, show)) });
    this.screen.onResize((/** @type {{cols: number, rows: number}} */ { cols, rows }) => this.running && socket.emit("terminal.resize", { id: this.running, columns: cols, rows }));
    socket.on("terminal.taken", (/** @type {any} */ taken) => taken.id === this.running && this.#taken(taken));
    socket.on("terminal.output", (/** @type {any} */ output) => output.id.startsWith("@") || this.#print(output.data, output.stream, output.id === this.running));
    socket.on("terminal.exit", (/** @type {any} */ exit) => exit.id === this.running && this.#ended(exit));
    socket.on("disconnect", () => this.running && (this.#print("\n", "stderr", true), this.#ended({ place: "~" })));
    this.screen.write(`\x1b[90m${t("terminal.welcome")}\x1b[0m\r\n`);
    this.#prompt();
    if (held) this.screen.focus();
    if (text) this.#typed(text);
  }

  /** Loads it, if it is not here. */
  open() {
    this.prompt.want();
    return this.ready;
  }

  fit() {
    try {
      this.fitter?.fit();
    } catch {
      return;
    }
  }

  focus() {
    if (this.screen) this.screen.focus();
    else void this.open().then(() => this.screen.focus());
  }

  /** Runs a line as if it had been typed. @param {string} line */
  run(line) {
    if (!this.screen) return void this.open().then(() => this.run(line));
    this.line.set("");
    this.#typed(`${line}\r`);
    this.focus();
  }

  /** Leaves a line at the prompt, to be read and changed before Enter. @param {string} line */
  put(line) {
    if (!this.screen) return void this.open().then(() => this.put(line));
    if (!this.running) {
      this.line.set(line);
      this.#draw();
    }
    this.focus();
  }

  /** Keys that are the page's: Escape at the prompt and Ctrl with the grave accent at any time leave, what is marked is copied. @param {KeyboardEvent} event */
  #leave(event) {
    const ctrl = event.ctrlKey || event.metaKey;
    if (event.type !== "keydown") return true;
    if (event.key === "Escape" && !this.running && !this.line.search) return this.leave(), false;
    if (ctrl && event.key.toLowerCase() === "c" && (event.shiftKey || this.screen.hasSelection())) {
      event.preventDefault();
      void clip(this.screen.getSelection()).catch(() => {});
      this.screen.clearSelection();
      return false;
    }
    return !(ctrl && (event.key === "`" || event.key.toLowerCase() === "v" || (event.key.toLowerCase() === "k" && event.shiftKey)));
  }

  /** Gives the focus to the tree of the cluster. */
  leave() {
    byId("stage").querySelector("[tabindex='0']")?.focus();
  }

  /** What the keys do now: at the prompt, or in a command that runs for a while. */
  hint() {
    const command = this.lasting && this.running ? this.command.split("\n")[0] : "";
    byId("terminal-hint").textContent = command ? t("terminal.raw", { command: command.length > MAX_NAME ? `${command.slice(0, MAX_NAME)}…` : command }) : t("terminal.hint");
  }

  /** @param {boolean} lasting */
  #lasts(lasting) {
    this.lasting = lasting;
    this.hint();
  }

  /** @param {string} data */
  #typed(data) {
    if (this.sent) this.ahead += data;
    else if (this.running) this.socket.emit("terminal.input", { id: this.running, data });
    else if (data.length > 1 && /[\r\n]/.test(data) && !data.startsWith("\x1b")) this.#pasted(data.replace(/\r\n?/g, "\n"));
    else {
      this.line.literal = this.pending !== "";
      for (const act of this.line.feed(data)) this.#do(act);
    }
  }

  /** Whole lines run, what follows the last of them is left to be edited. @param {string} data */
  #pasted(data) {
    const { line, cursor } = this.line;
    const text = line.slice(0, cursor) + data + line.slice(cursor);
    const end = text.lastIndexOf("\n");
    this.rest = text.slice(end + 1);
    this.line.set("");
    this.#draw();
    for (const one of text.slice(0, end).split("\n")) this.line.remember(one);
    this.#send(text.slice(0, end), 0);
  }

  /** @param {import("./lineeditor.js").Act} act */
  #do(act) {
    switch (act.type) {
      case "draw": this.#draw(); break;
      case "run": this.#entered(act.line ?? "", act); break;
      case "complete": this.#complete(); break;
      case "clear": this.screen.clear(); this.screen.write("\x1b[2J\x1b[H"); this.rows = 0; this.#prompt(); this.#draw(); break;
      case "interrupt": this.pending = this.queue = ""; this.screen.write("^C\r\n"); this.rows = 0; this.#prompt(); break;
      case "end": break;
    }
  }

  /** What stands before the line, and how wide it is. @returns {[string, number]} */
  #before() {
    const { search } = this.line;
    if (search) {
      const text = `(${search.found ? "" : "failed "}reverse-i-search)\`${search.text}': `;
      return [text, cells(text)];
    }
    if (this.pending) return ["> ", 2];
    const place = this.place.length > 30 ? `…${this.place.slice(-29)}` : this.place;
    const at = this.at === null ? "" : `@${this.at}`;
    return [`\x1b[1;32mpodium\x1b[0m\x1b[1;34m${at}\x1b[0m:\x1b[1;34m${place}\x1b[0m$ `, cells(place) + at.length + 9];
  }

  #when() {
    return this.at === null ? {} : { revision: this.at };
  }

  /** From now on commands are about the cluster as it was at a revision; null: as it is. @param {number|null} revision */
  look(revision) {
    if (this.at === revision) return;
    this.at = revision;
    if (!this.screen) return void this.open();
    if (!this.running) this.#draw();
  }

  #prompt() {
    this.rows = 0;
    this.screen.write(`${this.column ? "\r\n" : ""}${this.#before()[0]}`);
    this.column = 0;
  }

  /** Draws the line again over itself, however many rows it takes. */
  #draw() {
    const width = Math.max(10, this.screen.cols);
    const [prompt, lead] = this.#before();
    const before = cells(this.line.line.slice(0, this.line.cursor)) + lead;
    const all = cells(this.line.line) + lead;
    let out = this.rows ? `\x1b[${this.rows}A` : "";
    out += `\r\x1b[J${prompt}${this.line.line}`;
    if (all % width === 0) out += "\r\n";
    const up = Math.floor(all / width) - Math.floor(before / width);
    if (up > 0) out += `\x1b[${up}A`;
    out += `\r${before % width ? `\x1b[${before % width}C` : ""}`;
    this.rows = Math.floor(before / width);
    this.screen.write(out);
  }

  /** Enter at the prompt. @param {string} line @param {import("./lineeditor.js").Act} act */
  #entered(line, { shown, printed, error }) {
    this.screen.write("\r\n");
    this.rows = this.column = 0;
    if (error) this.#print(`bash: ${error}\n`, "stderr", true);
    else if (shown) this.#print(`${line}\n`, "stdout", true);
    if (error || printed) return this.#prompt();
    kept.write(this.store, this.line.history.slice(-100));
    if (!this.pending && !line.trim()) return this.#prompt();
    if (!this.pending && line.trim() === "clear") return this.#do({ type: "clear" });
    this.#send(line, 1);
  }

  /** Gives a text to the shell, of which so many last lines are on the screen already. @param {string} text @param {number} drawn */
  #send(text, drawn) {
    if (!drawn && !this.pending) text = text.replace(/^\s*\n/, "");
    if (!drawn && !text.trim()) return this.#restore();
    const before = this.pending ? this.pending.split("\n").length - 1 : 0;
    this.sent = { text: this.pending + text, drawn: before + drawn };
    this.running = `${Date.now()}-${++this.count}`;
    this.socket.emit("terminal.start", { id: this.running, line: this.sent.text, columns: this.screen.cols, rows: this.screen.rows, ...this.#when() });
  }

  /** The shell has found the first whole command in what was sent, or none. @param {{lines: number, more: boolean}} taken */
  #taken({ lines, more }) {
    const { text, drawn } = /** @type {{text: string, drawn: number}} */ (this.sent);
    const all = text.split("\n");
    const count = more ? all.length : lines || all.length;
    const echo = all.slice(drawn, count).map((line, index) => `${drawn + index ? "> " : ""}${line}\r\n`).join("");
    if (echo) this.screen.write(echo);
    this.sent = null;
    this.column = 0;
    if (more || !lines) {
      this.running = null;
      this.pending = more ? `${text}\n` : "";
      this.#prompt();
      this.#restore();
    } else {
      this.pending = "";
      this.queue = all.slice(count).join("\n") + (all.length > count && this.queue ? "\n" : "") + this.queue;
      this.command = all.slice(0, count).join("\n");
      clearTimeout(this.patience);
      this.patience = setTimeout(() => this.#lasts(true), LONG);
      this.#log(`$ ${this.command}\n`, true);
    }
    const ahead = this.ahead;
    this.ahead = "";
    if (ahead) this.#typed(ahead);
  }

  /** @param {string} data @param {string} stream @param {boolean} ours whether it is the command that runs, not one in the background */
  #print(data, stream, ours) {
    const idle = !ours && !this.running;
    if (idle) this.screen.write("\r\x1b[J");
    this.screen.write(stream === "stderr" ? `\x1b[31m${data}\x1b[0m` : data);
    this.column = /[\r\n]$|\x1b\[H\x1b\[J$/.test(data) ? 0 : 1;
    this.#log(data);
    if (idle) {
      this.#prompt();
      this.#draw();
    }
  }

  /** @param {{place?: string, unread?: string}} exit */
  #ended(exit) {
    this.running = this.sent = null;
    clearTimeout(this.patience);
    if (this.lasting) this.#lasts(false);
    byId("terminal-log").setAttribute("aria-live", "polite");
    this.place = exit.place ?? this.place;
    this.#prompt();
    const next = this.queue;
    this.queue = "";
    if (next) return this.#send(next, 0);
    this.#restore();
    if (exit.unread) this.#typed(exit.unread);
  }

  /** What was pasted or typed behind the lines that ran. */
  #restore() {
    if (this.rest) this.line.set(this.rest);
    this.rest = "";
    if (this.line.line) this.#draw();
  }

  async #complete() {
    const { line, cursor } = this.line;
    const answer = await this.socket.timeout(3000).emitWithAck("terminal.complete", { line, cursor, ...this.#when() }).catch(() => null);
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

  /** @param {string} text @param {boolean} [fresh] a line of its own, whatever was before it */
  #log(text, fresh = false) {
    const log = byId("terminal-log");
    const frame = FRAME.test(text);
    if (frame) text = text.slice(text.search(FRAME));
    const plain = text.replace(/\r\n/g, "\n").replace(ESCAPES, "").replace(/\r/g, "\n");
    if (!plain) return;
    const last = log.lastElementChild;
    if (frame && last?.hasAttribute("data-frame")) {
      log.setAttribute("aria-live", "off");
      last.textContent = plain;
    } else if (!fresh && !frame && last && !this.logged && (last.textContent ?? "").length < MAX_LOG_TEXT) last.append(plain);
    else log.append(h("pre", { "data-frame": frame, text: plain }));
    this.logged = fresh || plain.endsWith("\n");
    while (log.childElementCount > MAX_LOG) log.firstElementChild?.remove();
  }
}

/** Columns a text takes: Hangul and other wide letters take two. @param {string} text */
export function cells(text) {
  let count = 0;
  for (const letter of text) count += /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/.test(letter) ? 2 : 1;
  return count;
}
