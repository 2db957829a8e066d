/**
 * Where everything of the control plane stands in a picture of a size, and the ways that messages take. Plain arithmetic: width,
 * height and the names of the actors come in, boxes and points go out.
 *
 * People stand left, the API server with its four doors and its watch cache in the middle, etcd right; below them everyone who works
 * through it. Requests go up the left bus to the first door; watch events come straight down from the cache.
 *
 * @typedef {import("../types").Point} Point @typedef {import("../types").Box} Box
 * @typedef {{people: Box, api: Box, doors: Box[], cache: Box, etcd: Box, actors: Map<string, Box>, scale: number, bus: number, entrance: number}} Places
 */
import { DOORS } from "./script.js";

/** @param {number} w @param {number} h @param {string[]} names @returns {Places} */
export function places(w, h, names) {
  const scale = Math.max(w < 600 ? 0.7 : 0.86, Math.min(1.5, w / 1080, h / 400));
  const m = 18 * scale;
  const gap = Math.max(26, Math.min(74, w * 0.05));
  const inner = w - 2 * m - 2 * gap;
  const people = Math.min(220, inner * 0.13);
  const etcd = Math.min(330, inner * 0.27);
  const rows = h - 2 * m;
  const upper = rows * (names.length ? 0.56 : 0.8);
  const lower = Math.min(rows * 0.24, 118 * scale);
  const api = { x: m + people + gap, y: m, w: inner - people - etcd, h: upper };
  const pad = 12 * scale;
  const title = 26 * scale;
  const cacheH = Math.max(30, upper * 0.24);
  const doorH = upper - title - cacheH - 3 * pad;
  const doorW = (api.w - 2 * pad - 3 * pad) / 4;
  const doors = DOORS.map((_, i) => ({ x: api.x + pad + i * (doorW + pad), y: api.y + title + pad / 2, w: doorW, h: doorH }));
  const cache = { x: api.x + pad, y: api.y + upper - cacheH - pad, w: api.w - 2 * pad, h: cacheH };
  const count = Math.max(1, names.length);
  const between = Math.min(16, (w - 2 * m) / count / 6);
  const each = Math.min(210 * scale, (w - 2 * m - (count - 1) * between) / count);
  const total = count * each + (count - 1) * between;
  const first = Math.max(m, Math.min(w - m - total, api.x + api.w / 2 - total / 2));
  const actors = new Map(names.map((name, i) => [name, { x: first + i * (each + between), y: h - m - lower, w: each, h: lower }]));
  return {
    people: { x: m, y: doors[0].y, w: people, h: doorH }, api, doors, cache, etcd: { x: api.x + api.w + gap, y: m, w: etcd, h: upper }, actors, scale,
    bus: m + upper + (rows - upper - lower) * 0.42, entrance: api.x - gap * 0.42,
  };
}

/** Where the watch cache's line runs, below its words. @param {Places} p */
const cacheLine = (p) => p.cache.y + p.cache.h * 0.76;

/** Where a door is gone through, below its words. @param {Box} box */
const middle = (box) => ({ x: box.x + box.w / 2, y: box.y + box.h * 0.6 });

/** From a client to before the first door. @param {Places} p @param {string} lane @returns {Point[]} */
export function toDoor(p, lane) {
  const door = middle(p.doors[0]);
  const before = { x: p.api.x + 6, y: door.y };
  if (lane === "people") return [{ x: p.people.x + p.people.w, y: door.y }, before];
  const box = p.actors.get(lane);
  if (!box) return [];
  const x = box.x + box.w * 0.36;
  return [{ x, y: box.y }, { x, y: p.bus }, { x: p.entrance, y: p.bus }, { x: p.entrance, y: door.y }, before];
}

/** The last door's way into etcd. @param {Places} p @returns {Point[]} */
const toEtcd = (p) => [middle(p.doors[3]), { x: p.etcd.x, y: middle(p.doors[3]).y }];

/** From etcd through the watch cache to who watches. @param {Places} p @param {string} lane @returns {Point[]} */
export function toWatcher(p, lane) {
  const y = cacheLine(p);
  const box = p.actors.get(lane);
  if (!box) return [];
  const x = box.x + box.w * 0.64;
  const out = Math.max(p.cache.x + 8, Math.min(p.cache.x + p.cache.w - 8, x));
  const turn = p.bus - (p.bus - p.api.y - p.api.h) * 0.45;
  return [{ x: p.etcd.x, y }, { x: out, y }, { x: out, y: turn }, { x, y: turn }, { x, y: box.y }];
}

/**
 * The ways of a message: usually one, of a watch one for each who hears.
 * @param {Places} p @param {import("./script.js").Message} message @param {import("./script.js").Step} step @param {string} who @param {string[]} [hears]
 * @returns {{points: Point[], to: string}[]}
 */
export function ways(p, message, step, who, hears = []) {
  const door = DOORS.indexOf(/** @type {any} */ (message.stage?.stage));
  const one = (/** @type {Point[]} */ points) => (points.length > 1 ? [{ points, to: who }] : []);
  switch (message.kind) {
    case "send": return one(toDoor(p, who));
    case "request": return one([...toDoor(p, who), ...p.doors.map(middle), ...toEtcd(p).slice(1)]);
    case "authentication": case "authorization": case "admission": case "validation":
      return one([door === 0 ? /** @type {Point} */ (toDoor(p, who).at(-1)) : middle(p.doors[door - 1]), middle(p.doors[door])].filter(Boolean));
    case "etcd": return one(toEtcd(p));
    case "cache": return one([middle(p.doors[1]), { x: middle(p.doors[1]).x, y: cacheLine(p) }]);
    case "answer": {
      const back = toDoor(p, who).reverse();
      const from = step.read ? { x: middle(p.doors[1]).x, y: cacheLine(p) } : { x: p.etcd.x, y: middle(p.doors[3]).y };
      return back.length ? one(step.read ? [from, { x: p.entrance, y: from.y }, { x: p.entrance, y: back[0].y }, ...back.slice(-1)] : [from, ...back]) : [];
    }
    case "refused": {
      const back = toDoor(p, who).reverse();
      const from = door >= 0 ? middle(p.doors[door]) : message.stage.stage === "cache" ? { x: middle(p.doors[1]).x, y: cacheLine(p) } : toEtcd(p)[1];
      return back.length ? one([from, ...back]) : [];
    }
    case "watch": return hears.map((to) => ({ points: toWatcher(p, to), to })).filter((way) => way.points.length > 1);
    default: return [];
  }
}

/** How far along a line of points each is, from 0 to its length. @param {Point[]} points */
export function sums(points) {
  let sum = 0;
  return points.map((point, i) => (sum += i ? Math.hypot(point.x - points[i - 1].x, point.y - points[i - 1].y) : 0));
}

/** @param {Point[]} points @param {number} part 0 to 1 @returns {Point} */
export function along(points, part) {
  const all = sums(points);
  const at = (all.at(-1) ?? 0) * Math.max(0, Math.min(1, part));
  const next = Math.max(1, all.findIndex((sum) => sum >= at));
  const leg = all[next] - all[next - 1];
  const share = leg ? (at - all[next - 1]) / leg : 0;
  return { x: points[next - 1].x + (points[next].x - points[next - 1].x) * share, y: points[next - 1].y + (points[next].y - points[next - 1].y) * share };
}

/** The part of a way that has been gone. @param {Point[]} points @param {number} part */
export function gone(points, part) {
  const all = sums(points);
  const at = (all.at(-1) ?? 0) * part;
  return [...points.filter((_, i) => all[i] < at), along(points, part)];
}

/** @param {Box} box @param {Point} at */
export const inside = (box, at) => at.x >= box.x && at.x < box.x + box.w && at.y >= box.y && at.y < box.y + box.h;
