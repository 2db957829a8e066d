/**
 * One line of a terminal being typed: keys come in as xterm.js sends them, the line and its cursor change, and what to do next
 * comes out. History and what `!` takes from it, Emacs keys, words; no screen in here.
 *
 * @typedef {{line: string, shown?: boolean, printed?: boolean, error?: string}} Taken `shown`: it differs from what was typed; `printed`: it is not run
 * @typedef {{type: "draw"|"run"|"complete"|"interrupt"|"clear"|"end"|"none", line?: string, shown?: boolean, printed?: boolean, error?: string}} Act
 */
const MAX_HISTORY = 500;
/** So long a line may get by what it takes from others. */
const MAX_EXPANDED = 8192;
const WORDS = /(?:\\.|'[^']*'|"(?:\\.|[^"\\])*"|[$<>]\([^)]*\)|[^\s;&|<>()'"])+|\d*[<>]+&?\d*|[;&|()]+|['"]/g;
/** A line that was typed, words of it, what is done with it. */
const EVENT = /!(?:!|-\d+|\d+|\?[^?]+\??|(?=[$^*:])|[^\s!:;&()|<>"$^*%=-][^\s:;&()|<>"$^*%-]*)(:?[$^*]|:\d+(?:-(?:\d+|\$)|\*)?)?(:[a-zA-Z&])?/y;

/**
 * A line with what `!` and `^` take from lines typed before it, as bash has it: `!!`, `!-2`, `!kub`, `!?pods`, their words `!$ !^ !* !!:1 !!:1-2`,
 * `:p` to see it only, `^old^new`. Numbers of `history` are the shell's and not known here. Null if nothing is taken.
 * @param {string} line @param {string[]} history @returns {Taken|null}
 */
export function expanded(line, history) {
  const last = history.at(-1) ?? "";
  const swap = line.match(/^\^([^^]+)\^([^^]*)\^?(.*)$/);
  if (swap) return last.includes(swap[1]) ? { line: last.replace(swap[1], () => swap[2]) + swap[3], shown: true } : { line, error: `${line}: substitution failed` };
  let [out, quoted, found, printed] = ["", false, false, false];
  for (let at = 0; at < line.length; at++) {
    const letter = line[at];
    const closing = letter === "'" && !quoted ? line.indexOf("'", at + 1) : letter === "#" && !quoted && !/\S/.test(line[at - 1] ?? " ") ? line.length - 1 : letter === "\\" ? at + 1 : at;
    if (closing < 0) return found ? { line: out + line.slice(at), shown: true, printed } : null;
    if (letter === '"') quoted = !quoted;
    EVENT.lastIndex = at;
    const event = letter === "!" && !/(?:[[$]|\$\{)$/.test(line.slice(0, at)) ? EVENT.exec(line) : null;
    if (!event) {
      out += line.slice(at, closing + 1);
      at = closing;
      continue;
    }
    const [whole, words = "", mark = ""] = event;
    const name = whole.slice(1, whole.length - words.length - mark.length);
    const sought = name.replace(/^\?|\?$/g, "");
    const from = !name || name === "!" ? last : name[0] === "-" ? history.at(Number(name)) : /^\d+$/.test(name) ? undefined
      : history.findLast((one) => (name[0] === "?" ? one.includes(sought) : one.startsWith(name)));
    if (!from) return { line, error: `${whole}: event not found` };
    if (mark && mark !== ":p") return { line, error: `${mark}: unrecognized history modifier` };
    const told = words ? chosen(from.match(WORDS) ?? [], words.replace(":", "")) : from;
    if (told === null || out.length + told.length > MAX_EXPANDED) return { line, error: told === null ? `${words}: bad word specifier` : `${whole}: line too long` };
    out += told;
    found = true;
    printed ||= mark === ":p";
    at = EVENT.lastIndex - 1;
  }
  return found ? { line: out, shown: true, printed } : null;
}

/** Words of a line by `$ ^ * 2 2* 2-3 2-$`; null where there are none. @param {string[]} words @param {string} which */
function chosen(words, which) {
  const [, first, rest, until] = which.match(/^(\d+)(\*)?(?:-(\d+|\$))?$/) ?? [];
  const end = words.length - 1;
  const from = first ? Number(first) : which === "$" ? end : 1;
  const to = which === "*" || rest || until === "$" ? end : until ? Number(until) : from;
  return from > end + (which === "*" || rest ? 1 : 0) || to > end ? null : words.slice(from, to + 1).join(" ");
}

export class LineEditor {
  /** @param {string[]} [history] */
  constructor(history = []) {
    this.history = history.slice(-MAX_HISTORY);
    this.line = "";
    this.cursor = 0;
    this.place = this.history.length;
    this.draft = "";
    this.killed = "";
    /** Whether what is typed belongs to a command that began before: nothing is taken from the history then. */
    this.literal = false;
    /** What is looked for in the history, and from where; null at all other times. @type {{text: string, at: number, before: string, found: boolean}|null} */
    this.search = null;
  }

  /** @param {string} line @param {number} [cursor] */
  set(line, cursor = line.length) {
    this.line = line;
    this.cursor = cursor;
  }

  /** @param {string} text */
  insert(text) {
    this.set(this.line.slice(0, this.cursor) + text + this.line.slice(this.cursor), this.cursor + text.length);
  }

  /** @returns {Taken} the finished line, remembered */
  take() {
    const taken = (this.literal ? null : expanded(this.line, this.history)) ?? { line: this.line };
    this.remember(taken.error ? "" : taken.line);
    this.set("");
    return taken;
  }

  /** @param {string} line one that is run */
  remember(line) {
    if (line.trim() && this.history.at(-1) !== line) this.history.push(line);
    if (this.history.length > MAX_HISTORY) this.history.shift();
    this.place = this.history.length;
    this.draft = "";
    this.search = null;
  }

  /** @param {string} data one key's or one paste's characters @returns {Generator<Act>} each to be done before the next */
  *feed(data) {
    const key = data.startsWith("\x1b") || data.length === 1;
    if (this.search) {
      const used = key && this.#sought(this.search, data);
      if (!used) this.search = null;
      yield { type: "draw" };
      if (used) return;
    }
    if (key) return yield this.#key(data);
    for (const part of data.replace(/\r\n?/g, "\n").split(/(\n)/)) {
      if (part === "\n") yield { type: "run", ...this.take() };
      else if (part) {
        this.insert(part.replace(/\t/g, "  ").replace(/[\x00-\x1f\x7f]/g, ""));
        yield { type: "draw" };
      }
    }
  }

  /** @param {string} key @returns {Act} */
  #key(key) {
    const { line, cursor } = this;
    switch (key) {
      case "\x12": this.search = { text: "", at: this.history.length, before: line, found: true }; return { type: "draw" };
      case "\r": case "\n": return { type: "run", ...this.take() };
      case "\t": return { type: "complete" };
      case "\x03": this.place = this.history.length; this.set(""); return { type: "interrupt", line };
      case "\x04": return line ? this.#cut(cursor, this.#step(1)) : { type: "end" };
      case "\x0c": return { type: "clear" };
      case "\x7f": case "\b": return this.#cut(this.#step(-1), cursor);
      case "\x1b[3~": return this.#cut(cursor, this.#step(1));
      case "\x01": case "\x1b[H": case "\x1bOH": case "\x1b[1~": return this.#move(0);
      case "\x05": case "\x1b[F": case "\x1bOF": case "\x1b[4~": return this.#move(line.length);
      case "\x02": case "\x1b[D": case "\x1bOD": return this.#move(this.#step(-1));
      case "\x06": case "\x1b[C": case "\x1bOC": return this.#move(this.#step(1));
      case "\x1b[1;5D": case "\x1b[1;3D": case "\x1bb": return this.#move(this.#word(-1));
      case "\x1b[1;5C": case "\x1b[1;3C": case "\x1bf": return this.#move(this.#word(1));
      case "\x15": return this.#cut(0, cursor, true);
      case "\x0b": return this.#cut(cursor, line.length, true);
      case "\x17": return this.#cut(this.#word(-1, /\S/), cursor, true);
      case "\x1b\x7f": return this.#cut(this.#word(-1), cursor, true);
      case "\x1bd": return this.#cut(cursor, this.#word(1), true);
      case "\x19": this.insert(this.killed); return { type: "draw" };
      case "\x10": case "\x1b[A": case "\x1bOA": return this.#recall(-1);
      case "\x0e": case "\x1b[B": case "\x1bOB": return this.#recall(1);
      default:
        if (key < " " || key.startsWith("\x1b")) return { type: "none" };
        this.insert(key);
        return { type: "draw" };
    }
  }

  /** A key while one looks for a line: older ones, more or less of the text, or giving up; any other ends it and counts. @param {NonNullable<LineEditor["search"]>} search @param {string} key @returns {boolean} whether that was all */
  #sought(search, key) {
    if (key === "\x07" || key === "\x03") {
      this.search = null;
      this.set(search.before);
      return key === "\x07";
    }
    let from = search.at;
    if (key === "\x12") from--;
    else if (key === "\x7f" || key === "\b") [search.text, from] = [search.text.slice(0, -1), this.history.length - 1];
    else if (key >= " " && !key.startsWith("\x1b")) [search.text, from] = [search.text + key, Math.min(from, this.history.length - 1)];
    else {
      this.search = null;
      if (search.at < this.history.length) this.place = search.at;
      return key === "\x1b";
    }
    if (!search.text) search.at = this.history.length;
    while (search.text && from >= 0 && !this.history[from].includes(search.text)) from--;
    search.found = from >= 0 || !search.text;
    if (search.text && from >= 0) {
      search.at = from;
      this.set(this.history[from], this.history[from].indexOf(search.text));
    }
    return true;
  }

  /** A whole character away, surrogate pairs included. @param {1|-1} way */
  #step(way) {
    const { line, cursor } = this;
    if (way > 0) return Math.min(line.length, cursor + (/^[\ud800-\udbff][\udc00-\udfff]/.test(line.slice(cursor)) ? 2 : 1));
    return Math.max(0, cursor - (/[\ud800-\udbff][\udc00-\udfff]$/.test(line.slice(0, cursor)) ? 2 : 1));
  }

  /** @param {number} cursor @returns {Act} */
  #move(cursor) {
    this.cursor = cursor;
    return { type: "draw" };
  }

  /** @param {number} from @param {number} to @param {boolean} [keep] @returns {Act} */
  #cut(from, to, keep = false) {
    if (keep && to > from) this.killed = this.line.slice(from, to);
    this.set(this.line.slice(0, from) + this.line.slice(to), from);
    return { type: "draw" };
  }

  /** @param {1|-1} way @param {RegExp} [letter] */
  #word(way, letter = /[\p{L}\p{N}_]/u) {
    let at = this.cursor;
    /** @param {number} i */
    const inWord = (i) => letter.test(this.line[i] ?? "");
    if (way < 0) {
      while (at > 0 && !inWord(at - 1)) at--;
      while (at > 0 && inWord(at - 1)) at--;
    } else {
      while (at < this.line.length && !inWord(at)) at++;
      while (at < this.line.length && inWord(at)) at++;
    }
    return at;
  }

  /** @param {1|-1} way @returns {Act} */
  #recall(way) {
    const place = this.place + way;
    if (place < 0 || place > this.history.length) return { type: "none" };
    if (this.place === this.history.length) this.draft = this.line;
    this.place = place;
    this.set(place === this.history.length ? this.draft : this.history[place]);
    return { type: "draw" };
  }
}
