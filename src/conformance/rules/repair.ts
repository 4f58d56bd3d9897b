import type { AttachRequest } from "../../plugin-sdk/network-plugin.ts";
import type { Bench } from "../bench.ts";
import { breakAddresses, breakLink, breakRoutes } from "../break.ts";
import { expectEqual, expectThat, type Rule, type RuleGroup, Skip } from "../rule.ts";
import { attachForCheck, requireFindings } from "./check.ts";

const REPAIR = { capability: "CAPABILITY_REPAIR" } as const;
const REPAIR_NETWORK = { capability: "CAPABILITY_REPAIR_NETWORK" } as const;

/** Check with repair, and RepairNetwork: only what a plugin says it can. */
export const repairRules: RuleGroup = {
  name: "repair",
  rules: [
    ruleOfMending({
      id: "repair-link-down",
      sentence: "Check with repair sets the interface up again, with its routes",
      after: ["check-link-down"],
      breakIt: breakLink,
    }),
    ruleOfMending({
      id: "repair-address",
      sentence: "Check with repair gives the addresses back",
      after: ["check-address-missing"],
      breakIt: breakAddresses,
    }),
    ruleOfMending({
      id: "repair-route",
      sentence: "Check with repair gives the routes back",
      after: ["check-route-missing"],
      breakIt: breakRoutes,
    }),
    {
      id: "repair-fresh",
      sentence: "Check with repair of what is whole finds and changes nothing",
      after: ["check-fresh"],
      needs: REPAIR,
      async check(bench) {
        const { pod, answer } = await bench.attachedPod();
        const before = await bench.lookInside(pod);
        expectEqual("findings", [], await bench.repair(pod, answer));
        expectEqual(pod.ifname, before, await bench.look(pod));
      },
    },
    {
      id: "repair-network-whole",
      sentence: "RepairNetwork of what is whole finds nothing",
      after: ["attach-interface"],
      needs: REPAIR_NETWORK,
      async check(bench) {
        const { pod } = await bench.attachedPod();
        expectEqual("findings", [], await repairNetwork(bench, [pod]));
      },
    },
    {
      id: "repair-network-mends",
      sentence: "RepairNetwork makes the network's links on the node again, and says so",
      // What Detach leaves behind would be taken for the network's own.
      after: ["repair-network-whole", "detach-node"],
      needs: REPAIR_NETWORK,
      async check(bench) {
        const { networkLinks } = bench.options;
        if (networkLinks.length === 0) throw new Skip("the network has no link of its own here");
        const { pod } = await bench.attachedPod();
        await bench.kernel.removeLinks(networkLinks);
        const findings = await repairNetwork(bench, [pod]);
        requireFindings(findings);
        expectThat(
          findings.every(({ repaired }) => repaired),
          `findings: expected all repaired, found ${JSON.stringify(findings)}`,
        );
        for (const name of networkLinks) {
          expectThat(!!(await bench.kernel.findLink(name)), `${name}: expected on the node`);
        }
        expectEqual("findings the second time", [], await repairNetwork(bench, [pod]));
      },
    },
  ],
};

function ruleOfMending(fields: {
  readonly id: string;
  readonly sentence: string;
  readonly after: readonly string[];
  readonly breakIt: (bench: Bench, pod: AttachRequest) => Promise<void>;
}): Rule {
  const { id, sentence, after, breakIt } = fields;
  return {
    id,
    sentence,
    after,
    needs: REPAIR,
    async check(bench) {
      const { pod, answer } = await attachForCheck(bench);
      const before = await bench.lookInside(pod);
      await breakIt(bench, pod);
      const findings = await bench.repair(pod, answer);
      requireFindings(findings);
      expectThat(
        findings.every(({ repaired }) => repaired),
        `findings: expected all repaired, found ${JSON.stringify(findings)}`,
      );
      expectEqual(pod.ifname, before, await bench.look(pod));
      expectEqual("findings afterwards", [], await bench.check(pod, answer));
    },
  };
}

function repairNetwork(bench: Bench, attachments: AttachRequest[]) {
  const { configJson, options } = bench;
  return bench.life.client.repairNetwork({ network: options.network, configJson, attachments });
}
