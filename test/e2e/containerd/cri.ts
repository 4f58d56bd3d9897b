import { join } from "node:path";
import {
  Client,
  credentials,
  loadPackageDefinition,
  type ServiceDefinition,
  type ServiceError,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { loadOptions } from "../../../src/rpc/load-options.ts";

/** What is asked of a sandbox. */
export interface SandboxConfig {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly namespace: string;
    readonly attempt: number;
  };
  readonly hostname: string;
  readonly log_directory: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly linux: { readonly cgroup_parent: string };
}

/** A sandbox as the runtime shows it. */
export interface Sandbox {
  readonly id: string;
  /** "namespace/name" of the pod. */
  readonly name: string;
  readonly isReady: boolean;
  /** In the runtime's order; empty once the sandbox is stopped. */
  readonly addresses: readonly string[];
  /** Path of its network namespace. */
  readonly netns: string;
}

/** The part of the CRI that the tests use, as promises. Every call rejects with grpc's ServiceError. */
export interface CriClient {
  version(): Promise<string>;
  /** What is not ready, in the runtime's words; empty when all is. */
  findUnready(): Promise<readonly string[]>;
  hasImage(reference: string): Promise<boolean>;
  runPodSandbox(config: SandboxConfig): Promise<string>;
  stopPodSandbox(id: string): Promise<void>;
  removePodSandbox(id: string): Promise<void>;
  showPodSandbox(id: string): Promise<Sandbox>;
  /** Ids of all sandboxes, those that are stopped too. */
  listPodSandboxes(): Promise<readonly string[]>;
  close(): void;
}

interface StatusAnswer {
  readonly status: { readonly conditions: readonly RuntimeCondition[] } | null;
}

interface RuntimeCondition {
  readonly type: string;
  readonly status: boolean;
  readonly message: string;
}

interface PodSandboxStatusAnswer {
  readonly status: {
    readonly id: string;
    readonly metadata: { readonly name: string; readonly namespace: string };
    readonly state: string;
    readonly network: {
      readonly ip: string;
      readonly additional_ips: readonly { readonly ip: string }[];
    } | null;
  };
  readonly info: Readonly<Record<string, string>>;
}

/** The only thing read of a verbose answer: containerd's JSON of runc's configuration. */
interface VerboseInfo {
  readonly runtimeSpec?: {
    readonly linux?: {
      readonly namespaces?: readonly { readonly type: string; readonly path?: string }[];
    };
  };
}

/** Calls a runtime on its unix socket. timeoutMs bounds each call. */
export function connectCri(socketPath: string, options: { timeoutMs: number }): CriClient {
  const client = new Client(`unix:${socketPath}`, credentials.createInsecure(), {
    "grpc.default_authority": "localhost",
  });

  const call = <A>(service: ServiceDefinition, name: string, request: object): Promise<A> => {
    const method = service[name];
    if (!method) throw new Error(`cri.proto has no ${name}`);
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        (bytes) => method.responseDeserialize(bytes) as A,
        request,
        { deadline: Date.now() + options.timeoutMs },
        (error: ServiceError | null, answer?: A) => {
          if (error) reject(error);
          else resolve(answer as A);
        },
      );
    });
  };

  return {
    async version() {
      const answer = await call<{ runtime_name: string; runtime_version: string }>(
        runtimeService,
        "Version",
        {},
      );
      return `${answer.runtime_name} ${answer.runtime_version}`;
    },
    async findUnready() {
      const { status } = await call<StatusAnswer>(runtimeService, "Status", {});
      return (status?.conditions ?? [])
        .filter((condition) => !condition.status)
        .map(({ type, message }) => `${type}: ${message}`);
    },
    async hasImage(reference) {
      const request = { image: { image: reference } };
      return (
        (await call<{ image: object | null }>(imageService, "ImageStatus", request)).image !== null
      );
    },
    async runPodSandbox(config) {
      const answer = await call<{ pod_sandbox_id: string }>(runtimeService, "RunPodSandbox", {
        config,
      });
      return answer.pod_sandbox_id;
    },
    async stopPodSandbox(id) {
      await call(runtimeService, "StopPodSandbox", { pod_sandbox_id: id });
    },
    async removePodSandbox(id) {
      await call(runtimeService, "RemovePodSandbox", { pod_sandbox_id: id });
    },
    async showPodSandbox(id) {
      const request = { pod_sandbox_id: id, verbose: true };
      return toSandbox(await call(runtimeService, "PodSandboxStatus", request));
    },
    async listPodSandboxes() {
      const answer = await call<{ items: { id: string }[] }>(runtimeService, "ListPodSandbox", {});
      return answer.items.map(({ id }) => id);
    },
    close: () => client.close(),
  };
}

function toSandbox({ status, info }: PodSandboxStatusAnswer): Sandbox {
  const { network } = status;
  const verbose = JSON.parse(info["info"] ?? "{}") as VerboseInfo;
  const namespaces = verbose.runtimeSpec?.linux?.namespaces ?? [];
  const addresses = network ? [network.ip, ...network.additional_ips.map(({ ip }) => ip)] : [];
  return {
    id: status.id,
    name: `${status.metadata.namespace}/${status.metadata.name}`,
    isReady: status.state === "SANDBOX_READY",
    addresses: addresses.filter((address) => address !== ""),
    netns: namespaces.find(({ type }) => type === "network")?.path ?? "",
  };
}

const definition = loadSync(join(import.meta.dirname, "cri.proto"), {
  ...loadOptions,
  // The names as they are published.
  keepCase: true,
});
const services = (
  loadPackageDefinition(definition) as unknown as {
    runtime: { v1: Record<string, { service: ServiceDefinition }> };
  }
).runtime.v1;
const runtimeService = findService("RuntimeService");
const imageService = findService("ImageService");

function findService(name: string): ServiceDefinition {
  const found = services[name];
  if (!found) throw new Error(`cri.proto has no service ${name}`);
  return found.service;
}
