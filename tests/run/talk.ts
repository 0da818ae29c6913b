import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Act, createChat } from './chat.ts'
import { digestLog } from './log.ts'
import type { Incoming } from './phone.ts'
import { ACCOUNT, freePort, makeDataDir, startBot, startSimulator } from './processes.ts'
import { createZaloPhones } from './zalo-phones.ts'

// One talk with a freshly started bot, to see a complaint again: node tests/run/talk.ts 'BẮT ĐẦU' 1 5 'Lò Văn Pâng' 1970 …
// 'a + b' says both in one breath, '[2]' taps the second button of the newest message, '[2 <3]' of the third newest, '~4' waits 4 s,
// '2 @4' says 2, which the platform delivers 4 s late.

const TIMEOUT_MS = 5_000
const QUIET_MS = 1_000

const dataDir = makeDataDir()
const simulator = await startSimulator({ seed: 1, buttons: process.env.BUTTONS !== 'off', stateAgency: false, retryLadderMs: [300] })
const { refresh_token } = (await simulator.control('POST', '/tokens', { oa_id: ACCOUNT.oaId })) as { refresh_token: string }
const port = await freePort()
const bot = await startBot({ dataDir, port, platformUrl: simulator.platformUrl, refreshToken: refresh_token })
await simulator.control('PUT', '/webhook', { oa_id: ACCOUNT.oaId, url: `http://127.0.0.1:${port}/webhooks/zalo` })
const phone = await createZaloPhones({ personUrl: simulator.personUrl, oaId: ACCOUNT.oaId }).open('Máy')
const seen: Incoming[] = []
phone.onMessage((message) => seen.unshift(message))
const chat = createChat(phone, { timeoutMs: TIMEOUT_MS, quietMs: QUIET_MS, killing: false, tries: 1 })
for (const turn of process.argv.slice(2)) {
  const pause = /^~(\d+)$/.exec(turn)
  if (pause) await sleep(Number(pause[1]) * 1_000)
  else await chat.send(turn.split(' + ').map(toAct))
}
await sleep(QUIET_MS)
console.log(chat.account.transcript.join('\n'))
for (const line of digestLog(bot.log())) console.log(line)
phone.close()
await bot.stop()
await simulator.stop()
rmSync(dataDir, { recursive: true, force: true })

function toAct(turn: string): Act {
  const late = / @(\d+)$/.exec(turn)
  if (!late) return toPlainAct(turn)
  const act = toPlainAct(turn.slice(0, late.index))
  const rule = { webhook: { event: 'user_send_text', times: 1, delay_ms: Number(late[1]) * 1_000 } }
  return { words: turn, do: () => simulator.control('POST', '/faults', rule).then(act.do) }
}

function toPlainAct(words: string): Act {
  const tap = /^\[(\d+)(?: <(\d+))?\]$/.exec(words)
  if (!tap) return { words, do: () => phone.say(words) }
  const message = seen[Number(tap[2] ?? 1) - 1]!
  const button = Number(tap[1]) - 1
  return { words: `[${message.buttons[button]}]`, do: () => phone.tap(message, button) }
}
