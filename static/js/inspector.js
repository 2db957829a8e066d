/**
 * The inspector's place: what is to be shown comes in, and the panel that shows it is loaded when it is first needed. Everything else is in
 * inspector/panel.js.
 */
import { byId } from "./dom.js";
import { t } from "./i18n.js";
import { once } from "./lazy.js";

/** @typedef {import("./inspector/panel.js").Panel} Panel @typedef {import("./inspector/panel.js").Acts} Acts */

export class Inspector {
  /** @param {HTMLElement} host @param {import("./api.js").Api} api @param {import("./scene.js").Scene} scene @param {Acts} acts */
  constructor(host, api, scene, acts) {
    this.host = host;
    this.parts = /** @type {const} */ ([host, api, scene, acts]);
    /** @type {Panel|null} */
    this.panel = null;
    this.load = once(() => this.#load());
    /** @type {string|null} */
    this.id = null;
    /** @type {string[]} */
    this.several = [];
    new MutationObserver(() => host.hidden || void this.load()).observe(host, { attributes: true, attributeFilter: ["hidden"] });
  }

  /** @returns {Promise<Panel>} */
  async #load() {
    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = new URL("../css/inspector.css", import.meta.url).href;
    const styled = new Promise((done) => (style.onload = style.onerror = done));
    document.head.append(style);
    const [{ Panel }] = await Promise.all([import("./inspector/panel.js"), styled]);
    this.panel = new Panel(...this.parts);
    this.panel.show(this.id, this.several);
    return this.panel;
  }

  /** @param {string|null} id @param {string[]} [several] everything that is selected, if that is more than one */
  show(id, several = []) {
    this.id = id;
    this.several = several;
    if (this.panel) this.panel.show(id, several);
    else if (id) void this.load();
  }

  /** Shows a field of an object in its YAML. @param {string} id @param {string} path `spec.containers[0].image` */
  async field(id, path) {
    const panel = await this.load();
    this.id = id;
    panel.field(id, path);
  }

  /** Shows a tab of what is shown: overview, causes (Why?), yaml, describe, events, logs, shell, metrics. @param {string} view */
  async to(view) {
    (await this.load()).to(view);
  }

  /** What the page can do here. @param {import("./actions.js").Actions} actions @param {() => void} open brings the inspector up */
  register(actions, open) {
    const one = () => !!this.id;
    const pod = () => !!this.id?.startsWith("Pod/");
    const view = (/** @type {string} */ name) => () => (open(), void this.to(name).then(() => byId(`view-${name}`)?.focus()));
    const label = (/** @type {string} */ name) => () => t("inspect.show", { what: t(`inspect.${name}`) });
    actions.add(
      { id: "why", label: label("causes"), key: "w", when: one, run: view("causes") }, { id: "inspect.yaml", label: label("yaml"), key: "y", when: one, run: view("yaml") },
      { id: "inspect.describe", label: label("describe"), when: one, run: view("describe") }, { id: "inspect.events", label: label("events"), when: one, run: view("events") },
      { id: "inspect.logs", label: label("logs"), when: pod, run: view("logs") }, { id: "inspect.shell", label: label("shell"), when: pod, run: view("shell") },
      { id: "inspect.metrics", label: label("metrics"), when: one, run: view("metrics") },
      { id: "browse", label: () => t("browse.title"), key: "b", run: () => (open(), void this.load().then((panel) => panel.browseAll())) },
    );
  }
}
