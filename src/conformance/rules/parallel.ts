import type { AttachRequest } from "../../plugin-sdk/network-plugin.ts";
import type { Bench } from "../bench.ts";
import { CONFORMANCE_LIMITS } from "../limits.ts";
import { expectEqual, type RuleGroup } from "../rule.ts";

/** The host calls for different pods at once, whatever a plugin's capabilities. */
export const parallelRules: RuleGroup = {
  name: "parallel",
  rules: [
    {
      id: "parallel-attach",
      sentence:
        "Pods that are attached at once, up to 20, all get interface and addresses, and are listed",
      after: ["attach-answer-addresses", "list-follows"],
      needs: { attachments: 2 },
      async check(bench) {
        const pods = await manyPods(bench);
        const answers = await Promise.all(pods.map((pod) => bench.attach(pod)));
        for (const [index, pod] of pods.entries()) {
          const { addresses } = await bench.lookInside(pod);
          const own = answers[index]?.addresses.map(({ address }) => address).toSorted();
          expectEqual(`addresses of pod ${index}`, own, addresses);
        }
        expectEqual(
          "List names them",
          pods.map(() => 1),
          await bench.listed(pods),
        );
      },
    },
    {
      id: "parallel-detach",
      sentence: "Pods that are detached at once, up to 20, leave nothing",
      after: ["parallel-attach", "detach-node", "detach-list"],
      needs: { attachments: 2 },
      async check(bench) {
        const node = await bench.lookAtNode();
        const pods = await manyPods(bench);
        await Promise.all(pods.map((pod) => bench.attach(pod)));
        await Promise.all(pods.map((pod) => bench.detach(pod)));
        await bench.expectNoTraces(node, pods);
        expectEqual(
          "List names them",
          pods.map(() => 0),
          await bench.listed(pods),
        );
      },
    },
    {
      id: "parallel-same",
      sentence: "The same Attach five times at once gives five equal answers and one attachment",
      after: ["repeat-answer", "list-attached"],
      async check(bench) {
        const pod = await bench.pod();
        const calls = Array.from({ length: 5 }, () => bench.attach(pod));
        const [first, ...others] = await Promise.all(calls);
        for (const other of others) expectEqual("another answer", first, other);
        expectEqual("List names it", [1], await bench.listed([pod]));
      },
    },
    {
      id: "parallel-detach-overtakes",
      sentence: "Where Detach comes while Attach runs, a second Detach leaves nothing",
      after: ["detach-repeat", "detach-node", "detach-list"],
      async check(bench) {
        const node = await bench.lookAtNode();
        const pod = await bench.pod();
        // What the host does when an Attach is past its deadline. Either may fail; the last word counts.
        await Promise.allSettled([bench.attach(pod), bench.detach(pod)]);
        await bench.detach(pod);
        await bench.expectGone(node, pod);
      },
    },
  ],
};

function manyPods(bench: Bench): Promise<AttachRequest[]> {
  const count = Math.min(CONFORMANCE_LIMITS.podsAtOnce, bench.options.attachmentsMax);
  return Promise.all(Array.from({ length: count }, () => bench.pod()));
}
