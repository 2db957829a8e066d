/**
 * Who sizes and who guards a workload, in its card's last line: an autoscaler as a ruler from its least to its most with where it stands and
 * where it wants to be, and what it measures; a disruption budget as a shield with how many pods may go now.
 */
import { fitted, write } from "./brush.js";
import { MONO, SANS } from "./colours.js";

/** @typedef {import("./duties.js").Paper} Paper @typedef {import("../types").Thing} Thing */

/** The shortest ruler, in pixels. */
const LEAST = 24;

/** A card with room for the ruler, by its height and zoom. @param {Paper} paper */
export const fits = ({ b, z }) => z >= 0.5 && b.h > 90 * z;

/** @param {Paper} paper @param {Thing|undefined} scaler @param {Thing|undefined} budget */
export function governor(paper, scaler, budget) {
  const { c, b, z, k } = paper;
  const size = Math.max(10, 11 * z);
  const y = b.y + b.h - 14 * z;
  const left = b.x + 14 * z;
  let right = b.x + b.w - 14 * z;
  if (budget) {
    const allowed = `${budget.allowed ?? 0}`;
    const text = scaler ? allowed : paper.t("duty.budget", { count: budget.allowed ?? 0 });
    const tone = budget.allowed ? k.muted : k.waitText;
    c.font = `560 ${size}px ${SANS}`;
    const w = Math.min(c.measureText(text).width, right - left - size);
    const at = scaler ? right - w - size - 3 : left;
    shield(c, at + size * 0.45, y, size * 0.5, tone);
    write(c, text, at + size + 3, y, c.font, tone, "left", w);
    right = at - 8 * z;
  }
  if (!scaler) return;
  const [least, most] = [scaler.min ?? 1, scaler.max ?? 1];
  const tone = scaler.blind ? k.waitText : k.muted;
  write(c, "HPA", left, y, `620 ${size}px ${SANS}`, tone);
  let x = left + c.measureText("HPA").width + 6;
  const font = `560 ${size}px ${MONO}`;
  write(c, `${least}`, x, y, font, k.muted);
  x += c.measureText(`${least}`).width + 7;
  const rest = right - x - c.measureText(`${most}`).width - 14;
  const text = measured(c, scaler.metrics ?? "", rest - LEAST);
  const span = Math.max(LEAST, Math.min(56 * z, rest - c.measureText(text).width));
  c.strokeStyle = scaler.blind ? k.pending : k.strong;
  c.lineWidth = 1.5;
  c.setLineDash(scaler.blind ? [3, 3] : []);
  c.beginPath();
  c.moveTo(x, y);
  c.lineTo(x + span, y);
  c.stroke();
  c.setLineDash([]);
  c.beginPath();
  for (const end of [x, x + span]) c.moveTo(end, y - 3.5), c.lineTo(end, y + 3.5);
  c.stroke();
  const place = (/** @type {number} */ n) => x + span * Math.min(1, Math.max(0, (n - least) / Math.max(1, most - least)));
  c.fillStyle = k.text;
  c.beginPath();
  c.arc(place(scaler.current ?? 0), y, 3, 0, 7);
  c.fill();
  if (!scaler.blind && scaler.desired !== undefined && scaler.desired !== scaler.current) {
    const goal = place(scaler.desired);
    c.fillStyle = k.pending;
    c.beginPath();
    c.moveTo(goal, y - 2);
    c.lineTo(goal - 4, y - 8);
    c.lineTo(goal + 4, y - 8);
    c.fill();
  }
  x += span + 6;
  write(c, `${most}`, x, y, font, k.muted);
  write(c, text, right, y, font, tone, "right");
}

/** What it measures, as much of it as there is room for: without the resource's name, then without the target. @param {CanvasRenderingContext2D} c @param {string} metrics @param {number} room */
function measured(c, metrics, room) {
  const bare = metrics.includes(",") ? metrics : metrics.replace(/^\S+: /, "");
  return [metrics, bare, bare.replace(/\/[^,]*$/, "")].find((text) => c.measureText(text).width <= room) ?? fitted(c, bare, room);
}

/** @param {CanvasRenderingContext2D} c @param {number} x @param {number} y @param {number} r @param {string} colour */
function shield(c, x, y, r, colour) {
  c.strokeStyle = colour;
  c.lineWidth = 1.4;
  c.beginPath();
  c.moveTo(x, y - r);
  c.lineTo(x + r * 0.85, y - r * 0.6);
  c.quadraticCurveTo(x + r * 0.85, y + r * 0.5, x, y + r);
  c.quadraticCurveTo(x - r * 0.85, y + r * 0.5, x - r * 0.85, y - r * 0.6);
  c.closePath();
  c.stroke();
}
