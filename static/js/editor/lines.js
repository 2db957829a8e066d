/**
 * The difference of two texts by lines. Two texts in; lines with a sign out, a changed line's changed part marked. Pure.
 *
 * @typedef {{sign: " "|"+"|"-", text: string, marks?: [number, number]}} Change
 */

const MOST_CELLS = 4_000_000;

/** @param {string} before @param {string} after @returns {Change[]} */
export function lines(before, after) {
  const a = before ? before.replace(/\n$/, "").split("\n") : [];
  const b = after ? after.replace(/\n$/, "").split("\n") : [];
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  /** @type {(text: string) => Change} */
  const same = (text) => ({ sign: " ", text });
  const middle = between(a.slice(head, a.length - tail), b.slice(head, b.length - tail));
  return marked([...a.slice(0, head).map(same), ...middle, ...a.slice(a.length - tail).map(same)]);
}

/** By the longest common subsequence. @param {string[]} a @param {string[]} b @returns {Change[]} */
function between(a, b) {
  /** @type {(text: string) => Change} */
  const gone = (text) => ({ sign: "-", text });
  /** @type {(text: string) => Change} */
  const come = (text) => ({ sign: "+", text });
  if (a.length * b.length > MOST_CELLS) return [...a.map(gone), ...b.map(come)];
  const width = b.length + 1;
  const length = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) for (let j = b.length - 1; j >= 0; j--) length[i * width + j] = a[i] === b[j] ? length[(i + 1) * width + j + 1] + 1 : Math.max(length[(i + 1) * width + j], length[i * width + j + 1]);
  /** @type {Change[]} */
  const out = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    if (a[i] === b[j]) out.push({ sign: " ", text: a[i++] }), j++;
    else if (length[(i + 1) * width + j] >= length[i * width + j + 1]) out.push(gone(a[i++]));
    else out.push(come(b[j++]));
  }
  return [...out, ...a.slice(i).map(gone), ...b.slice(j).map(come)];
}

/** Where as many lines come as go, each pair's part that differs. @param {Change[]} changes */
function marked(changes) {
  for (let index = 0; index < changes.length;) {
    let gone = 0;
    let come = 0;
    while (changes[index + gone]?.sign === "-") gone++;
    while (changes[index + gone + come]?.sign === "+") come++;
    for (let each = 0; gone === come && each < gone; each++) {
      const [left, right] = [changes[index + each], changes[index + gone + each]];
      let head = 0;
      while (head < left.text.length && left.text[head] === right.text[head]) head++;
      let tail = 0;
      while (tail < Math.min(left.text.length, right.text.length) - head && left.text.at(-1 - tail) === right.text.at(-1 - tail)) tail++;
      if (head + tail > left.text.search(/\S|$/)) [left, right].forEach((one) => (one.marks = [head, one.text.length - tail]));
    }
    index += gone + come || 1;
  }
  return changes;
}

/** Rows of two columns. @param {Change[]} changes @returns {[Change|null, Change|null][]} */
export function pairs(changes) {
  /** @type {[Change|null, Change|null][]} */
  const rows = [];
  for (let index = 0; index < changes.length;) {
    if (changes[index].sign === " ") {
      rows.push([changes[index], changes[index++]]);
      continue;
    }
    const left = [];
    const right = [];
    while (changes[index]?.sign === "-") left.push(changes[index++]);
    while (changes[index]?.sign === "+") right.push(changes[index++]);
    for (let each = 0; each < Math.max(left.length, right.length); each++) rows.push([left[each] ?? null, right[each] ?? null]);
  }
  return rows;
}

/** @param {Change[]} changes */
export const counted = (changes) => ({ added: changes.filter((one) => one.sign === "+").length, removed: changes.filter((one) => one.sign === "-").length });
