/** The room over HTTP. Every failure is an Error whose message can be shown; while the past is looked at, nothing that changes the room goes out. */
import { t } from "./i18n.js";

export class Api {
  /** @param {string} room @param {string} key */
  constructor(room, key) {
    this.room = room;
    this.key = key;
    /** The kept revision that reads are of; null: now. @type {number|null} */
    this.at = null;
  }

  /** What a read adds to its query while the past is looked at. @returns {Record<string, string>} */
  get when() {
    return this.at === null ? {} : { revision: `${this.at}` };
  }

  /** @param {string} path @param {Record<string, string>} [query] */
  url(path, query = {}) {
    return `/r/${encodeURIComponent(this.room)}/${path}?${new URLSearchParams({ key: this.key, ...query })}`;
  }

  /** @param {string} url @param {RequestInit} [init] @returns {Promise<any>} */
  async #ask(url, init) {
    const response = await fetch(url, init).catch((error) => Promise.reject(error.name === "AbortError" ? error : new Error(t("refused.0"))));
    const body = await response.json().catch(() => null);
    if (!response.ok && !body?.results) throw new Error(body?.error ?? `${response.status} ${response.statusText}`);
    return body;
  }

  #acts() {
    if (this.at !== null) throw new Error(t("past.reason"));
  }

  /** @param {string} path @param {any} body @param {boolean} [reads] whether it leaves the room as it is */
  async #post(path, body, reads = false) {
    if (!reads) this.#acts();
    return this.#ask(this.url(path), { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  }

  /** @param {string} yaml @param {boolean} [dry] @param {AbortSignal} [signal] @param {string} [file] its name, for kubectl to say */
  async apply(yaml, dry = false, signal = undefined, file = "") {
    if (!dry) this.#acts();
    return this.#ask(this.url("apply", { ...(dry && { dry_run: "1" }), ...(file && { file }) }), { method: "POST", headers: { "Content-Type": "application/yaml" }, body: yaml, signal });
  }

  /** What applying would change. @param {string} yaml */
  diff(yaml) {
    return this.#ask(this.url("diff"), { method: "POST", headers: { "Content-Type": "application/yaml" }, body: yaml });
  }

  /** @param {{paused?: boolean, speed?: number, advance?: number, step?: boolean, until?: {what: string, thing?: string, condition?: string, limit?: number}}} change */
  clock(change) {
    return this.#post("clock", change);
  }

  /** What there is of the room's history; marks since a revision. @param {number} since @returns {Promise<import("./types").TimelineAnswer>} */
  timeline(since) {
    return this.#ask(this.url("timeline", since ? { since: `${since}` } : {}));
  }

  /** The scene as it was at a kept revision, or at a moment. @param {{revision?: number, time?: number}} when @returns {Promise<import("./types").Snapshot>} */
  scene({ revision, time }) {
    return this.#ask(this.url("scene", { ...(revision === undefined ? {} : { revision: `${revision}` }), ...(time === undefined ? {} : { time: `${time}` }) }));
  }

  /** A room of its own that goes on from a kept revision, or from now. @param {number|null} revision @param {boolean} [paused] whether its clock stands @returns {Promise<{room: string, key: string, url: string}>} */
  fork(revision, paused = false) {
    return this.#post("fork", { ...(revision === null ? {} : { revision }), paused }, true);
  }

  /** @param {{target: string, rate: number, port?: number, source?: string}} aim */
  traffic(aim) {
    return this.#post("traffic", aim);
  }

  /** One request with every decision on its way. @param {{target: string, port?: number, source?: string}} aim */
  follow(aim) {
    return this.#post("traffic/follow", aim);
  }

  /** Whether there is a load balancer, and its addresses. @param {boolean} [on] switches it */
  balancer(on) {
    return this.#post("load-balancer", on === undefined ? {} : { on }, on === undefined);
  }

  /** @param {string} id @param {string[]} [parts] of it, all without */
  inspect(id, parts) {
    return this.#ask(this.url("inspect", { id, ...(parts ? { parts: parts.join(",") } : {}), ...this.when }));
  }

  /** What one who is near to pods sees of them. @param {string[]} ids */
  near(ids) {
    return this.#ask(this.url("near", { ids: ids.join(","), ...this.when }));
  }

  /** What a thing uses now, and its CPU from a virtual second on. @param {string} id @param {number|null} since */
  metrics(id, since) {
    return this.#ask(this.url("metrics", { id, ...(since === null ? {} : { since: `${since}` }) }));
  }

  /** The kinds, or a page of one kind's objects. @param {Record<string, string>} [query] resource, namespace, name, offset, limit */
  objects(query = {}) {
    return this.#ask(this.url("objects", { ...query, ...this.when }));
  }

  /** Runs a line as the terminal does and waits for its end. @param {string} line */
  terminal(line) {
    return this.#post("terminal", { line, ...(this.at === null ? {} : { revision: this.at }) }, true);
  }

  /** What people did of late. */
  acts() {
    return this.#ask(this.url("acts"));
  }

  /** All that one act led to, or the contents of one step of it. @param {Record<string, string>} query `revision`, `step` or `heard` */
  replay(query) {
    return this.#ask(this.url("replay", query));
  }

  chaos() {
    return this.#ask(this.url("chaos"));
  }

  /** @param {{fault: string, target: string}} fault */
  inject(fault) {
    return this.#post("chaos", fault);
  }

  /** Makes one thing right again, or everything. @param {string} [id] */
  async heal(id) {
    this.#acts();
    return this.#ask(this.url("chaos", id ? { id } : {}), { method: "DELETE" });
  }

  /** @param {{op: string}} change adds, removes or resizes a node's machine */
  machine(change) {
    return this.#post("nodes", change);
  }

  /** @param {string} url @param {boolean} insecure */
  browse(url, insecure) {
    return this.#post("browse", { url, insecure });
  }

  files() {
    return this.#ask(this.url("files"));
  }

  /** @param {string} name */
  #file(name) {
    return this.url(`files/${name.split("/").map(encodeURIComponent).join("/")}`);
  }

  /** The text of a file of the workstation. @param {string} name */
  async read(name) {
    const response = await fetch(this.#file(name));
    if (!response.ok) throw new Error((await response.json().catch(() => null))?.error ?? response.statusText);
    return response.text();
  }

  /** @param {string} name @param {string} text */
  async write(name, text) {
    this.#acts();
    return this.#ask(this.#file(name), { method: "PUT", headers: { "Content-Type": "text/plain" }, body: text });
  }

  /** @param {string} name */
  async remove(name) {
    this.#acts();
    return this.#ask(this.#file(name), { method: "DELETE" });
  }

  examples() {
    return this.#ask(this.url("examples"));
  }
}
