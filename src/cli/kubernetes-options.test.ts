import assert from "node:assert/strict";
import { test } from "node:test";
import { Command } from "commander";
import {
  chooseCluster,
  type KubernetesOptions,
  withKubernetesOptions,
} from "./kubernetes-options.ts";

function choose(...args: string[]) {
  const command = withKubernetesOptions(new Command());
  command.parse(args, { from: "user" });
  return chooseCluster(command.opts<KubernetesOptions>(), undefined);
}

test("chooseCluster() is nothing without --kubernetes", () => {
  assert.deepEqual(choose(), { kubernetes: undefined, runtimeEndpoint: undefined });
});

test("chooseCluster() takes API servers in the order given, each once", () => {
  const servers = [
    "https://192.0.2.1:6443/",
    "http://[2001:db8::1]:8080",
    "https://192.0.2.1:6443",
  ];
  const given = servers.flatMap((url) => ["--api-server", url]);
  const { kubernetes } = choose("--kubernetes", "--kubeconfig", "/etc/k/../kubeconfig", ...given);
  assert.deepEqual(kubernetes, {
    kubeconfig: "/etc/kubeconfig",
    apiServers: ["https://192.0.2.1:6443", "http://[2001:db8::1]:8080"],
  });
});

test("chooseCluster() takes a runtime's endpoint with scheme and without, with or without a cluster", () => {
  const path = "/run/containerd/containerd.sock";
  assert.equal(choose("--runtime-endpoint", path).runtimeEndpoint, path);
  const { kubernetes, runtimeEndpoint } = choose(
    "--kubernetes",
    "--runtime-endpoint",
    `unix://${path}`,
  );
  assert.deepEqual(kubernetes, { kubeconfig: undefined, apiServers: [] });
  assert.equal(runtimeEndpoint, path);
});
