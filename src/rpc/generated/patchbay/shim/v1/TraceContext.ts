// Original file: proto/patchbay/shim/v1/shim.proto


/**
 * W3C trace context (TRACEPARENT, TRACESTATE, BAGGAGE), as newer libcni hands it to plugins.
 */
export interface TraceContext {
  /**
   * TRACEPARENT, empty when absent.
   */
  'traceparent'?: (string);
  /**
   * TRACESTATE, empty when absent.
   */
  'tracestate'?: (string);
  /**
   * BAGGAGE, empty when absent.
   */
  'baggage'?: (string);
}

/**
 * W3C trace context (TRACEPARENT, TRACESTATE, BAGGAGE), as newer libcni hands it to plugins.
 */
export interface TraceContext__Output {
  /**
   * TRACEPARENT, empty when absent.
   */
  'traceparent': (string);
  /**
   * TRACESTATE, empty when absent.
   */
  'tracestate': (string);
  /**
   * BAGGAGE, empty when absent.
   */
  'baggage': (string);
}
