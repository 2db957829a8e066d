/**
 * The still layer's cards: a Service with its doors, a workload between its ceiling and its floor, a traffic source. Many of a
 * kind are drawn as rows. Each takes a record and a box in pixels, and draws nothing but facts.
 */
import { selects } from "../facts.js";
import { fitted, hatch, mono, rounded, sans, titled, write } from "./brush.js";
import { ROW } from "./layout.js";

/** @typedef {import("./colours.js").Colours} Colours @typedef {import("../types").Thing} Thing @typedef {import("../types").Box} Box @typedef {CanvasRenderingContext2D} C */

/** Nearer than this a card has room for all its lines. */
const ROOMY = 0.58;

/** Where a Service's doors are in its card, in world units: below the line on which requests pass. */
const DOOR = { top: 57, h: 37 };

/** The box of one of so many doors, in pixels. @param {Box} b a Service's card @param {number} z @param {number} count @param {number} index */
export function door(b, z, count, index) {
  const gap = 13 * z;
  const w = (b.w - 28 * z - gap * (count - 1)) / count;
  return { x: b.x + 14 * z + index * (w + gap), y: b.y + DOOR.top * z, w, h: DOOR.h * z, gap };
}

/** How many doors a Service has: none that changes the number if it is headless. @param {Thing} s */
export const doorsOf = (s) => (s.ports?.[0] ? (s.headless ? 1 : s.ports[0].nodePort ? 3 : 2) : 0);

/** Outside of default the namespace belongs to the name. @param {Thing} thing */
const named = (thing) => (thing.ns && thing.ns !== "default" ? `${thing.ns}/${thing.name}` : thing.name);

/** @param {Box} b @param {number} z */
const isRow = (b, z) => b.h / z <= ROW.h + 1;

/** Where nobody answers and its selector and the reason do not fit into a line, the selector stands in the address's place. @param {C} c @param {Thing} s @param {Box} b @param {number} z @param {Colours} k @param {{noEndpoints: string, noSelector: string, ready: (ready: number, all: number) => string, near: (near: {key: string, want: string, have?: string}) => string}} words */
export function service(c, s, b, z, k, words) {
  c.fillStyle = k.panel;
  rounded(c, b.x, b.y, b.w, b.h, 10 * z);
  c.fill();
  const elsewhere = s.type === "ExternalName";
  c.strokeStyle = elsewhere ? k.strong : k.line;
  c.lineWidth = 1;
  c.setLineDash(elsewhere ? [5, 4] : []);
  c.stroke();
  c.setLineDash([]);
  const system = s.system;
  if (z < 0.25) {
    if (!system && b.h > 10) write(c, named(s), b.x + 4, b.y + b.h / 2, sans(0, 600), k.muted, "left", b.w - 6, true);
    return;
  }
  const left = b.x + 14 * z;
  const right = b.x + b.w - 14 * z;
  if (system) {
    if (z < 0.35) return;
    c.font = sans(11.5 * z, 560);
    const room = b.w - 34 * z - Math.min(b.w * 0.6, c.measureText(s.name).width);
    c.font = mono(10.5 * z);
    const address = [`${s.clusterIP}:${s.ports?.[0]?.port ?? ""}`, s.clusterIP ?? "", ""].find((one) => c.measureText(one).width <= room) ?? "";
    write(c, address, right, b.y + b.h / 2, c.font, k.faint, "right");
    write(c, s.name, left, b.y + b.h / 2, sans(11.5 * z, 560), k.muted, "left", b.w - 34 * z - (address ? b.w - 34 * z - room : 0));
    return;
  }
  const endpoints = s.endpoints ?? [];
  const ready = endpoints.filter((one) => one.ready).length;
  const near = s.near?.[0];
  const text = endpoints.length ? words.ready(ready, endpoints.length) : elsewhere ? "" : s.matched ? words.ready(0, s.matched) : !selects(s) ? words.noSelector : near ? words.near(near) : words.noEndpoints;
  const tone = endpoints.length ? (ready === endpoints.length ? k.okText : k.waitText) : s.matched ? k.waitText : selects(s) ? k.failText : k.faint;
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
  if (z < ROOMY && z >= 0.3) {
    const numbers = [s.ports?.[0]?.nodePort, ...(s.headless ? [] : [s.ports?.[0]?.port]), s.ports?.[0]?.targetPort ?? s.ports?.[0]?.port].filter(Boolean).join(" → ");
    write(c, named(s), left, b.y + Math.max(9, 18 * z), sans(15 * z, 640), k.text, "left", b.w - 28 * z, true);
    write(c, elsewhere ? `CNAME ${s.externalName}` : numbers, left, b.y + (DOOR.top + DOOR.h / 2 + 2) * z, mono(12 * z, 560), k.muted, "left", b.w - 28 * z);
    write(c, text, left, b.y + b.h - Math.max(9, 17 * z), sans(12 * z, 600), tone, "left", b.w - 28 * z);
    return;
  }
  c.font = sans(12 * z);
  const type = s.headless ? "Headless" : s.type ?? "";
  const typed = b.w - 28 * z - (z >= 0.4 ? c.measureText(type).width + 8 * z : 0);
  write(c, named(s), left, b.y + 17 * z, sans(titled(15 * z), 640), k.text, "left", typed, true);
  if (z < ROOMY) return;
  write(c, type, right, b.y + 17 * z, sans(12 * z), k.muted, "right");
  const external = s.externalIPs?.[0];
  const address = elsewhere ? `CNAME ${s.externalName}` : s.headless ? "clusterIP: None" : external ? `${external} · ${s.clusterIP}` : s.clusterIP ?? "";
  const selector = chosen(s);
  const bottom = b.y + b.h - 17 * z;
  c.font = sans(12 * z, 580);
  const whole = c.measureText(text).width;
  c.font = mono(11 * z);
  const alone = !!selector && !endpoints.length && whole + c.measureText(selector).width > b.w - 54 * z;
  const taken = Math.min(b.w * 0.55, whole);
  if (!alone) write(c, address, left, b.y + 35 * z, mono(11.5 * z), elsewhere ? k.muted : k.faint, "left", b.w - 20 * z);
  if (elsewhere) return;
  doors(c, s, b, z, k);
  write(c, text, right, bottom, sans(12 * z, 580), tone, "right", alone ? b.w - 28 * z : b.w * 0.55);
  if (selector) {
    const middle = alone ? b.y + 38 * z : bottom;
    c.font = mono(11 * z);
    const shown = fitted(c, selector, alone ? b.w - 36 * z : b.w - 54 * z - taken);
    const w = c.measureText(shown).width + 12 * z;
    c.fillStyle = k.track;
    rounded(c, left - 2 * z, middle - 9 * z, w, 18 * z, 5 * z);
    c.fill();
    write(c, shown, left + 4 * z, middle, mono(11 * z), k.muted);
  }
}

/** Whom it selects. @param {Thing} s */
const chosen = (s) => Object.entries(s.selector ?? {}).map(([key, value]) => `${key}=${value}`).join(" ");

/** nodePort, port, targetPort: three doors in a row. A headless Service has none that change the number: DNS gives the pods themselves. @param {C} c @param {Thing} s @param {Box} b @param {number} z @param {Colours} k */
function doors(c, s, b, z, k) {
  const port = s.ports?.[0];
  if (!port) return;
  c.font = sans(11 * z);
  const far = c.measureText("targetPort").width > door(b, z, doorsOf(s), 0).w - 4;
  /** @type {[string, string][]} */
  const list = [[far ? "target" : "targetPort", `${port.targetPort ?? port.port}`]];
  if (!s.headless) list.unshift(["port", `${port.port}`]);
  if (port.nodePort) list.unshift([far ? "node" : "nodePort", `${port.nodePort}`]);
  list.forEach(([label, value], index) => {
    const { x, y, w, gap } = door(b, z, list.length, index);
    c.strokeStyle = k.strong;
    c.lineWidth = 1;
    c.setLineDash(s.headless ? [3, 3] : []);
    rounded(c, x, y, w, DOOR.h * z, 6 * z);
    c.stroke();
    c.setLineDash([]);
    write(c, value, x + w / 2, y + 12 * z, mono(13 * z, 600), k.text, "center", w - 2);
    write(c, label, x + w / 2, y + 27 * z, sans(11 * z), k.muted, "center", w - 4);
    if (index) write(c, "→", x - gap / 2, y + 18 * z, sans(12 * z), k.faint, "center");
  });
  if ((s.ports?.length ?? 0) > 1) write(c, `+${(s.ports?.length ?? 1) - 1}`, b.x + b.w - 5 * z, b.y + (DOOR.top + 14) * z, sans(9 * z), k.muted, "center");
}

/** A door from outside: which host and path leads to which Service. @param {C} c @param {Thing} i @param {Box} b @param {number} z @param {Colours} k @param {(key: string, params?: any) => string} t */
export function ingress(c, i, b, z, k, t) {
  c.fillStyle = k.panel;
  rounded(c, b.x, b.y, b.w, b.h, 10 * z);
  c.fill();
  c.strokeStyle = k.strong;
  c.lineWidth = 1;
  c.stroke();
  if (z < 0.25) {
    if (b.h > 10) write(c, named(i), b.x + 4, b.y + b.h / 2, sans(0, 600), k.muted, "left", b.w - 6, true);
    return;
  }
  const left = b.x + 14 * z;
  const right = b.x + b.w - 14 * z;
  const address = i.addresses?.[0] ?? t("call.noAddress");
  const routes = [...(i.routes ?? []), ...(i.default ? [{ host: "*", path: "", ...i.default }] : [])];
  /** @param {typeof routes[0]} one */
  const lead = (one) => [`${one.host}${one.path === "/" ? "" : one.path}`, `${one.service?.split("/")[2] ?? "?"}:${one.port ?? ""}`];
  if (isRow(b, z) || z < 0.4) {
    write(c, `Ingress ${named(i)}`, left, b.y + (z < 0.55 ? b.h / 2 : 15 * z), sans(13 * z, 640), k.text, "left", b.w - 28 * z, true);
    if (z >= 0.55 && routes[0]) write(c, lead(routes[0]).join(" → "), left, b.y + 33 * z, mono(10.5 * z), k.muted, "left", b.w - 28 * z);
    return;
  }
  c.font = sans(12 * z);
  write(c, "Ingress", right, b.y + 17 * z, sans(12 * z), k.muted, "right");
  write(c, named(i), left, b.y + 17 * z, sans(15 * z, 640), k.text, "left", b.w - 36 * z - c.measureText("Ingress").width, true);
  if (z >= ROOMY) write(c, [i.class, address].filter(Boolean).join(" · "), left, b.y + 35 * z, mono(11.5 * z), i.addresses ? k.faint : k.waitText, "left", b.w - 28 * z);
  const step = Math.max(13, 19 * z);
  const first = b.y + (z < ROOMY ? 46 : 58) * z;
  const fit = Math.max(1, Math.floor((b.y + b.h - first) / step + 0.5));
  const shown = routes.length > fit ? routes.slice(0, Math.max(1, fit - 1)) : routes;
  shown.forEach((one, index) => {
    const y = first + index * step;
    const [from, to] = lead(one);
    write(c, `→ ${to}`, right, y, mono(11.5 * z, 560), k.text, "right", b.w * 0.48);
    const taken = Math.min(b.w * 0.48, c.measureText(`→ ${to}`).width);
    write(c, from, left, y, mono(11.5 * z), k.muted, "left", b.w - 32 * z - taken, true);
  });
  if (shown.length < routes.length) write(c, `+${routes.length - shown.length}`, right, b.y + b.h - 14 * z, mono(11 * z), k.muted, "right");
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
    write(c, answered(t), x, b.y + 69 * z, sans(11 * z, 560), failing ? k.failText : k.okText, "center");
    return;
  }
  c.strokeStyle = k.muted;
  c.lineWidth = Math.max(1, 1.5 * z);
  c.beginPath();
  c.arc(x, b.y + 18 * z, 9 * z, 0, 7);
  c.moveTo(x - 9 * z, b.y + 18 * z);
  c.lineTo(x + 9 * z, b.y + 18 * z);
  c.ellipse(x, b.y + 18 * z, 4 * z, 9 * z, 0, 0, 7);
  c.stroke();
  write(c, `${round(t.rate ?? 0)}/s`, x, b.y + 41 * z, mono(13.5 * z, 620), k.text, "center");
  write(c, answered(t), x, b.y + 59 * z, sans(11.5 * z, 580), failing ? k.failText : k.okText, "center");
  if (t.latency && z >= ROOMY) write(c, `${round(t.latency)} ms`, x, b.y + 76 * z, sans(11 * z), k.muted, "center");
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
  const at = head(c, d, [d.kind, d.paused ? "paused" : d.strategy].filter(Boolean).join(" · "), `${d.ready ?? 0}/${d.replicas ?? 0}`, whole ? k.okText : k.waitText, b, z, k);
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
  const lineRight = right - (z >= 0.9 && shown.length <= 2 ? 106 : 80) * z;
  const step = Math.min(52 * z, (lineRight - left) / Math.max(1, shown.length));
  shown.forEach((set, index) => {
    const x = left + 4 * z + index * step;
    const w = step - 10 * z;
    const current = set.current ?? 0;
    c.fillStyle = k.track;
    c.fillRect(x, bottom - height(current), w, height(current));
    c.fillStyle = hatch(c, k.pending, 4, 1.5, x, bottom);
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
    if (set.revision) write(c, c.measureText(name).width < (shown.length > 1 ? step - 5 : step) ? name : `${set.revision}`, x + w / 2, bottom + 12 * z, mono(10 * z), k.muted, "center");
  });
  c.strokeStyle = k.strong;
  c.beginPath();
  c.moveTo(left, bottom + 0.5);
  c.lineTo(lineRight, bottom + 0.5);
  c.stroke();
  if (d.kind !== "Deployment") return;
  /** @param {number} at @param {string} word @param {number} y */
  const say = (at, word, y) => {
    c.font = sans(11 * z);
    const wordy = Math.max(...[`${words.ceiling} ${ceiling}`, `${words.floor} ${d.floor ?? 0}`].map((one) => c.measureText(one).width)) <= right - lineRight - 3;
    write(c, wordy ? `${word} ${at}` : `${at}`, right, y, c.font, k.muted, "right");
  };
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
  const rounding = z >= 0.8;
  const beneath = Math.max(13.5, 12 * z);
  const apart = Math.max(13, 13 * z);
  const below = Math.min(bottom, Math.max(lower, upper + apart + (rounding && d.maxSurge ? beneath : 0)));
  say(ceiling, words.ceiling, Math.min(upper, below - apart));
  say(d.floor ?? 0, words.floor, below);
  if (!rounding) return;
  const close = z >= 0.9 && shown.length <= 2;
  const [over, under] = close ? roundings(d) : ["", ""];
  if (d.maxSurge) write(c, over || `${d.replicas} + ${d.maxSurge}`, right, upper + beneath, over ? sans(10 * z) : mono(9.5 * z), k.muted, "right");
  if ((d.maxUnavailable || under) && below + beneath <= bottom + 14 * z) write(c, under || `${d.replicas} − ${d.maxUnavailable}`, right, below + beneath, under ? sans(10 * z) : mono(9.5 * z), k.muted, "right");
}

/** How the bounds of a rollout came to be whole pods: surge is rounded up, unavailable down. @param {Thing} d @returns {[string, string]} */
export function roundings(d) {
  /** @param {string|undefined} share @param {number|undefined} whole */
  const told = (share, whole) => (share ? `${share} × ${d.replicas} = ${round((parseFloat(share) / 100) * (d.replicas ?? 0))} → ${whole ?? 0}` : "");
  return [told(d.surgeShare, d.maxSurge), told(d.unavailableShare, d.maxUnavailable)];
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
  write(c, named(d), from, line, sans(row ? 13 * z : titled(15 * z), 640), k.text, "left", most - (from - left), true);
  const open = !row;
  if (open && z >= 0.55) {
    c.font = sans(11.5 * z);
    const [name, ...rest] = kind.split(" · ");
    const forms = [kind, [SHORT[name] ?? name, ...rest].join(" · "), name];
    write(c, forms.find((one) => c.measureText(one).width <= b.w - 22 * z) ?? name, left, b.y + 38 * z, c.font, k.muted, "left", b.w - 22 * z);
  }
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
  c.fillStyle = hatch(c, k.pending, 4, 1.5, b.x, b.y);
  c.fillRect(b.x + (b.w * ready) / all, b.y, (b.w * (current - ready)) / all, b.h);
}
