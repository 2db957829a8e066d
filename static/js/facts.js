/** A thing's facts in rows, for the tooltip, the inspector and the tree: label keys and values, nothing of how they look. */
import { bytes, cores } from "./canvas/brush.js";
import { TONE } from "./canvas/colours.js";
import { decided } from "./follow.js";

/** @typedef {import("./types").Thing} Thing @typedef {(key: string, params?: any) => string} T @typedef {{label: string, value: string, mono?: boolean, id?: string}} Fact */

/** @param {Thing} thing @param {T} t @returns {Fact[]} */
export function facts(thing, t) {
  /** @type {Fact[]} */
  const rows = [];
  /** @param {string} key @param {string|number|undefined|null} value @param {Partial<Fact>} [more] */
  const add = (key, value, more = {}) => {
    if (value !== undefined && value !== null && value !== "") rows.push({ label: t(`fact.${key}`), value: `${value}`, ...more });
  };
  switch (thing.kind) {
    case "Pod":
      add("status", `${thing.status ?? thing.state} · ${t("fact.readyCount", { ready: thing.ready ?? "" })}`);
      add("node", thing.node ?? t("fact.none"), thing.node ? { id: `Node//${thing.node}` } : {});
      add("ip", thing.ip, { mono: true });
      add("restarts", thing.restarts || undefined);
      for (const claim of thing.claims ?? []) add("claim", claim.split("/")[2], { id: claim });
      add("requests", `cpu ${cores(thing.cpu ?? 0)} · memory ${bytes(thing.memory ?? 0)}`);
      add("owner", thing.owner?.split("/")[2], { id: thing.owner });
      add("image", [...new Set((thing.containers ?? []).map((one) => one.image))].join(", "), { mono: true });
      break;
    case "Node":
      add("status", `${thing.ready === "True" ? "Ready" : "NotReady"}${thing.unschedulable ? ",SchedulingDisabled" : ""}`);
      add("roles", (thing.roles ?? []).join(", "));
      add("ip", thing.ip, { mono: true });
      add("version", thing.version);
      add("requestedCpu", t("fact.of", { used: cores(thing.requested?.cpu ?? 0), all: cores(thing.cpu ?? 0) }));
      add("requestedMemory", t("fact.of", { used: bytes(thing.requested?.memory ?? 0), all: bytes(thing.memory ?? 0) }));
      add("pods", t("fact.of", { used: thing.requested?.pods ?? 0, all: thing.pods ?? 0 }));
      add("taints", (thing.taints ?? []).join(", "), { mono: true });
      break;
    case "Component":
      add("status", t(thing.healthy === false ? "component.stopped" : "component.running"));
      add("does", t(`component.${thing.name}`));
      break;
    case "Fault":
      add("status", t(`chaos.${thing.fault}`));
      add("target", thing.target?.split("/").slice(1).filter(Boolean).join("/"), { id: thing.target });
      break;
    case "Service":
      add("type", thing.type);
      add("clusterIP", thing.clusterIP, { mono: true });
      add("externalIP", (thing.externalIPs ?? []).join(", "), { mono: true });
      for (const port of thing.ports ?? [])
        add("port", `${port.nodePort ? `nodePort ${port.nodePort} → ` : ""}port ${port.port} → targetPort ${port.targetPort ?? port.port}/${port.protocol ?? "TCP"}`, { mono: true });
      add("selector", pairs(thing.selector), { mono: true });
      if (selects(thing)) add("endpoints", t("service.ready", { ready: (thing.endpoints ?? []).filter((one) => one.ready).length, all: (thing.endpoints ?? []).length }));
      break;
    case "Deployment":
      add("replicas", t("count.replicas", { ready: thing.ready ?? 0, all: thing.replicas ?? 0, updated: thing.updated ?? 0, available: thing.available ?? 0 }));
      add("strategy", thing.strategy);
      add("ceiling", t("count.ceiling", { ceiling: thing.ceiling, replicas: thing.replicas, surge: thing.maxSurge }));
      add("floor", t("count.floor", { floor: thing.floor, replicas: thing.replicas, unavailable: thing.maxUnavailable }));
      add("revision", thing.revision);
      add("progress", thing.progress);
      add("selector", pairs(thing.selector), { mono: true });
      break;
    case "ReplicaSet":
      add("replicas", `${thing.ready ?? 0}/${thing.replicas ?? 0}`);
      add("owner", thing.owner?.split("/")[2], { id: thing.owner });
      add("image", thing.image, { mono: true });
      add("revision", thing.revision);
      break;
    case "StatefulSet":
      add("replicas", t("count.replicas", { ready: thing.ready ?? 0, all: thing.replicas ?? 0, updated: thing.updated ?? 0, available: thing.available ?? 0 }));
      add("policy", thing.policy);
      add("strategy", thing.strategy);
      add("partition", thing.partition);
      add("service", thing.service, { id: `Service/${thing.ns}/${thing.service}` });
      add("image", thing.image, { mono: true });
      add("selector", pairs(thing.selector), { mono: true });
      break;
    case "DaemonSet":
      add("replicas", t("count.replicas", { ready: thing.ready ?? 0, all: thing.replicas ?? 0, updated: thing.updated ?? 0, available: thing.available ?? 0 }));
      add("strategy", thing.strategy);
      add("image", thing.image, { mono: true });
      add("selector", pairs(thing.selector), { mono: true });
      break;
    case "ReplicationController":
      add("replicas", `${thing.ready ?? 0}/${thing.replicas ?? 0}`);
      add("image", thing.image, { mono: true });
      add("selector", pairs(thing.selector), { mono: true });
      break;
    case "Job":
      add("completions", `${thing.succeeded ?? 0}/${thing.replicas ?? "?"}`);
      add("active", t("duty.active", { active: thing.active ?? 0, most: thing.parallelism ?? 1 }));
      add("failed", thing.failed || undefined);
      add("status", thing.why ?? (thing.suspended ? t("duty.suspended") : undefined));
      add("owner", thing.owner?.split("/")[2], { id: thing.owner });
      add("image", thing.image, { mono: true });
      break;
    case "CronJob":
      add("schedule", thing.schedule, { mono: true });
      add("zone", thing.zone);
      add("policy", thing.policy);
      add("active", thing.active);
      if (thing.suspended) add("status", t("duty.suspended"));
      break;
    case "HorizontalPodAutoscaler":
      add("target", thing.target?.split("/")[2], { id: thing.target });
      add("replicas", t("count.scaled", { current: thing.current ?? 0, desired: thing.desired ?? 0, min: thing.min ?? 1, max: thing.max ?? 1 }));
      add("metrics", thing.metrics, { mono: true });
      break;
    case "PodDisruptionBudget":
      add("allowed", thing.allowed ?? 0);
      add("healthy", t("count.healthy", { healthy: thing.current ?? 0, expected: thing.expected ?? 0, desired: thing.desired ?? 0 }));
      add("minAvailable", thing.minAvailable);
      add("maxUnavailable", thing.maxUnavailable);
      add("selector", pairs(thing.selector), { mono: true });
      break;
    case "PersistentVolumeClaim":
      add("status", thing.terminating ? "Terminating" : thing.phase);
      add("volume", thing.volume?.split("/")[2], { id: thing.volume });
      add("capacity", [thing.capacity ?? thing.asked, modes(thing)].filter(Boolean).join(" "));
      add("class", thing.class);
      break;
    case "PersistentVolume":
      add("status", thing.terminating ? "Terminating" : thing.phase);
      add("claim", thing.claim?.split("/").slice(1).join("/"), { id: thing.claim });
      add("capacity", [thing.capacity, modes(thing)].filter(Boolean).join(" "));
      add("reclaim", thing.reclaim);
      add("class", thing.class);
      add("source", [thing.source, thing.where].filter(Boolean).join(" "), { mono: true });
      break;
    case "Ingress":
      add("class", thing.class);
      add("address", (thing.addresses ?? []).join(", "), { mono: true });
      for (const route of thing.routes ?? []) add("route", `${route.host}${route.path} → ${backend(route)}`, { mono: true, id: route.service });
      if (thing.default) add("defaultBackend", backend(thing.default), { mono: true, id: thing.default.service });
      add("tls", (thing.tls ?? []).join(", "), { mono: true });
      break;
    case "NetworkPolicy":
      add("selects", chosen(thing.pods) || t("policy.everyPod"), { mono: true });
      for (const way of /** @type {const} */ (["ingress", "egress"])) {
        if (thing[way] && !thing[way].length) add(way, t("policy.nothing"));
        for (const rule of thing[way] ?? []) add(way, allowed(rule, t));
      }
      break;
    case "Traffic":
      add("sender", thing.source ? thing.source.split("/").slice(1).join("/") : t("traffic.outside"), thing.source ? { id: thing.source } : {});
      add("target", targeted(thing), /^(Service|Pod|Node)\//.test(thing.target ?? "") ? { id: thing.target } : { mono: true });
      add("service", thing.service?.split("/").slice(1).join("/"), { id: thing.service });
      for (const pod of thing.through ?? []) add("through", pod.split("/").slice(1).join("/"), { id: pod });
      add("rate", `${thing.rate ?? 0}/s`);
      add("ok", `${Math.round((thing.ok ?? 0) * 10) / 10}/s`);
      add("failed", `${Math.round((thing.failed ?? 0) * 10) / 10}/s`);
      break;
  }
  return rows;
}

const MODES = /** @type {Record<string, string>} */ ({ ReadWriteOnce: "RWO", ReadOnlyMany: "ROX", ReadWriteMany: "RWX", ReadWriteOncePod: "RWOP" });

/** A volume's access modes, as kubectl shortens them. @param {Thing} thing */
export const modes = (thing) => (thing.modes ?? []).map((mode) => MODES[mode] ?? mode).join(",");

/** @param {{service?: string, port?: string|number}} to */
const backend = ({ service, port }) => `${service?.split("/")[2] ?? "?"}:${port ?? ""}`;

/** @param {import("./types").LabelSelector|undefined} selector */
function chosen(selector) {
  const words = (selector?.matchExpressions ?? []).map(({ key, operator, values }) => [key, operator, values?.length ? `(${values.join(", ")})` : ""].filter(Boolean).join(" "));
  return [pairs(selector?.matchLabels), ...words].filter(Boolean).join(", ");
}

/** What a rule of a policy lets through. @param {import("./types").PolicyRule} rule @param {T} t */
function allowed({ peers, ports }, t) {
  const who = (peers ?? []).map((peer) => peer.cidr ? [peer.cidr, peer.except ? t("policy.except", { list: peer.except.join(", ") }) : ""].filter(Boolean).join(" ")
    : [peer.pods && t("policy.pods", { labels: chosen(peer.pods) || t("policy.everyPod") }), peer.namespaces && t("policy.namespaces", { labels: chosen(peer.namespaces) || t("policy.everyNamespace") })].filter(Boolean).join(" "));
  return [who.length ? who.join("; ") : t("policy.anyone"), ports ? ports.join(", ") : t("policy.anyPort")].join(" · ");
}

/** What a source asks, as a person writes it. @param {Thing} source */
export function targeted({ target = "", port = 0 }) {
  if (target.includes("://")) return target.replace(/^http:\/\//, "").replace(/:80\//, "/");
  return `${target.split("/").slice(1).filter((part) => part && part !== "default").join("/")}${port ? `:${port}` : ""}`;
}

/** Who asks what, in a line. @param {Thing} source @param {T} t */
export const sourced = (source, t) => `${source.source ? source.source.split("/")[2] : t("traffic.outside")} → ${targeted(source)}`;

/** @param {Record<string, string>|undefined} map */
export const pairs = (map) => Object.entries(map ?? {}).map(([key, value]) => `${key}=${value}`).join(", ");

/** What is wrong with a node's machine, and what its kubelet complains of. @param {Thing} node */
export const troubles = (node) => [...["off", "cut", "silent", "gone"].filter((one) => /** @type {any} */ (node)[one]), ...(node.pressure ?? [])];

/** Whether a Service looks for pods by itself. @param {Thing} thing */
export const selects = (thing) => Object.keys(thing.selector ?? {}).length > 0;

/** What is the matter with it, in a sentence, if something is. @param {Thing} thing @param {T} t */
export function trouble(thing, t) {
  if (thing.kind === "Service" && selects(thing) && !thing.system && thing.type !== "ExternalName" && !(thing.endpoints ?? []).length) {
    const near = thing.near?.[0];
    return near ? t("service.nearLong", { key: near.key, want: near.want, have: near.have ?? t("fact.none"), pod: near.pod.split("/")[2] }) : t("service.noEndpointsLong");
  }
  if (thing.kind === "Traffic") {
    if (!thing.error) return "";
    const { hop, what, why, text } = thing.error;
    const place = what && why ? t("trouble.died", { what, why: decided(why) }) : "";
    return [place && (hop === "node" || hop === "pod") ? "" : t(`hop.${hop}`), place, text].filter(Boolean).join(". ");
  }
  const own = SENTENCES[thing.kind];
  if (own) return own(thing).filter(([, when]) => when).map(([key, , params]) => t(`trouble.${key}`, params)).join(" ");
  return thing.state === "ready" ? "" : thing.message ?? "";
}

/** What may be the matter with a kind, each with whether it is. @type {Record<string, (thing: Thing) => [string, any, any?][]>} */
const SENTENCES = {
  Ingress: (i) => [["noClass", !i.class], ["noController", i.class && !i.addresses, { name: i.class }]],
  Node: (n) => [
    ["off", n.off], ["cut", n.cut], ["silent", n.silent], ["gone", n.gone], ["memory", n.pressure?.includes("memory")], ["disk", n.pressure?.includes("disk")], ["pid", n.pressure?.includes("pid")],
    ["believed", n.ready === "True" && (n.off || n.cut || n.silent || n.gone)], ["lost", n.ready === "Unknown"], ["notReady", n.ready === "False"], ["cordoned", n.unschedulable],
  ],
  Component: (c) => [[`${c.name}`, c.healthy === false]],
  StatefulSet: (s) => [["ordered", s.policy === "OrderedReady" && (s.ready ?? 0) < (s.replicas ?? 0)], ["partition", s.partition && (s.updated ?? 0) < (s.replicas ?? 0), { partition: s.partition }]],
  DaemonSet: (d) => [["misscheduled", d.misscheduled, { count: d.misscheduled }]],
  Job: (j) => [["jobFailed", j.ended === "failed", { why: j.why }], ["suspended", j.suspended && !j.ended]],
  CronJob: (c) => [["suspended", c.suspended]],
  HorizontalPodAutoscaler: (h) => [["blind", h.blind, { why: h.why ?? "" }], ["most", !h.blind && h.current === h.max && (h.desired ?? 0) >= (h.max ?? 0), { max: h.max }]],
  PodDisruptionBudget: (b) => [["noPods", !b.expected], ["noDisruption", b.expected && !b.allowed, { healthy: b.current, desired: b.desired }]],
  PersistentVolumeClaim: (c) => [
    ["claimLost", c.phase === "Lost", { name: c.volume?.split("/")[2] }], ["claimGoing", c.terminating], ["consumer", c.phase === "Pending" && c.waits],
    ["unknownClass", c.phase === "Pending" && c.unknownClass, { name: c.class }], ["noVolume", c.phase === "Pending" && !c.waits && !c.unknownClass],
  ],
  PersistentVolume: (v) => [["released", v.phase === "Released", { claim: v.claim?.split("/").slice(1).join("/") }], ["volumeFailed", v.phase === "Failed"], ["volumeGoing", v.terminating]],
};

/** @param {Thing} thing */
export function tone(thing) {
  if (thing.kind === "Pod") return TONE[thing.state ?? ""] ?? "unknown";
  if (thing.kind === "Node") return thing.ready === "True" ? (thing.unschedulable || troubles(thing).length ? "pending" : "ready") : "unknown";
  if (thing.kind === "Component") return thing.healthy === false ? "failing" : "ready";
  if (thing.kind === "Fault") return "failing";
  if (thing.kind === "Service") return thing.system || !selects(thing) || (thing.endpoints ?? []).some((one) => one.ready) ? "ready" : "failing";
  if (thing.kind === "Traffic") return (thing.failed ?? 0) > 0 ? "failing" : "ready";
  if (thing.kind === "Ingress") return thing.addresses ? "ready" : "pending";
  if (thing.kind === "NetworkPolicy") return "ready";
  if (thing.kind === "Job") return thing.ended === "failed" ? "failing" : thing.ended ? "done" : "pending";
  if (thing.kind === "CronJob") return thing.suspended ? "unknown" : "ready";
  if (thing.kind === "HorizontalPodAutoscaler") return thing.blind ? "failing" : "ready";
  if (thing.kind === "PodDisruptionBudget") return (thing.current ?? 0) < (thing.desired ?? 0) ? "failing" : thing.allowed || !thing.expected ? "ready" : "pending";
  if (thing.phase) return thing.terminating || thing.phase === "Released" ? "unknown" : thing.phase === "Bound" || thing.phase === "Available" ? "ready" : thing.phase === "Pending" ? "pending" : "failing";
  return (thing.ready ?? 0) >= (thing.replicas ?? 0) ? "ready" : "pending";
}

/** One short state, for a chip. @param {Thing} thing @param {T} t */
export function stateText(thing, t) {
  if (thing.kind === "Pod") return thing.status ?? thing.state ?? "";
  if (thing.kind === "Node") return [thing.ready === "True" ? "Ready" : "NotReady", thing.unschedulable && "SchedulingDisabled"].filter(Boolean).join(",") + troubles(thing).map((one) => `, ${t(`node.${one}`)}`).join("");
  if (thing.kind === "Component") return t(thing.healthy === false ? "component.stopped" : "component.running");
  if (thing.kind === "Fault") return thing.target?.split("/").slice(1).filter(Boolean).join("/") ?? "";
  if (thing.kind === "Service" && !selects(thing)) return thing.type ?? "";
  if (thing.kind === "Service") return t("service.ready", { ready: (thing.endpoints ?? []).filter((one) => one.ready).length, all: (thing.endpoints ?? []).length });
  if (thing.kind === "Traffic") return `${thing.rate}/s`;
  if (thing.kind === "Ingress") return (thing.routes ?? [])[0]?.host ?? thing.class ?? "";
  if (thing.kind === "NetworkPolicy") return [thing.ingress && "Ingress", thing.egress && "Egress"].filter(Boolean).join(", ");
  if (thing.kind === "Job") return `${thing.succeeded ?? 0}/${thing.replicas ?? "?"}`;
  if (thing.kind === "CronJob") return thing.suspended ? t("duty.suspended") : thing.schedule ?? "";
  if (thing.kind === "HorizontalPodAutoscaler") return `${thing.current ?? 0} (${thing.min}–${thing.max})`;
  if (thing.kind === "PodDisruptionBudget") return t("duty.allowed", { count: thing.allowed ?? 0 });
  if (thing.phase) return thing.terminating ? "Terminating" : thing.phase;
  return `${thing.ready ?? 0}/${thing.replicas ?? 0}`;
}
