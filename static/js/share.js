/** What one gives to others: the room's link, this very view, the picture as a file or on paper. A menu under Share, and each an action. */
import { byId } from "./dom.js";
import { t } from "./i18n.js";

/** @param {{stage: import("./canvas/stage.js").Stage, replay: any, room: string, time: import("./virtualtime.js").VirtualTime, live: import("./live.js").Live, topbar: import("./topbar.js").TopBar, copy: () => Promise<void>}} page @param {import("./actions.js").Actions} actions */
export function setUpShare(page, actions) {
  const files = () => import("./export.js");
  /** @type {import("./actions.js").Action[]} */
  const given = [
    { id: "share", label: () => t("share.room"), run: () => void page.topbar.share() },
    { id: "copyView", label: () => t("share.view"), run: () => void page.copy() },
    { id: "exportPng", label: () => t("share.png"), run: () => void files().then((it) => it.download(page, "png")) },
    { id: "exportSvg", label: () => t("share.svg"), run: () => void files().then((it) => it.download(page, "svg")) },
    { id: "print", label: () => t("share.print"), key: "Ctrl+p", where: "everywhere", run: () => void files().then((it) => it.print(page)) },
  ];
  actions.add(...given);
  /** @param {string} label @param {import("./actions.js").Action[]} list */
  const group = (label, list) => ({ label, items: list.map((one) => ({ text: one.label(), note: one.key ? "Ctrl P" : "", run: one.run })) });
  page.topbar.acts.share = async () => (await import("./dropdown.js")).dropdown(byId("share"), t("share.button"), [group(t("share.links"), given.slice(0, 2)), group(t("share.picture"), given.slice(2))]);
}
