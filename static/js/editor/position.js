/**
 * Where in a manifest a place is: text and offset in; the document, the path of the mapping around it, and what is written there out. It
 * goes by indentation alone, so that it answers in the middle of typing, when no YAML parser could. Pure.
 *
 * @typedef {(string|number)[]} Path
 * @typedef {{from: number, to: number, apiVersion: string, kind: string, namespace: string}} Doc
 * @typedef {object} Place
 * @property {Doc} doc the document around, offsets in the text
 * @property {Path} path of the mapping (or list item) that the place is in
 * @property {"key"|"value"} at
 * @property {string} key the key whose value it is; at a key, the key itself
 * @property {string} word what is written there
 * @property {number} from where `word` begins
 * @property {number} to where it ends
 * @property {number} column of the mapping's keys
 * @property {Record<string, string>} siblings the other keys of the mapping with their plain values
 * @property {boolean} item whether nothing but dashes stands before it: a list's item that may be a plain value
 * @property {boolean} flow whether it is inside {} or []
 */

const LINE = /^( *)((?:-(?: +|$))*)(.*)$/;
const KEY = /^("(?:[^"\\]|\\.)*"|'[^']*'|[^\s#"'[\]{},&*!|>%@`-][^#]*?|-[^\s#][^#]*?)\s*:(?=\s|$)\s*(.*)$/;
const BLOCK = /^(?:[&!]\S+\s+)*[|>][-+\d]*\s*(?:#.*)?$/;

/**
 * @typedef {{dashes: number[], column: number, key: string|null, rest: string, restAt: number, blank: boolean, text: string}} Line
 * @param {string} text @returns {Line}
 */
export function lineOf(text) {
  const [, indent, dashText, body] = /** @type {RegExpMatchArray} */ (text.match(LINE));
  const dashes = [];
  for (const match of dashText.matchAll(/-/g)) dashes.push(indent.length + match.index);
  const column = indent.length + dashText.length;
  const found = body.match(KEY);
  return {
    dashes, column, key: found ? unquoted(found[1]) : null, rest: found ? found[2] : body, restAt: found ? text.length - found[2].length : column,
    blank: /^\s*(#|$)/.test(body) && !dashes.length, text,
  };
}

/** @param {string} text */
const unquoted = (text) => (/^(["']).*\1$/.test(text) ? text.slice(1, -1) : text);
/** @param {string} text a plain value without a comment behind it */
const plain = (text) => unquoted(text.replace(/(?:^|\s)#.*$/, "").trim());

/** The documents of a text. @param {string} text @returns {Doc[]} */
export function documents(text) {
  const found = [];
  let from = 0;
  for (const match of text.matchAll(/^---(?:[ \t].*)?$/gm)) {
    found.push({ from, to: match.index });
    from = Math.min(text.length, match.index + match[0].length + 1);
  }
  found.push({ from, to: text.length });
  return found.map(({ from, to }) => {
    const part = text.slice(from, to);
    /** @param {RegExp} what */
    const of = (what) => plain(part.match(what)?.[1] ?? "");
    return { from, to, apiVersion: of(/^apiVersion:[ \t]*(.*)$/m), kind: of(/^kind:[ \t]*(.*)$/m), namespace: of(/^metadata:[ \t]*(?:#.*)?\n(?:(?:[ \t].*|#.*)?\n)*?[ \t]+namespace:[ \t]*(.*)$/m) };
  });
}

/** The document that an offset is in. @param {string} text @param {number} offset */
export function documentAt(text, offset) {
  return documents(text).findLast((one) => one.from <= offset) ?? documents(text)[0];
}

/** @param {string} text @param {number} offset @returns {Place|null} null inside a comment, a block of text, or a line between documents */
export function placeAt(text, offset) {
  const doc = documentAt(text, offset);
  if (offset > doc.to && text.slice(doc.to, offset).includes("---")) return null;
  const lines = text.slice(doc.from, doc.to).split("\n");
  let number = 0;
  let start = doc.from;
  while (number < lines.length - 1 && start + lines[number].length < offset) start += lines[number++].length + 1;
  const column = Math.min(offset - start, lines[number].length);
  const parsed = lines.map(lineOf);
  const own = parsed[number];
  if (inBlock(parsed, number) || commented(own.text, column)) return null;
  const blank = !own.text.trim();
  const valued = own.key !== null && column >= own.restAt - (own.rest ? 0 : 1) && own.text.slice(0, column).includes(":") && column > own.column + own.key.length;
  const at = walk(parsed, number, blank ? column : own.column, blank);
  /** @type {Place} */
  const place = { doc, path: at.path, at: "key", key: own.key ?? "", word: "", from: offset, to: offset, column: at.column, siblings: at.siblings, item: false, flow: false };
  if (valued) {
    const flow = flowAt(own.rest, column - own.restAt);
    if (flow) return { ...place, ...flow, path: [...place.path, /** @type {string} */ (own.key), ...flow.path], from: start + own.restAt + flow.from, to: offset, flow: true };
    const value = own.rest.replace(/(?:^|\s+)#.*$/, "").trimEnd();
    const begin = start + (own.rest ? own.restAt : column);
    return { ...place, at: "value", key: /** @type {string} */ (own.key), word: value, from: begin, to: begin + value.length };
  }
  if (blank) return place;
  if (own.key === null && /[[{]/.test(own.rest)) {
    const flow = flowAt(own.rest, column - own.column);
    if (flow) return { ...place, ...flow, path: [...place.path, ...flow.path], from: start + own.column + flow.from, to: offset, flow: true };
  }
  const word = own.key !== null ? own.text.slice(own.column).match(/^(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^:])*/)?.[0].trimEnd() ?? "" : own.rest.replace(/\s+#.*$/, "").trimEnd();
  return { ...place, word, key: own.key ?? unquoted(word), from: start + own.column, to: start + own.column + word.length, item: own.dashes.length > 0 && own.key === null };
}

/** Whether a line is part of a block of text that a line above it began. @param {Line[]} lines @param {number} number */
function inBlock(lines, number) {
  const text = lines[number].text;
  let indent = text.trim() ? text.search(/\S/) : Infinity;
  for (let index = number - 1; index >= 0; index--) {
    const line = lines[index];
    if (!line.text.trim()) continue;
    const column = line.text.search(/\S/);
    if (column >= indent) continue;
    if (BLOCK.test(line.rest)) return indent > (line.dashes[0] ?? line.column) && (text.trim() !== "" || line.column < indent || index === number - 1);
    indent = Math.min(indent, column);
    if (!text.trim()) return blockAbove(lines, index);
  }
  return false;
}

/** The same for an empty line: it belongs to what the last line above belongs to. @param {Line[]} lines @param {number} number @returns {boolean} */
function blockAbove(lines, number) {
  return inBlock(lines, number);
}

/** Whether a column lies behind a comment's sign. @param {string} text @param {number} column */
function commented(text, column) {
  const before = text.slice(0, column).replace(/"(?:[^"\\]|\\.)*"|'[^']*'/g, (quoted) => "x".repeat(quoted.length));
  return /(?:^|\s)#/.test(before);
}

/**
 * Upwards from a line: the path of the mapping whose keys stand at a column.
 * @param {Line[]} lines @param {number} number @param {number} column @param {boolean} blank whether the line is empty: its column is a wish
 */
function walk(lines, number, column, blank) {
  /** @type {Path} */
  const path = [];
  /** @type {Record<string, string>} */
  const siblings = {};
  let now = column;
  let items = -1;
  let first = true;
  /** @param {Line} line @param {boolean} own */
  const dashed = (line, own) => {
    for (const dash of line.dashes.toReversed()) {
      if (items < 0 ? dash < now : dash < now) {
        if (items >= 0) path.unshift(items);
        items = 0;
        now = dash;
        first = false;
      } else if (items >= 0 && dash === now && !own) items++;
    }
  };
  dashed(lines[number], true);
  for (let index = number - 1; index >= 0; index--) {
    const line = lines[index];
    if (line.blank || !line.text.trim() || inBlock(lines, index)) continue;
    if (line.key !== null) {
      const below = items < 0 ? line.column < now : line.column <= now && !line.dashes.includes(now);
      if (first && items < 0 && line.column === now) siblings[line.key] = plain(line.rest);
      if (below) {
        if (blank && path.length === 0 && items < 0 && first && line.rest.replace(/#.*/, "").trim() && !/^[&!]\S+$/.test(line.rest.trim())) {
          column = now = line.column;
          siblings[line.key] = plain(line.rest);
        } else {
          if (items >= 0) path.unshift(items);
          items = -1;
          path.unshift(line.key);
          now = line.column;
          first = false;
        }
      }
    }
    dashed(line, false);
    if (now === 0 && items < 0 && path.length) break;
  }
  if (items >= 0) path.unshift(items);
  for (let index = number + 1; index < lines.length; index++) {
    const line = lines[index];
    if (line.blank || !line.text.trim() || inBlock(lines, index)) continue;
    if (Math.min(line.column, ...line.dashes) < column) break;
    if (line.key !== null && line.column === column && !line.dashes.length) siblings[line.key] = plain(line.rest);
  }
  return { path, siblings, column };
}

/**
 * Inside {} or [] of one line: what is open at an offset of it; null where nothing is.
 * @param {string} text @param {number} offset
 * @returns {{path: Path, at: "key"|"value", key: string, word: string, from: number, item: boolean, siblings: Record<string, string>}|null}
 */
function flowAt(text, offset) {
  /** @type {{map: boolean, key: string|null, index: number, siblings: Record<string, string>}[]} */
  const open = [];
  let begin = 0;
  for (let index = 0; index < offset; index++) {
    const letter = text[index];
    const top = open.at(-1);
    const said = text.slice(begin, index).trim();
    if (letter === '"' || letter === "'") {
      const end = text.indexOf(letter, index + 1);
      if (end < 0 || end >= offset) break;
      index = end;
    } else if (letter === "{" || letter === "[") {
      open.push({ map: letter === "{", key: null, index: 0, siblings: {} });
      begin = index + 1;
    } else if (letter === "}" || letter === "]") {
      open.pop();
      begin = index + 1;
    } else if (letter === "," && top) {
      if (top.key !== null) top.siblings[top.key] = plain(said);
      top.key = null;
      top.index++;
      begin = index + 1;
    } else if (letter === ":" && top?.map && /[\s,}]|^$/.test(text[index + 1] ?? "")) {
      top.key = unquoted(said);
      begin = index + 1;
    }
  }
  const top = open.at(-1);
  if (!top) return null;
  /** @type {Path} */
  const path = open.slice(0, -1).map((one) => (one.map ? one.key : one.index)).filter((step) => step !== null);
  while (begin < offset && text[begin] === " ") begin++;
  const word = text.slice(begin, offset);
  if (!top.map) return { path: [...path, top.index], at: "key", key: "", word, from: begin, item: true, siblings: {} };
  if (top.key === null) return { path, at: "key", key: word, word, from: begin, item: false, siblings: top.siblings };
  return { path, at: "value", key: top.key, word, from: begin, item: false, siblings: top.siblings };
}
