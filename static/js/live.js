/**
 * The wire: Socket.IO events in, what the page is told out. What keeps the scene right is sync.js; here is what opens the connection,
 * opens it again, and says how it is: "waiting" at first, "live", "lost" while it is tried again, "gone" when the server will not.
 */
import { io } from "../vendor/socket.io.js";
import { Sync } from "./sync.js";

export class Live {
  /** @param {string} room @param {string} key @param {import("./scene.js").Scene} scene @param {import("./virtualtime.js").VirtualTime} time */
  constructor(room, key, scene, time) {
    /** @type {Record<string, ((...args: any[]) => void)[]>} */
    this.listeners = {};
    /** What was told last: how it stands. @type {Map<string, any[]>} */
    this.told = new Map();
    const socket = (this.socket = io({ auth: { room, key }, transports: ["websocket", "polling"], reconnectionDelayMax: 4000 }));
    const sync = (this.sync = new Sync(scene, time, {
      send: (event, data) => (event === "join" ? socket.emit(event, data, (/** @type {any} */ told) => sync.joined(told)) : socket.emit(event, data)),
      later: (run, wait) => {
        const timer = setTimeout(run, wait);
        return () => clearTimeout(timer);
      },
      tell: (event, ...args) => this.#tell(event, ...args),
    }));
    socket.on("connect", () => {
      sync.connect();
      this.#tell("state", "live");
    });
    socket.on("disconnect", (/** @type {string} */ reason) => {
      sync.disconnect();
      this.#tell("state", "lost");
      if (reason === "io server disconnect") socket.connect();
    });
    socket.on("connect_error", (/** @type {Error & {data?: {code?: number}}} */ error) => this.#tell("state", socket.active ? "lost" : "gone", error.message, error.data?.code));
    socket.on("snapshot", (/** @type {import("./types").Snapshot} */ snapshot) => sync.snapshot(snapshot));
    socket.on("diff", (/** @type {import("./types").Diff} */ diff) => sync.diff(diff));
    socket.on("clock", (/** @type {any} */ clock) => sync.tick(clock));
    socket.on("people", (/** @type {{count: number}} */ people) => this.#tell("people", people.count));
    addEventListener("online", () => this.again());
  }

  /** The kept revision that is looked at; null: now. */
  get past() {
    return this.sync.past;
  }

  /** The room's own clock, whatever is looked at. */
  get clock() {
    return this.sync.clock;
  }

  /** @param {number} revision @param {import("./types").Snapshot} snapshot */
  look(revision, snapshot) {
    this.sync.look(revision, snapshot);
  }

  return() {
    this.sync.return();
  }

  /** Tries to connect at once instead of when its turn is. */
  again() {
    if (this.socket.connected) return;
    this.socket.disconnect();
    this.socket.connect();
  }

  /**
   * "state" (state, reason, HTTP status of it), "people" (count), "clock", "past" (revision or null), "loaded" (a snapshot came), "heard" (signals, also while the past is looked at).
   * Who comes late soon hears how it stands.
   * @param {string} event @param {(...args: any[]) => void} listener
   */
  on(event, listener) {
    (this.listeners[event] ??= []).push(listener);
    const told = this.told.get(event);
    if (told) queueMicrotask(() => listener(...told));
  }

  /** @param {string} event @param {...any} args */
  #tell(event, ...args) {
    if (event !== "heard") this.told.set(event, args);
    for (const listener of this.listeners[event] ?? []) listener(...args);
  }
}
