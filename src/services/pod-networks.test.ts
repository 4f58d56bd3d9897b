import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { AddressText } from "./model.ts";
import type { ObjectKey, Pod } from "./objects.ts";
import { networkStatusAnnotation, PodNetworks } from "./pod-networks.ts";

const wanted = { network: "default/fast", family: 4, nodeName: "node-a" } as const;

describe("PodNetworks", () => {
  it("find() takes the first address of a family, interfaces by name", () => {
    const networks = new PodNetworks(() => {});
    networks.put(entry("2", { ifname: "net10", addresses: ["10.20.0.9"] }));
    networks.put(entry("1", { ifname: "net2", addresses: ["fd20::5", "10.20.0.5", "10.20.0.6"] }));
    assert.equal(networks.find("default/web-1", wanted), "10.20.0.5");
    assert.equal(networks.find("default/web-1", { ...wanted, family: 6 }), "fd20::5");
    assert.equal(networks.find("default/web-1", { ...wanted, network: "default/slow" }), undefined);
    assert.equal(networks.find("other/web-1", wanted), undefined);
  });

  it("find() passes over link-local addresses", () => {
    const networks = new PodNetworks(() => {});
    networks.put(entry("1", { addresses: ["fe80::1", "fd20::5"] }));
    assert.equal(networks.find("default/web-1", { ...wanted, family: 6 }), "fd20::5");
  });

  it("remove() of an earlier pod of the same name leaves the later one's address", () => {
    const networks = new PodNetworks(() => {});
    networks.put(entry("old", { addresses: ["10.20.0.5"] }));
    networks.put(entry("new", { addresses: ["10.20.0.6"] }));
    networks.remove("old");
    assert.equal(networks.find("default/web-1", wanted), "10.20.0.6");
    networks.remove("new");
    assert.equal(networks.find("default/web-1", wanted), undefined);
  });

  it("putPod() tells of pods of other nodes, and what is attached here is believed instead", () => {
    const changes: string[] = [];
    const networks = new PodNetworks((pod, of) => changes.push(`${pod} ${[...of].join()}`));
    const status = [
      { name: "cbr0", interface: "eth0", ips: ["10.1.0.5"], default: true },
      { name: "default/fast", interface: "net1", ips: ["10.20.0.7", "fd20::7/64"] },
    ];
    assert.equal(networks.putPod("api", pod(status)), "");
    assert.deepEqual(changes, ["default/web-1 default/fast"]);
    assert.equal(networks.find("default/web-1", wanted), "10.20.0.7");
    assert.equal(networks.find("default/web-1", { ...wanted, family: 6 }), "fd20::7");
    networks.put(entry("1", { addresses: ["10.20.0.8"] }));
    assert.equal(networks.find("default/web-1", wanted), "10.20.0.8");
    networks.remove("1");
    networks.removePod("api", "Pod/default/web-1" as ObjectKey);
    assert.equal(networks.find("default/web-1", wanted), undefined);
    assert.deepEqual([...networks.podsOf("api")], []);
  });

  it("find() does not believe the object of a pod of this node that the host knows nothing of", () => {
    const networks = new PodNetworks(() => {});
    const status = [{ name: "default/fast", ips: ["10.20.0.7"] }];
    networks.putPod("api", { ...pod(status), spec: { nodeName: "node-a" } });
    assert.equal(networks.find("default/web-1", wanted), undefined);
    assert.equal(networks.find("default/web-1", { ...wanted, nodeName: "node-b" }), "10.20.0.7");
  });

  const wrong: readonly (readonly [string, unknown])[] = [
    ["expected a list", {}],
    ["[0]: expected a mapping", [7]],
    ["[0].name: expected text", [{ name: 7 }]],
    ["[0].ips: expected a list", [{ name: "a/b", ips: "10.0.0.1" }]],
    ['[0].ips: "x" is no IP address', [{ name: "a/b", ips: ["x"] }]],
    ["129 networks, at most 128", Array.from({ length: 129 }, () => ({ name: "a/b" }))],
  ];
  for (const [why, status] of wrong) {
    it(`putPod() says what is wrong: ${why}`, () => {
      const networks = new PodNetworks(() => {});
      const problem = networks.putPod("api", pod(status));
      assert.equal(problem, `metadata.annotations[${networkStatusAnnotation}] is ignored: ${why}`);
      // Known, so that its problem goes with it.
      assert.deepEqual([...networks.podsOf("api")], ["Pod/default/web-1"]);
    });
  }
});

function entry(
  id: string,
  { ifname = "net1", addresses }: { ifname?: string; addresses: readonly string[] },
) {
  const texts = addresses as readonly AddressText[];
  return { id, pod: "default/web-1", network: "default/fast", ifname, addresses: texts };
}

function pod(status: unknown): Pod {
  const annotations = { [networkStatusAnnotation]: JSON.stringify(status) };
  return { kind: "Pod", metadata: { name: "web-1", namespace: "default", annotations } };
}
