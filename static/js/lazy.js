/** Parts of the page that are loaded when they are first wanted. The server may be out of reach just then: it is asked again. */

/** Milliseconds before the second try, and at most between two: each wait is twice as long as the one before. */
const PAUSE = 1000;
const MOST = 30_000;

/** Whether a module could not be fetched, rather than being broken. @param {unknown} error */
export const missing = (error) => error instanceof TypeError && /import|module/i.test(error.message);

/** Loads it the first time; whoever wants it after that gets the same, or another try if the first went wrong. @template T @param {() => Promise<T>} load @returns {() => Promise<T>} */
export function once(load) {
  /** @type {Promise<T>|undefined} */
  let made;
  return () => (made ??= load().catch((error) => {
    made = undefined;
    throw error;
  }));
}

/** Loads what there must be, however often it takes; rejects only if it is broken. @template T @param {() => Promise<T>} load @returns {Promise<T>} */
export async function insist(load) {
  for (let pause = PAUSE; ; pause = Math.min(MOST, 2 * pause)) {
    try {
      return await load();
    } catch (error) {
      if (!missing(error)) throw error;
      await new Promise((done) => setTimeout(done, pause));
    }
  }
}
