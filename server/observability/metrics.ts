import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** What operators watch, in Prometheus' form at `/metrics`. */
export class Metrics {
  readonly registry = new Registry()
  readonly webhooks = new Counter({
    name: 'nexus_webhooks_total',
    help: 'Webhooks by provider and what became of them: kept, repeated, forged, unreadable, unknown_inbox, refused',
    labelNames: ['provider', 'result'] as const,
    registers: [this.registry],
  })
  readonly events = new Counter({
    name: 'nexus_inbound_events_total',
    help: 'Events read from webhooks, by kind and what became of them',
    labelNames: ['provider', 'kind', 'result'] as const,
    registers: [this.registry],
  })
  readonly attempts = new Counter({
    name: 'nexus_attempts_total',
    help: 'Attempts to send, by provider and outcome',
    labelNames: ['provider', 'outcome'] as const,
    registers: [this.registry],
  })
  readonly attemptSeconds = new Histogram({
    name: 'nexus_attempt_seconds',
    help: 'Time a provider took to answer an attempt',
    labelNames: ['provider'] as const,
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [this.registry],
  })
  readonly ingestSeconds = new Histogram({
    name: 'nexus_ingest_seconds',
    help: 'Time from a webhook to its message broadcast',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
    registers: [this.registry],
  })
  readonly requests = new Histogram({
    name: 'nexus_http_seconds',
    help: 'Requests by method and status class',
    labelNames: ['method', 'status'] as const,
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
    registers: [this.registry],
  })
  readonly sockets = new Gauge({
    name: 'nexus_sockets',
    help: 'Connected agent sockets',
    registers: [this.registry],
  })

  constructor() {
    collectDefaultMetrics({ register: this.registry })
  }
}
