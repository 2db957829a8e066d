/**
 * A command of a panel's own at the workstation, beside the page's terminal: a line goes out under an id that begins with @, what it prints
 * comes back as it goes, and `stop` ends it.
 */
let count = 0;

export class Run {
  /**
   * @param {any} socket @param {string} line @param {{output: (data: string, stream: string) => void, exit: (code: number|null) => void}} hears null: the connection is lost
   * @param {{columns?: number, rows?: number}} [size]
   */
  constructor(socket, line, hears, { columns = 400, rows = 50 } = {}) {
    this.socket = socket;
    this.id = `@${Date.now().toString(36)}-${++count}`;
    this.hears = hears;
    this.over = false;
    this.output = (/** @type {any} */ sent) => sent.id === this.id && !this.over && hears.output(sent.data, sent.stream);
    this.exit = (/** @type {any} */ sent) => sent.id === this.id && this.#end(sent.code ?? 0);
    this.lost = () => this.#end(null);
    socket.on("terminal.output", this.output);
    socket.on("terminal.exit", this.exit);
    socket.on("disconnect", this.lost);
    socket.emit("terminal.start", { id: this.id, line, columns, rows });
  }

  /** @param {string} data */
  input(data) {
    if (!this.over) this.socket.emit("terminal.input", { id: this.id, data });
  }

  /** @param {number} columns @param {number} rows */
  resize(columns, rows) {
    if (!this.over) this.socket.emit("terminal.resize", { id: this.id, columns, rows });
  }

  /** Ends it without a word. */
  stop() {
    if (this.over) return;
    this.#off();
    this.socket.emit("terminal.interrupt", { id: this.id });
  }

  #off() {
    this.over = true;
    this.socket.off("terminal.output", this.output);
    this.socket.off("terminal.exit", this.exit);
    this.socket.off("disconnect", this.lost);
  }

  /** @param {number|null} code */
  #end(code) {
    if (this.over) return;
    this.#off();
    this.hears.exit(code);
  }
}

/** A word as the shell takes it. @param {string} word */
export const quoted = (word) => (/^[\w./:@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
