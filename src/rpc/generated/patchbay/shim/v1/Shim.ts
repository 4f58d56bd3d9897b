// Original file: proto/patchbay/shim/v1/shim.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { InvokeRequest as _patchbay_shim_v1_InvokeRequest, InvokeRequest__Output as _patchbay_shim_v1_InvokeRequest__Output } from '../../../patchbay/shim/v1/InvokeRequest.ts';
import type { InvokeResponse as _patchbay_shim_v1_InvokeResponse, InvokeResponse__Output as _patchbay_shim_v1_InvokeResponse__Output } from '../../../patchbay/shim/v1/InvokeResponse.ts';

/**
 * Served by the plugin host on its shim socket.
 */
export interface ShimClient extends grpc.Client {
  /**
   * Runs one CNI verb. Errors of CNI travel as data in InvokeResponse; a gRPC error means that the
   * host could not be reached or refused to look at the request.
   */
  Invoke(argument: _patchbay_shim_v1_InvokeRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_shim_v1_InvokeResponse__Output>): grpc.ClientUnaryCall;
  Invoke(argument: _patchbay_shim_v1_InvokeRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_shim_v1_InvokeResponse__Output>): grpc.ClientUnaryCall;
  Invoke(argument: _patchbay_shim_v1_InvokeRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_shim_v1_InvokeResponse__Output>): grpc.ClientUnaryCall;
  Invoke(argument: _patchbay_shim_v1_InvokeRequest, callback: grpc.requestCallback<_patchbay_shim_v1_InvokeResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Runs one CNI verb. Errors of CNI travel as data in InvokeResponse; a gRPC error means that the
   * host could not be reached or refused to look at the request.
   */
  invoke(argument: _patchbay_shim_v1_InvokeRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_shim_v1_InvokeResponse__Output>): grpc.ClientUnaryCall;
  invoke(argument: _patchbay_shim_v1_InvokeRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_shim_v1_InvokeResponse__Output>): grpc.ClientUnaryCall;
  invoke(argument: _patchbay_shim_v1_InvokeRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_shim_v1_InvokeResponse__Output>): grpc.ClientUnaryCall;
  invoke(argument: _patchbay_shim_v1_InvokeRequest, callback: grpc.requestCallback<_patchbay_shim_v1_InvokeResponse__Output>): grpc.ClientUnaryCall;
  
}

/**
 * Served by the plugin host on its shim socket.
 */
export interface ShimHandlers extends grpc.UntypedServiceImplementation {
  /**
   * Runs one CNI verb. Errors of CNI travel as data in InvokeResponse; a gRPC error means that the
   * host could not be reached or refused to look at the request.
   */
  Invoke: grpc.handleUnaryCall<_patchbay_shim_v1_InvokeRequest__Output, _patchbay_shim_v1_InvokeResponse>;
  
}

export interface ShimDefinition extends grpc.ServiceDefinition {
  Invoke: MethodDefinition<_patchbay_shim_v1_InvokeRequest, _patchbay_shim_v1_InvokeResponse, _patchbay_shim_v1_InvokeRequest__Output, _patchbay_shim_v1_InvokeResponse__Output>
}
