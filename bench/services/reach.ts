import { execFile } from "node:child_process";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { type BenchRow, median, percentile } from "../rows.ts";
import { type Dialler, longestGap, startDialler } from "./dialler.ts";
import { startServicesHost } from "./host.ts";
import { createLab, type Lab, targetsOf } from "./lab.ts";
import { formatObjects, writeManifests } from "./manifests.ts";
import type { Options } from "./options.ts";
import {
  SERVICE_PORT,
  sampleServices,
  serviceObject,
  sliceObject,
  TARGET_PORT,
} from "./sample-services.ts";

const execute = promisify(execFile);
const PROGRAM_MS = 60_000;
/** Without Services of the sample; the lab's client has a route to them. */
const PROBES = { manifest: "10.79.255.1", apply: "10.79.255.2" };

/**
 * From what a caller does to a connection that reaches the new endpoint, with a real host between;
 * and, on the same hosts, from a flushed ruleset to connections again.
 */
export async function benchReach(options: Options): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const services of options.quick ? [1000] : [1000, 10_000]) {
    await using node = await startNode(services, options);
    const isLast = services === 10_000 || options.quick;
    if (isLast) rows.push(...(await measureReach(node, options)));
    rows.push(...(await measureRepair(node, options)));
  }
  return rows;
}

interface Node extends AsyncDisposable {
  readonly services: number;
  readonly lab: Lab;
  readonly host: ReturnType<typeof startServicesHost>;
  readonly manifests: string;
}

async function startNode(services: number, options: Options): Promise<Node> {
  options.progress(`services: a host with ${services} Services`);
  await using stack = new AsyncDisposableStack();
  const lab = stack.use(await createLab(1));
  const [router] = lab.routers;
  if (!router) throw new RangeError("One router");
  for (const address of Object.values(PROBES)) {
    lab.client.ip(`route replace ${address}/32 via 10.200.0.1`);
  }
  // Whoever dials while the rules are gone shall hear of it each time.
  router.sysctl("net.ipv4.icmp_ratemask", "0");
  const manifests = join(options.folder, `reach-${services}`);
  mkdirSync(manifests, { recursive: true });
  writeManifests(manifests, { services: sampleServices(services, 3), format: "yaml" });
  const probe = { name: "probe", clusterIp: PROBES.manifest, endpoints: [] };
  writeFileSync(join(manifests, "zz-service.yaml"), formatObjects([serviceObject(probe)], "yaml"));
  const host = stack.use(
    startServicesHost(router, { root: join(options.folder, `reach-${services}-host`), manifests }),
  );
  await host.untilProgrammed("bench/probe", PROGRAM_MS);
  const all = stack.move();
  return { services, lab, host, manifests, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

async function measureReach(node: Node, options: Options): Promise<BenchRow[]> {
  const { services, lab, host } = node;
  using dialler = await startDialler(lab.client);
  const samples = options.quick ? 30 : 200;
  const address = targetsOf(0)[0] ?? "";
  const group = (isThere: boolean) => ({
    id: "probe",
    endpoints: isThere ? [{ address, ports: [{ port: TARGET_PORT }] }] : [],
  });
  const put = async (isThere: boolean) => {
    const { error } = await host.client.applyServices({
      source: "bench",
      putGroups: [group(isThere)],
    });
    if (error !== "") throw new Error(error);
  };
  await host.client.applyServices({
    source: "bench",
    putGroups: [group(false)],
    putFrontends: [
      {
        id: "probe",
        kind: "clusterIP",
        address: PROBES.apply,
        port: SERVICE_PORT,
        group: "probe",
      },
    ],
  });
  options.progress("services: ApplyServices to a connection");
  const applied = await repeat(dialler, {
    target: `${PROBES.apply}:${SERVICE_PORT}`,
    samples,
    add: () => put(true),
    remove: () => put(false),
  });
  const target = `${PROBES.manifest}:${SERVICE_PORT}`;
  const move = async (isThere: boolean) => moveManifest(node.manifests, textOf(isThere));
  options.progress("services: a manifest to a connection");
  const moved = await repeat(dialler, {
    target,
    samples,
    add: () => move(true),
    remove: () => move(false),
  });
  const written = await repeat(dialler, {
    target,
    samples,
    add: async () => writeFileSync(join(node.manifests, probeFile), textOf(true)),
    remove: () => move(false),
  });
  await move(true);
  const count = services.toLocaleString("en-US");
  return [
    ...reachRows(applied, {
      what: `ApplyServices to a connection, ${count}`,
      note: "one message with one endpoint",
    }),
    ...reachRows(moved, {
      what: `manifest to a connection, ${count}`,
      note: "YAML in a file of its own, moved into the folder",
    }),
    ...reachRows(written, {
      what: `manifest in place to a connection, ${count}`,
      note: "the same, written over",
    }),
  ];
}

const probeFile = "zz-slice.yaml";

function textOf(isThere: boolean): string {
  const endpoints = isThere ? [{ address: targetsOf(0)[0] ?? "", node: "elsewhere" }] : [];
  return formatObjects([sliceObject("probe", { endpoints })], "yaml");
}

function moveManifest(folder: string, content: string): void {
  const temporary = join(folder, `.${probeFile}.new`);
  writeFileSync(temporary, content);
  renameSync(temporary, join(folder, probeFile));
}

/** ms from the start of `add` to the first connection that is made; refused until then. */
async function repeat(
  dialler: Dialler,
  how: {
    readonly target: string;
    readonly samples: number;
    readonly add: () => Promise<void>;
    readonly remove: () => Promise<void>;
  },
): Promise<number[]> {
  const { target, samples, add, remove } = how;
  const times: number[] = [];
  await remove();
  for (let sample = -10; sample < samples; sample++) {
    await dialler.until("closed", target);
    const opened = dialler.until("open", target);
    // Never in step with what the host does every so often.
    await delay(5 + Math.random() * 10);
    const startNs = process.hrtime.bigint();
    await add();
    const ms = Number((await opened) - startNs) / 1e6;
    if (sample >= 0) times.push(ms);
    await remove();
  }
  return times;
}

function reachRows(
  times: readonly number[],
  { what, note }: { readonly what: string; readonly note: string },
): BenchRow[] {
  const quoted = (value: number) => ({ name: "kube-proxy 1.36.3, quoted", value });
  return [
    {
      name: `services: ${what}, p50`,
      ours: median(times),
      peer: quoted(5504),
      unit: "ms",
      target: { kind: "below", value: 5 },
      note: `of ${times.length}; ${note}; quoted: an EndpointSlice written at 10,000`,
    },
    {
      name: `services: ${what}, p99`,
      ours: percentile(times, 0.99),
      peer: quoted(6056),
      unit: "ms",
      target: { kind: "below", value: 20 },
      note: "the quoted figure is a maximum",
    },
  ];
}

async function measureRepair(node: Node, options: Options): Promise<BenchRow[]> {
  const { services, lab } = node;
  options.progress(`services: nft flush ruleset under dialling, ${services} Services`);
  const [router] = lab.routers;
  moveManifest(node.manifests, textOf(true));
  using dialler = await startDialler(lab.client);
  const target = `${PROBES.manifest}:${SERVICE_PORT}`;
  await dialler.until("open", target);
  const times: number[] = [];
  for (let round = 0; round < (options.quick ? 2 : 5); round++) {
    const ms = await longestGap(lab.client, {
      target,
      ms: 3000,
      async disturb() {
        await delay(500);
        await execute("nsenter", [`--net=${router?.path}`, "--", "nft", "flush", "ruleset"]);
      },
    });
    times.push(ms);
  }
  return [
    {
      name: `services: flush ruleset, longest gap, ${services.toLocaleString("en-US")}`,
      ours: median(times),
      unit: "ms",
      target: { kind: "below", value: 100 },
      note: `median of ${times.length}, worst ${Math.max(...times).toFixed(0)} ms; kube-proxy looks once an hour`,
    },
  ];
}
