/**
 * The lines between a Service and its pods. They run in the corridors between bins like a metro map, so that all tethers of a
 * Service share their trunk and none crosses another pod's mark. A request travels the same way. Pure geometry, world units.
 */
import { NODE, SERVICE, X_NODES, X_SERVICE } from "./layout.js";

/** @typedef {import("../types").Point} Point @typedef {import("./layout.js").Layout} Layout */

/** Above a Service's doors and below its address: what passes there hides no number. */
const LINTEL = 48;
/** And so far above the lower edge of a row. */
const SILL = 4;
/** So far above a row of bins they pass: above what a taint has written on its bin's edge, however wide a flow is. */
const CORRIDOR = 17;
/** Side by side in a corridor, the first in its middle. */
const LANES = [0, -4, 4, -8, 8];

/** @param {Layout} layout @param {string} service */
function lane(layout, service) {
  return LANES[(layout.services.of.get(service) ?? 0) % LANES.length];
}

/** @param {import("../types").Box} box */
const lintel = (box) => (box.h === SERVICE.h ? LINTEL : box.h - SILL);

/** Where a Service's tethers begin. @param {Layout} layout @param {string} service @returns {Point|null} */
function doorway(layout, service) {
  const box = layout.serviceBox(service);
  return box && { x: box.x + box.w, y: box.y + lintel(box) };
}

/** From a point on the left by the trunk of a lane to a pod. @param {Layout} layout @param {Point|null} start @param {number} shift @param {string} pod @returns {Point[]} corner points */
function inward(layout, start, shift, pod) {
  const box = layout.podBox(pod);
  const at = layout.pods.get(pod);
  if (!start || !box || !at) return [];
  const trunk = X_NODES - 40 + shift;
  const { top, centre, end } = head(box);
  const bin = at.place === "tray" ? null : layout.nodeBox(at.place);
  if (!bin && at.place !== "tray") return [];
  if (!bin || bin.x <= X_NODES + 1) return [start, { x: trunk, y: start.y }, { x: trunk, y: top }, { x: centre, y: top }, end];
  const corridor = bin.y - CORRIDOR + shift;
  const down = bin.x - NODE.gap / 2 + shift;
  return [start, { x: trunk, y: start.y }, { x: trunk, y: corridor }, { x: down, y: corridor }, { x: down, y: top }, { x: centre, y: top }, end];
}

/** Where a line comes to a pod. @param {import("../types").Box} box */
function head(box) {
  const centre = box.x + box.w / 2;
  return { centre, top: box.y + Math.max(0.6, box.h * 0.015), end: { x: centre, y: box.y + box.h * 0.1 } };
}

/** The same as far as a node's edge. @param {Layout} layout @param {Point|null} start @param {number} shift @param {string} node @returns {Point[]} */
function toNode(layout, start, shift, node) {
  const bin = layout.nodeBox(node);
  if (!start || !bin) return [];
  const trunk = X_NODES - 40 + shift;
  const end = { x: bin.x, y: bin.y + bin.h / 2 + shift * 2 };
  if (bin.x <= X_NODES + 1) return [start, { x: trunk, y: start.y }, { x: trunk, y: end.y }, end];
  const corridor = bin.y - CORRIDOR + shift;
  const down = bin.x - NODE.gap / 2 + shift;
  return [start, { x: trunk, y: start.y }, { x: trunk, y: corridor }, { x: down, y: corridor }, { x: down, y: end.y }, end];
}

/** @param {Layout} layout @param {string} service @param {string} pod @returns {Point[]} corner points */
export const route = (layout, service, pod) => inward(layout, doorway(layout, service), lane(layout, service), pod);

/** As far as a node's edge, for a Service with too many pods to tether each. @param {Layout} layout @param {string} service @param {string} node @returns {Point[]} */
export const gate = (layout, service, node) => toNode(layout, doorway(layout, service), lane(layout, service), node);

/** So far before a corner a branch leaves the trunk that is drawn already, in world units. */
const BRANCH = 12;

/** A Service's ways, each without what another one draws: the trunk goes once to its ends, a corridor once to the furthest bin. @param {Point[][]} ways @returns {Point[][]} */
export function bundled(ways) {
  /** @type {Map<number, Point[]>} the way that goes furthest on each level */
  const furthest = new Map();
  const found = ways.filter((way) => way.length > 3);
  for (const way of found) {
    const known = furthest.get(way[2].y);
    if (!known || way[3].x > known[3].x) furthest.set(way[2].y, way);
  }
  const levels = [...furthest.keys()];
  const [top, bottom] = [furthest.get(Math.min(...levels)), furthest.get(Math.max(...levels))];
  return found.map((way) => {
    const [start, , turn, down] = way;
    if (way === top || way === bottom) return way;
    if (furthest.get(turn.y) !== way) return [{ x: Math.max(turn.x, down.x - BRANCH), y: turn.y }, ...way.slice(3)];
    return [{ x: turn.x, y: turn.y + Math.sign(start.y - turn.y) * Math.min(BRANCH, Math.abs(start.y - turn.y)) }, ...way.slice(2)];
  });
}

/** From a pod to another by way of the corridors beside their bins. @param {Layout} layout @param {string} from @param {string} to @returns {Point[]} */
export function between(layout, from, to) {
  const [a, b] = [layout.podBox(from), layout.podBox(to)];
  if (!a || !b) return [];
  const [out, into] = [head(a), head(b)];
  const gutter = (/** @type {string} */ pod) => (layout.nodeBox(layout.pods.get(pod)?.place ?? "")?.x ?? X_NODES) - NODE.gap / 2;
  const [x, y] = [gutter(from), gutter(to)];
  const corridor = (layout.nodeBox(layout.pods.get(to)?.place ?? "")?.y ?? layout.yNodes) - CORRIDOR;
  const cross = x === y ? [] : [{ x, y: corridor }, { x: y, y: corridor }];
  return [out.end, { x: out.centre, y: out.top }, { x, y: out.top }, ...cross, { x: y, y: into.top }, { x: into.centre, y: into.top }, into.end];
}

/**
 * What a source asks, as far as it is drawn: to its Service's door, or, where it asks none, straight to a pod or a node. Who sends from a
 * pod comes out by the way that the Service goes in.
 * @param {Layout} layout @param {string} source @param {import("../types").Thing} thing @returns {Point[]}
 */
export function outset(layout, source, thing) {
  const target = thing.service ?? thing.target ?? "";
  if (thing.source) return layout.serviceBox(target) ? route(layout, target, thing.source).reverse() : target.startsWith("Pod/") ? between(layout, thing.source, target) : [];
  if (layout.serviceBox(target)) return approach(layout, source, target);
  const from = layout.sourceBox(source);
  if (!from) return [];
  const start = { x: from.x + from.w, y: from.y + from.h / 2 };
  if (target.startsWith("Pod/")) return inward(layout, start, LANES[3], target);
  if (target.startsWith("Node/")) return toNode(layout, start, LANES[3], target);
  return [start, { x: start.x + 24, y: start.y }];
}

/** Where a source's requests die: at its own end of the line for a name that nobody knows, a policy of its own; else as far as they came. @param {Layout} layout @param {string} source @param {import("../types").Thing} thing @returns {Point|null} */
export function end(layout, source, thing) {
  const { error } = thing;
  const first = outset(layout, source, thing);
  if (!error) return null;
  const target = thing.service ?? thing.target ?? "";
  if (error.hop === "dns" || error.direction === "egress") return first.length ? along(first, lengths(first), thing.source ? 0 : 0.5) : null;
  if (error.hop === "policy" || error.hop === "pod") {
    const box = error.pod ? layout.podBox(error.pod) : null;
    if (box) return { x: box.x + box.w / 2, y: box.y + box.h * 0.1 };
  }
  if (error.hop === "node" && error.node && layout.serviceBox(target)) return gate(layout, target, error.node).at(-1) ?? null;
  return first.at(-1) ?? null;
}

/** From a traffic source to the Service's first door. @param {Layout} layout @param {string} source @param {string} service @returns {Point[]} */
export function approach(layout, source, service) {
  const from = layout.sourceBox(source);
  const to = layout.serviceBox(service);
  if (!from || !to) return [];
  const end = { x: to.x, y: to.y + lintel(to) };
  const level = end.y > from.y + 8 && end.y < from.y + from.h - 8;
  const start = { x: from.x + from.w, y: level ? end.y : from.y + from.h / 2 };
  const middle = X_SERVICE - 23;
  return Math.abs(start.y - end.y) < 1 ? [start, end] : [start, { x: middle, y: start.y }, { x: middle, y: end.y }, end];
}

/** @param {Point[]} points */
export function lengths(points) {
  const sums = [0];
  for (let i = 1; i < points.length; i++) sums.push(sums[i - 1] + Math.hypot(points[i].x - points[i - 1].x, points[i].y - points[i - 1].y));
  return sums;
}

/** The point that far along. @param {Point[]} points @param {number[]} sums @param {number} part 0 to 1 @returns {Point} */
export function along(points, sums, part) {
  const goal = sums[sums.length - 1] * Math.min(1, Math.max(0, part));
  let i = 1;
  while (i < sums.length - 1 && sums[i] < goal) i++;
  const span = sums[i] - sums[i - 1] || 1;
  const t = (goal - sums[i - 1]) / span;
  return { x: points[i - 1].x + (points[i].x - points[i - 1].x) * t, y: points[i - 1].y + (points[i].y - points[i - 1].y) * t };
}

/** A line with rounded corners. @param {Path2D|CanvasRenderingContext2D} path @param {Point[]} points @param {number} r */
export function trace(path, points, r) {
  if (points.length < 2) return;
  path.moveTo(points[0].x, points[0].y);
  for (let i = 1; i < points.length - 1; i++) {
    const reach = Math.min(r, Math.hypot(points[i].x - points[i - 1].x, points[i].y - points[i - 1].y) / 2,
      Math.hypot(points[i + 1].x - points[i].x, points[i + 1].y - points[i].y) / 2);
    path.arcTo(points[i].x, points[i].y, points[i + 1].x, points[i + 1].y, reach);
  }
  path.lineTo(points[points.length - 1].x, points[points.length - 1].y);
}
