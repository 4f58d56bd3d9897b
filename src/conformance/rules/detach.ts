import { detachRequestOfId } from "../../plugin-sdk/network-plugin.ts";
import { expectEqual, type RuleGroup } from "../rule.ts";

/** Detach, whatever is known of the attachment. */
export const detachRules: RuleGroup = {
  name: "detach",
  rules: [
    {
      id: "detach-interface",
      sentence: "Detach removes the interface from the pod",
      after: ["attach-interface"],
      async check(bench) {
        const { pod } = await bench.attachedPod();
        await bench.detach(pod);
        expectEqual(pod.ifname, undefined, await bench.look(pod));
      },
    },
    {
      id: "detach-node",
      sentence: "Detach leaves the node as it was before Attach: no link, no route to the pod",
      after: ["detach-interface"],
      async check(bench) {
        const node = await bench.lookAtNode();
        const { pod } = await bench.attachedPod();
        await bench.detach(pod);
        await bench.expectNoTraces(node, [pod]);
      },
    },
    {
      id: "detach-list",
      sentence: "List does not name what was detached",
      after: ["detach-interface"],
      async check(bench) {
        const { pod } = await bench.attachedPod();
        await bench.detach(pod);
        expectEqual("List names it", [0], await bench.listed([pod]));
      },
    },
    {
      id: "detach-repeat",
      sentence: "Detach of what was detached is success",
      after: ["detach-interface"],
      async check(bench) {
        const { pod } = await bench.attachedPod();
        await bench.detach(pod);
        await bench.detach(pod);
      },
    },
    {
      id: "detach-unknown",
      sentence: "Detach of what never was attached is success",
      async check(bench) {
        await bench.detach(await bench.pod());
      },
    },
    {
      id: "detach-empty-netns",
      sentence: "Detach without the namespace's path leaves nothing on the node and in List",
      after: ["detach-node", "detach-list"],
      async check(bench) {
        const node = await bench.lookAtNode();
        const { pod } = await bench.attachedPod();
        // What an empty path means: the namespace is gone.
        await bench.removeNamespace(pod);
        await bench.detach(pod, { netns: "" });
        await bench.expectForgottenSoon(node, pod);
      },
    },
    {
      id: "detach-netns-gone",
      sentence:
        "Detach where the namespace at the path is gone leaves nothing on the node and in List",
      after: ["detach-node", "detach-list"],
      async check(bench) {
        const node = await bench.lookAtNode();
        const { pod } = await bench.attachedPod();
        await bench.removeNamespace(pod);
        await bench.detach(pod);
        await bench.expectForgottenSoon(node, pod);
      },
    },
    {
      id: "detach-id-only",
      sentence: "Detach by the id alone, as of an orphan, leaves nothing on the node and in List",
      after: ["detach-node", "detach-list"],
      async check(bench) {
        const node = await bench.lookAtNode();
        const { pod } = await bench.attachedPod();
        await bench.life.client.detach(detachRequestOfId(pod.attachmentId));
        await bench.expectForgotten(node, pod);
      },
    },
    {
      id: "detach-other-kept",
      sentence: "Detach leaves another attachment of the same pod alone",
      after: ["attach-second", "detach-interface"],
      needs: { attachments: 2 },
      async check(bench) {
        const first = await bench.pod();
        const { netns, sandboxId } = first;
        const defaultRoute = "DEFAULT_ROUTE_NONE";
        const second = await bench.pod({ netns, sandboxId, ifname: "net1", defaultRoute });
        await bench.attach(first);
        await bench.attachUnlessRefused(second);
        const before = await bench.lookInside(first);
        await bench.detach(second);
        expectEqual("eth0 after net1 went", before, await bench.look(first));
      },
    },
  ],
};
