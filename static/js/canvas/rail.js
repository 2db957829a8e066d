/**
 * The control plane's rail, across the top of the canvas in pixels, whatever the camera does. People stand left of the API
 * server, etcd behind it; scheduler, controllers and kubelets reach it by the bus below. Envelopes travel these lines.
 */
import { rounded, write } from "./brush.js";
import { SANS } from "./colours.js";

/** @typedef {import("./colours.js").Colours} Colours @typedef {import("../types").Point} Point */

/** How high the rail is, its stations stand, and the bus below them lies: low where the canvas is. */
export let RAIL = 54;
let [TOP, HEIGHT, BUS] = [9, 26, 44];
/** From this height on, in pixels, a canvas has room for stations of two lines. */
const TALL = 640;
/** A station that is no wider has room for its name alone. */
const NARROW = 95;

/** Takes the form that suits a canvas of that height. @param {number} height */
export function fitRail(height) {
  [RAIL, TOP, HEIGHT, BUS] = height >= TALL ? [88, 13, 42, 71] : [54, 9, 26, 44];
}

/** @typedef {{x: number, y: number, w: number, h: number}} Station */

/** @param {number} width @returns {Record<"people"|"api"|"etcd"|"scheduler"|"controllers", Station>} */
function stations(width) {
  const side = width < 520 ? 8 : 18;
  const gap = Math.max(width < 520 ? 8 : 14, Math.min(56, (width - 760) / 5));
  const free = width - 2 * side - 4 * gap;
  const parts = width < 520 ? { people: 0.16, api: 0.25, etcd: 0.15, scheduler: 0.21, controllers: 0.23 } : { people: 0.14, api: 0.29, etcd: 0.17, scheduler: 0.17, controllers: 0.23 };
  let x = side;
  /** @type {any} */
  const all = {};
  for (const [name, part] of Object.entries(parts)) {
    const w = Math.min(free * part, 330);
    all[name] = { x, y: TOP, w, h: HEIGHT };
    x += w + gap;
  }
  return all;
}

/** The stations that are a process of the control plane. */
const COMPONENTS = { api: "kube-apiserver", etcd: "etcd", scheduler: "kube-scheduler", controllers: "kube-controller-manager" };

/** The component that is drawn there. @param {number} width @param {Point} at @returns {string|null} */
export function componentAt(width, at) {
  const all = stations(width);
  const found = Object.entries(COMPONENTS).find(([name]) => {
    const box = all[/** @type {"api"} */ (name)];
    return at.x >= box.x && at.x < box.x + box.w && at.y >= box.y && at.y < box.y + box.h;
  });
  return found ? `Component//${found[1]}` : null;
}

/** Where a component is drawn. @param {number} width @param {string} id @returns {Station|null} */
export function componentBox(width, id) {
  const found = Object.entries(COMPONENTS).find(([, component]) => id === `Component//${component}`);
  return found ? stations(width)[/** @type {"api"} */ (found[0])] : null;
}

/** Who acted, by the client's name. @param {string|undefined} client @returns {"people"|"scheduler"|"controllers"|"kubelet"} */
export function station(client) {
  const name = client ?? "";
  if (name.startsWith("kubelet")) return "kubelet";
  if (name.includes("scheduler")) return "scheduler";
  if (/controller|garbage|namespace|collector|provision|autoscaler|_volume|volume_/.test(name)) return "controllers";
  return "people";
}

/** The way from a client through the API server to etcd. @param {number} width @param {"people"|"scheduler"|"controllers"|"kubelet"} from @param {Point|null} node @returns {Point[]} */
export function way(width, from, node) {
  const all = stations(width);
  const mid = TOP + HEIGHT / 2;
  const api = { x: all.api.x + all.api.w / 2, y: mid };
  const end = [api, { x: all.etcd.x + all.etcd.w * 0.5, y: mid }];
  if (from === "people") return [{ x: all.people.x + all.people.w, y: mid }, ...end];
  const down = [{ x: api.x, y: BUS }, ...end];
  if (from === "kubelet") return node ? [node, { x: node.x, y: BUS }, ...down] : [];
  const at = all[from].x + all[from].w / 2;
  return [{ x: at, y: TOP + HEIGHT }, { x: at, y: BUS }, ...down];
}

/**
 * @param {CanvasRenderingContext2D} c @param {number} width @param {Colours} k
 * @param {{people: string, api: string, steps: string, etcd: string, scheduler: string, controllers: string, etcd2: string, people2: string, controllers2: string, scheduler2: string, stopped: string}} words
 * @param {(name: string) => boolean} healthy @param {number} pulse share of a revision's pulse left, 0 to 1
 */
export function rail(c, width, k, words, healthy, pulse) {
  c.fillStyle = k.panel2;
  c.fillRect(0, 0, width, RAIL);
  c.fillStyle = k.line;
  c.fillRect(0, RAIL - 1, width, 1);
  const all = stations(width);
  const mid = TOP + HEIGHT / 2;
  c.strokeStyle = k.strong;
  c.lineWidth = 1.5;
  c.setLineDash([]);
  c.beginPath();
  c.moveTo(all.people.x + all.people.w, mid);
  c.lineTo(all.api.x, mid);
  c.moveTo(all.api.x + all.api.w, mid - 3);
  c.lineTo(all.etcd.x, mid - 3);
  c.moveTo(all.api.x + all.api.w, mid + 3);
  c.lineTo(all.etcd.x, mid + 3);
  const bus = all.api.x + all.api.w / 2;
  c.moveTo(bus, TOP + HEIGHT);
  c.lineTo(bus, BUS);
  const last = all.controllers.x + all.controllers.w / 2;
  c.lineTo(last, BUS);
  c.lineTo(last, TOP + HEIGHT);
  const scheduler = all.scheduler.x + all.scheduler.w / 2;
  c.moveTo(scheduler, BUS);
  c.lineTo(scheduler, TOP + HEIGHT);
  c.stroke();
  box(c, all.people, k, words.people, words.people2, true, 22);
  for (const [name, component] of Object.entries(COMPONENTS)) {
    const at = all[/** @type {"api"} */ (name)];
    const well = healthy(component);
    box(c, at, k, words[/** @type {"api"} */ (name)], well ? { api: words.steps, etcd: words.etcd2, scheduler: words.scheduler2, controllers: words.controllers2 }[name] ?? "" : words.stopped, well, 8, name === "api");
    if (!well) crossOut(c, at, k);
  }
  if (pulse > 0) {
    c.globalAlpha = pulse;
    c.strokeStyle = k.accent;
    c.lineWidth = 1.5;
    rounded(c, all.etcd.x, all.etcd.y, all.etcd.w, all.etcd.h, 8);
    c.stroke();
    c.globalAlpha = 1;
  }
}

/** A process that does not run: crossed out, its words left readable. @param {CanvasRenderingContext2D} c @param {Station} at @param {Colours} k */
function crossOut(c, at, k) {
  const narrow = at.w < NARROW;
  const reach = narrow ? 12 : Math.min(14, at.w / 6);
  c.strokeStyle = k.failing;
  c.lineWidth = 2.5;
  c.beginPath();
  const middle = at.y + (narrow && at.h > 40 ? 31 : at.h / 2);
  for (const x of narrow ? [at.h > 40 ? at.x + (at.w - reach) / 2 : at.x + at.w - reach - 3] : [at.x + 6, at.x + at.w - 6 - reach]) {
    c.moveTo(x, middle - reach / 2);
    c.lineTo(x + reach, middle + reach / 2);
    c.moveTo(x + reach, middle - reach / 2);
    c.lineTo(x, middle + reach / 2);
  }
  c.stroke();
}

/** @param {CanvasRenderingContext2D} c @param {Station} at @param {Colours} k @param {string} title @param {string} detail @param {boolean} healthy @param {number} r @param {boolean} [main] */
function box(c, at, k, title, detail, healthy, r, main = false) {
  c.fillStyle = k.panel;
  c.strokeStyle = healthy ? (main ? k.strong : k.line) : k.failing;
  c.lineWidth = healthy ? 1 : 2;
  c.setLineDash(healthy ? [] : [4, 3]);
  rounded(c, at.x + 0.5, at.y + 0.5, at.w - 1, at.h - 1, r);
  c.fill();
  c.stroke();
  c.setLineDash([]);
  const centre = at.x + at.w / 2;
  const narrow = at.w < NARROW;
  const bold = `600 ${narrow ? 10 : 13}px ${SANS}`;
  const plain = `450 ${at.h > 40 ? 12 : 11}px ${SANS}`;
  const colour = healthy ? k.text : k.failText;
  if (at.h > 40) {
    write(c, title, centre, at.y + (detail && (!narrow || !healthy) ? 15 : at.h / 2), bold, colour, "center", at.w - (narrow ? 3 : 12));
    if (detail && !narrow) write(c, detail, centre, at.y + 30, plain, k.muted, "center", at.w - 12);
    return;
  }
  c.font = bold;
  const name = c.measureText(title).width;
  c.font = plain;
  const both = name + 9 + c.measureText(detail).width;
  if (!detail || both > at.w - (healthy ? 18 : 44)) return write(c, title, centre, at.y + at.h / 2 + 0.5, bold, colour, "center", at.w - (narrow ? 3 : 12));
  write(c, title, centre - both / 2, at.y + at.h / 2 + 0.5, bold, colour);
  write(c, detail, centre + both / 2, at.y + at.h / 2 + 0.5, plain, k.muted, "right");
}
