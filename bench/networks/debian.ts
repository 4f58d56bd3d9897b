import { join } from "node:path";

/** Where Debian's containernetworking-plugins has its programs. */
export const DEBIAN = "/usr/lib/cni";

/** Its bridge with host-local, dual-stack. Only a pod's default network has default routes. */
export function bridgeConfig(
  name: string,
  options: {
    readonly number: number;
    readonly folder: string;
    readonly hasDefaultRoute: boolean;
  },
): Readonly<Record<string, unknown>> {
  const { number, folder, hasDefaultRoute } = options;
  const subnets = [`10.${number}.0.0/16`, `fd00:${number}::/64`];
  return {
    cniVersion: "1.0.0",
    name,
    type: "bridge",
    bridge: `bench${number}`,
    isGateway: true,
    ipam: {
      type: "host-local",
      dataDir: join(folder, "host-local"),
      ranges: subnets.map((subnet) => [{ subnet }]),
      ...(hasDefaultRoute && { routes: [{ dst: "0.0.0.0/0" }, { dst: "::/0" }] }),
    },
  };
}
