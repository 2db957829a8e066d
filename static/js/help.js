/**
 * The help: what the marks mean, what each part of the page is for, every key from the list of actions, and how one's own kubectl gets in.
 * Loaded when it is first opened.
 */
import { grouped, keysOf, shown } from "./actions.js";
import { COLOURS } from "./canvas/colours.js";
import { mark } from "./canvas/marks.js";
import { sign, SIGNS } from "./canvas/signs.js";
import { clip, h, toast } from "./dom.js";
import { knows, t } from "./i18n.js";
import { current } from "./theme.js";

const STATES = ["unscheduled", "creating", "pulling", "running", "ready", "crashloop", "imagepull", "oom", "failed", "succeeded", "terminating", "lost"];
const SPAN = { from: 0, until: 10 };
const PARTS = ["do", "find", "why", "replay", "timeline", "groups", "traffic", "chaos", "editor", "inspector", "terminal", "clock", "share"];

/** Every mark with its meaning: those of pods, then the others. @param {"dark"|"light"} [theme] */
export function marks(theme = current()) {
  const k = COLOURS[theme];
  /** @param {string} words @param {(c: CanvasRenderingContext2D) => void} draw */
  const row = (words, draw) => {
    const canvas = h("canvas", { width: 48, height: 48, "aria-hidden": "true" });
    const c = canvas.getContext("2d");
    c.scale(2, 2);
    draw(c);
    return h("li", {}, canvas, words);
  };
  return h("ul.marks", {}, ...STATES.map((state) => row(t(`state.${state}`), (c) => mark(c, { kind: "Pod", name: "", state, pull: SPAN, backoff: SPAN, deleting: SPAN }, 12, 12, 9, k, 5))),
    ...SIGNS.map((name) => row(t(`mark.${name}`), (c) => sign(c, name, k))));
}

/** Every key that does something, by heading. @param {import("./actions.js").Actions} actions */
function keys(actions) {
  const groups = grouped([...actions.all.values()].filter((one) => one.about || (keysOf(one).length && one.label())), (one) => one.group ?? "palette.page");
  return [...groups].flatMap(([group, list]) => [h("h4", { text: t(group) }), h("dl", {}, ...list.flatMap((one) => [
    h("dt", {}, ...(one.shows ?? keysOf(one)).flatMap((key, index) => [index ? " " : "", h("kbd", { text: shown(key) })])), h("dd", { text: one.about?.() ?? one.label() })]))]);
}

/** @param {any} dialog @param {import("./api.js").Api} api @param {import("./actions.js").Actions} actions */
export function setUpHelp(dialog, api, actions) {
  /** @param {string} name */
  const part = (name) => (knows(`help.${name}`) ? [h("h3", { text: t(`help.${name}`) }), h("p", { text: t(`help.${name}Text`) })] : []);
  dialog.addEventListener("click", (/** @type {MouseEvent} */ event) => event.target === dialog && dialog.close());
  return () => {
    const command = `curl -o podium.yaml '${location.origin}${api.url("kubeconfig")}'\nkubectl --kubeconfig podium.yaml get nodes`;
    const copy = () => clip(command).then(() => toast(t("help.copied")), () => {});
    dialog.replaceChildren(
      h("div.scroll", { tabIndex: 0, role: "document", "aria-label": t("help.title") },
        h("h2", { text: t("help.title") }), h("p", { text: t("help.intro") }),
        ...part("marks"), marks(), ...part("lines"), h("p", { text: t("help.rollout") }), ...PARTS.flatMap(part),
        ...part("kubectl"), h("code", { text: command }),
        h("p.row", {}, h("button.button", { type: "button", text: t("help.copy"), onclick: copy }), h("a.button", { href: api.url("kubeconfig"), download: "podium.yaml", text: t("help.download") })),
        h("h3", { text: t("help.keys") }), h("p", { text: t("help.keysText") }), h("div.keys", {}, ...keys(actions))),
      h("form", { method: "dialog" }, h("button.button.primary", { text: t("help.close") })));
    dialog.showModal();
    dialog.querySelector("form button").focus();
    dialog.querySelector(".scroll").scrollTop = 0;
  };
}
