/**
 * The moving layer's actors: requests on their way, envelopes on the rail (envelopes.js), pods in transition. Each comes from one signal or one
 * change, lives a moment, and is a pure function of the time it was born. What is too many to follow becomes a count instead.
 */
import { rounded, write } from "./brush.js";
import { door, doorsOf } from "./cards.js";
import { MONO } from "./colours.js";
import { SERVICE } from "./layout.js";
import { Envelopes } from "./envelopes.js";
import { along, between, lengths, outset, route } from "./tethers.js";

/** @typedef {import("../types").Point} Point @typedef {import("../types").Signal} Signal @typedef {import("./colours.js").Colours} Colours */

const WALK_PACE = 0.75;
const MAX_WALKS = 160;
const CROSS = 1600;
/** A name is asked for first, there and back, so many milliseconds. */
const ASKING = 500;
export const CROWD = 200;

/** Whether a pod comes, goes or is on its way to another place, so that no line ends at it yet; not if only its look changes. @param {{from: import("../types").Box|null, to: import("../types").Box|null}|undefined} move */
export const displaced = (move) => !!move && (move.from?.x !== move.to?.x || move.from?.y !== move.to?.y);

export class Motion {
  /** @param {import("./stage.js").Stage} stage */
  constructor(stage) {
    this.stage = stage;
    this.envelopes = new Envelopes(stage);
    /** @type {{asks: {points: Point[], sums: number[]}|null, born: number, points: Point[], sums: number[], span: number, marks: {part: number, number: number}[], error: {hop: string, text: string}|null, die: number, door: number, service: string|null}[]} */
    this.walks = [];
    /** @type {Map<string, {from: import("../types").Box|null, to: import("../types").Box|null, thing: import("../types").Thing, born: number, span: number}>} */
    this.moves = new Map();
    this.pulse = 0;
    /** How many walks there may be at once. */
    this.most = MAX_WALKS;
  }

  get active() {
    return this.envelopes.active || this.walks.length > 0 || this.moves.size > 0 || performance.now() - this.pulse < 300;
  }

  clear() {
    this.envelopes.clear();
    this.walks = [];
    this.moves.clear();
    this.stage.lines.touch();
  }

  /** Their age is in wall time, so a stop of the world must move their birth. @param {number} by */
  shift(by) {
    for (const one of [...this.walks, ...this.moves.values()]) one.born += by;
  }

  /** @param {Signal[]} signals @param {number} now @param {boolean} still */
  hear(signals, now, still) {
    let order = 0;
    for (const signal of signals) {
      if (signal.type === "request") {
        this.pulse = now;
      } else if (signal.type === "walk") this.#walk(signal, now, still, order++);
    }
    this.envelopes.hear(signals);
  }

  /** @param {Signal} signal @param {number} now @param {boolean} still @param {number} order */
  #walk(signal, now, still, order) {
    const { layout, scene } = this.stage;
    if (!signal.source || this.walks.length >= this.most) return;
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
    const resolver = inside && signal.resolver ? scene.ofKind("Service").find(([, one]) => one.clusterIP === signal.resolver)?.[0] : undefined;
    const asks = resolver && inside && !still ? route(layout, resolver, inside) : [];
    this.walks.push({ asks: asks.length ? { points: asks, sums: lengths(asks) } : null, born: now + Math.min(280, order * 35) + (asks.length ? ASKING : 0), points, sums, span, marks, error: signal.error ?? null, die, door: inside ? Infinity : first.at(-1)?.x ?? points[0].x, service: signal.service ?? null });
  }

  /** @param {CanvasRenderingContext2D} c @param {number} now @param {Colours} k */
  draw(c, now, k) {
    this.envelopes.draw(c, k);
    this.#walks(c, now, k);
  }

  /** @param {CanvasRenderingContext2D} c @param {number} now @param {Colours} k */
  #walks(c, now, k) {
    const { camera } = this.stage;
    /** @type {Point[]} */
    const said = [];
    this.walks = this.walks.filter((one) => now - one.born < (one.error ? one.span * one.die + CROSS : one.span * 1.7));
    const crowded = this.walks.length > CROWDED;
    let ink = "";
    for (const one of this.walks) {
      const age = (now - one.born) / one.span;
      if (age < 0) {
        ink = "";
        if (one.asks) this.#asking(c, one.asks, 1 + (now - one.born) / ASKING, k);
        continue;
      }
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
      const colour = back ? k.ready : k.request;
      const r = Math.max(2.5, Math.min(4.5, 6.2 * camera.zoom));
      if (crowded) {
        if (colour !== ink) c.fillStyle = ink = colour;
        speck(c, x, y, r, back, this.stage.ratio);
        continue;
      }
      c.fillStyle = colour;
      if (back) c.fillRect(x - r * 0.8, y - r * 0.8, r * 1.6, r * 1.6);
      else {
        c.beginPath();
        c.arc(x, y, r, 0, 7);
        c.fill();
        if (one.service && camera.zoom >= 0.58) this.#lit(c, one.service, at, k);
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

  /** A name that is asked of DNS: a diamond to the server and back. @param {CanvasRenderingContext2D} c @param {{points: Point[], sums: number[]}} way @param {number} part 0 to 1 @param {Colours} k */
  #asking(c, { points, sums }, part, k) {
    if (part < 0) return;
    const { camera } = this.stage;
    const at = along(points, sums, part < 0.5 ? 1 - 2 * part : 2 * part - 1);
    const [x, y] = [camera.sx(at.x), camera.sy(at.y)];
    const r = Math.max(3, Math.min(5, 6.5 * camera.zoom));
    c.fillStyle = part < 0.5 ? k.request : k.ready;
    c.beginPath();
    c.moveTo(x, y - r);
    c.lineTo(x + r, y);
    c.lineTo(x, y + r);
    c.lineTo(x - r, y);
    c.fill();
  }

  /** The door of a Service that a request is in just now. @param {CanvasRenderingContext2D} c @param {string} id @param {Point} at @param {Colours} k */
  #lit(c, id, at, k) {
    const { camera, layout, scene } = this.stage;
    const service = scene.get(id);
    const box = layout.box(id);
    const count = service ? doorsOf(service) : 0;
    if (!box || !count || box.h < SERVICE.h || at.x < box.x || at.x > box.x + box.w || at.y < box.y || at.y > box.y + box.h) return;
    for (let index = 0; index < count; index++) {
      const one = door(box, 1, count, index);
      if (at.x < one.x || at.x > one.x + one.w) continue;
      const b = camera.box(one);
      c.strokeStyle = k.accent;
      c.lineWidth = 2;
      rounded(c, b.x, b.y, b.w, b.h, 5 * camera.zoom);
      c.stroke();
    }
  }
}

/** With more under way a request is a few whole pixels: no curve, no edge to smooth. */
const CROWDED = 200;

/** @param {CanvasRenderingContext2D} c @param {number} x @param {number} y @param {number} r @param {boolean} back @param {number} ratio */
function speck(c, x, y, r, back, ratio) {
  const whole = Math.round(r * (back ? 1.6 : 2) * ratio);
  const left = Math.round(x * ratio - whole / 2) / ratio;
  const top = Math.round(y * ratio - whole / 2) / ratio;
  const edge = whole / ratio;
  if (back) return c.fillRect(left, top, edge, edge);
  const cut = Math.max(1, Math.round(whole * 0.2)) / ratio;
  c.fillRect(left, top + cut, edge, edge - 2 * cut);
  c.fillRect(left + cut, top, edge - 2 * cut, edge);
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
