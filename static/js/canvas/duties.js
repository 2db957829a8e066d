/**
 * The cards of the workloads that are no rollout: a StatefulSet's ordinals in their order, a DaemonSet's nodes, a Job's completions, a
 * CronJob's last runs; and of storage: a claim with the volume it has. Each draws nothing but facts.
 */
import { modes } from "../facts.js";
import { govern, head, progress } from "./cards.js";
import { hatch, mono, polygon, rounded, sans, write } from "./brush.js";

/** @typedef {import("./colours.js").Colours} Colours @typedef {import("../types").Thing} Thing @typedef {import("../types").Box} Box @typedef {CanvasRenderingContext2D} C */
/** @typedef {{c: C, b: Box, z: number, k: Colours, t: (key: string, params?: any) => string}} Paper */

const MOST_CELLS = 2_000;

/** @type {Record<string, "ready"|"pending"|"failing"|"done"|"unknown">} */
const FILL = { ready: "ready", succeeded: "done", crashloop: "failing", imagepull: "failing", oom: "failing", failed: "failing", lost: "unknown", terminating: "unknown" };

/**
 * One small square: solid, hatched, crossed, dashed; the state of a pod that has a place of its own.
 * @param {C} c @param {number} x @param {number} y @param {number} size @param {string|undefined} state @param {Colours} k
 */
function cell(c, x, y, size, state, k) {
  c.lineWidth = 1;
  rounded(c, x + 0.5, y + 0.5, size - 1, size - 1, size * 0.2);
  if (!state || state === "unscheduled") {
    c.setLineDash([2, 2]);
    c.strokeStyle = state ? k.pending : k.strong;
    c.stroke();
    c.setLineDash([]);
    return;
  }
  const colour = k[FILL[state] ?? "pending"];
  c.fillStyle = state === "ready" || state === "succeeded" ? colour : hatch(c, colour, 4, 1.5, x, y);
  c.fill();
  c.strokeStyle = colour;
  c.stroke();
  if (FILL[state] === "failing") {
    c.beginPath();
    c.moveTo(x + size * 0.3, y + size * 0.3);
    c.lineTo(x + size * 0.7, y + size * 0.7);
    c.moveTo(x + size * 0.7, y + size * 0.3);
    c.lineTo(x + size * 0.3, y + size * 0.7);
    c.lineWidth = Math.max(1.2, size / 9);
    c.stroke();
  }
}

/** Sizes of cells and the gap between them, the largest first. */
const SIZES = [[17, 5], [13, 4], [10, 3], [7, 2]];

/**
 * Cells in rows, as large as all of them fit; what still does not is told as a number.
 * @param {Paper} paper @param {number} left @param {number} right @param {number} top @param {number} bottom @param {(string|undefined)[]} states @param {(index: number) => string} [name]
 * @returns {(index: number) => {x: number, y: number, size: number}} where a cell is
 */
function cells({ c, z, k }, left, right, top, bottom, states, name) {
  /** @param {number[]} of */
  const fit = ([size, gap]) => ({ size: size * z, step: (size + gap) * z, across: Math.max(1, Math.floor((right - left) / z / (size + gap) + 0.3)), rows: Math.max(1, Math.floor(((bottom - top) / z + gap) / (size + gap))) });
  const { size, step, across, rows } = SIZES.map(fit).find((one) => one.across * one.rows >= states.length) ?? fit(SIZES[SIZES.length - 1]);
  const room = across * rows;
  const most = states.length > room ? room - 5 : states.length;
  /** @param {number} index */
  const at = (index) => ({ x: left + (index % across) * step, y: top + Math.floor(index / across) * step, size });
  for (let index = 0; index < most; index++) {
    const { x, y } = at(index);
    cell(c, x, y, size, states[index], k);
    if (name && states.length <= across && size === SIZES[0][0] * z && z >= 0.5) write(c, name(index), x + size / 2, y + size + Math.max(7, 8.5 * z), mono(9 * z), k.muted, "center");
  }
  if (most < states.length) write(c, `+${states.length - most}`, right, at(room - 1).y + size / 2, mono(9 * z), k.muted, "right");
  return at;
}

/** One stretch of the bar for each, while they can be told apart. @param {Paper} paper @param {Thing} d @param {Box} bar @param {(string|undefined)[]} states */
function segments({ c, k }, d, bar, states) {
  const w = bar.w / Math.max(1, states.length);
  if (w < 3) return progress(c, d, d.current ?? 0, bar, k);
  states.forEach((state, index) => {
    const colour = k[FILL[state ?? ""] ?? "pending"];
    c.fillStyle = k.track;
    c.fillRect(bar.x + index * w, bar.y, w - 1, bar.h);
    if (!state) return;
    c.fillStyle = state === "ready" ? colour : hatch(c, colour, 4, 1.5, bar.x, bar.y);
    c.fillRect(bar.x + index * w, bar.y, w - 1, bar.h);
  });
}

/** The lines below the picture: what is particular, and who governs. @param {Paper} paper @param {NonNullable<ReturnType<typeof head>>} at @param {string[]} parts @param {string} governed */
function foot({ c, b, z, k }, at, parts, governed) {
  const text = parts.filter(Boolean).join(" · ");
  if (text) write(c, text, at.left, b.y + b.h - (governed ? 31 : 13) * z, sans(11 * z), k.muted, "left", at.right - at.left);
}

/** Its pods by ordinal; those at or past the partition get updates, the others stay. @param {Paper} paper @param {Thing} d @param {Thing[]} pods @param {string} governed */
export function statefulSet(paper, d, pods, governed) {
  const { c, b, z, k, t } = paper;
  const wanted = d.replicas ?? 0;
  const at = head(c, d, `StatefulSet · ${d.policy}`, `${d.ready ?? 0}/${wanted}`, (d.ready ?? 0) >= wanted ? k.okText : k.waitText, b, z, k);
  if (!at) return;
  govern(c, at, governed, b, z, k);
  if (!at.row && !at.open) return;
  const first = d.start ?? 0;
  /** @type {Map<number, string|undefined>} */
  const states = new Map();
  for (const pod of pods) states.set(Number(pod.name.slice(d.name.length + 1)), pod.state);
  const last = Math.max(first + wanted, ...[...states.keys()].map((ordinal) => ordinal + 1));
  const row = Array.from({ length: Math.max(0, Math.min(last - first, MOST_CELLS)) }, (_, index) => states.get(first + index));
  if (at.row) return segments(paper, d, at.bar, row);
  const place = cells(paper, at.left, at.right, b.y + 52 * z, b.y + b.h - (governed ? 43 : 24) * z, row, (index) => `${first + index}`);
  if (d.partition && d.partition > first && d.partition - first < row.length) {
    const { x, y, size } = place(d.partition - first);
    c.strokeStyle = k.text;
    c.lineWidth = 1;
    c.beginPath();
    c.moveTo(x - 2.5 * z, y - 3 * z);
    c.lineTo(x - 2.5 * z, y + size + 3 * z);
    c.stroke();
  }
  foot(paper, at, [
    d.updated !== undefined && d.updated < wanted ? t("duty.updated", { updated: d.updated, all: wanted }) : "", d.partition ? t("duty.partition", { partition: d.partition }) : "",
    !d.partition && d.service ? t("duty.service", { name: d.service }) : ""], governed);
}

/** One of it on every node that fits. @param {Paper} paper @param {Thing} d @param {Thing[]} pods @param {string} governed */
export function daemonSet(paper, d, pods, governed) {
  const { c, b, z, k, t } = paper;
  const wanted = d.replicas ?? 0;
  const at = head(c, d, `DaemonSet · ${d.strategy}`, `${d.ready ?? 0}/${wanted}`, (d.ready ?? 0) >= wanted ? k.okText : k.waitText, b, z, k);
  if (!at) return;
  govern(c, at, governed, b, z, k);
  if (!at.row && !at.open) return;
  const row = pods.map((pod) => /** @type {[string, string|undefined]} */ ([pod.node ?? "~", pod.state])).sort(([a], [other]) => (a < other ? -1 : 1)).map(([, state]) => state).slice(0, MOST_CELLS);
  while (row.length < Math.min(wanted, MOST_CELLS)) row.push(undefined);
  if (at.row) return segments(paper, d, at.bar, row);
  cells(paper, at.left, at.right, b.y + 52 * z, b.y + b.h - (governed ? 43 : 24) * z, row);
  const waiting = row.filter((state) => state === "unscheduled").length;
  foot(paper, at, [
    d.misscheduled ? t("duty.misscheduled", { count: d.misscheduled }) : "", t("duty.nodes", { count: wanted }), waiting ? t("duty.unscheduled", { count: waiting }) : "", (d.updated ?? 0) < wanted ? t("duty.updated", { updated: d.updated ?? 0, all: wanted }) : ""], governed);
}

/** Completions as a bar: done, at work, still to come; failures beside it. @param {Paper} paper @param {Thing} d */
export function job(paper, d) {
  const { c, b, z, k, t } = paper;
  const wanted = d.replicas;
  const tone = d.ended === "failed" ? k.failText : d.ended === "complete" ? k.done : d.suspended ? k.muted : k.waitText;
  const at = head(c, d, `Job${d.indexed ? " · Indexed" : ""}${d.suspended ? " · Suspended" : ""}`, `${d.succeeded ?? 0}/${wanted ?? "?"}`, tone, b, z, k);
  if (!at) return;
  const bar = at.row ? at.bar : { x: at.left, y: b.y + 56 * z, w: at.right - at.left, h: 14 * z };
  if (at.row || at.open) work(c, d, bar, k);
  if (!at.open) return;
  const parts = [d.ended ? d.why ?? "" : t("duty.active", { active: d.active ?? 0, most: d.parallelism ?? 1 }), d.failed ? t("duty.failed", { failed: d.failed }) : ""];
  write(c, parts.filter(Boolean).join(" · "), at.left, b.y + 90 * z, sans(11 * z), d.failed || d.ended === "failed" ? k.failText : k.muted, "left", at.right - at.left);
  if (d.done || d.lost) write(c, `${d.done ? `✓ ${d.done}` : ""}${d.lost ? `  ✗ ${d.lost}` : ""}`, at.left, b.y + b.h - 15 * z, mono(10 * z), k.muted, "left", at.right - at.left);
}

/** @param {C} c @param {Thing} d @param {Box} b @param {Colours} k */
function work(c, d, b, k) {
  const done = d.succeeded ?? 0;
  const all = Math.max(1, d.replicas ?? done + (d.active ?? 0), done + (d.active ?? 0));
  c.fillStyle = k.track;
  c.fillRect(b.x, b.y, b.w, b.h);
  c.fillStyle = k.done;
  c.fillRect(b.x, b.y, (b.w * done) / all, b.h);
  c.fillStyle = hatch(c, d.ended === "failed" ? k.failing : k.pending, 4, 1.5, b.x, b.y);
  c.fillRect(b.x + (b.w * done) / all, b.y, (b.w * (d.active ?? 0)) / all, b.h);
}

/** Its schedule and the Jobs it keeps, the oldest first. @param {Paper} paper @param {Thing} d @param {Thing[]} jobs */
export function cronJob(paper, d, jobs) {
  const { c, b, z, k, t } = paper;
  const at = head(c, d, `CronJob · ${d.policy}${d.zone ? ` · ${d.zone}` : ""}`, d.suspended ? t("duty.suspended") : d.active ? t("duty.running", { count: d.active }) : "", d.suspended ? k.muted : k.waitText, b, z, k);
  if (!at) return;
  const recent = [...jobs].sort((a, other) => (a.created ?? 0) - (other.created ?? 0)).slice(-9);
  const y = at.row ? at.bar.y + at.bar.h / 2 : b.y + 82 * z;
  if (at.open) write(c, `${d.schedule}`, at.left, b.y + 60 * z, mono(13 * z, 560), k.text, "left", at.right - at.left);
  if (!at.row && !at.open) return;
  recent.forEach((one, index) => {
    const r = (at.row ? 4.5 : 7) * z;
    const x = at.left + r + index * r * 2.9;
    if (one.ended === "complete") {
      c.fillStyle = k.done;
      c.beginPath();
      c.arc(x, y, r, 0, Math.PI * 2);
      c.fill();
      tick(c, x, y, r, k.panel);
    } else if (one.ended === "failed") {
      polygon(c, x, y, r * 1.05, 8, Math.PI / 8);
      c.fillStyle = k.failing;
      c.fill();
    } else {
      c.fillStyle = hatch(c, k.pending, 4, 1.5, x - r, y - r);
      c.strokeStyle = k.pending;
      c.beginPath();
      c.arc(x, y, r, 0, Math.PI * 2);
      c.fill();
      c.stroke();
    }
  });
  if (at.row && z >= 0.4) write(c, d.schedule ?? "", at.right, y, mono(10.5 * z), k.faint, "right");
  if (at.open) write(c, recent.length ? t("duty.kept", { count: jobs.length }) : t("duty.noRuns"), at.left, b.y + b.h - 15 * z, sans(11 * z), k.muted, "left", at.right - at.left);
}

/** @param {C} c @param {number} x @param {number} y @param {number} r @param {string} colour */
function tick(c, x, y, r, colour) {
  c.strokeStyle = colour;
  c.lineWidth = Math.max(1.2, r / 4);
  c.beginPath();
  c.moveTo(x - r * 0.42, y + r * 0.02);
  c.lineTo(x - r * 0.1, y + r * 0.36);
  c.lineTo(x + r * 0.46, y - r * 0.34);
  c.stroke();
}

const PHASES = /** @type {Record<string, "okText"|"waitText"|"failText"|"muted">} */ ({ Bound: "okText", Available: "okText", Pending: "waitText", Released: "muted", Lost: "failText", Failed: "failText" });

/** A claim on the left of a link, the volume it has on the right; the link is open while it waits. @param {Paper} paper @param {Thing} d @param {Thing|undefined} volume */
export function claim(paper, d, volume) {
  const { c, b, z, k, t } = paper;
  const at = head(c, d, `PersistentVolumeClaim${d.class ? ` · ${d.class}` : ""}`, d.terminating ? "Terminating" : `${d.phase}`, d.phase === "Lost" ? k.failText : k[PHASES[d.phase ?? ""] ?? "muted"], b, z, k);
  if (!at) return;
  const gone = d.phase === "Lost";
  const name = d.volume?.split("/")[2] ?? "";
  if (at.row) return line(paper, at, `${d.capacity ?? d.asked ?? ""} ${modes(d)}`, volume?.name ?? "");
  if (!at.open) return;
  const y = b.y + 74 * z;
  const both = at.right - at.left - 32 * z;
  const asked = both * 0.6;
  const has = both - asked;
  const middle = at.left + asked + 16 * z;
  drum(c, at.left, y - 14 * z, asked, 28 * z, k.strong, false);
  write(c, `${d.asked ?? ""} ${modes(d)}`, at.left + asked / 2, y, mono(10.5 * z), k.text, "center", asked - 8 * z);
  c.strokeStyle = gone ? k.failText : volume ? k.ready : k.pending;
  c.lineWidth = 2;
  c.setLineDash(volume && !gone ? [] : [3, 3]);
  c.beginPath();
  c.moveTo(middle - 14 * z, y);
  c.lineTo(middle + 14 * z, y);
  c.stroke();
  c.setLineDash([]);
  drum(c, at.right - has, y - 14 * z, has, 28 * z, gone ? k.failText : volume ? k.ready : k.strong, !volume);
  write(c, volume ? `${volume.capacity ?? ""}` : gone ? "✕" : "?", at.right - has / 2, y, mono(10.5 * z), gone ? k.failText : volume ? k.text : k.muted, "center", has - 8 * z);
  const words = gone ? t("duty.volumeGone", { name }) : d.waits ? t("duty.noConsumer") : d.unknownClass ? t("duty.unknownClass", { name: d.class }) : t("duty.noVolume");
  if (volume && !gone) write(c, `${volume.name}${volume.where ? ` · ${volume.where}` : ""}`, at.left, b.y + b.h - 16 * z, mono(10.5 * z), k.muted, "left", at.right - at.left, true);
  else write(c, words, at.left, b.y + b.h - 16 * z, sans(11 * z), gone ? k.failText : k.muted, "left", at.right - at.left);
}

/** A row's second line. @param {Paper} paper @param {{left: number, right: number}} at @param {string} start @param {string} end */
function line({ c, b, z, k }, at, start, end) {
  if (z < 0.5) return;
  const y = b.y + 33 * z;
  write(c, start, at.left, y, mono(10.5 * z), k.muted);
  write(c, end, at.right, y, mono(10.5 * z), k.faint, "right", at.right - at.left - c.measureText(start).width - 10 * z, true);
}

/** A volume that nobody has. @param {Paper} paper @param {Thing} d */
export function volume(paper, d) {
  const { c, b, z, k, t } = paper;
  const at = head(c, d, `PersistentVolume · ${d.reclaim}${d.class ? ` · ${d.class}` : ""}`, d.terminating ? "Terminating" : `${d.phase}`, d.phase === "Failed" ? k.failText : k[PHASES[d.phase ?? ""] ?? "muted"], b, z, k);
  if (!at) return;
  const where = [d.source, d.where].filter(Boolean).join(" ");
  if (at.row) return line(paper, at, `${d.capacity ?? ""} ${modes(d)}`, where);
  if (!at.open) return;
  drum(c, at.left, b.y + 54 * z, at.right - at.left, 28 * z, k.strong, false);
  write(c, `${d.capacity ?? ""} ${modes(d)}`, (at.left + at.right) / 2, b.y + 68 * z, mono(10.5 * z), k.text, "center");
  if (d.phase === "Released") write(c, t("duty.was", { name: d.claim?.split("/").slice(1).join("/") }), at.left, b.y + 100 * z, sans(11 * z), k.muted, "left", at.right - at.left);
  write(c, where, at.left, b.y + b.h - 16 * z, mono(10.5 * z), k.muted, "left", at.right - at.left, true);
}

/** What holds data: a box with a double floor. @param {C} c @param {number} x @param {number} y @param {number} w @param {number} h @param {string} colour @param {boolean} missing */
function drum(c, x, y, w, h, colour, missing) {
  c.strokeStyle = colour;
  c.lineWidth = 1;
  c.setLineDash(missing ? [3, 3] : []);
  rounded(c, x + 0.5, y + 0.5, w - 1, h - 1, h * 0.3);
  c.stroke();
  c.beginPath();
  c.moveTo(x + h * 0.2, y + h - 4.5);
  c.lineTo(x + w - h * 0.2, y + h - 4.5);
  c.stroke();
  c.setLineDash([]);
}
