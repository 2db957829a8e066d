/**
 * The still layer's cards: a Service with its doors, a workload between its ceiling and its floor, a traffic source. Many of a
 * kind are drawn as rows. Each takes a record and a box in pixels, and draws nothing but facts.
 */
import { selects } from "../facts.js";
import { fitted, hatch, mono, rounded, sans, write } from "./brush.js";
import { ROW } from "./layout.js";

/** @typedef {import("./colours.js").Colours} Colours @typedef {import("../types").Thing} Thing @typedef {import("../types").Box} Box @typedef {CanvasRenderingContext2D} C */

/** Outside of default the namespace belongs to the name. @param {Thing} thing */
const named = (thing) => (thing.ns && thing.ns !== "default" ? `${thing.ns}/${thing.name}` : thing.name);

/** @param {Box} b @param {number} z */
const isRow = (b, z) => b.h / z <= ROW.h + 1;

/** @param {C} c @param {Thing} s @param {Box} b @param {number} z @param {Colours} k @param {{noEndpoints: string, noSelector: string, ready: (ready: number, all: number) => string, near: (near: {key: string, want: string, have?: string}) => string}} words */
export function service(c, s, b, z, k, words) {
  c.fillStyle = k.panel;
  rounded(c, b.x, b.y, b.w, b.h, 10 * z);
  c.fill();
  c.strokeStyle = k.line;
  c.lineWidth = 1;
  c.stroke();
  const system = s.system;
  if (z < 0.25) {
    if (!system && b.h > 10) write(c, named(s), b.x + 4, b.y + b.h / 2, sans(0, 600), k.muted, "left", b.w - 6, true);
    return;
  }
  const left = b.x + 14 * z;
  const right = b.x + b.w - 14 * z;
  if (system) {
    if (z < 0.35) return;
    const address = z >= 0.5 ? `${s.clusterIP}:${s.ports?.[0]?.port ?? ""}` : "";
    write(c, address, right, b.y + b.h / 2, mono(10.5 * z), k.faint, "right");
    write(c, s.name, left, b.y + b.h / 2, sans(11.5 * z, 560), k.muted, "left", b.w - 34 * z - c.measureText(address).width);
    return;
  }
  const endpoints = s.endpoints ?? [];
  const ready = endpoints.filter((one) => one.ready).length;
  const near = s.near?.[0];
  const text = endpoints.length ? words.ready(ready, endpoints.length) : !selects(s) ? words.noSelector : near ? words.near(near) : words.noEndpoints;
  const tone = endpoints.length ? (ready === endpoints.length ? k.ready : k.pending) : selects(s) ? k.failText : k.faint;
  if (isRow(b, z)) {
    const far = z < 0.55;
    const line = b.y + (far ? b.h / 2 : 15 * z);
    const short = selects(s) ? `${ready}/${endpoints.length}` : "";
    write(c, short, right, line, mono(12 * z, 620), tone, "right");
    write(c, named(s), left, line, sans(13 * z, 640), k.text, "left", b.w - 34 * z - c.measureText(short).width, true);
    if (far) return;
    const port = s.ports?.[0];
    const numbers = port ? [port.nodePort, port.port, port.targetPort ?? port.port].filter(Boolean).join(" → ") : "";
    write(c, numbers, right, b.y + 33 * z, mono(10.5 * z), k.muted, "right");
    c.font = mono(10.5 * z);
    write(c, chosen(s), left, b.y + 33 * z, mono(10.5 * z), k.faint, "left", b.w - 36 * z - c.measureText(numbers).width);
    return;
  }
  c.font = sans(12 * z);
  const typed = b.w - 28 * z - (z >= 0.4 ? c.measureText(s.type ?? "").width + 8 * z : 0);
  write(c, named(s), left, b.y + 20 * z, sans(15 * z, 640), k.text, "left", typed, true);
  if (z < 0.4) return;
  write(c, s.type ?? "", right, b.y + 20 * z, sans(12 * z), k.muted, "right");
  const external = s.externalIPs?.[0];
  write(c, external ? `${external} · ${s.clusterIP}` : s.clusterIP ?? "", left, b.y + 39 * z, mono(11.5 * z), k.faint, "left", b.w - 28 * z);
  doors(c, s, b, z, k);
  const selector = chosen(s);
  const bottom = b.y + b.h - 20 * z;
  c.font = sans(12 * z, 580);
  const taken = Math.min(b.w * 0.55, c.measureText(text).width);
  write(c, text, right, bottom, sans(12 * z, 580), tone, "right", b.w * 0.55);
  if (selector) {
    c.font = mono(11 * z);
    const most = b.w - 42 * z - taken;
    const shown = fitted(c, selector, most - 12 * z);
    const w = c.measureText(shown).width + 12 * z;
    c.fillStyle = k.track;
    rounded(c, left - 2 * z, bottom - 9 * z, w, 18 * z, 5 * z);
    c.fill();
    write(c, shown, left + 4 * z, bottom, mono(11 * z), k.muted);
  }
}

/** Whom it selects. @param {Thing} s */
const chosen = (s) => Object.entries(s.selector ?? {}).map(([key, value]) => `${key}=${value}`).join(" ");

/** nodePort, port, targetPort: three doors in a row. @param {C} c @param {Thing} s @param {Box} b @param {number} z @param {Colours} k */
function doors(c, s, b, z, k) {
  const port = s.ports?.[0];
  if (!port) return;
  const far = z < 0.75;
  /** @type {[string, string][]} */
  const list = [["port", `${port.port}`], [far ? "target" : "targetPort", `${port.targetPort ?? port.port}`]];
  if (port.nodePort) list.unshift([far ? "node" : "nodePort", `${port.nodePort}`]);
  const gap = 15 * z;
  const w = (b.w - 28 * z - gap * (list.length - 1)) / list.length;
  list.forEach(([label, value], index) => {
    const x = b.x + 14 * z + index * (w + gap);
    const y = b.y + 52 * z;
    c.strokeStyle = k.strong;
    c.lineWidth = 1;
    rounded(c, x, y, w, 36 * z, 6 * z);
    c.stroke();
    write(c, value, x + w / 2, y + 13 * z, mono(12.5 * z, 600), k.text, "center", w - 6);
    write(c, label, x + w / 2, y + 26 * z, sans(10 * z), k.faint, "center", w - 4);
    if (index) write(c, "→", x - gap / 2, y + 18 * z, sans(12 * z), k.faint, "center");
  });
  if ((s.ports?.length ?? 0) > 1) write(c, `+${(s.ports?.length ?? 1) - 1}`, b.x + b.w - 5 * z, b.y + 66 * z, sans(9 * z), k.faint, "center");
}

/** @param {C} c @param {Thing} t @param {Box} b @param {number} z @param {Colours} k @param {string} asked what it asks, if it stands beside no Service */
export function source(c, t, b, z, k, asked) {
  c.fillStyle = k.panel;
  c.strokeStyle = t.error ? k.failing : k.line;
  c.lineWidth = 1;
  rounded(c, b.x, b.y, b.w, b.h, 46 * z);
  c.fill();
  c.stroke();
  const failing = (t.failed ?? 0) > 0;
  const x = b.x + b.w / 2;
  if (b.h < 50) {
    const rate = failing ? `✕ ${round(t.failed ?? 0)}` : round(t.rate ?? 0);
    if (b.h >= 11 && b.w > 26) write(c, b.w > 48 ? `${rate}/s` : rate, x, b.y + b.h / 2, mono(Math.min(13 * z, b.h * 0.5), 620), failing ? k.failText : k.text, "center", b.w - 6);
    return;
  }
  if (asked) {
    write(c, asked, x, b.y + 26 * z, mono(11 * z, 560), k.muted, "center", b.w - 24 * z);
    write(c, `${round(t.rate ?? 0)}/s`, x, b.y + 48 * z, mono(13 * z, 620), k.text, "center");
    write(c, answered(t), x, b.y + 69 * z, sans(10.5 * z, 560), failing ? k.failText : k.ready, "center");
    return;
  }
  c.strokeStyle = k.muted;
  c.lineWidth = Math.max(1, 1.5 * z);
  c.beginPath();
  c.arc(x, b.y + 23 * z, 9 * z, 0, 7);
  c.moveTo(x - 9 * z, b.y + 23 * z);
  c.lineTo(x + 9 * z, b.y + 23 * z);
  c.ellipse(x, b.y + 23 * z, 4 * z, 9 * z, 0, 0, 7);
  c.stroke();
  write(c, `${round(t.rate ?? 0)}/s`, x, b.y + 47 * z, mono(13 * z, 620), k.text, "center");
  write(c, answered(t), x, b.y + 63 * z, sans(10.5 * z, 560), failing ? k.failText : k.ready, "center");
  if (t.latency && z > 0.5) write(c, `${round(t.latency)} ms`, x, b.y + 77 * z, sans(10 * z), k.faint, "center");
}

/** What becomes of a source's requests. @param {Thing} t */
const answered = (t) => ((t.failed ?? 0) > 0 ? `✕ ${round(t.failed ?? 0)}/s` : `${round(t.ok ?? 0)}/s ok`);

/** @param {number} value */
export const round = (value) => (value >= 100 ? `${Math.round(value)}` : `${Math.round(value * 10) / 10}`);

/**
 * A Deployment: its ReplicaSets as columns between the ceiling (replicas + surge) and the floor (replicas - unavailable).
 * @param {C} c @param {Thing} d @param {Thing[]} sets @param {Box} b @param {number} z @param {Colours} k @param {{ceiling: string, floor: string, rev: string, governed: string}} words
 */
export function workload(c, d, sets, b, z, k, words) {
  const whole = (d.ready ?? 0) >= (d.replicas ?? 0);
  const at = head(c, d, [d.kind, d.paused ? "paused" : d.strategy].filter(Boolean).join(" · "), `${d.ready ?? 0}/${d.replicas ?? 0}`, whole ? k.ready : k.pending, b, z, k);
  if (!at) return;
  const { left, right } = at;
  govern(c, at, words.governed, b, z, k);
  if (at.row) progress(c, d, sets.reduce((sum, set) => sum + (set.current ?? 0), 0), at.bar, k);
  if (!at.open) return;
  const top = b.y + 56 * z;
  const bottom = b.y + b.h - (words.governed ? 43 : 24) * z;
  const ceiling = d.ceiling ?? d.replicas ?? 0;
  const most = Math.max(1, ceiling, ...sets.map((set) => Math.max(set.replicas ?? 0, set.current ?? 0)));
  const height = (/** @type {number} */ n) => ((bottom - top) * n) / most;
  const shown = sets.filter((set) => (set.replicas ?? 0) || (set.current ?? 0)).slice(-3);
  const lineRight = right - 72 * z;
  const step = Math.min(52 * z, (lineRight - left) / Math.max(1, shown.length));
  shown.forEach((set, index) => {
    const x = left + 4 * z + index * step;
    const w = step - 10 * z;
    const current = set.current ?? 0;
    c.fillStyle = k.track;
    c.fillRect(x, bottom - height(current), w, height(current));
    c.fillStyle = hatch(c, k.pending, 4, 1.5);
    c.fillRect(x, bottom - height(current), w, height(Math.max(0, current - (set.ready ?? 0))));
    c.fillStyle = k.ready;
    c.fillRect(x, bottom - height(Math.min(set.ready ?? 0, current || (set.ready ?? 0))), w, height(set.ready ?? 0));
    if ((set.replicas ?? 0) !== current) {
      c.strokeStyle = k.muted;
      c.setLineDash([2, 2]);
      c.strokeRect(x + 0.5, bottom - height(set.replicas ?? 0), w - 1, height(set.replicas ?? 0));
      c.setLineDash([]);
    }
    if (height(current) > 15) {
      const middle = bottom - height(current) / 2;
      c.font = mono(10.5 * z, 650);
      const room = c.measureText(`${current}`).width + 6;
      c.fillStyle = k.panel;
      rounded(c, x + (w - room) / 2, middle - 6.5, room, 13, 3);
      c.fill();
      write(c, `${current}`, x + w / 2, middle, c.font, k.text, "center");
    }
    c.font = mono(10 * z);
    const name = `${words.rev}${set.revision}`;
    if (set.revision) write(c, c.measureText(name).width < step ? name : `${set.revision}`, x + w / 2, bottom + 12 * z, mono(10 * z), k.muted, "center");
  });
  c.strokeStyle = k.strong;
  c.beginPath();
  c.moveTo(left, bottom + 0.5);
  c.lineTo(lineRight, bottom + 0.5);
  c.stroke();
  if (d.kind !== "Deployment") return;
  /** @param {number} at @param {string} word @param {number} y */
  const say = (at, word, y) => write(c, z < 0.6 ? `${at}` : `${word} ${at}`, right, y, sans(11 * z), k.muted, "right");
  /** @param {number} at */
  const line = (at) => {
    const y = Math.round(bottom - height(at)) + 0.5;
    c.strokeStyle = k.muted;
    c.setLineDash([4, 3]);
    c.beginPath();
    c.moveTo(left, y);
    c.lineTo(lineRight, y);
    c.stroke();
    c.setLineDash([]);
    return y;
  };
  const upper = line(ceiling);
  const lower = line(d.floor ?? 0);
  say(ceiling, words.ceiling, upper);
  const rounding = z >= 0.8;
  const below = Math.min(bottom, Math.max(lower, upper + Math.max(12, 13 * z) + (rounding && d.maxSurge ? 12 * z : 0)));
  say(d.floor ?? 0, words.floor, below);
  if (!rounding) return;
  if (d.maxSurge) write(c, `${d.replicas} + ${d.maxSurge}`, right, upper + 12 * z, mono(9.5 * z), k.faint, "right");
  if (d.maxUnavailable && below + 12 * z <= bottom + 14 * z) write(c, `${d.replicas} − ${d.maxUnavailable}`, right, below + 12 * z, mono(9.5 * z), k.faint, "right");
}

/**
 * What every card of the right column begins with: its frame, name, state and kind. Null when it is too far away for words; `open` says
 * whether there is room for a picture below, `bar` where a row has its bar.
 * @param {C} c @param {Thing} d @param {string} kind @param {string} state @param {string} tone @param {Box} b @param {number} z @param {Colours} k
 */
export function head(c, d, kind, state, tone, b, z, k) {
  c.fillStyle = k.panel;
  rounded(c, b.x, b.y, b.w, b.h, 10 * z);
  c.fill();
  c.strokeStyle = k.line;
  c.lineWidth = 1;
  c.stroke();
  if (z < 0.25) {
    if (b.h > 10) write(c, named(d), b.x + 4, b.y + b.h / 2, sans(0, 600), tone, "left", b.w - 6, true);
    return null;
  }
  const left = b.x + 14 * z;
  const right = b.x + b.w - 14 * z;
  const far = z < 0.4;
  const row = isRow(b, z) || far;
  const line = b.y + (isRow(b, z) ? 15 : 20) * z;
  write(c, state, right, line, mono(13.5 * z, 620), tone, "right");
  const most = b.w - 36 * z - c.measureText(state).width;
  let from = left;
  if (row && z >= 0.6) {
    write(c, SHORT[d.kind] ?? "", left, line, mono(10.5 * z), k.faint);
    from += c.measureText(SHORT[d.kind] ?? "").width + 7 * z;
  }
  write(c, named(d), from, line, sans((row ? 13 : 15) * z, 640), k.text, "left", most - (from - left), true);
  const open = !row;
  if (open && z >= 0.55) write(c, kind, left, b.y + 38 * z, sans(11.5 * z), k.faint, "left", b.w - 28 * z);
  return { left, right, row, open, bar: { x: left, y: b.y + (isRow(b, z) ? 29 : 52) * z, w: right - left, h: Math.max(far ? 4 : 0, 7 * z) } };
}

/** kubectl's short names, where a row has no room for more. @type {Record<string, string>} */
const SHORT = { Deployment: "deploy", ReplicaSet: "rs", StatefulSet: "sts", DaemonSet: "ds", ReplicationController: "rc", Job: "job", CronJob: "cj", PersistentVolumeClaim: "pvc", PersistentVolume: "pv" };

/**
 * Who sizes it and who guards it, in its last line; in a row beside its bar, which makes room.
 * @param {C} c @param {NonNullable<ReturnType<typeof head>>} at @param {string} text @param {Box} b @param {number} z @param {Colours} k
 */
export function govern(c, at, text, b, z, k) {
  if (!text || z < 0.5) return;
  const most = (at.right - at.left) * (at.row ? 0.74 : 1);
  const y = at.row ? at.bar.y + at.bar.h / 2 : b.y + b.h - 13 * z;
  const font = sans((at.row ? 10.5 : 11) * z, 560);
  c.font = font;
  const shown = fitted(c, text, most);
  const w = c.measureText(shown).width;
  write(c, shown, at.row ? at.right : at.left, y, font, k.muted, at.row ? "right" : "left");
  if (at.row) at.bar.w -= w + 10 * z;
}

/** A workload in one bar: ready, on the way, missing. @param {C} c @param {Thing} d @param {number} current @param {Box} b @param {Colours} k */
export function progress(c, d, current, b, k) {
  const all = Math.max(1, d.replicas ?? 0, current);
  c.fillStyle = k.track;
  c.fillRect(b.x, b.y, b.w, b.h);
  const ready = Math.min(all, d.ready ?? 0);
  c.fillStyle = k.ready;
  c.fillRect(b.x, b.y, (b.w * ready) / all, b.h);
  if (current <= ready) return;
  c.fillStyle = hatch(c, k.pending, 4, 1.5);
  c.fillRect(b.x + (b.w * ready) / all, b.y, (b.w * (current - ready)) / all, b.h);
}
