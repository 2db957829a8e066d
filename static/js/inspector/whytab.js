/** Why the thing is as it is: the answer, what proves it, what would help, and the chain of causes back to a person's command. */
import { h } from "../dom.js";
import { t } from "../i18n.js";
import { parseId } from "../scene.js";
import { WhyView } from "../why.js";
import { keyed } from "./keyed.js";

/** What the room is asked about by itself: no object of the API. */
const BARE = new Set(["Traffic", "Component", "Fault"]);

export class WhyTab {
  /** @param {import("./panel.js").Panel} panel */
  constructor(panel) {
    this.panel = panel;
    this.parts = ["why"];
    this.view = new WhyView(panel.api, panel.scene, { show: panel.go, field: (id, path) => panel.field(id, path), now: () => panel.acts.now() });
    this.element = h("div.view");
  }

  begin() {
    keyed(this.element, [["loading", "", () => h("p.quiet", { text: t("inspect.loading") })]]);
  }

  update() {
    const { id, detail, thing, gone } = this.panel;
    if (!id) return;
    const alone = gone || BARE.has(parseId(id).kind);
    if (!alone && !detail?.chain) return;
    const told = alone ? null : detail;
    keyed(this.element, [["why", alone ? JSON.stringify([id, gone, thing]) : JSON.stringify([id, told.why, told.chain, told.attempt?.number]), () => this.view.element(id, told)]]);
  }

  leave() {}
}
