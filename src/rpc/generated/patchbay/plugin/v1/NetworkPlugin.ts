// Original file: proto/patchbay/plugin/v1/network.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { AttachRequest as _patchbay_plugin_v1_AttachRequest, AttachRequest__Output as _patchbay_plugin_v1_AttachRequest__Output } from '../../../patchbay/plugin/v1/AttachRequest.ts';
import type { AttachResponse as _patchbay_plugin_v1_AttachResponse, AttachResponse__Output as _patchbay_plugin_v1_AttachResponse__Output } from '../../../patchbay/plugin/v1/AttachResponse.ts';
import type { CheckRequest as _patchbay_plugin_v1_CheckRequest, CheckRequest__Output as _patchbay_plugin_v1_CheckRequest__Output } from '../../../patchbay/plugin/v1/CheckRequest.ts';
import type { CheckResponse as _patchbay_plugin_v1_CheckResponse, CheckResponse__Output as _patchbay_plugin_v1_CheckResponse__Output } from '../../../patchbay/plugin/v1/CheckResponse.ts';
import type { DetachRequest as _patchbay_plugin_v1_DetachRequest, DetachRequest__Output as _patchbay_plugin_v1_DetachRequest__Output } from '../../../patchbay/plugin/v1/DetachRequest.ts';
import type { DetachResponse as _patchbay_plugin_v1_DetachResponse, DetachResponse__Output as _patchbay_plugin_v1_DetachResponse__Output } from '../../../patchbay/plugin/v1/DetachResponse.ts';
import type { ListRequest as _patchbay_plugin_v1_ListRequest, ListRequest__Output as _patchbay_plugin_v1_ListRequest__Output } from '../../../patchbay/plugin/v1/ListRequest.ts';
import type { ListResponse as _patchbay_plugin_v1_ListResponse, ListResponse__Output as _patchbay_plugin_v1_ListResponse__Output } from '../../../patchbay/plugin/v1/ListResponse.ts';
import type { RepairNetworkRequest as _patchbay_plugin_v1_RepairNetworkRequest, RepairNetworkRequest__Output as _patchbay_plugin_v1_RepairNetworkRequest__Output } from '../../../patchbay/plugin/v1/RepairNetworkRequest.ts';
import type { RepairNetworkResponse as _patchbay_plugin_v1_RepairNetworkResponse, RepairNetworkResponse__Output as _patchbay_plugin_v1_RepairNetworkResponse__Output } from '../../../patchbay/plugin/v1/RepairNetworkResponse.ts';
import type { StatusRequest as _patchbay_plugin_v1_StatusRequest, StatusRequest__Output as _patchbay_plugin_v1_StatusRequest__Output } from '../../../patchbay/plugin/v1/StatusRequest.ts';
import type { StatusResponse as _patchbay_plugin_v1_StatusResponse, StatusResponse__Output as _patchbay_plugin_v1_StatusResponse__Output } from '../../../patchbay/plugin/v1/StatusResponse.ts';

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
export interface NetworkPluginClient extends grpc.Client {
  /**
   * Attaches a pod to a network. A repeat with the same attachment_id gives the same answer. When it
   * fails the plugin leaves nothing behind that Detach would not remove. An answer that AttachResponse says cannot be counts as a
   * failure that may pass, and Detach follows.
   */
  Attach(argument: _patchbay_plugin_v1_AttachRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_plugin_v1_AttachResponse__Output>): grpc.ClientUnaryCall;
  Attach(argument: _patchbay_plugin_v1_AttachRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_plugin_v1_AttachResponse__Output>): grpc.ClientUnaryCall;
  Attach(argument: _patchbay_plugin_v1_AttachRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_plugin_v1_AttachResponse__Output>): grpc.ClientUnaryCall;
  Attach(argument: _patchbay_plugin_v1_AttachRequest, callback: grpc.requestCallback<_patchbay_plugin_v1_AttachResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Attaches a pod to a network. A repeat with the same attachment_id gives the same answer. When it
   * fails the plugin leaves nothing behind that Detach would not remove. An answer that AttachResponse says cannot be counts as a
   * failure that may pass, and Detach follows.
   */
  attach(argument: _patchbay_plugin_v1_AttachRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_plugin_v1_AttachResponse__Output>): grpc.ClientUnaryCall;
  attach(argument: _patchbay_plugin_v1_AttachRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_plugin_v1_AttachResponse__Output>): grpc.ClientUnaryCall;
  attach(argument: _patchbay_plugin_v1_AttachRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_plugin_v1_AttachResponse__Output>): grpc.ClientUnaryCall;
  attach(argument: _patchbay_plugin_v1_AttachRequest, callback: grpc.requestCallback<_patchbay_plugin_v1_AttachResponse__Output>): grpc.ClientUnaryCall;
  
  /**
   * Compares an attachment with what the kernel or fabric holds.
   */
  Check(argument: _patchbay_plugin_v1_CheckRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_plugin_v1_CheckResponse__Output>): grpc.ClientUnaryCall;
  Check(argument: _patchbay_plugin_v1_CheckRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_plugin_v1_CheckResponse__Output>): grpc.ClientUnaryCall;
  Check(argument: _patchbay_plugin_v1_CheckRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_plugin_v1_CheckResponse__Output>): grpc.ClientUnaryCall;
  Check(argument: _patchbay_plugin_v1_CheckRequest, callback: grpc.requestCallback<_patchbay_plugin_v1_CheckResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Compares an attachment with what the kernel or fabric holds.
   */
  check(argument: _patchbay_plugin_v1_CheckRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_plugin_v1_CheckResponse__Output>): grpc.ClientUnaryCall;
  check(argument: _patchbay_plugin_v1_CheckRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_plugin_v1_CheckResponse__Output>): grpc.ClientUnaryCall;
  check(argument: _patchbay_plugin_v1_CheckRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_plugin_v1_CheckResponse__Output>): grpc.ClientUnaryCall;
  check(argument: _patchbay_plugin_v1_CheckRequest, callback: grpc.requestCallback<_patchbay_plugin_v1_CheckResponse__Output>): grpc.ClientUnaryCall;
  
  /**
   * Removes an attachment. What is not there is removed already: success.
   */
  Detach(argument: _patchbay_plugin_v1_DetachRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_plugin_v1_DetachResponse__Output>): grpc.ClientUnaryCall;
  Detach(argument: _patchbay_plugin_v1_DetachRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_plugin_v1_DetachResponse__Output>): grpc.ClientUnaryCall;
  Detach(argument: _patchbay_plugin_v1_DetachRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_plugin_v1_DetachResponse__Output>): grpc.ClientUnaryCall;
  Detach(argument: _patchbay_plugin_v1_DetachRequest, callback: grpc.requestCallback<_patchbay_plugin_v1_DetachResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Removes an attachment. What is not there is removed already: success.
   */
  detach(argument: _patchbay_plugin_v1_DetachRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_plugin_v1_DetachResponse__Output>): grpc.ClientUnaryCall;
  detach(argument: _patchbay_plugin_v1_DetachRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_plugin_v1_DetachResponse__Output>): grpc.ClientUnaryCall;
  detach(argument: _patchbay_plugin_v1_DetachRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_plugin_v1_DetachResponse__Output>): grpc.ClientUnaryCall;
  detach(argument: _patchbay_plugin_v1_DetachRequest, callback: grpc.requestCallback<_patchbay_plugin_v1_DetachResponse__Output>): grpc.ClientUnaryCall;
  
  /**
   * Lists the attachments that the plugin believes to hold, so that the host can reconcile.
   */
  List(argument: _patchbay_plugin_v1_ListRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_plugin_v1_ListResponse__Output>): grpc.ClientUnaryCall;
  List(argument: _patchbay_plugin_v1_ListRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_plugin_v1_ListResponse__Output>): grpc.ClientUnaryCall;
  List(argument: _patchbay_plugin_v1_ListRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_plugin_v1_ListResponse__Output>): grpc.ClientUnaryCall;
  List(argument: _patchbay_plugin_v1_ListRequest, callback: grpc.requestCallback<_patchbay_plugin_v1_ListResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Lists the attachments that the plugin believes to hold, so that the host can reconcile.
   */
  list(argument: _patchbay_plugin_v1_ListRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_plugin_v1_ListResponse__Output>): grpc.ClientUnaryCall;
  list(argument: _patchbay_plugin_v1_ListRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_plugin_v1_ListResponse__Output>): grpc.ClientUnaryCall;
  list(argument: _patchbay_plugin_v1_ListRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_plugin_v1_ListResponse__Output>): grpc.ClientUnaryCall;
  list(argument: _patchbay_plugin_v1_ListRequest, callback: grpc.requestCallback<_patchbay_plugin_v1_ListResponse__Output>): grpc.ClientUnaryCall;
  
  /**
   * Looks whether the node still has what a network needs of it (a bridge, a gateway address, a masquerade rule), makes again
   * what somebody took away, and answers what was missing. Called every few seconds for each network, only with
   * CAPABILITY_REPAIR_NETWORK: it looks before it changes anything.
   */
  RepairNetwork(argument: _patchbay_plugin_v1_RepairNetworkRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_plugin_v1_RepairNetworkResponse__Output>): grpc.ClientUnaryCall;
  RepairNetwork(argument: _patchbay_plugin_v1_RepairNetworkRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_plugin_v1_RepairNetworkResponse__Output>): grpc.ClientUnaryCall;
  RepairNetwork(argument: _patchbay_plugin_v1_RepairNetworkRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_plugin_v1_RepairNetworkResponse__Output>): grpc.ClientUnaryCall;
  RepairNetwork(argument: _patchbay_plugin_v1_RepairNetworkRequest, callback: grpc.requestCallback<_patchbay_plugin_v1_RepairNetworkResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Looks whether the node still has what a network needs of it (a bridge, a gateway address, a masquerade rule), makes again
   * what somebody took away, and answers what was missing. Called every few seconds for each network, only with
   * CAPABILITY_REPAIR_NETWORK: it looks before it changes anything.
   */
  repairNetwork(argument: _patchbay_plugin_v1_RepairNetworkRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_plugin_v1_RepairNetworkResponse__Output>): grpc.ClientUnaryCall;
  repairNetwork(argument: _patchbay_plugin_v1_RepairNetworkRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_plugin_v1_RepairNetworkResponse__Output>): grpc.ClientUnaryCall;
  repairNetwork(argument: _patchbay_plugin_v1_RepairNetworkRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_plugin_v1_RepairNetworkResponse__Output>): grpc.ClientUnaryCall;
  repairNetwork(argument: _patchbay_plugin_v1_RepairNetworkRequest, callback: grpc.requestCallback<_patchbay_plugin_v1_RepairNetworkResponse__Output>): grpc.ClientUnaryCall;
  
  /**
   * Says whether Attach can succeed for a network now. Answered from memory.
   */
  Status(argument: _patchbay_plugin_v1_StatusRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_plugin_v1_StatusResponse__Output>): grpc.ClientUnaryCall;
  Status(argument: _patchbay_plugin_v1_StatusRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_plugin_v1_StatusResponse__Output>): grpc.ClientUnaryCall;
  Status(argument: _patchbay_plugin_v1_StatusRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_plugin_v1_StatusResponse__Output>): grpc.ClientUnaryCall;
  Status(argument: _patchbay_plugin_v1_StatusRequest, callback: grpc.requestCallback<_patchbay_plugin_v1_StatusResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Says whether Attach can succeed for a network now. Answered from memory.
   */
  status(argument: _patchbay_plugin_v1_StatusRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_plugin_v1_StatusResponse__Output>): grpc.ClientUnaryCall;
  status(argument: _patchbay_plugin_v1_StatusRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_patchbay_plugin_v1_StatusResponse__Output>): grpc.ClientUnaryCall;
  status(argument: _patchbay_plugin_v1_StatusRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_patchbay_plugin_v1_StatusResponse__Output>): grpc.ClientUnaryCall;
  status(argument: _patchbay_plugin_v1_StatusRequest, callback: grpc.requestCallback<_patchbay_plugin_v1_StatusResponse__Output>): grpc.ClientUnaryCall;
  
}

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
export interface NetworkPluginHandlers extends grpc.UntypedServiceImplementation {
  /**
   * Attaches a pod to a network. A repeat with the same attachment_id gives the same answer. When it
   * fails the plugin leaves nothing behind that Detach would not remove. An answer that AttachResponse says cannot be counts as a
   * failure that may pass, and Detach follows.
   */
  Attach: grpc.handleUnaryCall<_patchbay_plugin_v1_AttachRequest__Output, _patchbay_plugin_v1_AttachResponse>;
  
  /**
   * Compares an attachment with what the kernel or fabric holds.
   */
  Check: grpc.handleUnaryCall<_patchbay_plugin_v1_CheckRequest__Output, _patchbay_plugin_v1_CheckResponse>;
  
  /**
   * Removes an attachment. What is not there is removed already: success.
   */
  Detach: grpc.handleUnaryCall<_patchbay_plugin_v1_DetachRequest__Output, _patchbay_plugin_v1_DetachResponse>;
  
  /**
   * Lists the attachments that the plugin believes to hold, so that the host can reconcile.
   */
  List: grpc.handleUnaryCall<_patchbay_plugin_v1_ListRequest__Output, _patchbay_plugin_v1_ListResponse>;
  
  /**
   * Looks whether the node still has what a network needs of it (a bridge, a gateway address, a masquerade rule), makes again
   * what somebody took away, and answers what was missing. Called every few seconds for each network, only with
   * CAPABILITY_REPAIR_NETWORK: it looks before it changes anything.
   */
  RepairNetwork: grpc.handleUnaryCall<_patchbay_plugin_v1_RepairNetworkRequest__Output, _patchbay_plugin_v1_RepairNetworkResponse>;
  
  /**
   * Says whether Attach can succeed for a network now. Answered from memory.
   */
  Status: grpc.handleUnaryCall<_patchbay_plugin_v1_StatusRequest__Output, _patchbay_plugin_v1_StatusResponse>;
  
}

export interface NetworkPluginDefinition extends grpc.ServiceDefinition {
  Attach: MethodDefinition<_patchbay_plugin_v1_AttachRequest, _patchbay_plugin_v1_AttachResponse, _patchbay_plugin_v1_AttachRequest__Output, _patchbay_plugin_v1_AttachResponse__Output>
  Check: MethodDefinition<_patchbay_plugin_v1_CheckRequest, _patchbay_plugin_v1_CheckResponse, _patchbay_plugin_v1_CheckRequest__Output, _patchbay_plugin_v1_CheckResponse__Output>
  Detach: MethodDefinition<_patchbay_plugin_v1_DetachRequest, _patchbay_plugin_v1_DetachResponse, _patchbay_plugin_v1_DetachRequest__Output, _patchbay_plugin_v1_DetachResponse__Output>
  List: MethodDefinition<_patchbay_plugin_v1_ListRequest, _patchbay_plugin_v1_ListResponse, _patchbay_plugin_v1_ListRequest__Output, _patchbay_plugin_v1_ListResponse__Output>
  RepairNetwork: MethodDefinition<_patchbay_plugin_v1_RepairNetworkRequest, _patchbay_plugin_v1_RepairNetworkResponse, _patchbay_plugin_v1_RepairNetworkRequest__Output, _patchbay_plugin_v1_RepairNetworkResponse__Output>
  Status: MethodDefinition<_patchbay_plugin_v1_StatusRequest, _patchbay_plugin_v1_StatusResponse, _patchbay_plugin_v1_StatusRequest__Output, _patchbay_plugin_v1_StatusResponse__Output>
}
