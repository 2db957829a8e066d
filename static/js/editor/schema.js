/**
 * Kubernetes' types as the server tells them: a kind and a path in; the type there, its fields, what `kubectl explain` calls it out. Each
 * bundle of types is asked for once and kept by the browser.
 *
 * @typedef {{type: string, description: string, of?: string, in?: string, required?: boolean, enum?: string[], default?: string}} Field
 * @typedef {{description: string, fields: Record<string, Field>}} Type
 * @typedef {{apiVersion: string, kind: string, plural: string, namespaced: boolean, definition: string}} Kind
 * @typedef {{of: string, in: string, field: Field|null}} Step what is at a path; `in` are the lists ("l") and maps ("m") still around it
 */
export class Schema {
  /** @param {import("../api.js").Api} api */
  constructor(api) {
    this.api = api;
    /** @type {Map<string, Type>} */
    this.types = new Map();
    /** @type {Map<string, Promise<any>>} */
    this.asked = new Map();
  }

  /** @param {string} name @returns {Promise<any>} */
  #get(name) {
    const known = this.asked.get(name);
    if (known) return known;
    const asked = fetch(this.api.url("schema", name ? { definition: name } : {})).then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(answer.statusText))));
    this.asked.set(name, asked);
    asked.catch(() => this.asked.delete(name));
    return asked;
  }

  /** @returns {Promise<Kind[]>} */
  async kinds() {
    return (await this.#get("")).kinds;
  }

  /** @param {{apiVersion: string, kind: string}} doc @returns {Promise<Kind|undefined>} a kind without its version is found where one group has it */
  async kindOf({ apiVersion, kind }) {
    const found = (await this.kinds()).filter((one) => one.kind === kind);
    return found.find((one) => one.apiVersion === apiVersion) ?? (apiVersion ? undefined : found[0]);
  }

  /** @param {string} name @returns {Promise<Type|undefined>} */
  async type(name) {
    if (!this.types.has(name)) {
      const bundle = await this.#get(name).catch(() => null);
      for (const [each, type] of Object.entries(bundle?.types ?? {})) this.types.set(each, type);
    }
    return this.types.get(name);
  }

  /** What is at a path of a kind; null where the schema has no such place. @param {string} root @param {(string|number)[]} path @returns {Promise<Step|null>} */
  async walk(root, path) {
    /** @type {Step} */
    let now = { of: root, in: "", field: null };
    for (const step of path) {
      if (now.in[0] === "l") {
        if (typeof step !== "number") return null;
        now = { ...now, in: now.in.slice(1) };
      } else if (now.in[0] === "m") {
        if (typeof step === "number") return null;
        now = { ...now, in: now.in.slice(1) };
      } else {
        const field = typeof step === "string" && now.of ? (await this.type(now.of))?.fields[step] : undefined;
        if (!field) return null;
        now = { of: field.of ?? "", in: field.in ?? "", field };
      }
    }
    return now;
  }
}

/** Letters to be changed from one word to another; beyond `most` it does not matter. @param {string} a @param {string} b */
export function distance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const above = row;
    row = [i];
    for (let j = 1; j <= b.length; j++) row.push(Math.min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
  }
  return row[b.length];
}

/** The names most like a word, the nearest first. @param {string} word @param {string[]} names */
export function near(word, names) {
  const low = word.toLowerCase();
  return names.map((name) => ({ name, far: name.toLowerCase() === `${low}s` ? 0.5 : distance(low, name.toLowerCase()) }))
    .filter(({ name, far }) => far <= Math.max(1, Math.min(3, name.length / 3)))
    .sort((a, b) => a.far - b.far || a.name.localeCompare(b.name)).slice(0, 3).map(({ name }) => name);
}
