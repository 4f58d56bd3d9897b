import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { spawnHost, until } from "../e2e/harness.ts";
import {
  describeResult,
  dialOf,
  DROP_MS,
  type Lab,
  type LabHost,
  openLab,
  skipLab,
  untilProgrammed,
} from "./lab.ts";
import { cellObjects, clusterObjects, placeOf } from "./objects.ts";
import type { Transport } from "./protocol.ts";
import { type Cell, SITUATION_NAMES } from "./semantics.ts";
import { type ActorName, FAMILIES } from "./topology.ts";

const SAY_MS = 5000;
const REPAIR_MS = 10_000;

/** Flows through Services while the host dies, and while somebody takes the rules away. */
describe("live flows", { skip: skipLab }, () => {
  let lab: Lab;
  let host: LabHost;
  const objects = cellObjects();
  const services = objects.filter(({ kind }) => kind === "Service").length;
  const dialers: readonly ActorName[] = ["client-pod", "node-a", "outside"];
  /** Name of each flow, who has it, and who answered first. */
  const flows = new Map<string, { readonly from: ActorName; readonly seen: string }>();

  before(async () => {
    lab = await openLab(["client-pod", "local-1", "local-2", "remote-1", "node-a", "outside"]);
    await lab.write("cluster.yaml", clusterObjects());
    await lab.write("services.yaml", objects);
    host = await lab.startHost();
    await untilProgrammed(host, services);
    for (const from of dialers) {
      for (const family of FAMILIES) {
        for (const frontend of ["clusterIP", "nodePort", "externalIP"] as const) {
          for (const transport of ["TCP", "UDP"] as const)
            await open({ from, family, frontend, transport });
        }
      }
    }
  });
  after(() => lab?.[Symbol.asyncDispose]());

  const open = async (how: {
    readonly from: ActorName;
    readonly family: 4 | 6;
    readonly frontend: Cell["frontend"];
    readonly transport: Transport;
  }) => {
    const { from, family, frontend, transport } = how;
    const flow = `${from} ${frontend} v${family} ${transport}`;
    const place = placeOf(cellAt({ family, frontend }));
    const result = await lab.actor(from).call("open", { flow, dial: dialOf(transport, place) });
    assert.equal(result.kind, "answer", `${flow}: ${describeResult(result)}`);
    flows.set(flow, { from, seen: JSON.stringify({ ...result, ms: 0 }) });
  };

  /** Every flow is spoken on: same endpoint, same addresses and ports on both sides. */
  const assertAllLive = async (when: string) => {
    const broken: string[] = [];
    await Promise.all(
      [...flows].map(async ([flow, { from, seen }]) => {
        const result = await lab.actor(from).call("say", { flow, timeoutMs: SAY_MS });
        const now = JSON.stringify({ ...result, ms: 0 });
        if (now !== seen) broken.push(`${flow}: ${now} after ${seen}`);
      }),
    );
    assert.deepEqual(broken, [], when);
  };

  const places = FAMILIES.map((family) => placeOf(cellAt({ family, frontend: "clusterIP" })));
  /**
   * Both families translate again. Flows are spoken on after that only: the kernel translates
   * established flows too by the rules' hooks, and what is sent while there are none arrives as it is.
   */
  const answersAgain = () =>
    until("connections through the Service", REPAIR_MS, async () => {
      const dials = places.map((place) => dialOf("TCP", place, DROP_MS));
      const results = await Promise.all(dials.map((dial) => lab.actor("client-pod").dial(dial)));
      return results.every(({ kind }) => kind === "answer");
    });
  const tables = async () => {
    const { stdout } = await lab.node.run(["nft", "list", "tables"]);
    return stdout.split("\n").filter((line) => line.includes("patchbay"));
  };
  const events = async (kind: string) => {
    const found: string[] = [];
    for await (const event of host.client.watchEvents({ last: 100, follow: false })) {
      if (event.kind === kind) found.push(event.message);
    }
    return found;
  };
  /** After many repairs in a row a host takes its time (limits: planeRepairsMax). */
  const freshHost = async () => {
    await host.process.kill("SIGKILL");
    host = await lab.startHost();
    await untilProgrammed(host, services);
  };
  /** Takes something away, and waits until it is back and an event says so. */
  const harm = async (what: string, script: string) => {
    const before = (await events("services-repaired")).length;
    const { exitCode, stderr } = await lab.node.run(["nft", script]);
    assert.equal(exitCode, 0, stderr);
    await until(`an event that says that ${what} was repaired`, REPAIR_MS, async () => {
      return (await events("services-repaired")).length > before;
    });
    await answersAgain();
    await assertAllLive(what);
  };

  it("are there", () => assertAllLive("at first"));

  it("survive kill -9 of the host, the time without one, and the next one", async () => {
    await host.process.kill("SIGKILL");
    await assertAllLive("without a host");
    host = await lab.startHost();
    await untilProgrammed(host, services);
    await assertAllLive("with a new host");
  });

  it("survive a stop and a start", async () => {
    await host.process.kill("SIGTERM");
    await assertAllLive("without a host");
    host = await lab.startHost();
    await untilProgrammed(host, services);
    await assertAllLive("with a new host");
  });

  it("survive `nft flush ruleset`, which is repaired and told of", async () => {
    await harm("everything", "flush ruleset");
  });

  it("survive a table that is deleted", async () => {
    const [table = ""] = await tables();
    await harm("a table", `delete ${table}`);
    assert.equal((await tables()).length, 2);
  });

  it("survive rules that are flushed, which reloads the skeleton", async () => {
    const [table = ""] = await tables();
    await harm("the rules", `flush ${table}`);
  });

  for (const family of ["ip", "ip6"]) {
    it(`survive maps that are emptied one by one, ${family}`, async () => {
      await freshHost();
      const table = `${family} patchbay-services`;
      const list = async (...what: string[]) =>
        (await lab.node.run(["nft", ...what.flatMap((words) => words.split(" "))])).stdout;
      const names = [...(await list("-t list table", table)).matchAll(/^\t(map|set) (\S+) \{/gm)];
      assert.ok(names.length >= 15, String(names.length));
      let count = 0;
      for (const [, kind = "", name = ""] of names) {
        // An empty one that is emptied is no change, and nothing says so.
        const listed = await list("list", kind, table, name);
        if (!listed.includes("elements = {")) continue;
        await harm(`${kind} ${name}`, `flush ${kind} ${table} ${name}`);
        assert.ok((await list("list", kind, table, name)).includes("elements = {"), name);
        count++;
      }
      assert.ok(count >= 10, String(count));
    });
  }

  it("survive elements and rules of strangers, which go", async () => {
    await freshHost();
    const table = "ip patchbay-services";
    const list = async () =>
      (await lab.node.run(["nft", "list", "table", ...table.split(" ")])).stdout;
    await harm("a rule", `insert rule ${table} prerouting counter drop comment "stranger"`);
    assert.doesNotMatch(await list(), /stranger/);
    await harm("an element", `add element ${table} cluster-ips { 192.0.2.77 }`);
    assert.doesNotMatch(await list(), /192\.0\.2\.77/);
  });

  it("survive a ruleset that is flushed again and again", async () => {
    await freshHost();
    for (let count = 0; count < 10; count++) await lab.node.run(["nft", "flush ruleset"]);
    await answersAgain();
    await until("both tables, and all flows", REPAIR_MS, async () => (await tables()).length === 2);
    await assertAllLive("after ten flushes");
    await harm("everything once more", "flush ruleset");
    for (const place of places) {
      const { endpoints, kernelDifferences } = await host.client.explain({
        from: "node",
        ...place,
      });
      assert.equal(endpoints.length, 3);
      assert.deepEqual(kernelDifferences, []);
    }
  });

  it("survive a whole ruleset that is gone while no host is there", async () => {
    await host.process.kill("SIGKILL");
    await lab.node.run(["nft", "flush ruleset"]);
    host = await lab.startHost();
    await untilProgrammed(host, services);
    await answersAgain();
    await assertAllLive("with a new host");
  });

  for (const [what, folder] of [
    ["the same root", ""],
    ["another root", "-second"],
  ] as const) {
    it(`a second host on the node, below ${what}, is refused, and the first goes on`, async () => {
      const second = spawnHost({
        root: lab.node.root + folder,
        netns: lab.node.netns,
        args: ["--manifests", lab.manifests, "--node-name", "node-a"],
      });
      try {
        const exit = await withTimeout(second.exited, REPAIR_MS);
        assert.notEqual(exit, undefined, "it runs");
        assert.notEqual(exit?.code, 0, second.log());
      } finally {
        await second[Symbol.asyncDispose]();
      }
      await answersAgain();
      await assertAllLive("after the second host");
    });
  }
});

async function withTimeout<T>(promise: Promise<T>, limitMs: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), limitMs);
  });
  return await Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function cellAt({ family, frontend }: { family: 4 | 6; frontend: Cell["frontend"] }): Cell {
  const situation = SITUATION_NAMES[0] ?? "both";
  return {
    source: "client-pod",
    frontend,
    internal: "Cluster",
    external: "Cluster",
    situation,
    family,
    protocol: "TCP",
  };
}
