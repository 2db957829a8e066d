/**
 * One followed request on the canvas: its hops as places, the ways between them as tethers run, the number that it carries at each. What the
 * room told of the request comes in; for one step, pixels go out. Places are looked up at each drawing: things may move meanwhile.
 */
import { refusal } from "../follow.js";
import { rounded, write } from "./brush.js";
import { MONO } from "./colours.js";
import { ROW, SERVICE, X_NODES, X_SERVICE } from "./columns.js";
import { cross } from "./motion.js";
import { along, approach, between, lengths, route, trace } from "./tethers.js";

/** @typedef {import("../types").Followed} Followed @typedef {import("../types").Point} Point @typedef {import("../types").Box} Box @typedef {import("./stage.js").Stage} Stage */
/** A hop: the thing it is about, the thing that the request is at then, and what it carries. @typedef {{lights: string, at: string, from: string, text: string}} Stop */

/** Left of its first place a request from outside begins, in world units. */
const OUTSIDE = 34;
/** How far down a node's box its name is. */
const NAME = 20;

/**
 * Where a request is at each hop. A name is asked first and the request begins anew; a policy and an Ingress decide where it is already.
 * @param {Followed & {source?: string, pod?: string|null, numbers?: number[]}} answer @param {import("../scene.js").Scene} scene @returns {Stop[]}
 */
export function stops({ hops, source = "", pod = null, numbers = [] }, scene) {
  const origin = scene.get(source) ? source : "";
  let at = origin;
  let number = `${numbers[0] ?? ""}`;
  return hops.map(({ kind, what, decision, detail }) => {
    const from = at;
    if (kind === "dns") {
      const server = scene.ofKind("Service").find(([, one]) => detail.server && one.clusterIP === detail.server)?.[0] ?? "";
      if (detail.pod) return { lights: `Pod/${detail.pod}`, at: `Pod/${detail.pod}`, from: origin, text: "53" };
      return { lights: server, at: server, from: origin, text: detail.addresses?.[0] ?? decision };
    }
    const [ns, name] = what.split("/");
    if (kind === "node") return { lights: `Node//${what}`, at: (at = `Node//${what}`), from, text: number };
    if (kind === "service") {
      const port = /:(\d+)$/.exec(decision)?.[1] ?? "";
      const text = [number, port].filter(Boolean).join(" → ");
      if (port) number = port;
      return { lights: `Service/${what}`, at: (at = `Service/${what}`), from, text };
    }
    if (kind === "pod") return { lights: `Pod/${what}`, at: (at = `Pod/${what}`), from, text: `${detail.port ?? number}` };
    if (kind === "policy") {
      const lights = `NetworkPolicy/${ns}/${name}`;
      if (detail.direction === "egress") return { lights, at: origin, from: origin, text: number };
      if (pod) at = pod;
      return { lights, at, from, text: number };
    }
    return { lights: kind === "ingress" ? `Ingress/${detail.ingress ?? what}` : "", at, from, text: "" };
  });
}

/** From one place to the next, as tethers run. @param {import("./layout.js").Layout} layout @param {string} from empty: outside @param {string} to @returns {Point[]} */
export function way(layout, from, to) {
  const end = layout.box(to);
  if (!end || from === to) return [];
  const [sent, met] = [layout.serviceBox(from), layout.serviceBox(to)];
  if (from.startsWith("Traffic/") && met) return approach(layout, from, to);
  if (sent && to.startsWith("Pod/")) return route(layout, from, to);
  if (met && from.startsWith("Pod/")) return route(layout, to, from).reverse();
  if (from.startsWith("Pod/") && to.startsWith("Pod/")) return between(layout, from, to);
  const begin = layout.box(from);
  const level = (/** @type {string} */ id, /** @type {Box} */ b) => (id.startsWith("Node/") ? b.y + NAME : b.y + b.h / 2);
  const goal = level(to, end);
  if (!begin) return [{ x: end.x - OUTSIDE, y: goal }, { x: end.x, y: goal }];
  if (from.startsWith("Traffic/")) {
    const [level, under] = [begin.y + begin.h / 2, begin.y + begin.h / 2 + (begin.h > ROW.h ? SERVICE.h + SERVICE.gap : ROW.h + ROW.gap) / 2];
    const [gutter, corridor] = [X_SERVICE - OUTSIDE / 2, X_NODES - OUTSIDE / 2];
    return [{ x: begin.x + begin.w, y: level }, { x: gutter, y: level }, { x: gutter, y: under }, { x: corridor, y: under }, { x: corridor, y: goal }, { x: end.x, y: goal }];
  }
  const right = end.x >= begin.x + begin.w;
  const start = { x: right ? begin.x + begin.w : begin.x, y: level(from, begin) };
  const stop = { x: right ? end.x : end.x + end.w, y: goal };
  const middle = right ? stop.x - OUTSIDE / 2 : start.x - OUTSIDE / 2;
  return [start, { x: middle, y: start.y }, { x: middle, y: stop.y }, stop];
}

export class FollowedWay {
  /** @param {Stage} stage @param {Followed} answer */
  constructor(stage, answer) {
    this.stage = stage;
    this.answer = answer;
    this.stops = stops(answer, stage.scene);
    /** The hop that is looked at, and how far the request is on its way to it, 0 to 1. */
    this.step = 0;
    this.part = 1;
  }

  /** @param {CanvasRenderingContext2D} c @param {import("./colours.js").Colours} k */
  draw(c, k) {
    const { stage, stops: all, step, part } = this;
    const { camera, layout } = stage;
    const pixels = (/** @type {Point[]} */ points) => points.map((p) => ({ x: camera.sx(p.x), y: camera.sy(p.y) }));
    const r = 9 * camera.zoom;
    c.strokeStyle = k.request;
    for (let index = 0; index <= step; index++) {
      const points = pixels(way(layout, all[index].from, all[index].at));
      c.lineWidth = index === step ? 3 : 2;
      c.globalAlpha = index === step ? 1 : 0.6;
      c.beginPath();
      trace(c, points, r);
      c.stroke();
    }
    c.globalAlpha = 1;
    const stop = all[step];
    if (!stop) return;
    for (const id of part === 1 ? new Set([stop.at, stop.lights]) : []) this.#lit(c, id, k);
    const points = way(layout, stop.from, stop.at);
    const box = layout.box(stop.at);
    const place = points.length ? along(points, lengths(points), part) : box ? { x: box.x + Math.min(box.w / 2, 60), y: box.y + Math.min(box.h * 0.1, NAME) } : null;
    if (!place) return;
    const [{ x, y }] = pixels([place]);
    const { error } = this.answer;
    const died = error && part === 1 && step === all.length - 1;
    if (died) cross(c, x, y, 1, k);
    else {
      c.fillStyle = k.request;
      c.beginPath();
      c.arc(x, y, 6, 0, 7);
      c.fill();
      c.strokeStyle = k.panel;
      c.lineWidth = 1.5;
      c.stroke();
    }
    const text = died ? refusal(error, stage.t) : stop.text;
    if (text) this.#plate(c, text, x, y, died ? k.failText : k.text, k);
  }

  /** @param {CanvasRenderingContext2D} c @param {string} id @param {import("./colours.js").Colours} k */
  #lit(c, id, k) {
    const world = this.stage.layout.box(id);
    if (!world) return;
    const b = this.stage.camera.box(world);
    c.strokeStyle = k.accent;
    c.lineWidth = 3;
    rounded(c, b.x - 1, b.y - 1, b.w + 2, b.h + 2, id.startsWith("Pod/") ? b.w * 0.14 : 11 * this.stage.camera.zoom);
    c.stroke();
  }

  /** @param {CanvasRenderingContext2D} c @param {string} text @param {number} x @param {number} y @param {string} colour @param {import("./colours.js").Colours} k */
  #plate(c, text, x, y, colour, k) {
    const font = `650 12.5px ${MONO}`;
    c.font = font;
    const w = c.measureText(text).width + 14;
    const left = Math.max(4, Math.min(this.stage.width - w - 4, x - w / 2));
    const above = y - 32 < this.stage.camera.view.y ? 10 : -32;
    c.fillStyle = k.panel;
    c.strokeStyle = colour === k.text ? k.request : colour;
    c.lineWidth = 1.5;
    rounded(c, left, y + above, w, 22, 6);
    c.fill();
    c.stroke();
    write(c, text, left + w / 2, y + above + 11.5, font, colour, "center");
  }
}
