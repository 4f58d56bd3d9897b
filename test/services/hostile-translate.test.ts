import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LIMITS } from "../../src/plugin-host/limits.ts";
import { translateService } from "../../src/services/translate.ts";

describe("translateService() of a hostile Service", () => {
  it("makes no more frontends than all callers of ApplyServices together may", () => {
    const numbers = Array.from({ length: 500 }, (_, index) => index);
    const { frontends } = translateService({
      kind: "Service",
      metadata: { name: "bomb", namespace: "default" },
      spec: {
        clusterIPs: ["10.96.0.11"],
        externalIPs: numbers.map((index) => `198.18.${index >> 8}.${index & 255}`),
        ports: numbers.map((index) => ({ name: `p${index}`, port: index + 1 })),
      },
    });
    assert.ok(frontends.length <= LIMITS.servicesFrontendsMax, String(frontends.length));
  });
});
