// Original file: proto/patchbay/plugin/v1/services.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { ProgramAck as _patchbay_plugin_v1_ProgramAck, ProgramAck__Output as _patchbay_plugin_v1_ProgramAck__Output } from '../../../patchbay/plugin/v1/ProgramAck.ts';
import type { ProgramRequest as _patchbay_plugin_v1_ProgramRequest, ProgramRequest__Output as _patchbay_plugin_v1_ProgramRequest__Output } from '../../../patchbay/plugin/v1/ProgramRequest.ts';

/**
 * Implemented by plugins with ROLE_SERVICES, beside the built-in data plane; docs/services.md says how one joins.
 */
export interface ServicePluginClient extends grpc.Client {
  /**
   * One stream for as long as the host lives. The host sends a snapshot first, then deltas, each with a revision; the plugin
   * acknowledges. After a reconnect the host sends a snapshot again, and the plugin applies only differences. The host sends
   * no delta before the one before it is acknowledged; a plugin that does not answer within the deadline is hung up on.
   */
  Program(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_patchbay_plugin_v1_ProgramRequest, _patchbay_plugin_v1_ProgramAck__Output>;
  Program(options?: grpc.CallOptions): grpc.ClientDuplexStream<_patchbay_plugin_v1_ProgramRequest, _patchbay_plugin_v1_ProgramAck__Output>;
  /**
   * One stream for as long as the host lives. The host sends a snapshot first, then deltas, each with a revision; the plugin
   * acknowledges. After a reconnect the host sends a snapshot again, and the plugin applies only differences. The host sends
   * no delta before the one before it is acknowledged; a plugin that does not answer within the deadline is hung up on.
   */
  program(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_patchbay_plugin_v1_ProgramRequest, _patchbay_plugin_v1_ProgramAck__Output>;
  program(options?: grpc.CallOptions): grpc.ClientDuplexStream<_patchbay_plugin_v1_ProgramRequest, _patchbay_plugin_v1_ProgramAck__Output>;
  
}

/**
 * Implemented by plugins with ROLE_SERVICES, beside the built-in data plane; docs/services.md says how one joins.
 */
export interface ServicePluginHandlers extends grpc.UntypedServiceImplementation {
  /**
   * One stream for as long as the host lives. The host sends a snapshot first, then deltas, each with a revision; the plugin
   * acknowledges. After a reconnect the host sends a snapshot again, and the plugin applies only differences. The host sends
   * no delta before the one before it is acknowledged; a plugin that does not answer within the deadline is hung up on.
   */
  Program: grpc.handleBidiStreamingCall<_patchbay_plugin_v1_ProgramRequest__Output, _patchbay_plugin_v1_ProgramAck>;
  
}

export interface ServicePluginDefinition extends grpc.ServiceDefinition {
  Program: MethodDefinition<_patchbay_plugin_v1_ProgramRequest, _patchbay_plugin_v1_ProgramAck, _patchbay_plugin_v1_ProgramRequest__Output, _patchbay_plugin_v1_ProgramAck__Output>
}
