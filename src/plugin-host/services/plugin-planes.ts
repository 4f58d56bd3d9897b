import type { PluginConnection } from "../../rpc/service-plugin-client.ts";
import type { Clock, EventSink } from "../core/ports.ts";
import type { FoundPlugin, Membership, PluginRole } from "../plugins/plugin-role.ts";
import { PluginPlane } from "./plugin-plane.ts";
import type { ServicesCore } from "./services-core.ts";

export interface PluginPlanesDeps {
  readonly core: ServicesCore;
  readonly clock: Clock;
  readonly events: EventSink;
  readonly hostVersion: string;
  readonly connect: (socketPath: string) => Promise<PluginConnection>;
}

/** Makes data planes of plugins that play ROLE_SERVICES. */
export class PluginPlanes implements PluginRole {
  readonly role = "ROLE_SERVICES";
  readonly #deps: PluginPlanesDeps;

  constructor(deps: PluginPlanesDeps) {
    this.#deps = deps;
  }

  accept({ info: { name, version }, socketPath }: FoundPlugin): Membership | string {
    const { core, clock, events, hostVersion, connect } = this.#deps;
    if (core.planes.some((plane) => plane.name === name)) {
      return `another data plane is named ${name}`;
    }
    const plane = new PluginPlane({ name, clock, hostVersion, connect: () => connect(socketPath) });
    const message = `Plugin ${name} ${version} programs Services too`;
    events.emit({ kind: "services-plane-joined", subject: name, message });
    core.addPlane(plane, { isRequired: false, version });
    return {
      leave(why) {
        core.removePlane(plane);
        void plane.close();
        const left = `Plugin ${name} programs Services no more: ${why}`;
        events.emit({ kind: "services-plane-left", subject: name, message: left });
      },
    };
  }
}
