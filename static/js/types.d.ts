/** The page's vocabulary. The server's live/records.py says what each field means. Times are virtual seconds. */
export interface Thing {
  kind: string; name: string; ns?: string; system?: boolean; labels?: Record<string, string>;
  // Pod
  node?: string; state?: string; status?: string; ready?: any; restarts?: number; ip?: string; owner?: string;
  cpu?: number; memory?: number; containers?: Container[]; created?: number; message?: string; phase?: string;
  pull?: Span; backoff?: Span; deleting?: Span;
  // Node
  pressure?: string[]; off?: boolean; cut?: boolean; silent?: boolean; gone?: boolean;
  unschedulable?: boolean; roles?: string[]; taints?: string[]; pods?: any; version?: string;
  requested?: { cpu: number; memory: number; pods: number };
  leave?: number;
  // Service
  type?: string; clusterIP?: string; externalIPs?: string[]; ports?: Port[]; selector?: Record<string, string>;
  matched?: number; headless?: boolean; externalName?: string;
  endpoints?: { pod: string; ready: boolean }[]; near?: { pod: string; key: string; want: string; have?: string }[];
  // Deployment, ReplicaSet
  replicas?: number; updated?: number; available?: number; unavailable?: number; ceiling?: number; floor?: number;
  maxSurge?: number; maxUnavailable?: number; strategy?: string; revision?: any; paused?: boolean; progress?: string;
  current?: number; hash?: string; image?: string;
  // StatefulSet, DaemonSet, Job, CronJob
  start?: number; policy?: string; partition?: number; service?: string; misscheduled?: number; parallelism?: number; active?: number;
  succeeded?: number; indexed?: boolean; done?: string; lost?: string; suspended?: boolean; ended?: "complete" | "failed"; why?: string;
  schedule?: string; zone?: string; last?: number;
  // HorizontalPodAutoscaler, PodDisruptionBudget
  min?: number; max?: number; desired?: number; metrics?: string; blind?: boolean; allowed?: number; expected?: number;
  minAvailable?: number | string;
  // PersistentVolumeClaim, PersistentVolume
  uses?: string[]; surgeShare?: string; unavailableShare?: string;
  claims?: string[]; volume?: string; claim?: string; class?: string; modes?: string[]; asked?: string; capacity?: string; reclaim?: string;
  source?: string; where?: string; terminating?: boolean; waits?: boolean; unknownClass?: boolean;
  // Traffic
  target?: string; port?: number; rate?: number; ok?: number; failed?: number; latency?: number; through?: string[];
  paths?: { pod: string; node: string; rate: number }[]; error?: Failure | null;
  // Ingress, NetworkPolicy
  addresses?: string[]; routes?: Route[]; default?: { service?: string; port?: string | number }; tls?: string[];
  ingress?: PolicyRule[]; egress?: PolicyRule[];
  // Component
  healthy?: boolean;
  // Fault
  id?: string; fault?: string; params?: Record<string, any>; since?: number; by?: string;
}
export interface FaultKind { fault: string; on: "Pod" | "Node" | "Image" | "Component"; about: string; lasting: boolean; params: FaultParam[] }
export interface FaultParam { name: string; kind: "string" | "number" | "choice"; default: any; about: string; choices?: string[]; least?: number; most?: number }
export interface Attempt {
  number: number; time: number; node: string | null; message: string; nominated: string | null; victims: { namespace: string; name: string; priority: number }[];
  nodes: number; tried: number; untried: number; scored: number; tied: number; weights: Record<string, number>;
  feasible: { node: string; total: number; plugins: Record<string, { raw: number; score: number; weighted: number }> }[];
  refused: { node: string; plugin: string; reasons: string[] }[]; reasons: Record<string, number>;
  earlier: { number: number; time: number; node: string | null; message: string }[];
}
export interface Failure { hop: string; text: string; rate?: number; what?: string; why?: string; direction?: "ingress" | "egress"; pod?: string; node?: string }
export interface Route { host: string; path: string; type: string; service?: string; port?: string | number }
export interface LabelSelector { matchLabels?: Record<string, string>; matchExpressions?: { key: string; operator: string; values?: string[] }[] }
export interface PolicyPeer { pods?: LabelSelector; namespaces?: LabelSelector; cidr?: string; except?: string[] }
export interface PolicyRule { peers?: PolicyPeer[]; ports?: string[] }
export interface Hop { kind: string; what: string; decision: string; detail: Record<string, any> }
export interface Followed { source?: string; pod?: string | null; numbers?: number[]; status: number | null; ms: number; error: Failure | null; exitCode: number; address: string; hops: Hop[] }
export interface Span { from: number; until: number }
export interface Container { name: string; image: string; state: string; reason?: string; ready: boolean; restarts: number; exit?: number; ended?: string }
export interface Port { name?: string; port: number; targetPort?: number | string; nodePort?: number; protocol?: string }
export interface Snapshot { revision: number; time: number; epoch?: string; scene?: string; storeRevision?: number; things: Record<string, Thing> | Map<string, Thing>; clock?: ClockState; room?: string; past?: Kept }
/** A kept revision: what the one write in it was, and when. */
export interface Kept { revision: number; time: number; client?: string; verb?: string; thing?: string; next?: { revision: number; client: string; verb: string; thing: string } | null }
export interface Mark extends Kept { kind: "act" | "warning" | "fault" | "node" | "pod"; text?: string }
export interface TimelineAnswer { first: number; last: number; time: number; firstTime: number; marks: Mark[]; density: [number, number][] }
export interface ClockState { paused: boolean; speed: number; time?: number }
export interface Diff { from: number; to: number; time: number; ops: any[]; signals?: Signal[]; clock?: ClockState; scene?: string }
export interface Signal {
  type: string; at: number; client?: string; verb?: string; thing?: string; revision?: number; because?: number;
  source?: string; service?: string; node?: string; pod?: string; status?: number; ms?: number;
  error?: Failure | null; numbers?: number[]; through?: string[]; resolver?: string;
}
export interface Box { x: number; y: number; w: number; h: number }
export interface Point { x: number; y: number }
