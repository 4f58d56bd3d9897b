import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { NetnsPath } from "../../kernel/kernel.ts";
import type { AttachResponse } from "../../plugin-sdk/network-plugin.ts";
import { NO_WISHES } from "../../plugin-sdk/network-plugin.ts";
import type { AttachmentId, AttachmentRecord } from "../core/attachment.ts";
import { networkStatusOf } from "./network-status.ts";

const SANDBOX = "/run/netns/a";

function record(network: string, state: AttachmentRecord["state"]): AttachmentRecord {
  const id = network as AttachmentId;
  return {
    id,
    network,
    containerId: "c",
    ifname: network === "cluster" ? "eth0" : "net1",
    netns: SANDBOX as NetnsPath,
    netnsIdentity: "4:2",
    plugin: "routed",
    cniNetwork: "cluster",
    primaryId: "cluster" as AttachmentId,
    after: [],
    request: {
      ...NO_WISHES,
      attachmentId: id,
      pod: null,
      sandboxId: "c",
      netns: SANDBOX,
      ifname: "eth0",
      network,
      configJson: "{}",
      addresses: [{ address: "10.9.0.4/16", gateway: "10.9.0.1" }],
      routes: [],
      mac: "",
      mtu: 0,
      device: null,
      masquerade: null,
    },
    state,
    createdWallMs: 1,
  };
}

function attached(network: string, response: Partial<AttachResponse>): AttachmentRecord {
  const empty = { interfaces: [], addresses: [], routes: [], dns: null, deviceInfoJson: "" };
  return record(network, { kind: "attached", response: { ...empty, ...response } });
}

function link(name: string, sandbox: string, more: object = {}) {
  return { name, sandbox, mac: "", mtu: 0, pciId: "", socketPath: "", ...more };
}

function route(destination: string, gateway: string) {
  return { destination, gateway, mtu: 0, advmss: 0, priority: 0, table: 0, scope: 0 };
}

const CLUSTER = attached("cluster", {
  interfaces: [link("pb0", ""), link("eth0", SANDBOX, { mac: "02:00:00:00:00:01", mtu: 1500 })],
  addresses: [
    { address: "10.88.0.5/16", gateway: "10.88.0.1", interfaceIndex: 1 },
    { address: "fd00:88::5/64", gateway: "fd00:88::1", interfaceIndex: 1 },
  ],
  routes: [route("0.0.0.0/0", "10.88.0.1"), route("::/0", ""), route("10.0.0.0/8", "10.88.0.9")],
  dns: { nameservers: ["10.96.0.10"], domain: "", search: ["svc"], options: ["ndots:5"] },
});

describe("networkStatusOf()", () => {
  it("tells the default network first, in both dialects", () => {
    const storage = attached("prod/storage", {
      interfaces: [link("net1", SANDBOX)],
      deviceInfoJson: '{"type":"pci","version":"1.1.0","pci":{"pci-address":"0000:03:02.3"}}',
    });
    assert.deepEqual(networkStatusOf([storage, CLUSTER]), [
      {
        name: "cluster",
        interface: "eth0",
        ips: ["10.88.0.5", "fd00:88::5"],
        mac: "02:00:00:00:00:01",
        mtu: 1500,
        default: true,
        dns: { nameservers: ["10.96.0.10"], search: ["svc"] },
        "default-route": ["10.88.0.1", "fd00:88::1"],
        gateway: ["10.88.0.1", "fd00:88::1"],
      },
      {
        name: "prod/storage",
        interface: "net1",
        ips: [],
        dns: {},
        "device-info": { type: "pci", version: "1.1.0", pci: { "pci-address": "0000:03:02.3" } },
      },
    ]);
  });

  it("has one element for each interface inside the pod, and one default", () => {
    const two = attached("cluster", {
      interfaces: [link("eth0", SANDBOX), link("host", ""), link("eth0b", SANDBOX)],
      addresses: [
        { address: "10.0.0.1/8", gateway: "", interfaceIndex: 2 },
        { address: "10.0.0.2/8", gateway: "", interfaceIndex: 0 },
      ],
    });
    assert.deepEqual(networkStatusOf([two]), [
      { name: "cluster", interface: "eth0", ips: ["10.0.0.2"], dns: {}, default: true },
      { name: "cluster", interface: "eth0b", ips: ["10.0.0.1"], dns: {} },
    ]);
  });

  it("tells of what stands alone", () => {
    const records = [
      record("cluster", { kind: "adopted" }),
      record("a/coming", { kind: "attaching" }),
      record("a/going", { kind: "detaching" }),
    ];
    assert.deepEqual(networkStatusOf(records), [
      { name: "cluster", interface: "eth0", ips: ["10.9.0.4"], dns: {}, default: true },
    ]);
    assert.deepEqual(networkStatusOf([]), []);
  });

  it("takes an answer without interfaces for one on the interface asked for", () => {
    const plain = attached("a/b", {
      addresses: [{ address: "10.0.0.1/8", gateway: "", interfaceIndex: 0 }],
      deviceInfoJson: "{broken",
    });
    assert.deepEqual(networkStatusOf([plain]), [
      { name: "a/b", interface: "net1", ips: ["10.0.0.1"], dns: {} },
    ]);
  });
});
