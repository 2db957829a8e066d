/** Traffic: aim a source at a Service, choose how hard, see what comes back. */
import { debounce, h, toast } from "./dom.js";
import { onLanguage, t } from "./i18n.js";

const STEPS = [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000];
const FIRST_RATE = 5;

export class Traffic {
  /** @param {HTMLElement} host @param {import("./api.js").Api} api @param {import("./scene.js").Scene} scene */
  constructor(host, api, scene) {
    this.api = api;
    this.scene = scene;
    this.body = h("div.traffic");
    host.append(this.body);
    scene.listen((update) => {
      if (update.whole || update.changes.some((change) => /^(Service|Traffic)\//.test(change.id))) this.draw();
    });
    onLanguage(() => this.draw());
    this.send = debounce((target, port, rate) => this.aim(target, rate, port), 120);
  }

  /** @param {string} target ns/name @param {number} rate @param {number} [port] */
  async aim(target, rate, port) {
    try {
      await this.api.traffic({ target, rate, ...(port ? { port } : {}) });
    } catch (error) {
      toast(/** @type {Error} */ (error).message, true);
    }
  }

  draw() {
    if (this.body.contains(document.activeElement) && document.activeElement instanceof HTMLInputElement) return this.#figures();
    const services = this.scene.ofKind("Service").filter(([, service]) => !service.system);
    const people = this.scene.ofKind("Traffic").filter(([, one]) => !one.source);
    const sources = new Map(people.map(([id, source]) => [source.target, { id, source }]));
    this.body.replaceChildren(h("p", { text: services.length ? t("traffic.about") : t("traffic.noService") }), ...services.map(([id, service]) => this.#card(id, service, sources.get(id)?.source)));
    this.#figures();
  }

  /** @param {string} id @param {import("./types").Thing} service @param {import("./types").Thing|undefined} source */
  #card(id, service, source) {
    const target = `${service.ns}/${service.name}`;
    const port = service.ports?.[0]?.port;
    const rate = source?.rate ?? 0;
    const place = STEPS.findIndex((step) => step >= rate);
    const slider = h("input", { type: "range", min: "0", max: `${STEPS.length - 1}`, step: "1", value: `${place < 0 ? STEPS.length - 1 : place}`, "aria-label": t("traffic.rate", { name: service.name }) });
    const figure = h("span.rate", { text: `${rate}/s` });
    slider.setAttribute("aria-valuetext", `${rate}/s`);
    slider.addEventListener("input", () => {
      const chosen = STEPS[Number(slider.value)];
      figure.textContent = `${chosen}/s`;
      slider.setAttribute("aria-valuetext", `${chosen}/s`);
      this.send(target, port, chosen);
    });
    const toggle = h(rate ? "button.button" : "button.button.primary", { type: "button", text: rate ? t("traffic.stop") : t("traffic.start"), onclick: () => this.aim(target, rate ? 0 : FIRST_RATE, port) });
    return h("section.card", { "data-service": id }, h("header", {}, h("h2", { text: service.name }), figure), h("div.row", {}, slider, toggle), h("small", { "data-figures": id }));
  }

  #figures() {
    for (const [, source] of this.scene.ofKind("Traffic").filter(([, one]) => !one.source)) {
      const line = this.body.querySelector(`[data-figures="${CSS.escape(source.target ?? "")}"]`);
      if (!line) continue;
      const failing = (source.failed ?? 0) > 0;
      line.classList.toggle("bad", failing);
      line.textContent = failing && source.error ? `${t("traffic.failing", { rate: round(source.failed) })}: ${source.error.text}` : t("traffic.fine", { ok: round(source.ok), ms: round(source.latency), pods: source.paths?.length ?? 0, count: source.paths?.length ?? 0 });
    }
  }
}

/** @param {number|undefined} value */
const round = (value) => Math.round((value ?? 0) * 10) / 10;
