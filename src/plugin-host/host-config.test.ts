import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { formatPrefix } from "../ip/address.ts";
import { parseHostConfig, readHostConfig } from "./host-config.ts";

const parseConfig = (json: unknown) => parseHostConfig(json, { hasCluster: false });

describe("parseHostConfig()", () => {
  it("lets ADD wait for Services where there is a cluster, unless the file says otherwise", () => {
    const cluster = { hasCluster: true };
    const off = { services: { addWaits: { enabled: false } } };
    assert.equal(parseHostConfig({}, cluster).services.addWaits.enabled, true);
    assert.equal(parseHostConfig(off, cluster).services.addWaits.enabled, false);
  });

  it("fills in what the file leaves out", () => {
    assert.deepEqual(parseConfig({}), {
      services: {
        clusterCidrs: [],
        nodePortAddresses: ["primary"],
        masqueradeAll: false,
        masqueradeBit: 14,
        addWaits: { enabled: false, timeoutMs: 2_000 },
        healthz: { address: "0.0.0.0", port: 10_256 },
      },
      networks: {
        namespaceIsolation: false,
        globalNamespaces: ["default"],
        sysctlAllowList: undefined,
        repairsDrift: true,
      },
      cni: {
        binDirs: ["/opt/cni/bin", "/usr/lib/cni"],
        confDir: "/etc/cni/net.d",
        execTimeoutMs: 20_000,
        runningMax: undefined,
      },
    });
  });

  it("reads every key", () => {
    const { services } = parseConfig({
      services: {
        clusterCidrs: ["10.244.0.0/16", "fd00::/48"],
        nodePortAddresses: ["localhost", "192.0.2.7/24"],
        masqueradeAll: true,
        masqueradeBit: 0,
        addWaits: { enabled: true, timeoutMs: 1 },
        healthzAddress: "[::1]:80",
      },
    });
    assert.deepEqual(services.clusterCidrs.map(formatPrefix), ["10.244.0.0/16", "fd00::/48"]);
    assert.equal(services.nodePortAddresses[0], "localhost");
    assert.deepEqual(services.healthz, { address: "::1", port: 80 });
    assert.equal(parseConfig({ services: { healthzAddress: "off" } }).services.healthz, undefined);
    const networks = {
      namespaceIsolation: true,
      globalNamespaces: ["kube-system", "shared"],
      sysctlAllowList: ["net.ipv4.conf.IFNAME.arp_notify", "net.core.*"],
    };
    assert.deepEqual(parseConfig({ networks: { ...networks, repairDrift: false } }).networks, {
      ...networks,
      repairsDrift: false,
    });
    const cni = { binDirs: ["/b"], confDir: "/c", execTimeoutMs: 100, runningMax: 2 };
    assert.deepEqual(parseConfig({ cni }).cni, cni);
  });

  const cases: [unknown, string][] = [
    [[], "The configuration is [], expected an object"],
    [{ service: {} }, 'The configuration has the key "service", expected services, networks, cni'],
    [
      { services: { clusterCIDRs: [] } },
      'services has the key "clusterCIDRs", expected clusterCidrs, ',
    ],
    [
      { services: { clusterCidrs: "10.0.0.0/8" } },
      'services.clusterCidrs is "10.0.0.0/8", expected a list',
    ],
    [
      { services: { clusterCidrs: ["10.0.0.1/8"] } },
      'services.clusterCidrs[0] is "10.0.0.1/8", expected 10.0.0.0/8',
    ],
    [{ services: { nodePortAddresses: ["secondary"] } }, "services.nodePortAddresses[0] is"],
    [{ networks: [] }, "networks is [], expected an object"],
    [{ networks: { isolation: true } }, 'networks has the key "isolation", expected '],
    [
      { networks: { namespaceIsolation: "true" } },
      'networks.namespaceIsolation is "true", expected true or false',
    ],
    [
      { networks: { globalNamespaces: "default" } },
      'networks.globalNamespaces is "default", expected a list',
    ],
    [
      { networks: { globalNamespaces: ["a", "B"] } },
      'networks.globalNamespaces[1] is "B", expected a DNS label',
    ],
    [
      { networks: { sysctlAllowList: ["kernel.panic"] } },
      'networks.sysctlAllowList[0] is "kernel.panic", expected a sysctl below "net."',
    ],
    [{ cni: { binDirs: "/opt/cni/bin" } }, 'cni.binDirs is "/opt/cni/bin", expected a list'],
    [{ cni: { binDirs: [] } }, "cni.binDirs is [], expected at least one folder"],
    [{ cni: { binDirs: ["/a:/b"] } }, 'cni.binDirs[0] is "/a:/b", expected an absolute path'],
    [{ cni: { confDir: "etc" } }, 'cni.confDir is "etc", expected an absolute path'],
    [{ cni: { execTimeoutMs: 30_000 } }, "cni.execTimeoutMs is 30000, expected a whole number"],
    [{ cni: { runningMax: 0 } }, "cni.runningMax is 0, expected a whole number from 1 to 256"],
    [{ services: { masqueradeAll: 1 } }, "services.masqueradeAll is 1, expected true or false"],
    [
      { services: { masqueradeBit: 32 } },
      "services.masqueradeBit is 32, expected a whole number from 0 to 31",
    ],
    [{ services: { addWaits: { timeoutMs: 0 } } }, "services.addWaits.timeoutMs is 0"],
    [{ services: { healthzAddress: "10256" } }, 'services.healthzAddress is "10256"'],
    [{ services: { healthzAddress: "::1:80" } }, "services.healthzAddress is"],
    [{ services: { healthzAddress: "0.0.0.0:0" } }, "services.healthzAddress is"],
  ];
  for (const [json, message] of cases) {
    it(`refuses ${JSON.stringify(json)}`, () => {
      assert.throws(
        () => parseConfig(json),
        (error: Error & { code?: string }) =>
          error.code === "INVALID_HOST_CONFIG" && error.message.startsWith(message),
      );
    });
  }
});

describe("readHostConfig()", () => {
  it("takes an absent file for an empty one, unless it was asked for by name", () => {
    const file = "/nonexistent/host.json";
    assert.deepEqual(
      readHostConfig(file, { isOptional: true, hasCluster: false }),
      parseConfig({}),
    );
    assert.throws(
      () => readHostConfig(file, { isOptional: false, hasCluster: false }),
      /Cannot read/,
    );
  });

  it("names the file with the field", () => {
    const folder = mkdtempSync(join(tmpdir(), "pb-config-"));
    try {
      const file = join(folder, "host.json");
      writeFileSync(file, '{"services":{"masqueradeBit":"14"}}');
      assert.throws(() => readHostConfig(file, { isOptional: true, hasCluster: false }), {
        message: `${file}: services.masqueradeBit is "14", expected a whole number from 0 to 31`,
      });
      writeFileSync(file, "{");
      assert.throws(
        () => readHostConfig(file, { isOptional: true, hasCluster: false }),
        /is not JSON/,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
