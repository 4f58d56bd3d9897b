import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { NetworkDefinitionView__Output } from "../rpc/generated/patchbay/host/v1/NetworkDefinitionView.ts";
import { fakeAttachment, runCli } from "./fake-context.ts";

const definition: NetworkDefinitionView__Output = {
  network: "infra/storage",
  plugin: "cni-exec",
  cniTypes: ["macvlan", "tuning"],
  problem: "",
  attachments: 2,
  place: "networks.yaml:3",
  subnets: [],
  settings: { master: "eth1" },
  warnings: [],
};

describe("patchbay networks", () => {
  it("lists definitions with plugin, pods and place", async () => {
    const listNetworkDefinitions = async () => ({ definitions: [definition], problems: [] });
    const result = await runCli(["networks"], { host: { listNetworkDefinitions } });
    assert.equal(result.exitCode, 0);
    assert.match(
      result.stdout,
      /infra\/storage +cni-exec \(macvlan, tuning\) +2 +networks\.yaml:3 +ok/,
    );
  });

  it("exits 1 and says what is wrong with one", async () => {
    const problem = "plugin ib is not connected";
    const definitions = [{ ...definition, problem }];
    const host = { listNetworkDefinitions: async () => ({ definitions, problems: [] }) };
    const result = await runCli(["networks", "--namespace", "infra"], { host });
    assert.equal(result.exitCode, 1);
    assert.match(result.stdout, /plugin ib is not connected/);
  });
});

describe("patchbay networks with something to tell", () => {
  it("says below the table what may be a mistake, and exits 0", async () => {
    const warnings = ["mastr is not a key of plugin macvlan, did you mean master?"];
    const answer = { definitions: [{ ...definition, warnings }], problems: [] };
    const host = { listNetworkDefinitions: async () => answer };
    const { stdout, exitCode } = await runCli(["networks"], { host });
    assert.match(stdout, / ok, 1 warning\n\ninfra\/storage: mastr is not a key of plugin macvlan/);
    assert.equal(exitCode, 0);
  });

  it("says below the table what cannot be read, and exits 1", async () => {
    const problems = ["networks.yaml:3:9: metadata.name is 1, expected a DNS name\u001b[2J"];
    const host = { listNetworkDefinitions: async () => ({ definitions: [], problems }) };
    const { stdout, exitCode } = await runCli(["networks"], { host });
    assert.match(stdout, /\n\nnetworks\.yaml:3:9: metadata\.name is 1.*\\u\{1b\}\[2J\n/);
    assert.equal(exitCode, 1);
    const { stdout: json } = await runCli(["networks", "--json"], { host });
    assert.deepEqual(JSON.parse(json), { definitions: [], problems });
  });
});

describe("patchbay network-status", () => {
  it("shows each network of a pod, and the annotation as JSON", async () => {
    const element = {
      name: "default/blue",
      interface: "net1",
      ips: ["10.1.0.2"],
      mac: "02:00:00:00:00:01",
    };
    const pods = [
      { pod: "default/web", containerId: "c", networkStatusJson: JSON.stringify([element]) },
    ];
    const host = { getNetworkStatus: async () => ({ pods }) };
    const table = await runCli(["network-status", "default/web"], { host });
    assert.match(
      table.stdout,
      /default\/web +net1 +default\/blue +10\.1\.0\.2 +02:00:00:00:00:01 +-/,
    );
    const json = await runCli(["network-status", "--json"], { host });
    assert.deepEqual(JSON.parse(json.stdout).pods[0].networkStatus, [element]);
  });
});

describe("patchbay attach and detach", () => {
  it("pass on pod and network and show what became of them", async () => {
    const asked: object[] = [];
    const attachment = fakeAttachment({ ifname: "net1", network: "default/blue" });
    const host = {
      attachNetwork: async (request: object) => {
        asked.push(request);
        return { attachment };
      },
      detachNetwork: async (request: object) => {
        asked.push(request);
        return { attachments: [attachment] };
      },
    };
    const attached = await runCli(["attach", "default/web-1", "blue@net1"], { host });
    const detached = await runCli(["detach", "default/web-1", "net1"], { host });
    for (const { exitCode, stdout } of [attached, detached]) {
      assert.equal(exitCode, 0);
      assert.match(stdout, /net1 +default\/blue/);
    }
    assert.deepEqual(asked, [
      { pod: "default/web-1", selection: "blue@net1" },
      { pod: "default/web-1", target: "net1" },
    ]);
  });

  it("detach of what is not attached is no failure", async () => {
    const host = { detachNetwork: async () => ({ attachments: [] }) };
    const result = await runCli(["detach", "default/web-1", "net1"], { host });
    assert.deepEqual(
      [result.exitCode, result.stdout],
      [0, "default/web-1 is not attached to net1\n"],
    );
  });
});

describe("patchbay check --repair", () => {
  it("exits 0 when all that differs was mended, and says so", async () => {
    const attachments = [
      { attachment: fakeAttachment(), findings: ["mtu eth0"], repaired: ["mtu eth0"] },
    ];
    const host = { checkAttachments: async () => ({ attachments }) };
    const result = await runCli(["check", "--repair", "--pod", "default/web-1"], { host });
    assert.equal(result.exitCode, 0);
    assert.match(result.stdout, /mtu eth0 \(mended\)/);
    assert.match(result.stdout, /0 as recorded, 1 mended\n/);
  });
});
