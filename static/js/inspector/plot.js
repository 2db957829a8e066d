/**
 * A small plot: samples over virtual time and the lines that bound them come in, an SVG with axes, units and a readout under the pointer
 * goes out. Series differ by dash as well as by hue, and the whole is told in words for those who do not see it.
 *
 * @typedef {{at: number, values: Record<string, number>}} Sample
 * @typedef {{key: string, unit: string, values: Record<string, number>, lines: Record<string, number>}} Plot
 */
import { bytes, cores } from "../canvas/brush.js";
import { h } from "../dom.js";
import { t } from "../i18n.js";
import { duration } from "../virtualtime.js";

const HEIGHT = 112;
const PAD = { left: 48, right: 10, top: 10, bottom: 18 };
/** A line so many times as high as the values is told, not drawn to scale. */
const FAR = 6;
const STEPPED = new Set(["count"]);

/** @param {number} value @param {string} unit */
export function figure(value, unit) {
  if (unit === "millicores") return cores(value < 10 ? Math.round(value * 10) / 10 : Math.round(value));
  if (unit === "bytes") return bytes(value);
  const round = Math.abs(value) < 10 ? Math.round(value * 100) / 100 : Math.round(value * 10) / 10;
  return unit === "per second" ? `${round}/s` : unit === "milliseconds" ? `${round} ms` : unit === "percent" ? `${round}%` : `${round}`;
}

/** A round number that is not less. @param {number} value @param {string} unit */
export function ceiling(value, unit) {
  if (value <= 0) return unit === "count" ? 1 : unit === "bytes" ? 2 ** 20 : 1;
  const base = unit === "bytes" ? 2 ** (10 * Math.floor(Math.log2(value) / 10)) : 1;
  const least = value / base;
  const power = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 4, 5, 10].find((one) => one * power >= least - 1e-9) ?? 10;
  return Math.max(step * power * base, unit === "count" ? 1 : 0);
}

/** Which bounds are drawn to scale, and up to where. @param {Sample[]} samples @param {Record<string, number>} lines @param {string} unit */
export function scale(samples, lines, unit) {
  const most = Math.max(0, ...samples.flatMap((one) => Object.values(one.values)));
  const near = Object.entries(lines).filter(([, value]) => value <= most * FAR || unit === "count" || unit === "percent");
  return { top: ceiling(Math.max(most * 1.08, ...near.map(([, value]) => value)), unit), near: new Set(near.map(([name]) => name)) };
}

/** What the plot shows, in words. @param {string} title @param {Plot} plot @param {Sample[]} samples @param {number} now */
function inWords(title, plot, samples, now) {
  const told = Object.keys(plot.values).map((name) => {
    const all = samples.map((one) => one.values[name]).filter((value) => value !== undefined);
    if (!all.length) return "";
    const [now_, low, high] = [all[all.length - 1], Math.min(...all), Math.max(...all)].map((value) => figure(value, plot.unit));
    return t("plot.words", { name: t(`plot.${name}`), now: now_, low, high, time: duration(now - samples[0].at) });
  });
  return [`${title}.`, ...told.filter(Boolean), ...Object.entries(plot.lines).map(([name, value]) => `${t(`plot.${name}`)} ${figure(value, plot.unit)}.`)].join(" ");
}

const SVG = "http://www.w3.org/2000/svg";
/** @param {string} tag @param {Record<string, string|number>} attributes @param {string} [text] */
function s(tag, attributes, text) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, `${value}`);
  if (text !== undefined) element.textContent = text;
  return element;
}

export class PlotView {
  constructor() {
    this.svg = s("svg", { role: "img", class: "plot", height: HEIGHT });
    this.title = h("h3", {});
    this.legend = h("p.legend-line", {});
    this.element = h("section.metric", {}, this.title, this.legend, this.svg);
    /** @type {Sample[]} */
    this.samples = [];
    /** @type {Plot|null} */
    this.plot = null;
    this.hover = -1;
    this.svg.addEventListener("pointermove", (event) => this.#point(/** @type {PointerEvent} */ (event).offsetX));
    this.svg.addEventListener("pointerleave", () => ((this.hover = -1), this.#draw()));
  }

  /** @param {string} title @param {Plot} plot @param {Sample[]} samples @param {number} now */
  set(title, plot, samples, now) {
    this.title.textContent = title;
    this.plot = plot;
    this.samples = samples;
    this.now = now;
    this.svg.setAttribute("aria-label", inWords(title, plot, samples, now));
    this.#draw();
  }

  /** @param {number} x */
  #point(x) {
    const { from, to, width } = this.#frame();
    const at = from + ((x - PAD.left) / Math.max(1, width - PAD.left - PAD.right)) * (to - from);
    let best = -1;
    this.samples.forEach((one, index) => (best < 0 || Math.abs(one.at - at) < Math.abs(this.samples[best].at - at)) && (best = index));
    if (best !== this.hover) (this.hover = best), this.#draw();
  }

  #frame() {
    const width = this.element.clientWidth || 380;
    const first = this.samples[0]?.at ?? 0;
    const last = this.samples[this.samples.length - 1]?.at ?? 0;
    return { from: Math.min(first, last - 30), to: last, width };
  }

  #draw() {
    const { plot, samples } = this;
    if (!plot) return;
    const { from, to, width } = this.#frame();
    const { top, near } = scale(samples, plot.lines, plot.unit);
    const x = (/** @type {number} */ at) => PAD.left + ((at - from) / Math.max(1e-9, to - from)) * (width - PAD.left - PAD.right);
    const y = (/** @type {number} */ value) => HEIGHT - PAD.bottom - (value / top) * (HEIGHT - PAD.top - PAD.bottom);
    const parts = [];
    for (const value of [0, top / 2, top]) {
      if (plot.unit === "count" && value % 1) continue;
      parts.push(s("line", { x1: PAD.left, x2: width - PAD.right, y1: y(value), y2: y(value), class: value ? "grid" : "axis" }));
      parts.push(s("text", { x: PAD.left - 6, y: y(value) + 3.5, "text-anchor": "end" }, figure(value, plot.unit)));
    }
    parts.push(s("text", { x: PAD.left, y: HEIGHT - 4 }, `−${duration(to - from)}`), s("text", { x: width - PAD.right, y: HEIGHT - 4, "text-anchor": "end" }, t("plot.now")));
    for (const [name, value] of Object.entries(plot.lines)) {
      if (!near.has(name)) continue;
      parts.push(s("line", { x1: PAD.left, x2: width - PAD.right, y1: y(value), y2: y(value), class: `bound ${name}` }));
    }
    Object.keys(plot.values).forEach((name, index) => {
      const points = samples.filter((one) => one.values[name] !== undefined);
      let d = "";
      points.forEach((one, at) => {
        const [px, py] = [x(one.at), y(one.values[name])];
        d += !at ? `M${px} ${py}` : STEPPED.has(plot.unit) ? `H${px}V${py}` : `L${px} ${py}`;
      });
      parts.push(s("path", { d, class: `series series-${index} ${name}` }));
      const last = points[points.length - 1];
      if (last) parts.push(s("circle", { cx: x(last.at), cy: y(last.values[name]), r: 2.5, class: `dot series-${index} ${name}` }));
    });
    const shown = samples[this.hover] ?? samples[samples.length - 1];
    if (this.hover >= 0 && shown) parts.push(s("line", { x1: x(shown.at), x2: x(shown.at), y1: PAD.top, y2: HEIGHT - PAD.bottom, class: "rule" }));
    this.svg.setAttribute("width", `${width}`);
    this.svg.replaceChildren(...parts);
    this.#legend(shown, near);
  }

  /** @param {Sample|undefined} shown @param {Set<string>} near */
  #legend(shown, near) {
    const plot = /** @type {Plot} */ (this.plot);
    const values = Object.keys(plot.values).map((name, index) => h(`span.entry.series-${index}.${name}`, {}, h("i"), `${t(`plot.${name}`)} `, h("b", { text: shown?.values[name] === undefined ? "–" : figure(shown.values[name], plot.unit) })));
    const lines = Object.entries(plot.lines).map(([name, value]) => h(`span.entry.bound.${name}`, {}, h("i"), `${near.has(name) ? "" : "↑ "}${t(`plot.${name}`)} ${figure(value, plot.unit)}`));
    const when = this.hover >= 0 && shown ? h("span.when", { text: t("inspect.ago", { time: duration((this.now ?? shown.at) - shown.at) }) }) : null;
    this.legend.replaceChildren(...values, ...lines, ...(when ? [when] : []));
  }
}
