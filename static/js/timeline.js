/**
 * The timeline: a strip of virtual time from the first kept revision to now. What the server knows of the room's history comes in and is
 * renewed as the page hears of writes; where to look goes out by pointer, wheel and keys. One look at it tells where people acted, what
 * went wrong and when the cluster was busy.
 */
import { COLOURS } from "./canvas/colours.js";
import { h, icon } from "./dom.js";
import { onLanguage, t } from "./i18n.js";
import { kept } from "./kept.js";
import { said } from "./said.js";
import { current, onTheme } from "./theme.js";
import { KINDS, paint, ROW, shape, tall, timeOf, xOf } from "./timeline/paint.js";
import { clockTime } from "./virtualtime.js";

const SLIM = 48;
/** How often history is asked for at most, and now moves on the strip, in milliseconds. */
const EVERY = 2000;
/** So many times as long as an answer took it is not asked for again. */
const BUSY = 30;
const TICK = 250;
/** Where pod marks are grabbed, in pixels. */
const NEAR = 6;
const MARGIN = 10;
const GUTTER = 96;
const MOST_MOVED = 300;
const MOST_TOLD = 5;
/** The least one can see of it, in seconds. */
const CLOSEST = 2;

export class Timeline {
  /** @param {HTMLElement} host @param {{api: import("./api.js").Api, live: import("./live.js").Live, scene: import("./scene.js").Scene, past: import("./past.js").Past}} parts */
  constructor(host, { api, live, scene, past }) {
    this.host = host;
    this.api = api;
    this.live = live;
    this.past = past;
    this.chronicle = past.chronicle;
    this.open = kept.get("podium.timeline") === "open";
    /** What is seen of it; null: all. @type {{from: number, until: number}|null} */
    this.window = null;
    /** @type {number|null} */
    this.hover = null;
    /** Where a drag is, before it is shown. @type {number|null} */
    this.dragged = null;
    /** Changes that would have moved. @type {{time: number, names: string[], count: number}[]} */
    this.moved = [];
    /** @type {{x: number, y: number, mark: import("./types").Mark}[]} */
    this.places = [];
    this.stale = true;
    this.asked = -EVERY;
    this.rest = EVERY;
    this.framed = false;
    this.timer = 0;
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
    this.canvas = h("canvas", { "aria-hidden": "true" });
    this.labels = h("div.rows", { "aria-hidden": "true" });
    this.track = h("div.track", { id: "timeline-track", role: "slider", tabindex: "0", "aria-orientation": "horizontal" }, this.labels, this.canvas);
    this.fold = h("button.icon", { type: "button", id: "timeline-fold", onclick: () => this.unfold(!this.open) });
    this.before = h("button.icon.before", { type: "button", id: "timeline-previous", onclick: () => past.stepMark(-1) }, icon("up"));
    this.after = h("button.icon.after", { type: "button", id: "timeline-next", onclick: () => past.stepMark(1) }, icon("up"));
    this.now = h("button.button", { type: "button", id: "timeline-now", onclick: () => past.now() });
    this.tip = h("div.timeline-tip", { hidden: true });
    host.append(this.fold, this.before, this.track, this.after, this.now, this.tip);
    this.#listen(scene);
    this.#words();
    this.unfold(this.open);
    void this.#ask();
  }

  /** @param {import("./scene.js").Scene} scene */
  #listen(scene) {
    const { live, past, track } = this;
    live.on("heard", () => this.#soon());
    live.on("loaded", () => this.#soon());
    live.on("clock", () => this.#tick());
    past.listen(() => this.draw());
    scene.listen((update) => this.still.matches && live.past === null && !update.whole && this.#note(update.changes));
    document.addEventListener("visibilitychange", () => !document.hidden && (this.#soon(), this.#tick()));
    onTheme(() => this.draw());
    onLanguage(() => this.#words());
    new ResizeObserver(() => this.draw()).observe(track);
    track.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => this.#grab(event));
    track.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => this.#point(this.#x(event)));
    track.addEventListener("pointerleave", () => this.#point(null));
    track.addEventListener("wheel", (/** @type {WheelEvent} */ event) => this.#wheel(event), { passive: false });
    track.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.#key(event));
    this.#tick();
  }

  // what is known

  #soon() {
    this.stale = true;
    if (this.timer || document.hidden) return;
    this.timer = setTimeout(() => {
      this.timer = 0;
      if (this.stale && !document.hidden) void this.#ask();
    }, Math.max(150, this.asked + this.rest - performance.now()));
  }

  async #ask() {
    this.stale = false;
    this.asked = performance.now();
    const since = this.chronicle.since;
    try {
      this.chronicle.hear(await this.api.timeline(since), since);
    } catch {
      this.stale = true;
    }
    this.rest = Math.max(EVERY, (performance.now() - this.asked) * BUSY);
    this.draw();
    this.past.draw();
  }

  /** As time passes, the strip is painted when it would look otherwise. */
  #tick() {
    clearTimeout(this.ticking);
    if (document.hidden) return;
    const view = this.view;
    const pixel = (view.until - view.from) / Math.max(1, view.width);
    if (Math.abs(view.now - (this.painted ?? -1)) > pixel * 0.5) this.draw();
    if (!this.live.clock.paused) this.ticking = setTimeout(() => this.#tick(), TICK);
  }

  /** What has moved, for those who asked that nothing moves. @param {import("./scene.js").Change[]} changes */
  #note(changes) {
    const moving = changes.filter(({ id, before, after }) => id.startsWith("Pod/") && (!before || !after || before.node !== after.node || before.state !== after.state));
    if (!moving.length) return;
    const time = this.live.clock.now;
    const last = this.moved.at(-1);
    const names = moving.slice(0, 3).map(({ before, after }) => (after ?? before)?.name ?? "");
    if (last && time - last.time < 0.5) {
      last.count += moving.length;
      last.names = [...new Set([...last.names, ...names])].slice(0, 3);
    } else this.moved.push({ time, names, count: moving.length });
    this.moved = this.moved.slice(-MOST_MOVED);
    this.draw();
  }

  // what is seen

  /** @returns {import("./timeline/paint.js").View} */
  get view() {
    const { chronicle, past, live } = this;
    const now = Math.max(live.clock.now, chronicle.time);
    const from = this.window?.from ?? chronicle.firstTime;
    const until = this.window?.until ?? Math.max(now, chronicle.firstTime + 1);
    return {
      width: this.track.clientWidth, height: this.track.clientHeight, left: this.open ? GUTTER : MARGIN, right: MARGIN, rows: this.open, from, until, now,
      at: this.dragged ?? (past.wanted?.time ?? (past.wanted?.revision === undefined ? undefined : chronicle.timeOf(past.wanted.revision)) ?? past.shown?.time ?? null), hover: this.hover, moved: this.moved,
    };
  }

  draw() {
    if (this.framed) return;
    this.framed = true;
    requestAnimationFrame(() => {
      this.framed = false;
      this.#paint();
    });
  }

  #paint() {
    const view = this.view;
    const ratio = Math.min(2, devicePixelRatio || 1);
    const [w, high] = [Math.round(view.width * ratio), Math.round(view.height * ratio)];
    if (!w || !high) return;
    if (this.canvas.width !== w || this.canvas.height !== high) Object.assign(this.canvas, { width: w, height: high });
    const c = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.places = paint(c, view, this.chronicle, COLOURS[current()]);
    this.painted = view.now;
    this.now.disabled = view.at === null;
    this.after.disabled = this.past.revision === null;
    this.#say();
  }

  /** What a screen reader hears of where one is. */
  #say() {
    const { chronicle, track, past } = this;
    const revision = past.wanted?.revision ?? past.revision;
    const at = past.shown?.time ?? 0;
    const mark = revision === null ? undefined : chronicle.marks.findLast((one) => one.revision === revision);
    track.setAttribute("aria-valuemin", `${chronicle.first}`);
    track.setAttribute("aria-valuemax", `${chronicle.last}`);
    track.setAttribute("aria-valuenow", `${revision ?? chronicle.last}`);
    track.setAttribute("aria-valuetext", revision === null ? t("timeline.atNow", { revision: chronicle.last }) : [t("past.at", { time: clockTime(at, true), revision }), mark && said(mark)].filter(Boolean).join(", "));
  }

  #words() {
    /** @param {HTMLElement} element @param {string} key */
    const named = (element, key) => {
      element.setAttribute("aria-label", t(key));
      element.title = t(key);
    };
    named(this.before, "past.previous");
    named(this.after, "past.next");
    this.track.setAttribute("aria-label", t("timeline.scrub"));
    this.now.textContent = t("timeline.now");
    this.labels.replaceChildren(...[...KINDS].reverse().map((kind) => this.#label(kind, t(`timeline.${kind}`))), this.#label("", t("timeline.writes")));
    this.#folding();
    this.draw();
  }

  /** @param {string} kind @param {string} text */
  #label(kind, text) {
    const canvas = h("canvas", { width: 24, height: 24 });
    const label = h("span", {}, canvas, text);
    if (kind) onTheme((theme) => {
      const c = canvas.getContext("2d");
      c.setTransform(2, 0, 0, 2, 0, 0);
      c.clearRect(0, 0, 12, 12);
      shape(c, kind, 6, 6, 4.5, COLOURS[theme]);
    });
    return label;
  }

  // by hand

  /** @param {boolean} open */
  unfold(open) {
    this.open = open;
    kept.set("podium.timeline", open ? "open" : "");
    this.host.classList.toggle("open", open);
    this.host.style.setProperty("--timeline", `${open ? tall : SLIM}px`);
    this.host.style.setProperty("--row", `${ROW}px`);
    this.#folding();
    this.draw();
  }

  #folding() {
    this.fold.replaceChildren(icon(this.open ? "down" : "up"));
    this.fold.setAttribute("aria-expanded", `${this.open}`);
    this.fold.setAttribute("aria-label", t(this.open ? "timeline.fold" : "timeline.unfold"));
    this.fold.title = t(this.open ? "timeline.fold" : "timeline.unfold");
  }

  /** @param {MouseEvent} event */
  #x(event) {
    return event.clientX - this.track.getBoundingClientRect().left;
  }

  /** @param {PointerEvent} event */
  #grab(event) {
    if (event.button !== 0) return;
    const { track } = this;
    track.setPointerCapture(event.pointerId);
    let moved = false;
    /** @param {PointerEvent} move */
    const drag = (move) => {
      moved = true;
      this.#to(this.#x(move), false);
    };
    const drop = (/** @type {PointerEvent} */ up) => {
      track.removeEventListener("pointermove", drag);
      track.removeEventListener("pointercancel", drop);
      this.dragged = null;
      if (!moved) this.#to(this.#x(up), true);
      this.dragged = null;
      this.draw();
    };
    track.addEventListener("pointermove", drag);
    track.addEventListener("pointerup", drop, { once: true });
    track.addEventListener("pointercancel", drop, { once: true });
  }

  /** Looks at what is at a pixel: a mark if one is near, now at the right end. @param {number} x @param {boolean} snap */
  #to(x, snap) {
    const view = this.view;
    const end = xOf(view, view.now);
    const place = Math.min(Math.max(x, view.left), view.width - view.right);
    if (place >= end - 4) {
      this.dragged = view.now;
      return void (this.past.revision !== null || this.past.wanted ? this.past.now() : this.draw());
    }
    const mark = snap && this.places.filter((one) => Math.abs(one.x - x) <= NEAR).sort((a, b) => Math.abs(a.x - x) - Math.abs(b.x - x) || KINDS.indexOf(b.mark.kind) - KINDS.indexOf(a.mark.kind))[0]?.mark;
    if (mark) return void this.past.look(mark.revision).then(() => mark.thing && this.past.revision === mark.revision && this.past.marked(mark.thing));
    const time = timeOf(view, place);
    this.dragged = time;
    void this.past.look({ time });
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    const view = this.view;
    const span = view.until - view.from;
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey) return this.#see(view.from + (span * (event.deltaX || event.deltaY)) / 1500, span);
    const factor = Math.exp(event.deltaY / 300);
    const at = timeOf(view, this.#x(event));
    this.#see(at - (at - view.from) * factor, span * factor);
  }

  /** @param {number} from @param {number} span */
  #see(from, span) {
    const { chronicle } = this;
    const now = this.view.now;
    const all = now - chronicle.firstTime;
    const seen = Math.max(Math.min(CLOSEST, all), span);
    const start = Math.min(Math.max(from, chronicle.firstTime), now - seen);
    this.window = seen >= all ? null : { from: start, until: start + seen };
    this.draw();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { past, chronicle } = this;
    const view = this.view;
    const span = view.until - view.from;
    /** @param {1|-1} way */
    const along = (way) => {
      const from = view.at ?? view.now;
      const time = from + (way * span) / 100;
      const revision = past.wanted?.revision ?? past.revision ?? chronicle.last;
      if (time >= view.now) return past.now();
      if (way < 0 && chronicle.revisionAt(time) >= revision) return past.step(-1);
      void past.look({ time: Math.max(chronicle.firstTime, time) });
    };
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowLeft: () => (event.shiftKey ? past.step(-1) : along(-1)), ArrowRight: () => (event.shiftKey ? past.step(1) : along(1)),
      ArrowDown: () => along(-1), ArrowUp: () => along(1), PageUp: () => past.stepMark(-1), PageDown: () => past.stepMark(1),
      Home: () => void past.look(chronicle.first), End: () => past.now(), Enter: () => this.unfold(!this.open),
      "+": () => this.#see((view.at ?? view.now) - span / 3, span / 1.5), "=": () => this.#see((view.at ?? view.now) - span / 3, span / 1.5), "-": () => this.#see(view.from - span / 4, span * 1.5), "0": () => this.#see(0, Infinity),
    };
    if (!keys[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    keys[event.key]();
  }

  // what is there

  /** @param {number|null} x */
  #point(x) {
    this.hover = x === null || this.chronicle.empty ? null : Math.min(Math.max(x, this.view.left), this.track.clientWidth - MARGIN);
    this.tip.hidden = this.hover === null;
    this.draw();
    if (this.hover === null) return;
    const view = this.view;
    const time = timeOf(view, this.hover);
    const near = this.places.filter((one) => Math.abs(one.x - /** @type {number} */ (this.hover)) <= NEAR).sort((a, b) => a.mark.time - b.mark.time);
    const width = (view.until - view.from) / Math.max(1, view.width);
    const writes = this.chronicle.writes(time - width * 2, time + width * 2);
    const moves = this.moved.filter((one) => Math.abs(xOf(view, one.time) - /** @type {number} */ (this.hover)) <= NEAR);
    this.tip.replaceChildren(
      h("strong", { text: t("past.at", { time: clockTime(near[0]?.mark.time ?? time, true), revision: near[0]?.mark.revision ?? this.chronicle.revisionAt(time) }) }),
      ...near.slice(0, MOST_TOLD).map(({ mark }) => this.#told(mark)),
      ...(near.length > MOST_TOLD ? [h("small", { text: t("timeline.more", { count: near.length - MOST_TOLD }) })] : []),
      ...moves.slice(-1).map((one) => h("small", { text: t("timeline.moved", { count: one.count, names: one.names.join(", ") }) })),
      h("small", { text: t("timeline.count", { count: writes }) }));
    const box = this.track.getBoundingClientRect();
    const all = this.host.getBoundingClientRect();
    const half = this.tip.offsetWidth / 2;
    this.tip.style.left = `${Math.min(all.width - half - 8, Math.max(half + 8, box.left - all.left + this.hover))}px`;
  }

  /** @param {import("./types").Mark} mark */
  #told(mark) {
    const canvas = h("canvas", { width: 24, height: 24 });
    const c = canvas.getContext("2d");
    c.scale(2, 2);
    shape(c, mark.kind, 6, 6, 4.5, COLOURS[current()]);
    return h("p", {}, canvas, h("span", { text: said(mark) }));
  }
}
