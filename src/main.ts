import { flushCompileCache } from 'node:module'
import { loadQuickly } from './lib/load-quickly.ts'

loadQuickly()
const { main } = await import('./start.ts')
await main()
// A process that is killed has no time to keep it
flushCompileCache()
