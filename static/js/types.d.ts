/** The page's vocabulary. The server's live/records.py says what each field means. Times are virtual seconds. */
export interface Thing {
  kind: string; name: string; ns?: string; system?: boolean; labels?: Record<string, string>;
  // Pod
  node?: string; state?: string; status?: string; ready?: any; restarts?: number; ip?: string; owner?: string;
  cpu?: number; memory?: number; containers?: Container[]; created?: number; message?: string; phase?: string;
  pull?: Span; backoff?: Span; deleting?: Span;
  // Node
  unschedulable?: boolean; roles?: string[]; taints?: string[]; pods?: number; version?: string;
  requested?: { cpu: number; memory: number; pods: number };
  // Service
  type?: string; clusterIP?: string; externalIPs?: string[]; ports?: Port[]; selector?: Record<string, string>;
  endpoints?: { pod: string; ready: boolean }[]; near?: { pod: string; key: string; want: string; have?: string }[];
  // Deployment, ReplicaSet
  replicas?: number; updated?: number; available?: number; unavailable?: number; ceiling?: number; floor?: number;
  maxSurge?: number; maxUnavailable?: number; strategy?: string; revision?: any; paused?: boolean; progress?: string;
  current?: number; hash?: string; image?: string;
  // Traffic
  target?: string; port?: number; rate?: number; ok?: number; failed?: number; latency?: number;
  paths?: { pod: string; node: string; rate: number }[]; error?: { hop: string; text: string; rate?: number } | null;
  // Component
  healthy?: boolean;
}
export interface Span { from: number; until: number }
export interface Container { name: string; image: string; state: string; reason?: string; ready: boolean; restarts: number }
export interface Port { name?: string; port: number; targetPort?: number | string; nodePort?: number; protocol?: string }
export interface Snapshot { revision: number; time: number; epoch?: string; scene?: string; storeRevision?: number; things: Record<string, Thing>; clock?: ClockState; room?: string }
export interface ClockState { paused: boolean; speed: number; time?: number }
export interface Diff { from: number; to: number; time: number; ops: any[]; signals?: Signal[]; clock?: ClockState }
export interface Signal {
  type: string; at: number; client?: string; verb?: string; thing?: string; revision?: number; because?: number;
  source?: string; service?: string; node?: string; pod?: string; status?: number; ms?: number;
  error?: { hop: string; text: string } | null; numbers?: number[];
}
export interface Box { x: number; y: number; w: number; h: number }
export interface Point { x: number; y: number }
