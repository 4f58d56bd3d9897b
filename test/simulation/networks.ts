import { formatAddress } from "../../src/ip/address.ts";
import type { Profile } from "./profile.ts";
import type { Rng } from "./rng.ts";

/** A network of the simulated node, with the configuration that the runtime hands out today. */
export interface SimNetwork {
  readonly name: string;
  readonly index: number;
  readonly cniVersion: string;
  readonly cooldownMs: number;
  config: Record<string, unknown>;
}

/** Plugins that a network may name; both worlds have them. */
export const PLUGIN_NAMES = ["routed", "bridge"] as const;

export function drawNetworks(rng: Rng, profile: Profile): SimNetwork[] {
  return Array.from({ length: profile.networks }, (_, index) => {
    const network: SimNetwork = {
      name: `net${index}`,
      index,
      cniVersion: rng.oneOf("1.1.0", "1.1.0", "1.0.0", "0.4.0"),
      cooldownMs: profile.cooldownSeconds * 1000,
      config: {},
    };
    network.config = drawConfig(rng, profile, network, rng.oneOf(...PLUGIN_NAMES));
    return network;
  });
}

/** Networks that pods ask for beside their default one, of namespace "default". */
export function drawExtras(rng: Rng, profile: Profile): SimNetwork[] {
  return Array.from({ length: profile.extraNetworks }, (_, index) => {
    const extra: SimNetwork = {
      name: `default/x${index}`,
      index: 10 + index,
      cniVersion: "1.1.0",
      cooldownMs: profile.cooldownSeconds * 1000,
      config: {},
    };
    const { name: _name, ...config } = drawConfig(rng, profile, extra, rng.oneOf(...PLUGIN_NAMES));
    // One in four gives no addresses, one in four must come after another.
    const { ipam, ...bare } = config;
    const base = rng.chance(0.25) ? bare : { ...bare, ipam };
    const before = index > 0 && rng.chance(0.25) ? { dependsOn: [`default/x${index - 1}`] } : {};
    extra.config = { ...base, ...before };
    return extra;
  });
}

/** Another configuration of the same network: other ranges, other masquerading, maybe another plugin. */
export function changeConfig(rng: Rng, profile: Profile, network: SimNetwork): void {
  const before = network.config["plugin"] as string;
  const plugin = profile.pluginChanges ? rng.oneOf(...PLUGIN_NAMES) : before;
  network.config = drawConfig(rng, profile, network, plugin);
}

function drawConfig(
  rng: Rng,
  profile: Profile,
  { name, index }: SimNetwork,
  plugin: string,
): Record<string, unknown> {
  const hostBits = index === 0 ? profile.hostBits : rng.oneOf(3, 4, 8, 16);
  const kind = rng.oneOf("dual", "dual", "dual", "v4", "v6");
  const sets: object[][] = [];
  const blocks = rng.chance(0.25) ? [0, 1] : [rng.chance(0.2) ? 1 : 0];
  for (const block of blocks) {
    if (kind !== "v6") sets.push([drawRange4(rng, index, block, hostBits)]);
    if (kind !== "v4") sets.push([drawRange6(rng, index, block, hostBits)]);
  }
  return {
    name,
    type: "patchbay",
    plugin,
    ...(plugin === "bridge" ? { bridge: `br${index}` } : {}),
    ...(rng.chance(0.3) ? { ipMasq: true } : {}),
    ipam: {
      ranges: sets,
      cooldownSeconds: profile.cooldownSeconds,
      ...(kind === "dual" && rng.chance(0.3) ? { policy: "PreferDual" } : {}),
    },
  };
}

function drawRange4(rng: Rng, index: number, block: number, hostBits: number): object {
  const base = (10n << 24n) | (BigInt(100 + index * 2 + block) << 16n);
  const subnet = `${formatAddress({ family: 4, value: base })}/${32 - hostBits}`;
  if (!rng.chance(0.3)) return { subnet };
  const size = 2 ** hostBits;
  const start = rng.between(2, Math.max(2, Math.min(size - 3, 6)));
  const end = rng.between(start + 1, Math.min(size - 2, start + 12));
  const at = (offset: number) => formatAddress({ family: 4, value: base + BigInt(offset) });
  return { subnet, rangeStart: at(start), rangeEnd: at(end) };
}

function drawRange6(rng: Rng, index: number, block: number, hostBits: number): object {
  const base = (0xfd00n << 112n) | (BigInt(0x100 + index * 2 + block) << 96n);
  const bits = hostBits >= 16 ? 64 : hostBits + rng.between(0, 2);
  return { subnet: `${formatAddress({ family: 6, value: base })}/${128 - bits}` };
}
