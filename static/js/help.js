/** What the marks mean, and the help: what each part of the page is for and how one's own kubectl gets in. */
import { COLOURS } from "./canvas/colours.js";
import { mark } from "./canvas/marks.js";
import { h, toast } from "./dom.js";
import { t } from "./i18n.js";
import { current } from "./theme.js";

const STATES = ["unscheduled", "creating", "pulling", "running", "ready", "crashloop", "imagepull", "oom", "failed", "succeeded", "terminating", "lost"];
const SPAN = { from: 0, until: 10 };

/** Every pod mark with its meaning. */
export function marks() {
  const k = COLOURS[current()];
  return h("ul.marks", {}, ...STATES.map((state) => {
    const canvas = h("canvas", { width: 48, height: 48, "aria-hidden": "true" });
    const c = canvas.getContext("2d");
    c.scale(2, 2);
    mark(c, { kind: "Pod", name: "", state, pull: SPAN, backoff: SPAN, deleting: SPAN }, 12, 12, 9, k, 5);
    return h("li", {}, canvas, t(`state.${state}`));
  }));
}

/** @param {any} dialog @param {import("./api.js").Api} api */
export function setUpHelp(dialog, api) {
  /** @param {string} keys @param {string} text */
  const row = (keys, text) => [h("dt", {}, ...keys.split(" ").flatMap((one, index) => [index ? " " : "", h("kbd", { text: one })])), h("dd", { text })];
  /** @param {string} name */
  const part = (name) => [h("h3", { text: t(`help.${name}`) }), h("p", { text: t(`help.${name}Text`) })];
  dialog.addEventListener("click", (/** @type {MouseEvent} */ event) => event.target === dialog && dialog.close());
  return () => {
    const command = `curl -o podium.yaml '${location.origin}${api.url("kubeconfig")}'\nkubectl --kubeconfig podium.yaml get nodes`;
    const copy = () => navigator.clipboard.writeText(command).then(() => toast(t("help.copied")), () => {});
    dialog.replaceChildren(
      h("div.scroll", { tabIndex: 0, role: "document", "aria-label": t("help.title") },
        h("h2", { text: t("help.title") }), h("p", { text: t("help.intro") }),
        ...part("marks"), marks(), ...part("lines"), h("p", { text: t("help.rollout") }),
        ...part("traffic"), ...part("chaos"), ...part("terminal"), ...part("clock"),
        ...part("kubectl"), h("code", { text: command }),
        h("p.row", {}, h("button.button", { type: "button", text: t("help.copy"), onclick: copy }), h("a.button", { href: api.url("kubeconfig"), download: "podium.yaml", text: t("help.download") })),
        h("h3", { text: t("help.keys") }),
        h("dl", {}, ...row("Ctrl K", t("palette.label")), ...row("Ctrl Enter", t("editor.apply")), ...row("P", t("help.pause")), ...row("S", t("clock.step")), ...row("F", t("stage.fit")), ...row("+ -", t("help.zoom")), ...row("← ↑ ↓ →", t("help.pan")), ...row("T", t("palette.tree")), ...row("Ctrl E", t("palette.editor")), ...row("Ctrl `", t("palette.terminal")))),
      h("form", { method: "dialog" }, h("button.button.primary", { text: t("help.close") })));
    dialog.showModal();
    dialog.querySelector("form button").focus();
    dialog.querySelector(".scroll").scrollTop = 0;
  };
}
