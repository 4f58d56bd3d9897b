import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { EndpointSlice, Service } from "../../../services/objects.ts";
import { SharedValues } from "./shared-values.ts";

function slice(number: number): EndpointSlice {
  return {
    kind: "EndpointSlice",
    metadata: { name: `web-${number}`, namespace: "production" },
    addressType: "IPv4",
    endpoints: [
      {
        addresses: [`10.0.${number >> 8}.${number & 255}`],
        conditions: { ready: true, serving: true, terminating: false },
        nodeName: "node-one.example.com",
        zone: "eu-central-1a",
      },
    ],
    ports: [{ name: "http", protocol: "TCP", port: 8080 }],
  };
}

function service(number: number): Service {
  return {
    kind: "Service",
    metadata: { name: `web-${number}`, namespace: "production" },
    spec: { ports: [{ port: 80, nodePort: 30_000 + number }, { port: 81 }] },
  };
}

describe("SharedValues", () => {
  it("changes nothing of an object", () => {
    const shared = new SharedValues();
    for (let number = 0; number < 3; number++) {
      assert.deepEqual(shared.share(slice(number)), slice(number));
      assert.deepEqual(shared.share(service(number)), service(number));
    }
    const bare: EndpointSlice = {
      ...slice(1),
      endpoints: [{ addresses: ["10.0.0.1"] }, { addresses: ["10.0.0.2"], conditions: {} }],
      ports: [{}],
    };
    assert.deepEqual(shared.share(bare), bare);
  });

  it("holds what objects have in common once", () => {
    const shared = new SharedValues();
    const [one, other] = [slice(1), slice(2)].map((object) => shared.share(object));
    assert.ok(one?.kind === "EndpointSlice" && other?.kind === "EndpointSlice");
    assert.equal(one.ports, other.ports);
    assert.equal(one.endpoints?.[0]?.conditions, other.endpoints?.[0]?.conditions);
  });

  it("keeps ports apart that differ in one thing", () => {
    const shared = new SharedValues();
    const ports = [
      { name: "http", protocol: "TCP", port: 80 },
      { name: "http", protocol: "UDP", port: 80 },
      { name: "http", protocol: "TCP", port: 81 },
      { name: "web", protocol: "TCP", port: 80 },
      { protocol: "TCP", port: 80 },
      { name: "", protocol: "TCP", port: 80 },
      { name: "http", port: 80 },
      { name: "http", protocol: "TCP" },
    ] as const;
    for (const port of ports) {
      const object: EndpointSlice = { ...slice(1), ports: [port] };
      assert.deepEqual(shared.share(object), object);
      const same: EndpointSlice = { ...slice(1), ports: [port, port] };
      assert.deepEqual(shared.share(same), same);
    }
  });

  it("forgets when there is too much, and stays right", () => {
    const shared = new SharedValues();
    for (let number = 0; number < 25_000; number++) {
      const object = service(number);
      const held = shared.share(object);
      assert.ok(held.kind === "Service");
      assert.equal(held.spec.ports?.[0]?.nodePort, 30_000 + number);
    }
  });
});
