import { expectEqual, type RuleGroup } from "../rule.ts";

/** Attach again, and after Detach. */
export const repeatRules: RuleGroup = {
  name: "repeat",
  rules: [
    {
      id: "repeat-answer",
      sentence: "Attach of what is attached gives the same answer",
      after: ["attach-interface"],
      async check(bench) {
        const pod = await bench.pod();
        const first = await bench.attach(pod);
        expectEqual("the second answer", first, await bench.attach(pod));
      },
    },
    {
      id: "repeat-changes-nothing",
      sentence: "Attach of what is attached changes nothing in the kernel",
      after: ["attach-interface"],
      async check(bench) {
        const { pod } = await bench.attachedPod();
        const before = await bench.lookInside(pod);
        const node = await bench.lookAtNode();
        await bench.attach(pod);
        expectEqual(pod.ifname, before, await bench.look(pod));
        await bench.expectNoTraces(node, []);
      },
    },
    {
      id: "repeat-after-detach",
      sentence: "An attachment that was detached can be attached again, by the same id",
      after: ["attach-interface"],
      async check(bench) {
        const { pod } = await bench.attachedPod();
        await bench.detach(pod);
        await bench.attach(pod);
        await bench.lookInside(pod);
      },
    },
  ],
};
