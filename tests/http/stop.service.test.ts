import { Agent, request } from 'node:http'
import { expect, test, vi } from 'vitest'
import { signWebhook } from '../../src/zalo-oa-api-client/index.ts'
import { startTestApp, ZALO } from '../support/app.ts'

const WAIT = { timeout: 15_000, interval: 5 }

test('a request under way at the stop is answered, and its connection is not waited for', async () => {
  const bot = await startTestApp()
  const address = await bot.app.http.listen({ host: '127.0.0.1', port: 0 })
  const body = JSON.stringify({
    app_id: ZALO.ZALO_APP_ID,
    event_name: 'user_send_text',
    timestamp: String(Date.now()),
    sender: { id: 'somebody' },
    recipient: { id: ZALO.ZALO_OA_ID },
    message: { msg_id: 'under-way', text: 'xin chào' },
  })
  // Nothing can be stored for a while
  const holder = await bot.sql.reserve()
  await holder`BEGIN`
  await holder`LOCK TABLE inbound_event IN EXCLUSIVE MODE`

  const agent = new Agent({ keepAlive: true })
  const signature = signWebhook(Buffer.from(body), { appId: ZALO.ZALO_APP_ID, oaSecretKey: ZALO.ZALO_OA_SECRET_KEY })
  const answered = new Promise<{ status: number | undefined; connection: string | undefined }>((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'x-zevent-signature': signature }
    const sent = request(`${address}/webhooks/zalo`, { method: 'POST', agent, headers }, (response) => {
      resolve({ status: response.statusCode, connection: response.headers.connection })
      response.resume()
    })
    sent.on('error', reject)
    sent.end(body)
  })
  await vi.waitFor(async () => expect(await bot.sql`SELECT 1 FROM pg_locks WHERE NOT granted`).not.toEqual([]), WAIT)
  const stopping = bot.stop()
  await vi.waitFor(() => expect(bot.app.http.server.listening).toBe(false), WAIT)
  await holder`ROLLBACK`
  holder.release()

  expect(await answered).toEqual({ status: 200, connection: 'close' })
  await stopping
  agent.destroy()
})
