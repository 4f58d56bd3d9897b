import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { Attachment as _patchbay_host_v1_Attachment, Attachment__Output as _patchbay_host_v1_Attachment__Output } from './patchbay/host/v1/Attachment.ts';
import type { AttachmentChange as _patchbay_host_v1_AttachmentChange, AttachmentChange__Output as _patchbay_host_v1_AttachmentChange__Output } from './patchbay/host/v1/AttachmentChange.ts';
import type { AttachmentFindings as _patchbay_host_v1_AttachmentFindings, AttachmentFindings__Output as _patchbay_host_v1_AttachmentFindings__Output } from './patchbay/host/v1/AttachmentFindings.ts';
import type { CheckAttachmentsRequest as _patchbay_host_v1_CheckAttachmentsRequest, CheckAttachmentsRequest__Output as _patchbay_host_v1_CheckAttachmentsRequest__Output } from './patchbay/host/v1/CheckAttachmentsRequest.ts';
import type { CheckAttachmentsResponse as _patchbay_host_v1_CheckAttachmentsResponse, CheckAttachmentsResponse__Output as _patchbay_host_v1_CheckAttachmentsResponse__Output } from './patchbay/host/v1/CheckAttachmentsResponse.ts';
import type { DoctorFinding as _patchbay_host_v1_DoctorFinding, DoctorFinding__Output as _patchbay_host_v1_DoctorFinding__Output } from './patchbay/host/v1/DoctorFinding.ts';
import type { DoctorRequest as _patchbay_host_v1_DoctorRequest, DoctorRequest__Output as _patchbay_host_v1_DoctorRequest__Output } from './patchbay/host/v1/DoctorRequest.ts';
import type { DoctorResponse as _patchbay_host_v1_DoctorResponse, DoctorResponse__Output as _patchbay_host_v1_DoctorResponse__Output } from './patchbay/host/v1/DoctorResponse.ts';
import type { Event as _patchbay_host_v1_Event, Event__Output as _patchbay_host_v1_Event__Output } from './patchbay/host/v1/Event.ts';
import type { GetStatusRequest as _patchbay_host_v1_GetStatusRequest, GetStatusRequest__Output as _patchbay_host_v1_GetStatusRequest__Output } from './patchbay/host/v1/GetStatusRequest.ts';
import type { GetStatusResponse as _patchbay_host_v1_GetStatusResponse, GetStatusResponse__Output as _patchbay_host_v1_GetStatusResponse__Output } from './patchbay/host/v1/GetStatusResponse.ts';
import type { HostClient as _patchbay_host_v1_HostClient, HostDefinition as _patchbay_host_v1_HostDefinition } from './patchbay/host/v1/Host.ts';
import type { ImportHostLocalRequest as _patchbay_host_v1_ImportHostLocalRequest, ImportHostLocalRequest__Output as _patchbay_host_v1_ImportHostLocalRequest__Output } from './patchbay/host/v1/ImportHostLocalRequest.ts';
import type { ImportHostLocalResponse as _patchbay_host_v1_ImportHostLocalResponse, ImportHostLocalResponse__Output as _patchbay_host_v1_ImportHostLocalResponse__Output } from './patchbay/host/v1/ImportHostLocalResponse.ts';
import type { IpamLease as _patchbay_host_v1_IpamLease, IpamLease__Output as _patchbay_host_v1_IpamLease__Output } from './patchbay/host/v1/IpamLease.ts';
import type { IpamPool as _patchbay_host_v1_IpamPool, IpamPool__Output as _patchbay_host_v1_IpamPool__Output } from './patchbay/host/v1/IpamPool.ts';
import type { IpamRange as _patchbay_host_v1_IpamRange, IpamRange__Output as _patchbay_host_v1_IpamRange__Output } from './patchbay/host/v1/IpamRange.ts';
import type { ListAttachmentsRequest as _patchbay_host_v1_ListAttachmentsRequest, ListAttachmentsRequest__Output as _patchbay_host_v1_ListAttachmentsRequest__Output } from './patchbay/host/v1/ListAttachmentsRequest.ts';
import type { ListAttachmentsResponse as _patchbay_host_v1_ListAttachmentsResponse, ListAttachmentsResponse__Output as _patchbay_host_v1_ListAttachmentsResponse__Output } from './patchbay/host/v1/ListAttachmentsResponse.ts';
import type { NetworkStatus as _patchbay_host_v1_NetworkStatus, NetworkStatus__Output as _patchbay_host_v1_NetworkStatus__Output } from './patchbay/host/v1/NetworkStatus.ts';
import type { PluginStatus as _patchbay_host_v1_PluginStatus, PluginStatus__Output as _patchbay_host_v1_PluginStatus__Output } from './patchbay/host/v1/PluginStatus.ts';
import type { ReleaseIpamRequest as _patchbay_host_v1_ReleaseIpamRequest, ReleaseIpamRequest__Output as _patchbay_host_v1_ReleaseIpamRequest__Output } from './patchbay/host/v1/ReleaseIpamRequest.ts';
import type { ReleaseIpamResponse as _patchbay_host_v1_ReleaseIpamResponse, ReleaseIpamResponse__Output as _patchbay_host_v1_ReleaseIpamResponse__Output } from './patchbay/host/v1/ReleaseIpamResponse.ts';
import type { ShowIpamRequest as _patchbay_host_v1_ShowIpamRequest, ShowIpamRequest__Output as _patchbay_host_v1_ShowIpamRequest__Output } from './patchbay/host/v1/ShowIpamRequest.ts';
import type { ShowIpamResponse as _patchbay_host_v1_ShowIpamResponse, ShowIpamResponse__Output as _patchbay_host_v1_ShowIpamResponse__Output } from './patchbay/host/v1/ShowIpamResponse.ts';
import type { WatchEventsRequest as _patchbay_host_v1_WatchEventsRequest, WatchEventsRequest__Output as _patchbay_host_v1_WatchEventsRequest__Output } from './patchbay/host/v1/WatchEventsRequest.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  patchbay: {
    host: {
      v1: {
        Attachment: MessageTypeDefinition<_patchbay_host_v1_Attachment, _patchbay_host_v1_Attachment__Output>
        AttachmentChange: MessageTypeDefinition<_patchbay_host_v1_AttachmentChange, _patchbay_host_v1_AttachmentChange__Output>
        AttachmentFindings: MessageTypeDefinition<_patchbay_host_v1_AttachmentFindings, _patchbay_host_v1_AttachmentFindings__Output>
        CheckAttachmentsRequest: MessageTypeDefinition<_patchbay_host_v1_CheckAttachmentsRequest, _patchbay_host_v1_CheckAttachmentsRequest__Output>
        CheckAttachmentsResponse: MessageTypeDefinition<_patchbay_host_v1_CheckAttachmentsResponse, _patchbay_host_v1_CheckAttachmentsResponse__Output>
        DoctorFinding: MessageTypeDefinition<_patchbay_host_v1_DoctorFinding, _patchbay_host_v1_DoctorFinding__Output>
        DoctorRequest: MessageTypeDefinition<_patchbay_host_v1_DoctorRequest, _patchbay_host_v1_DoctorRequest__Output>
        DoctorResponse: MessageTypeDefinition<_patchbay_host_v1_DoctorResponse, _patchbay_host_v1_DoctorResponse__Output>
        Event: MessageTypeDefinition<_patchbay_host_v1_Event, _patchbay_host_v1_Event__Output>
        GetStatusRequest: MessageTypeDefinition<_patchbay_host_v1_GetStatusRequest, _patchbay_host_v1_GetStatusRequest__Output>
        GetStatusResponse: MessageTypeDefinition<_patchbay_host_v1_GetStatusResponse, _patchbay_host_v1_GetStatusResponse__Output>
        /**
         * Served by the plugin host on its control socket.
         */
        Host: SubtypeConstructor<typeof grpc.Client, _patchbay_host_v1_HostClient> & { service: _patchbay_host_v1_HostDefinition }
        ImportHostLocalRequest: MessageTypeDefinition<_patchbay_host_v1_ImportHostLocalRequest, _patchbay_host_v1_ImportHostLocalRequest__Output>
        ImportHostLocalResponse: MessageTypeDefinition<_patchbay_host_v1_ImportHostLocalResponse, _patchbay_host_v1_ImportHostLocalResponse__Output>
        IpamLease: MessageTypeDefinition<_patchbay_host_v1_IpamLease, _patchbay_host_v1_IpamLease__Output>
        IpamPool: MessageTypeDefinition<_patchbay_host_v1_IpamPool, _patchbay_host_v1_IpamPool__Output>
        IpamRange: MessageTypeDefinition<_patchbay_host_v1_IpamRange, _patchbay_host_v1_IpamRange__Output>
        ListAttachmentsRequest: MessageTypeDefinition<_patchbay_host_v1_ListAttachmentsRequest, _patchbay_host_v1_ListAttachmentsRequest__Output>
        ListAttachmentsResponse: MessageTypeDefinition<_patchbay_host_v1_ListAttachmentsResponse, _patchbay_host_v1_ListAttachmentsResponse__Output>
        NetworkStatus: MessageTypeDefinition<_patchbay_host_v1_NetworkStatus, _patchbay_host_v1_NetworkStatus__Output>
        PluginStatus: MessageTypeDefinition<_patchbay_host_v1_PluginStatus, _patchbay_host_v1_PluginStatus__Output>
        ReleaseIpamRequest: MessageTypeDefinition<_patchbay_host_v1_ReleaseIpamRequest, _patchbay_host_v1_ReleaseIpamRequest__Output>
        ReleaseIpamResponse: MessageTypeDefinition<_patchbay_host_v1_ReleaseIpamResponse, _patchbay_host_v1_ReleaseIpamResponse__Output>
        ShowIpamRequest: MessageTypeDefinition<_patchbay_host_v1_ShowIpamRequest, _patchbay_host_v1_ShowIpamRequest__Output>
        ShowIpamResponse: MessageTypeDefinition<_patchbay_host_v1_ShowIpamResponse, _patchbay_host_v1_ShowIpamResponse__Output>
        WatchEventsRequest: MessageTypeDefinition<_patchbay_host_v1_WatchEventsRequest, _patchbay_host_v1_WatchEventsRequest__Output>
      }
    }
  }
}

