/** What `kubectl describe` prints, renewed where it changed, with a search. */
import { h, toast } from "../dom.js";
import { t } from "../i18n.js";
import { copier, Finder } from "./find.js";

export class DescribeView {
  /** @param {import("./panel.js").Panel} panel */
  constructor(panel) {
    this.panel = panel;
    this.parts = ["describe"];
    this.every = 3000;
    this.text = "";
    this.finder = new Finder("describe-find", () => /** @type {any} */ (this.code.children), (line) => line.scrollIntoView({ block: "center" }));
    this.code = h("div.code", { role: "document", tabIndex: 0, "aria-label": "kubectl describe" });
    this.element = h("div.view.fixed", {}, h("div.strip", {}, this.finder.element, copier("describe-copy", () => this.text, () => toast(t("help.copied")))), this.code);
  }

  begin() {
    this.text = "";
    this.code.replaceChildren(h("p", { text: t("inspect.loading") }));
  }

  update() {
    const text = this.panel.detail?.describe;
    if (text === undefined || text === this.text) return;
    const fresh = !this.text;
    this.text = text;
    const lines = text.replace(/\n$/, "").split("\n");
    const old = this.code.children;
    if (fresh) this.code.replaceChildren();
    lines.forEach((/** @type {string} */ line, /** @type {number} */ index) => {
      if (!old[index]) this.code.append(h("div.line", { text: line || " " }));
      else if (old[index].textContent !== (line || " ")) old[index].textContent = line || " ";
    });
    while (old.length > lines.length) old[old.length - 1].remove();
    if (this.finder.input.value) this.finder.again();
  }

  leave() {
    this.finder.leave();
  }
}
