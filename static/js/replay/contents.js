/** What is in a message: the request line, who sent it, its body, what was stored with the lines marked that the server filled in, the answer. */
import { h } from "../dom.js";
import { t } from "../i18n.js";

/** What is told first of a message is what it is about. @type {Record<string, ("request"|"stored"|"response")[]>} */
const ORDER = {
  admission: ["stored", "request", "response"], validation: ["stored", "request", "response"], etcd: ["stored", "request", "response"],
  answer: ["response", "request", "stored"], cache: ["response", "request", "stored"], refused: ["response", "request", "stored"],
};

/** @param {import("./script.js").Message} message @param {any} step @param {any} detail what server/live/passage.py tells of its contents @param {(id: string) => void} show @param {(revision: number) => void} go shows the step of a revision @returns {HTMLElement} */
export function contents(message, step, detail, show, go) {
  if (detail.failed) return h("p.note", { text: detail.failed });
  const etcd = detail.stages.find((/** @type {any} */ one) => one.stage === "etcd" && one.key);
  const read = step.stages.find((/** @type {any} */ one) => one.stage === "cache" && one.found);
  const sections = {
    first: [
      ...(message.kind === "schedule" ? [scheduling(message.stage)] : []),
      ...(message.kind === "watch" ? [h("h3", { text: t("replay.event") }), line(`{"type": "${step.event}", "object": {"kind": "${step.kind}", … "resourceVersion": "${step.revision}"}}`), watchers(message.stage)] : []),
    ],
    request: [
      h("h3", { text: t("replay.request") }), line(`${step.method} ${step.path}`), headers(step, go),
      ...(detail.sent ? [h("h3", { text: t(detail.form === "object" ? "replay.body" : "replay.patch") }), h("pre", { text: detail.sent })] : []),
      !detail.sent && !detail.kept ? h("p.muted", { text: t("replay.notKept") }) : null,
    ],
    stored: [
      ...(detail.changed.length ? [h("h3", { text: t("replay.changes") }), changed(detail.changed)] : []),
      ...(detail.stored.length ? [h("h3", { text: t("replay.stored") }), etcd ? h("p.muted", { text: t("replay.etcdAt", { key: etcd.key, revision: etcd.revision, previous: etcd.previous ?? "–", bytes: etcd.bytes }) }) : null, yaml(detail.stored)] : []),
    ],
    response: [
      h("h3", { text: t("replay.response") }), line(`HTTP/1.1 ${detail.answer.code} ${detail.answer.kind}`),
      detail.answer.status ? h("pre", { text: detail.answer.status }) : null,
      read ? h("p.muted", { text: [...read.found, read.count > read.found.length ? "…" : ""].join("  ") }) : null,
    ],
  };
  const order = ORDER[message.kind] ?? ["request", "stored", "response"];
  const parts = [...sections.first, ...order.flatMap((name) => sections[name])];
  if (step.thing) parts.push(h("p", {}, h("button.link", { type: "button", text: t("replay.inspect", { kind: step.kind, name: step.name }), onclick: () => show(step.thing) })));
  return h("div", {}, ...parts.filter(Boolean));
}

/** @param {string} text */
const line = (text) => h("code.replay-line", { text });

/** @param {any} step @param {(revision: number) => void} go */
function headers(step, go) {
  /** @type {[string, any][]} */
  const rows = [[t("replay.client"), step.client], [t("replay.user"), step.user], ["fieldManager", step.manager], ["Content-Type", step.type]];
  const because = typeof step.because === "number" ? h("button.link", { type: "button", text: t("rail.revision", { revision: step.because }), onclick: () => go(step.because) }) : step.because;
  return h("dl.facts", {}, ...rows.filter(([, value]) => value !== undefined && value !== null && value !== "").flatMap(([name, value]) => [h("dt", { text: name }), h("dd.mono", { text: `${value}` })]), ...(because ? [h("dt", { text: t("replay.because") }), h("dd.mono", {}, because)] : []));
}

/** Every change; what is long is cut. @param {any[]} all */
function changed(all) {
  /** @param {any} value */
  const told = (value) => (value === undefined ? "–" : typeof value === "string" ? value : JSON.stringify(value));
  return h("ul.replay-changes", {}, ...all.slice(0, 60).map((one) => h("li", {}, h("code", { text: one.path }), h("span", {}, h("del", { text: told(one.from) }), " → ", h("ins", { text: told(one.to) })))));
}

/** A stored object's lines, each with who put it there. @param {[string, string][]} lines */
function yaml(lines) {
  const words = { changed: t("replay.by.changed"), server: t("replay.by.server"), defaulting: t("replay.by.defaulting") };
  let before = "";
  return h("div.replay-yaml", { role: "table", "aria-label": t("replay.stored") }, ...lines.map(([text, by]) => {
    const name = by && by !== before ? /** @type {any} */ (words)[by] ?? by : "";
    before = by;
    return h("div", { role: "row", "data-by": by ? (by in words ? by : "plugin") : null }, h("code", { role: "cell", text }), h("small", { role: "cell", text: name }));
  }));
}

/** @param {any} watch */
function watchers(watch) {
  const acts = new Set(watch.reacted.map((/** @type {any} */ one) => one.lane));
  const all = [...new Set([...acts, ...watch.watchers])];
  return h("ul.replay-watchers", {}, ...all.map((name) => h("li", { "data-acts": acts.has(name) ? "true" : null }, h("code", { text: name }), " ", t(acts.has(name) ? "replay.acts.on" : "replay.acts.off"))));
}

/** @param {any} told */
function scheduling(told) {
  const plugins = [...new Set(told.scores.flatMap((/** @type {any} */ one) => Object.keys(one.plugins)))];
  return h("div", {}, h("h3", { text: t("replay.scheduling") }), told.scores.length ? h("table.replay-scores", {},
    h("thead", {}, h("tr", {}, h("th", { text: t("replay.node") }), ...plugins.map((name) => h("th", { text: name })), h("th", { text: t("replay.total") }))),
    h("tbody", {}, ...told.scores.map((/** @type {any} */ one) => h("tr", { "data-chosen": one.node === told.node ? "true" : null }, h("td", { text: one.node }), ...plugins.map((name) => h("td", { text: `${one.plugins[name] ?? 0}` })), h("td", { text: `${one.total}` }))))) : null,
  told.refused.length ? h("ul.replay-changes", {}, ...told.refused.map((/** @type {any} */ one) => h("li", {}, h("code", { text: `✕ ${one.node}` }), h("span", { text: `${one.plugin}: ${one.reasons.join(", ")}` })))) : null,
  told.message ? h("p.muted", { text: told.message }) : null);
}
