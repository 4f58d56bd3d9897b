import assert from "node:assert/strict";
import { test } from "node:test";
import { type AttachRequest, PluginError } from "../../src/plugin-sdk/network-plugin.ts";
import { attachRequest } from "../../src/plugin-sdk/sample-request.ts";
import { readTuning } from "./config.ts";
import { SYSCTL_ALLOW_LIST } from "./sysctls.ts";

function read(config: object, change: Partial<AttachRequest> = {}) {
  const request = attachRequest({ configJson: JSON.stringify(config), ...change });
  return readTuning(request, { sysctlAllowList: SYSCTL_ALLOW_LIST, shapes: true });
}

test("readTuning() of a configuration that wants nothing is nothing", () => {
  assert.equal(read({ name: "net", mtu: 1400 }), undefined);
  assert.equal(read({ bandwidth: {} }), undefined);
  assert.equal(read({ bandwidth: { ingressRate: 0 } }), undefined);
});

test("readTuning() puts the interface in place of IFNAME", () => {
  const sysctls = { "net.ipv6.conf.IFNAME.accept_ra": 0, "net.ipv4.neigh.IFNAME.locktime": "5" };
  assert.deepEqual(read({ tuning: { sysctls } }, { ifname: "eth0.7" })?.sysctls, [
    { path: ["net", "ipv6", "conf", "eth0.7", "accept_ra"], value: "0" },
    { path: ["net", "ipv4", "neigh", "eth0.7", "locktime"], value: "5" },
  ]);
});

const REFUSED: readonly (readonly [config: object, why: string])[] = [
  [{ tuning: [] }, "tuning is [], expected an object"],
  [
    { tuning: { txqlen: 5 } },
    'tuning has the key "txqlen", expected mtu, txQueueLength, promisc, allMulticast, sysctls',
  ],
  [{ tuning: { mtu: 1279 } }, "tuning.mtu is 1279, expected an integer from 1280 to 65535"],
  [
    { tuning: { txQueueLength: -1 } },
    "tuning.txQueueLength is -1, expected an integer from 0 to 1000000",
  ],
  [{ tuning: { promisc: "yes" } }, 'tuning.promisc is "yes", expected true or false'],
  [{ tuning: { allMulticast: 1 } }, "tuning.allMulticast is 1, expected true or false"],
  [
    { tuning: { sysctls: { "kernel.core_pattern": "|/bin/sh" } } },
    'tuning.sysctls has the key "kernel.core_pattern", expected a sysctl below net',
  ],
  [
    { tuning: { sysctls: { "net.ipv4.conf.../../kernel": "1" } } },
    'tuning.sysctls has the key "net.ipv4.conf.../../kernel", expected a sysctl below net',
  ],
  [
    { tuning: { sysctls: { "net.ipv4.conf.all.rp_filter": "1" } } },
    'tuning.sysctls has the key "net.ipv4.conf.all.rp_filter", which networks may not set (networks.sysctlAllowList of the host)',
  ],
  [
    { tuning: { sysctls: { "net.ipv4.conf.IFNAME.arp_filter": "1\n2" } } },
    'tuning.sysctls["net.ipv4.conf.IFNAME.arp_filter"] is "1\\n2", expected a text of letters, digits and blanks',
  ],
  [{ bandwidth: 5 }, "bandwidth is 5, expected an object"],
  [
    { bandwidth: { rate: 5 } },
    'bandwidth has the key "rate", expected ingressRate, ingressBurst, egressRate, egressBurst',
  ],
  [
    { bandwidth: { ingressRate: 999 } },
    "bandwidth.ingressRate is 999, expected 0 or at least 1000 bits each second",
  ],
  [
    { bandwidth: { egressRate: 1e16 } },
    "bandwidth.egressRate is 10000000000000000, expected an integer from 0 to 1000000000000000",
  ],
  [
    { bandwidth: { egressBurst: 5000 } },
    "bandwidth.egressBurst is 5000 without bandwidth.egressRate",
  ],
];

for (const [config, why] of REFUSED) {
  test(`readTuning() refuses ${JSON.stringify(config)}`, () => {
    assert.throws(
      () => read(config),
      (error) =>
        error instanceof PluginError && error.kind === "invalid-config" && error.message === why,
    );
  });
}

test("readTuning() allows an MTU below IPv6's where the pod has none", () => {
  const addresses = [{ address: "10.1.0.5/24", gateway: "" }];
  assert.equal(read({ tuning: { mtu: 576 } }, { addresses })?.mtu, 576);
});

test("the default list has per-interface keys alone, none that makes a router or a hole", () => {
  for (const key of SYSCTL_ALLOW_LIST) {
    assert.match(key, /^net\.ipv[46]\.(conf|neigh)\.IFNAME\.[a-z0-9_]+$/);
    assert.doesNotMatch(
      key,
      /\.(forwarding|mc_forwarding|proxy_|route_localnet|accept_local|accept_source_route|disable_)/,
    );
  }
});
