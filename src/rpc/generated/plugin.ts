import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { GetInfoRequest as _patchbay_plugin_v1_GetInfoRequest, GetInfoRequest__Output as _patchbay_plugin_v1_GetInfoRequest__Output } from './patchbay/plugin/v1/GetInfoRequest.ts';
import type { GetInfoResponse as _patchbay_plugin_v1_GetInfoResponse, GetInfoResponse__Output as _patchbay_plugin_v1_GetInfoResponse__Output } from './patchbay/plugin/v1/GetInfoResponse.ts';
import type { PluginClient as _patchbay_plugin_v1_PluginClient, PluginDefinition as _patchbay_plugin_v1_PluginDefinition } from './patchbay/plugin/v1/Plugin.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  patchbay: {
    plugin: {
      v1: {
        Capability: EnumTypeDefinition
        GetInfoRequest: MessageTypeDefinition<_patchbay_plugin_v1_GetInfoRequest, _patchbay_plugin_v1_GetInfoRequest__Output>
        GetInfoResponse: MessageTypeDefinition<_patchbay_plugin_v1_GetInfoResponse, _patchbay_plugin_v1_GetInfoResponse__Output>
        /**
         * Implemented by every plugin, on the socket run/patchbay/plugins/NAME.sock below the host's root, owned by the host's user.
         * A plugin that serves grpc.health.v1.Health too (service "") is asked by it: NOT_SERVING makes ADDs that need it wait, and nothing else.
         */
        Plugin: SubtypeConstructor<typeof grpc.Client, _patchbay_plugin_v1_PluginClient> & { service: _patchbay_plugin_v1_PluginDefinition }
        Role: EnumTypeDefinition
      }
    }
  }
}

