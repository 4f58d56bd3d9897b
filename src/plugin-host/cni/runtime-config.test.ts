import assert from "node:assert/strict";
import { test } from "node:test";
import { parseNetworkConfig } from "./network-config.ts";
import { normalizeRuntimeConfig } from "./runtime-config.ts";

test("normalizeRuntimeConfig() reads what containerd writes: names of Go's fields, and null for nothing", () => {
  // As containerd 2.4 sends it for a pod with a host port and limits.
  const json = {
    name: "patchbay",
    runtimeConfig: {
      bandwidth: { IngressRate: 1000000, IngressBurst: 4294967295, EgressRate: 0, EgressBurst: 0 },
      "io.kubernetes.cri.pod-annotations": null,
      portMappings: [{ HostPort: 8080, ContainerPort: 80, Protocol: "TCP", HostIP: "" }],
    },
  };
  const { portMappings, requestedBandwidth, annotations } = parseNetworkConfig(json, "1.0.0");
  assert.deepEqual(portMappings, [
    { hostPort: 8080, containerPort: 80, protocol: "TCP", hostIp: "" },
  ]);
  assert.deepEqual(requestedBandwidth, {
    ingressRate: 1000000,
    ingressBurst: 4294967295,
    egressRate: 0,
    egressBurst: 0,
  });
  assert.deepEqual(annotations, {});
});

test("normalizeRuntimeConfig() leaves what it does not know, and what is spelled both ways", () => {
  const odd = {
    runtimeConfig: { portMappings: [7, { hostPort: 1, HostPort: 2, x: 3 }], mac: "m" },
  };
  assert.deepEqual(normalizeRuntimeConfig(odd), odd);
  const none = { runtimeConfig: [null] };
  assert.equal(normalizeRuntimeConfig(none), none);
});
