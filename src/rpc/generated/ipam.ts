import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { AddressRequest as _patchbay_plugin_v1_AddressRequest, AddressRequest__Output as _patchbay_plugin_v1_AddressRequest__Output } from './patchbay/plugin/v1/AddressRequest.ts';
import type { AllocateRequest as _patchbay_plugin_v1_AllocateRequest, AllocateRequest__Output as _patchbay_plugin_v1_AllocateRequest__Output } from './patchbay/plugin/v1/AllocateRequest.ts';
import type { AllocateResponse as _patchbay_plugin_v1_AllocateResponse, AllocateResponse__Output as _patchbay_plugin_v1_AllocateResponse__Output } from './patchbay/plugin/v1/AllocateResponse.ts';
import type { FamilyCount as _patchbay_plugin_v1_FamilyCount, FamilyCount__Output as _patchbay_plugin_v1_FamilyCount__Output } from './patchbay/plugin/v1/FamilyCount.ts';
import type { IpamPluginClient as _patchbay_plugin_v1_IpamPluginClient, IpamPluginDefinition as _patchbay_plugin_v1_IpamPluginDefinition } from './patchbay/plugin/v1/IpamPlugin.ts';
import type { IpamStatusRequest as _patchbay_plugin_v1_IpamStatusRequest, IpamStatusRequest__Output as _patchbay_plugin_v1_IpamStatusRequest__Output } from './patchbay/plugin/v1/IpamStatusRequest.ts';
import type { IpamStatusResponse as _patchbay_plugin_v1_IpamStatusResponse, IpamStatusResponse__Output as _patchbay_plugin_v1_IpamStatusResponse__Output } from './patchbay/plugin/v1/IpamStatusResponse.ts';
import type { Lease as _patchbay_plugin_v1_Lease, Lease__Output as _patchbay_plugin_v1_Lease__Output } from './patchbay/plugin/v1/Lease.ts';
import type { ListLeasesRequest as _patchbay_plugin_v1_ListLeasesRequest, ListLeasesRequest__Output as _patchbay_plugin_v1_ListLeasesRequest__Output } from './patchbay/plugin/v1/ListLeasesRequest.ts';
import type { ListLeasesResponse as _patchbay_plugin_v1_ListLeasesResponse, ListLeasesResponse__Output as _patchbay_plugin_v1_ListLeasesResponse__Output } from './patchbay/plugin/v1/ListLeasesResponse.ts';
import type { ReleaseRequest as _patchbay_plugin_v1_ReleaseRequest, ReleaseRequest__Output as _patchbay_plugin_v1_ReleaseRequest__Output } from './patchbay/plugin/v1/ReleaseRequest.ts';
import type { ReleaseResponse as _patchbay_plugin_v1_ReleaseResponse, ReleaseResponse__Output as _patchbay_plugin_v1_ReleaseResponse__Output } from './patchbay/plugin/v1/ReleaseResponse.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  patchbay: {
    plugin: {
      v1: {
        AddressRequest: MessageTypeDefinition<_patchbay_plugin_v1_AddressRequest, _patchbay_plugin_v1_AddressRequest__Output>
        AllocateRequest: MessageTypeDefinition<_patchbay_plugin_v1_AllocateRequest, _patchbay_plugin_v1_AllocateRequest__Output>
        AllocateResponse: MessageTypeDefinition<_patchbay_plugin_v1_AllocateResponse, _patchbay_plugin_v1_AllocateResponse__Output>
        FamilyCount: MessageTypeDefinition<_patchbay_plugin_v1_FamilyCount, _patchbay_plugin_v1_FamilyCount__Output>
        FamilyPolicy: EnumTypeDefinition
        /**
         * Implemented by a plugin with ROLE_IPAM. Idempotent by attachment_id.
         */
        IpamPlugin: SubtypeConstructor<typeof grpc.Client, _patchbay_plugin_v1_IpamPluginClient> & { service: _patchbay_plugin_v1_IpamPluginDefinition }
        IpamStatusRequest: MessageTypeDefinition<_patchbay_plugin_v1_IpamStatusRequest, _patchbay_plugin_v1_IpamStatusRequest__Output>
        IpamStatusResponse: MessageTypeDefinition<_patchbay_plugin_v1_IpamStatusResponse, _patchbay_plugin_v1_IpamStatusResponse__Output>
        Lease: MessageTypeDefinition<_patchbay_plugin_v1_Lease, _patchbay_plugin_v1_Lease__Output>
        ListLeasesRequest: MessageTypeDefinition<_patchbay_plugin_v1_ListLeasesRequest, _patchbay_plugin_v1_ListLeasesRequest__Output>
        ListLeasesResponse: MessageTypeDefinition<_patchbay_plugin_v1_ListLeasesResponse, _patchbay_plugin_v1_ListLeasesResponse__Output>
        ReleaseRequest: MessageTypeDefinition<_patchbay_plugin_v1_ReleaseRequest, _patchbay_plugin_v1_ReleaseRequest__Output>
        ReleaseResponse: MessageTypeDefinition<_patchbay_plugin_v1_ReleaseResponse, _patchbay_plugin_v1_ReleaseResponse__Output>
      }
    }
  }
}

