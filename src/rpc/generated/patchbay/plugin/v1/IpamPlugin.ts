// Original file: proto/patchbay/plugin/v1/ipam.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { AllocateRequest as _patchbay_plugin_v1_AllocateRequest, AllocateRequest__Output as _patchbay_plugin_v1_AllocateRequest__Output } from '../../../patchbay/plugin/v1/AllocateRequest.ts';
import type { AllocateResponse as _patchbay_plugin_v1_AllocateResponse, AllocateResponse__Output as _patchbay_plugin_v1_AllocateResponse__Output } from '../../../patchbay/plugin/v1/AllocateResponse.ts';
import type { IpamStatusRequest as _patchbay_plugin_v1_IpamStatusRequest, IpamStatusRequest__Output as _patchbay_plugin_v1_IpamStatusRequest__Output } from '../../../patchbay/plugin/v1/IpamStatusRequest.ts';
import type { IpamStatusResponse as _patchbay_plugin_v1_IpamStatusResponse, IpamStatusResponse__Output as _patchbay_plugin_v1_IpamStatusResponse__Output } from '../../../patchbay/plugin/v1/IpamStatusResponse.ts';
import type { ListLeasesRequest as _patchbay_plugin_v1_ListLeasesRequest, ListLeasesRequest__Output as _patchbay_plugin_v1_ListLeasesRequest__Output } from '../../../patchbay/plugin/v1/ListLeasesRequest.ts';
import type { ListLeasesResponse as _patchbay_plugin_v1_ListLeasesResponse, ListLeasesResponse__Output as _patchbay_plugin_v1_ListLeasesResponse__Output } from '../../../patchbay/plugin/v1/ListLeasesResponse.ts';
import type { ReleaseRequest as _patchbay_plugin_v1_ReleaseRequest, ReleaseRequest__Output as _patchbay_plugin_v1_ReleaseRequest__Output } from '../../../patchbay/plugin/v1/ReleaseRequest.ts';
import type { ReleaseResponse as _patchbay_plugin_v1_ReleaseResponse, ReleaseResponse__Output as _patchbay_plugin_v1_ReleaseResponse__Output } from '../../../patchbay/plugin/v1/ReleaseResponse.ts';

/**
 * Implemented by a plugin with ROLE_IPAM. Idempotent by attachment_id.
 */
export interface IpamPluginClient extends grpc.Client {
  /**
   * Allocates for every network of a pod, all or nothing.
   */
  Allocate(argument: _patchbay_plugin_v1_AllocateRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_plugin_v1_AllocateResponse__Output>): grpc.ClientUnaryCall;
  Allocate(argument: _patchbay_plugin_v1_AllocateRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_plugin_v1_AllocateResponse__Output>): grpc.ClientUnaryCall;
  Allocate(argument: _patchbay_plugin_v1_AllocateRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_plugin_v1_AllocateResponse__Output>): grpc.ClientUnaryCall;
  Allocate(argument: _patchbay_plugin_v1_AllocateRequest, callback: grpc.requestCallback<_patchbay_plugin_v1_AllocateResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Allocates for every network of a pod, all or nothing.
   */
  allocate(argument: _patchbay_plugin_v1_AllocateRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_plugin_v1_AllocateResponse__Output>): grpc.ClientUnaryCall;
  allocate(argument: _patchbay_plugin_v1_AllocateRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_plugin_v1_AllocateResponse__Output>): grpc.ClientUnaryCall;
  allocate(argument: _patchbay_plugin_v1_AllocateRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_plugin_v1_AllocateResponse__Output>): grpc.ClientUnaryCall;
  allocate(argument: _patchbay_plugin_v1_AllocateRequest, callback: grpc.requestCallback<_patchbay_plugin_v1_AllocateResponse__Output>): grpc.ClientUnaryCall;
  
  /**
   * Lists every lease of a network.
   */
  List(argument: _patchbay_plugin_v1_ListLeasesRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_plugin_v1_ListLeasesResponse__Output>): grpc.ClientUnaryCall;
  List(argument: _patchbay_plugin_v1_ListLeasesRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_plugin_v1_ListLeasesResponse__Output>): grpc.ClientUnaryCall;
  List(argument: _patchbay_plugin_v1_ListLeasesRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_plugin_v1_ListLeasesResponse__Output>): grpc.ClientUnaryCall;
  List(argument: _patchbay_plugin_v1_ListLeasesRequest, callback: grpc.requestCallback<_patchbay_plugin_v1_ListLeasesResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Lists every lease of a network.
   */
  list(argument: _patchbay_plugin_v1_ListLeasesRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_plugin_v1_ListLeasesResponse__Output>): grpc.ClientUnaryCall;
  list(argument: _patchbay_plugin_v1_ListLeasesRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_plugin_v1_ListLeasesResponse__Output>): grpc.ClientUnaryCall;
  list(argument: _patchbay_plugin_v1_ListLeasesRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_plugin_v1_ListLeasesResponse__Output>): grpc.ClientUnaryCall;
  list(argument: _patchbay_plugin_v1_ListLeasesRequest, callback: grpc.requestCallback<_patchbay_plugin_v1_ListLeasesResponse__Output>): grpc.ClientUnaryCall;
  
  /**
   * Releases what an attachment holds. Nothing held is success. A late release with an old sequence frees nothing.
   */
  Release(argument: _patchbay_plugin_v1_ReleaseRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_plugin_v1_ReleaseResponse__Output>): grpc.ClientUnaryCall;
  Release(argument: _patchbay_plugin_v1_ReleaseRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_plugin_v1_ReleaseResponse__Output>): grpc.ClientUnaryCall;
  Release(argument: _patchbay_plugin_v1_ReleaseRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_plugin_v1_ReleaseResponse__Output>): grpc.ClientUnaryCall;
  Release(argument: _patchbay_plugin_v1_ReleaseRequest, callback: grpc.requestCallback<_patchbay_plugin_v1_ReleaseResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Releases what an attachment holds. Nothing held is success. A late release with an old sequence frees nothing.
   */
  release(argument: _patchbay_plugin_v1_ReleaseRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_plugin_v1_ReleaseResponse__Output>): grpc.ClientUnaryCall;
  release(argument: _patchbay_plugin_v1_ReleaseRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_plugin_v1_ReleaseResponse__Output>): grpc.ClientUnaryCall;
  release(argument: _patchbay_plugin_v1_ReleaseRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_plugin_v1_ReleaseResponse__Output>): grpc.ClientUnaryCall;
  release(argument: _patchbay_plugin_v1_ReleaseRequest, callback: grpc.requestCallback<_patchbay_plugin_v1_ReleaseResponse__Output>): grpc.ClientUnaryCall;
  
  /**
   * Counts addresses of a network.
   */
  Status(argument: _patchbay_plugin_v1_IpamStatusRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_plugin_v1_IpamStatusResponse__Output>): grpc.ClientUnaryCall;
  Status(argument: _patchbay_plugin_v1_IpamStatusRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_plugin_v1_IpamStatusResponse__Output>): grpc.ClientUnaryCall;
  Status(argument: _patchbay_plugin_v1_IpamStatusRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_plugin_v1_IpamStatusResponse__Output>): grpc.ClientUnaryCall;
  Status(argument: _patchbay_plugin_v1_IpamStatusRequest, callback: grpc.requestCallback<_patchbay_plugin_v1_IpamStatusResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Counts addresses of a network.
   */
  status(argument: _patchbay_plugin_v1_IpamStatusRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_plugin_v1_IpamStatusResponse__Output>): grpc.ClientUnaryCall;
  status(argument: _patchbay_plugin_v1_IpamStatusRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_plugin_v1_IpamStatusResponse__Output>): grpc.ClientUnaryCall;
  status(argument: _patchbay_plugin_v1_IpamStatusRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_plugin_v1_IpamStatusResponse__Output>): grpc.ClientUnaryCall;
  status(argument: _patchbay_plugin_v1_IpamStatusRequest, callback: grpc.requestCallback<_patchbay_plugin_v1_IpamStatusResponse__Output>): grpc.ClientUnaryCall;
  
}

/**
 * Implemented by a plugin with ROLE_IPAM. Idempotent by attachment_id.
 */
export interface IpamPluginHandlers extends grpc.UntypedServiceImplementation {
  /**
   * Allocates for every network of a pod, all or nothing.
   */
  Allocate: grpc.handleUnaryCall<_patchbay_plugin_v1_AllocateRequest__Output, _patchbay_plugin_v1_AllocateResponse>;
  
  /**
   * Lists every lease of a network.
   */
  List: grpc.handleUnaryCall<_patchbay_plugin_v1_ListLeasesRequest__Output, _patchbay_plugin_v1_ListLeasesResponse>;
  
  /**
   * Releases what an attachment holds. Nothing held is success. A late release with an old sequence frees nothing.
   */
  Release: grpc.handleUnaryCall<_patchbay_plugin_v1_ReleaseRequest__Output, _patchbay_plugin_v1_ReleaseResponse>;
  
  /**
   * Counts addresses of a network.
   */
  Status: grpc.handleUnaryCall<_patchbay_plugin_v1_IpamStatusRequest__Output, _patchbay_plugin_v1_IpamStatusResponse>;
  
}

export interface IpamPluginDefinition extends grpc.ServiceDefinition {
  Allocate: MethodDefinition<_patchbay_plugin_v1_AllocateRequest, _patchbay_plugin_v1_AllocateResponse, _patchbay_plugin_v1_AllocateRequest__Output, _patchbay_plugin_v1_AllocateResponse__Output>
  List: MethodDefinition<_patchbay_plugin_v1_ListLeasesRequest, _patchbay_plugin_v1_ListLeasesResponse, _patchbay_plugin_v1_ListLeasesRequest__Output, _patchbay_plugin_v1_ListLeasesResponse__Output>
  Release: MethodDefinition<_patchbay_plugin_v1_ReleaseRequest, _patchbay_plugin_v1_ReleaseResponse, _patchbay_plugin_v1_ReleaseRequest__Output, _patchbay_plugin_v1_ReleaseResponse__Output>
  Status: MethodDefinition<_patchbay_plugin_v1_IpamStatusRequest, _patchbay_plugin_v1_IpamStatusResponse, _patchbay_plugin_v1_IpamStatusRequest__Output, _patchbay_plugin_v1_IpamStatusResponse__Output>
}
