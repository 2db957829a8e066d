/**
 * Fields that name something of the cluster: what kind of thing a field asks for. A path's last names in; a kind, and where its keys or
 * labels are meant, out. Pure.
 *
 * @typedef {{kind: string, keysOf?: string, labels?: boolean, all?: boolean}} Reference `keysOf`: the object whose keys are meant; `labels`: label keys and values
 */

/** The field's path without the indexes, ending so, names this. @type {[RegExp, string][]} */
const NAMED = [
  [/(?:configMapRef|configMapKeyRef|configMap)\.name$/, "ConfigMap"],
  [/(?:secretRef|secretKeyRef|imagePullSecrets|nodePublishSecretRef|projected\.sources\.secret)\.name$|(?:^|\.)secretName$|tls\.secretName$/, "Secret"],
  [/backend\.service\.name$|^spec\.serviceName$/, "Service"],
  [/(?:^|\.)storageClassName$/, "StorageClass"],
  [/persistentVolumeClaim\.claimName$/, "PersistentVolumeClaim"],
  [/(?:^|\.)serviceAccountName$/, "ServiceAccount"],
  [/(?:^|\.)nodeName$/, "Node"],
  [/(?:^|\.)ingressClassName$/, "IngressClass"],
  [/(?:^|\.)priorityClassName$/, "PriorityClass"],
  [/^spec\.volumeName$/, "PersistentVolume"],
  [/^metadata\.namespace$/, "Namespace"],
];
const SELECTORS = /(?:^|\.)(?:matchLabels)$/;
const CLUSTERED = new Set(["Node", "StorageClass", "IngressClass", "PriorityClass", "PersistentVolume", "Namespace"]);

/**
 * @param {string} kind of the document @param {(string|number)[]} path of the mapping @param {string} key @param {Record<string, string>} siblings
 * @returns {Reference|null}
 */
export function referenceOf(kind, path, key, siblings) {
  const names = path.filter((step) => typeof step === "string");
  const parent = names.join(".");
  const whole = key ? `${parent}.${key}`.replace(/^\./, "") : parent;
  if (key === "key" && /configMapKeyRef$/.test(parent)) return { kind: "ConfigMap", keysOf: siblings.name ?? "" };
  if (key === "key" && /secretKeyRef$/.test(parent)) return { kind: "Secret", keysOf: siblings.name ?? "" };
  if (key === "name" && /(?:scaleTargetRef|involvedObject|claimRef)$/.test(parent)) return { kind: siblings.kind || "Deployment" };
  if (/(?:^|\.)nodeSelector$/.test(parent)) return { kind: "Node", labels: true };
  if (/namespaceSelector\.matchLabels$/.test(parent)) return { kind: "Namespace", labels: true };
  if (SELECTORS.test(parent) || (parent === "spec.selector" && (kind === "Service" || kind === "ReplicationController"))) return { kind: "Pod", labels: true };
  const found = NAMED.find(([pattern]) => pattern.test(whole));
  return found ? { kind: found[1], all: CLUSTERED.has(found[1]) } : null;
}

/** Labels and names that the text itself gives, in any of its documents: nothing of it need be in the cluster yet. @param {string} text */
export function labelsIn(text) {
  /** @type {Record<string, Set<string>>} */
  const found = {};
  for (const block of text.matchAll(/^( *)(?:- )?labels:[ \t]*(?:#.*)?\n((?:\1 +\S.*\n?|[ \t]*#.*\n|\s*\n)*)/gm)) {
    for (const [, key, value] of block[2].matchAll(/^\s*([\w./-]+):[ \t]+["']?([\w.-]+)/gm)) (found[key] ??= new Set()).add(value);
  }
  return found;
}

/** Names of objects of a kind in the text. @param {string} text @param {string} kind */
export function namesIn(text, kind) {
  return text.split(/^---.*$/m).filter((one) => one.match(/^kind:[ \t]*(\w+)/m)?.[1] === kind).map((one) => one.match(/^metadata:[ \t]*\n(?:[ \t]+.*\n)*?[ \t]+name:[ \t]*["']?([\w.-]+)/m)?.[1] ?? "").filter(Boolean);
}
