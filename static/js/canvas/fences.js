/**
 * Fences: around a zone's nodes, and at the gate of a node with taints, which pods that tolerate them have passed. Boxes in pixels come
 * in; only lines and words are drawn.
 */
import { fitted, rounded, sans, write } from "./brush.js";

/** @typedef {import("./colours.js").Colours} Colours @typedef {import("../types").Box} Box @typedef {CanvasRenderingContext2D} C */

const PAD = 11;
const HEAD = 36;
/** Pickets stand so far apart in world units. */
const APART = 9;

/** A zone: its nodes within one fence, its name on it. @param {C} c @param {string} zone @param {Box} b of its nodes @param {number} z @param {Colours} k */
export function fence(c, zone, b, z, k) {
  const pad = Math.max(2, PAD * z);
  const head = Math.max(4, HEAD * z);
  const box = { x: b.x - pad, y: b.y - head, w: b.w + 2 * pad, h: b.h + head + pad };
  c.strokeStyle = k.strong;
  c.lineWidth = Math.max(1, Math.min(2, 2 * z));
  c.setLineDash([Math.max(3, 10 * z), Math.max(2, 5 * z)]);
  rounded(c, box.x, box.y, box.w, box.h, 12 * z);
  c.stroke();
  c.setLineDash([]);
  const font = sans(Math.max(9, 14 * z), 600);
  c.font = font;
  const text = fitted(c, zone, box.w - 16, true);
  if (!text || box.w < 34) return;
  const w = c.measureText(text).width;
  const h = Math.max(11, 16 * z);
  const x = box.x + Math.max(6, 14 * z);
  c.fillStyle = k.ground;
  c.fillRect(x - 4, box.y - h / 2, w + 8, h);
  write(c, text, x, box.y + 0.5, font, k.muted);
}

/** What a taint keeps out, as it is written on the fence. @param {string} taint */
const effectOf = (taint) => taint.split(":").at(-1) ?? "";

/**
 * A tainted node's edge: pickets along its head, close together where nothing may stay, and the taint's text.
 * @param {C} c @param {string[]} taints @param {Box} b the bin @param {number} z @param {Colours} k
 */
export function gate(c, taints, b, z, k) {
  const colour = taints.some((one) => effectOf(one) === "NoExecute") ? k.failText : taints.every((one) => effectOf(one) === "PreferNoSchedule") ? k.muted : k.waitText;
  const step = Math.max(3, APART * z);
  const tall = Math.max(3, 9 * z);
  c.save();
  c.strokeStyle = colour;
  c.lineWidth = Math.max(1, 1.5 * z);
  c.beginPath();
  for (let x = b.x + Math.max(2, 10 * z); x < b.x + b.w - Math.max(1, 8 * z); x += step) {
    c.moveTo(x, b.y - tall * 0.55);
    c.lineTo(x, b.y + tall * 0.45);
  }
  c.moveTo(b.x + 4 * z, b.y);
  c.lineTo(b.x + b.w - 4 * z, b.y);
  c.stroke();
  c.restore();
  if (z < 0.45) return;
  const font = sans(10.5 * z, 620);
  c.font = font;
  const more = taints.length > 1 ? `  +${taints.length - 1}` : "";
  const whole = `⊘ ${taints[0]}${more}`;
  const text = c.measureText(whole).width <= b.w - 36 * z ? whole : fitted(c, `⊘ ${taints[0].split(":")[0]}${more}`, b.w - 36 * z, true);
  const w = c.measureText(text).width + 10 * z;
  const h = Math.max(12, 14 * z);
  const x = b.x + b.w - 14 * z - w;
  c.fillStyle = k.ground;
  rounded(c, x, b.y - h / 2 - 1, w, h, 4 * z);
  c.fill();
  write(c, text, x + w / 2, b.y - 0.5, font, colour, "center");
}
