/**
 * What a person types to find things, as a test of a thing: words, label selectors, and fields such as `ns:dev kind:pod state:crashloop`.
 * A text comes in, a predicate, the things it fits and what might be typed next come out. All that stands in a text must be true; a term
 * that is still being typed rules nothing out. Knows nothing of the page.
 *
 * @typedef {import("./types").Thing} Thing
 * @typedef {import("./scene.js").Scene} Scene
 * @typedef {(id: string, thing: Thing) => boolean} Test
 * @typedef {{from: number, to: number, test: Test|null}} Term
 */
import { tone, troubles } from "./facts.js";

/** What is no thing to look for. */
const UNSOUGHT = new Set(["Namespace", "Component", "Fault"]);
const MOST_SUGGESTED = 8;
/** Milliseconds that a search takes of a frame, and how many things it looks at before it asks for the time. */
const SLICE = 6;
const AT_ONCE = 250;
/** So many things are looked at for what they suggest. */
const MOST_SAMPLED = 1500;

/** kubectl's short names. @type {Record<string, string>} */
const SHORT = {
  po: "pod", no: "node", svc: "service", deploy: "deployment", rs: "replicaset", sts: "statefulset", ds: "daemonset", rc: "replicationcontroller", cj: "cronjob", ing: "ingress",
  netpol: "networkpolicy", hpa: "horizontalpodautoscaler", pdb: "poddisruptionbudget", pvc: "persistentvolumeclaim", pv: "persistentvolume", ingresses: "ingress", networkpolicies: "networkpolicy",
};

/** Whether somebody should look at it. @param {Thing} thing */
export function wrong(thing) {
  const found = tone(thing);
  if (thing.kind === "Node") return found === "unknown" || troubles(thing).length > 0;
  return found === "failing" || (thing.kind === "Pod" && (thing.state === "lost" || (thing.state === "unscheduled" && !!thing.message)));
}

/** @type {Record<string, (thing: Thing) => boolean>} */
const IS = {
  wrong, ready: (thing) => tone(thing) === "ready", waiting: (thing) => tone(thing) === "pending", done: (thing) => tone(thing) === "done", system: (thing) => !!thing.system,
};

/** Kinds, states and images are few: each is made small once. @type {Map<string, string>} */
const small = new Map();
const MOST_SMALL = 5000;

/** @param {string|undefined} text @param {string} wanted in lower case */
function holds(text, wanted) {
  if (!text) return false;
  let lower = small.get(text);
  if (lower === undefined) {
    if (small.size > MOST_SMALL) small.clear();
    small.set(text, (lower = text.toLowerCase()));
  }
  return lower.includes(wanted);
}

/** @param {Thing} thing @param {string} wanted */
function pictured(thing, wanted) {
  for (const one of thing.containers ?? []) if (holds(one.image, wanted)) return true;
  return holds(thing.image, wanted);
}

/** @param {Thing} thing @param {string} wanted */
const stands = (thing, wanted) => holds(thing.state, wanted) || holds(thing.status, wanted) || holds(thing.phase, wanted) || holds(thing.ended, wanted) || (thing.kind === "Node" && holds(thing.ready === "True" ? "Ready" : "NotReady", wanted))
  || (!!thing.unschedulable && "schedulingdisabled".includes(wanted)) || (!!thing.suspended && "suspended".includes(wanted));

/** @type {Record<string, (value: string) => (thing: Thing) => boolean>} */
const FIELDS = {
  ns: (value) => (thing) => (thing.ns ?? "") === value,
  kind: (value) => {
    const kind = SHORT[value] ?? SHORT[value.replace(/s$/, "")] ?? value;
    return (thing) => thing.kind.toLowerCase() === kind || `${thing.kind.toLowerCase()}s` === kind;
  },
  node: (value) => (thing) => (thing.kind === "Node" ? thing.name : thing.node ?? "").toLowerCase().startsWith(value),
  state: (value) => (thing) => stands(thing, value),
  is: (value) => IS[Object.keys(IS).find((name) => name.startsWith(value)) ?? ""] ?? (() => false),
  image: (value) => (thing) => pictured(thing, value),
  name: (value) => (thing) => thing.name.toLowerCase().includes(value),
  owner: (value) => (thing) => (thing.owner ?? "").toLowerCase().includes(value),
};
const NAMES = { ...Object.fromEntries(Object.keys(FIELDS).map((name) => [name, name])), namespace: "ns" };

/** A term at the head of a text, what it means and how long it is: the first that fits. @type {[RegExp, (...groups: string[]) => Test|null][]} */
const TERMS = [
  [/^([\w./-]+)\s+(in|notin)\s*\(([^)]*)\)?/i, (key, how, list) => {
    const values = list.split(",").map((one) => one.trim()).filter(Boolean);
    if (!values.length) return null;
    return how.toLowerCase() === "in" ? (_, thing) => values.includes(thing.labels?.[key] ?? "\0") : (_, thing) => !!thing.labels && !values.includes(thing.labels[key]);
  }],
  [/^!([\w./-]+)/, (key) => (_, thing) => !!thing.labels && !(key in thing.labels)],
  [/^(-?)(\w+):("[^"]*"?|[^\s,]*)/, (minus, name, given) => {
    const field = FIELDS[/** @type {Record<string, string>} */ (NAMES)[name.toLowerCase()] ?? ""];
    if (!field) return word(minus, `${name}:${given}`);
    const value = bare(given).toLowerCase();
    if (!value) return null;
    const fits = field(value);
    return minus ? (_, thing) => !fits(thing) : (_, thing) => fits(thing);
  }],
  [/^([a-z0-9][\w./-]*)(!=|==?)([^\s,]*)/i, (key, how, value) => {
    if (!value) return (_, thing) => !!thing.labels && key in thing.labels;
    return how === "!=" ? (_, thing) => !!thing.labels && thing.labels[key] !== value : (_, thing) => thing.labels?.[key] === value;
  }],
  [/^(-?)("[^"]*"?|[^\s,"]+)/, (minus, given) => word(minus, given)],
];

/** @param {string} text */
const bare = (text) => text.replace(/^"|"$/g, "");

/** @param {string} minus @param {string} given @returns {Test|null} */
function word(minus, given) {
  const wanted = bare(given).toLowerCase();
  if (!wanted || wanted === "-") return null;
  const has = (/** @type {Thing} */ thing) => thing.name.includes(wanted) || holds(thing.kind, wanted) || !!thing.ns?.includes(wanted) || stands(thing, wanted) || pictured(thing, wanted);
  return minus ? (_, thing) => !has(thing) : (_, thing) => has(thing);
}

/** @param {string} text @returns {Term[]} */
export function parse(text) {
  /** @type {Term[]} */
  const terms = [];
  let at = 0;
  while (at < text.length) {
    const rest = text.slice(at);
    const gap = rest.match(/^[\s,]+/)?.[0].length ?? 0;
    if (gap) {
      at += gap;
      continue;
    }
    let long = 1;
    for (const [form, make] of TERMS) {
      const found = rest.match(form);
      if (!found) continue;
      long = found[0].length;
      terms.push({ from: at, to: at + long, test: make(...found.slice(1)) });
      break;
    }
    at += long;
  }
  return terms;
}

/** The test that a text stands for; null if it rules nothing out. @param {string} text @returns {Test|null} */
export function compile(text) {
  const tests = parse(text).flatMap((term) => term.test ?? []);
  return tests.length ? (id, thing) => tests.every((test) => test(id, thing)) : null;
}

/** Things by kind, namespace and name, w2 before w10. */
const NATURAL = new Intl.Collator("en", { numeric: true });

/** The things that a text fits, kept up with the scene: a change costs what it changes. */
export class Matches {
  /** @param {Scene} scene */
  constructor(scene) {
    this.scene = scene;
    /** @type {Test|null} */
    this.test = null;
    /** @type {Set<string>} */
    this.found = new Set();
    this.total = 0;
    /** @type {string[]|null} in order, made when asked for */
    this.ordered = null;
  }

  /** Looks at everything, for so many milliseconds at a time; in between the page may draw. @param {Test|null} test @returns {Generator<void>} */
  *seek(test, slice = SLICE) {
    this.test = test;
    /** @type {Set<string>} */
    const found = new Set();
    let total = 0;
    let seen = 0;
    let since = performance.now();
    for (const [id, thing] of this.scene.things) {
      if (!UNSOUGHT.has(thing.kind)) {
        total++;
        if (test?.(id, thing)) found.add(id);
      }
      if (++seen % AT_ONCE || performance.now() - since < slice) continue;
      yield;
      since = performance.now();
    }
    this.found = found;
    this.total = total;
    this.ordered = null;
  }

  /** @param {import("./scene.js").Change[]} changes */
  update(changes) {
    for (const { id, before, after } of changes) {
      if (UNSOUGHT.has((after ?? before)?.kind ?? "")) continue;
      this.total += Number(!!after) - Number(!!before);
      const had = this.found.has(id);
      const fits = !!after && !!this.test?.(id, after);
      if (had === fits) continue;
      if (fits) this.found.add(id);
      else this.found.delete(id);
      this.ordered = null;
    }
  }

  /** @returns {string[]} */
  get list() {
    return (this.ordered ??= [...this.found].sort(NATURAL.compare));
  }

  /** The match after (or before) a thing, round and round. @param {string|null} id @param {1|-1} way @returns {string|null} */
  next(id, way) {
    const list = this.list;
    if (!list.length) return null;
    const at = id === null ? -1 : list.indexOf(id);
    if (at < 0) return list[way > 0 ? 0 : list.length - 1];
    return list[(at + way + list.length) % list.length];
  }
}

/** What may stand where the cursor is: fields, then what fields and labels hold here. @param {string} text @param {number} cursor @param {Scene} scene @returns {{from: number, to: number, list: string[]}} */
export function suggest(text, cursor, scene) {
  const before = text.slice(0, cursor).match(/[^\s,]*$/)?.[0] ?? "";
  const from = cursor - before.length;
  const to = cursor + (text.slice(cursor).match(/^[^\s,]*/)?.[0].length ?? 0);
  const minus = before.startsWith("-") ? "-" : "";
  const start = before.slice(minus.length);
  const [, name, colon] = start.match(/^(\w+)(:)/) ?? [];
  /** @type {Set<string>} */
  const all = new Set();
  if (colon && name in NAMES) {
    for (const value of values(/** @type {Record<string, string>} */ (NAMES)[name], scene)) all.add(`${minus}${name}:${value}`);
  } else if (/[=]/.test(start)) {
    const key = start.replace(/!?=.*/, "");
    const sign = start.slice(key.length).match(/^!?=+/)?.[0] ?? "=";
    for (const [label, value] of sampled(scene)) if (label === key) all.add(`${key}${sign}${value}`);
  } else {
    if (!start || "is:wrong".startsWith(start)) all.add(`${minus}is:wrong`);
    for (const field of Object.keys(FIELDS)) all.add(`${minus}${field}:`);
    if (start && !minus) for (const [label] of sampled(scene)) all.add(`${label}=`);
  }
  const wanted = before.toLowerCase();
  return { from, to, list: [...all].filter((one) => one.toLowerCase().startsWith(wanted) && one !== before).slice(0, MOST_SUGGESTED) };
}

/** @param {Scene} scene @returns {Generator<[string, string]>} labels of pods and nodes, not all of very many */
function* sampled(scene) {
  let seen = 0;
  for (const thing of scene.things.values()) {
    for (const label of Object.entries(thing.labels ?? {})) yield label;
    if (++seen > MOST_SAMPLED) return;
  }
}

/** @param {string} field @param {Scene} scene @returns {string[]} */
function values(field, scene) {
  if (field === "is") return Object.keys(IS);
  if (field === "kind") return [...scene.kinds.keys()].filter((kind) => !UNSOUGHT.has(kind)).map((kind) => kind.toLowerCase()).sort();
  if (field === "node") return scene.ofKind("Node").map(([, node]) => node.name).sort(NATURAL.compare);
  const found = new Set();
  let seen = 0;
  for (const thing of scene.things.values()) {
    if (++seen > MOST_SAMPLED) break;
    if (field === "ns" && thing.ns) found.add(thing.ns);
    if (field === "state" && thing.state) found.add(thing.state);
    if (field === "image") for (const one of thing.containers ?? []) found.add(one.image);
    if (field === "owner" && thing.owner) found.add(thing.owner.split("/")[2]);
  }
  return [...found].sort(NATURAL.compare);
}
