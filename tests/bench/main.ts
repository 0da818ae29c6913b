import { parseArgs } from 'node:util'

// npm run bench -- reply          each prints Markdown on standard output, and what it is doing on standard error

const BENCHES: Record<string, () => Promise<{ bench(args: string[]): Promise<string> }>> = {
  reply: () => import('./reply.ts'),
  idle: () => import('./idle.ts'),
  broadcast: () => import('./broadcast.ts'),
  pace: () => import('./pace.ts'),
  communes: () => import('./communes.ts'),
  recipients: () => import('./recipients.ts'),
  engine: () => import('./engine.ts'),
}

const { positionals } = parseArgs({ allowPositionals: true, strict: false })
const load = BENCHES[positionals[0] ?? '']
if (!load) {
  console.error(`Say which: ${Object.keys(BENCHES).join(', ')}.`)
  process.exit(2)
}
const { bench } = await load()
console.log(await bench(process.argv.slice(3)))
