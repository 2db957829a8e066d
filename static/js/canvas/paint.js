/**
 * The still layer's pictures of a node and what it holds, a pod at each distance, and the tray. Each takes a record and a box in
 * pixels, and draws nothing but facts.
 */
import { bytes, cores, fitted, hatch, mono, rounded, sans, write } from "./brush.js";
import { troubles } from "../facts.js";
import { TONE } from "./colours.js";
import { mark } from "./marks.js";

/** @typedef {import("./colours.js").Colours} Colours @typedef {import("../types").Thing} Thing @typedef {import("../types").Box} Box @typedef {CanvasRenderingContext2D} C */

const ZONE = "topology.kubernetes.io/zone";

/** Whether a machine is out of reach, whatever the cluster still believes. @param {Thing|undefined} node */
export const away = (node) => !!(node?.off || node?.cut || node?.gone);

/** Taints that somebody set: those of a role or of a state have a mark of their own. @param {Thing} node */
const tainted = (node) => (node.taints ?? []).filter((taint) => !/^node(-role)?\.kubernetes\.io\//.test(taint)).map((taint) => taint.split(":")[0].split("/").at(-1) ?? taint);

/**
 * @param {C} c @param {Thing} node @param {Box} b @param {number} zoom pixels a world unit in this bin @param {Colours} k @param {(key: string) => string} t
 * @param {number} [system] how many system pods it has
 */
export function node(c, node, b, zoom, k, t, system = 0) {
  const wrong = troubles(node);
  const broken = away(node) || node.silent;
  const lost = node.ready !== "True" || broken;
  c.fillStyle = k.panel;
  rounded(c, b.x, b.y, b.w, b.h, 10 * zoom);
  c.fill();
  c.lineWidth = lost ? 1.75 : 1;
  c.setLineDash(lost ? [7, 6] : []);
  c.strokeStyle = broken ? k.failText : lost ? k.unknown : wrong.length ? k.pending : k.line;
  c.stroke();
  c.setLineDash([]);
  if (node.unschedulable) shut(c, b, zoom, k);
  const z = zoom;
  if (z < 0.22) {
    if (b.w > 30) write(c, node.name, b.x + 4, b.y + Math.max(7, 20 * z), sans(Math.max(8, 26 * z), 600), broken ? k.failText : wrong.length ? k.pending : lost ? k.unknown : k.muted, "left", b.w - 8, true);
    return;
  }
  const left = b.x + 16 * z;
  const control = (node.roles ?? []).includes("control-plane");
  const size = Math.max(9, 15 * z);
  let x = left;
  const room = z < 0.4 ? b.w - 32 * z : b.w * 0.45;
  write(c, node.name, x, b.y + 20 * z, sans(size, 640), lost ? k.unknown : k.text, "left", room, true);
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
      rounded(c, x, b.y + 11.5 * z, w, 17 * z, 5 * z);
      c.stroke();
      write(c, text, x + w / 2, b.y + 20.5 * z, font, colour, "center");
      x += w + 5 * z;
    };
    for (const one of wrong) badge(t(`node.${one}`), ["off", "cut", "silent", "gone"].includes(one) ? k.failText : k.pending);
    if (node.ready !== "True") badge(node.ready === "Unknown" ? "Unreachable" : "NotReady", k.unknown);
    if (node.unschedulable) badge("cordoned", k.pending);
    if (control) badge("control-plane", k.muted);
    for (const one of tainted(node)) badge(`⊘ ${one}`, k.muted);
    if (node.labels?.[ZONE]) badge(node.labels[ZONE], k.faint);
    c.font = mono(11.5 * z);
    if (x + c.measureText(node.ip ?? "").width < b.x + b.w - 16 * z) write(c, node.ip ?? "", b.x + b.w - 16 * z, b.y + 20 * z, c.font, k.faint, "right");
  }
  requested(c, node, b, z, k);
  c.strokeStyle = k.line;
  c.lineWidth = 1;
  c.beginPath();
  c.moveTo(left, b.y + b.h - 32 * z);
  c.lineTo(b.x + b.w - 16 * z, b.y + b.h - 32 * z);
  c.stroke();
  if (z >= 0.62) write(c, "system", left, b.y + b.h - 16 * z, sans(11 * z), k.faint);
  if (z >= 0.55 && system <= 6) write(c, `${node.requested?.pods ?? 0}/${node.pods ?? 0} pods`, b.x + b.w - 16 * z, b.y + b.h - 16 * z, sans(11 * z), k.faint, "right");
}

/** What pods ask for, of what may be asked: not what they use. @param {C} c @param {Thing} node @param {Box} b @param {number} z @param {Colours} k */
function requested(c, node, b, z, k) {
  const asked = node.requested ?? { cpu: 0, memory: 0, pods: 0 };
  const half = (b.w - 32 * z - 18 * z) / 2;
  /** @type {[string, number, number, string][]} */
  const rows = [
    ["cpu", asked.cpu, node.cpu ?? 0, `${cores(asked.cpu)} / ${cores(node.cpu ?? 0)}`],
    ["mem", asked.memory, node.memory ?? 0, `${bytes(asked.memory)} / ${bytes(node.memory ?? 0)}`],
  ];
  rows.forEach(([label, used, of, text], index) => {
    const x = b.x + 16 * z + index * (half + 18 * z);
    const part = of ? Math.min(1, used / of) : 0;
    if (z >= 0.45) {
      write(c, label, x, b.y + 40 * z, sans(11.5 * z), k.faint);
      const room = half - c.measureText(label).width - 6;
      c.font = mono(11 * z);
      write(c, c.measureText(text).width > room ? text.split(" / ")[0] : text, x + half, b.y + 40 * z, c.font, k.muted, "right");
    }
    c.fillStyle = k.track;
    rounded(c, x, b.y + 49 * z, half, 5 * z, 3 * z);
    c.fill();
    if (part > 0) {
      c.fillStyle = part > 0.9 ? k.pending : k.bar;
      rounded(c, x, b.y + 49 * z, Math.max(5 * z, half * part), 5 * z, 3 * z);
      c.fill();
    }
  });
}

/** Cordoned: a striped lid. @param {C} c @param {Box} b @param {number} z @param {Colours} k */
function shut(c, b, z, k) {
  c.save();
  rounded(c, b.x, b.y, b.w, b.h, 10 * z);
  c.clip();
  c.fillStyle = hatch(c, k.pending, 12, 2);
  c.globalAlpha = 0.8;
  c.fillRect(b.x, b.y, b.w, Math.max(3, 5 * z));
  c.restore();
}

/** A pod's last five letters tell it from its brothers. @param {Thing} pod */
export const shortName = (pod) => (pod.owner && !pod.owner.startsWith("StatefulSet/") ? pod.name.split("-").at(-1) ?? pod.name : pod.name);

/** @type {Map<Colours, Colours>} */
const faded = new Map();

/** As it was last seen: its shape, without its colour. @param {Colours} k */
function grey(k) {
  const known = faded.get(k) ?? { ...k, ready: k.unknown, pending: k.unknown, failing: k.unknown, done: k.unknown, failText: k.muted };
  faded.set(k, known);
  return known;
}

/** @param {C} c @param {Thing} pod @param {Box} b @param {Colours} colours @param {number} now @param {boolean} lost */
export function pod(c, pod, b, colours, now, lost) {
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
  } else if (size < 34 || pod.system) mark(c, pod, b.x + size / 2, b.y + size / 2, size * (pod.system ? 0.42 : 0.36), k, now);
  else if (size < 128) named(c, pod, b, k, now);
  else opened(c, pod, b, k, now);
  c.globalAlpha = before;
}

/** @param {C} c @param {Thing} p @param {Box} b @param {Colours} k @param {number} now */
function named(c, p, b, k, now) {
  const s = b.w;
  const r = s * (p.restarts ? 0.245 : 0.28);
  mark(c, p, b.x + s / 2, b.y + s * (p.restarts ? 0.36 : 0.385), r, k, now);
  const size = Math.max(8.5, Math.min(12, s * 0.175));
  write(c, shortName(p), b.x + s / 2, b.y + s * 0.84, mono(size, 500), k.muted, "center", s - 5, true);
  if (s >= 88) write(c, p.ip ?? p.status ?? "", b.x + s / 2, b.y + s * 0.945, mono(size * 0.86), k.faint, "center", s - 6);
  if (s >= 56 && p.state === "ready" && (p.containers?.length ?? 1) > 1)
    write(c, p.ready, b.x + s / 2, b.y + s * 0.385, mono(size, 650), k.onState, "center");
}

/** Close up: containers as inner cells. @param {C} c @param {Thing} p @param {Box} b @param {Colours} k @param {number} now */
function opened(c, p, b, k, now) {
  const u = b.w / 160;
  const x = b.x + 6 * u;
  const w = b.w - 12 * u;
  c.fillStyle = k.panel2;
  c.strokeStyle = k[TONE[p.state ?? ""] ?? "unknown"];
  c.lineWidth = 1.5;
  rounded(c, x, b.y + 6 * u, w, b.h - 12 * u, 8 * u);
  c.fill();
  c.stroke();
  mark(c, { ...p, restarts: 0 }, x + 17 * u, b.y + 24 * u, 9 * u, k, now);
  write(c, p.name, x + 34 * u, b.y + 19 * u, sans(11 * u, 620), k.text, "left", w - 42 * u, true);
  write(c, `${p.status ?? ""} · ${p.ready ?? ""}${p.restarts ? ` · ↻${p.restarts}` : ""}`, x + 34 * u, b.y + 32 * u, sans(9 * u), k.muted, "left", w - 42 * u);
  write(c, `${p.ip ?? "–"}   cpu ${cores(p.cpu ?? 0)}  mem ${bytes(p.memory ?? 0)}`, x + 10 * u, b.y + 48 * u, mono(8.5 * u), k.muted, "left", w - 20 * u);
  const containers = p.containers ?? [];
  const h = Math.min(38 * u, (b.h - 70 * u) / Math.max(1, containers.length));
  containers.forEach((one, index) => {
    const y = b.y + 58 * u + index * h;
    c.fillStyle = k.track;
    rounded(c, x + 8 * u, y, w - 16 * u, h - 4 * u, 5 * u);
    c.fill();
    c.fillStyle = one.ready ? k.ready : one.state === "terminated" ? k.failing : k.pending;
    c.beginPath();
    c.arc(x + 18 * u, y + (h - 4 * u) / 2, 3.5 * u, 0, 7);
    c.fill();
    write(c, one.name, x + 27 * u, y + h * 0.32, sans(9.5 * u, 600), k.text, "left", w - 50 * u);
    if (h > 20 * u) write(c, one.reason ? `${one.image} · ${one.reason}` : one.image, x + 27 * u, y + h * 0.64, mono(8 * u), k.muted, "left", w - 46 * u);
  });
}

/** @param {C} c @param {Box} b @param {number} count @param {number} z @param {Colours} k @param {string} label */
export function tray(c, b, count, z, k, label) {
  if (z >= 0.3) {
    write(c, label, b.x + 2, b.y + 8 * z, sans(Math.max(9, 12 * z), 560), count ? k.pending : k.faint);
    if (count) {
      const x = b.x + 8 * z + c.measureText(label).width + 4;
      write(c, `${count}`, x, b.y + 8 * z, mono(Math.max(9, 12 * z), 600), k.pending);
    }
  }
  c.strokeStyle = count ? k.strong : k.line;
  c.lineWidth = 1;
  c.setLineDash([5, 5]);
  rounded(c, b.x, b.y + 20 * z, b.w, b.h - 20 * z, 10 * z);
  c.stroke();
  c.setLineDash([]);
}
