// Original file: proto/patchbay/plugin/v1/plugin.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { GetInfoRequest as _patchbay_plugin_v1_GetInfoRequest, GetInfoRequest__Output as _patchbay_plugin_v1_GetInfoRequest__Output } from '../../../patchbay/plugin/v1/GetInfoRequest.ts';
import type { GetInfoResponse as _patchbay_plugin_v1_GetInfoResponse, GetInfoResponse__Output as _patchbay_plugin_v1_GetInfoResponse__Output } from '../../../patchbay/plugin/v1/GetInfoResponse.ts';

/**
 * Implemented by every plugin, on the socket run/patchbay/plugins/NAME.sock below the host's root, owned by the host's user.
 * A plugin that serves grpc.health.v1.Health too (service "") is asked by it: NOT_SERVING makes ADDs that need it wait, and nothing else.
 */
export interface PluginClient extends grpc.Client {
  /**
   * Says who the plugin is and what it can do. Called once for each connection, before anything else.
   */
  GetInfo(argument: _patchbay_plugin_v1_GetInfoRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_plugin_v1_GetInfoResponse__Output>): grpc.ClientUnaryCall;
  GetInfo(argument: _patchbay_plugin_v1_GetInfoRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_plugin_v1_GetInfoResponse__Output>): grpc.ClientUnaryCall;
  GetInfo(argument: _patchbay_plugin_v1_GetInfoRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_plugin_v1_GetInfoResponse__Output>): grpc.ClientUnaryCall;
  GetInfo(argument: _patchbay_plugin_v1_GetInfoRequest, callback: grpc.requestCallback<_patchbay_plugin_v1_GetInfoResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Says who the plugin is and what it can do. Called once for each connection, before anything else.
   */
  getInfo(argument: _patchbay_plugin_v1_GetInfoRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_plugin_v1_GetInfoResponse__Output>): grpc.ClientUnaryCall;
  getInfo(argument: _patchbay_plugin_v1_GetInfoRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_plugin_v1_GetInfoResponse__Output>): grpc.ClientUnaryCall;
  getInfo(argument: _patchbay_plugin_v1_GetInfoRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_plugin_v1_GetInfoResponse__Output>): grpc.ClientUnaryCall;
  getInfo(argument: _patchbay_plugin_v1_GetInfoRequest, callback: grpc.requestCallback<_patchbay_plugin_v1_GetInfoResponse__Output>): grpc.ClientUnaryCall;
  
}

/**
 * Implemented by every plugin, on the socket run/patchbay/plugins/NAME.sock below the host's root, owned by the host's user.
 * A plugin that serves grpc.health.v1.Health too (service "") is asked by it: NOT_SERVING makes ADDs that need it wait, and nothing else.
 */
export interface PluginHandlers extends grpc.UntypedServiceImplementation {
  /**
   * Says who the plugin is and what it can do. Called once for each connection, before anything else.
   */
  GetInfo: grpc.handleUnaryCall<_patchbay_plugin_v1_GetInfoRequest__Output, _patchbay_plugin_v1_GetInfoResponse>;
  
}

export interface PluginDefinition extends grpc.ServiceDefinition {
  GetInfo: MethodDefinition<_patchbay_plugin_v1_GetInfoRequest, _patchbay_plugin_v1_GetInfoResponse, _patchbay_plugin_v1_GetInfoRequest__Output, _patchbay_plugin_v1_GetInfoResponse__Output>
}
