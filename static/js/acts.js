/**
 * What can be done with things on the canvas, each as the kubectl that does it and the way back from it. Ids and the scene come in,
 * acts come out; nothing is run here and nothing of the page is known. An act is offered only where it makes sense for the thing's kind
 * and state. Names and what a person types are quoted for the shell.
 *
 * @typedef {import("./types").Thing} Thing
 * @typedef {import("./scene.js").Scene} Scene
 * @typedef {Record<string, any>} Values
 * @typedef {{name: string, kind: "text"|"number"|"choice"|"labels", value?: any, choices?: string[], least?: number, most?: number, optional?: boolean, hint?: string}} Field
 * @typedef {{id: string, group: string, params?: Record<string, any>, line?: string, fields?: Field[], make?: (values: Values) => string, danger?: boolean, holds?: boolean,
 *   reads?: boolean, page?: "edit"|"traffic"|"chaos"|"browser"|"heal"|"labels", warn?: string, no?: string, back?: string|((values: Values) => string)|null}} Act
 *   `line` is run as it is, `make` makes it from what is filled in; `holds`: it keeps the terminal; `reads`: it changes nothing; `warn`, `no`: message keys;
 *   `back` undoes it, null: Kubernetes cannot.
 */
import { grouped } from "./actions.js";
import { podOf, podsOf, scalerOf } from "./canvas/relations.js";
import { scalable, SCALED } from "./canvas/selection.js";

/** So many things one command names. */
export const MOST = 100;
const ROLLED = new Set(["Deployment", "StatefulSet", "DaemonSet"]);
const LOGGED = new Set(["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "ReplicationController", "Job"]);
const EXPOSED = new Set(["Pod", "Service", "Deployment", "ReplicaSet", "ReplicationController"]);
/** In this order a menu tells them. */
const GROUPS = ["read", "change", "network", "metadata", "page", "end"];
/** Namespaces that nobody may delete. */
const KEPT = new Set(["default", "kube-system", "kube-public"]);
/** What is no object of the API. */
const BARE = new Set(["Traffic", "Component", "Fault"]);

/** A word as a POSIX shell takes it unchanged; what would end the line is left out. @param {string|number} word */
export function quote(word) {
  const text = `${word}`.replace(/[\x00-\x1f\x7f]/g, "");
  return /^[\w./:@%+,=-]+$/.test(text) ? text : `'${text.replace(/'/g, "'\\''")}'`;
}

/** Things by namespace, as kubectl takes them: names after their kind, or kind/name. */
class Aim {
  /** @param {Scene} scene @param {string[]} ids @param {string} here the namespace that kubectl is in */
  constructor(scene, ids, here) {
    this.here = here;
    this.ids = ids;
    this.things = /** @type {Thing[]} */ (ids.map((id) => scene.get(id)).filter(Boolean));
    this.kinds = new Set(this.things.map((one) => one.kind));
    this.one = this.things.length === 1 ? this.things[0] : null;
  }

  /** @param {Thing} thing */
  flag(thing) {
    return !thing.ns || thing.ns === this.here ? "" : ` -n ${quote(thing.ns)}`;
  }

  /** One command a namespace. @param {(names: string, flag: string) => string} make @param {boolean} [slash] kind/name always @param {Thing[]} [things] */
  each(make, slash = false, things = this.things) {
    return [...grouped(things, (one) => one.ns ?? "").values()].map((group) => {
      const same = !slash && new Set(group.map((one) => one.kind)).size === 1;
      const names = same ? [group[0].kind.toLowerCase(), ...group.map((one) => quote(one.name))] : group.map((one) => `${one.kind.toLowerCase()}/${quote(one.name)}`);
      return make(names.join(" "), this.flag(group[0]));
    }).filter(Boolean).join(" && ");
  }

  /** The command for each value that things have in common. @template V @param {(thing: Thing) => V} value @param {(value: V, names: string, flag: string) => string} make @param {boolean} [slash] */
  per(value, make, slash = true) {
    const groups = grouped(this.things, (one) => JSON.stringify(value(one)));
    return [...groups.values()].map((group) => this.each((names, flag) => make(value(group[0]), names, flag), slash, group)).filter(Boolean).join(" && ");
  }
}

/** `k=v` for what is set, `k-` for what goes. @param {Record<string, string|null>} changes */
export const pairs = (changes) => Object.entries(changes).map(([key, value]) => (value === null ? `${quote(key)}-` : quote(`${key}=${value}`))).join(" ");

/** What brings labels back to how they were. @param {Record<string, string>} before @param {Record<string, string|null>} changes */
export const restored = (before, changes) => Object.fromEntries(Object.keys(changes).filter((key) => (before[key] ?? null) !== changes[key]).map((key) => [key, before[key] ?? null]));

/** Text such as `a=b c-` as changes; null where it is none. @param {string} text @returns {Record<string, string|null>|null} */
export function changed(text) {
  /** @type {Record<string, string|null>} */
  const changes = {};
  for (const word of text.trim().split(/[\s,]+/).filter(Boolean)) {
    const set = word.match(/^([\w./-]+?)=(.*)$/);
    const gone = word.match(/^([\w./-]+)-$/);
    if (set) changes[set[1]] = set[2];
    else if (gone) changes[gone[1]] = null;
    else return null;
  }
  return Object.keys(changes).length ? changes : null;
}

/** Everything that can be done with these things now. @param {Scene} scene @param {string[]} ids @param {string} [here] the namespace that kubectl is in @returns {Act[]} */
export function acts(scene, ids, here = "default") {
  const aim = new Aim(scene, ids.slice(0, MOST + 1), here);
  if (!aim.things.length) return [];
  if (ids.length > MOST) return [{ id: "many", group: "change", no: "act.tooMany", params: { count: MOST } }];
  if (aim.things.some((one) => BARE.has(one.kind))) return aim.one ? bare(aim.one) : [];
  const only = aim.kinds.size === 1 ? [...aim.kinds][0] : "";
  const found = [
    ...(aim.one ? reads(scene, aim, aim.one) : []),
    ...(only === "Node" ? nodes(aim) : []),
    ...(SCALED.has(only) && aim.things.every(scalable) ? [scale(scene, aim)] : []),
    ...([...aim.kinds].every((kind) => ROLLED.has(kind)) ? rolls(scene, aim) : []),
    ...(aim.one ? alone(scene, aim, aim.one) : []),
    ...metadata(aim),
    ...ends(aim),
  ];
  return found.sort((a, b) => GROUPS.indexOf(a.group) - GROUPS.indexOf(b.group));
}

/** What is no object: a source of traffic, a part of the control plane, a fault. @param {Thing} thing @returns {Act[]} */
function bare(thing) {
  if (thing.kind === "Component") return [{ id: "chaos", group: "page", page: "chaos" }];
  if (thing.kind === "Fault") return [{ id: "heal", group: "page", page: "heal" }];
  return [{ id: "traffic", group: "page", page: "traffic" }];
}

/** @param {Scene} scene @param {Aim} aim @param {Thing} thing @returns {Act[]} */
function reads(scene, aim, thing) {
  const kind = thing.kind.toLowerCase();
  const [name, flag] = [quote(thing.name), aim.flag(thing)];
  /** @type {Act[]} */
  const found = [];
  /** @param {string} id @param {string} line @param {Partial<Act>} [more] */
  const read = (id, line, more) => found.push({ id, group: "read", line: `kubectl ${line}${flag}`, reads: true, ...more });
  if (thing.kind === "Pod") {
    const all = (thing.containers?.length ?? 1) > 1 ? " --all-containers" : "";
    const no = thing.node ? {} : { no: "act.noNode" };
    read("logs", `logs ${name}${all}`, no);
    read("follow", `logs -f ${name}${all}`, { holds: true, ...no });
    if (thing.restarts) read("previous", `logs --previous ${name}${all}`);
    const into = (thing.containers ?? []).find((one) => one.state === "running");
    read("shell", `exec -it ${name}${(thing.containers?.length ?? 1) > 1 && into ? ` -c ${quote(into.name)}` : ""}`, { holds: true, ...(into ? {} : { no: "act.notRunning" }) });
    const act = /** @type {Act} */ (found.at(-1));
    act.line += " -- sh";
  } else if (LOGGED.has(thing.kind)) read("logs", `logs ${kind}/${name}`, podsOf(scene, aim.ids[0]).some((pod) => pod.node) ? {} : { no: "act.noPods" });
  read("describe", `describe ${kind} ${name}`);
  if (thing.kind === "Node") read("podsOn", `get pods -A -o wide --field-selector ${quote(`spec.nodeName=${thing.name}`)}`);
  if (thing.kind === "Service") read("slices", `get endpointslices -l ${quote(`kubernetes.io/service-name=${thing.name}`)}`);
  if (ROLLED.has(thing.kind)) read("history", `rollout history ${kind}/${name}`);
  if (ROLLED.has(thing.kind)) read("status", `rollout status ${kind}/${name}`, { holds: true });
  return found;
}

/** @param {Aim} aim @returns {Act[]} */
function nodes(aim) {
  const names = aim.things.map((one) => quote(one.name)).join(" ");
  const [open, shut] = [aim.things.filter((one) => !one.unschedulable), aim.things.filter((one) => one.unschedulable)].map((list) => list.map((one) => quote(one.name)).join(" "));
  /** @type {Act[]} */
  const found = [];
  if (open) found.push({ id: "cordon", group: "change", line: `kubectl cordon ${open}`, back: `kubectl uncordon ${open}` });
  if (shut) found.push({ id: "uncordon", group: "change", line: `kubectl uncordon ${shut}`, back: `kubectl cordon ${shut}` });
  found.push({ id: "drain", group: "change", danger: true, warn: "act.warn.drain", line: `kubectl drain ${names} --ignore-daemonsets --delete-emptydir-data`, back: open ? `kubectl uncordon ${open}` : null });
  found.push({
    id: "taint", group: "change",
    fields: [{ name: "key", kind: "text", hint: "dedicated" }, { name: "value", kind: "text", optional: true }, { name: "effect", kind: "choice", choices: ["NoSchedule", "PreferNoSchedule", "NoExecute"], value: "NoSchedule" }],
    make: ({ key, value, effect }) => (key ? `kubectl taint nodes ${names} ${quote(`${key}${value ? `=${value}` : ""}:${effect}`)}` : ""),
    back: ({ key, effect }) => `kubectl taint nodes ${names} ${quote(`${key}:${effect}-`)}`,
  });
  for (const taint of aim.one?.taints?.slice(0, 4) ?? []) {
    const [key, effect] = [taint.split(/[=:]/)[0], taint.split(":").at(-1)];
    if (key.startsWith("node.kubernetes.io/")) continue;
    found.push({ id: "untaint", group: "change", params: { taint }, line: `kubectl taint nodes ${names} ${quote(`${key}:${effect}-`)}`, back: `kubectl taint nodes ${names} ${quote(taint)}` });
  }
  return found;
}

/** @param {Scene} scene @param {Aim} aim @returns {Act} */
function scale(scene, aim) {
  const scaler = aim.one ? scalerOf(scene, aim.ids[0])?.[1] : undefined;
  return {
    id: "scale", group: "change", fields: [{ name: "replicas", kind: "number", value: aim.things[0].replicas ?? 1, least: 0, most: 5000 }], warn: scaler ? "act.warn.scaler" : undefined, params: scaler ? { scaler: scaler.name } : {},
    make: ({ replicas }) => (replicas === "" ? "" : aim.each((names, flag) => `kubectl scale ${names} --replicas=${Number(replicas)}${flag}`, true)),
    back: () => aim.per((one) => one.replicas ?? 1, (count, names, flag) => `kubectl scale ${names} --replicas=${count}${flag}`),
  };
}

/** @param {Scene} scene @param {Aim} aim @returns {Act[]} */
function rolls(scene, aim) {
  const undo = aim.each((names, flag) => `kubectl rollout undo ${names}${flag}`, true);
  /** @type {Act[]} */
  const found = [];
  const { one } = aim;
  if (one) {
    const [target, flag] = [`${one.kind.toLowerCase()}/${quote(one.name)}`, aim.flag(one)];
    const known = podOf(scene, aim.ids[0])?.containers ?? [];
    const choices = known.length ? known.map((each) => each.name) : ["*"];
    const image = known[0]?.image ?? one.image ?? "";
    found.push({
      id: "image", group: "change", fields: [...(choices.length > 1 ? [/** @type {Field} */ ({ name: "container", kind: "choice", choices, value: choices[0] })] : []), { name: "image", kind: "text", value: image, hint: "nginx:1.27" }],
      make: (values) => (values.image ? `kubectl set image ${target} ${quote(`${values.container ?? choices[0]}=${values.image}`)}${flag}` : ""), back: !one.paused ? undo : image ? `kubectl set image ${target} ${quote(`${choices[0]}=${image}`)}${flag}` : null,
    });
    if (one.kind === "Deployment") found.push(one.paused ? { id: "resume", group: "change", line: `kubectl rollout resume ${target}${flag}`, back: `kubectl rollout pause ${target}${flag}` }
      : { id: "pause", group: "change", line: `kubectl rollout pause ${target}${flag}`, back: `kubectl rollout resume ${target}${flag}` });
    const first = one.kind === "Deployment" && scene.ownedBy(aim.ids[0], "ReplicaSet").length < 2;
    found.push({ id: "undo", group: "change", line: undo, back: undo, no: first ? "act.noHistory" : one.paused ? "act.isPaused" : undefined });
  }
  found.push({ id: "restart", group: "change", line: aim.each((names, flag) => `kubectl rollout restart ${names}${flag}`, true), back: undo, no: aim.things.some((each) => each.paused) ? "act.isPaused" : undefined });
  return found;
}

/** What is done with one thing alone. @param {Scene} scene @param {Aim} aim @param {Thing} thing @returns {Act[]} */
function alone(scene, aim, thing) {
  const kind = thing.kind.toLowerCase();
  const [name, flag] = [quote(thing.name), aim.flag(thing)];
  /** @type {Act[]} */
  const found = [];
  if ((thing.kind === "Deployment" || thing.kind === "StatefulSet") && !scalerOf(scene, aim.ids[0])) found.push({
    id: "autoscale", group: "change", fields: [{ name: "min", kind: "number", value: 1, least: 1 }, { name: "max", kind: "number", value: Math.max(5, thing.replicas ?? 1), least: 1 }, { name: "cpu", kind: "number", value: 80, least: 1 }],
    make: ({ min, max, cpu }) => (min && max && cpu ? `kubectl autoscale ${kind} ${name} --min=${Number(min)} --max=${Number(max)} --cpu=${Number(cpu)}%${flag}` : ""), back: `kubectl delete hpa ${name}${flag}`,
  });
  if (thing.kind === "CronJob") {
    const patch = (/** @type {boolean} */ suspend) => `kubectl patch cronjob ${name}${flag} -p '{"spec":{"suspend":${suspend}}}'`;
    const job = (/** @type {number} */ n) => `${thing.name.slice(0, 50)}-manual-${n}`;
    let n = 1;
    while (scene.get(`Job/${thing.ns}/${job(n)}`)) n++;
    found.push({ id: "run", group: "change", line: `kubectl create job ${quote(job(n))} --from=cronjob/${name}${flag}`, back: `kubectl delete job ${quote(job(n))}${flag}` });
    found.push({ id: thing.suspended ? "unsuspend" : "suspend", group: "change", line: patch(!thing.suspended), back: patch(!!thing.suspended) });
  }
  if (thing.kind === "Job" && !thing.ended) {
    const patch = (/** @type {boolean} */ suspend) => `kubectl patch job ${name}${flag} -p '{"spec":{"suspend":${suspend}}}'`;
    found.push({ id: thing.suspended ? "unsuspend" : "suspend", group: "change", line: patch(!thing.suspended), back: patch(!!thing.suspended) });
  }
  const port = thing.ports?.[0]?.port ?? 80;
  if (EXPOSED.has(thing.kind)) found.push({
    id: "expose", group: "network", fields: [{ name: "port", kind: "number", value: port, least: 1, most: 65535 }, { name: "targetPort", kind: "text", optional: true }, { name: "type", kind: "choice", choices: ["ClusterIP", "NodePort", "LoadBalancer"], value: "ClusterIP" }, { name: "name", kind: "text", value: thing.kind === "Service" || scene.get(`Service/${thing.ns}/${thing.name}`) ? `${thing.name}-2` : thing.name }],
    make: (v) => (v.port && v.name ? `kubectl expose ${kind} ${name} --port=${Number(v.port)}${v.targetPort ? ` --target-port=${quote(v.targetPort)}` : ""}${v.type === "ClusterIP" ? "" : ` --type=${v.type}`}${v.name === thing.name ? "" : ` --name=${quote(v.name)}`}${flag}` : ""),
    back: (v) => `kubectl delete service ${quote(v.name)}${flag}`,
  });
  if (thing.kind === "Pod" || thing.kind === "Service" || thing.kind === "Deployment" || thing.kind === "ReplicaSet" || thing.kind === "StatefulSet") found.push({
    id: "forward", group: "network", holds: true, reads: true, no: serving(scene, aim.ids[0], thing) ? undefined : thing.kind === "Pod" ? "act.notRunning" : "act.noPods", fields: [{ name: "local", kind: "number", value: port < 1024 ? 8000 + port : port, least: 1, most: 65535 }, { name: "remote", kind: "number", value: port, least: 1, most: 65535 }],
    make: ({ local, remote }) => (local && remote ? `kubectl port-forward ${kind}/${name} ${Number(local)}:${Number(remote)}${flag}` : ""),
  });
  if (thing.kind === "Service" || (thing.kind === "Pod" && thing.ip) || thing.kind === "Ingress") found.push({ id: "traffic", group: "page", page: "traffic" });
  found.push({ id: "edit", group: "metadata", page: "edit", line: `kubectl get ${kind} ${name}${flag} -o yaml`, reads: true });
  if ((thing.kind === "Pod" && thing.node) || thing.kind === "Node") found.push({ id: "chaos", group: "page", page: "chaos" });
  return found;
}

/** Whether a thing has a pod that runs, to forward a port to. @param {Scene} scene @param {string} id @param {Thing} thing */
const serving = (scene, id, thing) => (thing.kind === "Pod" ? [thing] : thing.kind === "Service" ? (thing.endpoints ?? []).map((one) => scene.get(one.pod)) : podsOf(scene, id)).some((pod) => pod?.phase === "Running");

/** @param {Aim} aim @returns {Act[]} */
function metadata(aim) {
  /** Changes as text, `a=b old-`, or as they are. @param {Values} values @returns {Record<string, string|null>} */
  const given = ({ changes }) => (typeof changes === "string" ? changed(changes) : changes) ?? {};
  /** @param {string} verb @param {Record<string, string|null>} changes @param {string} names @param {string} flag */
  const line = (verb, changes, names, flag) => (Object.keys(changes).length ? `kubectl ${verb} ${names} ${pairs(changes)} --overwrite${flag}` : "");
  /** @param {string} verb @param {(thing: Thing) => Record<string, string>|undefined} known @returns {Act} */
  const change = (verb, known) => ({
    id: verb, group: "metadata", fields: [{ name: "changes", kind: "labels", value: "", hint: "tier=front old-" }],
    make: (values) => aim.each((names, flag) => line(verb, given(values), names, flag)),
    back: (values) => aim.per((one) => restored(values.before?.[aim.ids[aim.things.indexOf(one)]] ?? known(one) ?? {}, given(values)), (way, names, flag) => line(verb, way, names, flag), false),
  });
  return [change("label", (one) => one.labels), change("annotate", () => ({}))];
}

/** @param {Aim} aim @returns {Act[]} */
function ends(aim) {
  const owned = aim.things.some((one) => one.kind === "Pod" && one.owner);
  const warn = aim.kinds.has("Node") ? "act.warn.node" : owned ? "act.warn.comesBack" : aim.things.some((one) => SCALED.has(one.kind) || one.kind === "DaemonSet" || one.kind === "Job") ? "act.warn.cascades"
    : aim.kinds.has("PersistentVolumeClaim") ? "act.warn.claim" : undefined;
  /** @type {Act[]} */
  const found = [{ id: "delete", group: "end", danger: true, warn, no: aim.things.some((one) => one.kind === "Namespace" && KEPT.has(one.name)) ? "act.keptNamespace" : undefined, line: aim.each((names, flag) => `kubectl delete ${names}${flag}`), back: null }];
  if ([...aim.kinds].every((kind) => kind === "Pod")) found.push({ id: "kill", group: "end", danger: true, warn: "act.warn.force", line: aim.each((names, flag) => `kubectl delete ${names} --grace-period=0 --force${flag}`), back: null });
  return found;
}
