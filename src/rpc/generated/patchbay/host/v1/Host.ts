// Original file: proto/patchbay/host/v1/host.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { ApplyServicesRequest as _patchbay_host_v1_ApplyServicesRequest, ApplyServicesRequest__Output as _patchbay_host_v1_ApplyServicesRequest__Output } from '../../../patchbay/host/v1/ApplyServicesRequest.ts';
import type { ApplyServicesResponse as _patchbay_host_v1_ApplyServicesResponse, ApplyServicesResponse__Output as _patchbay_host_v1_ApplyServicesResponse__Output } from '../../../patchbay/host/v1/ApplyServicesResponse.ts';
import type { AttachNetworkRequest as _patchbay_host_v1_AttachNetworkRequest, AttachNetworkRequest__Output as _patchbay_host_v1_AttachNetworkRequest__Output } from '../../../patchbay/host/v1/AttachNetworkRequest.ts';
import type { AttachNetworkResponse as _patchbay_host_v1_AttachNetworkResponse, AttachNetworkResponse__Output as _patchbay_host_v1_AttachNetworkResponse__Output } from '../../../patchbay/host/v1/AttachNetworkResponse.ts';
import type { AttachmentChange as _patchbay_host_v1_AttachmentChange, AttachmentChange__Output as _patchbay_host_v1_AttachmentChange__Output } from '../../../patchbay/host/v1/AttachmentChange.ts';
import type { CheckAttachmentsRequest as _patchbay_host_v1_CheckAttachmentsRequest, CheckAttachmentsRequest__Output as _patchbay_host_v1_CheckAttachmentsRequest__Output } from '../../../patchbay/host/v1/CheckAttachmentsRequest.ts';
import type { CheckAttachmentsResponse as _patchbay_host_v1_CheckAttachmentsResponse, CheckAttachmentsResponse__Output as _patchbay_host_v1_CheckAttachmentsResponse__Output } from '../../../patchbay/host/v1/CheckAttachmentsResponse.ts';
import type { DetachNetworkRequest as _patchbay_host_v1_DetachNetworkRequest, DetachNetworkRequest__Output as _patchbay_host_v1_DetachNetworkRequest__Output } from '../../../patchbay/host/v1/DetachNetworkRequest.ts';
import type { DetachNetworkResponse as _patchbay_host_v1_DetachNetworkResponse, DetachNetworkResponse__Output as _patchbay_host_v1_DetachNetworkResponse__Output } from '../../../patchbay/host/v1/DetachNetworkResponse.ts';
import type { DoctorRequest as _patchbay_host_v1_DoctorRequest, DoctorRequest__Output as _patchbay_host_v1_DoctorRequest__Output } from '../../../patchbay/host/v1/DoctorRequest.ts';
import type { DoctorResponse as _patchbay_host_v1_DoctorResponse, DoctorResponse__Output as _patchbay_host_v1_DoctorResponse__Output } from '../../../patchbay/host/v1/DoctorResponse.ts';
import type { Event as _patchbay_host_v1_Event, Event__Output as _patchbay_host_v1_Event__Output } from '../../../patchbay/host/v1/Event.ts';
import type { ExplainRequest as _patchbay_host_v1_ExplainRequest, ExplainRequest__Output as _patchbay_host_v1_ExplainRequest__Output } from '../../../patchbay/host/v1/ExplainRequest.ts';
import type { ExplainResponse as _patchbay_host_v1_ExplainResponse, ExplainResponse__Output as _patchbay_host_v1_ExplainResponse__Output } from '../../../patchbay/host/v1/ExplainResponse.ts';
import type { GetNetworkStatusRequest as _patchbay_host_v1_GetNetworkStatusRequest, GetNetworkStatusRequest__Output as _patchbay_host_v1_GetNetworkStatusRequest__Output } from '../../../patchbay/host/v1/GetNetworkStatusRequest.ts';
import type { GetNetworkStatusResponse as _patchbay_host_v1_GetNetworkStatusResponse, GetNetworkStatusResponse__Output as _patchbay_host_v1_GetNetworkStatusResponse__Output } from '../../../patchbay/host/v1/GetNetworkStatusResponse.ts';
import type { GetStatusRequest as _patchbay_host_v1_GetStatusRequest, GetStatusRequest__Output as _patchbay_host_v1_GetStatusRequest__Output } from '../../../patchbay/host/v1/GetStatusRequest.ts';
import type { GetStatusResponse as _patchbay_host_v1_GetStatusResponse, GetStatusResponse__Output as _patchbay_host_v1_GetStatusResponse__Output } from '../../../patchbay/host/v1/GetStatusResponse.ts';
import type { ImportHostLocalRequest as _patchbay_host_v1_ImportHostLocalRequest, ImportHostLocalRequest__Output as _patchbay_host_v1_ImportHostLocalRequest__Output } from '../../../patchbay/host/v1/ImportHostLocalRequest.ts';
import type { ImportHostLocalResponse as _patchbay_host_v1_ImportHostLocalResponse, ImportHostLocalResponse__Output as _patchbay_host_v1_ImportHostLocalResponse__Output } from '../../../patchbay/host/v1/ImportHostLocalResponse.ts';
import type { ListAttachmentsRequest as _patchbay_host_v1_ListAttachmentsRequest, ListAttachmentsRequest__Output as _patchbay_host_v1_ListAttachmentsRequest__Output } from '../../../patchbay/host/v1/ListAttachmentsRequest.ts';
import type { ListAttachmentsResponse as _patchbay_host_v1_ListAttachmentsResponse, ListAttachmentsResponse__Output as _patchbay_host_v1_ListAttachmentsResponse__Output } from '../../../patchbay/host/v1/ListAttachmentsResponse.ts';
import type { ListNetworkDefinitionsRequest as _patchbay_host_v1_ListNetworkDefinitionsRequest, ListNetworkDefinitionsRequest__Output as _patchbay_host_v1_ListNetworkDefinitionsRequest__Output } from '../../../patchbay/host/v1/ListNetworkDefinitionsRequest.ts';
import type { ListNetworkDefinitionsResponse as _patchbay_host_v1_ListNetworkDefinitionsResponse, ListNetworkDefinitionsResponse__Output as _patchbay_host_v1_ListNetworkDefinitionsResponse__Output } from '../../../patchbay/host/v1/ListNetworkDefinitionsResponse.ts';
import type { ListServicesRequest as _patchbay_host_v1_ListServicesRequest, ListServicesRequest__Output as _patchbay_host_v1_ListServicesRequest__Output } from '../../../patchbay/host/v1/ListServicesRequest.ts';
import type { ListServicesResponse as _patchbay_host_v1_ListServicesResponse, ListServicesResponse__Output as _patchbay_host_v1_ListServicesResponse__Output } from '../../../patchbay/host/v1/ListServicesResponse.ts';
import type { ReleaseIpamRequest as _patchbay_host_v1_ReleaseIpamRequest, ReleaseIpamRequest__Output as _patchbay_host_v1_ReleaseIpamRequest__Output } from '../../../patchbay/host/v1/ReleaseIpamRequest.ts';
import type { ReleaseIpamResponse as _patchbay_host_v1_ReleaseIpamResponse, ReleaseIpamResponse__Output as _patchbay_host_v1_ReleaseIpamResponse__Output } from '../../../patchbay/host/v1/ReleaseIpamResponse.ts';
import type { ServiceChange as _patchbay_host_v1_ServiceChange, ServiceChange__Output as _patchbay_host_v1_ServiceChange__Output } from '../../../patchbay/host/v1/ServiceChange.ts';
import type { ShowIpamRequest as _patchbay_host_v1_ShowIpamRequest, ShowIpamRequest__Output as _patchbay_host_v1_ShowIpamRequest__Output } from '../../../patchbay/host/v1/ShowIpamRequest.ts';
import type { ShowIpamResponse as _patchbay_host_v1_ShowIpamResponse, ShowIpamResponse__Output as _patchbay_host_v1_ShowIpamResponse__Output } from '../../../patchbay/host/v1/ShowIpamResponse.ts';
import type { WaitProgrammedRequest as _patchbay_host_v1_WaitProgrammedRequest, WaitProgrammedRequest__Output as _patchbay_host_v1_WaitProgrammedRequest__Output } from '../../../patchbay/host/v1/WaitProgrammedRequest.ts';
import type { WaitProgrammedResponse as _patchbay_host_v1_WaitProgrammedResponse, WaitProgrammedResponse__Output as _patchbay_host_v1_WaitProgrammedResponse__Output } from '../../../patchbay/host/v1/WaitProgrammedResponse.ts';
import type { WatchEventsRequest as _patchbay_host_v1_WatchEventsRequest, WatchEventsRequest__Output as _patchbay_host_v1_WatchEventsRequest__Output } from '../../../patchbay/host/v1/WatchEventsRequest.ts';

/**
 * Served by the plugin host on its control socket.
 */
export interface HostClient extends grpc.Client {
  /**
   * Gives the host frontends and endpoint groups, for users without Kubernetes. What a caller gave stays until it gives
   * something else for it or says that it goes, also when the stream ends; it does not survive the host.
   */
  ApplyServices(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_patchbay_host_v1_ApplyServicesRequest, _patchbay_host_v1_ApplyServicesResponse__Output>;
  ApplyServices(options?: grpc.CallOptions): grpc.ClientDuplexStream<_patchbay_host_v1_ApplyServicesRequest, _patchbay_host_v1_ApplyServicesResponse__Output>;
  /**
   * Gives the host frontends and endpoint groups, for users without Kubernetes. What a caller gave stays until it gives
   * something else for it or says that it goes, also when the stream ends; it does not survive the host.
   */
  applyServices(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_patchbay_host_v1_ApplyServicesRequest, _patchbay_host_v1_ApplyServicesResponse__Output>;
  applyServices(options?: grpc.CallOptions): grpc.ClientDuplexStream<_patchbay_host_v1_ApplyServicesRequest, _patchbay_host_v1_ApplyServicesResponse__Output>;
  
  /**
   * Attaches a running pod to one more network. All or nothing, and a repeat (same pod, network and interface) gives the same answer.
   */
  AttachNetwork(argument: _patchbay_host_v1_AttachNetworkRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_AttachNetworkResponse__Output>): grpc.ClientUnaryCall;
  AttachNetwork(argument: _patchbay_host_v1_AttachNetworkRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_host_v1_AttachNetworkResponse__Output>): grpc.ClientUnaryCall;
  AttachNetwork(argument: _patchbay_host_v1_AttachNetworkRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_AttachNetworkResponse__Output>): grpc.ClientUnaryCall;
  AttachNetwork(argument: _patchbay_host_v1_AttachNetworkRequest, callback: grpc.requestCallback<_patchbay_host_v1_AttachNetworkResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Attaches a running pod to one more network. All or nothing, and a repeat (same pod, network and interface) gives the same answer.
   */
  attachNetwork(argument: _patchbay_host_v1_AttachNetworkRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_AttachNetworkResponse__Output>): grpc.ClientUnaryCall;
  attachNetwork(argument: _patchbay_host_v1_AttachNetworkRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_host_v1_AttachNetworkResponse__Output>): grpc.ClientUnaryCall;
  attachNetwork(argument: _patchbay_host_v1_AttachNetworkRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_AttachNetworkResponse__Output>): grpc.ClientUnaryCall;
  attachNetwork(argument: _patchbay_host_v1_AttachNetworkRequest, callback: grpc.requestCallback<_patchbay_host_v1_AttachNetworkResponse__Output>): grpc.ClientUnaryCall;
  
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
   * Detaches a running pod from a network that was attached beside its default network. What is not attached is success.
   */
  DetachNetwork(argument: _patchbay_host_v1_DetachNetworkRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_DetachNetworkResponse__Output>): grpc.ClientUnaryCall;
  DetachNetwork(argument: _patchbay_host_v1_DetachNetworkRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_host_v1_DetachNetworkResponse__Output>): grpc.ClientUnaryCall;
  DetachNetwork(argument: _patchbay_host_v1_DetachNetworkRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_DetachNetworkResponse__Output>): grpc.ClientUnaryCall;
  DetachNetwork(argument: _patchbay_host_v1_DetachNetworkRequest, callback: grpc.requestCallback<_patchbay_host_v1_DetachNetworkResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Detaches a running pod from a network that was attached beside its default network. What is not attached is success.
   */
  detachNetwork(argument: _patchbay_host_v1_DetachNetworkRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_DetachNetworkResponse__Output>): grpc.ClientUnaryCall;
  detachNetwork(argument: _patchbay_host_v1_DetachNetworkRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_host_v1_DetachNetworkResponse__Output>): grpc.ClientUnaryCall;
  detachNetwork(argument: _patchbay_host_v1_DetachNetworkRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_DetachNetworkResponse__Output>): grpc.ClientUnaryCall;
  detachNetwork(argument: _patchbay_host_v1_DetachNetworkRequest, callback: grpc.requestCallback<_patchbay_host_v1_DetachNetworkResponse__Output>): grpc.ClientUnaryCall;
  
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
   * Says what becomes of a packet, by the model, and whether the kernel agrees.
   */
  Explain(argument: _patchbay_host_v1_ExplainRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_ExplainResponse__Output>): grpc.ClientUnaryCall;
  Explain(argument: _patchbay_host_v1_ExplainRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_host_v1_ExplainResponse__Output>): grpc.ClientUnaryCall;
  Explain(argument: _patchbay_host_v1_ExplainRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_ExplainResponse__Output>): grpc.ClientUnaryCall;
  Explain(argument: _patchbay_host_v1_ExplainRequest, callback: grpc.requestCallback<_patchbay_host_v1_ExplainResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Says what becomes of a packet, by the model, and whether the kernel agrees.
   */
  explain(argument: _patchbay_host_v1_ExplainRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_ExplainResponse__Output>): grpc.ClientUnaryCall;
  explain(argument: _patchbay_host_v1_ExplainRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_host_v1_ExplainResponse__Output>): grpc.ClientUnaryCall;
  explain(argument: _patchbay_host_v1_ExplainRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_ExplainResponse__Output>): grpc.ClientUnaryCall;
  explain(argument: _patchbay_host_v1_ExplainRequest, callback: grpc.requestCallback<_patchbay_host_v1_ExplainResponse__Output>): grpc.ClientUnaryCall;
  
  /**
   * Answers the network-status annotations (k8s.v1.cni.cncf.io/network-status) of pods.
   */
  GetNetworkStatus(argument: _patchbay_host_v1_GetNetworkStatusRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_GetNetworkStatusResponse__Output>): grpc.ClientUnaryCall;
  GetNetworkStatus(argument: _patchbay_host_v1_GetNetworkStatusRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_host_v1_GetNetworkStatusResponse__Output>): grpc.ClientUnaryCall;
  GetNetworkStatus(argument: _patchbay_host_v1_GetNetworkStatusRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_GetNetworkStatusResponse__Output>): grpc.ClientUnaryCall;
  GetNetworkStatus(argument: _patchbay_host_v1_GetNetworkStatusRequest, callback: grpc.requestCallback<_patchbay_host_v1_GetNetworkStatusResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Answers the network-status annotations (k8s.v1.cni.cncf.io/network-status) of pods.
   */
  getNetworkStatus(argument: _patchbay_host_v1_GetNetworkStatusRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_GetNetworkStatusResponse__Output>): grpc.ClientUnaryCall;
  getNetworkStatus(argument: _patchbay_host_v1_GetNetworkStatusRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_host_v1_GetNetworkStatusResponse__Output>): grpc.ClientUnaryCall;
  getNetworkStatus(argument: _patchbay_host_v1_GetNetworkStatusRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_GetNetworkStatusResponse__Output>): grpc.ClientUnaryCall;
  getNetworkStatus(argument: _patchbay_host_v1_GetNetworkStatusRequest, callback: grpc.requestCallback<_patchbay_host_v1_GetNetworkStatusResponse__Output>): grpc.ClientUnaryCall;
  
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
   * Lists the network definitions that pods may ask for, and what is wrong with them.
   */
  ListNetworkDefinitions(argument: _patchbay_host_v1_ListNetworkDefinitionsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_ListNetworkDefinitionsResponse__Output>): grpc.ClientUnaryCall;
  ListNetworkDefinitions(argument: _patchbay_host_v1_ListNetworkDefinitionsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_host_v1_ListNetworkDefinitionsResponse__Output>): grpc.ClientUnaryCall;
  ListNetworkDefinitions(argument: _patchbay_host_v1_ListNetworkDefinitionsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_ListNetworkDefinitionsResponse__Output>): grpc.ClientUnaryCall;
  ListNetworkDefinitions(argument: _patchbay_host_v1_ListNetworkDefinitionsRequest, callback: grpc.requestCallback<_patchbay_host_v1_ListNetworkDefinitionsResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Lists the network definitions that pods may ask for, and what is wrong with them.
   */
  listNetworkDefinitions(argument: _patchbay_host_v1_ListNetworkDefinitionsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_ListNetworkDefinitionsResponse__Output>): grpc.ClientUnaryCall;
  listNetworkDefinitions(argument: _patchbay_host_v1_ListNetworkDefinitionsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_host_v1_ListNetworkDefinitionsResponse__Output>): grpc.ClientUnaryCall;
  listNetworkDefinitions(argument: _patchbay_host_v1_ListNetworkDefinitionsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_ListNetworkDefinitionsResponse__Output>): grpc.ClientUnaryCall;
  listNetworkDefinitions(argument: _patchbay_host_v1_ListNetworkDefinitionsRequest, callback: grpc.requestCallback<_patchbay_host_v1_ListNetworkDefinitionsResponse__Output>): grpc.ClientUnaryCall;
  
  /**
   * Lists Services with their frontends and endpoints, as planned for this node.
   */
  ListServices(argument: _patchbay_host_v1_ListServicesRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_ListServicesResponse__Output>): grpc.ClientUnaryCall;
  ListServices(argument: _patchbay_host_v1_ListServicesRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_host_v1_ListServicesResponse__Output>): grpc.ClientUnaryCall;
  ListServices(argument: _patchbay_host_v1_ListServicesRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_ListServicesResponse__Output>): grpc.ClientUnaryCall;
  ListServices(argument: _patchbay_host_v1_ListServicesRequest, callback: grpc.requestCallback<_patchbay_host_v1_ListServicesResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Lists Services with their frontends and endpoints, as planned for this node.
   */
  listServices(argument: _patchbay_host_v1_ListServicesRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_ListServicesResponse__Output>): grpc.ClientUnaryCall;
  listServices(argument: _patchbay_host_v1_ListServicesRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_host_v1_ListServicesResponse__Output>): grpc.ClientUnaryCall;
  listServices(argument: _patchbay_host_v1_ListServicesRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_ListServicesResponse__Output>): grpc.ClientUnaryCall;
  listServices(argument: _patchbay_host_v1_ListServicesRequest, callback: grpc.requestCallback<_patchbay_host_v1_ListServicesResponse__Output>): grpc.ClientUnaryCall;
  
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
   * Answers when a revision is programmed, or DEADLINE_EXCEEDED. Programmed: by the built-in data plane and by every third
   * party's that is up. One that is down, or has acknowledged nothing since it came, is waited for by nobody: the answer and
   * GetStatus name it.
   */
  WaitProgrammed(argument: _patchbay_host_v1_WaitProgrammedRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_WaitProgrammedResponse__Output>): grpc.ClientUnaryCall;
  WaitProgrammed(argument: _patchbay_host_v1_WaitProgrammedRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_host_v1_WaitProgrammedResponse__Output>): grpc.ClientUnaryCall;
  WaitProgrammed(argument: _patchbay_host_v1_WaitProgrammedRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_WaitProgrammedResponse__Output>): grpc.ClientUnaryCall;
  WaitProgrammed(argument: _patchbay_host_v1_WaitProgrammedRequest, callback: grpc.requestCallback<_patchbay_host_v1_WaitProgrammedResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Answers when a revision is programmed, or DEADLINE_EXCEEDED. Programmed: by the built-in data plane and by every third
   * party's that is up. One that is down, or has acknowledged nothing since it came, is waited for by nobody: the answer and
   * GetStatus name it.
   */
  waitProgrammed(argument: _patchbay_host_v1_WaitProgrammedRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_WaitProgrammedResponse__Output>): grpc.ClientUnaryCall;
  waitProgrammed(argument: _patchbay_host_v1_WaitProgrammedRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_host_v1_WaitProgrammedResponse__Output>): grpc.ClientUnaryCall;
  waitProgrammed(argument: _patchbay_host_v1_WaitProgrammedRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_host_v1_WaitProgrammedResponse__Output>): grpc.ClientUnaryCall;
  waitProgrammed(argument: _patchbay_host_v1_WaitProgrammedRequest, callback: grpc.requestCallback<_patchbay_host_v1_WaitProgrammedResponse__Output>): grpc.ClientUnaryCall;
  
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
  
  /**
   * Sends every Service, then every Service that changed, until the caller hangs up.
   */
  WatchServices(argument: _patchbay_host_v1_ListServicesRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_patchbay_host_v1_ServiceChange__Output>;
  WatchServices(argument: _patchbay_host_v1_ListServicesRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_patchbay_host_v1_ServiceChange__Output>;
  /**
   * Sends every Service, then every Service that changed, until the caller hangs up.
   */
  watchServices(argument: _patchbay_host_v1_ListServicesRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_patchbay_host_v1_ServiceChange__Output>;
  watchServices(argument: _patchbay_host_v1_ListServicesRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_patchbay_host_v1_ServiceChange__Output>;
  
}

/**
 * Served by the plugin host on its control socket.
 */
export interface HostHandlers extends grpc.UntypedServiceImplementation {
  /**
   * Gives the host frontends and endpoint groups, for users without Kubernetes. What a caller gave stays until it gives
   * something else for it or says that it goes, also when the stream ends; it does not survive the host.
   */
  ApplyServices: grpc.handleBidiStreamingCall<_patchbay_host_v1_ApplyServicesRequest__Output, _patchbay_host_v1_ApplyServicesResponse>;
  
  /**
   * Attaches a running pod to one more network. All or nothing, and a repeat (same pod, network and interface) gives the same answer.
   */
  AttachNetwork: grpc.handleUnaryCall<_patchbay_host_v1_AttachNetworkRequest__Output, _patchbay_host_v1_AttachNetworkResponse>;
  
  /**
   * Compares attachments with the kernel, as CNI CHECK does.
   */
  CheckAttachments: grpc.handleUnaryCall<_patchbay_host_v1_CheckAttachmentsRequest__Output, _patchbay_host_v1_CheckAttachmentsResponse>;
  
  /**
   * Detaches a running pod from a network that was attached beside its default network. What is not attached is success.
   */
  DetachNetwork: grpc.handleUnaryCall<_patchbay_host_v1_DetachNetworkRequest__Output, _patchbay_host_v1_DetachNetworkResponse>;
  
  /**
   * Says what the host knows of the node's health: kernel features, sysctls, leftovers.
   */
  Doctor: grpc.handleUnaryCall<_patchbay_host_v1_DoctorRequest__Output, _patchbay_host_v1_DoctorResponse>;
  
  /**
   * Says what becomes of a packet, by the model, and whether the kernel agrees.
   */
  Explain: grpc.handleUnaryCall<_patchbay_host_v1_ExplainRequest__Output, _patchbay_host_v1_ExplainResponse>;
  
  /**
   * Answers the network-status annotations (k8s.v1.cni.cncf.io/network-status) of pods.
   */
  GetNetworkStatus: grpc.handleUnaryCall<_patchbay_host_v1_GetNetworkStatusRequest__Output, _patchbay_host_v1_GetNetworkStatusResponse>;
  
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
   * Lists the network definitions that pods may ask for, and what is wrong with them.
   */
  ListNetworkDefinitions: grpc.handleUnaryCall<_patchbay_host_v1_ListNetworkDefinitionsRequest__Output, _patchbay_host_v1_ListNetworkDefinitionsResponse>;
  
  /**
   * Lists Services with their frontends and endpoints, as planned for this node.
   */
  ListServices: grpc.handleUnaryCall<_patchbay_host_v1_ListServicesRequest__Output, _patchbay_host_v1_ListServicesResponse>;
  
  /**
   * Releases what an attachment holds although no DEL came. Refused while its namespace is alive.
   */
  ReleaseIpam: grpc.handleUnaryCall<_patchbay_host_v1_ReleaseIpamRequest__Output, _patchbay_host_v1_ReleaseIpamResponse>;
  
  /**
   * Shows pools, leases and cooling addresses.
   */
  ShowIpam: grpc.handleUnaryCall<_patchbay_host_v1_ShowIpamRequest__Output, _patchbay_host_v1_ShowIpamResponse>;
  
  /**
   * Answers when a revision is programmed, or DEADLINE_EXCEEDED. Programmed: by the built-in data plane and by every third
   * party's that is up. One that is down, or has acknowledged nothing since it came, is waited for by nobody: the answer and
   * GetStatus name it.
   */
  WaitProgrammed: grpc.handleUnaryCall<_patchbay_host_v1_WaitProgrammedRequest__Output, _patchbay_host_v1_WaitProgrammedResponse>;
  
  /**
   * Sends every attachment, then every change of one, until the caller hangs up.
   */
  WatchAttachments: grpc.handleServerStreamingCall<_patchbay_host_v1_ListAttachmentsRequest__Output, _patchbay_host_v1_AttachmentChange>;
  
  /**
   * Sends the last events and ends, or goes on with new ones until the caller hangs up.
   */
  WatchEvents: grpc.handleServerStreamingCall<_patchbay_host_v1_WatchEventsRequest__Output, _patchbay_host_v1_Event>;
  
  /**
   * Sends every Service, then every Service that changed, until the caller hangs up.
   */
  WatchServices: grpc.handleServerStreamingCall<_patchbay_host_v1_ListServicesRequest__Output, _patchbay_host_v1_ServiceChange>;
  
}

export interface HostDefinition extends grpc.ServiceDefinition {
  ApplyServices: MethodDefinition<_patchbay_host_v1_ApplyServicesRequest, _patchbay_host_v1_ApplyServicesResponse, _patchbay_host_v1_ApplyServicesRequest__Output, _patchbay_host_v1_ApplyServicesResponse__Output>
  AttachNetwork: MethodDefinition<_patchbay_host_v1_AttachNetworkRequest, _patchbay_host_v1_AttachNetworkResponse, _patchbay_host_v1_AttachNetworkRequest__Output, _patchbay_host_v1_AttachNetworkResponse__Output>
  CheckAttachments: MethodDefinition<_patchbay_host_v1_CheckAttachmentsRequest, _patchbay_host_v1_CheckAttachmentsResponse, _patchbay_host_v1_CheckAttachmentsRequest__Output, _patchbay_host_v1_CheckAttachmentsResponse__Output>
  DetachNetwork: MethodDefinition<_patchbay_host_v1_DetachNetworkRequest, _patchbay_host_v1_DetachNetworkResponse, _patchbay_host_v1_DetachNetworkRequest__Output, _patchbay_host_v1_DetachNetworkResponse__Output>
  Doctor: MethodDefinition<_patchbay_host_v1_DoctorRequest, _patchbay_host_v1_DoctorResponse, _patchbay_host_v1_DoctorRequest__Output, _patchbay_host_v1_DoctorResponse__Output>
  Explain: MethodDefinition<_patchbay_host_v1_ExplainRequest, _patchbay_host_v1_ExplainResponse, _patchbay_host_v1_ExplainRequest__Output, _patchbay_host_v1_ExplainResponse__Output>
  GetNetworkStatus: MethodDefinition<_patchbay_host_v1_GetNetworkStatusRequest, _patchbay_host_v1_GetNetworkStatusResponse, _patchbay_host_v1_GetNetworkStatusRequest__Output, _patchbay_host_v1_GetNetworkStatusResponse__Output>
  GetStatus: MethodDefinition<_patchbay_host_v1_GetStatusRequest, _patchbay_host_v1_GetStatusResponse, _patchbay_host_v1_GetStatusRequest__Output, _patchbay_host_v1_GetStatusResponse__Output>
  ImportHostLocal: MethodDefinition<_patchbay_host_v1_ImportHostLocalRequest, _patchbay_host_v1_ImportHostLocalResponse, _patchbay_host_v1_ImportHostLocalRequest__Output, _patchbay_host_v1_ImportHostLocalResponse__Output>
  ListAttachments: MethodDefinition<_patchbay_host_v1_ListAttachmentsRequest, _patchbay_host_v1_ListAttachmentsResponse, _patchbay_host_v1_ListAttachmentsRequest__Output, _patchbay_host_v1_ListAttachmentsResponse__Output>
  ListNetworkDefinitions: MethodDefinition<_patchbay_host_v1_ListNetworkDefinitionsRequest, _patchbay_host_v1_ListNetworkDefinitionsResponse, _patchbay_host_v1_ListNetworkDefinitionsRequest__Output, _patchbay_host_v1_ListNetworkDefinitionsResponse__Output>
  ListServices: MethodDefinition<_patchbay_host_v1_ListServicesRequest, _patchbay_host_v1_ListServicesResponse, _patchbay_host_v1_ListServicesRequest__Output, _patchbay_host_v1_ListServicesResponse__Output>
  ReleaseIpam: MethodDefinition<_patchbay_host_v1_ReleaseIpamRequest, _patchbay_host_v1_ReleaseIpamResponse, _patchbay_host_v1_ReleaseIpamRequest__Output, _patchbay_host_v1_ReleaseIpamResponse__Output>
  ShowIpam: MethodDefinition<_patchbay_host_v1_ShowIpamRequest, _patchbay_host_v1_ShowIpamResponse, _patchbay_host_v1_ShowIpamRequest__Output, _patchbay_host_v1_ShowIpamResponse__Output>
  WaitProgrammed: MethodDefinition<_patchbay_host_v1_WaitProgrammedRequest, _patchbay_host_v1_WaitProgrammedResponse, _patchbay_host_v1_WaitProgrammedRequest__Output, _patchbay_host_v1_WaitProgrammedResponse__Output>
  WatchAttachments: MethodDefinition<_patchbay_host_v1_ListAttachmentsRequest, _patchbay_host_v1_AttachmentChange, _patchbay_host_v1_ListAttachmentsRequest__Output, _patchbay_host_v1_AttachmentChange__Output>
  WatchEvents: MethodDefinition<_patchbay_host_v1_WatchEventsRequest, _patchbay_host_v1_Event, _patchbay_host_v1_WatchEventsRequest__Output, _patchbay_host_v1_Event__Output>
  WatchServices: MethodDefinition<_patchbay_host_v1_ListServicesRequest, _patchbay_host_v1_ServiceChange, _patchbay_host_v1_ListServicesRequest__Output, _patchbay_host_v1_ServiceChange__Output>
}
