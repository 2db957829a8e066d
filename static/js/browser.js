/**
 * The address bar: an address goes to the room, which asks for it as a browser outside of the cluster would; what came back is shown in a
 * frame in which nothing runs, with the way that the request went below it.
 */
import { actingPanel, mayAct } from "./acting.js";
import { h } from "./dom.js";
import { told } from "./follow.js";
import { onLanguage, t } from "./i18n.js";
import { brief } from "./kept.js";
import { onTheme } from "./theme.js";

const MAX_PAST = 30;
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";
const LOOK = ":lang(ko){word-break:keep-all}body{font:14px/1.5 system-ui,sans-serif}pre{white-space:pre-wrap;overflow-wrap:anywhere;font:12.5px/1.5 ui-monospace,monospace}";

/** @param {string} text */
const escaped = (text) => text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);

export class Browser {
  /** @param {HTMLElement} host @param {import("./api.js").Api} api */
  constructor(host, api) {
    this.api = api;
    /** @type {string[]} */
    this.past = brief.read(`podium.browser.${api.room}`, []);
    /** @type {any} what was answered last */
    this.answer = null;
    this.asked = 0;
    this.bar = h("input", { type: "text", inputmode: "url", spellcheck: "false", autocapitalize: "off", autocomplete: "off", list: "browser-past", "data-i18n-label": "browser.address", placeholder: "http://192.168.1.101:30000/", value: this.past[0] ?? "" });
    this.known = h("datalist#browser-past");
    this.status = h("p.status", { role: "status" });
    this.frame = h("iframe", { sandbox: "allow-same-origin", "data-i18n-label": "browser.page", referrerpolicy: "no-referrer" });
    this.way = h("ol.way");
    this.wayBox = h("details.way-box", { open: true }, h("summary"), this.way);
    this.button = h("button.button.primary", { type: "submit" });
    host.append(h("div.browser", {}, actingPanel(h("form.bar", { onsubmit: (/** @type {Event} */ event) => (event.preventDefault(), void this.go(this.bar.value)) }, this.bar, this.known, this.button)), this.status, this.frame, this.wayBox));
    this.frame.addEventListener("load", () => this.frame.contentDocument?.addEventListener("click", (/** @type {MouseEvent} */ event) => this.#clicked(event)));
    onLanguage(() => this.draw());
    onTheme(() => this.frame.className && this.draw());
    this.draw();
  }

  /** Links are followed here, not by the frame. @param {MouseEvent} event */
  #clicked(event) {
    const link = /** @type {HTMLElement} */ (event.target).closest?.("a[href]");
    if (!link) return;
    event.preventDefault();
    const target = link.getAttribute("href") ?? "";
    if (!target.startsWith("#")) void this.go(new URL(target, this.answer?.url).href);
  }

  /** @param {string} url @param {boolean} [insecure] */
  async go(url, insecure = false) {
    if (!url.trim() || !mayAct()) return;
    const turn = ++this.asked;
    this.bar.value = url;
    this.status.textContent = t("browser.loading");
    try {
      const answer = await this.api.browse(url, insecure);
      if (turn !== this.asked) return;
      this.answer = answer;
      this.bar.value = answer.url;
      this.past = [answer.url, ...this.past.filter((one) => one !== answer.url)].slice(0, MAX_PAST);
      brief.write(`podium.browser.${this.api.room}`, this.past);
    } catch (error) {
      if (turn === this.asked) this.answer = { refused: /** @type {Error} */ (error).message };
    }
    if (turn === this.asked) this.draw();
  }

  draw() {
    const answer = this.answer;
    this.button.textContent = t("browser.go");
    this.known.replaceChildren(...this.past.map((value) => h("option", { value })));
    this.wayBox.firstElementChild.textContent = t("browser.way");
    this.wayBox.hidden = !answer?.hops?.length;
    if (!answer || answer.refused) {
      this.status.textContent = answer?.refused ?? "";
      this.#show(`<p>${escaped(answer ? "" : t("browser.about"))}</p>`, true);
      return;
    }
    const took = answer.ms >= 1000 ? `${Math.round(answer.ms / 100) / 10} s` : `${answer.ms} ms`;
    this.status.replaceChildren(h(answer.error || answer.status >= 400 ? "b.bad" : "b", { text: answer.error?.code ?? `${answer.status} ${answer.reason}` }), ` ${[answer.address, took].filter(Boolean).join(" · ")}`);
    this.way.replaceChildren(...answer.hops.map((/** @type {any} */ hop, /** @type {number} */ index) => h("li", {}, h("span.kind", { text: t(`hopKind.${hop.kind}`) }), " ", h("b", { text: hop.what }), ` ${told(hop, answer.hops[index + 1])}`)));
    this.#show(answer.error ? this.#failure(answer) : this.#page(answer), !!answer.error);
    if (answer.error?.code === "ERR_CERT_AUTHORITY_INVALID") this.status.append(" ", h("button.button", { type: "button", text: t("browser.proceed"), onclick: () => void this.go(answer.url, true) }));
  }

  /** @param {any} answer */
  #failure({ url, error }) {
    const host = escaped(new URL(url).host);
    const text = t(`browser.${error.code}`, { host });
    return `<h2>${escaped(t("browser.cannot"))}</h2><p>${text === `browser.${error.code}` ? "" : text}</p><p><small>${escaped(error.code)}</small></p>`;
  }

  /** @param {any} answer */
  #page({ headers, body }) {
    const type = Object.entries(headers).find(([name]) => name.toLowerCase() === "content-type")?.[1] ?? "";
    return /html/.test(`${type}`) ? body : `<pre>${escaped(body)}</pre>`;
  }

  /** Our own words are as the rest of the page, what a server sent is on white. @param {string} html @param {boolean} own */
  #show(html, own) {
    this.frame.className = own ? "own" : "";
    const scheme = own ? document.documentElement.dataset.theme : "light";
    this.frame.srcdoc = `<!doctype html><meta name="color-scheme" content="${scheme}"><meta http-equiv="Content-Security-Policy" content="${POLICY}"><style>${LOOK}</style>${html}`;
  }
}
