/**
 * Children by key: what is wanted comes in as [key, signature, make]; whose signature is what it was stays as it is, element and all, so that
 * focus, selection, scroll and open details outlive every update of what is around them.
 *
 * @typedef {[key: string, signature: string, make: () => HTMLElement]} Part
 */

/** @type {WeakMap<HTMLElement, Map<string, {signature: string, element: HTMLElement}>>} */
const hosts = new WeakMap();

/** @param {HTMLElement} host @param {(Part|null|undefined|false|"")[]} parts */
export function keyed(host, parts) {
  const known = hosts.get(host) ?? new Map();
  const active = /** @type {HTMLElement|null} */ (host.contains(document.activeElement) ? document.activeElement : null);
  /** @type {Map<string, {signature: string, element: HTMLElement}>} */
  const now = new Map();
  for (const part of parts) {
    if (!part) continue;
    const [key, signature, make] = part;
    const was = known.get(key);
    now.set(key, was?.signature === signature ? was : { signature, element: make() });
  }
  for (const [key, { element }] of known) if (now.get(key)?.element !== element) element.remove();
  /** @type {ChildNode|null} */
  let at = host.firstChild;
  for (const { element } of now.values()) {
    if (element === at) at = at.nextSibling;
    else host.insertBefore(element, at);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
  hosts.set(host, now);
  if (active && !active.isConnected) again(host, active)?.focus({ preventScroll: true });
}

/** The element that took the place of one that had the focus. @param {HTMLElement} host @param {HTMLElement} active @returns {HTMLElement|null} */
function again(host, active) {
  if (active.id) return host.querySelector(`#${CSS.escape(active.id)}`);
  return active.dataset.show ? host.querySelector(`[data-show="${CSS.escape(active.dataset.show)}"]`) : null;
}

/** Makes everything anew the next time: the words are others. @param {HTMLElement} host */
export const forget = (host) => hosts.delete(host);

/** Runs at most once in so many milliseconds, and always after the last call. @param {() => void} run @param {number} wait */
export function throttled(run, wait) {
  let due = false;
  return () => {
    if (due) return;
    due = true;
    setTimeout(() => ((due = false), run()), wait);
  };
}
