/**
 * The strip over the canvas: one chip for each plight that something is in, the gravest first, or that all is well. A click goes to the
 * next that is in it. It also feeds the callouts, and tells a screen reader what is the matter, at most every few seconds.
 */
import { Policies } from "./canvas/policies.js";
import { Plaques } from "./canvas/plaques.js";
import { byId, h } from "./dom.js";
import { knows, onLanguage, t } from "./i18n.js";
import { Situations, TONES, words } from "./situations.js";

/** With more changes at once the picture comes first. */
const MANY = 2000;
/** So many callouts on a large canvas, and how many pixels each needs. */
const MOST_CALLOUTS = 8;
const GROUND = 70_000;
const REST = 150;
/** However much changes, it is laid out no oftener than this. */
const PAUSE = 500;
const TICK = 1000;
const TELL = 4000;
/** Between two chips, and what "+2" takes, in pixels. */
const GAP = 6;
const MORE = 48;
const GLYPHS = { bad: "✕", wait: "◷", move: "↻", well: "✓" };

export class Strip {
  /**
   * @param {{scene: import("./scene.js").Scene, stage: import("./canvas/stage.js").Stage, time: import("./virtualtime.js").VirtualTime, show: (id: string) => void, why: (id: string) => void}} parts
   */
  constructor({ scene, stage, time, show, why }) {
    Object.assign(this, { scene, stage, time, show });
    this.scene = scene;
    this.stage = stage;
    this.time = time;
    this.show = show;
    this.situations = new Situations(scene);
    this.host = byId("situations");
    this.chips = h("ul.plights");
    this.spoken = h("span.sr-only", { role: "status" });
    this.host.replaceChildren(this.chips, this.spoken);
    this.plaques = new Plaques(stage, stage.host, (group) => why(this.next(group.key, [group])));
    /** @type {Map<string, number>} how far one has gone round each chip */
    this.turn = new Map();
    this.told = 0;
    this.coming = 0;
    this.drawn = 0;
    this.due = 0;
    this.look = "";
    /** @type {{text: string, short: string}[]} */
    this.shown = [];
    this.more = h("button.plight", { type: "button", "data-tone": "quiet", onclick: () => (this.host.classList.toggle("all"), this.#fit()) });
    new ResizeObserver(() => this.#fit()).observe(this.host);
    /** @type {import("./scene.js").Update[]} a picture of all and what came after it: looked at when that is painted */
    const waiting = [];
    scene.listen((update) => {
      if (!waiting.length && update.changes.length < MANY) return void (this.situations.hear(update) && this.soon());
      if (waiting.push(update) === 1) setTimeout(() => {
        for (const one of waiting.splice(0)) this.situations.hear(one);
        this.soon();
      });
    });
    const policies = (stage.policies = new Policies(scene));
    scene.listen((update) => void policies.hear(update));
    /** Also while the scene never rests. */
    this.soon = () => (this.coming ||= setTimeout(() => ((this.coming = 0), (this.drawn = performance.now()), this.draw()), Math.max(REST, this.drawn + PAUSE - performance.now())));
    this.tell = () => (this.spoken.textContent = this.#summary());
    onLanguage(() => this.draw());
    setInterval(() => this.due && !time.paused && this.#say(), TICK);
  }

  draw() {
    const chips = this.#chips();
    const look = JSON.stringify(chips.map(({ code, tone, text }) => [code, tone, text]));
    if (look !== this.look) {
      this.look = look;
      const held = document.activeElement instanceof HTMLElement && this.chips.contains(document.activeElement) ? document.activeElement.dataset.code : "";
      this.chips.replaceChildren(...chips.map(({ code, tone, text, go }) => h("li", {}, h(go ? "button.plight" : "span.plight", { ...(go ? { type: "button", onclick: go, title: t("plight.go") } : {}), "data-tone": tone, "data-code": code }, h("i", { "aria-hidden": "true", text: GLYPHS[/** @type {"bad"} */ (tone)] ?? "" }), h("span", { text })))));
      this.shown = chips;
      this.#fit();
      if (held) this.chips.querySelector(`[data-code="${held}"]`)?.focus();
      this.chips.setAttribute("aria-label", t("plight.label"));
      this.plaques.layer.setAttribute("aria-label", t("call.label"));
      const wait = Math.max(0, this.told + TELL - performance.now());
      this.told = performance.now() + wait;
      clearTimeout(this.telling);
      this.telling = setTimeout(this.tell, wait);
    }
    this.#say();
  }

  /** One row: the gravest that there is room for, and how many more there are. */
  #fit() {
    const items = [...this.chips.children].filter((item) => !item.contains(this.more));
    const all = this.host.classList.contains("all");
    this.more.parentElement?.remove();
    for (const item of items) /** @type {HTMLElement} */ (item).hidden = false;
    const room = this.host.clientWidth;
    /** @type {number[]} */
    let ends = [];
    for (const kind of /** @type {const} */ (["text", "short"])) {
      let used = 0;
      items.forEach((item, index) => (/** @type {HTMLElement} */ (item.querySelector("span:not(.plight)")).textContent = this.shown[index]?.[kind] ?? ""));
      ends = items.map((item) => (used += /** @type {HTMLElement} */ (item).offsetWidth + GAP));
      if (!room || used - GAP <= room) return this.host.classList.remove("all");
    }
    const shown = all ? items.length : Math.max(1, ends.filter((end) => end + MORE <= room).length);
    for (const item of items.slice(shown)) /** @type {HTMLElement} */ (item).hidden = true;
    this.more.textContent = all ? "–" : `+${items.length - shown}`;
    this.more.title = all ? "" : items.slice(shown).map((item) => item.textContent).join("\n");
    this.more.setAttribute("aria-label", `${this.more.textContent} ${t("plight.more", { count: items.length - shown })}`);
    this.more.setAttribute("aria-expanded", `${all}`);
    if (all || shown < items.length) this.chips.append(h("li", {}, this.more));
  }

  /** The words of the callouts. */
  #say() {
    let due = 0;
    const said = this.situations.worst(Math.max(3, Math.min(MOST_CALLOUTS, Math.round((this.stage.width * this.stage.height) / GROUND)))).map((group) => {
      const told = words(group, this.scene, t, this.time.now);
      if (told.due) due++;
      return { group, tone: TONES.get(group.code) ?? "wait", term: told.term, who: told.who, why: told.why };
    });
    this.due = due;
    this.plaques.say(said);
  }

  #summary() {
    return this.#chips().map(({ text }) => text).join(". ");
  }

  /** @returns {{code: string, tone: string, text: string, short: string, go?: () => void}[]} */
  #chips() {
    return this.#said().map((chip) => ({ ...chip, short: knows(`plight.${chip.code}.short`) ? t(`plight.${chip.code}.short`, chip) : chip.text }));
  }

  /** @returns {{code: string, tone: string, text: string, count?: number, name?: string, go?: () => void}[]} */
  #said() {
    const { pods } = this.situations;
    const found = this.situations.chips().map(({ code, count, groups }) => {
      const name = groups[0].lead.split("/").slice(2).join("/");
      return { code, count, name, tone: /** @type {string} */ (TONES.get(code)), text: t(count === 1 && knows(`plight.${code}.1`) ? `plight.${code}.1` : `plight.${code}`, { count, name }), go: /** @type {any} */ (() => this.show(this.next(code, groups))) };
    });
    const ready = pods.ready ?? 0;
    if (!found.length) {
      const nodes = this.scene.ofKind("Node").length;
      found.push({ code: "well", count: ready, name: "", tone: "well", text: ready ? t("plight.well", { count: ready }) : t(Object.values(pods).some(Boolean) ? "plight.calm" : "plight.idle", { count: nodes }), go: /** @type {any} */ (undefined) });
    } else if (ready) found.push({ code: "ready", tone: "quiet", count: ready, name: "", text: t("plight.ready", { count: ready }), go: /** @type {any} */ (undefined) });
    for (const code of ["starting", "unready", "leaving"]) if (pods[code]) found.push({ code, count: pods[code], name: "", tone: "quiet", text: t(`plight.${code}`, { count: pods[code] }), go: () => this.show(this.#underway(code)) });
    return found;
  }

  /** The next member, round and round. @param {string} turn @param {import("./situations.js").Group[]} groups */
  next(turn, groups) {
    const members = groups.flatMap((group) => [...group.members]).slice(0, 2000).sort();
    const at = (this.turn.get(turn) ?? -1) + 1;
    this.turn.set(turn, at);
    return members[at % members.length];
  }

  /** @param {string} code */
  #underway(code) {
    const members = [...this.situations.under].filter(([, one]) => one === code).map(([id]) => id);
    const at = (this.turn.get(code) ?? -1) + 1;
    this.turn.set(code, at);
    return members[at % members.length];
  }
}
