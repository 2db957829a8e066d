/**
 * One pod, one mark: shape first, then fill, glyph, colour last, after the table in CANVAS.md. What is still comes from the
 * record; what runs with time (pull progress, back-off countdown, grace left) is drawn from the virtual time passed in.
 */
import { MONO, SANS, TONE } from "./colours.js";
import { hatch, polygon, rounded, write } from "./brush.js";

/** @typedef {import("./colours.js").Colours} Colours @typedef {import("../types").Thing} Thing @typedef {CanvasRenderingContext2D} C */

/** States whose mark changes as time goes by. @param {Thing} pod */
export const ticking = (pod) => !!(pod.state === "pulling" ? pod.pull : pod.state === "terminating" ? pod.deleting : pod.backoff && (pod.state === "crashloop" || pod.state === "imagepull"));

/** @param {import("../types").Span|undefined} span @param {number} now */
export function share(span, now) {
  if (!span || span.until <= span.from) return 0;
  return Math.min(1, Math.max(0, (now - span.from) / (span.until - span.from)));
}

/** @param {C} c @param {Thing} pod @param {number} x @param {number} y centre @param {number} r half size @param {Colours} k @param {number} now */
export function mark(c, pod, x, y, r, k, now) {
  const state = pod.state ?? "creating";
  const colour = k[TONE[state] ?? "unknown"];
  c.lineWidth = Math.max(1, Math.min(2.2, r / 8));
  c.setLineDash([]);
  (SHAPES[state] ?? SHAPES.creating)(c, pod, x, y, r, colour, k, now);
  c.setLineDash([]);
  if (pod.restarts && r >= 9) tally(c, pod.restarts, x, y + r + 3, r, k);
}

/** @type {Record<string, (c: C, pod: Thing, x: number, y: number, r: number, colour: string, k: Colours, now: number) => void>} */
const SHAPES = {
  unscheduled(c, _, x, y, r, colour) {
    c.setLineDash([Math.max(2, r / 4), Math.max(2, r / 5)]);
    c.strokeStyle = colour;
    rounded(c, x - r, y - r, 2 * r, 2 * r, r * 0.28);
    c.stroke();
  },
  creating(c, _, x, y, r, colour) {
    frame(c, x, y, r, colour);
    fill(c, x, y, r, hatch(c, colour, r > 12 ? 9 : 6, 1.2, x - r, y - r), 0.75);
  },
  pulling(c, pod, x, y, r, colour, k, now) {
    SHAPES.creating(c, pod, x, y, r, colour, k, now);
    const done = share(pod.pull, now);
    c.save();
    rounded(c, x - r, y - r, 2 * r, 2 * r, r * 0.28);
    c.clip();
    c.globalAlpha *= 0.72;
    c.fillStyle = colour;
    c.fillRect(x - r, y + r - 2 * r * done, 2 * r, 2 * r * done);
    c.restore();
    if (r >= 11) arrow(c, x, y, r * 0.46, k.text);
  },
  running(c, _, x, y, r, colour) {
    frame(c, x, y, r, colour);
    fill(c, x, y, r, hatch(c, colour, 4, 2, x - r, y - r), 1);
  },
  ready(c, _, x, y, r, colour) {
    c.fillStyle = colour;
    rounded(c, x - r, y - r, 2 * r, 2 * r, r * 0.28);
    c.fill();
  },
  crashloop(c, pod, x, y, r, colour, k, now) {
    const inner = pod.backoff ? r * 0.78 : r;
    polygon(c, x, y, inner * 1.06, 8, Math.PI / 8);
    c.fillStyle = colour;
    c.fill();
    if (r > 5) write(c, "!", x, y + r * 0.04, `800 ${Math.round(inner * 1.25)}px ${SANS}`, "#ffffff", "center");
    countdown(c, pod, x, y, r, k, now);
  },
  imagepull(c, pod, x, y, r, colour, k, now) {
    frame(c, x, y, r * 0.86, colour);
    if (r > 4) {
      c.strokeStyle = k.failText;
      c.lineWidth = Math.max(1.5, r / 7);
      c.lineCap = "round";
      const s = r * 0.46;
      c.beginPath();
      c.moveTo(x, y - s);
      c.lineTo(x, y - s * 0.35);
      c.moveTo(x, y + s * 0.25);
      c.lineTo(x, y + s);
      c.moveTo(x - s * 0.6, y + s * 0.4);
      c.lineTo(x, y + s);
      c.lineTo(x + s * 0.6, y + s * 0.4);
      c.moveTo(x - s * 0.65, y + s * 0.14);
      c.lineTo(x + s * 0.65, y - s * 0.26);
      c.stroke();
      c.lineCap = "butt";
    }
    countdown(c, pod, x, y, r, k, now);
  },
  oom(c, _, x, y, r, colour, k) {
    frame(c, x, y + r * 0.16, r * 0.84, colour);
    c.fillStyle = colour;
    rounded(c, x - r * 0.5, y - r, r, 2 * r, r * 0.12);
    c.fill();
    c.strokeStyle = k.failText;
    c.beginPath();
    c.moveTo(x - r, y - r * 0.5);
    c.lineTo(x + r, y - r * 0.5);
    c.stroke();
  },
  failed(c, _, x, y, r, colour) {
    polygon(c, x, y, r, 8, Math.PI / 8);
    c.fillStyle = colour;
    c.fill();
    c.strokeStyle = "#ffffff";
    c.lineWidth = Math.max(1.5, r / 7);
    const s = r * 0.36;
    c.beginPath();
    c.moveTo(x - s, y - s);
    c.lineTo(x + s, y + s);
    c.moveTo(x + s, y - s);
    c.lineTo(x - s, y + s);
    c.stroke();
  },
  succeeded(c, _, x, y, r, colour) {
    c.beginPath();
    c.arc(x, y, r * 0.94, 0, 2 * Math.PI);
    c.fillStyle = colour;
    c.fill();
    c.strokeStyle = "#ffffff";
    c.lineWidth = Math.max(1.5, r / 6);
    c.beginPath();
    c.moveTo(x - r * 0.42, y + r * 0.02);
    c.lineTo(x - r * 0.1, y + r * 0.34);
    c.lineTo(x + r * 0.44, y - r * 0.32);
    c.stroke();
  },
  terminating(c, pod, x, y, r, colour, _, now) {
    const left = r * (1 - 0.62 * share(pod.deleting, now));
    c.setLineDash([1.5, 3]);
    c.strokeStyle = colour;
    c.lineCap = "round";
    rounded(c, x - r, y - r, 2 * r, 2 * r, r * 0.28);
    c.stroke();
    c.setLineDash([]);
    c.lineCap = "butt";
    fill(c, x, y, left, colour, 0.35);
  },
  lost(c, _, x, y, r, colour) {
    fill(c, x, y, r, colour, 0.22);
    c.setLineDash([4, 3]);
    frame(c, x, y, r, colour);
  },
};

/** @param {C} c @param {number} x @param {number} y @param {number} r @param {string} colour */
function frame(c, x, y, r, colour) {
  c.strokeStyle = colour;
  rounded(c, x - r + c.lineWidth / 2, y - r + c.lineWidth / 2, 2 * r - c.lineWidth, 2 * r - c.lineWidth, r * 0.28);
  c.stroke();
}

/** @param {C} c @param {number} x @param {number} y @param {number} r @param {string|CanvasPattern} style @param {number} alpha */
function fill(c, x, y, r, style, alpha) {
  const before = c.globalAlpha;
  c.globalAlpha = before * alpha;
  c.fillStyle = style;
  rounded(c, x - r, y - r, 2 * r, 2 * r, r * 0.28);
  c.fill();
  c.globalAlpha = before;
}

/** The ring that runs down until the next try. @param {C} c @param {Thing} pod @param {number} x @param {number} y @param {number} r @param {Colours} k @param {number} now */
function countdown(c, pod, x, y, r, k, now) {
  if (!pod.backoff || r < 6) return;
  const left = 1 - share(pod.backoff, now);
  c.lineWidth = Math.max(1.5, r / 9);
  c.strokeStyle = k.track;
  c.beginPath();
  c.arc(x, y, r * 1.12, 0, 2 * Math.PI);
  c.stroke();
  c.strokeStyle = k.failText;
  c.beginPath();
  c.arc(x, y, r * 1.12, -Math.PI / 2, -Math.PI / 2 + 2 * Math.PI * left);
  c.stroke();
}

/** @param {C} c @param {number} x @param {number} y @param {number} s @param {string} colour */
function arrow(c, x, y, s, colour) {
  c.strokeStyle = colour;
  c.lineWidth = Math.max(1.5, s / 3.5);
  c.lineCap = c.lineJoin = "round";
  c.beginPath();
  c.moveTo(x, y - s);
  c.lineTo(x, y + s * 0.7);
  c.moveTo(x - s * 0.6, y + s * 0.15);
  c.lineTo(x, y + s * 0.75);
  c.lineTo(x + s * 0.6, y + s * 0.15);
  c.stroke();
  c.lineCap = "butt";
  c.lineJoin = "miter";
}

/** Restarts: four strokes and one across. @param {C} c @param {number} count @param {number} x @param {number} y @param {number} r @param {Colours} k */
export function tally(c, count, x, y, r, k) {
  if (count > 10) {
    write(c, `↻${count}`, x, y + 4, `600 ${Math.round(Math.min(11, r * 0.55))}px ${MONO}`, k.failText, "center");
    return;
  }
  const h = Math.min(6, r * 0.34);
  const step = Math.min(3, r * 0.16);
  const width = count * step + (count > 5 ? step : 0);
  let at = x - width / 2;
  c.strokeStyle = k.failText;
  c.lineWidth = 1.25;
  c.beginPath();
  for (let i = 1; i <= count; i++) {
    if (i % 5 === 0) {
      c.moveTo(at - 4.6 * step, y + h - 1);
      c.lineTo(at + 0.2 * step, y + 1);
      at += step;
    } else {
      c.moveTo(at, y);
      c.lineTo(at, y + h);
    }
    at += step;
  }
  c.stroke();
}
