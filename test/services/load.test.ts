import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { until } from "../e2e/harness.ts";
import {
  dialOf,
  type Lab,
  type LabHost,
  openLab,
  program,
  skipLab,
  untilProgrammed,
} from "./lab.ts";
import type { ServicesObject } from "../../src/services/objects.ts";
import { LOCAL_PORT } from "./topology.ts";
import { clusterObjects } from "./objects.ts";
import type { StormReport } from "./protocol.ts";
import { clusterIp, frontend, group, localEndpoints, manyEndpoints } from "./requests.ts";

const CONCURRENCY = 16;
const CHANGE_EVERY_MS = 100;
const CHANGES = 40;
const RECOVERY_MS = 15_000;

/** A client that dials without pause, while what is behind the Service changes. */
describe("a storm of connections", { skip: skipLab }, () => {
  let lab: Lab;
  let host: LabHost;
  const place = { address: clusterIp(4, 60), port: 80 };
  const [always = ""] = localEndpoints(4, ["local-1"]);
  /** Addresses of client-pod. */
  const manyClients = Array.from({ length: 250 }, (_, index) => `10.244.12.${index + 1}`);

  before(async () => {
    lab = await openLab(["local-1", "local-2", "client-pod"]);
    await lab.write("cluster.yaml", clusterObjects());
    host = await lab.startHost();
    // A dial ends by a reset, and the server's FIN may cross it: then connection tracking takes the next SYN from
    // that port for the old connection, which leads to the old endpoint, as long as the entry stays (10 s).
    await lab.node.run(["sh", "-c", `echo 0 > ${CLOSE_TIMEOUT} || true`]);
  });
  after(() => lab?.[Symbol.asyncDispose]());

  const putStorm = (
    addresses: readonly string[],
    how: { readonly place: typeof place; readonly seconds: number },
  ) =>
    program(host, {
      putGroups: [group("storm", addresses)],
      putFrontends: [
        {
          ...frontend("storm", { ...how.place, protocol: "TCP" }, { affinitySeconds: how.seconds }),
          id: "storm",
        },
      ],
    });
  const storm = (
    options: {
      readonly timeoutMs?: number;
      readonly sources?: readonly string[];
      readonly place?: { readonly address: string; readonly port: number };
    } = {},
  ) =>
    lab.actor("client-pod").call("storm", {
      dial: dialOf("TCP", options.place ?? place, options.timeoutMs),
      concurrency: CONCURRENCY,
      ...(options.sources ? { sources: options.sources } : {}),
    });
  const calm = () => lab.actor("client-pod").call("stopStorm", {});
  const dialled = async (count: number) => {
    const sinceMs = nowMs();
    await until(`${count} connections`, RECOVERY_MS, async () => {
      const answers = await lab.actor("client-pod").call("stormAnswers", { sinceMs });
      return answers.count >= count;
    });
  };

  const cases: readonly {
    readonly what: string;
    readonly family: 4 | 6;
    readonly pool: number;
    /** Session affinity, and then each dial is a new client's. */
    readonly seconds: number;
  }[] = [
    { what: "a few endpoints, v4", family: 4, pool: 8, seconds: 0 },
    { what: "a few endpoints, v6", family: 6, pool: 8, seconds: 0 },
    { what: "lists of very different sizes", family: 4, pool: 150, seconds: 0 },
    { what: "session affinity and new clients", family: 4, pool: 8, seconds: 1 },
  ];
  for (const { what, family, pool, seconds } of cases) {
    it(`loses no connection while endpoints come and go ten times a second: ${what}`, async (test) => {
      const [always = ""] = localEndpoints(family, ["local-1"]);
      const coming = manyEndpoints(family, pool);
      const place = { address: clusterIp(family, 62), port: 80 };
      const put = (addresses: readonly string[]) => putStorm(addresses, { place, seconds });
      await put([always, ...coming]);
      await storm({ place, ...(seconds > 0 ? { sources: manyClients } : {}) });
      await dialled(500);
      const churn = await churnEndpoints(coming, (present) => put([always, ...present]));
      const report = await calm();
      test.diagnostic(
        `${(report.dials / report.seconds).toFixed(0)} connections/s, ` +
          `${(CHANGES / churn.seconds).toFixed(1)} changes/s, slowest ${report.slowestMs.toFixed(0)} ms`,
      );
      assertNothingLost(report);
      assert.ok(churn.absences.length > CHANGES, `only ${churn.absences.length} removals`);
      assert.deepEqual(findGhosts(report, churn.absences).slice(0, 10), []);
      assert.ok(report.dials > 1000, `only ${report.dials} connections`);
      assert.ok(report.endpoints.length > pool / 2, `only ${report.endpoints.length} endpoints`);
    });
  }

  it("loses no connection while the host is killed and started again", async (test) => {
    const objects = stormObjects([always, ...manyEndpoints(4, 20)]);
    await lab.write("storm.yaml", objects);
    await untilProgrammed(host, 2);
    await storm({ place: { address: clusterIp(4, 61), port: 80 } });
    await dialled(500);
    for (let count = 0; count < 3; count++) {
      await host.process.kill("SIGKILL");
      // What changed while nobody looked is found out.
      await lab.write("storm.yaml", stormObjects([always, ...manyEndpoints(4, 20 - count * 5)]));
      host = await lab.startHost();
      await untilProgrammed(host, 1);
    }
    await dialled(500);
    const report = await calm();
    test.diagnostic(`${(report.dials / report.seconds).toFixed(0)} connections/s`);
    assertNothingLost(report);
  });

  it("loses no connection while thousands of Services come, and a host dies over it", async () => {
    const bystanders = Array.from({ length: 2000 }, (_, index) =>
      stormObjects(manyEndpoints(4, 3), {
        name: `bystander-${index}`,
        address: `10.96.${16 + (index >> 8)}.${index & 255}`,
      }),
    ).flat();
    await storm({ place: { address: clusterIp(4, 61), port: 80 } });
    await dialled(500);
    await lab.write("bystanders.yaml", bystanders);
    // Somewhere in the middle of it.
    await until("some of them", RECOVERY_MS, async () => {
      return (
        (await host.client.listServices({ service: "default/bystander-19" })).services.length > 0
      );
    });
    await host.process.kill("SIGKILL");
    host = await lab.startHost();
    await untilProgrammed(host, 2001);
    const report = await calm();
    assertNothingLost(report);
    const wrong: string[] = [];
    for (let index = 0; index < 2000; index += 40) {
      const address = `10.96.${16 + (index >> 8)}.${index & 255}`;
      const answer = await host.client.explain({ from: "node", address, port: 80 });
      const isRight =
        answer.kernelChecked &&
        answer.kernelDifferences.length === 0 &&
        answer.endpoints.length === 3;
      if (!isRight) wrong.push(JSON.stringify(answer));
    }
    assert.deepEqual(wrong, []);
    await lab.remove("bystanders.yaml");
    await untilProgrammed(host, 1);
  });

  it("is not disturbed by tables of others that come and go", async () => {
    const repairs = async () => {
      let count = 0;
      for await (const { kind } of host.client.watchEvents({ last: 100, follow: false })) {
        if (kind === "services-repaired") count++;
      }
      return count;
    };
    const before = await repairs();
    for (let count = 0; count < 10; count++) {
      const rules = `add table ip other; add chain ip other c { type filter hook forward priority 5; }; delete table ip other`;
      const { exitCode, stderr } = await lab.node.run(["nft", rules]);
      assert.equal(exitCode, 0, stderr);
    }
    await putStorm([always], { place, seconds: 0 });
    assert.equal(await repairs(), before);
  });

  it("comes back when the ruleset is flushed, and an event says so", async (test) => {
    await putStorm([always], { place, seconds: 0 });
    // Given up soon: TCP itself sends a lost SYN again only after a second.
    await storm({ timeoutMs: 20 });
    await dialled(500);
    const flushedMs = nowMs();
    const { exitCode, stderr } = await lab.node.run(["nft", "flush ruleset"]);
    assert.equal(exitCode, 0, stderr);
    await until("an event that says so", RECOVERY_MS, async () => {
      for await (const event of host.client.watchEvents({ last: 50, follow: false })) {
        if (event.kind === "services-repaired") return true;
      }
      return false;
    });
    await dialled(500);
    const report = await calm();
    const pauseMs = longestPause(report, flushedMs);
    test.diagnostic(`${pauseMs.toFixed(0)} ms without a connection`);
    assert.ok(pauseMs < RECOVERY_MS);
  });
});

function assertNothingLost(report: StormReport): void {
  assert.deepEqual(report.failures.slice(0, 10), [], `${report.failures.length} failures`);
  assert.equal(report.synRetransmits, 0, "SYNs were lost");
}

interface Absence {
  readonly address: string;
  /** Acknowledgement of the removal; when it was asked for again. */
  readonly fromMs: number;
  toMs: number;
}

/** Puts changing subsets of the endpoints, ten times a second. */
async function churnEndpoints(
  all: readonly string[],
  put: (present: readonly string[]) => Promise<unknown>,
): Promise<{ readonly absences: readonly Absence[]; readonly seconds: number }> {
  const absences: Absence[] = [];
  let present = new Set(all);
  const startedMs = nowMs();
  for (let change = 0; change < CHANGES; change++) {
    await waitUntil(startedMs + change * CHANGE_EVERY_MS);
    // From all but a third to a twelfth: lists cross every size on the way.
    const modulus = 3 + (change % 10);
    const next = new Set(
      all.filter((_, index) =>
        change % 2 === 0 ? (index + change) % 3 !== 0 : (index + change) % modulus === 0,
      ),
    );
    const askedMs = nowMs();
    for (const absence of absences) {
      if (next.has(absence.address) && absence.toMs === Number.POSITIVE_INFINITY) {
        absence.toMs = askedMs;
      }
    }
    await put([...next]);
    const fromMs = nowMs();
    for (const address of present) {
      if (!next.has(address)) {
        absences.push({ address, fromMs, toMs: Number.POSITIVE_INFINITY });
      }
    }
    present = next;
  }
  return { absences, seconds: (nowMs() - startedMs) / 1000 };
}

/** A Service of manifests: it is there again with the next host. */
function stormObjects(
  addresses: readonly string[],
  { name, address } = { name: "storm", address: clusterIp(4, 61) },
): ServicesObject[] {
  return [
    {
      kind: "Service",
      metadata: { name, namespace: "default" },
      spec: {
        clusterIP: address,
        clusterIPs: [address],
        ports: [{ protocol: "TCP", port: 80 }],
      },
    },
    {
      kind: "EndpointSlice",
      metadata: {
        name,
        namespace: "default",
        labels: { "kubernetes.io/service-name": name },
      },
      addressType: "IPv4",
      endpoints: addresses.map((address) => ({ addresses: [address], nodeName: "node-a" })),
      ports: [{ name: "", protocol: "TCP", port: LOCAL_PORT }],
    },
  ];
}

/**
 * Connections that were begun after an endpoint's removal was acknowledged and reached it, and were over
 * before it was asked for again: of one that was not, the SYN may have left after that.
 */
function findGhosts(
  { answers, endpoints }: StormReport,
  absences: readonly Absence[],
): readonly string[] {
  const ghosts: string[] = [];
  for (let at = 0; at < answers.length; at += 3) {
    const [startedMs = 0, index = 0, ms = 0] = answers.slice(at, at + 3);
    const address = endpoints[index] ?? "";
    for (const absence of absences) {
      if (absence.address !== address || startedMs < absence.fromMs) continue;
      if (startedMs + ms >= absence.toMs) continue;
      ghosts.push(`${address} ${(startedMs - absence.fromMs).toFixed(1)} ms after it went`);
    }
  }
  return ghosts;
}

/** Longest time between the starts of two answered dials that follow each other, the second after `sinceMs`. */
function longestPause({ answers }: StormReport, sinceMs: number): number {
  const starts = answers.filter((_, at) => at % 3 === 0).sort((left, right) => left - right);
  let longestMs = 0;
  for (const [at, startedMs] of starts.entries()) {
    if (startedMs < sinceMs || at === 0) continue;
    longestMs = Math.max(longestMs, startedMs - (starts[at - 1] ?? 0));
  }
  return longestMs;
}

const CLOSE_TIMEOUT = "/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_close";

/** The monotonic clock, as the actors have it. */
function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

function waitUntil(timeMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, Math.max(0, timeMs - nowMs()));
  });
}
