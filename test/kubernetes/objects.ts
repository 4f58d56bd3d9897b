/** Objects of Kubernetes as the tests write them. */
import { PROBE_IMAGE } from "./cluster/runtime-config.ts";

/** What a server of the lane serves on. The names are what Services may call. */
export const PORTS = { tcp: 8080, udp: 8081, http: 8082 } as const;

export interface PodOptions {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  /** Arguments of the probe. Default: serve on all PORTS. */
  readonly args?: readonly string[];
  readonly hostPorts?: Readonly<Partial<Record<keyof typeof PORTS, number>>>;
  /** How long a server serves on after SIGTERM, as Go writes durations. */
  readonly linger?: string;
  readonly restartPolicy?: "Always" | "Never" | "OnFailure";
}

const protocols = { tcp: "TCP", udp: "UDP", http: "TCP" } as const;

export function podSpec(options: PodOptions = {}): object {
  const serve = [
    "serve",
    ...Object.entries(PORTS).flatMap(([name, port]) => [`-${name}`, `${port}`]),
  ];
  const linger = options.linger ? ["-linger", options.linger] : [];
  const isServer = options.args === undefined;
  return {
    restartPolicy: options.restartPolicy ?? "Always",
    terminationGracePeriodSeconds: options.linger ? 10 : 1,
    automountServiceAccountToken: false,
    containers: [
      {
        name: "probe",
        image: PROBE_IMAGE,
        imagePullPolicy: "Never",
        args: options.args ?? [...serve, ...linger],
        ...(isServer && {
          ports: Object.entries(PORTS).map(([name, containerPort]) => ({
            name,
            containerPort,
            protocol: protocols[name as keyof typeof PORTS],
            hostPort: options.hostPorts?.[name as keyof typeof PORTS],
          })),
          readinessProbe: {
            httpGet: { path: "/ready", port: "http" },
            periodSeconds: 1,
          },
        }),
      },
    ],
  };
}

export function pod(name: string, namespace: string, options: PodOptions = {}): object {
  const { annotations = {}, labels = {} } = options;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace, annotations, labels: { app: name, ...labels } },
    spec: podSpec(options),
  };
}

export function deployment(
  name: string,
  namespace: string,
  { replicas = 2, ...options }: PodOptions & { readonly replicas?: number } = {},
): object {
  const { annotations = {}, labels = {} } = options;
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: {
        metadata: { annotations, labels: { app: name, ...labels } },
        spec: podSpec(options),
      },
    },
  };
}

export interface ServiceOptions {
  /** Label "app" of its pods. Default: the Service's name. */
  readonly app?: string;
  readonly families?: "dual" | "IPv4" | "IPv6";
  /** More of the spec, as Kubernetes calls it. */
  readonly spec?: Readonly<Record<string, unknown>>;
  /** Default: 80/TCP and 80/UDP, each with the name of the target port. */
  readonly ports?: readonly object[];
}

export function service(name: string, namespace: string, options: ServiceOptions = {}): object {
  const { app = name, families = "dual", spec = {}, ports = defaultPorts } = options;
  const isDual = families === "dual";
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace },
    spec: {
      selector: { app },
      ipFamilyPolicy: isDual ? "RequireDualStack" : "SingleStack",
      ipFamilies: isDual ? ["IPv4", "IPv6"] : [families],
      ports,
      ...spec,
    },
  };
}

const defaultPorts = [
  { name: "tcp", port: 80, targetPort: "tcp", protocol: "TCP" },
  { name: "udp", port: 80, targetPort: "udp", protocol: "UDP" },
];

export function networkDefinition(name: string, namespace: string, config: object): object {
  return {
    apiVersion: "k8s.cni.cncf.io/v1",
    kind: "NetworkAttachmentDefinition",
    metadata: { name, namespace },
    spec: { config: JSON.stringify({ cniVersion: "1.1.0", name, ...config }) },
  };
}
