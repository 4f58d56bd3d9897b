import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { ApplyServicesRequest as _patchbay_host_v1_ApplyServicesRequest, ApplyServicesRequest__Output as _patchbay_host_v1_ApplyServicesRequest__Output } from './patchbay/host/v1/ApplyServicesRequest.ts';
import type { ApplyServicesResponse as _patchbay_host_v1_ApplyServicesResponse, ApplyServicesResponse__Output as _patchbay_host_v1_ApplyServicesResponse__Output } from './patchbay/host/v1/ApplyServicesResponse.ts';
import type { AttachNetworkRequest as _patchbay_host_v1_AttachNetworkRequest, AttachNetworkRequest__Output as _patchbay_host_v1_AttachNetworkRequest__Output } from './patchbay/host/v1/AttachNetworkRequest.ts';
import type { AttachNetworkResponse as _patchbay_host_v1_AttachNetworkResponse, AttachNetworkResponse__Output as _patchbay_host_v1_AttachNetworkResponse__Output } from './patchbay/host/v1/AttachNetworkResponse.ts';
import type { Attachment as _patchbay_host_v1_Attachment, Attachment__Output as _patchbay_host_v1_Attachment__Output } from './patchbay/host/v1/Attachment.ts';
import type { AttachmentChange as _patchbay_host_v1_AttachmentChange, AttachmentChange__Output as _patchbay_host_v1_AttachmentChange__Output } from './patchbay/host/v1/AttachmentChange.ts';
import type { AttachmentFindings as _patchbay_host_v1_AttachmentFindings, AttachmentFindings__Output as _patchbay_host_v1_AttachmentFindings__Output } from './patchbay/host/v1/AttachmentFindings.ts';
import type { CheckAttachmentsRequest as _patchbay_host_v1_CheckAttachmentsRequest, CheckAttachmentsRequest__Output as _patchbay_host_v1_CheckAttachmentsRequest__Output } from './patchbay/host/v1/CheckAttachmentsRequest.ts';
import type { CheckAttachmentsResponse as _patchbay_host_v1_CheckAttachmentsResponse, CheckAttachmentsResponse__Output as _patchbay_host_v1_CheckAttachmentsResponse__Output } from './patchbay/host/v1/CheckAttachmentsResponse.ts';
import type { DetachNetworkRequest as _patchbay_host_v1_DetachNetworkRequest, DetachNetworkRequest__Output as _patchbay_host_v1_DetachNetworkRequest__Output } from './patchbay/host/v1/DetachNetworkRequest.ts';
import type { DetachNetworkResponse as _patchbay_host_v1_DetachNetworkResponse, DetachNetworkResponse__Output as _patchbay_host_v1_DetachNetworkResponse__Output } from './patchbay/host/v1/DetachNetworkResponse.ts';
import type { DoctorFinding as _patchbay_host_v1_DoctorFinding, DoctorFinding__Output as _patchbay_host_v1_DoctorFinding__Output } from './patchbay/host/v1/DoctorFinding.ts';
import type { DoctorRequest as _patchbay_host_v1_DoctorRequest, DoctorRequest__Output as _patchbay_host_v1_DoctorRequest__Output } from './patchbay/host/v1/DoctorRequest.ts';
import type { DoctorResponse as _patchbay_host_v1_DoctorResponse, DoctorResponse__Output as _patchbay_host_v1_DoctorResponse__Output } from './patchbay/host/v1/DoctorResponse.ts';
import type { Endpoint as _patchbay_host_v1_Endpoint, Endpoint__Output as _patchbay_host_v1_Endpoint__Output } from './patchbay/host/v1/Endpoint.ts';
import type { EndpointGroup as _patchbay_host_v1_EndpointGroup, EndpointGroup__Output as _patchbay_host_v1_EndpointGroup__Output } from './patchbay/host/v1/EndpointGroup.ts';
import type { EndpointPort as _patchbay_host_v1_EndpointPort, EndpointPort__Output as _patchbay_host_v1_EndpointPort__Output } from './patchbay/host/v1/EndpointPort.ts';
import type { EndpointView as _patchbay_host_v1_EndpointView, EndpointView__Output as _patchbay_host_v1_EndpointView__Output } from './patchbay/host/v1/EndpointView.ts';
import type { Event as _patchbay_host_v1_Event, Event__Output as _patchbay_host_v1_Event__Output } from './patchbay/host/v1/Event.ts';
import type { ExplainRequest as _patchbay_host_v1_ExplainRequest, ExplainRequest__Output as _patchbay_host_v1_ExplainRequest__Output } from './patchbay/host/v1/ExplainRequest.ts';
import type { ExplainResponse as _patchbay_host_v1_ExplainResponse, ExplainResponse__Output as _patchbay_host_v1_ExplainResponse__Output } from './patchbay/host/v1/ExplainResponse.ts';
import type { Frontend as _patchbay_host_v1_Frontend, Frontend__Output as _patchbay_host_v1_Frontend__Output } from './patchbay/host/v1/Frontend.ts';
import type { FrontendView as _patchbay_host_v1_FrontendView, FrontendView__Output as _patchbay_host_v1_FrontendView__Output } from './patchbay/host/v1/FrontendView.ts';
import type { GetNetworkStatusRequest as _patchbay_host_v1_GetNetworkStatusRequest, GetNetworkStatusRequest__Output as _patchbay_host_v1_GetNetworkStatusRequest__Output } from './patchbay/host/v1/GetNetworkStatusRequest.ts';
import type { GetNetworkStatusResponse as _patchbay_host_v1_GetNetworkStatusResponse, GetNetworkStatusResponse__Output as _patchbay_host_v1_GetNetworkStatusResponse__Output } from './patchbay/host/v1/GetNetworkStatusResponse.ts';
import type { GetStatusRequest as _patchbay_host_v1_GetStatusRequest, GetStatusRequest__Output as _patchbay_host_v1_GetStatusRequest__Output } from './patchbay/host/v1/GetStatusRequest.ts';
import type { GetStatusResponse as _patchbay_host_v1_GetStatusResponse, GetStatusResponse__Output as _patchbay_host_v1_GetStatusResponse__Output } from './patchbay/host/v1/GetStatusResponse.ts';
import type { HostClient as _patchbay_host_v1_HostClient, HostDefinition as _patchbay_host_v1_HostDefinition } from './patchbay/host/v1/Host.ts';
import type { ImportHostLocalRequest as _patchbay_host_v1_ImportHostLocalRequest, ImportHostLocalRequest__Output as _patchbay_host_v1_ImportHostLocalRequest__Output } from './patchbay/host/v1/ImportHostLocalRequest.ts';
import type { ImportHostLocalResponse as _patchbay_host_v1_ImportHostLocalResponse, ImportHostLocalResponse__Output as _patchbay_host_v1_ImportHostLocalResponse__Output } from './patchbay/host/v1/ImportHostLocalResponse.ts';
import type { IpamLease as _patchbay_host_v1_IpamLease, IpamLease__Output as _patchbay_host_v1_IpamLease__Output } from './patchbay/host/v1/IpamLease.ts';
import type { IpamPool as _patchbay_host_v1_IpamPool, IpamPool__Output as _patchbay_host_v1_IpamPool__Output } from './patchbay/host/v1/IpamPool.ts';
import type { IpamRange as _patchbay_host_v1_IpamRange, IpamRange__Output as _patchbay_host_v1_IpamRange__Output } from './patchbay/host/v1/IpamRange.ts';
import type { KubernetesStatus as _patchbay_host_v1_KubernetesStatus, KubernetesStatus__Output as _patchbay_host_v1_KubernetesStatus__Output } from './patchbay/host/v1/KubernetesStatus.ts';
import type { KubernetesWatch as _patchbay_host_v1_KubernetesWatch, KubernetesWatch__Output as _patchbay_host_v1_KubernetesWatch__Output } from './patchbay/host/v1/KubernetesWatch.ts';
import type { ListAttachmentsRequest as _patchbay_host_v1_ListAttachmentsRequest, ListAttachmentsRequest__Output as _patchbay_host_v1_ListAttachmentsRequest__Output } from './patchbay/host/v1/ListAttachmentsRequest.ts';
import type { ListAttachmentsResponse as _patchbay_host_v1_ListAttachmentsResponse, ListAttachmentsResponse__Output as _patchbay_host_v1_ListAttachmentsResponse__Output } from './patchbay/host/v1/ListAttachmentsResponse.ts';
import type { ListNetworkDefinitionsRequest as _patchbay_host_v1_ListNetworkDefinitionsRequest, ListNetworkDefinitionsRequest__Output as _patchbay_host_v1_ListNetworkDefinitionsRequest__Output } from './patchbay/host/v1/ListNetworkDefinitionsRequest.ts';
import type { ListNetworkDefinitionsResponse as _patchbay_host_v1_ListNetworkDefinitionsResponse, ListNetworkDefinitionsResponse__Output as _patchbay_host_v1_ListNetworkDefinitionsResponse__Output } from './patchbay/host/v1/ListNetworkDefinitionsResponse.ts';
import type { ListServicesRequest as _patchbay_host_v1_ListServicesRequest, ListServicesRequest__Output as _patchbay_host_v1_ListServicesRequest__Output } from './patchbay/host/v1/ListServicesRequest.ts';
import type { ListServicesResponse as _patchbay_host_v1_ListServicesResponse, ListServicesResponse__Output as _patchbay_host_v1_ListServicesResponse__Output } from './patchbay/host/v1/ListServicesResponse.ts';
import type { NetworkDefinitionView as _patchbay_host_v1_NetworkDefinitionView, NetworkDefinitionView__Output as _patchbay_host_v1_NetworkDefinitionView__Output } from './patchbay/host/v1/NetworkDefinitionView.ts';
import type { NetworkStatus as _patchbay_host_v1_NetworkStatus, NetworkStatus__Output as _patchbay_host_v1_NetworkStatus__Output } from './patchbay/host/v1/NetworkStatus.ts';
import type { PluginStatus as _patchbay_host_v1_PluginStatus, PluginStatus__Output as _patchbay_host_v1_PluginStatus__Output } from './patchbay/host/v1/PluginStatus.ts';
import type { PodNetworkStatus as _patchbay_host_v1_PodNetworkStatus, PodNetworkStatus__Output as _patchbay_host_v1_PodNetworkStatus__Output } from './patchbay/host/v1/PodNetworkStatus.ts';
import type { ReleaseIpamRequest as _patchbay_host_v1_ReleaseIpamRequest, ReleaseIpamRequest__Output as _patchbay_host_v1_ReleaseIpamRequest__Output } from './patchbay/host/v1/ReleaseIpamRequest.ts';
import type { ReleaseIpamResponse as _patchbay_host_v1_ReleaseIpamResponse, ReleaseIpamResponse__Output as _patchbay_host_v1_ReleaseIpamResponse__Output } from './patchbay/host/v1/ReleaseIpamResponse.ts';
import type { RouteView as _patchbay_host_v1_RouteView, RouteView__Output as _patchbay_host_v1_RouteView__Output } from './patchbay/host/v1/RouteView.ts';
import type { ServiceChange as _patchbay_host_v1_ServiceChange, ServiceChange__Output as _patchbay_host_v1_ServiceChange__Output } from './patchbay/host/v1/ServiceChange.ts';
import type { ServiceView as _patchbay_host_v1_ServiceView, ServiceView__Output as _patchbay_host_v1_ServiceView__Output } from './patchbay/host/v1/ServiceView.ts';
import type { ShowIpamRequest as _patchbay_host_v1_ShowIpamRequest, ShowIpamRequest__Output as _patchbay_host_v1_ShowIpamRequest__Output } from './patchbay/host/v1/ShowIpamRequest.ts';
import type { ShowIpamResponse as _patchbay_host_v1_ShowIpamResponse, ShowIpamResponse__Output as _patchbay_host_v1_ShowIpamResponse__Output } from './patchbay/host/v1/ShowIpamResponse.ts';
import type { WaitProgrammedRequest as _patchbay_host_v1_WaitProgrammedRequest, WaitProgrammedRequest__Output as _patchbay_host_v1_WaitProgrammedRequest__Output } from './patchbay/host/v1/WaitProgrammedRequest.ts';
import type { WaitProgrammedResponse as _patchbay_host_v1_WaitProgrammedResponse, WaitProgrammedResponse__Output as _patchbay_host_v1_WaitProgrammedResponse__Output } from './patchbay/host/v1/WaitProgrammedResponse.ts';
import type { WatchEventsRequest as _patchbay_host_v1_WatchEventsRequest, WatchEventsRequest__Output as _patchbay_host_v1_WatchEventsRequest__Output } from './patchbay/host/v1/WatchEventsRequest.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  patchbay: {
    host: {
      v1: {
        ApplyServicesRequest: MessageTypeDefinition<_patchbay_host_v1_ApplyServicesRequest, _patchbay_host_v1_ApplyServicesRequest__Output>
        ApplyServicesResponse: MessageTypeDefinition<_patchbay_host_v1_ApplyServicesResponse, _patchbay_host_v1_ApplyServicesResponse__Output>
        AttachNetworkRequest: MessageTypeDefinition<_patchbay_host_v1_AttachNetworkRequest, _patchbay_host_v1_AttachNetworkRequest__Output>
        AttachNetworkResponse: MessageTypeDefinition<_patchbay_host_v1_AttachNetworkResponse, _patchbay_host_v1_AttachNetworkResponse__Output>
        Attachment: MessageTypeDefinition<_patchbay_host_v1_Attachment, _patchbay_host_v1_Attachment__Output>
        AttachmentChange: MessageTypeDefinition<_patchbay_host_v1_AttachmentChange, _patchbay_host_v1_AttachmentChange__Output>
        AttachmentFindings: MessageTypeDefinition<_patchbay_host_v1_AttachmentFindings, _patchbay_host_v1_AttachmentFindings__Output>
        CheckAttachmentsRequest: MessageTypeDefinition<_patchbay_host_v1_CheckAttachmentsRequest, _patchbay_host_v1_CheckAttachmentsRequest__Output>
        CheckAttachmentsResponse: MessageTypeDefinition<_patchbay_host_v1_CheckAttachmentsResponse, _patchbay_host_v1_CheckAttachmentsResponse__Output>
        DetachNetworkRequest: MessageTypeDefinition<_patchbay_host_v1_DetachNetworkRequest, _patchbay_host_v1_DetachNetworkRequest__Output>
        DetachNetworkResponse: MessageTypeDefinition<_patchbay_host_v1_DetachNetworkResponse, _patchbay_host_v1_DetachNetworkResponse__Output>
        DoctorFinding: MessageTypeDefinition<_patchbay_host_v1_DoctorFinding, _patchbay_host_v1_DoctorFinding__Output>
        DoctorRequest: MessageTypeDefinition<_patchbay_host_v1_DoctorRequest, _patchbay_host_v1_DoctorRequest__Output>
        DoctorResponse: MessageTypeDefinition<_patchbay_host_v1_DoctorResponse, _patchbay_host_v1_DoctorResponse__Output>
        Endpoint: MessageTypeDefinition<_patchbay_host_v1_Endpoint, _patchbay_host_v1_Endpoint__Output>
        EndpointGroup: MessageTypeDefinition<_patchbay_host_v1_EndpointGroup, _patchbay_host_v1_EndpointGroup__Output>
        EndpointPort: MessageTypeDefinition<_patchbay_host_v1_EndpointPort, _patchbay_host_v1_EndpointPort__Output>
        EndpointState: EnumTypeDefinition
        EndpointView: MessageTypeDefinition<_patchbay_host_v1_EndpointView, _patchbay_host_v1_EndpointView__Output>
        Event: MessageTypeDefinition<_patchbay_host_v1_Event, _patchbay_host_v1_Event__Output>
        ExplainRequest: MessageTypeDefinition<_patchbay_host_v1_ExplainRequest, _patchbay_host_v1_ExplainRequest__Output>
        ExplainResponse: MessageTypeDefinition<_patchbay_host_v1_ExplainResponse, _patchbay_host_v1_ExplainResponse__Output>
        Frontend: MessageTypeDefinition<_patchbay_host_v1_Frontend, _patchbay_host_v1_Frontend__Output>
        FrontendView: MessageTypeDefinition<_patchbay_host_v1_FrontendView, _patchbay_host_v1_FrontendView__Output>
        GetNetworkStatusRequest: MessageTypeDefinition<_patchbay_host_v1_GetNetworkStatusRequest, _patchbay_host_v1_GetNetworkStatusRequest__Output>
        GetNetworkStatusResponse: MessageTypeDefinition<_patchbay_host_v1_GetNetworkStatusResponse, _patchbay_host_v1_GetNetworkStatusResponse__Output>
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
        KubernetesStatus: MessageTypeDefinition<_patchbay_host_v1_KubernetesStatus, _patchbay_host_v1_KubernetesStatus__Output>
        KubernetesWatch: MessageTypeDefinition<_patchbay_host_v1_KubernetesWatch, _patchbay_host_v1_KubernetesWatch__Output>
        ListAttachmentsRequest: MessageTypeDefinition<_patchbay_host_v1_ListAttachmentsRequest, _patchbay_host_v1_ListAttachmentsRequest__Output>
        ListAttachmentsResponse: MessageTypeDefinition<_patchbay_host_v1_ListAttachmentsResponse, _patchbay_host_v1_ListAttachmentsResponse__Output>
        ListNetworkDefinitionsRequest: MessageTypeDefinition<_patchbay_host_v1_ListNetworkDefinitionsRequest, _patchbay_host_v1_ListNetworkDefinitionsRequest__Output>
        ListNetworkDefinitionsResponse: MessageTypeDefinition<_patchbay_host_v1_ListNetworkDefinitionsResponse, _patchbay_host_v1_ListNetworkDefinitionsResponse__Output>
        ListServicesRequest: MessageTypeDefinition<_patchbay_host_v1_ListServicesRequest, _patchbay_host_v1_ListServicesRequest__Output>
        ListServicesResponse: MessageTypeDefinition<_patchbay_host_v1_ListServicesResponse, _patchbay_host_v1_ListServicesResponse__Output>
        NetworkDefinitionView: MessageTypeDefinition<_patchbay_host_v1_NetworkDefinitionView, _patchbay_host_v1_NetworkDefinitionView__Output>
        NetworkStatus: MessageTypeDefinition<_patchbay_host_v1_NetworkStatus, _patchbay_host_v1_NetworkStatus__Output>
        PluginStatus: MessageTypeDefinition<_patchbay_host_v1_PluginStatus, _patchbay_host_v1_PluginStatus__Output>
        PodNetworkStatus: MessageTypeDefinition<_patchbay_host_v1_PodNetworkStatus, _patchbay_host_v1_PodNetworkStatus__Output>
        ReleaseIpamRequest: MessageTypeDefinition<_patchbay_host_v1_ReleaseIpamRequest, _patchbay_host_v1_ReleaseIpamRequest__Output>
        ReleaseIpamResponse: MessageTypeDefinition<_patchbay_host_v1_ReleaseIpamResponse, _patchbay_host_v1_ReleaseIpamResponse__Output>
        RouteView: MessageTypeDefinition<_patchbay_host_v1_RouteView, _patchbay_host_v1_RouteView__Output>
        ServiceChange: MessageTypeDefinition<_patchbay_host_v1_ServiceChange, _patchbay_host_v1_ServiceChange__Output>
        ServiceView: MessageTypeDefinition<_patchbay_host_v1_ServiceView, _patchbay_host_v1_ServiceView__Output>
        ShowIpamRequest: MessageTypeDefinition<_patchbay_host_v1_ShowIpamRequest, _patchbay_host_v1_ShowIpamRequest__Output>
        ShowIpamResponse: MessageTypeDefinition<_patchbay_host_v1_ShowIpamResponse, _patchbay_host_v1_ShowIpamResponse__Output>
        WaitProgrammedRequest: MessageTypeDefinition<_patchbay_host_v1_WaitProgrammedRequest, _patchbay_host_v1_WaitProgrammedRequest__Output>
        WaitProgrammedResponse: MessageTypeDefinition<_patchbay_host_v1_WaitProgrammedResponse, _patchbay_host_v1_WaitProgrammedResponse__Output>
        WatchEventsRequest: MessageTypeDefinition<_patchbay_host_v1_WatchEventsRequest, _patchbay_host_v1_WatchEventsRequest__Output>
      }
    }
  }
}

