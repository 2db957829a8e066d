/** A room that was made from this one: its link is shown, and it opens beside this page unless the browser will not have it. */
import { clip, h, toast } from "./dom.js";
import { t } from "./i18n.js";
import { clockTime } from "./virtualtime.js";

/** @param {{room: string, url: string}} room @param {{revision: number, time: number}|null} from */
export function show(room, from) {
  const tab = window.open(room.url, "_blank");
  if (tab) tab.opener = null;
  const link = h("input", { type: "text", readonly: true, value: room.url, "aria-label": t("fork.link"), id: "fork-link", onfocus: () => link.select() });
  const copy = () => clip(room.url).then(() => toast(t("fork.copied")), () => link.select());
  const dialog = h("dialog.fork", { id: "forked", "aria-labelledby": "fork-title" },
    h("h2", { id: "fork-title", text: t("fork.title", { room: room.room }) }),
    h("p", { text: from ? t("fork.from", { time: clockTime(from.time, true), revision: from.revision }) : t("fork.fromNow") }),
    tab ? null : h("p.note", { text: t("fork.blocked") }),
    h("div.row", {}, link, h("button.button", { type: "button", id: "fork-copy", text: t("fork.copy"), onclick: copy })),
    h("form.row", { method: "dialog" }, h("button.button", { text: t("help.close") }), h("a.button.primary", { id: "fork-open", href: room.url, target: "_blank", rel: "noopener", text: t("fork.open") })));
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (/** @type {MouseEvent} */ event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
  dialog.querySelector(tab ? "form button" : "#fork-open").focus();
}
