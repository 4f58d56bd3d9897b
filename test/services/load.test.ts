import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { until } from "../e2e/harness.ts";
import { dialOf, type Lab, type LabHost, openLab, program, skipLab } from "./lab.ts";
import { clusterObjects } from "./objects.ts";
import type { StormReport } from "./protocol.ts";
import { clusterIp, frontend, group, localEndpoints, manyEndpoints } from "./requests.ts";

const CONCURRENCY = 16;
const CHANGE_EVERY_MS = 100;
const CHANGES = 60;
const RECOVERY_MS = 15_000;

/** A client that dials without pause, while what is behind the Service changes. */
describe("a storm of connections", { skip: skipLab }, () => {
  let lab: Lab;
  let host: LabHost;
  const place = { address: clusterIp(4, 60), port: 80 };
  const [always = ""] = localEndpoints(4, ["local-1"]);
  const coming = manyEndpoints(4, 8);

  before(async () => {
    lab = await openLab(["client-pod", "local-1", "local-2"]);
    await lab.write("cluster.yaml", clusterObjects());
    host = await lab.startHost();
    await put([always, ...coming]);
  });
  after(() => lab?.[Symbol.asyncDispose]());

  const put = (addresses: readonly string[]) =>
    program(host, {
      putGroups: [group("storm", addresses)],
      putFrontends: [frontend("storm", { ...place, protocol: "TCP" })],
    });
  const storm = (timeoutMs?: number) =>
    lab
      .actor("client-pod")
      .call("storm", { dial: dialOf("TCP", place, timeoutMs), concurrency: CONCURRENCY });
  const calm = () => lab.actor("client-pod").call("stopStorm", {});
  const dialled = async (count: number) => {
    const sinceMs = nowMs();
    await until(`${count} connections`, RECOVERY_MS, async () => {
      const answers = await lab.actor("client-pod").call("stormAnswers", { sinceMs });
      return answers.count >= count;
    });
  };

  it("loses no connection while endpoints come and go ten times a second", async (test) => {
    /** From the acknowledgement of its removal until it was asked for again. */
    const absences: { readonly address: string; readonly fromMs: number; toMs: number }[] = [];
    await storm();
    await dialled(500);
    let present = new Set(coming);
    const startedMs = nowMs();
    for (let change = 0; change < CHANGES; change++) {
      await waitUntil(startedMs + change * CHANGE_EVERY_MS);
      const next = new Set(coming.filter((_, index) => ((index * 7 + change * 3) % 8) % 3 !== 0));
      const askedMs = nowMs();
      for (const absence of absences) {
        if (next.has(absence.address) && absence.toMs === Number.POSITIVE_INFINITY) {
          absence.toMs = askedMs;
        }
      }
      await put([always, ...next]);
      const acknowledgedMs = nowMs();
      for (const address of present) {
        if (next.has(address)) continue;
        absences.push({ address, fromMs: acknowledgedMs, toMs: Number.POSITIVE_INFINITY });
      }
      present = next;
    }
    const seconds = (nowMs() - startedMs) / 1000;
    const report = await calm();
    test.diagnostic(
      `${(report.dials / report.seconds).toFixed(0)} connections/s, ${(CHANGES / seconds).toFixed(1)} changes/s, ` +
        `slowest ${report.slowestMs.toFixed(0)} ms`,
    );
    assert.deepEqual(report.failures, []);
    assert.equal(report.synRetransmits, 0, "SYNs were lost");
    assert.ok(absences.length > CHANGES, `only ${absences.length} removals`);
    assert.deepEqual(findGhosts(report, absences).slice(0, 10), []);
    assert.ok(report.dials > 1000, `only ${report.dials} connections`);
  });

  it("comes back when the ruleset is flushed, and an event says so", async (test) => {
    await put([always]);
    // Given up soon: TCP itself sends a lost SYN again only after a second.
    await storm(20);
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

/** Connections that were begun after an endpoint's removal was acknowledged and reached it. */
function findGhosts(
  { answers, endpoints }: StormReport,
  absences: readonly { readonly address: string; readonly fromMs: number; readonly toMs: number }[],
): string[] {
  const ghosts: string[] = [];
  for (let at = 0; at < answers.length; at += 2) {
    const startedMs = answers[at] ?? 0;
    const address = endpoints[answers[at + 1] ?? 0] ?? "";
    for (const absence of absences) {
      if (absence.address !== address || startedMs < absence.fromMs) continue;
      if (startedMs < absence.toMs) {
        ghosts.push(`${address} ${(startedMs - absence.fromMs).toFixed(1)} ms after it went`);
      }
    }
  }
  return ghosts;
}

/** Longest time between the starts of two answered dials that follow each other, the second after `sinceMs`. */
function longestPause({ answers }: StormReport, sinceMs: number): number {
  const starts = answers.filter((_, at) => at % 2 === 0).sort((left, right) => left - right);
  let longestMs = 0;
  for (const [at, startedMs] of starts.entries()) {
    if (startedMs < sinceMs || at === 0) continue;
    longestMs = Math.max(longestMs, startedMs - (starts[at - 1] ?? 0));
  }
  return longestMs;
}

/** The monotonic clock, as the actors have it. */
function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

function waitUntil(timeMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, Math.max(0, timeMs - nowMs()));
  });
}
