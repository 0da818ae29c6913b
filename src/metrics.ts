import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Counters } from './conversation/deps.ts'

/** What `/metrics` prints. Labels are few and hold nothing of people. */
export type Metrics = Counters & { observeWebhook(channel: string, seconds: number): void; print(): Promise<string> }

export type CampaignProgress = { campaign: number; status: string; n: number }

/** `depth` counts what waits, by name, and `progress` the recipients of campaigns on their way, whenever somebody looks. */
export function createMetrics(depth: () => Promise<Record<string, number>>, progress: () => Promise<CampaignProgress[]>): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const inbound = new Counter({
    name: 'hoc_tap_inbound_total',
    help: 'Webhook calls by channel and outcome',
    labelNames: ['channel', 'outcome'],
    registers,
  })
  const outbound = new Counter({
    name: 'hoc_tap_outbound_total',
    help: 'Sends by channel and outcome or error class',
    labelNames: ['channel', 'outcome'],
    registers,
  })
  const webhook = new Histogram({
    name: 'hoc_tap_webhook_seconds',
    help: 'From a webhook call to its acknowledgement',
    labelNames: ['channel'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2],
    registers,
  })
  new Gauge({
    name: 'hoc_tap_waiting',
    help: 'Events not yet answered and messages not yet sent',
    labelNames: ['what'],
    registers,
    async collect() {
      for (const [what, n] of Object.entries(await depth())) this.set({ what }, n)
    },
  })
  new Gauge({
    name: 'hoc_tap_campaign_recipients',
    help: 'Recipients of running and paused campaigns by status',
    labelNames: ['campaign', 'status'],
    registers,
    async collect() {
      // What is over is not shown with its last figures for ever
      this.reset()
      for (const { campaign, status, n } of await progress()) this.set({ campaign, status }, n)
    },
  })
  return {
    inbound: (channel, outcome) => inbound.inc({ channel, outcome }),
    outbound: (channel, outcome) => outbound.inc({ channel, outcome }),
    observeWebhook: (channel, seconds) => webhook.observe({ channel }, seconds),
    print: () => registry.metrics(),
  }
}
