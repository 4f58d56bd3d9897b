import assert from "node:assert/strict";
import { test } from "node:test";
import type { AttachResponse } from "../../plugin-sdk/network-plugin.ts";
import { PatchbayError } from "../errors.ts";
import { addressesOfResult, toCniError, toCniResult, toCniVersionResult } from "./result.ts";
import { CNI_VERSIONS } from "./versions.ts";

const RESPONSE: AttachResponse = {
  interfaces: [
    { name: "pb0", mac: "02:00:00:00:00:01", mtu: 1500, sandbox: "", pciId: "", socketPath: "" },
    {
      name: "eth0",
      mac: "",
      mtu: 1500,
      sandbox: "/run/netns/x",
      pciId: "0000:01:00.0",
      socketPath: "/run/v.sock",
    },
  ],
  addresses: [
    { address: "10.0.0.5/32", gateway: "10.0.0.1", interfaceIndex: 1 },
    { address: "fd00::5/128", gateway: "", interfaceIndex: 1 },
  ],
  routes: [
    {
      destination: "0.0.0.0/0",
      gateway: "10.0.0.1",
      mtu: 0,
      advmss: 0,
      priority: 0,
      table: 0,
      scope: 0,
    },
    { destination: "fd00::/8", gateway: "", mtu: 1, advmss: 2, priority: 3, table: 4, scope: 5 },
  ],
  dns: null,
  deviceInfoJson: "",
};

const OLD = {
  interfaces: [
    { name: "pb0", mac: "02:00:00:00:00:01" },
    { name: "eth0", sandbox: "/run/netns/x" },
  ],
  routes: [{ dst: "0.0.0.0/0", gw: "10.0.0.1" }, { dst: "fd00::/8" }],
  dns: {},
};
const PLAIN_IPS = [
  { interface: 1, address: "10.0.0.5/32", gateway: "10.0.0.1" },
  { interface: 1, address: "fd00::5/128" },
];
const WORDY_IPS = [
  { version: "4", ...PLAIN_IPS[0] },
  { version: "6", ...PLAIN_IPS[1] },
];

const EXPECTED: Readonly<Record<(typeof CNI_VERSIONS)[number], object>> = {
  "0.3.0": { ...OLD, ips: WORDY_IPS },
  "0.3.1": { ...OLD, ips: WORDY_IPS },
  "0.4.0": { ...OLD, ips: WORDY_IPS },
  "1.0.0": { ...OLD, ips: PLAIN_IPS },
  "1.1.0": {
    interfaces: [
      { name: "pb0", mac: "02:00:00:00:00:01", mtu: 1500 },
      {
        name: "eth0",
        mtu: 1500,
        sandbox: "/run/netns/x",
        socketPath: "/run/v.sock",
        pciID: "0000:01:00.0",
      },
    ],
    ips: PLAIN_IPS,
    routes: [
      { dst: "0.0.0.0/0", gw: "10.0.0.1" },
      { dst: "fd00::/8", mtu: 1, advmss: 2, priority: 3, table: 4, scope: 5 },
    ],
    dns: {},
  },
};

for (const cniVersion of CNI_VERSIONS) {
  test(`toCniResult() speaks ${cniVersion}`, () => {
    const expected = { cniVersion, ...EXPECTED[cniVersion] };
    assert.deepEqual(toCniResult(RESPONSE, undefined, cniVersion), expected);
  });
}

test("toCniResult() gives the plugin's dns, else the configuration's", () => {
  const dns = { nameservers: ["10.0.0.53"], domain: "", search: [], options: [] };
  const own = { nameservers: ["10.0.0.54"], domain: "x", search: [], options: [] };
  const dnsOf = (result: object) => (result as { dns: unknown }).dns;
  assert.deepEqual(dnsOf(toCniResult(RESPONSE, dns, "1.1.0")), dns);
  assert.deepEqual(dnsOf(toCniResult({ ...RESPONSE, dns: own }, dns, "1.1.0")), own);
});

test("toCniError() has code, message, what caused it and what to do", () => {
  const cause = new Error("outer", { cause: new Error("inner") });
  const error = new PatchbayError("POOL_EMPTY", "Cannot allocate", { cause });
  assert.deepEqual(toCniError(error, "0.4.0"), {
    cniVersion: "0.4.0",
    code: 11,
    msg: "Cannot allocate [POOL_EMPTY]",
    details: "outer: inner. Delete pods or enlarge ipam.ranges, see `patchbay ipam`",
  });
  const plain = toCniError(new PatchbayError("OWN_NETNS", "No"), "1.1.0");
  assert.equal(
    (plain as { details: string }).details,
    "Give the pod a network namespace of its own",
  );
});

test("toCniVersionResult() lists every version, oldest first", () => {
  assert.deepEqual(toCniVersionResult("0.4.0"), {
    cniVersion: "0.4.0",
    supportedVersions: ["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"],
  });
});

const RESULTS: readonly [result: unknown, addresses: string[]][] = [
  [undefined, []],
  [null, []],
  ["x", []],
  [{}, []],
  [{ ips: 5 }, []],
  [{ ips: [null, 5, {}, { address: 7 }, { address: "10.0.0.5/24" }] }, ["10.0.0.5/24"]],
];

test("addressesOfResult() finds the addresses in whatever a runtime kept", () => {
  for (const [result, addresses] of RESULTS) assert.deepEqual(addressesOfResult(result), addresses);
});
