import {
  type AttachRequest,
  type Bandwidth,
  PluginError,
} from "../../src/plugin-sdk/network-plugin.ts";
import { type PodSysctl, readSysctls } from "./sysctls.ts";

/** What a network's configuration and a pod want of an attachment beyond what its plugin makes. */
export interface Tuning {
  /** Undefined: as the plugin makes it. */
  readonly mtu: number | undefined;
  readonly txQueueLength: number | undefined;
  readonly promisc: boolean | undefined;
  readonly allMulticast: boolean | undefined;
  readonly sysctls: readonly PodSysctl[];
  /** Undefined: no limits. */
  readonly bandwidth: Bandwidth | undefined;
}

/** Key `tuning` of a network. The host passes it by; it is read here. */
const TUNING_KEYS = ["mtu", "txQueueLength", "promisc", "allMulticast", "sysctls"] as const;

const RATE_KEYS = ["ingressRate", "ingressBurst", "egressRate", "egressBurst"] as const;

/** Kubernetes' own bounds of the annotations kubernetes.io/*-bandwidth: 1k to 1P. */
const RATE_MIN = 1000;
const RATE_MAX = 1e15;
/** IPv6 is off a link below it (IPV6_MIN_MTU). */
const IPV6_MTU_MIN = 1280;
const QUEUE_LENGTH_MAX = 1_000_000;

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads what is wanted, everything checked before anything is done; undefined: nothing. Limits of the
 * order go before those of the network, each direction by itself; with `shapes` false there are none.
 * Throws PluginError "invalid-config" that names the key.
 */
export function readTuning(
  request: Pick<
    AttachRequest,
    "configJson" | "bandwidth" | "addresses" | "requestedAddresses" | "ifname"
  >,
  options: { readonly sysctlAllowList: readonly string[]; readonly shapes: boolean },
): Tuning | undefined {
  const config = asObject(JSON.parse(request.configJson) as unknown, "the configuration");
  const bandwidth = options.shapes ? readRates(config, request.bandwidth) : undefined;
  if (config["tuning"] === undefined) {
    return bandwidth && { ...NOTHING, bandwidth };
  }
  const tuning = asObject(config["tuning"], "tuning");
  const unknown = Object.keys(tuning).find((key) => !TUNING_KEYS.some((known) => known === key));
  if (unknown !== undefined) {
    throw refusal(`tuning has the key ${quote(unknown)}, expected ${TUNING_KEYS.join(", ")}`);
  }
  const addresses = request.addresses.map(({ address }) => address);
  const hasIpv6 = [...addresses, ...request.requestedAddresses].some((text) => text.includes(":"));
  const mtuMin = hasIpv6 ? IPV6_MTU_MIN : 68;
  return {
    mtu: asInteger(tuning["mtu"], { field: "tuning.mtu", min: mtuMin, max: 65_535 }),
    txQueueLength: asInteger(tuning["txQueueLength"], {
      field: "tuning.txQueueLength",
      min: 0,
      max: QUEUE_LENGTH_MAX,
    }),
    promisc: asFlag(tuning["promisc"], "tuning.promisc"),
    allMulticast: asFlag(tuning["allMulticast"], "tuning.allMulticast"),
    sysctls: readSysctls(asObject(tuning["sysctls"] ?? {}, "tuning.sysctls"), {
      ifname: request.ifname,
      allowList: options.sysctlAllowList,
    }),
    bandwidth,
  };
}

const NOTHING: Tuning = {
  mtu: undefined,
  txQueueLength: undefined,
  promisc: undefined,
  allMulticast: undefined,
  sysctls: [],
  bandwidth: undefined,
};

function readRates(config: Json, asked: Bandwidth | null): Bandwidth | undefined {
  const own = config["bandwidth"] === undefined ? {} : asObject(config["bandwidth"], "bandwidth");
  const unknown = Object.keys(own).find((key) => !RATE_KEYS.some((known) => known === key));
  if (unknown !== undefined) {
    throw refusal(`bandwidth has the key ${quote(unknown)}, expected ${RATE_KEYS.join(", ")}`);
  }
  const rates = {
    ...readRate(own, { way: "ingress", asked }),
    ...readRate(own, { way: "egress", asked }),
  };
  return rates.ingressRate === 0 && rates.egressRate === 0 ? undefined : rates;
}

function readRate(
  own: Json,
  { way, asked }: { readonly way: "ingress" | "egress"; readonly asked: Bandwidth | null },
): Bandwidth {
  const source: Json = (asked?.[`${way}Rate`] ?? 0) > 0 ? { ...asked } : own;
  const field = `bandwidth.${way}`;
  const rate =
    asInteger(source[`${way}Rate`], { field: `${field}Rate`, min: 0, max: RATE_MAX }) ?? 0;
  const burst =
    asInteger(source[`${way}Burst`], {
      field: `${field}Burst`,
      min: 0,
      max: Number.MAX_SAFE_INTEGER,
    }) ?? 0;
  if (rate > 0 && rate < RATE_MIN) {
    throw refusal(`${field}Rate is ${rate}, expected 0 or at least ${RATE_MIN} bits each second`);
  }
  if (rate === 0 && burst > 0) throw refusal(`${field}Burst is ${burst} without ${field}Rate`);
  return { [`${way}Rate`]: rate, [`${way}Burst`]: burst } as unknown as Bandwidth;
}

function asObject(value: unknown, field: string): Json {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Json;
  throw refusal(`${field} is ${quote(value)}, expected an object`);
}

function asInteger(
  value: unknown,
  { field, min, max }: { readonly field: string; readonly min: number; readonly max: number },
): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) {
    return value;
  }
  throw refusal(`${field} is ${quote(value)}, expected an integer from ${min} to ${max}`);
}

function asFlag(value: unknown, field: string): boolean | undefined {
  if (value === undefined || typeof value === "boolean") return value;
  throw refusal(`${field} is ${quote(value)}, expected true or false`);
}

function quote(value: unknown): string {
  return (JSON.stringify(value) ?? "undefined").slice(0, 80);
}

function refusal(message: string): PluginError {
  return new PluginError("invalid-config", message);
}
