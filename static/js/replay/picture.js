/**
 * The picture of the control plane: what stands (people, the API server with its doors, etcd's log, everyone below) and the messages
 * on their way. What to show comes in as a plain state; pixels, and what can be clicked, go out.
 *
 * @typedef {{revision: number|string, event: string, kind: string, name: string, at: number}} Entry a line of etcd's log; `at` the message that wrote it
 * @typedef {{points: import("../types").Point[], part: number, kind: string, name: string, label: string, faint?: boolean, bad?: boolean, short?: boolean, open?: any}} Letter `short`: it stops before the end, which is somebody's head
 * @typedef {{names: string[], log: Entry[], revision: number|string, doors: ("passed"|"here"|"refused"|"skipped"|"")[], here: Set<string>, letters: Letter[],
 *   scheduling: any, healthy: (component: string) => boolean, counts: Map<string, number>, current: number}} Shown
 */
import { polygon, rounded, write } from "../canvas/brush.js";
import { MONO, SANS } from "../canvas/colours.js";
import { along, gone, inside, places, sums, toDoor, toWatcher } from "./places.js";
import { DOORS, role } from "./script.js";

/** @typedef {import("../types").Box} Box @typedef {import("../types").Point} Point @typedef {(key: string, params?: any) => string} T */

/** How kinds are called in short, as kubectl does. @type {Record<string, string>} */
const SHORT = {
  Pod: "po", Deployment: "deploy", ReplicaSet: "rs", StatefulSet: "sts", DaemonSet: "ds", Job: "job", CronJob: "cj", Service: "svc", Endpoints: "ep", EndpointSlice: "eps", Node: "no",
  Namespace: "ns", ConfigMap: "cm", Secret: "sec", ServiceAccount: "sa", PersistentVolume: "pv", PersistentVolumeClaim: "pvc", Ingress: "ing", NetworkPolicy: "netpol", Event: "ev", Status: "status",
  HorizontalPodAutoscaler: "hpa", PodDisruptionBudget: "pdb", StorageClass: "sc", Lease: "lease",
};
const SIGN = { ADDED: "+", MODIFIED: "~", DELETED: "−" };
/** Processes that can be stopped, by who acts in them. @type {Record<string, string>} */
const PROCESS = { "kube-scheduler": "kube-scheduler", kubelet: "" };

/** @param {string} kind */
export const short = (kind) => SHORT[kind] ?? kind.slice(0, 5).toLowerCase();

export class Picture {
  /** @param {HTMLCanvasElement} canvas @param {T} t */
  constructor(canvas, t) {
    this.canvas = canvas;
    this.c = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    this.t = t;
    this.w = 0;
    this.h = 0;
    /** @type {{box: Box, what: any}[]} what can be clicked, the topmost last */
    this.targets = [];
    /** @type {import("./places.js").Places} */
    this.places = places(800, 400, []);
  }

  /** @param {number} w @param {number} h */
  resize(w, h) {
    const ratio = Math.min(2, devicePixelRatio || 1);
    this.w = w;
    this.h = h;
    this.canvas.width = Math.round(w * ratio);
    this.canvas.height = Math.round(h * ratio);
    this.c.setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  /** What is at a point. @param {Point} at */
  at(at) {
    return this.targets.findLast((one) => inside(one.box, at))?.what ?? null;
  }

  /** @param {Shown} shown @param {import("../canvas/colours.js").Colours} k */
  paint(shown, k) {
    const { c } = this;
    this.targets = [];
    this.places = places(this.w, this.h, shown.names);
    c.clearRect(0, 0, this.w, this.h);
    this.#lines(shown, k);
    this.#people(shown, k);
    this.#api(shown, k);
    this.#etcd(shown, k);
    for (const [name, box] of this.places.actors) this.#actor(name, box, shown, k);
    for (const letter of shown.letters) this.#trail(letter, k);
    if (shown.scheduling) this.#scores(shown.scheduling, k);
    /** @type {Box[]} */
    const taken = [];
    for (const letter of shown.letters) this.#letter(letter, k, taken);
  }

  /** The wires at rest: solid for requests, dashed for what is watched. @param {Shown} shown @param {import("../canvas/colours.js").Colours} k */
  #lines(shown, k) {
    const { c, places: p } = this;
    c.lineWidth = 1.25;
    c.strokeStyle = k.strong;
    c.setLineDash([]);
    const wire = (/** @type {Point[]} */ points) => {
      c.beginPath();
      points.forEach((point, i) => (i ? c.lineTo(point.x, point.y) : c.moveTo(point.x, point.y)));
      c.stroke();
    };
    for (const name of ["people", ...shown.names]) wire(toDoor(p, name));
    const y = p.doors[3].y + p.doors[3].h * 0.6;
    wire([{ x: p.api.x + p.api.w, y }, { x: p.etcd.x, y }]);
    c.setLineDash([3, 5]);
    for (const name of shown.names) wire(toWatcher(p, name));
    c.setLineDash([]);
  }

  /** @param {Box} box @param {import("../canvas/colours.js").Colours} k @param {{here?: boolean, bad?: boolean, r?: number, fill?: string}} [how] */
  #box(box, k, { here = false, bad = false, r = 9, fill = k.panel } = {}) {
    const { c } = this;
    rounded(c, box.x, box.y, box.w, box.h, r);
    c.fillStyle = fill;
    c.fill();
    c.strokeStyle = bad ? k.failing : here ? k.accent : k.line;
    c.lineWidth = here || bad ? 2.25 : 1.25;
    c.stroke();
  }

  /** @param {Shown} shown @param {import("../canvas/colours.js").Colours} k */
  #people(shown, k) {
    const { c, places: p, t } = this;
    const { x, y, w, h } = p.people;
    this.#box(p.people, k, { here: shown.here.has("people"), r: 16 });
    const s = p.scale;
    if (h < 74 * s) return write(c, t("replay.people"), x + w / 2, y + h / 2, `620 ${12 * s}px ${SANS}`, k.text, "center", w - 6);
    c.strokeStyle = k.muted;
    c.lineWidth = 1.75 * s;
    const cx = x + w / 2;
    const cy = y + h * 0.36;
    c.beginPath();
    c.arc(cx, cy - 9 * s, 7 * s, 0, 7);
    c.stroke();
    c.beginPath();
    c.arc(cx, cy + 14 * s, 14 * s, Math.PI * 1.08, Math.PI * 1.92);
    c.stroke();
    write(c, t("replay.people"), cx, y + h * 0.66, `620 ${13 * s}px ${SANS}`, k.text, "center", w - 8);
    write(c, t("rail.peopleDetail"), cx, y + h * 0.66 + 18 * s, `450 ${11 * s}px ${SANS}`, k.muted, "center", w - 8);
  }

  /** @param {Shown} shown @param {import("../canvas/colours.js").Colours} k */
  #api(shown, k) {
    const { c, places: p, t } = this;
    const s = p.scale;
    const stopped = !shown.healthy("kube-apiserver");
    this.#box(p.api, k, { fill: k.panel2, bad: stopped });
    write(c, t("rail.api"), p.api.x + 14 * s, p.api.y + 16 * s, `640 ${14 * s}px ${SANS}`, k.text, "left", p.api.w * 0.5);
    write(c, stopped ? t("component.stopped") : "kube-apiserver", p.api.x + p.api.w - 14 * s, p.api.y + 16 * s, `450 ${11.5 * s}px ${MONO}`, stopped ? k.failText : k.muted, "right");
    DOORS.forEach((name, i) => {
      const box = p.doors[i];
      const state = shown.doors[i];
      this.#box(box, k, { here: state === "here", bad: state === "refused" });
      if (state === "skipped") c.globalAlpha = 0.45;
      const cx = box.x + box.w / 2;
      write(c, t(`replay.door.${name}`), cx, box.y + box.h * 0.22, `620 ${13 * s}px ${SANS}`, k.text, "center", box.w - 10);
      if (box.h > 62 * s) write(c, t(`replay.door.${name}.asks`), cx, box.y + box.h * 0.22 + 18 * s, `450 ${11.5 * s}px ${SANS}`, k.muted, "center", box.w - 10);
      c.globalAlpha = 1;
      this.#verdict(cx, box.y + box.h * 0.84, state, k);
      this.targets.push({ box, what: { door: name } });
    });
    const cache = p.cache;
    this.#box(cache, k, { here: shown.here.has("cache"), r: 7 });
    write(c, t("replay.cache"), cache.x + 12 * s, cache.y + cache.h * 0.36, `560 ${12 * s}px ${SANS}`, k.text, "left", cache.w * 0.4);
    write(c, t("replay.cacheDetail"), cache.x + cache.w - 12 * s, cache.y + cache.h * 0.36, `450 ${11 * s}px ${SANS}`, k.muted, "right", cache.w * 0.55);
  }

  /** A door's answer: a check, a cross, a dash for a door that is not on the way. @param {number} x @param {number} y @param {string} state @param {import("../canvas/colours.js").Colours} k */
  #verdict(x, y, state, k) {
    const { c, places: p } = this;
    const r = 7 * p.scale;
    if (!state || state === "here") return;
    c.lineWidth = 2.25 * p.scale;
    c.strokeStyle = state === "passed" ? k.accent : state === "refused" ? k.failText : k.faint;
    c.beginPath();
    if (state === "passed") {
      c.moveTo(x - r, y);
      c.lineTo(x - r * 0.25, y + r * 0.75);
      c.lineTo(x + r, y - r * 0.75);
    } else if (state === "refused") {
      c.moveTo(x - r, y - r);
      c.lineTo(x + r, y + r);
      c.moveTo(x + r, y - r);
      c.lineTo(x - r, y + r);
    } else {
      c.moveTo(x - r, y);
      c.lineTo(x + r, y);
    }
    c.stroke();
  }

  /** @param {Shown} shown @param {import("../canvas/colours.js").Colours} k */
  #etcd(shown, k) {
    const { c, places: p, t } = this;
    const s = p.scale;
    const { x, y, w, h } = p.etcd;
    const stopped = !shown.healthy("etcd");
    this.#box(p.etcd, k, { here: shown.here.has("etcd"), bad: stopped });
    write(c, "etcd", x + 14 * s, y + 16 * s, `640 ${14 * s}px ${SANS}`, k.text);
    write(c, stopped ? t("component.stopped") : shown.revision ? t("rail.revision", { revision: shown.revision }) : "", x + w - 12 * s, y + 16 * s, `500 ${11.5 * s}px ${MONO}`, stopped ? k.failText : k.muted, "right", w * 0.62);
    const row = Math.max(16, 19 * s);
    const room = Math.max(1, Math.floor((h - 36 * s) / row));
    const log = shown.log.slice(-room);
    const size = 11.5 * s;
    c.font = `500 ${size}px ${MONO}`;
    const number = Math.max(30 * s, c.measureText(`${log.at(-1)?.revision ?? ""}`).width);
    log.forEach((entry, i) => {
      const top = y + 32 * s + i * row;
      const here = entry.at === shown.current;
      if (here) {
        c.fillStyle = k.track;
        rounded(c, x + 5, top, w - 10, row - 1, 4);
        c.fill();
      }
      const mid = top + row / 2;
      write(c, `${entry.revision}`, x + 12 * s + number, mid, `500 ${size}px ${MONO}`, here ? k.accent : k.muted, "right");
      write(c, /** @type {any} */ (SIGN)[entry.event] ?? "", x + 12 * s + number + 12 * s, mid, `700 ${size * 1.15}px ${MONO}`, entry.event === "DELETED" ? k.failText : k.accent, "center");
      const left = x + 12 * s + number + 24 * s;
      write(c, `${short(entry.kind)}/${entry.name}`, left, mid, `${here ? 600 : 450} ${size}px ${MONO}`, k.text, "left", x + w - 10 - left, true);
      this.targets.push({ box: { x, y: top, w, h: row }, what: { message: entry.at } });
    });
    if (!log.length) write(c, t("rail.etcdDetail"), x + w / 2, y + h / 2, `450 ${12 * s}px ${SANS}`, k.muted, "center", w - 16);
  }

  /** @param {string} name @param {Box} box @param {Shown} shown @param {import("../canvas/colours.js").Colours} k */
  #actor(name, box, shown, k) {
    const { c, places: p, t } = this;
    const s = p.scale;
    const kind = role(name);
    const node = name.includes("/") ? name.split("/")[1] : "";
    const component = PROCESS[kind] ?? "kube-controller-manager";
    const stopped = component ? !shown.healthy(component) : false;
    this.#box(box, k, { here: shown.here.has(name), bad: stopped });
    const cx = box.x + box.w / 2;
    const title = t(`replay.actor.${kind}`);
    const known = title !== `replay.actor.${kind}`;
    write(c, known ? title : kind, cx, box.y + box.h * 0.32, `620 ${12.5 * s}px ${SANS}`, k.text, "center", box.w - 8, true);
    write(c, stopped ? t("component.stopped") : node || (known ? kind : ""), cx, box.y + box.h * 0.32 + 18 * s, `450 ${10.5 * s}px ${MONO}`, stopped ? k.failText : k.muted, "center", box.w - 8, true);
    const count = shown.counts.get(name);
    if (count && box.h > 70 * s) write(c, t("replay.requests", { count }), cx, box.y + box.h - 15 * s, `450 ${11 * s}px ${SANS}`, k.muted, "center", box.w - 8);
    this.targets.push({ box, what: { actor: name } });
  }

  /** The way a message has gone, and an arrow at its end once it is there. @param {Letter} letter @param {import("../canvas/colours.js").Colours} k */
  #trail(letter, k) {
    const { c } = this;
    if (letter.points.length < 2) return;
    const points = gone(letter.points, letter.part);
    c.strokeStyle = letter.bad ? k.failText : letter.faint ? k.muted : k.accent;
    c.fillStyle = c.strokeStyle;
    c.lineWidth = letter.faint ? 1.5 : 2.5;
    c.lineJoin = "round";
    c.beginPath();
    points.forEach((point, i) => (i ? c.lineTo(point.x, point.y) : c.moveTo(point.x, point.y)));
    c.stroke();
    const end = points[points.length - 1];
    const before = points.findLast((point) => Math.hypot(point.x - end.x, point.y - end.y) > 4) ?? points[0];
    const angle = Math.atan2(end.y - before.y, end.x - before.x);
    polygon(c, end.x, end.y, letter.faint ? 5 : 7, 3, angle);
    c.fill();
  }

  /** @param {Letter} letter @param {import("../canvas/colours.js").Colours} k @param {Box[]} taken */
  #letter(letter, k, taken) {
    const { c, places: p } = this;
    if (letter.faint || letter.points.length < 2) return;
    const s = p.scale;
    const whole = sums(letter.points).at(-1) || 1;
    const at = along(letter.points, Math.min(letter.part, 1 - (letter.short ? 24 * s : 0) / whole));
    const glyph = short(letter.kind);
    c.font = `650 ${11 * s}px ${MONO}`;
    const badge = Math.max(24 * s, c.measureText(glyph).width + 12 * s);
    c.font = `560 ${12.5 * s}px ${SANS}`;
    const name = Math.min(c.measureText(letter.name).width, 190 * s);
    c.font = `500 ${11 * s}px ${MONO}`;
    const tag = Math.min(c.measureText(letter.label).width + 12 * s, 420 * s);
    const w = badge + (name ? name + 16 * s : 0);
    const h = 25 * s;
    const wide = Math.max(w, letter.label ? tag : 0);
    let x = Math.max(4 + (wide - w) / 2, Math.min(this.w - 4 - w - (wide - w) / 2, at.x - w / 2));
    const upper = at.y < p.api.y + p.api.h;
    if (upper && at.x < p.api.x + p.api.w / 2) x = Math.max(x, p.people.x + p.people.w + 3);
    if (upper && at.x > p.api.x + p.api.w / 2) x = Math.min(x, p.etcd.x - w - 5);
    let y = Math.max(h + 4, Math.min(this.h - h - 4, at.y - h / 2));
    while (taken.some((box) => Math.abs(box.x + box.w / 2 - x - w / 2) < (box.w + wide) / 2 && Math.abs(box.y - y) < h * 1.9)) y += h * 1.9;
    const box = { x, y, w, h };
    taken.push({ ...box, x: x - (wide - w) / 2, w: wide });
    if (letter.label && !inside(p.api, { x: at.x, y: at.y + 4 }) && (letter.short || at.x < p.api.x + p.api.w)) {
      const tx = x + w / 2 - tag / 2;
      c.fillStyle = k.ground;
      c.globalAlpha = 0.94;
      rounded(c, tx, y - 20 * s, tag, 18 * s, 4);
      c.fill();
      c.globalAlpha = 1;
      c.strokeStyle = k.line;
      c.lineWidth = 1;
      c.stroke();
      write(c, letter.label, tx + tag / 2, y - 11 * s, `500 ${11 * s}px ${MONO}`, letter.bad ? k.failText : k.text, "center", tag - 8 * s, true);
    }
    c.fillStyle = letter.bad ? k.failing : k.accent;
    rounded(c, x, y, w, h, 4);
    c.fill();
    const ink = letter.bad ? "#ffffff" : k.onState;
    c.strokeStyle = ink;
    c.globalAlpha = 0.45;
    c.lineWidth = 1.25;
    c.beginPath();
    c.moveTo(x + 2, y + 2);
    c.lineTo(x + w / 2, y + h * 0.42);
    c.lineTo(x + w - 2, y + 2);
    c.stroke();
    c.globalAlpha = 1;
    write(c, glyph, x + badge / 2, y + h / 2 + 1, `700 ${11 * s}px ${MONO}`, ink, "center");
    if (name) write(c, letter.name, x + badge + 2 * s, y + h / 2 + 1, `600 ${12.5 * s}px ${SANS}`, ink, "left", name + 6, true);
    this.targets.push({ box, what: letter.open ?? { contents: true } });
  }

  /** What the scheduler weighed: a bar for each node's score, a cross for each that was refused. @param {any} told @param {import("../canvas/colours.js").Colours} k */
  #scores(told, k) {
    const { c, places: p, t } = this;
    const home = p.actors.get("kube-scheduler") ?? p.actors.get("others");
    if (!home) return;
    const s = p.scale;
    const rows = [...told.scores.map((/** @type {any} */ one) => ({ node: one.node, total: one.total })), ...told.refused.map((/** @type {any} */ one) => ({ node: one.node, why: one.reasons.join(", ") }))];
    const line = 19 * s;
    const shown = rows.slice(0, Math.max(3, Math.floor((home.y - 60 * s) / line) - 2));
    const w = Math.min(this.w - 16, 430 * s);
    const h = 40 * s + shown.length * line;
    const x = Math.max(8, Math.min(this.w - w - 8, home.x + home.w / 2 - w / 2));
    const y = home.y - h - 10 * s;
    c.shadowColor = k.shade;
    c.shadowBlur = 18;
    this.#box({ x, y, w, h }, k, { here: true });
    c.shadowBlur = 0;
    write(c, t("replay.scores", { passed: told.passed, rejected: told.rejected }), x + 12 * s, y + 17 * s, `600 ${12 * s}px ${SANS}`, k.text, "left", w - 24 * s);
    const best = Math.max(1, ...told.scores.map((/** @type {any} */ one) => one.total));
    shown.forEach((row, i) => {
      const mid = y + 32 * s + i * line + line / 2;
      const chosen = row.node === told.node;
      write(c, row.node, x + 12 * s, mid, `${chosen ? 700 : 450} ${11.5 * s}px ${MONO}`, k.text, "left", 118 * s, true);
      const left = x + 138 * s;
      if (row.why !== undefined) {
        c.strokeStyle = k.failText;
        c.lineWidth = 2;
        c.beginPath();
        for (const d of [-1, 1]) {
          c.moveTo(left - 4 * s, mid - 4 * s * d);
          c.lineTo(left + 4 * s, mid + 4 * s * d);
        }
        c.stroke();
        write(c, row.why, left + 12 * s, mid, `450 ${11 * s}px ${SANS}`, k.failText, "left", x + w - 12 * s - left - 12 * s);
        return;
      }
      const full = x + w - 60 * s - left;
      c.fillStyle = k.track;
      c.fillRect(left, mid - 4 * s, full, 8 * s);
      c.fillStyle = chosen ? k.accent : k.bar;
      c.fillRect(left, mid - 4 * s, (full * row.total) / best, 8 * s);
      write(c, `${row.total}${chosen ? " ✓" : ""}`, x + w - 12 * s, mid, `${chosen ? 700 : 450} ${11.5 * s}px ${MONO}`, k.text, "right");
    });
    this.targets.push({ box: { x, y, w, h }, what: { contents: true } });
  }
}
