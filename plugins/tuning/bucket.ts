import type { TokenBucket } from "../../src/kernel/traffic-control.ts";

/** Ethernet header with one VLAN tag: what a link may send beyond its MTU. */
const HEADER_BYTES = 18;
/** An explicit burst is at least so many packets: below one nothing passes at all. */
const PACKETS_MIN = 2;
const PACKETS_DEFAULT = 10;
/** The default burst is what the rate makes in 4 ms, one tick of a kernel with HZ=250. */
const BURSTS_PER_SECOND = 250;
/** What may wait: 25 ms at the rate, as in the CNI bandwidth plugin. */
const QUEUE_SECONDS = 0.025;
/** Two packets of TCP as it hands them down (GSO, 64 KiB): they must find room, or every one is dropped. */
const QUEUED_BURST_MAX = 128 * 1024;
/** The kernel tells bursts as a time in 32 bits of 64 ns: 274 s. */
const BURST_SECONDS_MAX = 250;
const U32_MAX = 0xffff_ffff;

/** The token bucket for a rate and burst in bits, burst 0 for the default, on a link with an MTU in bytes. */
export function planBucket({
  rateBits,
  burstBits,
  mtu,
}: {
  readonly rateBits: number;
  readonly burstBits: number;
  readonly mtu: number;
}): TokenBucket {
  const rate = Math.floor(rateBits / 8);
  const packet = mtu + HEADER_BYTES;
  const asked =
    burstBits > 0
      ? Math.max(Math.floor(burstBits / 8), PACKETS_MIN * packet)
      : Math.max(Math.floor(rate / BURSTS_PER_SECOND), PACKETS_DEFAULT * packet);
  const most = Math.min(U32_MAX, Math.max(rate * BURST_SECONDS_MAX, PACKETS_MIN * packet));
  const burstBytes = Math.min(asked, most);
  const queue = Math.floor(rate * QUEUE_SECONDS) + Math.min(burstBytes, QUEUED_BURST_MAX);
  return {
    type: "tbf",
    rateBytesPerSecond: rate,
    burstBytes,
    limitBytes: Math.min(queue, U32_MAX),
  };
}

/** Whether the kernel holds what was planned: the burst comes back in ticks, and rounded by shifts. */
export function sameBucket(planned: TokenBucket, found: TokenBucket | undefined): boolean {
  if (found === undefined) return false;
  const { rateBytesPerSecond: rate, burstBytes, limitBytes } = planned;
  const tolerance = rate * 128e-9 + burstBytes / 1000 + 1;
  return (
    found.rateBytesPerSecond === rate &&
    found.limitBytes === limitBytes &&
    Math.abs(found.burstBytes - burstBytes) <= tolerance
  );
}

/** "10000000 bit/s, burst 15180 bytes, queue 46430 bytes" */
export function describeBucket(bucket: TokenBucket | undefined): string {
  if (bucket === undefined) return "";
  const { rateBytesPerSecond, burstBytes, limitBytes } = bucket;
  return `${rateBytesPerSecond * 8} bit/s, burst ${burstBytes} bytes, queue ${limitBytes} bytes`;
}
