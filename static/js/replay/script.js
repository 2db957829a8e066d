/**
 * The script of a replay: the server's steps come in, messages in the order in which they travel go out, each with the key of its
 * sentence and that sentence's parameters. Nothing here knows of words or pixels.
 *
 * @typedef {any} Step what server/live/replay.py tells of one request
 * @typedef {"request"|"send"|"authentication"|"authorization"|"admission"|"validation"|"etcd"|"cache"|"answer"|"watch"|"schedule"|"refused"} Kind
 * @typedef {{step: number, kind: Kind, stage: any}} Message `step` is the index into the steps
 */

/** In which the doors of the API server stand. */
export const DOORS = /** @type {const} */ (["authentication", "authorization", "admission", "validation"]);
/** Under a picture of so many actors each still has room for its name. */
export const MOST_ACTORS = 8;

/** @param {Step} step @param {string} name */
export const stage = (step, name) => step.stages.find((/** @type {any} */ one) => one.stage === name);

/**
 * The messages of the steps that are shown. The first step passes each door by itself; the others do so only if `doors`.
 * @param {Step[]} steps @param {boolean} doors @param {boolean} minor whether Events and Leases are shown @returns {Message[]}
 */
export function script(steps, doors, minor) {
  /** @type {Message[]} */
  const all = [];
  steps.forEach((step, at) => {
    if (step.minor && !minor) return;
    const say = (/** @type {Kind} */ kind, /** @type {any} */ told = null) => all.push({ step: at, kind, stage: told });
    if (step.scheduling) say("schedule", step.scheduling);
    const slowly = doors || at === 0;
    if (slowly || step.refused || step.read) {
      say("send");
      for (const told of step.stages) {
        if (told.code === "refused") say("refused", told);
        else if (told.stage !== "watch") say(told.stage, told);
      }
      if (!step.read && !step.refused) say("answer", { stage: "answer", code: step.event === "ADDED" || step.subresource === "binding" ? 201 : 200 });
    } else say("request");
    const watch = stage(step, "watch");
    if (watch && (slowly || watch.reacted.length)) say("watch", watch);
  });
  return all;
}

/**
 * Who stands in the picture: those who act, in the order in which they first do; when there are too many, those who do least are one.
 * @param {Step[]} steps @param {boolean} minor @returns {string[]}
 */
export function actors(steps, minor) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const step of steps) if (step.lane !== "people" && (minor || !step.minor)) counts.set(step.lane, (counts.get(step.lane) ?? 0) + 1);
  const first = [...counts.keys()];
  const kubelets = first.filter((name) => role(name) === "kubelet").sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  const names = first.map((name) => (role(name) === "kubelet" ? /** @type {string} */ (kubelets.shift()) : name));
  if (names.length <= MOST_ACTORS) return names;
  const kept = new Set([...counts].sort((a, b) => b[1] - a[1]).slice(0, MOST_ACTORS - 1).map(([name]) => name));
  return [...names.filter((name) => kept.has(name)), "others"];
}

/** Where an actor of that name stands. @param {string[]} shown @param {string} lane */
export const placed = (shown, lane) => (lane === "people" || shown.includes(lane) ? lane : shown.includes("others") ? "others" : null);

/** How the watch of a step reaches the picture: who hears, and who acts on it. @param {any} watch @param {string[]} shown */
export function fanOut(watch, shown) {
  const acts = new Set(watch.reacted.map((/** @type {any} */ one) => placed(shown, one.lane)).filter(Boolean));
  const hears = new Set(watch.watchers.map((/** @type {string} */ name) => (shown.includes(name) ? name : null)).filter(Boolean));
  for (const one of acts) hears.add(one);
  return { hears: [...hears], acts };
}

/** @param {string} lane */
export const role = (lane) => lane.split("/")[0];

/** The words of a step's sentence, the most telling first. @param {Step} step @returns {string[]} */
export function keys(step) {
  const who = role(step.lane);
  const what = step.subresource ? `${step.plural}/${step.subresource}` : step.plural;
  const verb = step.event === "DELETED" && step.verb !== "delete" ? "remove" : step.verb === "patch" ? "update" : step.verb;
  return [`replay.do.${who}.${verb}.${what}`, `replay.do.${verb}.${what}`, `replay.do.${who}.${verb}`, `replay.do.${verb}`, "replay.do.other"];
}

/** What a step's sentence speaks of. @param {Step} step */
export function facts(step) {
  const scaled = step.changed.find((/** @type {any} */ one) => one.path === "spec.replicas");
  return {
    client: step.client, user: step.user, kind: step.kind, name: step.name, verb: step.verb, method: step.method, plural: step.plural, node: step.node ?? step.lane.split("/")[1] ?? "",
    owner: step.owner ?? "", replicas: step.replicas ?? "", ready: step.ready ?? 0, current: step.current ?? 0, ends: step.ends ?? "", phase: step.waiting ?? step.phase ?? "",
    from: scaled?.from ?? "", to: scaled?.to ?? "", reason: step.reason ?? "", message: step.message ?? "", about: step.about ?? "", revision: step.revision, code: step.code ?? "",
    fields: step.changed.filter((/** @type {any} */ one) => !one.path.startsWith("metadata.generation")).slice(0, 3).map((/** @type {any} */ one) => one.path).join(", "), count: step.count ?? step.changes,
  };
}

/** The first of the keys that there are words for. @param {string[]} all @param {(key: string) => boolean} knows */
export const spoken = (all, knows) => all.find(knows) ?? all[all.length - 1];

/** A step's sentence. @param {Step} step @param {(key: string) => boolean} knows @returns {{key: string, params: any}} */
export function sentence(step, knows) {
  const all = keys(step);
  if (step.plural === "pods" && step.subresource === "status" && role(step.lane) === "kubelet") all.unshift(step.isReady ? "replay.do.kubelet.ready" : "replay.do.kubelet.status");
  if (step.verb === "update" || step.verb === "patch") {
    const scaled = step.changed.some((/** @type {any} */ one) => one.path === "spec.replicas");
    if (scaled) all.unshift(`replay.do.${role(step.lane)}.scale`, "replay.do.scale");
  }
  return { key: spoken(all, knows), params: facts(step) };
}

/** A message's sentence. @param {Message} message @param {Step} step @param {(key: string) => boolean} knows @returns {{key: string, params: any}} */
export function said(message, step, knows) {
  const told = message.stage;
  if (message.kind === "request" || message.kind === "send") return sentence(step, knows);
  if (message.kind === "schedule") {
    return { key: told.node ? "replay.say.schedule" : "replay.say.unschedulable", params: { node: told.node, name: step.name, passed: told.passed, rejected: told.rejected, tried: told.tried, message: told.message, score: told.scores[0]?.total ?? "" } };
  }
  if (message.kind === "refused") return { key: told.decoding ? "replay.say.refused.decoding" : `replay.say.refused.${told.stage}`, params: { ...told, client: step.client } };
  if (message.kind === "watch") {
    const names = [...new Set(told.reacted.map((/** @type {any} */ one) => one.lane))];
    return { key: names.length ? "replay.say.watch" : "replay.say.watchNobody", params: { count: told.watchers.length, plural: step.plural, type: told.code, names: names.join(", ") } };
  }
  const params = { ...told, client: step.client, plural: step.plural, by: (told.by ?? []).join(", "), kind: told.kind ?? step.kind };
  return { key: spoken([`replay.say.${told.stage}.${told.code}`, `replay.say.${told.stage}`], knows), params };
}

/** What is written on a message's envelope or arrow. @param {Message} message @param {Step} step */
export function label(message, step) {
  if (message.kind === "watch") return `WATCH ${step.event}`;
  if (message.kind === "answer") return `${message.stage.code}`;
  if (message.kind === "refused") return `${message.stage.status} ${message.stage.reason}`;
  return `${step.method} ${step.path}`;
}

/** How long a message travels at speed 1, in milliseconds. @param {Kind} kind */
export const span = (kind) => (kind === "request" ? 1700 : kind === "schedule" ? 600 : kind === "watch" || kind === "send" ? 1100 : 750);
/** How long it then rests so that its sentence can be read. @param {Kind} kind */
export const rest = (kind) => (kind === "request" || kind === "watch" ? 900 : kind === "schedule" ? 2600 : 1700);
