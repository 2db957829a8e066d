/**
 * The first visit: what to do where the first pods will be. "Show me" types two lines in the terminal, letter by letter, sends traffic once
 * the Service has an endpoint, and then names three things to try. What the person does of their own makes it step aside; once closed, the
 * three things are not named again.
 */
import { WORKLOADS } from "./canvas/layout.js";
import * as docks from "./docks.js";
import { h, icon } from "./dom.js";
import { onLanguage, t } from "./i18n.js";
import { brief, kept } from "./kept.js";

const FIRST = "kubectl run web --image=nginx";
const SHOW = ["kubectl create deployment web --image=nginx --port=80 --replicas=3", "kubectl expose deployment web --port=80"];
const SERVICE = "Service/default/web";
const RATE = 12;
/** How long a letter takes, in milliseconds. */
const LETTER = 14;
/** What is tried next, with its command. */
const NEXT = [["scale", "kubectl scale deployment web --replicas=6"], ["delete", "kubectl delete pod -l app=web --wait=false"], ["bad", "kubectl set image deployment web nginx=nginx:nonsense"]];
/** What the browser remembers: that the three things were put away, and that "Show me" was pressed on the start page (landing.js). */
const SEEN = "podium.first";
const ASKED = "podium.show";

/**
 * @param {HTMLElement} host @param {import("./scene.js").Scene} scene @param {import("./terminal.js").Terminal} terminal
 * @param {(aim: {target: string, port: number, rate: number}) => Promise<any>} send
 */
export function setUpEmpty(host, scene, terminal, send) {
  /** @type {"first"|"coming"|"next"|"over"} */
  let step = "first";
  /** @type {Set<string>} */
  const tried = new Set();
  const open = () => docks.set("bottom", { folded: false });
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const command = (/** @type {string} */ line) => h("button.command", { type: "button", text: line, onclick: () => (open(), terminal.run(line)) });
  const close = () => h("button.icon", { type: "button", "aria-label": t("first.close"), title: t("first.close"), onclick: () => (step === "next" && kept.set(SEEN, "over"), to("over")) }, icon("close"));
  const words = () => {
    host.dataset.step = step;
    if (step === "first") host.replaceChildren(close(), h("strong", { text: t("stage.empty") }), h("p", { text: t("first.about") }), h("button.button.primary", { type: "button", id: "show-me", onclick: () => void show() }, icon("play"), t("first.show")), h("p.or", { text: t("first.or") }), command(FIRST));
    else if (step === "coming") host.replaceChildren(close(), h("p", { role: "status", text: t("first.coming") }));
    else host.replaceChildren(close(), h("strong", { text: t("first.next") }), h("ol", {}, ...NEXT.map(([name, line]) => h("li", { "data-done": tried.has(name) ? "true" : undefined }, h("button.link", { type: "button", title: line, text: t(`first.${name}`), onclick: () => (tried.add(name), open(), terminal.run(line), words()) })))), h("p.or", { text: t("first.point") }));
  };
  const own = () => {
    for (const thing of scene.things.values()) if (!thing.system && (thing.kind === "Pod" || thing.kind === "Service" || WORKLOADS.has(thing.kind) || thing.kind.startsWith("PersistentVolume"))) return true;
    return false;
  };
  /** @param {typeof step} next */
  const to = (next) => {
    step = next;
    words();
    host.hidden = step === "over" || (step === "first" && own());
  };
  const show = async () => {
    to("coming");
    open();
    await terminal.open();
    for (const line of SHOW) {
      for (let end = 1; !still.matches && end <= line.length; end++) {
        terminal.put(line.slice(0, end));
        await new Promise((done) => setTimeout(done, LETTER));
      }
      terminal.run(line);
      while (terminal.running) await new Promise((done) => setTimeout(done, LETTER));
    }
  };
  scene.listen((update) => {
    if (step === "coming" && scene.get(SERVICE)?.endpoints?.some((one) => one.ready)) {
      to(kept.get(SEEN) ? "over" : "next");
      if (docks.NARROW.matches) docks.set("bottom", { folded: true });
      void send({ target: "default/web", port: 80, rate: RATE }).catch(() => undefined);
    } else if (step === "first" && (update.whole || !host.hidden || update.changes.some((change) => !change.after))) {
      host.hidden = own();
      if (!host.hidden && brief.get(ASKED)) void show();
    }
    if (update.whole) brief.remove(ASKED);
  });
  onLanguage(words);
  words();
}
