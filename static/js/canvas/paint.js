/**
 * The still layer's pictures of a node and what it holds, a pod at each distance, and the tray. Each takes a record and a box in
 * pixels, and draws nothing but facts.
 */
import { bytes, cores, fitted, hatch, mono, rounded, sans, snap, titled, write } from "./brush.js";
import { troubles } from "../facts.js";
import { TONE } from "./colours.js";
import { gate } from "./fences.js";
import { NODE, TONES, TRAY } from "./layout.js";
import { mark } from "./marks.js";

/** @typedef {import("./colours.js").Colours} Colours @typedef {import("../types").Thing} Thing @typedef {import("../types").Box} Box @typedef {CanvasRenderingContext2D} C */

/** From these edges in pixels a pod has its name beside its mark, and is opened to show its containers. */
export const NAMED = 30;
export const OPENED = 120;

/** Whether a machine is out of reach, whatever the cluster still believes. @param {Thing|undefined} node */
export const away = (node) => !!(node?.off || node?.cut || node?.gone);

/** Taints that keep pods out and say something that no other mark of the node does: those of a state have one of their own. @param {Thing} node */
export const tainted = (node) => (node.taints ?? []).filter((taint) => !/^node\.kubernetes\.io\//.test(taint)).map((taint) => taint.replace(/^node-role\.kubernetes\.io\//, ""));

/**
 * @param {C} c @param {Thing} node @param {Box} b @param {number} zoom pixels a world unit in this bin @param {Colours} k @param {(key: string) => string} t
 */
export function node(c, node, b, zoom, k, t) {
  const wrong = troubles(node);
  const broken = away(node) || node.silent;
  const lost = node.ready !== "True" || broken;
  const edge = broken ? k.failText : lost ? k.unknown : wrong.length ? k.pending : k.line;
  const taints = tainted(node);
  c.fillStyle = k.panel;
  c.strokeStyle = edge;
  c.lineWidth = lost ? 1.75 : 1;
  if (zoom < 0.12) {
    c.fillRect(b.x, b.y, b.w, b.h);
    c.strokeRect(b.x, b.y, b.w, b.h);
  } else {
    rounded(c, b.x, b.y, b.w, b.h, 10 * zoom);
    c.fill();
    c.setLineDash(lost ? [7, 6] : []);
    c.stroke();
    c.setLineDash([]);
  }
  if (node.unschedulable) shut(c, b, zoom, k);
  if (taints.length && b.w > 16) gate(c, taints, b, zoom, k);
  const z = zoom;
  if (z < FAR) return;
  const left = b.x + 16 * z;
  const control = (node.roles ?? []).includes("control-plane");
  const size = titled(15 * z);
  const line = b.y + 21 * z;
  let x = left;
  const room = z < 0.4 ? b.w - 32 * z : b.w * 0.45;
  write(c, node.name, x, line, sans(size, 640), lost ? k.unknown : k.text, "left", room, true);
  x += c.measureText(fitted(c, node.name, room, true)).width + 8 * z;
  if (z >= 0.4) {
    /** @param {string} text @param {string} colour */
    const badge = (text, colour) => {
      const font = sans(11 * z, 600);
      c.font = font;
      const w = c.measureText(text).width + 10 * z;
      if (x + w > b.x + b.w - 16 * z) return;
      c.strokeStyle = colour;
      c.lineWidth = 1;
      const h = Math.max(14, 17 * z);
      rounded(c, x, line - h / 2, w, h, 5 * z);
      c.stroke();
      write(c, text, x + w / 2, line + 0.5, font, colour, "center");
      x += w + 5 * z;
    };
    if (node.ready !== "True") badge(node.ready === "Unknown" ? "Unreachable" : "NotReady", k.failText);
    for (const one of wrong) badge(t(`node.${one}`), ["off", "cut", "silent", "gone"].includes(one) ? k.failText : k.pending);
    if (node.unschedulable) badge("cordoned", k.pending);
    if (control) badge("control-plane", k.muted);
    c.font = mono(11.5 * z);
    if (x + c.measureText(node.ip ?? "").width < b.x + b.w - 16 * z) write(c, node.ip ?? "", b.x + b.w - 16 * z, line, c.font, k.faint, "right");
  }
  requested(c, node, b, z, k);
  c.strokeStyle = k.line;
  c.lineWidth = 1;
  c.beginPath();
  c.moveTo(left, b.y + b.h - NODE.footer * z);
  c.lineTo(b.x + b.w - 16 * z, b.y + b.h - NODE.footer * z);
  c.stroke();
  if (z >= 0.5) write(c, "system", left, b.y + b.h - (NODE.footer / 2) * z, sans(11 * z), k.faint);
}

/** Under so many pixels a world unit a node is its states and their count: a name would lie on them. */
const FAR = 0.22;

/** How many pods are in each state, as parts of one bar. @param {C} c @param {Record<string, number>} tally @param {Box} box @param {Colours} k */
function stateBar(c, tally, box, k) {
  const [top, low] = [snap(box.y), Math.max(snap(box.y) + 2, snap(box.y + box.h))];
  const b = { x: snap(box.x), y: top, w: snap(box.x + box.w) - snap(box.x), h: low - top };
  let sum = 0;
  for (const tone of TONES) sum += tally[tone];
  c.fillStyle = k.track;
  c.fillRect(b.x, b.y, b.w, b.h);
  let x = b.x;
  for (const tone of TONES) {
    if (!tally[tone]) continue;
    const w = Math.min(b.x + b.w - x, Math.max(tone === "failing" ? 3 : 1, (b.w * tally[tone]) / sum));
    c.fillStyle = k[tone];
    c.fillRect(snap(x), b.y, snap(x + w) - snap(x), b.h);
    x += w;
  }
}

/** What is not well comes first, so that it is never squeezed out. @param {C} c @param {Record<string, number>} tally @param {Box} b @param {number} z @param {Colours} k */
export function nodeTally(c, tally, b, z, k) {
  if (z >= FAR || b.w < 12) return;
  const h = Math.max(2, 14 * z);
  const line = b.y + 32 * z;
  const count = TONES.reduce((sum, tone) => sum + tally[tone], 0);
  const text = b.w > 58 ? `${count}` : "";
  const font = mono(Math.max(8, 20 * z));
  let room = 0;
  if (text) {
    c.font = font;
    room = c.measureText(text).width + 5;
    wipe(c, b.x + b.w - c.measureText(WIDEST).width - 5, Math.max(b.y + 2, line - 5), b.x + b.w - 3, Math.min(line + 5, b.y + 62 * z), k);
    write(c, text, b.x + b.w - 4, line, font, k.muted, "right");
  }
  stateBar(c, tally, { x: b.x + 3, y: line - h / 2, w: b.w - 6 - room, h }, k);
}

/** As wide as a count is. */
const WIDEST = "00000";

/** What was written there goes, what is written again stands as if for the first time. @param {C} c @param {number} left @param {number} top @param {number} right @param {number} bottom @param {Colours} k */
function wipe(c, left, top, right, bottom, k) {
  c.fillStyle = k.panel;
  c.fillRect(snap(left), snap(top), snap(right) - snap(left), snap(bottom) - snap(top));
}

/** @param {C} c @param {{title: string, kind: string}} name @param {Box} b @param {number} header in pixels @param {Colours} k */
export function group(c, name, b, header, k) {
  c.fillStyle = k.panel;
  c.strokeStyle = k.line;
  c.lineWidth = 1;
  rounded(c, b.x, b.y, b.w, b.h, Math.min(10, header / 4));
  c.fill();
  c.stroke();
  const line = heading(b, header);
  if (!line || b.w < 40) return;
  const { size, y } = line;
  const left = b.x + Math.min(14, header * 0.3);
  const room = b.x + b.w - left - counter(c, b, size) - 4;
  write(c, name.title, left, y, sans(size, 640), k.text, "left", room, true);
  const used = c.measureText(fitted(c, name.title, room, true)).width;
  if (name.kind && room - used > 116) write(c, name.kind, left + used + 8, y, sans(size * 0.76), k.faint);
}

/** A group's head: its state bar at the bottom, and above it the line with its name and count, if there is room for one. @param {Box} b @param {number} header @returns {{size: number, y: number}|null} */
function heading(b, header) {
  const above = bar(header).y;
  return above < 7.5 ? null : { size: Math.max(9, Math.min(22, above * 0.6)), y: b.y + above * 0.52 };
}

/** Where a group's state bar is in its head. @param {number} header */
function bar(header) {
  const h = Math.max(2, Math.min(6, header * 0.12));
  return { y: Math.max(0, Math.min(header * 0.76, header - h - 2)), h };
}

/** What a group's count takes of its first line, if it has room for one. @param {C} c @param {Box} b @param {number} size */
function counter(c, b, size) {
  c.font = mono(size * 0.86);
  return b.w > 90 ? c.measureText(WIDEST).width + 10 : 0;
}

/** How many are in a group, and how many of them in each state. @param {C} c @param {import("./layout.js").Bin} bin @param {Box} b @param {number} header @param {Colours} k */
export function groupTally(c, bin, b, header, k) {
  if (b.w < 8) return;
  const pad = Math.min(14, header * 0.3);
  const { y, h } = bar(header);
  stateBar(c, bin.tally, { x: b.x + pad, y: b.y + y, w: Math.max(2, b.w - 2 * pad), h }, k);
  const line = heading(b, header);
  const room = line ? counter(c, b, line.size) : 0;
  if (!line || !room) return;
  wipe(c, b.x + b.w - room, Math.max(b.y + 2, line.y - line.size * 0.55), b.x + b.w - 6, Math.min(b.y + y - 1, line.y + line.size * 0.55), k);
  write(c, `${bin.grid.slots.size}`, b.x + b.w - 8, line.y, mono(line.size * 0.86), k.muted, "right");
}

/** What each of the three bars takes of their line. */
const SHARES = [0.325, 0.4, 0.275];

/** What pods ask for, of what may be asked: not what they use. @param {C} c @param {Thing} node @param {Box} b @param {number} z @param {Colours} k */
function requested(c, node, b, z, k) {
  const asked = node.requested ?? { cpu: 0, memory: 0, pods: 0 };
  const room = b.w - 32 * z - 20 * z;
  /** @type {[string, number, number, string][]} */
  const rows = [
    ["cpu", asked.cpu, node.cpu ?? 0, `${cores(asked.cpu)} / ${cores(node.cpu ?? 0)}`],
    ["mem", asked.memory, node.memory ?? 0, `${bytes(asked.memory)} / ${bytes(node.memory ?? 0)}`],
    ["pods", asked.pods, typeof node.pods === "number" ? node.pods : 0, `${asked.pods} / ${node.pods ?? 0}`],
  ];
  const fonts = [sans(11.5 * z), mono(11 * z)];
  c.font = fonts[0];
  const labels = rows.map(([label]) => c.measureText(label).width);
  c.font = fonts[1];
  const fits = (/** @type {(text: string) => string} */ form) => rows.every(([, , , text], index) => labels[index] + c.measureText(form(text)).width + 3 <= SHARES[index] * room);
  const form = [(/** @type {string} */ text) => text, (/** @type {string} */ text) => text.split(" / ")[0]].find(fits);
  let x = b.x + 16 * z;
  rows.forEach(([label, used, of, text], index) => {
    const wide = SHARES[index] * room;
    const part = of ? Math.min(1, used / of) : 0;
    if (z >= 0.45) {
      write(c, label, x, b.y + 41.5 * z, fonts[0], k.faint);
      if (form) write(c, form(text), x + wide, b.y + 41.5 * z, fonts[1], k.muted, "right");
    }
    c.fillStyle = k.track;
    rounded(c, x, b.y + 52 * z, wide, 5 * z, 3 * z);
    c.fill();
    if (part > 0) {
      c.fillStyle = part > 0.9 ? k.pending : k.bar;
      rounded(c, x, b.y + 52 * z, Math.max(5 * z, wide * part), 5 * z, 3 * z);
      c.fill();
    }
    x += wide + 10 * z;
  });
}

/** Cordoned: a striped lid. @param {C} c @param {Box} b @param {number} z @param {Colours} k */
function shut(c, b, z, k) {
  c.save();
  rounded(c, b.x, b.y, b.w, b.h, 10 * z);
  c.clip();
  c.fillStyle = hatch(c, k.pending, 12, 2, b.x, b.y);
  c.globalAlpha = 0.8;
  c.fillRect(b.x, b.y, b.w, Math.max(3, 5 * z));
  c.restore();
}

/** A pod's last five letters tell it from its brothers. @param {Thing} pod */
const shortName = (pod) => (pod.owner && !pod.owner.startsWith("StatefulSet/") ? pod.name.split("-").at(-1) ?? pod.name : pod.name);

/** @type {Map<Colours, Colours>} */
const faded = new Map();

/** As it was last seen: its shape, without its colour. @param {Colours} k */
function grey(k) {
  const known = faded.get(k) ?? { ...k, ready: k.unknown, pending: k.unknown, failing: k.unknown, done: k.unknown, failText: k.muted };
  faded.set(k, known);
  return known;
}

/** @param {C} c @param {Thing} pod @param {Box} b @param {Colours} colours @param {number} now @param {boolean} lost @param {((c: C, pod: Thing, b: Box, k: Colours, now: number) => void)} [open] paints it for one who is near */
export function pod(c, pod, b, colours, now, lost, open = undefined) {
  const size = b.w;
  const before = c.globalAlpha;
  const k = lost ? grey(colours) : colours;
  if (lost) c.globalAlpha = before * 0.6;
  if (size < 12) {
    c.fillStyle = k[TONE[pod.state ?? ""] ?? "unknown"];
    const gap = size > 5 ? 1 : 0.5;
    if (pod.state === "unscheduled" && size > 5) {
      c.strokeStyle = c.fillStyle;
      c.lineWidth = 1;
      c.strokeRect(b.x + gap + 0.5, b.y + gap + 0.5, size - 2 * gap - 1, size - 2 * gap - 1);
    } else c.fillRect(b.x + gap, b.y + gap, size - 2 * gap, size - 2 * gap);
  } else if (size < NAMED || (pod.system && (size < OPENED || !open))) mark(c, pod, b.x + size / 2, b.y + size / 2, size * (pod.system ? 0.42 : 0.36), k, now);
  else if (size < OPENED || !open) named(c, pod, b, k, now);
  else open(c, pod, b, k, now);
  c.globalAlpha = before;
}

/** @param {C} c @param {Thing} p @param {Box} b @param {Colours} k @param {number} now */
function named(c, p, b, k, now) {
  const s = b.w;
  const words = Math.min(1, (s - NAMED) / 5);
  const r = s * (0.36 - words * (p.restarts ? 0.13 : 0.08));
  const y = 0.5 - words * (p.restarts ? 0.17 : 0.115);
  mark(c, p, b.x + s / 2, b.y + s * y, r, k, now);
  const size = Math.min(12.5, s * 0.175);
  const before = c.globalAlpha;
  c.globalAlpha = before * words;
  write(c, shortName(p), b.x + s / 2, b.y + s * (0.84 - 0.06 * Math.min(1, Math.max(0, (s - 72) / 8))), mono(size, 500), k.muted, "center", s - 5, true);
  c.globalAlpha = before * Math.min(1, Math.max(0, (s - 80) / 8));
  if (s > 80) write(c, p.ip ?? p.status ?? "", b.x + s / 2, b.y + s * 0.945, mono(size * 0.86), k.faint, "center", s - 6);
  c.globalAlpha = before;
  if (s >= 56 && p.state === "ready" && (p.containers?.length ?? 1) > 1)
    write(c, p.ready, b.x + s / 2, b.y + s * 0.385, mono(size, 650), k.onState, "center");
}

/** @param {C} c @param {Box} b @param {number} count @param {number} z @param {Colours} k @param {string} label */
export function tray(c, b, count, z, k, label) {
  if (z >= 0.3) {
    const font = sans(12 * z, 560);
    const room = (count ? Math.min(TRAY.label * z, b.w * 0.28) : b.w) - 14 * z;
    const middle = b.y + b.h / 2;
    write(c, label, b.x + 12 * z, count ? middle - 7 : middle, font, count ? k.waitText : k.faint, "left", room);
    if (count) write(c, `${count}`, b.x + 12 * z, middle + 8, mono(12.5 * z, 640), k.waitText);
  }
  c.strokeStyle = count ? k.strong : k.line;
  c.lineWidth = 1;
  c.setLineDash([5, 5]);
  rounded(c, b.x + 0.5, b.y + 0.5, b.w - 1, b.h - 1, 10 * z);
  c.stroke();
  c.setLineDash([]);
}
