/**
 * The moving layer's actors: envelopes on the rail, requests on their way, pods in transition. Each comes from one signal or one
 * change, lives a moment, and is a pure function of the time it was born. What is too many to follow becomes a count instead.
 */
import { rounded, write } from "./brush.js";
import { MONO } from "./colours.js";
import { station, way } from "./rail.js";
import { along, between, lengths, outset, route } from "./tethers.js";

/** @typedef {import("../types").Point} Point @typedef {import("../types").Signal} Signal @typedef {import("./colours.js").Colours} Colours */

const LEG = 620;
const WALK_PACE = 0.75;
const MAX_ENVELOPES = 40;
const MAX_WALKS = 160;
const CROSS = 1600;
export const CROWD = 200;

/** @param {number} t */
const ease = (t) => (t < 0.5 ? 2 * t * t : 1 - (2 - 2 * t) ** 2 / 2);

export class Motion {
  /** @param {import("./stage.js").Stage} stage */
  constructor(stage) {
    this.stage = stage;
    /** @type {{born: number, from: string, node: string|null, verb: string}[]} */
    this.envelopes = [];
    /** @type {{born: number, points: Point[], sums: number[], span: number, marks: {part: number, number: number}[], error: {hop: string, text: string}|null, die: number, door: number}[]} */
    this.walks = [];
    /** @type {Map<string, {from: import("../types").Box|null, to: import("../types").Box|null, thing: import("../types").Thing, born: number, span: number}>} */
    this.moves = new Map();
    /** @type {Record<string, number[]>} */
    this.recent = {};
    this.pulse = 0;
  }

  get active() {
    return this.envelopes.length > 0 || this.walks.length > 0 || this.moves.size > 0 || performance.now() - this.pulse < 300;
  }

  clear() {
    this.envelopes = [];
    this.walks = [];
    this.moves.clear();
  }

  /** Their age is in wall time, so a stop of the world must move their birth. @param {number} by */
  shift(by) {
    for (const one of [...this.envelopes, ...this.walks, ...this.moves.values()]) one.born += by;
  }

  /** @param {Signal[]} signals @param {number} now @param {boolean} still */
  hear(signals, now, still) {
    let order = 0;
    for (const signal of signals) {
      if (signal.type === "request") {
        this.pulse = now;
        const from = station(signal.client);
        (this.recent[from] ??= []).push(now);
        if (!still && this.envelopes.length < MAX_ENVELOPES)
          this.envelopes.push({ born: now + Math.min(240, 45 * order++), from, node: this.#nodeOf(signal), verb: signal.verb ?? "" });
      } else if (signal.type === "walk") this.#walk(signal, now, still, order++);
    }
    for (const name of Object.keys(this.recent)) this.recent[name] = this.recent[name].filter((at) => now - at < 1000);
  }

  /** @param {Signal} signal */
  #nodeOf(signal) {
    const thing = this.stage.scene.get(signal.thing ?? "");
    if (signal.thing?.startsWith("Node/")) return signal.thing;
    return thing?.node ? `Node//${thing.node}` : null;
  }

  /** @param {Signal} signal @param {number} now @param {boolean} still @param {number} order */
  #walk(signal, now, still, order) {
    const { layout, scene } = this.stage;
    if (!signal.source || this.walks.length >= MAX_WALKS) return;
    const source = scene.get(signal.source);
    if (!source || (source.rate ?? 0) > CROWD) return;
    if (still && !signal.error) return;
    const inside = source.kind === "Pod" ? signal.source : source.source;
    const first = outset(layout, signal.source, { ...source, source: inside, service: signal.service ?? undefined, target: source.target ?? signal.pod ?? "" });
    const server = signal.through?.[0] ?? signal.pod;
    const second = signal.service && server ? route(layout, signal.service, server) : [];
    const third = signal.through?.length && signal.pod && signal.pod !== server ? between(layout, signal.through[0], signal.pod) : [];
    const points = [...first, ...second, ...third];
    if (points.length < 2) return;
    const sums = lengths(points);
    const whole = sums[sums.length - 1] || 1;
    const [nodePort, port, targetPort] = signal.numbers?.length === 3 ? signal.numbers : [signal.numbers?.[0], ...(signal.numbers ?? [])];
    const atService = first.length ? sums[first.length - 1] / whole : 0;
    const behind = second.length ? sums[first.length] / whole : 1;
    const marks = [{ part: 0, number: nodePort ?? port ?? 0 }, { part: atService, number: 0 }, { part: behind, number: targetPort ?? 0 }];
    const hop = signal.error?.hop;
    const die = !signal.error ? 1 : signal.error.direction === "egress" || (hop === "dns" && inside) ? 0 : hop === "dns" ? 0.4 * atService : hop === "service" || hop === "endpoints" || !second.length ? Math.max(atService, second.length ? atService : 1) : hop === "node" ? (atService + 1) / 2 : 1;
    const span = Math.min(1500, Math.max(520, whole / WALK_PACE));
    this.walks.push({ born: now + Math.min(280, order * 35), points, sums, span, marks, error: signal.error ?? null, die, door: inside ? Infinity : first.at(-1)?.x ?? points[0].x });
  }

  /** @param {CanvasRenderingContext2D} c @param {number} now @param {Colours} k */
  draw(c, now, k) {
    this.#envelopes(c, now, k);
    this.#walks(c, now, k);
  }

  /** @param {CanvasRenderingContext2D} c @param {number} now @param {Colours} k */
  #envelopes(c, now, k) {
    const { camera, layout, width } = this.stage;
    this.envelopes = this.envelopes.filter((one) => now - one.born < LEG);
    for (const one of this.envelopes) {
      if (now < one.born) continue;
      const bin = one.node ? layout.nodeBox(one.node) : null;
      const node = bin ? { x: Math.min(width - 8, Math.max(8, camera.sx(bin.x + bin.w * 0.86))), y: Math.max(96, camera.sy(bin.y)) } : null;
      const points = way(width, /** @type {any} */ (one.from), node);
      if (!points.length) continue;
      const age = (now - one.born) / LEG;
      const at = along(points, lengths(points), ease(age));
      c.globalAlpha = age > 0.85 ? (1 - age) / 0.15 : 1;
      c.fillStyle = k.accent;
      c.strokeStyle = k.panel;
      c.lineWidth = 1.25;
      rounded(c, at.x - 8, at.y - 5.5, 16, 11, 2);
      c.fill();
      c.beginPath();
      c.moveTo(at.x - 7, at.y - 4.5);
      c.lineTo(at.x, at.y + 1);
      c.lineTo(at.x + 7, at.y - 4.5);
      c.stroke();
      c.globalAlpha = 1;
    }
  }

  /** @param {CanvasRenderingContext2D} c @param {number} now @param {Colours} k */
  #walks(c, now, k) {
    const { camera } = this.stage;
    /** @type {Point[]} */
    const said = [];
    this.walks = this.walks.filter((one) => now - one.born < (one.error ? one.span * one.die + CROSS : one.span * 1.7));
    for (const one of this.walks) {
      const age = (now - one.born) / one.span;
      if (age < 0) continue;
      if (one.error && age >= one.die) {
        const at = along(one.points, one.sums, one.die);
        cross(c, camera.sx(at.x), camera.sy(at.y), Math.max(0, 1 - ((age - one.die) * one.span) / CROSS), k);
        continue;
      }
      const back = age > 1;
      const part = back ? 1 - (age - 1) / 0.7 : age;
      const at = along(one.points, one.sums, part);
      const x = camera.sx(at.x);
      const y = camera.sy(at.y);
      c.fillStyle = back ? k.ready : k.request;
      if (back) c.fillRect(x - 3.5, y - 3.5, 7, 7);
      else {
        c.beginPath();
        c.arc(x, y, 4.5, 0, 7);
        c.fill();
      }
      if (!back && camera.zoom > 0.45 && this.walks.length < 24) {
        const number = one.marks.findLast((mark) => part >= mark.part)?.number;
        if (number && !said.some((other) => Math.abs(other.x - x) < 40 && Math.abs(other.y - y) < 16)) {
          said.push({ x, y });
          const font = `550 10px ${MONO}`;
          c.font = font;
          const w = c.measureText(`${number}`).width + 8;
          const middle = part < one.marks[1].part ? Math.min(x, camera.sx(one.door) - w / 2 - 3) : x;
          c.fillStyle = k.panel;
          c.globalAlpha = 0.92;
          rounded(c, middle - w / 2, y - 21, w, 14, 4);
          c.fill();
          c.globalAlpha = 1;
          write(c, `${number}`, middle, y - 13.5, font, k.muted, "center");
        }
      }
    }
  }
}

/** Where a request died. @param {CanvasRenderingContext2D} c @param {number} x @param {number} y @param {number} left @param {Colours} k */
export function cross(c, x, y, left, k) {
  c.globalAlpha = Math.min(1, left * 2);
  c.strokeStyle = k.failText;
  c.lineWidth = 2.5;
  c.lineCap = "round";
  c.beginPath();
  c.moveTo(x - 6, y - 6);
  c.lineTo(x + 6, y + 6);
  c.moveTo(x + 6, y - 6);
  c.lineTo(x - 6, y + 6);
  c.stroke();
  c.lineCap = "butt";
  c.globalAlpha = 1;
}
