/** The room over HTTP. Every failure is an Error whose message can be shown. */
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
    const response = await fetch(url, init);
    const body = await response.json().catch(() => null);
    if (!response.ok && !body?.results) throw new Error(body?.error ?? `${response.status} ${response.statusText}`);
    return body;
  }

  /** @param {string} path @param {any} body */
  #post(path, body) {
    return this.#ask(this.url(path), { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  }

  /** @param {string} yaml @param {boolean} [dry] */
  apply(yaml, dry = false) {
    return this.#ask(this.url("apply", dry ? { dry_run: "1" } : {}), { method: "POST", headers: { "Content-Type": "application/yaml" }, body: yaml });
  }

  /** @param {{paused?: boolean, speed?: number, advance?: number}} change */
  clock(change) {
    return this.#post("clock", change);
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
    return this.#post("load-balancer", on === undefined ? {} : { on });
  }

  /** @param {string} id */
  inspect(id) {
    return this.#ask(this.url("inspect", { id, ...this.when }));
  }

  /** Runs a line as the terminal does and waits for its end. @param {string} line */
  terminal(line) {
    return this.#post("terminal", { line, ...(this.at === null ? {} : { revision: this.at }) });
  }

  chaos() {
    return this.#ask(this.url("chaos"));
  }

  /** @param {{fault: string, target: string}} fault */
  inject(fault) {
    return this.#post("chaos", fault);
  }

  /** Makes one thing right again, or everything. @param {string} [id] */
  heal(id) {
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
  write(name, text) {
    return this.#ask(this.#file(name), { method: "PUT", headers: { "Content-Type": "text/plain" }, body: text });
  }

  examples() {
    return this.#ask(this.url("examples"));
  }
}
