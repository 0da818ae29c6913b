import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import fastify from 'fastify'
import type { Browser, Page } from 'playwright-core'
import { importClips, loadClips } from '../../src/registry/voice-clips.ts'
import { phonePage } from '../../src/simulator/phone/plugin.ts'
import { type Bot, startBot } from '../support/bot.ts'
import { openBrowser } from './phone.ts'

const VOICE_SAMPLE = new URL('../../flows/voice-sample', import.meta.url).pathname
const PICTURES = process.env.SCREENSHOTS

/** A bot that can be heard, the phone page over its platform, and a browser to see both. */
export type Pages = { bot: Bot; address: string; browser: Browser; close(): Promise<void> }

/** Starts them on a database and ports of their own; `close` stops all. */
export async function startPages(options?: Parameters<typeof startBot>[0]): Promise<Pages> {
  const browser = await openBrowser()
  const bot = await startBot(options)
  const { clips } = await loadClips(VOICE_SAMPLE, () => true)
  await importClips(bot.app.deps.database.db, { clips, sample: true, actor: 'test', now: new Date() })
  const app = fastify({ forceCloseConnections: true })
  await app.register(phonePage)
  await app.register(bot.simulator.personApi, { prefix: '/phone' })
  const address = `${await app.listen({ host: '127.0.0.1', port: 0 })}/`
  return {
    bot,
    address,
    browser,
    async close() {
      await browser.close()
      await app.close()
      await bot.close()
    },
  }
}

/** Keeps what a page shows in the folder SCREENSHOTS, where that is set. */
export async function keepPicture(page: Page, name: string, options: { fullPage?: boolean } = {}): Promise<void> {
  if (!PICTURES) return
  mkdirSync(PICTURES, { recursive: true })
  await page.screenshot({ path: join(PICTURES, `${name}.png`), ...options })
}
