import type { NetnsPath } from "../../kernel/kernel.ts";
import type { AttachRequest } from "../../plugin-sdk/network-plugin.ts";
import { type Bench, statusOf } from "../bench.ts";
import { expectEqual, expectThat, type RuleGroup, Skip } from "../rule.ts";
import { compileSchema } from "../schema.ts";

/** What a plugin must not do. */
export const refuseRules: RuleGroup = {
  name: "refuse",
  rules: [
    {
      id: "taken-status",
      sentence: "Attach answers ALREADY_EXISTS where the interface's name is taken",
      after: ["attach-interface"],
      async check(bench) {
        const pod = await podWithTakenName(bench);
        const { status } = await statusOf("Attach", bench.attach(pod));
        expectEqual("status", "ALREADY_EXISTS", status);
      },
    },
    {
      id: "taken-left-alone",
      sentence:
        "Attach where the name is taken, and the Detach that follows, leave the other's link alone",
      after: ["taken-status"],
      async check(bench) {
        const pod = await podWithTakenName(bench);
        const before = await bench.lookInside(pod);
        await statusOf("Attach", bench.attach(pod));
        expectEqual("the other's link after Attach", before, await bench.look(pod));
        await bench.detach(pod);
        expectEqual("the other's link after Detach", before, await bench.look(pod));
      },
    },
    {
      id: "taken-traces",
      sentence:
        "Attach where the name is taken, and the Detach that follows, leave nothing on the node",
      after: ["taken-status", "detach-node"],
      async check(bench) {
        const pod = await podWithTakenName(bench);
        const node = await bench.lookAtNode();
        await statusOf("Attach", bench.attach(pod));
        await bench.detach(pod);
        await bench.expectForgotten(node, pod);
      },
    },
    {
      id: "netns-missing",
      sentence: "Attach fails where the pod's namespace does not exist",
      async check(bench) {
        await statusOf("Attach", bench.attach(await podWithoutNamespace(bench)));
      },
    },
    {
      id: "netns-missing-traces",
      sentence: "Attach without a namespace, and the Detach that follows, leave nothing",
      after: ["netns-missing", "detach-node"],
      async check(bench) {
        const pod = await podWithoutNamespace(bench);
        const node = await bench.lookAtNode();
        await statusOf("Attach", bench.attach(pod));
        await bench.detach(pod);
        await bench.expectForgotten(node, pod);
      },
    },
    {
      id: "config-status",
      sentence:
        "A configuration that cannot work is refused, by the schema or with INVALID_ARGUMENT",
      after: ["info-schema", "attach-interface"],
      async check(bench) {
        const { config, problem } = wrongConfigOf(bench);
        if (problem !== "") return;
        const { status } = await statusOf("Attach", bench.attach(await podOf(bench, config)));
        expectEqual("status", "INVALID_ARGUMENT", status);
      },
    },
    {
      id: "config-field",
      sentence: "and the field is named",
      after: ["config-status"],
      async check(bench) {
        const { config, field, problem } = wrongConfigOf(bench);
        const call = async () => statusOf("Attach", bench.attach(await podOf(bench, config)));
        const text = problem || (await call()).message;
        expectThat(
          text.includes(field),
          `the message: expected the word ${JSON.stringify(field)} in it, found ${JSON.stringify(text)}`,
        );
      },
    },
  ],
};

/** A pod where something else has the interface's name. */
async function podWithTakenName(bench: Bench): Promise<AttachRequest> {
  const pod = await bench.pod();
  const peer = { name: "other", mac: "02:c0:4f:00:01:01" };
  const operations = [
    {
      kind: "add-link",
      name: pod.ifname,
      mac: "02:c0:4f:00:01:02",
      link: { type: "veth", peer },
    } as const,
  ];
  await bench.kernel.apply([{ netns: pod.netns as NetnsPath, operations }]);
  return pod;
}

async function podWithoutNamespace(bench: Bench): Promise<AttachRequest> {
  const pod = await bench.pod();
  await bench.removeNamespace(pod);
  return pod;
}

function podOf(bench: Bench, config: WrongConfig["config"]): Promise<AttachRequest> {
  return bench.pod({ configJson: JSON.stringify({ ...config, name: bench.options.network }) });
}

interface WrongConfig {
  readonly config: Readonly<Record<string, unknown>>;
  /** The first key that the good configuration does not have so. */
  readonly field: string;
  /** What the schema says of it: then the plugin never gets to see it. "": nothing. */
  readonly problem: string;
}

/** What --invalid-config says. Only the plugin's author knows what cannot work. */
function wrongConfigOf({ options: { info, config, invalidConfig } }: Bench): WrongConfig {
  if (!invalidConfig) throw new Skip("no configuration that cannot work: see --invalid-config");
  const field = Object.keys(invalidConfig).find(
    (key) => JSON.stringify(invalidConfig[key]) !== JSON.stringify(config[key]),
  );
  const { configSchemaJson } = info;
  const problem =
    configSchemaJson === "" ? "" : compileSchema(configSchemaJson).check(invalidConfig).problem;
  return { config: invalidConfig, field: field ?? "", problem };
}
