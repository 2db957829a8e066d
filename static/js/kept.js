/**
 * What the browser remembers for the page: across visits (`kept`), or while the tab is open (`brief`). A browser that keeps nothing for a
 * site, or has no room left, makes the page forget when it is closed; nothing else goes wrong, and neither does what a stranger wrote there.
 */
class Kept {
  /** @param {"localStorage"|"sessionStorage"} name */
  constructor(name) {
    this.name = name;
    /** What the browser would not take. @type {Map<string, string>} */
    this.here = new Map();
  }

  /** @param {string} key @returns {string|null} */
  get(key) {
    try {
      return this.here.get(key) ?? window[this.name].getItem(key);
    } catch {
      return null;
    }
  }

  /** @param {string} key @param {string} value */
  set(key, value) {
    this.remove(key);
    try {
      window[this.name].setItem(key, value);
    } catch {
      this.here.set(key, value);
    }
  }

  /** @param {string} key */
  remove(key) {
    this.here.delete(key);
    try {
      window[this.name].removeItem(key);
    } catch {
      return;
    }
  }

  /** A value that was kept as JSON; `otherwise` if there is none, it is broken, or of another kind. @template T @param {string} key @param {T} otherwise @returns {T} */
  read(key, otherwise) {
    try {
      const value = JSON.parse(this.get(key) ?? "null");
      return value !== null && typeof value === typeof otherwise && Array.isArray(value) === Array.isArray(otherwise) ? value : otherwise;
    } catch {
      return otherwise;
    }
  }

  /** @param {string} key @param {unknown} value */
  write(key, value) {
    this.set(key, JSON.stringify(value));
  }
}

export const kept = new Kept("localStorage");
export const brief = new Kept("sessionStorage");
