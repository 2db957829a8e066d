/** Traffic: aim a source at a Service, or from anywhere at anything, choose how hard, see what comes back, follow one request. */
import { debounce, h, toast } from "./dom.js";
import { sourced, trouble } from "./facts.js";
import { Follow } from "./follow.js";
import { onLanguage, t } from "./i18n.js";

/** @typedef {import("./types").Thing} Thing */

const STEPS = [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000];
const FIRST_RATE = 5;
const MOST_CHOICES = 300;

/** Whether somebody aimed it; the rest are programs in pods whose requests are counted. @param {Thing} source */
export const aimed = (source) => !source.source || source.name.includes(">>");

export class Traffic {
  /** @param {HTMLElement} host @param {import("./api.js").Api} api @param {import("./scene.js").Scene} scene @param {(id: string) => void} show */
  constructor(host, api, scene, show) {
    this.api = api;
    this.scene = scene;
    this.show = show;
    /** @type {Map<string, Follow>} the last followed request of each card */
    this.followed = new Map();
    this.given = { source: "", target: "", port: "" };
    this.body = h("div.cards");
    this.form = h("form.card", { onsubmit: (/** @type {Event} */ event) => (event.preventDefault(), void this.#start()) });
    host.append(h("div.traffic", {}, this.body, this.form));
    scene.listen((update) => {
      if (update.whole || update.changes.some((change) => /^(Service|Traffic)\//.test(change.id))) this.draw();
      if (update.whole || update.changes.some((change) => !change.before !== !change.after && /^(Service|Pod|Node|Ingress)\//.test(change.id))) this.choices();
    });
    new MutationObserver(() => (this.draw(), this.choices())).observe(host, { attributeFilter: ["hidden"] });
    this.host = host;
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
    this.body.replaceChildren(h("p", { text: services.length ? t("traffic.about") : t("traffic.noService") }),
      ...services.map(([id, service]) => this.#card(id, service.name, { target: `${service.ns}/${service.name}`, port: plain.get(id)?.source.port ?? service.ports?.[0]?.port }, plain.get(id)?.source)),
      ...other.map(([id, source]) => this.#card(id, sourced(source, t), { target: source.target ?? "", port: source.port, ...(source.source ? { source: source.source } : {}) }, source)));
    this.#figures();
    if (held) document.getElementById(held)?.focus();
  }

  /** @param {string} key @param {string} name @param {{target: string, port?: number, source?: string}} aim @param {Thing|undefined} source */
  #card(key, name, aim, source) {
    const rate = source?.rate ?? 0;
    const place = STEPS.findIndex((step) => step >= rate);
    const slider = h("input", { type: "range", min: "0", max: `${STEPS.length - 1}`, step: "1", value: `${place < 0 ? STEPS.length - 1 : place}`, "aria-label": t("traffic.rate", { name }) });
    const figure = h("span.rate", { text: `${rate}/s` });
    slider.setAttribute("aria-valuetext", `${rate}/s`);
    slider.addEventListener("input", () => {
      const chosen = STEPS[Number(slider.value)];
      figure.textContent = `${chosen}/s`;
      slider.setAttribute("aria-valuetext", `${chosen}/s`);
      this.send({ ...aim, rate: chosen });
    });
    const toggle = h(rate ? "button.button" : "button.button.primary", { type: "button", id: `toggle-${key}`, text: rate ? t("traffic.stop") : t("traffic.start"), onclick: () => this.aim({ ...aim, rate: rate ? 0 : FIRST_RATE }) });
    const follow = this.#follower(key);
    return h("section.card", { "data-service": key, "aria-label": name }, h("header", {}, h("h2", { text: name }), figure), h("div.row", {}, slider, toggle), h("small", { "data-figures": key }),
      h("p.row", {}, h("button.link", { type: "button", id: `follow-${key}`, text: t("follow.one"), onclick: () => follow.run(aim) })), follow.element);
  }

  /** @param {string} key */
  #follower(key) {
    const known = this.followed.get(key) ?? new Follow(this.api, this.scene, this.show);
    this.followed.set(key, known);
    return known;
  }

  #figures() {
    for (const [id, source] of this.scene.ofKind("Traffic").filter(([, one]) => aimed(one))) {
      const line = this.body.querySelector(`[data-figures="${CSS.escape(id)}"]`) ?? (source.source ? null : this.body.querySelector(`[data-figures="${CSS.escape(source.target ?? "")}"]`));
      if (!line) continue;
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
