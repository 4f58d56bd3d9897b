import { detachRequestOfId } from "../../plugin-sdk/network-plugin.ts";
import type { AttachRequest } from "../../plugin-sdk/network-plugin.ts";
import type { Bench } from "../bench.ts";
import { expectEqual, expectThat, type RuleGroup, Violation } from "../rule.ts";

const START = { start: true } as const;

/** Where in a call the plugin is killed, as a share of how long the call takes. */
const KILL_AT = [0.25, 0.5, 0.75];

/** kill -9 between calls and in the middle of them, and SIGTERM. */
export const restartRules: RuleGroup = {
  name: "restart",
  rules: [
    {
      id: "restart-info",
      sentence: "After kill -9 and a new start GetInfo answers as before",
      after: ["info-stable"],
      needs: START,
      async check(bench) {
        await bench.restart();
        expectEqual("the answer", bench.options.info, await bench.life.client.getInfo());
      },
    },
    {
      id: "restart-interface",
      sentence: "kill -9 and a new start leave the pod's interface alone",
      after: ["attach-interface"],
      needs: START,
      async check(bench) {
        const { pod } = await bench.attachedPod();
        const before = await bench.lookInside(pod);
        await bench.life.kill();
        expectEqual("while it is dead", before, await bench.look(pod));
        await bench.life.begin();
        await bench.life.client.getInfo();
        expectEqual("after the start", before, await bench.look(pod));
      },
    },
    {
      id: "restart-list",
      sentence: "List of a new process names what an old one attached",
      after: ["list-attached", "restart-interface"],
      needs: START,
      async check(bench) {
        const { pod } = await bench.attachedPod();
        await bench.restart();
        expectEqual("List names it", [1], await bench.listed([pod]));
      },
    },
    {
      id: "restart-attach",
      sentence:
        "Attach of a new process answers the same for what an old one attached, and changes nothing",
      after: ["repeat-answer", "repeat-changes-nothing", "restart-interface"],
      needs: START,
      async check(bench) {
        const { pod, answer } = await bench.attachedPod();
        const before = await bench.lookInside(pod);
        await bench.restart();
        expectEqual("the answer", answer, await bench.attach(pod));
        expectEqual(pod.ifname, before, await bench.look(pod));
      },
    },
    {
      id: "restart-check",
      sentence: "Check of a new process finds nothing wrong with what an old one attached",
      after: ["check-fresh", "restart-interface"],
      needs: START,
      async check(bench) {
        const { pod, answer } = await bench.attachedPod();
        await bench.restart();
        expectEqual("findings", [], await bench.check(pod, answer));
      },
    },
    {
      id: "restart-detach",
      sentence: "Detach of a new process removes what an old one attached",
      after: ["detach-node", "detach-list", "restart-interface"],
      needs: START,
      async check(bench) {
        const node = await bench.lookAtNode();
        const { pod } = await bench.attachedPod();
        await bench.restart();
        await bench.detach(pod);
        await bench.expectGone(node, pod);
      },
    },
    {
      id: "kill-attach-detach",
      sentence: "kill -9 in the middle of Attach, then Detach by the id alone: nothing is left",
      after: ["restart-detach", "detach-id-only", "detach-unknown"],
      needs: START,
      async check(bench) {
        const node = await bench.lookAtNode();
        const pods = await killInAttach(bench);
        for (const { attachmentId } of pods) {
          await bench.life.client.detach(detachRequestOfId(attachmentId));
        }
        for (const pod of pods) await bench.expectGone(node, pod);
      },
    },
    {
      id: "kill-attach-again",
      sentence: "kill -9 in the middle of Attach, then Attach: as if the first had not been",
      after: ["attach-answer-addresses", "restart-attach", "restart-detach"],
      needs: START,
      async check(bench) {
        const node = await bench.lookAtNode();
        const pods = await killInAttach(bench);
        for (const pod of pods) {
          const answer = await bench.attach(pod);
          const { link, addresses } = await bench.lookInside(pod);
          expectThat(link.up, `${pod.ifname}: expected up, found down`);
          const answered = answer.addresses.map(({ address }) => address).toSorted();
          expectEqual("addresses", answered, addresses);
          await bench.detach(pod);
        }
        for (const pod of pods) await bench.expectGone(node, pod);
      },
    },
    {
      id: "kill-detach",
      sentence: "kill -9 in the middle of Detach, then Detach again: nothing is left",
      after: ["restart-detach", "detach-repeat"],
      needs: START,
      async check(bench) {
        const node = await bench.lookAtNode();
        const takenMs = await timeOfDetach(bench);
        for (const share of KILL_AT) {
          const { pod } = await bench.attachedPod();
          await killWhile(bench, bench.detach(pod), share * takenMs);
          await bench.detach(pod);
          await bench.expectGone(node, pod);
        }
      },
    },
    {
      id: "stop-exit",
      sentence:
        "SIGTERM: the plugin ends within ten seconds with code 0, and takes its socket away",
      needs: START,
      async check(bench) {
        const exit = await bench.life.stop();
        if (!exit) throw new Violation("it did not end within 10 s");
        expectEqual("exit", { code: 0, signal: null }, exit);
        expectThat(!bench.life.hasSocket(), "its socket is still there");
      },
    },
    {
      id: "stop-interface",
      sentence: "SIGTERM leaves the pods' interfaces alone",
      after: ["restart-interface"],
      needs: START,
      async check(bench) {
        const { pod } = await bench.attachedPod();
        const before = await bench.lookInside(pod);
        await bench.life.stop();
        expectEqual(pod.ifname, before, await bench.look(pod));
      },
    },
  ],
};

/** Pods in whose Attach the plugin was killed, early, half way and late; it runs again. */
async function killInAttach(bench: Bench): Promise<AttachRequest[]> {
  const probe = await bench.pod();
  const startMs = performance.now();
  await bench.attach(probe);
  const takenMs = performance.now() - startMs;
  await bench.detach(probe);
  const pods: AttachRequest[] = [];
  for (const share of KILL_AT) {
    const pod = await bench.pod();
    await killWhile(bench, bench.attach(pod), share * takenMs);
    pods.push(pod);
  }
  return pods;
}

async function timeOfDetach(bench: Bench): Promise<number> {
  const { pod } = await bench.attachedPod();
  const startMs = performance.now();
  await bench.detach(pod);
  return performance.now() - startMs;
}

/** Kills the plugin some time after a call began, and starts it again. */
async function killWhile(bench: Bench, call: Promise<unknown>, afterMs: number): Promise<void> {
  const settled = call.catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  await bench.life.kill();
  await settled;
  await bench.life.begin();
}
