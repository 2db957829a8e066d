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
    this.shown = 0;
    this.hear(time, clock);
  }

  get now() {
    if (this.paused) return this.shown;
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
