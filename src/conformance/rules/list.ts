import { expectEqual, type RuleGroup } from "../rule.ts";

/** List, by which the host reconciles. */
export const listRules: RuleGroup = {
  name: "list",
  rules: [
    {
      id: "list-attached",
      sentence: "List of the network names what is attached, once",
      after: ["attach-interface"],
      async check(bench) {
        const pod = await bench.pod();
        expectEqual("List names it before Attach", [0], await bench.listed([pod]));
        await bench.attach(pod);
        expectEqual("List names it after Attach", [1], await bench.listed([pod]));
        await bench.attach(pod);
        expectEqual("List names it after a second Attach", [1], await bench.listed([pod]));
      },
    },
    {
      id: "list-all",
      sentence: "List without a network names what is attached",
      after: ["list-attached"],
      async check(bench) {
        const { pod } = await bench.attachedPod();
        expectEqual("List names it", [1], await bench.listed([pod], ""));
      },
    },
    {
      id: "list-other-network",
      sentence: "List of another network does not name it",
      after: ["list-attached"],
      async check(bench) {
        const { pod } = await bench.attachedPod();
        const other = `${bench.options.network}-other`;
        expectEqual("List names it", [0], await bench.listed([pod], other));
      },
    },
    {
      id: "list-follows",
      sentence: "List names each of several attachments, as they come and go",
      after: ["list-attached", "detach-list"],
      needs: { attachments: 2 },
      async check(bench) {
        const [first, second] = [await bench.pod(), await bench.pod()];
        await bench.attach(first);
        expectEqual("List names them", [1, 0], await bench.listed([first, second]));
        await bench.attach(second);
        expectEqual("List names them", [1, 1], await bench.listed([first, second]));
        await bench.detach(first);
        expectEqual("List names them", [0, 1], await bench.listed([first, second]));
        await bench.detach(second);
        expectEqual("List names them", [0, 0], await bench.listed([first, second]));
      },
    },
    {
      id: "list-netns-gone",
      sentence: "List goes on to answer when a pod's namespace is gone",
      after: ["list-attached"],
      async check(bench) {
        const { pod } = await bench.attachedPod();
        await bench.removeNamespace(pod);
        // Whether it names the attachment still is the plugin's affair: Detach follows either way.
        await bench.listed([pod]);
      },
    },
  ],
};
