import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { endpointStates, messages, parseServicesFile } from "./services-file.ts";

const proto = readFileSync(
  join(import.meta.dirname, "../../proto/patchbay/host/v1/host.proto"),
  "utf8",
);

/** "type name" of every field of a message of host.proto. */
function readFields(message: string): string[] {
  const body = new RegExp(`^message ${message} \\{\n([^}]*)^\\}`, "m").exec(proto)?.[1] ?? "";
  const fields = body.matchAll(/^ {2}(?<type>(?:repeated )?\w+) (?<name>\w+) = \d+;$/gm);
  return [...fields].map(({ groups }) => `${groups?.["type"]} ${groups?.["name"]}`);
}

describe("messages", () => {
  for (const [message, fields] of Object.entries(messages)) {
    it(`has ${message} as host.proto has it`, () => {
      const own = Object.entries(fields).map(
        ([name, { type, isList }]) => `${isList ? "repeated " : ""}${type} ${name}`,
      );
      assert.deepEqual(own, readFields(message));
    });
  }

  it("has the states of host.proto", () => {
    const body = /^enum EndpointState \{\n([^}]*)^\}/m.exec(proto)?.[1] ?? "";
    assert.deepEqual(
      [...body.matchAll(/^ {2}(\w+) = \d+;$/gm)].map((match) => match[1]),
      endpointStates,
    );
  });
});

describe("parseServicesFile()", () => {
  it("takes names as in the proto and in camelCase", () => {
    assert.deepEqual(
      parseServicesFile('{"put_frontends":[{"port_name":"a"}],"removeGroups":["b"]}', "f"),
      { putFrontends: [{ portName: "a" }], removeGroups: ["b"] },
    );
  });

  const wrong: readonly [text: string, message: string][] = [
    ["[]", "f: It must be an object (ApplyServicesRequest)"],
    ['{"source":1}', "f: source must be a string"],
    ['{"replace":"yes"}', "f: replace must be true or false"],
    ['{"put_groups":{}}', "f: put_groups must be a list"],
    ['{"put_groups":[null]}', "f: put_groups[0] must be an object (EndpointGroup)"],
    [
      '{"put_groups":[{"endpoint":[]}]}',
      "f: put_groups[0].endpoint is no field of EndpointGroup: id, endpoints",
    ],
    [
      '{"put_groups":[{"endpoints":[{"ports":[{"port":"80"}]}]}]}',
      "f: put_groups[0].endpoints[0].ports[0].port must be a whole number, 0 or more",
    ],
    [
      '{"put_frontends":[{"port":-1}]}',
      "f: put_frontends[0].port must be a whole number, 0 or more",
    ],
    [
      '{"put_frontends":[{"port":80.5}]}',
      "f: put_frontends[0].port must be a whole number, 0 or more",
    ],
    [
      '{"put_groups":[{"endpoints":[{"state":"READY"}]}]}',
      "f: put_groups[0].endpoints[0].state must be one of ENDPOINT_STATE_READY, ENDPOINT_STATE_SERVING_TERMINATING, ENDPOINT_STATE_NOT_READY",
    ],
    [
      '{"put_frontends":[{"portName":"a","port_name":"b"}]}',
      "f: put_frontends[0].port_name is there twice",
    ],
    [
      '{"__proto__":{}}',
      "f: __proto__ is no field of ApplyServicesRequest: source, replace, put_groups, remove_groups, put_frontends, remove_frontends",
    ],
  ];
  for (const [text, message] of wrong) {
    it(`refuses ${text}`, () => {
      assert.throws(() => parseServicesFile(text, "f"), { name: "CliError", message });
    });
  }

  it("says where Kubernetes objects go", () => {
    const texts = ["apiVersion: v1\nkind: Service\n", '{ "apiVersion": "v1", "kind": "Service" }'];
    for (const text of texts) {
      assert.throws(() => parseServicesFile(text, "f"), { message: /--manifests DIR/ });
    }
  });

  it("names the file that is not JSON", () => {
    assert.throws(() => parseServicesFile("{", "f"), { message: /^f is not JSON: / });
  });
});
