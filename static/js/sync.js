/**
 * What keeps the page's scene that of the server. Snapshots, diffs, the room's clock and the state of the wire come in; what has to be
 * asked of the server goes out. A gap, another instance or a lost answer ends in a snapshot, asked for until it comes. While a kept
 * revision is looked at, the page's scene is that one and now is kept beside it, so that the way back needs nobody. No sockets here.
 *
 * @typedef {import("./types").Snapshot} Snapshot
 * @typedef {{send: (event: "join"|"resync", data: any) => void, later: (run: () => void, wait: number) => () => void,
 *   tell: (event: string, ...args: any[]) => void}} Wire `later` gives what cancels it
 */
import { Scene } from "./scene.js";
import { VirtualTime } from "./virtualtime.js";

/** How long an answer may take before it is asked for again, in milliseconds: at first, and at most. */
const PATIENCE = 2000;
const MOST_PATIENCE = 32000;

export class Sync {
  /** @param {Scene} scene what the page shows @param {VirtualTime} time when that is @param {Wire} wire */
  constructor(scene, time, wire) {
    this.scene = scene;
    this.time = time;
    this.wire = wire;
    /** The room's own clock, also while the page shows another time. */
    this.clock = new VirtualTime(time.wall);
    /** The revision that is looked at instead of now. @type {number|null} */
    this.past = null;
    /** Now, while something else is looked at. @type {Scene|null} */
    this.held = null;
    this.connected = false;
    this.patience = PATIENCE;
    /** @type {(() => void)|null} cancels the wait for an answer that is on its way */
    this.waiting = null;
  }

  /** The scene that follows the server. */
  get present() {
    return this.held ?? this.scene;
  }

  connect() {
    const { revision, instance } = this.present;
    this.connected = true;
    this.#deaf(false);
    this.wire.send("join", { since: revision < 0 ? null : revision, scene: instance });
    this.#wait();
  }

  disconnect() {
    this.connected = false;
    this.#deaf(true);
    this.#answered();
  }

  /** While the wire is broken time is not known to pass. @param {boolean} deaf */
  #deaf(deaf) {
    this.clock.listen(deaf);
    this.time.listen(deaf);
  }

  /** Where the server's scene was as it took us in. @param {{scene: string, revision: number}|undefined} told */
  joined(told) {
    const { revision, instance } = this.present;
    if (told && told.scene === instance && told.revision <= revision) this.#answered();
  }

  /** @param {Snapshot} snapshot */
  snapshot(snapshot) {
    const { present } = this;
    this.#answered();
    if (snapshot.scene === present.instance && snapshot.revision < present.revision) return;
    this.clock.reset(snapshot.time, snapshot.clock);
    if (!this.held) this.time.reset(snapshot.time, snapshot.clock);
    this.wire.tell("clock");
    if (this.held) this.held.load(snapshot);
    else this.scene.turn(snapshot);
    this.wire.tell("loaded");
  }

  /** @param {import("./types").Diff} diff */
  diff(diff) {
    const { present } = this;
    this.#hear(diff.time, diff.clock);
    const came = present.apply(diff);
    if (came === "gap" && !this.waiting) this.#ask();
    if (came === "applied" && diff.signals?.length) this.wire.tell("heard", diff.signals);
  }

  /** @param {import("./types").ClockState} clock */
  tick(clock) {
    this.#hear(clock.time ?? this.clock.heard, clock);
  }

  /** @param {number} time @param {import("./types").ClockState|undefined} clock */
  #hear(time, clock) {
    this.clock.hear(Math.max(time, this.clock.heard), clock);
    if (!this.held) this.time.hear(this.clock.heard, clock);
    if (clock) this.wire.tell("clock");
  }

  /** Shows the cluster as it was: the scene, and with it all of the page, is that of a kept revision. @param {number} revision @param {Snapshot} snapshot */
  look(revision, snapshot) {
    if (!this.held) {
      this.held = new Scene();
      if (this.scene.revision >= 0) this.held.load(this.scene.snapshot());
    }
    this.past = revision;
    this.time.reset(snapshot.time, { paused: true, speed: this.clock.speed });
    this.scene.turn(snapshot);
    this.wire.tell("past", revision);
    this.wire.tell("clock");
  }

  /** Back to now. */
  return() {
    const { held, clock } = this;
    if (!held) return;
    this.past = this.held = null;
    this.time.reset(clock.now, { paused: clock.paused, speed: clock.speed });
    if (held.revision < 0) this.scene.revision = -1;
    else this.scene.turn(held.snapshot());
    this.wire.tell("past", null);
    this.wire.tell("clock");
  }

  #ask() {
    if (!this.connected) return;
    this.wire.send("resync", {});
    this.#wait();
  }

  #wait() {
    this.waiting?.();
    this.waiting = this.wire.later(() => {
      this.waiting = null;
      this.patience = Math.min(MOST_PATIENCE, this.patience * 2);
      this.#ask();
    }, this.patience);
  }

  #answered() {
    this.waiting?.();
    this.waiting = null;
    this.patience = PATIENCE;
  }
}
