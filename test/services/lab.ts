/** One laboratory: topology, actors, and the real host on node-a. Each test file opens its own. */
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Family } from "../../src/ip/address.ts";
import { pathsBelow } from "../../src/plugin-host/paths.ts";
import type { HostClient } from "../../src/rpc/client.ts";
import type { ApplyServicesRequest } from "../../src/rpc/generated/patchbay/host/v1/ApplyServicesRequest.ts";
import { connectHostWithServices, type ServicesClient } from "../../src/rpc/services-client.ts";
import type { ServicesObject } from "../../src/services/objects.ts";
import {
  findSkipReason,
  type HostProcess,
  openNode,
  type TestNode,
  until,
} from "../e2e/harness.ts";
import { Actor } from "./actors.ts";
import type { Dial, DialResult, Transport } from "./protocol.ts";
import {
  type ActorName,
  ADDRESSES,
  buildTopology,
  FAMILIES,
  LOCAL_PORT,
  type Namespaces,
  REMOTE_PORT,
} from "./topology.ts";

/** For a dial that is to be answered: a loaded machine may take its time. */
export const ANSWER_MS = 5000;
/** For a dial that is to be dropped. */
export const DROP_MS = 400;

export const skipLab: string | false = findSkipReason() ?? false;

/** The host on node-a, and the calls that it serves. */
export interface LabHost {
  readonly process: HostProcess;
  readonly client: HostClient & ServicesClient;
}

/** Disposing of it ends every process and removes every namespace. */
export class Lab implements AsyncDisposable {
  readonly node: TestNode;
  readonly namespaces: Namespaces;
  /** What the host watches. */
  readonly manifests: string;
  readonly #actors: ReadonlyMap<ActorName, Actor>;

  constructor(parts: {
    node: TestNode;
    namespaces: Namespaces;
    actors: ReadonlyMap<ActorName, Actor>;
  }) {
    this.node = parts.node;
    this.namespaces = parts.namespaces;
    this.manifests = join(parts.node.root, "../manifests");
    this.#actors = parts.actors;
  }

  actor(name: ActorName): Actor {
    const actor = this.#actors.get(name);
    if (!actor) throw new Error(`The laboratory was opened without ${name}`);
    return actor;
  }

  /** Replaces one manifest file, in one step, as editors and kubectl do. */
  async write(name: string, objects: readonly ServicesObject[]): Promise<void> {
    await mkdir(this.manifests, { recursive: true });
    const text = objects.map((object) => JSON.stringify(toManifest(object))).join("\n---\n");
    await writeFile(join(this.manifests, `.${name}.new`), text);
    await rename(join(this.manifests, `.${name}.new`), join(this.manifests, name));
  }

  async remove(name: string): Promise<void> {
    await rm(join(this.manifests, name));
  }

  /** `services`: that part of the host's configuration. */
  async startHost(services: object = {}): Promise<LabHost> {
    const config = join(this.node.root, "../host.json");
    await writeFile(config, JSON.stringify({ services }));
    const process = await this.node.startHost({
      args: ["--manifests", this.manifests, "--node-name", "node-a", "--config", config],
    });
    const socket = pathsBelow(this.node.root).hostSocket;
    const client = connectHostWithServices(socket, { timeoutMs: 60_000 });
    void process.exited.then(() => client.close());
    return { process, client };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(
      [...this.#actors.values()].map((actor) => actor[Symbol.asyncDispose]()),
    );
    await this.node[Symbol.asyncDispose]();
  }
}

/** Opens a laboratory with these actors; pods among them serve. */
export async function openLab(names: readonly ActorName[]): Promise<Lab> {
  const node = await openNode();
  const actors = new Map<ActorName, Actor>();
  try {
    const namespaces = await buildTopology(node);
    for (const name of names) actors.set(name, new Actor(name, namespaces[name]));
    const lab = new Lab({ node, namespaces, actors });
    await mkdir(lab.manifests, { recursive: true });
    await Promise.all(
      names
        .filter((name) => name !== "node-a" && name !== "outside")
        .map((name) => serve(lab, name)),
    );
    return lab;
  } catch (error) {
    await Promise.allSettled([...actors.values()].map((actor) => actor[Symbol.asyncDispose]()));
    await node[Symbol.asyncDispose]();
    throw error;
  }
}

async function serve(lab: Lab, name: ActorName): Promise<void> {
  await lab.actor(name).call("listen", {
    places: [LOCAL_PORT, REMOTE_PORT].flatMap((port) => [
      { transport: "TCP", address: "0.0.0.0", port },
      { transport: "TCP", address: "::", port },
      ...FAMILIES.map((family) => ({
        transport: "UDP" as const,
        address: ADDRESSES[name][family],
        port,
      })),
    ]),
  });
}

const PROGRAM_MS = 20_000;

/**
 * Resolves when the host lists that many Services, all of them programmed, and has nothing to complain of but
 * addresses that two of them want. */
export async function untilProgrammed({ client }: LabHost, services: number): Promise<void> {
  let last = "nothing";
  await until("all Services to be programmed", PROGRAM_MS, async () => {
    const list = await client.listServices({});
    const programmed = list.services.filter((service) => service.programmed).length;
    last = `${programmed} of ${list.services.length} programmed, problems: ${list.problems.join("; ")}`;
    const wrong = list.problems.filter((problem) => !problem.includes(" is taken by "));
    return wrong.length === 0 && programmed === services && list.services.length === services;
  }).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${last}`);
  });
}

/** Resolves when a Service's clients are led to exactly these endpoints, and the kernel knows it. */
export async function untilEndpoints(
  { client }: LabHost,
  service: string,
  wish: { readonly family: Family; readonly addresses: readonly string[] },
): Promise<void> {
  const wanted = [...wish.addresses].sort().join();
  await until(`${service} with ${wish.addresses.length} endpoints`, PROGRAM_MS, async () => {
    const { services } = await client.listServices({ service });
    const found = services.find((each) => each.service === service);
    return (
      found?.programmed === true &&
      found.frontends
        .filter(({ address }) => familyOf(address) === wish.family)
        .every(({ inside }) => {
          const addresses = inside?.endpoints.map(({ address }) => address) ?? [];
          return addresses.sort().join() === wanted;
        })
    );
  });
}

/** Gives the host frontends and groups, and resolves with the revision when they are programmed. */
export async function program(
  { client }: LabHost,
  request: Omit<ApplyServicesRequest, "source">,
): Promise<number> {
  const { revision, error } = await client.applyServices({ source: "lab", ...request });
  if (error !== "") throw new Error(`Refused: ${error}`);
  await client.waitProgrammed({ revision, timeoutMs: PROGRAM_MS });
  return revision;
}

/** How a result reads in a message of a test. */
export function describeResult(result: DialResult): string {
  if (result.kind === "answer") return `${result.own}:${result.ownPort} saw ${result.peer}`;
  return result.kind === "other" ? result.code : result.kind;
}

export function dialOf(
  transport: Transport,
  place: { readonly address: string; readonly port: number },
  timeoutMs = ANSWER_MS,
): Dial {
  return { transport, address: place.address, port: place.port, timeoutMs };
}

export function familyOf(address: string): Family {
  return address.includes(":") ? 6 : 4;
}

function toManifest(object: ServicesObject): object {
  const apiVersions = {
    Service: "v1",
    Node: "v1",
    Pod: "v1",
    EndpointSlice: "discovery.k8s.io/v1",
    ServiceCIDR: "networking.k8s.io/v1",
  };
  return { apiVersion: apiVersions[object.kind], ...object };
}
