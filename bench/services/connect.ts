import { execFileSync } from "node:child_process";
import { type BenchRow, median } from "../rows.ts";
import { chainRuleset } from "./chain-layout.ts";
import { createLab, DIAL, probeOf, targetsOf } from "./lab.ts";
import { type Namespace, readOutput } from "./namespaces.ts";
import type { Options } from "./options.ts";
import { startHolding } from "./run-task.ts";
import {
  type SampleService,
  SERVICE_PORT,
  sampleServices,
  TARGET_PORT,
} from "./sample-services.ts";

const LIMIT_MS = 120_000;

/** What is dialled, by which way. */
interface Lane {
  readonly what: "direct" | "few" | "many" | "chains" | "direct beside many";
  readonly target: string;
}

/** TCP connect through a Service IP against direct: routers side by side, in rounds. */
export async function benchConnect(options: Options): Promise<BenchRow[]> {
  const { quick, progress } = options;
  const most = quick ? 1000 : 30_000;
  progress(`services: connect through 10 and ${most} Services`);
  await using lab = await createLab(4);
  const [direct, few, many, chains] = lab.routers;
  if (!direct || !few || !many || !chains) throw new RangeError("Four routers");
  loadRules(direct, plainNat);
  await hold(few, { number: 1, services: 10 });
  await hold(many, { number: 2, services: most });
  loadRules(chains, chainRuleset([...sampleServices(CHAINS - 1, 3), probeService(3)]));
  const times = await measure(
    lab.client,
    [
      { what: "direct", target: `${targetsOf(0)[0]}:${TARGET_PORT}` },
      { what: "few", target: `${probeOf(1)}:${SERVICE_PORT}` },
      { what: "many", target: `${probeOf(2)}:${SERVICE_PORT}` },
      { what: "chains", target: `${probeOf(3)}:${SERVICE_PORT}` },
      { what: "direct beside many", target: `${targetsOf(2)[0]}:${TARGET_PORT}` },
    ],
    { quick },
  );
  return rowsOf(times, most);
}

/** The chain layout's Services: more would take long to load and change nothing here. */
const CHAINS = 1000;

/**
 * What a node has that masquerades its pods: connections are tracked, and pass NAT. Chains without a
 * rule that needs it would leave connection tracking off (nf_ct_netns_get in nft_nat.c and nft_masq.c).
 */
const plainNat = `table ip nat {
  chain pre { type nat hook prerouting priority -100; ip daddr 192.0.2.1 dnat to 192.0.2.2; }
  chain post { type nat hook postrouting priority 100; ip saddr 192.0.2.0/24 masquerade; }
}
`;

function rowsOf(times: ReadonlyMap<Lane["what"], readonly number[]>, most: number): BenchRow[] {
  const p50 = (what: Lane["what"]) => median(times.get(what) ?? []);
  const count = most.toLocaleString("en-US");
  const samples = times.get("direct")?.length;
  const chains = p50("chains").toFixed(1);
  return [
    {
      name: "services: connect p50, 10 Services",
      ours: p50("few"),
      peer: { name: "direct", value: p50("direct") },
      unit: "us",
      target: { kind: "within", times: 1.3 },
      note: `of ${samples}; a router with connection tracking and NAT on every path`,
    },
    {
      name: `services: connect p50, ${count} Services`,
      ours: p50("many"),
      peer: { name: "direct", value: p50("direct") },
      unit: "us",
      target: { kind: "within", times: 1.3 },
      note: `the chain layout, ${CHAINS} Services: ${chains} us`,
    },
    {
      name: `services: connect p50, ${count} against 10`,
      ours: p50("many"),
      peer: { name: "10 Services", value: p50("few") },
      unit: "us",
      target: { kind: "within", times: 1.05 },
      note: "equal: within a twentieth",
    },
    {
      name: `services: connect p50, direct, beside ${count} Services`,
      ours: p50("direct beside many"),
      peer: { name: "direct without", value: p50("direct") },
      unit: "us",
      note: "what passes our rules and is for no Service",
    },
  ];
}

/** us of each connect(), by lane. */
async function measure(
  client: Namespace,
  lanes: readonly Lane[],
  { quick }: { readonly quick: boolean },
): Promise<Map<Lane["what"], number[]>> {
  // Short ones: what else the machine does falls on all lanes alike.
  const rounds = quick ? 10 : 60;
  const perRound = quick ? 100 : 300;
  const targets = lanes.map(({ target }) => target);
  const child = client.spawn(
    DIAL,
    [client.path, "connect", String(rounds + 1), String(perRound), ...targets],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const output = await readOutput(child);
  const times = new Map<Lane["what"], number[]>(lanes.map(({ what }) => [what, []]));
  for (const line of output.trimEnd().split("\n")) {
    const { round, target, failed, ns } = JSON.parse(line) as DialLine;
    const { what } = lanes[target] ?? {};
    if (what === undefined || failed > 0) throw new Error(`${failed} dials failed: ${what}`);
    // The first round fills caches.
    if (round > 0) times.get(what)?.push(...ns.map((each) => each / 1000));
  }
  return times;
}

interface DialLine {
  readonly round: number;
  readonly target: number;
  readonly failed: number;
  readonly ns: readonly number[];
}

function hold(
  router: Namespace,
  { number, services }: { readonly number: number; readonly services: number },
): Promise<void> {
  const targets = targetsOf(number);
  return startHolding(router, { services, probe: probeOf(number), targets, limitMs: LIMIT_MS });
}

function loadRules(router: Namespace, input: string): void {
  execFileSync("nsenter", [`--net=${router.path}`, "--", "nft", "-f", "-"], { input });
}

function probeService(number: number): SampleService {
  const endpoints = targetsOf(number).map((address) => ({ address, node: "elsewhere" }));
  return { name: "probe", clusterIp: probeOf(number), endpoints };
}
