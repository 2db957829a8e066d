/**
 * The door to the control-plane view: a switch over the canvas and what other parts may ask of it. The view itself is loaded when it
 * is first looked at. `open(revision)` shows the replay of the act that a revision is part of.
 */
import { byId, h, toast } from "./dom.js";
import { onLanguage, t } from "./i18n.js";

/** Where the arrow keys mean something else. */
const OWN_ARROWS = "input, select, textarea, dialog, .cm-editor, #terminal, #timeline, .replay-steps, [role=tab], [role=separator], [role=menu], [role=slider], [role=tree]";

/** @param {{api: any, stage: any, scene: any, time: any, live: any, show: (id: string) => void, terminal: any}} parts @param {import("./actions.js").Actions} actions */
export function setUpReplay(parts, actions) {
  /** @type {Promise<import("./replay/view.js").View>|null} */
  let loading = null;
  /** @type {import("./replay/view.js").View|null} */
  let view = null;
  let on = false;

  const load = () => (loading ??= (async () => {
    if (!document.getElementById("replay-css")) {
      const sheet = h("link#replay-css", { rel: "stylesheet", href: new URL("../css/replay.css", import.meta.url).href });
      const loaded = new Promise((done) => (sheet.onload = sheet.onerror = done));
      document.head.append(sheet);
      await loaded;
    }
    const { View } = await import("./replay/view.js");
    view = new View(parts);
    return view;
  })());

  /** @param {boolean} control @param {boolean} [choose] whether the latest act is opened */
  async function show(control, choose = true) {
    if (on === control) return;
    on = control;
    draw();
    byId("stage").dataset.view = control ? "control" : "cluster";
    if (!control && !view) return;
    try {
      const made = await load();
      made.appear(on);
      if (on && choose && !made.data) {
        const latest = (await made.acts()).find((/** @type {any} */ act) => act.sort === "write" || act.sort === "fault");
        if (latest && on) await made.load(latest.revision);
      }
    } catch (error) {
      on = false;
      loading = null;
      byId("stage").dataset.view = "cluster";
      toast(/** @type {Error} */ (error).message, true);
      draw();
    }
  }

  const buttons = [false, true].map((control) => h("button", { type: "button", id: control ? "view-control" : "view-cluster", onclick: () => void show(control) }));
  byId("bar-view").replaceChildren(h("div.switch", { role: "group", "data-i18n-label": "replay.switch" }, ...buttons));
  function draw() {
    buttons.forEach((button, i) => {
      button.textContent = t(i ? "replay.control" : "replay.cluster");
      button.setAttribute("aria-pressed", `${on === !!i}`);
    });
    byId("bar-view").firstChild?.setAttribute("aria-label", t("replay.switch"));
  }
  onLanguage(draw);
  draw();

  const there = () => on && !!view?.data;
  const group = "replay.controls";
  actions.add(
    { id: "view", label: () => t(on ? "replay.toCluster" : "replay.toControl"), key: "v", group: "replay.switch", run: () => void show(!on) },
    { id: "replay.play", label: () => t(view?.playing ? "replay.pause" : "replay.play"), key: "k", group, when: there, run: () => view?.toggle() },
    { id: "replay.back", label: () => t("replay.back"), key: [",", "ArrowLeft"], group, when: there, run: () => view?.move(-1) },
    { id: "replay.forward", label: () => t("replay.forward"), key: [".", "ArrowRight"], group, when: there, run: () => view?.move(1) },
    { id: "replay.get", label: () => t("replay.guideGet"), group, run: () => void guide("get") },
    { id: "replay.apply", label: () => t("replay.guideApply"), group, run: () => void guide("apply") },
  );

  addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const target = /** @type {HTMLElement} */ (event.target);
    if (!by || !there() || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || target.closest?.(OWN_ARROWS)) return;
    event.preventDefault();
    event.stopPropagation();
    view?.move(by);
  }, true);

  /** @param {"get"|"apply"} what */
  async function guide(what) {
    await show(true, false);
    await view?.panel[what]().catch((/** @type {Error} */ error) => toast(error.message, true));
  }

  parts.stage.motion.envelopes.open = (/** @type {number} */ revision) => void door.open(revision);
  const door = {
    show: (/** @type {boolean} */ control) => show(control),
    guide,
    /** @param {number|string} revision */
    async open(revision) {
      await show(true, false);
      await (await load()).load(revision);
      void view?.panel.refresh();
    },
    get view() {
      return view;
    },
    get on() {
      return on;
    },
  };
  return door;
}
