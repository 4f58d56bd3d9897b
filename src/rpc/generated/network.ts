import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { AllocatedAddress as _patchbay_plugin_v1_AllocatedAddress, AllocatedAddress__Output as _patchbay_plugin_v1_AllocatedAddress__Output } from './patchbay/plugin/v1/AllocatedAddress.ts';
import type { AttachRequest as _patchbay_plugin_v1_AttachRequest, AttachRequest__Output as _patchbay_plugin_v1_AttachRequest__Output } from './patchbay/plugin/v1/AttachRequest.ts';
import type { AttachResponse as _patchbay_plugin_v1_AttachResponse, AttachResponse__Output as _patchbay_plugin_v1_AttachResponse__Output } from './patchbay/plugin/v1/AttachResponse.ts';
import type { Bandwidth as _patchbay_plugin_v1_Bandwidth, Bandwidth__Output as _patchbay_plugin_v1_Bandwidth__Output } from './patchbay/plugin/v1/Bandwidth.ts';
import type { CheckRequest as _patchbay_plugin_v1_CheckRequest, CheckRequest__Output as _patchbay_plugin_v1_CheckRequest__Output } from './patchbay/plugin/v1/CheckRequest.ts';
import type { CheckResponse as _patchbay_plugin_v1_CheckResponse, CheckResponse__Output as _patchbay_plugin_v1_CheckResponse__Output } from './patchbay/plugin/v1/CheckResponse.ts';
import type { DetachRequest as _patchbay_plugin_v1_DetachRequest, DetachRequest__Output as _patchbay_plugin_v1_DetachRequest__Output } from './patchbay/plugin/v1/DetachRequest.ts';
import type { DetachResponse as _patchbay_plugin_v1_DetachResponse, DetachResponse__Output as _patchbay_plugin_v1_DetachResponse__Output } from './patchbay/plugin/v1/DetachResponse.ts';
import type { Device as _patchbay_plugin_v1_Device, Device__Output as _patchbay_plugin_v1_Device__Output } from './patchbay/plugin/v1/Device.ts';
import type { Dns as _patchbay_plugin_v1_Dns, Dns__Output as _patchbay_plugin_v1_Dns__Output } from './patchbay/plugin/v1/Dns.ts';
import type { Finding as _patchbay_plugin_v1_Finding, Finding__Output as _patchbay_plugin_v1_Finding__Output } from './patchbay/plugin/v1/Finding.ts';
import type { Interface as _patchbay_plugin_v1_Interface, Interface__Output as _patchbay_plugin_v1_Interface__Output } from './patchbay/plugin/v1/Interface.ts';
import type { ListRequest as _patchbay_plugin_v1_ListRequest, ListRequest__Output as _patchbay_plugin_v1_ListRequest__Output } from './patchbay/plugin/v1/ListRequest.ts';
import type { ListResponse as _patchbay_plugin_v1_ListResponse, ListResponse__Output as _patchbay_plugin_v1_ListResponse__Output } from './patchbay/plugin/v1/ListResponse.ts';
import type { ListedAttachment as _patchbay_plugin_v1_ListedAttachment, ListedAttachment__Output as _patchbay_plugin_v1_ListedAttachment__Output } from './patchbay/plugin/v1/ListedAttachment.ts';
import type { Masquerade as _patchbay_plugin_v1_Masquerade, Masquerade__Output as _patchbay_plugin_v1_Masquerade__Output } from './patchbay/plugin/v1/Masquerade.ts';
import type { NetworkPluginClient as _patchbay_plugin_v1_NetworkPluginClient, NetworkPluginDefinition as _patchbay_plugin_v1_NetworkPluginDefinition } from './patchbay/plugin/v1/NetworkPlugin.ts';
import type { PodIdentity as _patchbay_plugin_v1_PodIdentity, PodIdentity__Output as _patchbay_plugin_v1_PodIdentity__Output } from './patchbay/plugin/v1/PodIdentity.ts';
import type { PortMapping as _patchbay_plugin_v1_PortMapping, PortMapping__Output as _patchbay_plugin_v1_PortMapping__Output } from './patchbay/plugin/v1/PortMapping.ts';
import type { RepairNetworkRequest as _patchbay_plugin_v1_RepairNetworkRequest, RepairNetworkRequest__Output as _patchbay_plugin_v1_RepairNetworkRequest__Output } from './patchbay/plugin/v1/RepairNetworkRequest.ts';
import type { RepairNetworkResponse as _patchbay_plugin_v1_RepairNetworkResponse, RepairNetworkResponse__Output as _patchbay_plugin_v1_RepairNetworkResponse__Output } from './patchbay/plugin/v1/RepairNetworkResponse.ts';
import type { Route as _patchbay_plugin_v1_Route, Route__Output as _patchbay_plugin_v1_Route__Output } from './patchbay/plugin/v1/Route.ts';
import type { SetAddress as _patchbay_plugin_v1_SetAddress, SetAddress__Output as _patchbay_plugin_v1_SetAddress__Output } from './patchbay/plugin/v1/SetAddress.ts';
import type { StatusRequest as _patchbay_plugin_v1_StatusRequest, StatusRequest__Output as _patchbay_plugin_v1_StatusRequest__Output } from './patchbay/plugin/v1/StatusRequest.ts';
import type { StatusResponse as _patchbay_plugin_v1_StatusResponse, StatusResponse__Output as _patchbay_plugin_v1_StatusResponse__Output } from './patchbay/plugin/v1/StatusResponse.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  patchbay: {
    plugin: {
      v1: {
        AllocatedAddress: MessageTypeDefinition<_patchbay_plugin_v1_AllocatedAddress, _patchbay_plugin_v1_AllocatedAddress__Output>
        AttachRequest: MessageTypeDefinition<_patchbay_plugin_v1_AttachRequest, _patchbay_plugin_v1_AttachRequest__Output>
        AttachResponse: MessageTypeDefinition<_patchbay_plugin_v1_AttachResponse, _patchbay_plugin_v1_AttachResponse__Output>
        Bandwidth: MessageTypeDefinition<_patchbay_plugin_v1_Bandwidth, _patchbay_plugin_v1_Bandwidth__Output>
        CheckRequest: MessageTypeDefinition<_patchbay_plugin_v1_CheckRequest, _patchbay_plugin_v1_CheckRequest__Output>
        CheckResponse: MessageTypeDefinition<_patchbay_plugin_v1_CheckResponse, _patchbay_plugin_v1_CheckResponse__Output>
        DefaultRoute: EnumTypeDefinition
        DetachRequest: MessageTypeDefinition<_patchbay_plugin_v1_DetachRequest, _patchbay_plugin_v1_DetachRequest__Output>
        DetachResponse: MessageTypeDefinition<_patchbay_plugin_v1_DetachResponse, _patchbay_plugin_v1_DetachResponse__Output>
        Device: MessageTypeDefinition<_patchbay_plugin_v1_Device, _patchbay_plugin_v1_Device__Output>
        Dns: MessageTypeDefinition<_patchbay_plugin_v1_Dns, _patchbay_plugin_v1_Dns__Output>
        Finding: MessageTypeDefinition<_patchbay_plugin_v1_Finding, _patchbay_plugin_v1_Finding__Output>
        Interface: MessageTypeDefinition<_patchbay_plugin_v1_Interface, _patchbay_plugin_v1_Interface__Output>
        ListRequest: MessageTypeDefinition<_patchbay_plugin_v1_ListRequest, _patchbay_plugin_v1_ListRequest__Output>
        ListResponse: MessageTypeDefinition<_patchbay_plugin_v1_ListResponse, _patchbay_plugin_v1_ListResponse__Output>
        ListedAttachment: MessageTypeDefinition<_patchbay_plugin_v1_ListedAttachment, _patchbay_plugin_v1_ListedAttachment__Output>
        Masquerade: MessageTypeDefinition<_patchbay_plugin_v1_Masquerade, _patchbay_plugin_v1_Masquerade__Output>
        /**
         * Implemented by a plugin with ROLE_NETWORK. Every call is idempotent by attachment_id and carries a gRPC deadline:
         * Attach, Check, List and RepairNetwork 30 s, Detach 60 s, Status 5 s, as hosts are today; a plugin goes by what the call carries.
         * Nobody waits for an answer after it.
         * 
         * Calls of different attachments come in parallel, up to 100, whatever the capabilities. Those of one attachment come one after
         * the other: the next one is sent when the one before was answered or its deadline has passed. The plugin may still be at work
         * then: what counts is the last word, and after a Detach that was answered nothing of the attachment may come into being.
         * 
         * Failures are gRPC statuses, with a sentence for people as their message:
         * INVALID_ARGUMENT   the network's configuration, or what the pod asks of it, cannot work here or ever
         * ALREADY_EXISTS     the interface name is taken inside the pod
         * anything else      may pass: the container runtime tries again
         */
        NetworkPlugin: SubtypeConstructor<typeof grpc.Client, _patchbay_plugin_v1_NetworkPluginClient> & { service: _patchbay_plugin_v1_NetworkPluginDefinition }
        PodIdentity: MessageTypeDefinition<_patchbay_plugin_v1_PodIdentity, _patchbay_plugin_v1_PodIdentity__Output>
        PortMapping: MessageTypeDefinition<_patchbay_plugin_v1_PortMapping, _patchbay_plugin_v1_PortMapping__Output>
        RepairNetworkRequest: MessageTypeDefinition<_patchbay_plugin_v1_RepairNetworkRequest, _patchbay_plugin_v1_RepairNetworkRequest__Output>
        RepairNetworkResponse: MessageTypeDefinition<_patchbay_plugin_v1_RepairNetworkResponse, _patchbay_plugin_v1_RepairNetworkResponse__Output>
        Route: MessageTypeDefinition<_patchbay_plugin_v1_Route, _patchbay_plugin_v1_Route__Output>
        SetAddress: MessageTypeDefinition<_patchbay_plugin_v1_SetAddress, _patchbay_plugin_v1_SetAddress__Output>
        StatusRequest: MessageTypeDefinition<_patchbay_plugin_v1_StatusRequest, _patchbay_plugin_v1_StatusRequest__Output>
        StatusResponse: MessageTypeDefinition<_patchbay_plugin_v1_StatusResponse, _patchbay_plugin_v1_StatusResponse__Output>
      }
    }
  }
}

