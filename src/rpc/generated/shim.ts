import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { InvokeRequest as _patchbay_shim_v1_InvokeRequest, InvokeRequest__Output as _patchbay_shim_v1_InvokeRequest__Output } from './patchbay/shim/v1/InvokeRequest.ts';
import type { InvokeResponse as _patchbay_shim_v1_InvokeResponse, InvokeResponse__Output as _patchbay_shim_v1_InvokeResponse__Output } from './patchbay/shim/v1/InvokeResponse.ts';
import type { ShimClient as _patchbay_shim_v1_ShimClient, ShimDefinition as _patchbay_shim_v1_ShimDefinition } from './patchbay/shim/v1/Shim.ts';
import type { TraceContext as _patchbay_shim_v1_TraceContext, TraceContext__Output as _patchbay_shim_v1_TraceContext__Output } from './patchbay/shim/v1/TraceContext.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  patchbay: {
    shim: {
      v1: {
        Command: EnumTypeDefinition
        InvokeRequest: MessageTypeDefinition<_patchbay_shim_v1_InvokeRequest, _patchbay_shim_v1_InvokeRequest__Output>
        InvokeResponse: MessageTypeDefinition<_patchbay_shim_v1_InvokeResponse, _patchbay_shim_v1_InvokeResponse__Output>
        /**
         * Served by the plugin host on its shim socket.
         */
        Shim: SubtypeConstructor<typeof grpc.Client, _patchbay_shim_v1_ShimClient> & { service: _patchbay_shim_v1_ShimDefinition }
        TraceContext: MessageTypeDefinition<_patchbay_shim_v1_TraceContext, _patchbay_shim_v1_TraceContext__Output>
      }
    }
  }
}

