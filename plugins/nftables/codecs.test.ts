import { strict as assert } from "node:assert";
import { describe, it } from "node:test";
import type { AddressText, FrontendKey } from "../../src/services/model.ts";
import {
  addressCodec,
  type Codec,
  endpointCodec,
  frontendCodec,
  frontendRangeCodec,
  hairpinCodec,
  number32,
  rangeCodec,
  slotCodec,
  slotKey,
} from "./codecs.ts";

function record<T>(codec: Codec<T>, value: T): string {
  const bytes = new Uint8Array(codec.bytes).fill(0xaa);
  const view = new DataView(bytes.buffer);
  codec.write(view, 0, value);
  assert.deepEqual(codec.read(view, 0), value);
  return Buffer.from(bytes).toString("hex");
}

describe("codecs", () => {
  const v4 = "10.96.0.10" as AddressText;
  const v6 = "fd00::1:0:0:a" as AddressText;

  it("write fields padded to four bytes, as dataplane-measurements.md found them, and read them back", () => {
    assert.equal(record(addressCodec(4), v4), "0a60000a");
    assert.equal(record(addressCodec(6), v6), "fd00000000000000000100000000000a");
    assert.equal(
      record(frontendCodec(4), "10.96.0.10|TCP|80" as FrontendKey),
      "0a60000a0600000000500000",
    );
    assert.equal(
      record(frontendCodec(6), "fd00::a|SCTP|65535" as FrontendKey),
      "fd00000000000000000000000000000a84000000ffff0000",
    );
    assert.equal(record(endpointCodec(4), "10.1.2.3|8080"), "0a0102031f900000");
    assert.equal(record(endpointCodec(6), "::1|53"), "0000000000000000000000000000000100350000");
    assert.equal(record(hairpinCodec(4), v4), "0a60000a0a60000a");
    assert.equal(record(rangeCodec(4), "10.0.0.0-10.0.0.255"), "0a0000000a0000ff");
    assert.equal(
      record(frontendRangeCodec(4), "10.96.0.10|UDP|53|10.0.0.0-10.0.0.255"),
      "0a60000a11000000003500000a0000000a60000a11000000003500000a0000ff",
    );
    record(frontendRangeCodec(6), "fd00::a|UDP|53|fd00::-fd00::ff");
    record(number32, 0xffff_ffff);
    record(slotCodec, slotKey(0xff_ffff, 65_535));
  });
});
