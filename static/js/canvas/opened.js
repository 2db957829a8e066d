/**
 * A pod from close by: its containers as inner cells, each with its state, restarts, image, probes with their last answers, environment,
 * ports, mounts and what it asks for and may have; as many lines as there is room for. What the scene does not tell comes on demand (near.js).
 */
import { bytes, cores, fitted, mono, rounded, sans, write } from "./brush.js";
import { TONE } from "./colours.js";
import { mark, tally } from "./marks.js";

/** @typedef {import("./colours.js").Colours} Colours @typedef {import("../types").Thing} Thing @typedef {import("../types").Box} Box @typedef {CanvasRenderingContext2D} C */
/** @typedef {{kind: string, how: string, ok: boolean|null, failures: number, of: number}} Probe */
/** @typedef {{name: string, kind: string, image: string, state: string, reason?: string, exit?: number, ready: boolean, restarts: number, env: number, ports: string[], mounts: string[], requests: {cpu?: number, memory?: number}, limits: {cpu?: number, memory?: number}, probes: Probe[]}} Cell */
/** @typedef {{containers: Cell[], volumes: string[]}} Detail */

/** What a container's line begins with, if it is none of the pod's own. */
const SORTS = /** @type {Record<string, string>} */ ({ init: "init", sidecar: "sidecar", ephemeral: "debug" });

/** @param {C} c @param {Thing} p @param {Box} b @param {Colours} k @param {number} now @param {Detail} [detail] */
export function opened(c, p, b, k, now, detail) {
  const f = Math.max(8.5, Math.min(16, b.w * 0.042));
  const line = f * 1.36;
  const gap = b.w * 0.035;
  const x = b.x + gap;
  const w = b.w - 2 * gap;
  const y = b.y + gap;
  const bottom = b.y + b.h - gap;
  c.fillStyle = k.panel2;
  c.strokeStyle = k[TONE[p.state ?? ""] ?? "unknown"];
  c.lineWidth = 1.5;
  c.setLineDash(p.state === "unscheduled" ? [6, 5] : []);
  rounded(c, x, y, w, bottom - y, b.w * 0.05);
  c.fill();
  c.stroke();
  c.setLineDash([]);
  const inner = x + f * 0.8;
  const wide = w - f * 1.6;
  const r = f * 0.95;
  mark(c, { ...p, restarts: 0 }, inner + r, y + f * 0.7 + line, r, k, now);
  const left = inner + 2 * r + f * 0.7;
  write(c, p.name, left, y + f * 0.5 + line * 0.6, sans(f * 1.08, 640), k.text, "left", x + w - left - f * 0.6, true);
  write(c, `${p.status ?? ""} · ${p.ready ?? ""}`, left, y + f * 0.5 + line * 1.65, sans(f * 0.92), k.muted, "left", x + w - left - f * 0.6);
  let at = y + f * 0.6 + line * 2.6;
  write(c, `${p.ip ?? "–"}  cpu ${cores(p.cpu ?? 0)}  mem ${bytes(p.memory ?? 0)}`, inner, at, mono(f * 0.9), k.muted, "left", wide);
  at += line * 0.7;
  const cells = detail?.containers ?? (p.containers ?? []).map((one) => /** @type {Cell} */ ({ kind: "container", env: 0, ports: [], mounts: [], requests: {}, limits: {}, probes: [], ...one }));
  const volumes = detail?.volumes ?? [];
  const foot = volumes.length && bottom - at > line * (3 + 2 * cells.length) ? line * 1.3 : 0;
  const lines = shares(cells, Math.floor((bottom - f * 0.6 - foot - at - cells.length * f * 0.9) / line), !!detail);
  for (const [index, cell] of cells.entries()) {
    if (!lines[index]) break;
    const high = line * lines[index] + f * 0.9;
    container(c, cell, { x: inner, y: at, w: wide, h: high - f * 0.35 }, f, k, !!detail);
    at += high;
  }
  if (foot) write(c, volumes.join("   "), inner, Math.min(bottom - line * 0.75, at + line * 0.7), mono(f * 0.86), k.muted, "left", wide);
}

/** How many lines each gets: one each, then in turn what it needs, those that do the work first. @param {Cell[]} cells @param {number} all @param {boolean} told */
function shares(cells, all, told) {
  const lines = cells.map((_, index) => (index < all ? 1 : 0));
  let left = all - cells.length;
  const order = cells.map((_, index) => index).sort((a, b) => Number(cells[a].kind === "init") - Number(cells[b].kind === "init"));
  for (let more = true; more && left > 0; ) {
    more = false;
    for (const index of order) {
      if (left <= 0 || lines[index] >= linesOf(cells[index], told)) continue;
      lines[index]++;
      left--;
      more = true;
    }
  }
  return lines;
}

/** @param {Cell} cell @param {boolean} told */
const linesOf = (cell, told) => 2 + (cell.probes.length ? 1 : 0) + (told ? (asks(cell) ? 1 : 0) + (cell.ports.length || cell.env ? 1 : 0) + cell.mounts.length : 0);

/** @param {Cell} cell */
const asks = ({ requests, limits }) => !!(requests.cpu || limits.cpu || requests.memory || limits.memory);

/** @param {C} c @param {Cell} cell @param {Box} b @param {number} f @param {Colours} k @param {boolean} told whether more is known than the scene tells */
function container(c, cell, b, f, k, told) {
  const line = f * 1.36;
  c.fillStyle = k.track;
  rounded(c, b.x, b.y, b.w, b.h, f * 0.5);
  c.fill();
  const x = b.x + f * 0.6;
  const right = b.x + b.w - f * 0.6;
  const room = right - x;
  const many = Math.max(1, Math.floor((b.h - f * 0.3) / line + 0.01));
  let y = b.y + (many === 1 ? b.h / 2 : f * 0.15 + line * 0.62);
  state(c, cell, x + f * 0.4, y, f * 0.42, k);
  const said = cell.reason ?? cell.state;
  const trouble = !cell.ready && cell.reason && cell.reason !== "Completed" && cell.reason !== "ContainerCreating" && cell.reason !== "PodInitializing";
  const title = SORTS[cell.kind] ? `${SORTS[cell.kind]} · ${cell.name}` : cell.name;
  const font = sans(f, 620);
  c.font = font;
  const titled = fitted(c, title, room * 0.6);
  write(c, titled, x + f * 1.2, y, font, k.text);
  const used = c.measureText(titled).width + f * 1.9;
  const strokes = cell.restarts && cell.restarts <= 10 ? Math.min(f * 3.4, f * 0.5 * cell.restarts + f * 0.4) : 0;
  write(c, `${said}${cell.exit ? ` ${cell.exit}` : ""}${cell.restarts > 10 ? ` ↻${cell.restarts}` : ""}`, right - strokes, y, sans(f * 0.9), trouble ? k.failText : k.muted, "right", room - used - strokes);
  if (strokes) tally(c, cell.restarts, right - strokes / 2 + f * 0.2, y - f * 0.4, f * 1.4, k);
  /** @type {(() => void)[]} in the order in which they must find room */
  const lines = [() => write(c, cell.image, x, y, mono(f * 0.88), k.muted, "left", room, true)];
  if (cell.probes.length) lines.push(() => probes(c, cell.probes, x, y, f, room, k));
  if (told) {
    if (asks(cell)) lines.push(() => asked(c, cell, x, y, room, f, k));
    const facts = [cell.ports.length ? cell.ports.join(" ") : "", cell.env ? `env ${cell.env}` : ""].filter(Boolean).join("   ");
    if (facts) lines.push(() => write(c, facts, x, y, mono(f * 0.88), k.muted, "left", room));
    for (const mount of cell.mounts) lines.push(() => write(c, mount, x, y, mono(f * 0.88), k.muted, "left", room, true));
  }
  for (const draw of lines.slice(0, many - 1)) {
    y += line;
    draw();
  }
}

/** Running and ready: solid; running: half; waiting: hollow; ended: a square. @param {C} c @param {Cell} cell @param {number} x @param {number} y @param {number} r @param {Colours} k */
function state(c, cell, x, y, r, k) {
  const bad = cell.state === "terminated" ? !!cell.exit || (cell.reason !== undefined && cell.reason !== "Completed") : /Err|BackOff|Invalid/.test(cell.reason ?? "");
  const colour = bad ? k.failing : cell.state === "terminated" ? k.done : cell.ready ? k.ready : k.pending;
  c.fillStyle = c.strokeStyle = colour;
  c.lineWidth = Math.max(1.25, r * 0.35);
  if (cell.state === "terminated") return c.fillRect(x - r, y - r, 2 * r, 2 * r);
  c.beginPath();
  c.arc(x, y, r, 0, 7);
  if (cell.state === "running" && cell.ready) return c.fill();
  c.stroke();
  if (cell.state !== "running") return;
  c.beginPath();
  c.arc(x, y, r, Math.PI / 2, (3 * Math.PI) / 2);
  c.fill();
}

/** Each probe with its last answer: a check, a cross with how many failures of how many in a row, a ring before the first. @param {C} c @param {Probe[]} probes @param {number} x @param {number} y @param {number} f @param {number} room @param {Colours} k */
function probes(c, probes, x, y, f, room, k) {
  const end = x + room;
  const font = sans(f * 0.88);
  for (const one of probes) {
    const text = `${one.kind}${one.ok === false ? ` ${one.failures}/${one.of}` : ""}`;
    c.font = font;
    const w = c.measureText(text).width + f * 1.9;
    if (x + w > end + f * 0.5) return;
    const r = f * 0.34;
    const cx = x + r;
    c.strokeStyle = one.ok === null ? k.faint : one.ok ? k.ready : k.failText;
    c.lineWidth = Math.max(1.4, f * 0.15);
    c.beginPath();
    if (one.ok === null) c.arc(cx, y, r, 0, 7);
    else if (one.ok) {
      c.moveTo(cx - r, y);
      c.lineTo(cx - r * 0.2, y + r * 0.75);
      c.lineTo(cx + r, y - r * 0.8);
    } else {
      c.moveTo(cx - r, y - r);
      c.lineTo(cx + r, y + r);
      c.moveTo(cx + r, y - r);
      c.lineTo(cx - r, y + r);
    }
    c.stroke();
    write(c, text, x + f * 1.05, y, font, one.ok === false ? k.failText : k.muted);
    x += w;
  }
}

/** What is asked for within what is allowed. @param {C} c @param {Cell} cell @param {number} x @param {number} y @param {number} room @param {number} f @param {Colours} k */
function asked(c, cell, x, y, room, f, k) {
  const half = (room - f) / 2;
  /** @type {[string, number|undefined, number|undefined, (n: number) => string][]} */
  const rows = [["cpu", cell.requests.cpu, cell.limits.cpu, cores], ["mem", cell.requests.memory, cell.limits.memory, bytes]];
  rows.forEach(([label, wanted, most, said], index) => {
    const left = x + index * (half + f);
    write(c, `${label} ${wanted ? said(wanted) : "–"}/${most ? said(most) : "∞"}`, left, y - f * 0.16, mono(f * 0.8), k.muted, "left", half);
    const h = Math.max(2, f * 0.2);
    c.fillStyle = k.line;
    c.fillRect(left, y + f * 0.42, half, h);
    c.fillStyle = k.bar;
    if (wanted) c.fillRect(left, y + f * 0.42, half * (most ? Math.min(1, wanted / most) : 0.5), h);
  });
}
