/**
 * What happens now, in the control-plane view: the scene's signals come in, envelopes that are born, travel and end go out. Who acted
 * of late stands in the picture; what is too much to follow is counted.
 */
import { parseId } from "../scene.js";
import { station } from "../canvas/rail.js";
import { places, ways } from "./places.js";
import { MOST_ACTORS } from "./script.js";
import { ease } from "./shown.js";

const LIFE = 1500;
const GAP = 260;
const MOST = 24;
const LOG = 60;
const QUIET = ["Event", "Lease"];

export class Now {
  /** @param {import("../scene.js").Scene} scene @param {any} stage @param {() => void} changed */
  constructor(scene, stage, changed) {
    this.scene = scene;
    this.stage = stage;
    this.changed = changed;
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
    /** @type {(() => void)|null} */
    this.stop = null;
    this.restart();
  }

  restart() {
    /** @type {{born: number, lane: string, signal: any}[]} */
    this.letters = [];
    /** @type {string[]} who acted, the latest last */
    this.seen = ["deployment-controller", "replicaset-controller", "kube-scheduler", ...this.scene.ofKind("Node").slice(0, 3).map(([, node]) => `kubelet/${node.name}`)];
    /** @type {any[]} */
    this.log = [];
    /** @type {Map<string, number>} */
    this.counts = new Map();
  }

  /** @param {boolean} on */
  listen(on) {
    this.stop?.();
    this.stop = on ? this.scene.listen((update) => this.#hear(update.signals)) : null;
    if (on) this.restart();
  }

  get moving() {
    return this.letters.length > 0;
  }

  /** @param {any[]} signals */
  #hear(signals) {
    const now = performance.now();
    let last = Math.max(now, ...this.letters.map((one) => one.born));
    for (const signal of signals) {
      if (signal.type !== "request" || QUIET.includes(parseId(signal.thing).kind)) continue;
      const lane = this.#lane(signal);
      this.counts.set(lane, (this.counts.get(lane) ?? 0) + 1);
      if (lane !== "people" && !this.seen.includes(lane)) {
        if (this.seen.length >= MOST_ACTORS) this.seen.splice(this.seen.findIndex((one) => !this.letters.some((letter) => letter.lane === one)) >>> 0, 1);
        this.seen.push(lane);
      }
      const { kind, name } = parseId(signal.thing);
      const event = signal.verb === "create" ? "ADDED" : signal.verb === "delete" && !this.scene.get(signal.thing) ? "DELETED" : "MODIFIED";
      const travels = !this.still.matches && this.letters.length < MOST;
      if (travels) this.letters.push({ born: (last += this.letters.length ? GAP : 0), lane, signal });
      this.log.push({ revision: signal.revision, event, kind, name, at: -1, from: travels ? last + LIFE * 0.97 : 0 });
    }
    this.log = this.log.slice(-LOG);
    this.changed();
  }

  /** @param {any} signal */
  #lane(signal) {
    const who = station(signal.client);
    if (who === "people") return "people";
    if (who !== "kubelet") return signal.client;
    const { kind, name } = parseId(signal.thing);
    return `kubelet/${kind === "Node" ? name : this.scene.get(signal.thing)?.node ?? ""}`;
  }

  /** @param {import("./places.js").Places} before @param {(name: string) => boolean} healthy @param {string} others @returns {import("./picture.js").Shown} */
  state(before, healthy, others) {
    const now = performance.now();
    this.letters = this.letters.filter((one) => now - one.born < LIFE);
    const p = this.places?.(this.seen) ?? before;
    const letters = this.letters.filter((one) => now >= one.born).flatMap((one) => {
      const { kind, name } = parseId(one.signal.thing);
      const [way] = ways(p, { step: 0, kind: "request", stage: null }, {}, one.lane);
      return way ? [{ points: way.points, part: ease((now - one.born) / LIFE), kind, name, label: this.letters.length < 6 ? `${one.signal.verb} ${kind}` : "", open: { revision: one.signal.revision } }] : [];
    });
    const log = this.log.filter((one) => one.from <= now);
    const here = new Set(this.letters.filter((one) => now >= one.born && now - one.born < LIFE / 2).map((one) => one.lane));
    return { names: this.seen, log, revision: log.at(-1)?.revision ?? (this.log.length ? "" : this.stage.revision), doors: ["", "", "", ""], here, letters, scheduling: null, healthy, counts: this.counts, current: -2 };
  }

  /** Where things stand for these names; set by who knows the picture's size. @type {((names: string[]) => import("./places.js").Places)|null} */
  places = null;
}
