/**
 * Envelopes on the rail: a stored request goes in, an envelope travels from who asked through the API server to etcd. In slow motion,
 * and after a step while the room is paused, they go one after the other in the order of their revisions, wear their kind, and rest when
 * the room does: one that is clicked opens the replay of its act. What is too many to follow is a count.
 */
import { parseId } from "../scene.js";
import { rounded, write } from "./brush.js";
import { MONO } from "./colours.js";
import { RAIL, station, way } from "./rail.js";
import { along, lengths } from "./tethers.js";

/** @typedef {import("../types").Signal} Signal @typedef {import("./colours.js").Colours} Colours @typedef {{born: number, from: string, node: string|null, signal: Signal, leg: number, slow: boolean}} Envelope */

const LEG = { fast: 620, slow: 1900 };
const GAP = { fast: 45, slow: 330 };
const MOST = 40;
/** Below this speed of the room there is time to read. */
const SLOW = 0.5;
/** How near a click must come, in pixels. */
const REACH = 12;

/** What comes so soon after the room was paused was under way; what comes later was let happen while it is. In milliseconds. */
const LATE = 400;

/** @param {number} t */
const ease = (t) => (t < 0.5 ? 2 * t * t : 1 - (2 - 2 * t) ** 2 / 2);

export class Envelopes {
  /** @param {import("./stage.js").Stage} stage */
  constructor(stage) {
    this.stage = stage;
    /** @type {Envelope[]} */
    this.all = [];
    /** @type {{x: number, y: number, w: number, revision: number|undefined}[]} where they are drawn */
    this.drawn = [];
    /** What a click on one opens. @type {((revision: number) => void)|null} */
    this.open = null;
    /** How many there were no room for, and until when that is told. */
    this.over = { count: 0, until: 0 };
    this.lost = 0;
    /** @type {number|null} */
    this.held = null;
    this.stepping = false;
    this.walking = false;
    stage.host?.addEventListener("pointerdown", (event) => this.#click(event), { capture: true });
  }

  get active() {
    return this.all.length > 0;
  }

  clear() {
    this.all = [];
    this.drawn = [];
  }

  /** Their own time: it stands while the room is paused, but for what a step let happen. */
  #now() {
    const wall = performance.now();
    const hold = this.stage.frozen && !this.stepping;
    if (hold) this.held ??= wall;
    else if (this.held !== null) {
      this.lost += wall - this.held;
      this.held = null;
    }
    return (this.held ?? wall) - this.lost;
  }

  /** @param {Signal[]} signals */
  hear(signals) {
    const { stage } = this;
    if (stage.still.matches) return;
    const slow = stage.time.paused || stage.time.speed < SLOW;
    const told = signals.filter((signal) => signal.type === "request" && (!slow || !/^(Event|Lease)\//.test(signal.thing ?? "")));
    if (!told.length) return;
    if (!stage.frozen) this.stepping = false;
    else if (this.held !== null && performance.now() - this.held > LATE) this.stepping = true;
    const now = this.#now();
    const pace = slow ? "slow" : "fast";
    let next = slow ? Math.max(now, ...this.all.filter((one) => one.slow).map((one) => one.born + GAP.slow)) : now;
    if (slow) told.sort((a, b) => (a.revision ?? 0) - (b.revision ?? 0));
    for (const signal of told) {
      if (this.all.length >= MOST) {
        this.over = { count: (this.over.until > now ? this.over.count : 0) + 1, until: now + 1000 };
        continue;
      }
      this.all.push({ born: slow ? next : Math.min(next, now + 240), from: station(signal.client), node: this.#nodeOf(signal), signal, leg: LEG[pace], slow });
      next += GAP[pace];
    }
    if (this.stepping && !this.walking) {
      this.walking = true;
      this.#step();
    }
  }

  /** Keeps the picture moving though the room stands still, until all have arrived. */
  #step() {
    this.stage.movingDirty = true;
    this.stage.invalidate();
    if (!this.stepping || !this.active || !this.stage.frozen) this.stepping = this.walking = false;
    else requestAnimationFrame(() => this.#step());
  }

  /** @param {Signal} signal */
  #nodeOf(signal) {
    if (signal.thing?.startsWith("Node/")) return signal.thing;
    const node = this.stage.scene.get(signal.thing ?? "")?.node;
    return node ? `Node//${node}` : null;
  }

  /** @param {CanvasRenderingContext2D} c @param {Colours} k */
  draw(c, k) {
    const { camera, layout, width } = this.stage;
    const now = this.#now();
    this.all = this.all.filter((one) => now - one.born < one.leg);
    this.drawn = [];
    /** @type {{x: number, y: number}[]} */
    const said = [];
    for (const one of this.all) {
      if (now < one.born) continue;
      const bin = one.node ? layout.nodeBox(one.node) : null;
      const node = bin ? { x: Math.min(width - 8, Math.max(8, camera.sx(bin.x + bin.w * 0.86))), y: Math.max(RAIL + 4, camera.sy(bin.y)) } : null;
      const points = way(width, /** @type {any} */ (one.from), node);
      if (!points.length) continue;
      const age = (now - one.born) / one.leg;
      const at = along(points, lengths(points), ease(age));
      c.globalAlpha = age > 0.85 && !one.slow ? (1 - age) / 0.15 : 1;
      envelope(c, at.x, at.y, k);
      this.drawn.push({ x: at.x, y: at.y, w: 16, revision: one.signal.revision });
      if (one.slow && !said.some((other) => Math.abs(other.x - at.x) < 120 && Math.abs(other.y - at.y) < 15)) {
        said.push(at);
        const { kind, name } = parseId(one.signal.thing ?? "");
        tag(c, `${one.signal.verb ?? ""} ${kind} ${name}`, at.x, at.y > RAIL * 0.6 ? at.y - 13 : at.y + 15, width, k);
      }
      c.globalAlpha = 1;
    }
    if (this.over.until > now) tag(c, `+${this.over.count}`, way(width, "people", null)[1].x, RAIL - 12, width, k);
  }

  /** @param {number} x @param {number} y */
  at(x, y) {
    return this.drawn.findLast((one) => Math.abs(one.x - x) < one.w / 2 + REACH / 2 && Math.abs(one.y - y) < REACH) ?? null;
  }

  /** @param {PointerEvent} event */
  #click(event) {
    if (event.button !== 0 || !this.open || !this.drawn.length || !(event.target instanceof HTMLCanvasElement)) return;
    const box = this.stage.host.getBoundingClientRect();
    const hit = this.at(event.clientX - box.left, event.clientY - box.top);
    if (hit?.revision === undefined) return;
    event.stopImmediatePropagation();
    event.preventDefault();
    this.open(hit.revision);
  }
}

/** @param {CanvasRenderingContext2D} c @param {number} x @param {number} y @param {Colours} k */
function envelope(c, x, y, k) {
  c.fillStyle = k.accent;
  c.strokeStyle = k.panel;
  c.lineWidth = 1.25;
  rounded(c, x - 8, y - 5.5, 16, 11, 2);
  c.fill();
  c.beginPath();
  c.moveTo(x - 7, y - 4.5);
  c.lineTo(x, y + 1);
  c.lineTo(x + 7, y - 4.5);
  c.stroke();
}

/** @param {CanvasRenderingContext2D} c @param {string} text @param {number} x @param {number} y @param {number} width @param {Colours} k */
function tag(c, text, x, y, width, k) {
  const font = `500 10px ${MONO}`;
  c.font = font;
  const w = Math.min(220, c.measureText(text).width + 10);
  const left = Math.max(4, Math.min(width - w - 4, x - w / 2));
  c.fillStyle = k.panel;
  rounded(c, left, y - 7, w, 14, 3);
  c.fill();
  write(c, text, left + w / 2, y, font, k.text, "center", w - 6, true);
}
