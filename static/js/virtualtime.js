/**
 * What time it is in the cluster, between two messages from the server: the last time heard plus wall time at the room's speed,
 * never running backwards and never far past the last word, standing still while paused.
 */
export class VirtualTime {
  /** @param {() => number} wall milliseconds */
  constructor(wall = () => performance.now()) {
    this.wall = wall;
    this.paused = false;
    this.speed = 1;
    this.heard = 0;
    this.at = wall();
    this.shown = 0;
    /** Whether nothing is heard of it at present: then it stands. */
    this.deaf = false;
  }

  /** Stands while nothing is heard, and goes on from there. @param {boolean} deaf */
  listen(deaf) {
    this.shown = this.now;
    this.deaf = deaf;
    this.heard = this.shown;
    this.at = this.wall();
  }

  /** @param {number} time @param {import("./types").ClockState} [clock] */
  hear(time, clock) {
    if (clock && this.paused !== clock.paused) this.shown = Math.min(this.shown, time + 1);
    if (clock) ({ paused: this.paused, speed: this.speed } = clock);
    this.heard = time;
    this.at = this.wall();
    if (this.paused) this.shown = time;
  }

  /** Forgets what was shown: the room's time may have gone anywhere. @param {number} time @param {import("./types").ClockState} [clock] */
  reset(time, clock) {
    this.shown = time;
    this.hear(time, clock);
  }

  get now() {
    if (this.paused || this.deaf) return this.shown;
    this.shown = Math.max(this.shown, this.heard + ((this.wall() - this.at) / 1000) * this.speed);
    return this.shown;
  }
}

/** As kubectl writes a span of time. @param {number} seconds */
export function duration(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 120) return `${s}s`;
  if (s < 7200) return `${Math.floor(s / 60)}m${s % 60 && s < 600 ? `${s % 60}s` : ""}`;
  return s < 172800 ? `${Math.floor(s / 3600)}h` : `${Math.floor(s / 86400)}d`;
}

/** A moment as a clock shows it. @param {number} seconds @param {boolean} [tenths] */
export function clockTime(seconds, tenths = false) {
  const all = tenths ? Math.floor(Math.abs(seconds) * 10 + 1e-6) / 10 : Math.floor(Math.abs(seconds));
  const two = (/** @type {number} */ n) => `${Math.floor(n)}`.padStart(2, "0");
  const days = Math.floor(all / 86400);
  return `${seconds < 0 ? "−" : ""}${days ? `${days}d ` : ""}${two((all / 3600) % 24)}:${two((all / 60) % 60)}:${two(all % 60)}${tenths ? `.${Math.round(all * 10) % 10}` : ""}`;
}
