/**
 * What one who is near sees of a pod beside what the scene tells: asked of the server for the pods in view only, kept as long as their
 * records stay, and painted when it comes. The server says at most so many at once.
 *
 * @typedef {import("../types").Thing} Thing @typedef {import("../types").Box} Box @typedef {import("./colours.js").Colours} Colours @typedef {import("./opened.js").Detail} Detail
 */

import { opened } from "./opened.js";

/** As many as the server tells at once. */
export const MOST = 60;
const KEPT = 600;
/** What an address may have of ids, in characters. */
const LONGEST = 5500;
/** Milliseconds: changes in a burst are asked for once. */
const WAIT = 90;

export class Near {
  /** @param {(ids: string[]) => Promise<{pods: Record<string, Detail>}>} ask @param {(ids: string[]) => void} told */
  constructor(ask, told) {
    this.ask = ask;
    this.told = told;
    /** @type {Map<string, {thing: Thing, detail: Detail|undefined}>} */
    this.known = new Map();
    /** @type {Map<string, Thing>} */
    this.wanted = new Map();
    this.timer = 0;
    this.asking = false;
  }

  /** What is known now; what is not, or no longer, is asked for. @param {string} id @param {Thing} thing @returns {Detail|undefined} */
  of(id, thing) {
    const known = this.known.get(id);
    if (known?.thing !== thing) {
      this.wanted.set(id, thing);
      this.#soon();
    }
    return known?.detail;
  }

  /** @param {string} id @returns {(c: CanvasRenderingContext2D, pod: Thing, b: Box, k: Colours, now: number) => void} */
  painter(id) {
    return (c, pod, b, k, now) => opened(c, pod, b, k, now, this.of(id, pod));
  }

  clear() {
    this.known.clear();
    this.wanted.clear();
  }

  #soon() {
    if (this.timer || this.asking) return;
    this.timer = setTimeout(() => {
      this.timer = 0;
      void this.#fetch();
    }, WAIT);
  }

  async #fetch() {
    /** @type {[string, Thing][]} */
    const batch = [];
    let long = 0;
    for (const one of [...this.wanted].reverse()) {
      long += one[0].length + 3;
      if (batch.length >= MOST || long > LONGEST) break;
      batch.push(one);
    }
    this.wanted.clear();
    this.asking = true;
    try {
      const { pods } = await this.ask(batch.map(([id]) => id));
      if (this.known.size > KEPT) this.known.clear();
      for (const [id, thing] of batch) this.known.set(id, { thing, detail: pods[id] });
      this.told(batch.map(([id]) => id));
    } catch {
      for (const [id, thing] of batch) this.known.set(id, { thing, detail: this.known.get(id)?.detail });
    }
    this.asking = false;
    if (this.wanted.size) this.#soon();
  }
}
