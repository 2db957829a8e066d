/**
 * YAML as kubectl prints it, line by line: a text comes in, lines with their path, depth and the end of what hangs below them go out, so
 * that a block can be folded and a field found. Nothing is parsed that these two do not need: the text is the server's own.
 *
 * @typedef {{text: string, indent: number, path: string[], end: number, kind: "field"|"item"|"text"|"mark"}} Line
 *   `end` is the last line of the block that the line opens, itself if it opens none.
 */

const FIELD = /^(?:"((?:[^"\\]|\\.)*)"|'((?:[^']|'')*)'|([^\s#&*!|>'"%@`{}[\],-][^#]*?|-[^\s#][^#]*?)):(?:\s+(.*))?$/;
const BLOCK = /^[|>][+-]?\d*$/;

/** @param {string} text @returns {Line[]} */
export function lines(text) {
  /** @type {Line[]} */
  const found = [];
  /** @type {{indent: number, path: string[], item: number}[]} open blocks, each with the indent of its keys */
  const open = [{ indent: 0, path: [], item: -1 }];
  let scalar = -1;
  /** @type {string[]} */
  let scalarPath = [];
  for (const raw of text.replace(/\n$/, "").split("\n")) {
    const body = raw.trimStart();
    let indent = raw.length - body.length;
    if (scalar >= 0 && (indent > scalar || !body)) {
      found.push({ text: raw, indent: Math.max(indent, scalar + 1), path: scalarPath, end: found.length, kind: "text" });
      continue;
    }
    scalar = -1;
    let rest = body;
    let path = open[0].path;
    /** @type {Line["kind"]} */
    let kind = body.startsWith("---") || body.startsWith("#") ? "mark" : "text";
    const start = indent;
    while (rest.startsWith("- ") || rest === "-") {
      const block = settle(open, indent, true);
      block.item++;
      path = [...block.path, `${block.item}`];
      kind = "item";
      indent += 2;
      rest = rest.slice(2);
      open.push({ indent, path, item: -1 });
    }
    const field = kind === "mark" ? null : FIELD.exec(rest);
    if (field) {
      const block = settle(open, indent, false);
      const name = field[1] ?? field[2]?.replaceAll("''", "'") ?? field[3];
      path = [...block.path, name];
      if (kind !== "item") kind = "field";
      const value = field[4]?.trim() ?? "";
      if (BLOCK.test(value)) [scalar, scalarPath] = [indent, path];
      else if (!value) open.push({ indent: -1, path, item: -1 });
    }
    found.push({ text: raw, indent: start, path, end: found.length, kind });
  }
  ends(found);
  return found;
}

/** The block whose keys or items stand at an indent: those that are deeper are closed. @param {{indent: number, path: string[], item: number}[]} open @param {number} indent @param {boolean} item */
function settle(open, indent, item) {
  const last = open[open.length - 1];
  if (last.indent === -1) {
    const above = open.length > 1 ? open[open.length - 2].indent : 0;
    if (indent > above || (item && indent === above)) last.indent = indent;
    else open.pop();
  }
  while (open.length > 1 && (open[open.length - 1].indent > indent || (open[open.length - 1].indent === indent && !item && open[open.length - 1].item >= 0))) open.pop();
  return open[open.length - 1];
}

/** @param {Line[]} found */
function ends(found) {
  /** @type {number[]} */
  const open = [];
  found.forEach((line, index) => {
    while (open.length) {
      const top = found[open[open.length - 1]];
      const below = line.indent > top.indent || (line.indent === top.indent && line.kind === "item" && top.kind === "field");
      if (below) break;
      open.pop();
    }
    for (const at of open) found[at].end = index;
    open.push(index);
  });
}

/** A field's path as people and Kubernetes write it, in steps. @param {string} path `spec.containers[0].image`, `metadata.labels["app.kubernetes.io/name"]` */
export function steps(path) {
  return [...path.matchAll(/\[["']([^"']+)["']\]|\[([^\]]+)\]|([^.[\]]+)/g)].map((match) => match[1] ?? match[2] ?? match[3]);
}

/**
 * The line of a field, or of the nearest field above it that is there. A step `name=x` finds the item that has this field.
 * @param {Line[]} found @param {string} path @returns {number} -1 if nothing of it is there
 */
export function lineOf(found, path) {
  /** @type {string[]} */
  let at = [];
  let line = -1;
  for (const step of steps(path)) {
    const [key, value] = step.includes("=") ? step.split("=", 2) : ["", ""];
    const next = key
      ? found.find((one) => one.path.length === at.length + 2 && begins(one.path, at) && one.path[at.length + 1] === key && scalarOf(one.text) === value)?.path.slice(0, at.length + 1)
      : [...at, step];
    const index = next ? found.findIndex((one) => one.path.length >= next.length && begins(one.path, next)) : -1;
    if (!next || index < 0) return line;
    at = next;
    line = index;
  }
  return line;
}

/** @param {string[]} path @param {string[]} start */
const begins = (path, start) => start.every((step, index) => path[index] === step);

/** @param {string} text */
const scalarOf = (text) => text.slice(text.indexOf(":") + 1).trim().replace(/^["']|["']$/g, "");

/** What is not written by people and only in the way when it is applied again. */
const GIVEN = ["status", "metadata.managedFields", "metadata.uid", "metadata.resourceVersion", "metadata.creationTimestamp", "metadata.generation", "metadata.selfLink"];

/** The text without what the cluster itself fills in, as one would write it. @param {string} text */
export function asWritten(text) {
  const found = lines(text);
  const out = [];
  for (let index = 0; index < found.length; index++) {
    if (GIVEN.includes(found[index].path.join("."))) index = found[index].end;
    else out.push(found[index].text);
  }
  return `${out.join("\n")}\n`;
}

/** A name for each line that stays the same while others come and go: its path, and how many lines before it have the same. @param {Line[]} found */
export function keys(found) {
  /** @type {Map<string, number>} */
  const seen = new Map();
  return found.map((line) => {
    const path = line.path.join("\n");
    const count = seen.get(path) ?? 0;
    seen.set(path, count + 1);
    return `${path}\n\n${count}`;
  });
}
