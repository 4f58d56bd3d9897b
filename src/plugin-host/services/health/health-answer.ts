import type { HealthCheck } from "../../../services/table-types.ts";
import type { HttpAnswer } from "./http-listener.ts";
import type { HealthReport } from "./proxy-health.ts";

const HEADERS = { "content-type": "application/json", "x-content-type-options": "nosniff" };

/**
 * The answer of a healthCheckNodePort: 200 when at least one local endpoint is ready and the proxy
 * is healthy. Load balancers with weights read the header.
 */
export function answerHealthCheck(check: HealthCheck, isProxyHealthy: boolean): HttpAnswer {
  const { namespace, name, localReadyEndpoints } = check;
  return {
    code: localReadyEndpoints > 0 && isProxyHealthy ? 200 : 503,
    headers: { ...HEADERS, "x-load-balancing-endpoint-weight": `${localReadyEndpoints}` },
    body: JSON.stringify({
      service: { namespace, name },
      localEndpoints: localReadyEndpoints,
      serviceProxyHealthy: isProxyHealthy,
    }),
  };
}

/** The answer of /healthz: is this a node to send to? */
export function answerHealthz(report: HealthReport): HttpAnswer {
  return {
    code: report.isHealthy && report.isNodeEligible ? 200 : 503,
    headers: HEADERS,
    body: JSON.stringify({ ...times(report), nodeEligible: report.isNodeEligible }),
  };
}

/** The answer of /livez: does this process do its work? */
export function answerLivez(report: HealthReport): HttpAnswer {
  return {
    code: report.isHealthy ? 200 : 503,
    headers: HEADERS,
    body: JSON.stringify(times(report)),
  };
}

function times(report: HealthReport): { lastUpdated: string; currentTime: string } {
  return {
    lastUpdated: new Date(report.lastUpdatedMs).toISOString(),
    currentTime: new Date(report.currentMs).toISOString(),
  };
}
