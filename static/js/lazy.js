/** Parts of the page that are loaded when they are first wanted. The server may be out of reach just then: it is asked again. */

/** Milliseconds between two tries. */
const PAUSE = 2000;

/** Loads it the first time; whoever wants it after that gets the same, or another try if the first went wrong. @template T @param {() => Promise<T>} load @returns {() => Promise<T>} */
export function once(load) {
  /** @type {Promise<T>|undefined} */
  let made;
  return () => (made ??= load().catch((error) => {
    made = undefined;
    throw error;
  }));
}

/** Loads what there must be, however often it takes. @template T @param {() => Promise<T>} load @returns {Promise<T>} */
export async function insist(load) {
  for (;;) {
    try {
      return await load();
    } catch {
      await new Promise((done) => setTimeout(done, PAUSE));
    }
  }
}
