/** A thing's facts in rows, for the tooltip, the inspector and the tree: label keys and values, nothing of how they look. */
import { bytes, cores } from "./canvas/brush.js";
import { TONE } from "./canvas/colours.js";

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
    case "Traffic":
      add("target", thing.target?.split("/").slice(1).join("/"), { id: thing.target });
      add("rate", `${thing.rate ?? 0}/s`);
      add("ok", `${Math.round((thing.ok ?? 0) * 10) / 10}/s`);
      add("failed", `${Math.round((thing.failed ?? 0) * 10) / 10}/s`);
      break;
  }
  return rows;
}

/** @param {Record<string, string>|undefined} map */
export const pairs = (map) => Object.entries(map ?? {}).map(([key, value]) => `${key}=${value}`).join(", ");

/** Whether a Service looks for pods by itself. @param {Thing} thing */
export const selects = (thing) => Object.keys(thing.selector ?? {}).length > 0;

/** What is the matter with it, in a sentence, if something is. @param {Thing} thing @param {T} t */
export function trouble(thing, t) {
  if (thing.kind === "Service" && selects(thing) && !thing.system && thing.type !== "ExternalName" && !(thing.endpoints ?? []).length) {
    const near = thing.near?.[0];
    return near ? t("service.nearLong", { key: near.key, want: near.want, have: near.have ?? t("fact.none"), pod: near.pod.split("/")[2] }) : t("service.noEndpointsLong");
  }
  if (thing.kind === "Traffic") return thing.error ? `${t(`hop.${thing.error.hop}`)} ${thing.error.text}` : "";
  if (thing.kind === "Node") return thing.ready === "Unknown" ? t("why.lost") : thing.ready !== "True" ? t("why.notReady") : thing.unschedulable ? t("why.cordoned") : "";
  return thing.state === "ready" ? "" : thing.message ?? "";
}

/** @param {Thing} thing */
export function tone(thing) {
  if (thing.kind === "Pod") return TONE[thing.state ?? ""] ?? "unknown";
  if (thing.kind === "Node") return thing.ready === "True" ? (thing.unschedulable ? "pending" : "ready") : "unknown";
  if (thing.kind === "Service") return thing.system || !selects(thing) || (thing.endpoints ?? []).some((one) => one.ready) ? "ready" : "failing";
  if (thing.kind === "Traffic") return (thing.failed ?? 0) > 0 ? "failing" : "ready";
  return (thing.ready ?? 0) >= (thing.replicas ?? 0) ? "ready" : "pending";
}

/** One short state, for a chip. @param {Thing} thing @param {T} t */
export function stateText(thing, t) {
  if (thing.kind === "Pod") return thing.status ?? thing.state ?? "";
  if (thing.kind === "Node") return thing.ready === "True" ? (thing.unschedulable ? "Ready,SchedulingDisabled" : "Ready") : "NotReady";
  if (thing.kind === "Service" && !selects(thing)) return thing.type ?? "";
  if (thing.kind === "Service") return t("service.ready", { ready: (thing.endpoints ?? []).filter((one) => one.ready).length, all: (thing.endpoints ?? []).length });
  if (thing.kind === "Traffic") return `${thing.rate}/s`;
  return `${thing.ready ?? 0}/${thing.replicas ?? 0}`;
}
