/** Traffic: aim a source at a Service, or from anywhere at anything, choose how hard, see what comes back, follow one request. */
import { actingPanel } from "./acting.js";
import { debounce, h, toast } from "./dom.js";
import { sourced, trouble } from "./facts.js";
import { Follow } from "./follow.js";
import { COLOURS } from "./canvas/colours.js";
import { language, onLanguage, t } from "./i18n.js";
import { current } from "./theme.js";

/** @typedef {import("./types").Thing} Thing */

/** The slider's way: none, then from one to ten thousand a second, each notch a little more than the one before. */
const NOTCHES = 41;
const MOST = 10_000;
const FIRST_RATE = 5;
const MOST_CHOICES = 300;
/** What a source did of late: so many samples, one at each change but not more often than this, in milliseconds. */
const SAMPLES = 40;
const APART = 500;

/** The rate at a notch, in two figures. @param {number} notch */
export function rateAt(notch) {
  if (notch <= 0) return 0;
  const exact = MOST ** ((notch - 1) / (NOTCHES - 2));
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(exact)) - 1);
  return Math.min(MOST, Math.round(exact / unit) * unit);
}

/** The notch nearest to a rate. @param {number} rate */
export const notchOf = (rate) => (rate <= 0 ? 0 : Math.min(NOTCHES - 1, Math.max(1, Math.round((Math.log(rate) / Math.log(MOST)) * (NOTCHES - 2)) + 1)));

/** Whether somebody aimed it; the rest are programs in pods whose requests are counted. @param {Thing} source */
const aimed = (source) => !source.source || source.name.includes(">>");

export class Traffic {
  /** @param {HTMLElement} host @param {import("./api.js").Api} api @param {import("./scene.js").Scene} scene @param {(id: string) => void} show */
  constructor(host, api, scene, show) {
    this.host = host;
    this.api = api;
    this.scene = scene;
    this.show = show;
    /** What the cards say beside their figures. */
    this.said = "";
    /** @type {Map<string, Follow>} the last followed request of each card */
    this.followed = new Map();
    /** @type {Map<string, {at: number, ok: number, failed: number, ms: number}[]>} */
    this.history = new Map();
    this.given = { source: "", target: "", port: "" };
    this.body = h("div.cards");
    this.form = h("form.card", { onsubmit: (/** @type {Event} */ event) => (event.preventDefault(), void this.#start()) });
    host.append(h("div.traffic", {}, actingPanel(this.body, this.form)));
    scene.listen((update) => {
      if (update.whole) this.history.clear();
      for (const { id, after } of update.changes) if (id.startsWith("Traffic/")) this.#sample(id, after, scene.time);
      if (update.whole || update.changes.some((change) => /^(Service|Traffic)\//.test(change.id))) this.draw();
      if (update.whole || update.changes.some((change) => !change.before !== !change.after && /^(Service|Pod|Node|Ingress)\//.test(change.id))) this.choices();
    });
    new MutationObserver(() => (this.draw(), this.choices())).observe(host, { attributeFilter: ["hidden"] });
    onLanguage(() => (this.draw(), this.#form(), this.choices()));
    this.#form();
    this.send = debounce((aim) => void this.aim(aim), 120);
  }

  /** @param {{target: string, rate: number, port?: number, source?: string}} aim */
  async aim(aim) {
    try {
      await this.api.traffic(aim);
    } catch (error) {
      toast(/** @type {Error} */ (error).message, true);
    }
  }

  draw() {
    const focused = document.activeElement;
    if (this.body.contains(focused) && focused instanceof HTMLInputElement) return this.#figures();
    const held = this.body.contains(focused) ? focused?.id : "";
    const services = this.scene.ofKind("Service").filter(([, service]) => !service.system);
    const sources = this.scene.ofKind("Traffic").filter(([, one]) => aimed(one));
    const plain = new Map(sources.filter(([, one]) => !one.source && one.target?.startsWith("Service/")).map(([id, source]) => [source.target, { id, source }]));
    const other = sources.filter(([id, one]) => plain.get(one.target)?.id !== id);
    const said = JSON.stringify([language, services.map(([id, { ns, name, ports }]) => [id, ns, name, ports?.[0]?.port]), sources.map(([id, one]) => [id, one.target, one.source, one.port, one.rate, sourced(one, t)])]);
    if (said === this.said) return this.#figures();
    this.said = said;
    const cards = new Set(["+", ...[...services, ...other].map(([id]) => id)]);
    for (const [key, one] of this.followed) if (!cards.has(key)) one.end(), this.followed.delete(key);
    this.body.replaceChildren(h("p", { text: services.length ? t("traffic.about") : t("traffic.noService") }),
      ...services.map(([id, service]) => this.#card(id, service.name, { target: `${service.ns}/${service.name}`, port: plain.get(id)?.source.port ?? service.ports?.[0]?.port }, plain.get(id)?.source)),
      ...other.map(([id, source]) => this.#card(id, sourced(source, t), { target: source.target ?? "", port: source.port, ...(source.source ? { source: source.source } : {}) }, source)));
    this.#figures();
    if (held) document.getElementById(held)?.focus();
  }

  /** @param {string} key @param {string} name @param {{target: string, port?: number, source?: string}} aim @param {Thing|undefined} source */
  #card(key, name, aim, source) {
    const rate = source?.rate ?? 0;
    const slider = h("input", { type: "range", min: "0", max: `${NOTCHES - 1}`, step: "1", value: `${notchOf(rate)}`, "aria-label": t("traffic.rate", { name }) });
    const figure = h("span.rate", { text: `${rate}/s` });
    slider.setAttribute("aria-valuetext", `${rate}/s`);
    slider.addEventListener("input", () => {
      const chosen = rateAt(Number(slider.value));
      figure.textContent = `${chosen}/s`;
      slider.setAttribute("aria-valuetext", `${chosen}/s`);
      this.send({ ...aim, rate: chosen });
    });
    const presets = h("div.row.presets", { role: "group", "aria-label": t("traffic.presets") }, ...[1, 20, 1000].map((one) => h("button.button.small", { type: "button", id: `preset-${key}-${one}`, "aria-pressed": `${rate === one}`, text: `${one}/s`, onclick: () => this.aim({ ...aim, rate: one }) })));
    const toggle = h(rate ? "button.button" : "button.button.primary", { type: "button", id: `toggle-${key}`, text: rate ? t("traffic.stop") : t("traffic.start"), onclick: () => this.aim({ ...aim, rate: rate ? 0 : FIRST_RATE }) });
    const follow = this.#follower(key);
    return h("section.card", { "data-service": key, "aria-label": name }, h("header", {}, h("h2", { text: name }), figure), h("div.row", {}, slider, toggle), presets, h("small", { "data-figures": key }), h("canvas.history", { "data-history": key, role: "img", hidden: true }),
      h("p.row", {}, h("button.link", { type: "button", id: `follow-${key}`, text: t("follow.one"), onclick: () => follow.run(aim) })), follow.element);
  }

  /** @param {string} key */
  #follower(key) {
    const known = this.followed.get(key) ?? new Follow(this.api, this.scene, this.show);
    this.followed.set(key, known);
    return known;
  }

  /** Keeps what a source does now. @param {string} id @param {Thing|undefined} source @param {number} at virtual time */
  #sample(id, source, at) {
    if (!source) return void this.history.delete(id);
    const kept = this.history.get(id) ?? [];
    const one = { at, ok: source.ok ?? 0, failed: source.failed ?? 0, ms: source.latency ?? 0 };
    const last = kept.at(-1);
    if (last && (at - last.at) * 1000 < APART) kept[kept.length - 1] = one;
    else kept.push(one);
    this.history.set(id, kept.slice(-SAMPLES));
  }

  /** What came back of late, answered below, failed on top; each step lasts as long as it did. @param {HTMLCanvasElement} canvas @param {string} id */
  #plot(canvas, id) {
    const kept = this.history.get(id) ?? [];
    canvas.hidden = kept.length < 2;
    if (canvas.hidden) return;
    const ratio = Math.min(2, devicePixelRatio || 1);
    const w = canvas.clientWidth || 260;
    const height = 34;
    canvas.width = w * ratio;
    canvas.height = height * ratio;
    const c = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    c.scale(ratio, ratio);
    const k = COLOURS[current()];
    const most = Math.max(1, ...kept.map((one) => one.ok + one.failed));
    const from = kept[0].at;
    const span = Math.max(1, Math.max(this.scene.time, /** @type {any} */ (kept.at(-1)).at) - from);
    kept.forEach((one, index) => {
      const x = ((one.at - from) / span) * w;
      const end = index + 1 < kept.length ? ((kept[index + 1].at - from) / span) * w : w;
      const ok = (one.ok / most) * (height - 2);
      const failed = (one.failed / most) * (height - 2);
      c.fillStyle = k.ready;
      c.fillRect(x, height - ok, Math.max(1, end - x), ok);
      c.fillStyle = k.failText;
      c.fillRect(x, height - ok - failed, Math.max(1, end - x), failed);
    });
    const slowest = Math.max(...kept.map((one) => one.ms));
    canvas.setAttribute("aria-label", t("traffic.history", { most: round(most), failed: round(Math.max(...kept.map((one) => one.failed))), ms: round(slowest), time: Math.round(span) }));
    canvas.title = canvas.getAttribute("aria-label") ?? "";
  }

  #figures() {
    if (this.host.hidden) return;
    for (const [id, source] of this.scene.ofKind("Traffic").filter(([, one]) => aimed(one))) {
      const line = this.body.querySelector(`[data-figures="${CSS.escape(id)}"]`) ?? (source.source ? null : this.body.querySelector(`[data-figures="${CSS.escape(source.target ?? "")}"]`));
      if (!line) continue;
      const canvas = line.parentElement?.querySelector("canvas.history");
      if (canvas) this.#plot(/** @type {HTMLCanvasElement} */ (canvas), id);
      const failing = (source.failed ?? 0) > 0;
      line.classList.toggle("bad", failing);
      line.textContent = failing && source.error ? `${t("traffic.failing", { rate: round(source.failed) })}: ${trouble(source, t)}` : t("traffic.fine", { ok: round(source.ok), ms: round(source.latency), pods: source.paths?.length ?? 0, count: source.paths?.length ?? 0 });
    }
  }

  // any source, any target

  #form() {
    const keep = (/** @type {"source"|"target"|"port"} */ name) => (/** @type {any} */ event) => (this.given[name] = event.target.value);
    this.from = h("select", { id: "traffic-source", onchange: keep("source") });
    this.known = h("datalist#traffic-targets");
    this.target = h("input", { type: "text", id: "traffic-target", list: "traffic-targets", autocomplete: "off", spellcheck: "false", placeholder: "http://shop.example/", value: this.given.target, oninput: keep("target") });
    this.port = h("input", { type: "number", id: "traffic-port", min: "1", max: "65535", value: this.given.port, placeholder: t("traffic.portAuto"), oninput: keep("port") });
    const follow = this.#follower("+");
    this.form.setAttribute("aria-label", t("traffic.other"));
    this.form.replaceChildren(h("h2", { text: t("traffic.other") }), h("label.field", {}, t("traffic.from"), this.from), h("label.field", {}, t("traffic.to"), this.target), this.known, h("label.field", {}, t("traffic.port"), this.port),
      h("p.row", {}, h("button.button.primary", { type: "submit", text: t("traffic.start") }), h("button.button", { type: "button", id: "follow-other", text: t("follow.one"), onclick: () => this.target.reportValidity() && follow.run(this.#wanted()) })), follow.element);
    this.target.required = true;
  }

  /** Only while it is to be seen: there may be thousands of pods. */
  choices() {
    if (this.host.hidden) return;
    const pods = this.scene.ofKind("Pod").filter(([, pod]) => pod.node && !pod.system).slice(0, MOST_CHOICES);
    const hosts = this.scene.ofKind("Ingress").flatMap(([, ingress]) => (ingress.routes ?? []).filter((route) => route.host !== "*").map((route) => `http://${route.host}${route.path}`));
    this.from.replaceChildren(h("option", { value: "", text: t("traffic.outside") }), ...pods.map(([id, pod]) => h("option", { value: id, text: `${pod.ns}/${pod.name}` })));
    this.from.value = pods.some(([id]) => id === this.given.source) ? this.given.source : (this.given.source = "");
    const services = this.scene.ofKind("Service").map(([id]) => id);
    this.known.replaceChildren(...[...new Set([...hosts, ...services, ...this.scene.ofKind("Node").map(([id]) => id), ...pods.map(([id]) => id)])].slice(0, MOST_CHOICES).map((value) => h("option", { value })));
  }

  #wanted() {
    const { source, target, port } = this.given;
    return { target: target.trim(), ...(source ? { source } : {}), ...(port ? { port: Number(port) } : {}) };
  }

  #start() {
    return this.aim({ ...this.#wanted(), rate: FIRST_RATE });
  }
}

/** @param {number|undefined} value */
const round = (value) => Math.round((value ?? 0) * 10) / 10;
