/**
 * The wire: Socket.IO events in, scene updates out. A snapshot is loaded, a diff applied in order; at a gap the server is asked
 * for a snapshot and diffs are dropped until it comes. After a reconnect it joins from the revision it has.
 */
import { io } from "../vendor/socket.io.js";

/** How long an answer may take before it is asked for again, in milliseconds. */
const PATIENCE = 2000;

export class Live {
  /** @param {string} room @param {string} key @param {import("./scene.js").Scene} scene @param {import("./virtualtime.js").VirtualTime} time */
  constructor(room, key, scene, time) {
    this.scene = scene;
    this.time = time;
    this.asked = 0;
    /** The revision that is looked at instead of now; diffs are not heard meanwhile. @type {number|null} */
    this.past = null;
    /** @type {Record<string, ((...args: any[]) => void)[]>} */
    this.listeners = {};
    this.socket = io({ auth: { room, key }, transports: ["websocket", "polling"], reconnectionDelayMax: 4000 });
    this.socket.on("connect", () => {
      this.asked = performance.now();
      this.socket.emit("join", { since: scene.revision < 0 ? null : scene.revision, scene: scene.instance });
      this.#tell("state", "live");
    });
    this.socket.on("disconnect", () => this.#tell("state", "lost"));
    this.socket.on("connect_error", (/** @type {Error} */ error) => this.#tell("state", this.socket.active ? "lost" : "gone", error.message));
    this.socket.on("snapshot", (/** @type {import("./types").Snapshot} */ snapshot) => {
      this.asked = 0;
      if (this.past !== null) return;
      time.reset(snapshot.time, snapshot.clock);
      this.#tell("clock");
      scene.load(snapshot);
    });
    this.socket.on("diff", (/** @type {import("./types").Diff} */ diff) => this.#diff(diff));
    this.socket.on("clock", (/** @type {any} */ clock) => {
      time.hear(clock.time ?? time.heard, clock);
      this.#tell("clock");
    });
    this.socket.on("people", (/** @type {{count: number}} */ people) => this.#tell("people", people.count));
  }

  /** @param {import("./types").Diff} diff */
  #diff(diff) {
    if (this.past !== null) return;
    this.time.hear(diff.time, diff.clock);
    if (diff.clock) this.#tell("clock");
    const now = performance.now();
    if (this.scene.apply(diff) === "gap" && now - this.asked > PATIENCE) {
      this.asked = now;
      this.socket.emit("resync", {});
    }
  }

  /** Shows the cluster as it was: the scene, and with it all of the page, is that of a kept revision. @param {number} revision @param {import("./types").Snapshot} snapshot */
  look(revision, snapshot) {
    this.past = revision;
    this.time.reset(snapshot.time, { paused: true, speed: this.time.speed });
    this.scene.load(snapshot);
    this.#tell("past", revision);
    this.#tell("clock");
  }

  /** Back to now. */
  return() {
    if (this.past === null) return;
    this.past = null;
    this.#tell("past", null);
    this.socket.emit("resync", {});
  }

  /** @param {string} event @param {(...args: any[]) => void} listener */
  on(event, listener) {
    (this.listeners[event] ??= []).push(listener);
  }

  /** @param {string} event @param {...any} args */
  #tell(event, ...args) {
    for (const listener of this.listeners[event] ?? []) listener(...args);
  }
}
