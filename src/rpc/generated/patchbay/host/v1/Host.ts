// Original file: proto/patchbay/host/v1/host.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { AttachmentChange as _patchbay_host_v1_AttachmentChange, AttachmentChange__Output as _patchbay_host_v1_AttachmentChange__Output } from '../../../patchbay/host/v1/AttachmentChange.ts';
import type { CheckAttachmentsRequest as _patchbay_host_v1_CheckAttachmentsRequest, CheckAttachmentsRequest__Output as _patchbay_host_v1_CheckAttachmentsRequest__Output } from '../../../patchbay/host/v1/CheckAttachmentsRequest.ts';
import type { CheckAttachmentsResponse as _patchbay_host_v1_CheckAttachmentsResponse, CheckAttachmentsResponse__Output as _patchbay_host_v1_CheckAttachmentsResponse__Output } from '../../../patchbay/host/v1/CheckAttachmentsResponse.ts';
import type { DoctorRequest as _patchbay_host_v1_DoctorRequest, DoctorRequest__Output as _patchbay_host_v1_DoctorRequest__Output } from '../../../patchbay/host/v1/DoctorRequest.ts';
import type { DoctorResponse as _patchbay_host_v1_DoctorResponse, DoctorResponse__Output as _patchbay_host_v1_DoctorResponse__Output } from '../../../patchbay/host/v1/DoctorResponse.ts';
import type { Event as _patchbay_host_v1_Event, Event__Output as _patchbay_host_v1_Event__Output } from '../../../patchbay/host/v1/Event.ts';
import type { GetStatusRequest as _patchbay_host_v1_GetStatusRequest, GetStatusRequest__Output as _patchbay_host_v1_GetStatusRequest__Output } from '../../../patchbay/host/v1/GetStatusRequest.ts';
import type { GetStatusResponse as _patchbay_host_v1_GetStatusResponse, GetStatusResponse__Output as _patchbay_host_v1_GetStatusResponse__Output } from '../../../patchbay/host/v1/GetStatusResponse.ts';
import type { ImportHostLocalRequest as _patchbay_host_v1_ImportHostLocalRequest, ImportHostLocalRequest__Output as _patchbay_host_v1_ImportHostLocalRequest__Output } from '../../../patchbay/host/v1/ImportHostLocalRequest.ts';
import type { ImportHostLocalResponse as _patchbay_host_v1_ImportHostLocalResponse, ImportHostLocalResponse__Output as _patchbay_host_v1_ImportHostLocalResponse__Output } from '../../../patchbay/host/v1/ImportHostLocalResponse.ts';
import type { ListAttachmentsRequest as _patchbay_host_v1_ListAttachmentsRequest, ListAttachmentsRequest__Output as _patchbay_host_v1_ListAttachmentsRequest__Output } from '../../../patchbay/host/v1/ListAttachmentsRequest.ts';
import type { ListAttachmentsResponse as _patchbay_host_v1_ListAttachmentsResponse, ListAttachmentsResponse__Output as _patchbay_host_v1_ListAttachmentsResponse__Output } from '../../../patchbay/host/v1/ListAttachmentsResponse.ts';
import type { ReleaseIpamRequest as _patchbay_host_v1_ReleaseIpamRequest, ReleaseIpamRequest__Output as _patchbay_host_v1_ReleaseIpamRequest__Output } from '../../../patchbay/host/v1/ReleaseIpamRequest.ts';
import type { ReleaseIpamResponse as _patchbay_host_v1_ReleaseIpamResponse, ReleaseIpamResponse__Output as _patchbay_host_v1_ReleaseIpamResponse__Output } from '../../../patchbay/host/v1/ReleaseIpamResponse.ts';
import type { ShowIpamRequest as _patchbay_host_v1_ShowIpamRequest, ShowIpamRequest__Output as _patchbay_host_v1_ShowIpamRequest__Output } from '../../../patchbay/host/v1/ShowIpamRequest.ts';
import type { ShowIpamResponse as _patchbay_host_v1_ShowIpamResponse, ShowIpamResponse__Output as _patchbay_host_v1_ShowIpamResponse__Output } from '../../../patchbay/host/v1/ShowIpamResponse.ts';
import type { WatchEventsRequest as _patchbay_host_v1_WatchEventsRequest, WatchEventsRequest__Output as _patchbay_host_v1_WatchEventsRequest__Output } from '../../../patchbay/host/v1/WatchEventsRequest.ts';

/**
 * Served by the plugin host on its control socket.
 */
export interface HostClient extends grpc.Client {
  /**
   * Compares attachments with the kernel, as CNI CHECK does.
   */
  CheckAttachments(argument: _patchbay_host_v1_CheckAttachmentsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_CheckAttachmentsResponse__Output>): grpc.ClientUnaryCall;
  CheckAttachments(argument: _patchbay_host_v1_CheckAttachmentsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_host_v1_CheckAttachmentsResponse__Output>): grpc.ClientUnaryCall;
  CheckAttachments(argument: _patchbay_host_v1_CheckAttachmentsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_CheckAttachmentsResponse__Output>): grpc.ClientUnaryCall;
  CheckAttachments(argument: _patchbay_host_v1_CheckAttachmentsRequest, callback: grpc.requestCallback<_patchbay_host_v1_CheckAttachmentsResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Compares attachments with the kernel, as CNI CHECK does.
   */
  checkAttachments(argument: _patchbay_host_v1_CheckAttachmentsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_CheckAttachmentsResponse__Output>): grpc.ClientUnaryCall;
  checkAttachments(argument: _patchbay_host_v1_CheckAttachmentsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_host_v1_CheckAttachmentsResponse__Output>): grpc.ClientUnaryCall;
  checkAttachments(argument: _patchbay_host_v1_CheckAttachmentsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_CheckAttachmentsResponse__Output>): grpc.ClientUnaryCall;
  checkAttachments(argument: _patchbay_host_v1_CheckAttachmentsRequest, callback: grpc.requestCallback<_patchbay_host_v1_CheckAttachmentsResponse__Output>): grpc.ClientUnaryCall;
  
  /**
   * Says what the host knows of the node's health: kernel features, sysctls, leftovers.
   */
  Doctor(argument: _patchbay_host_v1_DoctorRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_DoctorResponse__Output>): grpc.ClientUnaryCall;
  Doctor(argument: _patchbay_host_v1_DoctorRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_host_v1_DoctorResponse__Output>): grpc.ClientUnaryCall;
  Doctor(argument: _patchbay_host_v1_DoctorRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_DoctorResponse__Output>): grpc.ClientUnaryCall;
  Doctor(argument: _patchbay_host_v1_DoctorRequest, callback: grpc.requestCallback<_patchbay_host_v1_DoctorResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Says what the host knows of the node's health: kernel features, sysctls, leftovers.
   */
  doctor(argument: _patchbay_host_v1_DoctorRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_DoctorResponse__Output>): grpc.ClientUnaryCall;
  doctor(argument: _patchbay_host_v1_DoctorRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_host_v1_DoctorResponse__Output>): grpc.ClientUnaryCall;
  doctor(argument: _patchbay_host_v1_DoctorRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_DoctorResponse__Output>): grpc.ClientUnaryCall;
  doctor(argument: _patchbay_host_v1_DoctorRequest, callback: grpc.requestCallback<_patchbay_host_v1_DoctorResponse__Output>): grpc.ClientUnaryCall;
  
  /**
   * Says who the host is, since when, and whether it can serve ADD.
   */
  GetStatus(argument: _patchbay_host_v1_GetStatusRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_GetStatusResponse__Output>): grpc.ClientUnaryCall;
  GetStatus(argument: _patchbay_host_v1_GetStatusRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_host_v1_GetStatusResponse__Output>): grpc.ClientUnaryCall;
  GetStatus(argument: _patchbay_host_v1_GetStatusRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_GetStatusResponse__Output>): grpc.ClientUnaryCall;
  GetStatus(argument: _patchbay_host_v1_GetStatusRequest, callback: grpc.requestCallback<_patchbay_host_v1_GetStatusResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Says who the host is, since when, and whether it can serve ADD.
   */
  getStatus(argument: _patchbay_host_v1_GetStatusRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_GetStatusResponse__Output>): grpc.ClientUnaryCall;
  getStatus(argument: _patchbay_host_v1_GetStatusRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_host_v1_GetStatusResponse__Output>): grpc.ClientUnaryCall;
  getStatus(argument: _patchbay_host_v1_GetStatusRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_GetStatusResponse__Output>): grpc.ClientUnaryCall;
  getStatus(argument: _patchbay_host_v1_GetStatusRequest, callback: grpc.requestCallback<_patchbay_host_v1_GetStatusResponse__Output>): grpc.ClientUnaryCall;
  
  /**
   * Adopts the leases of host-local's folder, so that a node can be switched over with pods running.
   */
  ImportHostLocal(argument: _patchbay_host_v1_ImportHostLocalRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_ImportHostLocalResponse__Output>): grpc.ClientUnaryCall;
  ImportHostLocal(argument: _patchbay_host_v1_ImportHostLocalRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_host_v1_ImportHostLocalResponse__Output>): grpc.ClientUnaryCall;
  ImportHostLocal(argument: _patchbay_host_v1_ImportHostLocalRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_ImportHostLocalResponse__Output>): grpc.ClientUnaryCall;
  ImportHostLocal(argument: _patchbay_host_v1_ImportHostLocalRequest, callback: grpc.requestCallback<_patchbay_host_v1_ImportHostLocalResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Adopts the leases of host-local's folder, so that a node can be switched over with pods running.
   */
  importHostLocal(argument: _patchbay_host_v1_ImportHostLocalRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_ImportHostLocalResponse__Output>): grpc.ClientUnaryCall;
  importHostLocal(argument: _patchbay_host_v1_ImportHostLocalRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_host_v1_ImportHostLocalResponse__Output>): grpc.ClientUnaryCall;
  importHostLocal(argument: _patchbay_host_v1_ImportHostLocalRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_ImportHostLocalResponse__Output>): grpc.ClientUnaryCall;
  importHostLocal(argument: _patchbay_host_v1_ImportHostLocalRequest, callback: grpc.requestCallback<_patchbay_host_v1_ImportHostLocalResponse__Output>): grpc.ClientUnaryCall;
  
  /**
   * Lists attachments.
   */
  ListAttachments(argument: _patchbay_host_v1_ListAttachmentsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_ListAttachmentsResponse__Output>): grpc.ClientUnaryCall;
  ListAttachments(argument: _patchbay_host_v1_ListAttachmentsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_host_v1_ListAttachmentsResponse__Output>): grpc.ClientUnaryCall;
  ListAttachments(argument: _patchbay_host_v1_ListAttachmentsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_ListAttachmentsResponse__Output>): grpc.ClientUnaryCall;
  ListAttachments(argument: _patchbay_host_v1_ListAttachmentsRequest, callback: grpc.requestCallback<_patchbay_host_v1_ListAttachmentsResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Lists attachments.
   */
  listAttachments(argument: _patchbay_host_v1_ListAttachmentsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_ListAttachmentsResponse__Output>): grpc.ClientUnaryCall;
  listAttachments(argument: _patchbay_host_v1_ListAttachmentsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_host_v1_ListAttachmentsResponse__Output>): grpc.ClientUnaryCall;
  listAttachments(argument: _patchbay_host_v1_ListAttachmentsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_ListAttachmentsResponse__Output>): grpc.ClientUnaryCall;
  listAttachments(argument: _patchbay_host_v1_ListAttachmentsRequest, callback: grpc.requestCallback<_patchbay_host_v1_ListAttachmentsResponse__Output>): grpc.ClientUnaryCall;
  
  /**
   * Releases what an attachment holds although no DEL came. Refused while its namespace is alive.
   */
  ReleaseIpam(argument: _patchbay_host_v1_ReleaseIpamRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_ReleaseIpamResponse__Output>): grpc.ClientUnaryCall;
  ReleaseIpam(argument: _patchbay_host_v1_ReleaseIpamRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_host_v1_ReleaseIpamResponse__Output>): grpc.ClientUnaryCall;
  ReleaseIpam(argument: _patchbay_host_v1_ReleaseIpamRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_ReleaseIpamResponse__Output>): grpc.ClientUnaryCall;
  ReleaseIpam(argument: _patchbay_host_v1_ReleaseIpamRequest, callback: grpc.requestCallback<_patchbay_host_v1_ReleaseIpamResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Releases what an attachment holds although no DEL came. Refused while its namespace is alive.
   */
  releaseIpam(argument: _patchbay_host_v1_ReleaseIpamRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_ReleaseIpamResponse__Output>): grpc.ClientUnaryCall;
  releaseIpam(argument: _patchbay_host_v1_ReleaseIpamRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_host_v1_ReleaseIpamResponse__Output>): grpc.ClientUnaryCall;
  releaseIpam(argument: _patchbay_host_v1_ReleaseIpamRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_ReleaseIpamResponse__Output>): grpc.ClientUnaryCall;
  releaseIpam(argument: _patchbay_host_v1_ReleaseIpamRequest, callback: grpc.requestCallback<_patchbay_host_v1_ReleaseIpamResponse__Output>): grpc.ClientUnaryCall;
  
  /**
   * Shows pools, leases and cooling addresses.
   */
  ShowIpam(argument: _patchbay_host_v1_ShowIpamRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_ShowIpamResponse__Output>): grpc.ClientUnaryCall;
  ShowIpam(argument: _patchbay_host_v1_ShowIpamRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_host_v1_ShowIpamResponse__Output>): grpc.ClientUnaryCall;
  ShowIpam(argument: _patchbay_host_v1_ShowIpamRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_ShowIpamResponse__Output>): grpc.ClientUnaryCall;
  ShowIpam(argument: _patchbay_host_v1_ShowIpamRequest, callback: grpc.requestCallback<_patchbay_host_v1_ShowIpamResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Shows pools, leases and cooling addresses.
   */
  showIpam(argument: _patchbay_host_v1_ShowIpamRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_ShowIpamResponse__Output>): grpc.ClientUnaryCall;
  showIpam(argument: _patchbay_host_v1_ShowIpamRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_host_v1_ShowIpamResponse__Output>): grpc.ClientUnaryCall;
  showIpam(argument: _patchbay_host_v1_ShowIpamRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_ShowIpamResponse__Output>): grpc.ClientUnaryCall;
  showIpam(argument: _patchbay_host_v1_ShowIpamRequest, callback: grpc.requestCallback<_patchbay_host_v1_ShowIpamResponse__Output>): grpc.ClientUnaryCall;
  
  /**
   * Sends every attachment, then every change of one, until the caller hangs up.
   */
  WatchAttachments(argument: _patchbay_host_v1_ListAttachmentsRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_patchbay_host_v1_AttachmentChange__Output>;
  WatchAttachments(argument: _patchbay_host_v1_ListAttachmentsRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_patchbay_host_v1_AttachmentChange__Output>;
  /**
   * Sends every attachment, then every change of one, until the caller hangs up.
   */
  watchAttachments(argument: _patchbay_host_v1_ListAttachmentsRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_patchbay_host_v1_AttachmentChange__Output>;
  watchAttachments(argument: _patchbay_host_v1_ListAttachmentsRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_patchbay_host_v1_AttachmentChange__Output>;
  
  /**
   * Sends the last events and ends, or goes on with new ones until the caller hangs up.
   */
  WatchEvents(argument: _patchbay_host_v1_WatchEventsRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_patchbay_host_v1_Event__Output>;
  WatchEvents(argument: _patchbay_host_v1_WatchEventsRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_patchbay_host_v1_Event__Output>;
  /**
   * Sends the last events and ends, or goes on with new ones until the caller hangs up.
   */
  watchEvents(argument: _patchbay_host_v1_WatchEventsRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_patchbay_host_v1_Event__Output>;
  watchEvents(argument: _patchbay_host_v1_WatchEventsRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_patchbay_host_v1_Event__Output>;
  
}

/**
 * Served by the plugin host on its control socket.
 */
export interface HostHandlers extends grpc.UntypedServiceImplementation {
  /**
   * Compares attachments with the kernel, as CNI CHECK does.
   */
  CheckAttachments: grpc.handleUnaryCall<_patchbay_host_v1_CheckAttachmentsRequest__Output, _patchbay_host_v1_CheckAttachmentsResponse>;
  
  /**
   * Says what the host knows of the node's health: kernel features, sysctls, leftovers.
   */
  Doctor: grpc.handleUnaryCall<_patchbay_host_v1_DoctorRequest__Output, _patchbay_host_v1_DoctorResponse>;
  
  /**
   * Says who the host is, since when, and whether it can serve ADD.
   */
  GetStatus: grpc.handleUnaryCall<_patchbay_host_v1_GetStatusRequest__Output, _patchbay_host_v1_GetStatusResponse>;
  
  /**
   * Adopts the leases of host-local's folder, so that a node can be switched over with pods running.
   */
  ImportHostLocal: grpc.handleUnaryCall<_patchbay_host_v1_ImportHostLocalRequest__Output, _patchbay_host_v1_ImportHostLocalResponse>;
  
  /**
   * Lists attachments.
   */
  ListAttachments: grpc.handleUnaryCall<_patchbay_host_v1_ListAttachmentsRequest__Output, _patchbay_host_v1_ListAttachmentsResponse>;
  
  /**
   * Releases what an attachment holds although no DEL came. Refused while its namespace is alive.
   */
  ReleaseIpam: grpc.handleUnaryCall<_patchbay_host_v1_ReleaseIpamRequest__Output, _patchbay_host_v1_ReleaseIpamResponse>;
  
  /**
   * Shows pools, leases and cooling addresses.
   */
  ShowIpam: grpc.handleUnaryCall<_patchbay_host_v1_ShowIpamRequest__Output, _patchbay_host_v1_ShowIpamResponse>;
  
  /**
   * Sends every attachment, then every change of one, until the caller hangs up.
   */
  WatchAttachments: grpc.handleServerStreamingCall<_patchbay_host_v1_ListAttachmentsRequest__Output, _patchbay_host_v1_AttachmentChange>;
  
  /**
   * Sends the last events and ends, or goes on with new ones until the caller hangs up.
   */
  WatchEvents: grpc.handleServerStreamingCall<_patchbay_host_v1_WatchEventsRequest__Output, _patchbay_host_v1_Event>;
  
}

export interface HostDefinition extends grpc.ServiceDefinition {
  CheckAttachments: MethodDefinition<_patchbay_host_v1_CheckAttachmentsRequest, _patchbay_host_v1_CheckAttachmentsResponse, _patchbay_host_v1_CheckAttachmentsRequest__Output, _patchbay_host_v1_CheckAttachmentsResponse__Output>
  Doctor: MethodDefinition<_patchbay_host_v1_DoctorRequest, _patchbay_host_v1_DoctorResponse, _patchbay_host_v1_DoctorRequest__Output, _patchbay_host_v1_DoctorResponse__Output>
  GetStatus: MethodDefinition<_patchbay_host_v1_GetStatusRequest, _patchbay_host_v1_GetStatusResponse, _patchbay_host_v1_GetStatusRequest__Output, _patchbay_host_v1_GetStatusResponse__Output>
  ImportHostLocal: MethodDefinition<_patchbay_host_v1_ImportHostLocalRequest, _patchbay_host_v1_ImportHostLocalResponse, _patchbay_host_v1_ImportHostLocalRequest__Output, _patchbay_host_v1_ImportHostLocalResponse__Output>
  ListAttachments: MethodDefinition<_patchbay_host_v1_ListAttachmentsRequest, _patchbay_host_v1_ListAttachmentsResponse, _patchbay_host_v1_ListAttachmentsRequest__Output, _patchbay_host_v1_ListAttachmentsResponse__Output>
  ReleaseIpam: MethodDefinition<_patchbay_host_v1_ReleaseIpamRequest, _patchbay_host_v1_ReleaseIpamResponse, _patchbay_host_v1_ReleaseIpamRequest__Output, _patchbay_host_v1_ReleaseIpamResponse__Output>
  ShowIpam: MethodDefinition<_patchbay_host_v1_ShowIpamRequest, _patchbay_host_v1_ShowIpamResponse, _patchbay_host_v1_ShowIpamRequest__Output, _patchbay_host_v1_ShowIpamResponse__Output>
  WatchAttachments: MethodDefinition<_patchbay_host_v1_ListAttachmentsRequest, _patchbay_host_v1_AttachmentChange, _patchbay_host_v1_ListAttachmentsRequest__Output, _patchbay_host_v1_AttachmentChange__Output>
  WatchEvents: MethodDefinition<_patchbay_host_v1_WatchEventsRequest, _patchbay_host_v1_Event, _patchbay_host_v1_WatchEventsRequest__Output, _patchbay_host_v1_Event__Output>
}
