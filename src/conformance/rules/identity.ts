import { compileSchema } from "../schema.ts";
import { expectEqual, expectThat, type RuleGroup, Skip, Violation } from "../rule.ts";

const CONTRACT = "patchbay.plugin.v1";

/** semver.org, version 2.0.0. */
const semanticVersion =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/;

/** The characters of a CNI network (CNI specification 1.1, section 1), and NAME.sock fits a path. */
const pluginName = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/;

/** GetInfo and health. */
export const identityRules: RuleGroup = {
  name: "identity",
  rules: [
    {
      id: "info-name",
      sentence: "GetInfo says a name of at most 63 letters, digits, '_', '.' and '-'",
      async check({ options: { info } }) {
        expectThat(pluginName.test(info.name), `name: found ${JSON.stringify(info.name)}`);
      },
    },
    {
      id: "info-version",
      sentence: "GetInfo says a semantic version",
      async check({ options: { info } }) {
        const { version } = info;
        expectThat(semanticVersion.test(version), `version: found ${JSON.stringify(version)}`);
      },
    },
    {
      id: "info-contract",
      sentence: "GetInfo names the contract patchbay.plugin.v1",
      async check({ options: { info } }) {
        const { contractVersions } = info;
        expectThat(
          contractVersions.includes(CONTRACT),
          `contract_versions: expected ${CONTRACT} among them, found ${JSON.stringify(contractVersions)}`,
        );
      },
    },
    {
      id: "info-role",
      sentence: "GetInfo names ROLE_NETWORK",
      async check({ options: { info } }) {
        expectThat(
          info.roles.includes("ROLE_NETWORK"),
          `roles: expected ROLE_NETWORK among them, found ${JSON.stringify(info.roles)}`,
        );
      },
    },
    {
      id: "info-capabilities",
      sentence: "GetInfo names each capability once, and never CAPABILITY_UNSPECIFIED",
      async check({ options: { info } }) {
        const { capabilities } = info;
        const expected = [...new Set(capabilities)].filter(
          (capability) => capability !== "CAPABILITY_UNSPECIFIED",
        );
        expectEqual("capabilities", expected, capabilities);
      },
    },
    {
      id: "info-schema",
      sentence: "The schema of GetInfo compiles, and the given configuration fits it",
      async check({ configJson, options: { info } }) {
        if (info.configSchemaJson === "") throw new Skip("it has no schema: any keys");
        // Whole, with the keys that are not the plugin's own.
        const config: unknown = JSON.parse(configJson);
        const { problem } = compileSchema(info.configSchemaJson).check(config);
        if (problem) throw new Violation(`--config does not fit the schema: ${problem}`);
      },
    },
    {
      id: "info-stable",
      sentence: "GetInfo answers the same each time",
      async check({ life, options: { info } }) {
        expectEqual("the second answer", info, await life.client.getInfo());
        expectEqual("the third answer", info, await life.client.getInfo());
      },
    },
    {
      id: "info-newer-host",
      sentence: "GetInfo answers a newer host, whatever that says of itself",
      async check({ life, options: { info } }) {
        expectEqual("name", info.name, (await life.probe.getInfoFromNewerHost()).name);
      },
    },
    {
      id: "health",
      sentence: "A plugin that serves grpc.health.v1 says SERVING",
      async check({ life }) {
        const status = await life.probe.health();
        if (status === undefined) throw new Skip("it does not serve grpc.health.v1");
        expectEqual('health of service ""', "SERVING", status);
      },
    },
    {
      id: "status-ready",
      sentence: "Status says that a network with a good configuration is ready",
      async check({ life, configJson, options: { network } }) {
        const answer = await life.client.status({ network, configJson });
        expectEqual("Status", { ready: true, reason: "" }, answer);
      },
    },
  ],
};
