/**
 * Short words on the canvas beside what is wrong. Where they go is worked out here: what may not be covered (pods, cards, headers, tools)
 * and what had better not be (lines) come in as boxes, and each callout gets the nearest free place, the same for the same picture, and
 * keeps it while it is free. Pure arithmetic, in pixels; putting them on the page is plaques.js's.
 *
 * @typedef {import("../types").Box} Box
 * @typedef {{w: number, h: number}} Size
 * @typedef {{key: string, anchors: Box[], sizes: Size[], home?: Box, was?: {dx: number, dy: number, size: number, cost?: number}}} Item `sizes`: the whole text, then shorter ones; `home`: the bin that it is in;
 *   `was.cost`: what its place cost when it was found: while it costs no more, no other is looked for
 * @typedef {{x: number, y: number, size: number, anchor: number, cost: number, bonus?: number}} Place
 */

/** Pixels a cell of the map of what is taken. */
const STEP = 4;
/** What it costs to say less, in pixels of distance: nothing for the whole text, then for each shorter one. */
const LESS = [0, 12, 34, 110];
/** A better place than the present one is taken only if it is that much better, in pixels. */
const LOYAL = 70;
/** What a stretch of line covered weighs against a pixel of distance, and a stretch of its own line over what it is not about. */
const LINE = 12;
const CROSSING = 12;
/** And a place within a bin that it is not about. */
const FOREIGN = 45;
/** And to stand across the side of its own bin. */
const ACROSS = 14;
/** And to stand aside of what it is about rather than in the middle. */
const ASIDE = 0.03;
/** Only the first so many may stand further than that from what they are about: more long lines would cross each other and the picture. */
const LONG = 3;
const REACH = 220;
/** Costs no further apart are the same. The shortest text has its place first: it tells how far a longer one may be at most. */
const EVEN = 1e-5;

/** How far around it is looked, in pixels, and in what steps; nothing further away can be better than what costs less than that. */
const RINGS = [[24, 1], [72, 2], [180, 3], [400, 4], [4000, 6]];

/** Sums over every rectangle from the corner: how much is taken within any box, at once. */
class Taken {
  /** @param {Box} view */
  constructor(view) {
    this.view = view;
    this.across = Math.max(1, Math.ceil(view.w / STEP));
    this.down = Math.max(1, Math.ceil(view.h / STEP));
    this.cells = new Int32Array(this.across * this.down);
    /** @type {Int32Array|null} */
    this.sums = null;
    this.used = false;
  }

  /** The cells that a box touches, none of them if it is out of view. @param {Box} b */
  #span(b) {
    return {
      left: Math.max(0, Math.floor((b.x - this.view.x) / STEP)), top: Math.max(0, Math.floor((b.y - this.view.y) / STEP)),
      right: Math.min(this.across, Math.ceil((b.x + b.w - this.view.x) / STEP)), bottom: Math.min(this.down, Math.ceil((b.y + b.h - this.view.y) / STEP)),
    };
  }

  /** @param {Box} b */
  take(b) {
    const { left, top, right, bottom } = this.#span(b);
    for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) this.cells[y * this.across + x] = 1;
    this.sums = null;
    this.used = true;
  }

  /** @param {number} column @param {number} row @param {number} w @param {number} h in cells */
  taken(column, row, w, h) {
    this.sums ??= this.#sum();
    const wide = this.across + 1;
    const s = this.sums;
    return s[(row + h) * wide + column + w] - s[row * wide + column + w] - s[(row + h) * wide + column] + s[row * wide + column];
  }

  /** Taken cells on the way between two points. @param {import("../types").Point} from @param {import("../types").Point} to @param {number} [most] more than these are not counted */
  along(from, to, most = Infinity) {
    const steps = Math.ceil(Math.hypot(to.x - from.x, to.y - from.y) / STEP);
    let found = 0;
    for (let i = 1; i < steps; i++) {
      const x = Math.floor((from.x + ((to.x - from.x) * i) / steps - this.view.x) / STEP);
      const y = Math.floor((from.y + ((to.y - from.y) * i) / steps - this.view.y) / STEP);
      if (x >= 0 && y >= 0 && x < this.across && y < this.down && this.cells[y * this.across + x] && ++found >= most) break;
    }
    return found;
  }

  #sum() {
    const wide = this.across + 1;
    const sums = new Int32Array(wide * (this.down + 1));
    for (let y = 0; y < this.down; y++) {
      let row = 0;
      for (let x = 0; x < this.across; x++) {
        row += this.cells[y * this.across + x];
        sums[(y + 1) * wide + x + 1] = sums[y * wide + x + 1] + row;
      }
    }
    return sums;
  }
}

/** How far apart two boxes are; down counts more, so that words stand beside rather than far above. @param {Box} a @param {Box} b */
function gap(a, b) {
  const dx = Math.max(0, a.x - b.x - b.w, b.x - a.x - a.w);
  const dy = Math.max(0, a.y - b.y - b.h, b.y - a.y - a.h);
  return Math.sqrt(dx * dx + 1.3225 * dy * dy);
}

/** Whether a box stands partly in a bin and partly beside it. @param {Box} a @param {Box} bin */
function across(a, bin) {
  const level = a.y < bin.y + bin.h && a.y + a.h > bin.y;
  return level && a.x < bin.x + bin.w && a.x + a.w > bin.x && (a.x < bin.x || a.x + a.w > bin.x + bin.w);
}

/**
 * A place for each item, in order; those for which there is none are left out.
 * @param {Item[]} items the gravest first @param {Box[]} hard never covered @param {Box[]} soft rather not covered @param {Box} view
 * @param {Box[]} [bins] whose inside belongs to what is in them @returns {Map<string, Place>}
 */
export function place(items, hard, soft, view, bins = []) {
  /** @type {Map<string, Place>} */
  const found = new Map();
  if (!items.length || view.w < 40 || view.h < 40) return found;
  const walls = new Taken(view);
  const lines = new Taken(view);
  for (const box of hard) walls.take(box);
  for (const box of soft) lines.take(box);
  /** @type {Map<string, Taken>} by the bin that is not one of them */
  const others = new Map();
  /** @param {Box} [home] */
  const beside = (home) => {
    const key = home ? `${home.x} ${home.y}` : "";
    let found = others.get(key);
    if (!found) {
      others.set(key, (found = new Taken(view)));
      for (const box of bins) if (!home || box.x !== home.x || box.y !== home.y) found.take(box);
    }
    return found;
  };
  for (const item of items) {
    const ground = { walls, lines, inside: beside(item.home), view };
    /** @type {Place|null} */
    let chosen = kept(item, ground);
    if (!chosen) for (const [index, size] of [...item.sizes.entries()].reverse()) {
      if (!Number.isFinite(size.w)) continue;
      const less = LESS[Math.min(index, LESS.length - 1)];
      if (chosen && chosen.cost < less - (item.was?.size === index ? LOYAL : 0)) continue;
      const best = nearest(item, size, index, ground, chosen ? chosen.cost - less + EVEN : Infinity);
      if (best && (!chosen || best.cost + less <= chosen.cost + EVEN)) chosen = { ...best, cost: best.cost + less };
    }
    if (!chosen) continue;
    const { x, y, size, anchor, cost, bonus = 0 } = chosen;
    if (found.size >= LONG && gap(item.anchors[anchor], { x, y, ...item.sizes[size] }) > REACH) continue;
    found.set(item.key, { x, y, size, anchor, cost: Math.round((cost + bonus) * 100) / 100 });
    walls.take({ x: x - STEP / 2, y: y - STEP / 2, w: item.sizes[size].w + STEP, h: item.sizes[size].h + STEP });
  }
  return found;
}

/** The place that it had, if that costs no more than it did. @param {Item} item @param {{walls: Taken, lines: Taken, inside: Taken, view: Box}} ground @returns {Place|null} */
function kept(item, ground) {
  const { was } = item;
  if (was?.cost === undefined || !item.sizes[was.size]) return null;
  const less = LESS[Math.min(was.size, LESS.length - 1)];
  const found = nearest({ ...item, was: { ...was, cost: undefined } }, item.sizes[was.size], was.size, ground, was.cost - less - LOYAL + STEP, true);
  return found && { ...found, cost: found.cost + less };
}

/**
 * @param {Item} item @param {Size} size @param {number} index @param {{walls: Taken, lines: Taken, inside: Taken, view: Box}} ground @param {number} most what a place must cost less than @param {boolean} [there] only where it was
 * @returns {Place|null}
 */
function nearest(item, size, index, { walls, lines, inside, view }, most, there = false) {
  const w = Math.ceil(size.w / STEP);
  const h = Math.ceil(size.h / STEP);
  /** @type {Place|null} */
  let best = null;
  const left = Math.min(...item.anchors.map((one) => one.x));
  const top = Math.min(...item.anchors.map((one) => one.y));
  const right = Math.max(...item.anchors.map((one) => one.x + one.w));
  const bottom = Math.max(...item.anchors.map((one) => one.y + one.h));
  const all = { x: left, y: top, w: right - left, h: bottom - top };
  const box = { x: 0, y: 0, w: size.w, h: size.h };
  const limit = () => best?.cost ?? most;
  /** @param {number} column @param {number} row @param {number} bonus */
  const weigh = (column, row, bonus) => {
    box.x = view.x + column * STEP;
    box.y = view.y + row * STEP;
    if (gap(all, box) - bonus >= limit()) return;
    if (column < 0 || row < 0 || column + w > walls.across || row + h > walls.down || walls.taken(column, row, w, h)) return;
    if (box.x + box.w > view.x + view.w || box.y + box.h > view.y + view.h) return;
    const crossed = (lines.used ? LINE * Math.sqrt(lines.taken(column, row, w, h)) : 0) + (inside.used && inside.taken(column, row, w, h) ? FOREIGN : 0) + (item.home && across(box, item.home) ? ACROSS : 0);
    if (crossed - bonus >= limit()) return;
    item.anchors.forEach((anchor, which) => {
      let cost = gap(anchor, box) + crossed - bonus + which * 2 + ASIDE * Math.abs(box.x + box.w / 2 - anchor.x - anchor.w / 2);
      if (cost >= limit() - 1e-6) return;
      const { start, end } = leader(box, anchor);
      cost += CROSSING * Math.max(0, walls.along(start, end, 3 + (limit() - cost) / CROSSING) - 2);
      if (cost < limit() - 1e-6) best = { x: box.x, y: box.y, size: index, anchor: which, cost, bonus };
    });
  };
  if (item.was && item.was.size === index && item.anchors.length) {
    const { x, y } = item.anchors[0];
    weigh(Math.round((x + item.was.dx - view.x) / STEP), Math.round((y + item.was.dy - view.y) / STEP), LOYAL);
  }
  if (there) return best;
  let within = -1;
  for (const [reach, step] of RINGS) {
    const far = Math.min(reach, limit());
    const last = { row: Math.min(walls.down - h, Math.ceil((bottom + far - view.y) / STEP)), column: Math.min(walls.across - w, Math.ceil((right + far - view.x) / STEP)) };
    for (let row = Math.max(0, Math.floor((top - far - size.h - view.y) / STEP)); row <= last.row; row += step) {
      const y = view.y + row * STEP;
      const dy = 1.15 * Math.max(0, top - y - size.h, y - bottom);
      if (dy >= limit()) continue;
      for (let column = Math.max(0, Math.floor((left - far - size.w - view.x) / STEP)); column <= last.column; column += step) {
        const x = view.x + column * STEP;
        if (dy > within || Math.max(0, left - x - size.w, x - right) > within) weigh(column, row, 0);
      }
    }
    within = reach;
    if (limit() <= reach) break;
  }
  return best;
}

/** Where a line from a callout to what it is about begins and ends. @param {Box} from @param {Box} to */
export function leader(from, to) {
  const clamp = (/** @type {number} */ v, /** @type {number} */ low, /** @type {number} */ high) => Math.min(high, Math.max(low, v));
  const middle = { x: to.x + to.w / 2, y: to.y + to.h / 2 };
  const start = { x: clamp(middle.x, from.x + 8, from.x + from.w - 8), y: clamp(middle.y, from.y, from.y + from.h) };
  return { start, end: { x: clamp(start.x, to.x, to.x + to.w), y: clamp(start.y, to.y, to.y + to.h) } };
}
