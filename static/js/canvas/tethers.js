/**
 * The lines between a Service and its pods. They run in the corridors between bins like a metro map, so that all tethers of a
 * Service share their trunk and none crosses another pod's mark. A request travels the same way. Pure geometry, world units.
 */
import { NODE, SERVICE, X_NODES, X_SERVICE } from "./layout.js";

/** @typedef {import("../types").Point} Point @typedef {import("./layout.js").Layout} Layout */

/** The upper edge of a Service's doors: what passes there hides no number. */
const LINTEL = 52;
/** And so far above the lower edge of a row. */
const SILL = 4;
/** Side by side in a corridor, the first in its middle. */
const LANES = [0, -4, 4, -8, 8];

/** @param {Layout} layout @param {string} service */
function lane(layout, service) {
  return LANES[(layout.services.of.get(service) ?? 0) % LANES.length];
}

/** @param {import("../types").Box} box */
const lintel = (box) => (box.h === SERVICE.h ? LINTEL : box.h - SILL);

/** Where a Service's tethers begin. @param {Layout} layout @param {string} service @returns {Point|null} */
export function doorway(layout, service) {
  const box = layout.serviceBox(service);
  return box && { x: box.x + box.w, y: box.y + lintel(box) };
}

/** @param {Layout} layout @param {string} service @param {string} pod @returns {Point[]} corner points */
export function route(layout, service, pod) {
  const start = doorway(layout, service);
  const box = layout.podBox(pod);
  if (!start || !box) return [];
  const at = layout.pods.get(pod);
  const shift = lane(layout, service);
  const trunk = X_NODES - 40 + shift;
  const centre = box.x + box.w / 2;
  const top = box.y + Math.max(0.6, box.h * 0.045);
  const end = { x: centre, y: box.y + box.h * 0.1 };
  if (!at || at.place === "tray") return [start, { x: trunk, y: start.y }, { x: trunk, y: top }, { x: centre, y: top }, end];
  const bin = layout.nodeBox(at.place);
  if (!bin) return [];
  if (bin.x <= X_NODES + 1) return [start, { x: trunk, y: start.y }, { x: trunk, y: top }, { x: centre, y: top }, end];
  const corridor = bin.y - NODE.gap / 2 + shift;
  const down = bin.x - NODE.gap / 2 + shift;
  return [start, { x: trunk, y: start.y }, { x: trunk, y: corridor }, { x: down, y: corridor }, { x: down, y: top }, { x: centre, y: top }, end];
}

/** As far as a node's edge, for a Service with too many pods to tether each. @param {Layout} layout @param {string} service @param {string} node @returns {Point[]} */
export function gate(layout, service, node) {
  const start = doorway(layout, service);
  const bin = layout.nodeBox(node);
  if (!start || !bin) return [];
  const shift = lane(layout, service);
  const trunk = X_NODES - 40 + shift;
  const end = { x: bin.x, y: bin.y + bin.h / 2 + shift * 2 };
  if (bin.x <= X_NODES + 1) return [start, { x: trunk, y: start.y }, { x: trunk, y: end.y }, end];
  const corridor = bin.y - NODE.gap / 2 + shift;
  const down = bin.x - NODE.gap / 2 + shift;
  return [start, { x: trunk, y: start.y }, { x: trunk, y: corridor }, { x: down, y: corridor }, { x: down, y: end.y }, end];
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
