import { parseArgs } from 'node:util'
import { startTelegramServer } from './server.ts'

// node tests/support/telegram/main.ts --port 18790 [--token 1:abc]
const { values } = parseArgs({ options: { port: { type: 'string' }, token: { type: 'string' } } })
const server = await startTelegramServer({
  port: Number(values.port ?? 0),
  ...(values.token !== undefined && { token: values.token }),
})
console.log(JSON.stringify({ url: server.url, token: server.token }))
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void server.close())
