/**
 * What helps in a large cluster: grouping, the map of all, the close look at a pod, and coming to what is selected. Tied to the stage here;
 * what the first picture does not need is loaded when it is first used.
 */
import { t } from "../i18n.js";
import { insist } from "../lazy.js";
import { setUpGrouping } from "./groups.js";

/** @param {import("./stage.js").Stage} stage @param {import("../api.js").Api} api @param {import("../live.js").Live} live @param {import("../actions.js").Actions} actions @param {HTMLElement} bar */
export function setUpScale(stage, api, live, actions, bar) {
  setUpGrouping(bar, stage, actions);
  const chosen = () => [...new Set([...stage.selection, ...(stage.selected ? [stage.selected] : [])])].filter((id) => stage.layout.box(id));
  actions.add(
    { id: "fitSelection", label: () => t("stage.fitSelection"), key: "F", group: "keys.canvas", when: () => chosen().length > 0, run: () => stage.fitTo(chosen()) },
    { id: "zoomTo", label: () => t("stage.zoomTo"), key: "z", group: "keys.canvas", when: () => chosen().length > 0, run: () => stage.zoomTo(chosen()[0]) },
  );

  stage.nearing = () => {
    stage.nearing = () => {};
    void insist(() => import("./near.js")).then(({ Near }) => {
      stage.near = new Near((ids) => api.near(ids), (ids) => stage.touch(ids));
      stage.repaint();
    });
  };
  live.on("past", () => stage.near?.clear());

  let mapped = false;
  stage.on("frame", () => {
    if (mapped || stage.auto || !stage.layout.nodes.size) return;
    mapped = true;
    void insist(() => import("./minimap.js")).then(({ Minimap }) => {
      const map = new Minimap(stage);
      actions.add({ id: "minimap", label: () => t(map.folded ? "minimap.show" : "minimap.hide"), key: "x", group: "keys.canvas", when: () => !map.element.hidden, run: () => map.fold(!map.folded) });
    });
  });
}
