import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import fastify from 'fastify'
import { z } from 'zod'
import { AccountSettings } from './account.ts'
import { phonePage } from './phone/plugin.ts'
import { createSimulator } from './simulator.ts'

const { values } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '0' },
    'control-port': { type: 'string', default: '0' },
    accounts: { type: 'string' },
    webhook: { type: 'string' },
    journal: { type: 'string' },
    seed: { type: 'string' },
    'app-per-minute': { type: 'string' },
    'retry-ladder': { type: 'string' },
    'never-disable': { type: 'boolean', default: false },
    'webhook-concurrency': { type: 'string' },
    'broadcast-review': { type: 'string' },
    'broadcasts-at-night': { type: 'boolean', default: false },
  },
})

if (values.accounts === undefined) {
  process.stderr.write('Say --accounts <file.json>: a list of accounts as in account.ts.\n')
  process.exit(2)
}

const accounts = z.array(AccountSettings).parse(JSON.parse(readFileSync(values.accounts, 'utf8')))
const simulator = await createSimulator({
  accounts: accounts.map((account) => (values.webhook === undefined ? account : { ...account, webhookUrl: values.webhook })),
  neverDisable: values['never-disable'],
  broadcastsAtNight: values['broadcasts-at-night'],
  ...(values.journal !== undefined && { journalFile: values.journal }),
  ...(values.seed !== undefined && { seed: Number(values.seed) }),
  ...(values['app-per-minute'] !== undefined && { appPerMinute: Number(values['app-per-minute']) }),
  ...(values['webhook-concurrency'] !== undefined && { webhookConcurrency: Number(values['webhook-concurrency']) }),
  ...(values['broadcast-review'] !== undefined && { broadcastReviewMs: Number(values['broadcast-review']) }),
  ...(values['retry-ladder'] !== undefined && { retryLadderMs: values['retry-ladder'].split(',').map(Number) }),
})
const person = fastify({ forceCloseConnections: true })
await person.register(phonePage)
await person.register(simulator.personApi, { prefix: '/phone' })

const platformUrl = await simulator.platform.listen({ host: values.host, port: Number(values.port) })
const personUrl = await person.listen({ host: values.host, port: Number(values['control-port']) })
// one line of JSON so that a parent process can read where the doors are
process.stdout.write(`${JSON.stringify({ platform: platformUrl, person: personUrl })}\n`)

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop)

async function stop() {
  await person.close()
  await simulator.close()
}
