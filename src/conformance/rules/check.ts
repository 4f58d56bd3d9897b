import { PluginCallError } from "../../rpc/plugin-call-error.ts";
import type { AttachRequest, AttachResponse, Finding } from "../../plugin-sdk/network-plugin.ts";
import type { Bench } from "../bench.ts";
import { breakAddresses, breakLink, breakRoutes, removeInterface } from "../break.ts";
import { expectEqual, expectThat, type Rule, type RuleGroup } from "../rule.ts";
import { podWithRoutes } from "./attach.ts";

/** Check finds what is broken and changes nothing. */
export const checkRules: RuleGroup = {
  name: "check",
  rules: [
    {
      id: "check-fresh",
      sentence: "Check of a fresh attachment finds nothing",
      after: ["attach-interface"],
      async check(bench) {
        const { pod, answer } = await bench.attachedPod();
        expectEqual("findings", [], await bench.check(pod, answer));
      },
    },
    ruleOfBreaking({
      id: "check-interface-missing",
      sentence: "Check finds that the interface is gone",
      breakIt: removeInterface,
    }),
    ruleOfBreaking({
      id: "check-link-down",
      sentence: "Check finds that the interface is down",
      breakIt: breakLink,
    }),
    ruleOfBreaking({
      id: "check-address-missing",
      sentence: "Check finds that the addresses are gone",
      needs: { addresses: true },
      breakIt: breakAddresses,
    }),
    ruleOfBreaking({
      id: "check-route-missing",
      sentence: "Check finds that routes asked for are gone",
      after: ["attach-routes"],
      needs: { addresses: true },
      breakIt: breakRoutes,
    }),
    {
      id: "check-namespace-gone",
      sentence: "Check of a pod whose namespace is gone finds something, or fails",
      after: ["check-fresh"],
      async check(bench) {
        const { pod, answer } = await bench.attachedPod();
        await bench.removeNamespace(pod);
        try {
          requireFindings(await bench.check(pod, answer));
        } catch (error) {
          if (!(error instanceof PluginCallError && error.status !== "DEADLINE_EXCEEDED")) {
            throw error;
          }
        }
      },
    },
    {
      id: "check-changes-nothing",
      sentence: "Check without repair leaves what is broken as it is",
      after: ["check-link-down"],
      async check(bench) {
        const { pod, answer } = await bench.attachedPod();
        await breakLink(bench, pod);
        const before = await bench.lookInside(pod);
        await bench.check(pod, answer);
        expectEqual(pod.ifname, before, await bench.look(pod));
      },
    },
  ],
};

/** Throws Violation where nothing was found, or a finding says not what. */
export function requireFindings(findings: readonly Finding[]): void {
  expectThat(findings.length > 0, "findings: expected at least one, found none");
  for (const { kind, object } of findings) {
    expectThat(kind !== "" && object !== "", "a finding: expected kind and object, found none");
  }
}

/** An attachment with routes, where the plugin has them. */
export async function attachForCheck(
  bench: Bench,
): Promise<{ readonly pod: AttachRequest; readonly answer: AttachResponse }> {
  const pod = await podWithRoutes(bench);
  return { pod, answer: await bench.attach(pod) };
}

function ruleOfBreaking(fields: {
  readonly id: string;
  readonly sentence: string;
  readonly after?: readonly string[];
  readonly needs?: Rule["needs"];
  readonly breakIt: (bench: Bench, pod: AttachRequest) => Promise<void>;
}): Rule {
  const { id, sentence, after = [], needs = {}, breakIt } = fields;
  return {
    id,
    sentence,
    after: ["check-fresh", ...after],
    needs,
    async check(bench) {
      const { pod, answer } = await attachForCheck(bench);
      await breakIt(bench, pod);
      requireFindings(await bench.check(pod, answer));
    },
  };
}
