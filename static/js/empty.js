/** What to do first, where the first pods will be; gone as soon as something of the person's own is there. */
import { WORKLOADS } from "./canvas/layout.js";
import { h } from "./dom.js";
import { onLanguage, t } from "./i18n.js";

const FIRST = "kubectl run web --image=nginx";

/** @param {HTMLElement} host @param {import("./scene.js").Scene} scene @param {(line: string) => void} run */
export function setUpEmpty(host, scene, run) {
  const words = () => host.replaceChildren(h("strong", { text: t("stage.empty") }), h("p", { text: t("stage.emptyHint") }), h("button.command", { type: "button", text: FIRST, onclick: () => run(FIRST) }));
  const own = () => [...scene.things.values()].some((thing) => !thing.system && (thing.kind === "Pod" || thing.kind === "Service" || WORKLOADS.has(thing.kind) || thing.kind.startsWith("PersistentVolume")));
  scene.listen((update) => {
    if (update.whole || !host.hidden || update.changes.some((change) => !change.after)) host.hidden = own();
  });
  onLanguage(words);
  words();
}
