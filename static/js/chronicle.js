/**
 * What is known of the cluster's history: the server's answers about it come in, each the newest marks and all of the density; which
 * revision was the newest at a moment, when a revision was, and which mark is next to it go out. Times between what is known exactly are
 * told by how many writes there were. Nothing here draws.
 *
 * @typedef {import("./types").Mark} Mark @typedef {import("./types").TimelineAnswer} TimelineAnswer
 */

/** More marks than this are asked for anew, all of them: the server leaves out the least. */
const MOST = 800;

export class Chronicle {
  constructor() {
    /** the oldest and the newest kept revision, and the moments they are of @type {number} */
    this.first = 0;
    this.last = 0;
    this.firstTime = 0;
    this.time = 0;
    /** @type {Mark[]} in order */
    this.marks = [];
    /** @type {[number, number][]} how many writes from a moment on */
    this.density = [];
    /** @type {[number, number][]} revisions and the moments they were the newest at, in order */
    this.known = [];
  }

  get empty() {
    return this.last === 0;
  }

  /** What to ask for next: marks since this revision. */
  get since() {
    return this.marks.length > MOST ? 0 : this.last;
  }

  /** @param {TimelineAnswer} answer @param {number} [since] what was asked for */
  hear(answer, since = 0) {
    const { first, last, firstTime, time, marks, density } = answer;
    const kept = since && last >= this.last ? this.marks.filter((mark) => mark.revision >= first && mark.time >= firstTime) : [];
    const had = new Set(kept.map(told));
    this.marks = [...kept, ...marks.filter((mark) => !had.has(told(mark)))].sort((a, b) => a.time - b.time || a.revision - b.revision);
    Object.assign(this, { first, last, firstTime, time, density });
    this.#anchor();
  }

  #anchor() {
    const width = this.width;
    /** @type {[number, number][]} */
    const known = [[this.first, this.firstTime], [this.last, this.time]];
    let count = this.first;
    for (const [from, writes] of this.density) {
      known.push([count, from]);
      count += writes;
      known.push([count, from + width]);
    }
    for (const mark of this.marks) if (mark.kind !== "fault") known.push([mark.revision, mark.time]);
    known.sort((a, b) => a[1] - b[1] || a[0] - b[0]);
    let most = this.first;
    this.known = known.map(([revision, time]) => [(most = Math.min(this.last, Math.max(most, revision))), time]);
  }

  /** Seconds that one step of the density lasts. */
  get width() {
    return Math.max(1e-9, (this.time - this.firstTime) / 200);
  }

  /** The newest revision at a moment. @param {number} time */
  revisionAt(time) {
    const { known } = this;
    const index = after(known, (one) => one[1] > time);
    if (index === 0) return this.first;
    const [low, from] = known[index - 1];
    const [high, until] = known[index] ?? [this.last, this.time];
    return until > from ? Math.min(high, Math.floor(low + ((high - low) * (time - from)) / (until - from) + 1e-6)) : low;
  }

  /** When a revision was written, as far as that is known. @param {number} revision */
  timeOf(revision) {
    const { known } = this;
    const index = after(known, (one) => one[0] >= revision);
    if (index >= known.length) return this.time;
    const [high, until] = known[index];
    const [low, from] = known[Math.max(0, index - 1)];
    return high > low ? from + ((until - from) * (revision - low)) / (high - low) : until;
  }

  /** @param {number} revision @returns {Mark|undefined} the first after it */
  next(revision) {
    return this.marks.find((mark) => mark.revision > revision);
  }

  /** @param {number} revision @returns {Mark|undefined} the last before it */
  previous(revision) {
    return this.marks.findLast((mark) => mark.revision < revision);
  }

  /** Marks about a moment, the nearest first. @param {number} time @param {number} reach seconds @returns {Mark[]} */
  near(time, reach) {
    return this.marks.filter((mark) => Math.abs(mark.time - time) <= reach).sort((a, b) => Math.abs(a.time - time) - Math.abs(b.time - time));
  }

  /** How many writes there were in a stretch of time, as far as that is known. @param {number} from @param {number} until */
  writes(from, until) {
    return this.density.reduce((sum, [at, count]) => (at < until && at + this.width > from ? sum + count : sum), 0);
  }
}

/** @param {Mark} mark */
const told = (mark) => `${mark.revision} ${mark.kind} ${mark.thing} ${mark.time}`;

/** The first index for which it is true, in what is false first and true then. @template T @param {T[]} list @param {(one: T) => boolean} test */
function after(list, test) {
  let low = 0, high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (test(list[middle])) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Steps of an axis, in seconds. */
const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400];

/** Round moments to write at an axis, so many pixels apart at least. @param {number} from @param {number} until @param {number} pixels @param {number} apart @returns {number[]} */
export function ticks(from, until, pixels, apart) {
  const least = ((until - from) / Math.max(1, pixels)) * apart;
  const step = STEPS.find((one) => one >= least) ?? Math.ceil(least / 86400) * 86400;
  /** @type {number[]} */
  const found = [];
  for (let n = Math.ceil(from / step - 1e-9); n * step <= until + 1e-9 && found.length < 200; n++) found.push(Math.round(n * step * 10) / 10 + 0);
  return found;
}
