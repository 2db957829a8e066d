/**
 * What a thing uses and does, sampled while this tab is open: figures come from the room every second, a bounded history of each thing that
 * was looked at stays here. The CPU of the two minutes before is the simulation's own account.
 */
import { h } from "../dom.js";
import { t } from "../i18n.js";
import { duration } from "../virtualtime.js";
import { PlotView } from "./plot.js";

const EVERY = 1000;
const MOST = 900;
const THINGS = 16;

/** @typedef {import("./plot.js").Sample} Sample @typedef {{since: number, samples: Map<string, Sample[]>, last: any}} History */

/** Histories of things, the one that was looked at last at the end. */
export class Histories {
  constructor() {
    /** @type {Map<string, History>} */
    this.all = new Map();
  }

  /** @param {string} id */
  of(id) {
    const known = this.all.get(id) ?? { since: NaN, samples: new Map(), last: null };
    this.all.delete(id);
    this.all.set(id, known);
    if (this.all.size > THINGS) this.all.delete(/** @type {string} */ (this.all.keys().next().value));
    return known;
  }

  /** Adds what was told. A clock that was set back forgets what came after. @param {string} id @param {any} told */
  add(id, told) {
    const known = this.of(id);
    if (Number.isNaN(known.since)) known.since = told.time;
    for (const plot of told.plots) {
      const samples = known.samples.get(plot.key) ?? [];
      while (samples.length && samples[samples.length - 1].at > told.time) samples.pop();
      if (plot.key === "cpu") {
        const from = samples[samples.length - 1]?.at ?? -1;
        for (const [at, used] of told.past ?? []) if (at > from && at < told.time) samples.push({ at, values: { used } });
      }
      if (samples[samples.length - 1]?.at === told.time) samples.pop();
      samples.push({ at: told.time, values: plot.values });
      if (samples.length > MOST) samples.splice(0, samples.length - MOST);
      known.samples.set(plot.key, samples);
    }
    known.last = told;
    return known;
  }
}

export class MetricsView {
  /** @param {import("./panel.js").Panel} panel */
  constructor(panel) {
    this.panel = panel;
    /** @type {string[]} */
    this.parts = [];
    this.histories = new Histories();
    /** @type {Map<string, PlotView>} */
    this.plots = new Map();
    this.timer = 0;
    this.note = h("p.quiet", {});
    this.box = h("div.plots", {});
    this.element = h("div.view", {}, this.box, this.note);
    new ResizeObserver(() => this.#draw()).observe(this.box);
  }

  begin() {
    this.plots.clear();
    this.box.replaceChildren();
    this.note.textContent = t("inspect.loading");
    this.failed = "";
  }

  update() {
    if (!this.timer) this.#ask(true);
    this.#draw();
  }

  /** @param {boolean} [first] */
  async #ask(first = false) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#ask(), EVERY);
    const { id, past, acts, api } = this.panel;
    if (!id || past !== null || document.hidden || (!first && acts.paused() && this.histories.of(id).last)) return this.#draw();
    const known = this.histories.of(id);
    const last = known.samples.get("cpu")?.at(-1)?.at;
    const told = await api.metrics(id, first || last === undefined ? last ?? 0 : null).catch((/** @type {Error} */ error) => ({ failed: error.message }));
    if (id !== this.panel.id) return;
    this.failed = told.failed ?? "";
    if (told.plots) this.histories.add(id, told);
    this.#draw();
  }

  #draw() {
    const { id, past, acts } = this.panel;
    if (!id || !this.element.isConnected) return;
    const known = this.histories.of(id);
    const told = known.last;
    if (past !== null) return this.#say(t("inspect.noMetricsPast"), true);
    if (!told) return this.#say(this.failed || t("inspect.loading"), true);
    for (const plot of told.plots) {
      const view = this.plots.get(plot.key) ?? new PlotView();
      if (!this.plots.has(plot.key)) this.box.append(view.element);
      this.plots.set(plot.key, view);
      view.set(titleOf(plot.key), plot, known.samples.get(plot.key) ?? [], told.time);
    }
    for (const [key, view] of this.plots)
      if (!told.plots.some((/** @type {any} */ one) => one.key === key)) {
        view.element.remove();
        this.plots.delete(key);
      }
    this.#say([t("plot.since", { time: duration(acts.now() - known.since) }), this.plots.has("cpu") && t("plot.before"), told.pods !== undefined && t("plot.pods", { count: told.pods }), told.cut && t("plot.cut", { count: told.cut }), this.failed].filter(Boolean).join(" "));
  }

  /** @param {string} text @param {boolean} [alone] */
  #say(text, alone = false) {
    if (alone) {
      this.box.replaceChildren();
      this.plots.clear();
    }
    if (this.note.textContent !== text) this.note.textContent = text;
  }

  leave() {
    clearTimeout(this.timer);
    this.timer = 0;
  }
}

/** @param {string} key */
const titleOf = (key) => (key.startsWith("metric ") ? t("plot.metric", { name: key.slice(7) }) : t(`plot.title.${key}`));
