/**
 * How the timeline is painted: writes as bars, marks by shape and colour, an axis of virtual time, where one looks. A pure function of the
 * history, the stretch of time that is shown, and the colours; where each mark went comes back for the pointer.
 *
 * @typedef {import("../types").Mark} Mark
 * @typedef {{width: number, height: number, left: number, right: number, rows: boolean, from: number, until: number, now: number, at: number|null, hover: number|null, moved: {time: number}[]}} View
 */
import { MONO } from "../canvas/colours.js";
import { clockTime } from "../virtualtime.js";
import { ticks } from "../chronicle.js";

/** From bottom to top: the later is painted over the earlier. */
export const KINDS = /** @type {const} */ (["warning", "pod", "node", "fault", "act"]);
export const ROW = 19;
const AXIS = 15;
const REACH = 5;
const TAU = Math.PI * 2;

/** The height the rows take. */
export const tall = (KINDS.length + 1) * ROW + AXIS + 8;

/** @param {"act"|"warning"|"fault"|"node"|"pod"|"moved"} kind @param {import("../canvas/colours.js").Colours} k */
export function hue(kind, k) {
  return { act: k.accent, warning: k.pending, fault: k.failText, node: k.done, pod: k.failText, moved: k.muted }[kind];
}

/** One mark, about a point. @param {CanvasRenderingContext2D} c @param {string} kind @param {number} x @param {number} y @param {number} r @param {import("../canvas/colours.js").Colours} k */
export function shape(c, kind, x, y, r, k) {
  c.fillStyle = c.strokeStyle = hue(/** @type {any} */ (kind), k);
  c.lineWidth = 1.75;
  c.beginPath();
  if (kind === "act") {
    c.moveTo(x - r, y - r);
    c.lineTo(x + r, y - r);
    c.lineTo(x, y + r);
    c.closePath();
    c.fill();
  } else if (kind === "warning") {
    c.moveTo(x, y - r);
    c.lineTo(x + r, y + r * 0.85);
    c.lineTo(x - r, y + r * 0.85);
    c.closePath();
    c.stroke();
  } else if (kind === "fault") {
    c.lineWidth = 2.25;
    c.moveTo(x - r * 0.8, y - r * 0.8);
    c.lineTo(x + r * 0.8, y + r * 0.8);
    c.moveTo(x + r * 0.8, y - r * 0.8);
    c.lineTo(x - r * 0.8, y + r * 0.8);
    c.stroke();
  } else if (kind === "node") c.fillRect(x - r * 0.8, y - r * 0.8, r * 1.6, r * 1.6);
  else if (kind === "pod") {
    for (let i = 0; i < 8; i++) c.lineTo(x + r * Math.cos((i + 0.5) * (TAU / 8)), y + r * Math.sin((i + 0.5) * (TAU / 8)));
    c.closePath();
    c.fill();
  } else {
    c.lineWidth = 1.25;
    c.arc(x, y, r * 0.55, 0, TAU);
    c.stroke();
  }
}

/** Where a moment is. @param {View} view @param {number} time */
export const xOf = (view, time) => view.left + ((time - view.from) / Math.max(1e-9, view.until - view.from)) * (view.width - view.left - view.right);
/** @param {View} view @param {number} x */
export const timeOf = (view, x) => view.from + ((x - view.left) / Math.max(1, view.width - view.left - view.right)) * (view.until - view.from);

/**
 * @param {CanvasRenderingContext2D} c @param {View} view @param {import("../chronicle.js").Chronicle} chronicle @param {import("../canvas/colours.js").Colours} k
 * @returns {{x: number, y: number, mark: Mark}[]}
 */
export function paint(c, view, chronicle, k) {
  const { width, height, left, right, rows, from, until } = view;
  const floor = height - AXIS;
  const end = width - right;
  c.clearRect(0, 0, width, height);
  axis(c, view, floor, k);
  c.save();
  c.beginPath();
  c.rect(left - 7, 0, end - left + 14, height);
  c.clip();
  bars(c, view, chronicle, rows ? floor - 3 : floor, rows ? ROW - 5 : floor - 18, k);
  for (const { time } of view.moved) if (time >= from && time <= until) shape(c, "moved", xOf(view, time), floor + 0.5, 4, k);
  /** @type {{x: number, y: number, mark: Mark}[]} */
  const places = [];
  for (const [index, kind] of KINDS.entries()) {
    let last = -Infinity;
    const y = rows ? 4 + ROW * (KINDS.length - 1 - index) + ROW / 2 : 10;
    for (const mark of chronicle.marks) {
      if (mark.kind !== kind || mark.time < from || mark.time > until) continue;
      const x = xOf(view, mark.time);
      places.push({ x, y, mark });
      if (x - last < 3) continue;
      last = x;
      shape(c, kind, x, y, REACH, k);
    }
  }
  head(c, view, floor, k);
  c.restore();
  return places;
}

/** @param {CanvasRenderingContext2D} c @param {View} view @param {number} floor @param {import("../canvas/colours.js").Colours} k */
function axis(c, view, floor, k) {
  const { left, right, width } = view;
  c.strokeStyle = k.line;
  c.lineWidth = 1;
  c.beginPath();
  c.moveTo(left, floor + 0.5);
  c.lineTo(width - right, floor + 0.5);
  c.stroke();
  c.fillStyle = k.muted;
  c.font = `10.5px ${MONO}`;
  c.textBaseline = "middle";
  c.textAlign = "center";
  const span = view.until - view.from;
  for (const time of ticks(view.from, view.until, width - left - right, 110)) {
    const x = Math.round(xOf(view, time)) + 0.5;
    c.beginPath();
    c.moveTo(x, floor);
    c.lineTo(x, floor + 4);
    c.stroke();
    const text = clockTime(time, span < 8);
    const half = c.measureText(text).width / 2;
    c.fillText(text, Math.min(width - half - 2, Math.max(half + 2, x)), floor + 9.5);
  }
}

/** @param {CanvasRenderingContext2D} c @param {View} view @param {import("../chronicle.js").Chronicle} chronicle @param {number} floor @param {number} most @param {import("../canvas/colours.js").Colours} k */
function bars(c, view, chronicle, floor, most, k) {
  const { density, width: step } = chronicle;
  const peak = Math.log2(1 + density.reduce((high, [, count]) => Math.max(high, count), 1));
  c.fillStyle = k.strong;
  for (const [time, count] of density) {
    if (time + step < view.from || time > view.until) continue;
    const x = xOf(view, time);
    const w = Math.max(1, Math.min(xOf(view, time + step) - x - 1, 60));
    const h = Math.max(1.5, (most * Math.log2(1 + count)) / peak);
    c.fillRect(x, floor - h, w, h);
  }
}

/** @param {CanvasRenderingContext2D} c @param {View} view @param {number} floor @param {import("../canvas/colours.js").Colours} k */
function head(c, view, floor, k) {
  const end = view.width - view.right;
  if (view.hover !== null) {
    c.fillStyle = k.muted;
    c.fillRect(Math.round(view.hover), 0, 1, floor);
  }
  const x = Math.round(xOf(view, view.at ?? view.now));
  if (view.at !== null) {
    c.fillStyle = k.ground;
    c.globalAlpha = 0.62;
    c.fillRect(x + 1, 0, Math.max(0, end + 7 - x), floor);
    c.globalAlpha = 1;
  }
  c.fillStyle = view.at === null ? k.text : k.done;
  c.fillRect(x - 1, 0, view.at === null ? 1.5 : 3, floor + 1);
  if (view.at === null) return;
  c.beginPath();
  c.arc(x + 0.5, floor, 6, 0, TAU);
  c.fill();
  c.strokeStyle = k.ground;
  c.lineWidth = 1.5;
  c.stroke();
}
