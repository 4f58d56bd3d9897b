import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { EndpointList as _patchbay_plugin_v1_EndpointList, EndpointList__Output as _patchbay_plugin_v1_EndpointList__Output } from './patchbay/plugin/v1/EndpointList.ts';
import type { FrontendKey as _patchbay_plugin_v1_FrontendKey, FrontendKey__Output as _patchbay_plugin_v1_FrontendKey__Output } from './patchbay/plugin/v1/FrontendKey.ts';
import type { NetworkFacts as _patchbay_plugin_v1_NetworkFacts, NetworkFacts__Output as _patchbay_plugin_v1_NetworkFacts__Output } from './patchbay/plugin/v1/NetworkFacts.ts';
import type { PlannedEndpoint as _patchbay_plugin_v1_PlannedEndpoint, PlannedEndpoint__Output as _patchbay_plugin_v1_PlannedEndpoint__Output } from './patchbay/plugin/v1/PlannedEndpoint.ts';
import type { PlannedFrontend as _patchbay_plugin_v1_PlannedFrontend, PlannedFrontend__Output as _patchbay_plugin_v1_PlannedFrontend__Output } from './patchbay/plugin/v1/PlannedFrontend.ts';
import type { ProgramAck as _patchbay_plugin_v1_ProgramAck, ProgramAck__Output as _patchbay_plugin_v1_ProgramAck__Output } from './patchbay/plugin/v1/ProgramAck.ts';
import type { ProgramRequest as _patchbay_plugin_v1_ProgramRequest, ProgramRequest__Output as _patchbay_plugin_v1_ProgramRequest__Output } from './patchbay/plugin/v1/ProgramRequest.ts';
import type { RefusedFrontend as _patchbay_plugin_v1_RefusedFrontend, RefusedFrontend__Output as _patchbay_plugin_v1_RefusedFrontend__Output } from './patchbay/plugin/v1/RefusedFrontend.ts';
import type { ServicePluginClient as _patchbay_plugin_v1_ServicePluginClient, ServicePluginDefinition as _patchbay_plugin_v1_ServicePluginDefinition } from './patchbay/plugin/v1/ServicePlugin.ts';
import type { ServiceRoute as _patchbay_plugin_v1_ServiceRoute, ServiceRoute__Output as _patchbay_plugin_v1_ServiceRoute__Output } from './patchbay/plugin/v1/ServiceRoute.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  patchbay: {
    plugin: {
      v1: {
        EndpointList: MessageTypeDefinition<_patchbay_plugin_v1_EndpointList, _patchbay_plugin_v1_EndpointList__Output>
        FrontendKey: MessageTypeDefinition<_patchbay_plugin_v1_FrontendKey, _patchbay_plugin_v1_FrontendKey__Output>
        MasqueradeOf: EnumTypeDefinition
        NetworkFacts: MessageTypeDefinition<_patchbay_plugin_v1_NetworkFacts, _patchbay_plugin_v1_NetworkFacts__Output>
        PlannedEndpoint: MessageTypeDefinition<_patchbay_plugin_v1_PlannedEndpoint, _patchbay_plugin_v1_PlannedEndpoint__Output>
        PlannedFrontend: MessageTypeDefinition<_patchbay_plugin_v1_PlannedFrontend, _patchbay_plugin_v1_PlannedFrontend__Output>
        ProgramAck: MessageTypeDefinition<_patchbay_plugin_v1_ProgramAck, _patchbay_plugin_v1_ProgramAck__Output>
        ProgramRequest: MessageTypeDefinition<_patchbay_plugin_v1_ProgramRequest, _patchbay_plugin_v1_ProgramRequest__Output>
        Protocol: EnumTypeDefinition
        RefusedFrontend: MessageTypeDefinition<_patchbay_plugin_v1_RefusedFrontend, _patchbay_plugin_v1_RefusedFrontend__Output>
        /**
         * Implemented by plugins with ROLE_SERVICES, beside the built-in data plane; docs/services.md says how one joins.
         */
        ServicePlugin: SubtypeConstructor<typeof grpc.Client, _patchbay_plugin_v1_ServicePluginClient> & { service: _patchbay_plugin_v1_ServicePluginDefinition }
        ServiceRoute: MessageTypeDefinition<_patchbay_plugin_v1_ServiceRoute, _patchbay_plugin_v1_ServiceRoute__Output>
        Verdict: EnumTypeDefinition
      }
    }
  }
}

