import { parseArgs } from 'node:util'
import { BOT_TOKEN, startFleet } from './fleet.ts'
import { describeMachine, watchOthers } from './machine.ts'

// npm run bench -- pace [--workers 1,4] [--per-minute 6000] [--reserve 20] [--minutes 2]
// True minutes: a campaign that lasts so long under the limits of both its accounts, the Zalo account's a minute and the Telegram bot's a
// second. Judged by the moments its requests reached the platforms, nothing else

const MINUTE_MS = 60_000
const SLACK_MS = 60_000
// flows/settings.json, account.per_second.telegram
const TELEGRAM_PER_SECOND = 30

type Limited = { channel: string; limit: number; windowMs: number; moments: readonly number[]; people: number }

export async function bench(args: string[]): Promise<string> {
  const { values } = parseArgs({
    args,
    options: {
      workers: { type: 'string', default: '1,4' },
      'per-minute': { type: 'string', default: '6000' },
      reserve: { type: 'string', default: '20' },
      minutes: { type: 'string', default: '2' },
    },
    allowPositionals: true,
  })
  const [perMinute, reserve, minutes] = [Number(values['per-minute']), Number(values.reserve), Number(values.minutes)]
  const rows: string[] = []
  for (const workers of values.workers.split(',').map(Number)) {
    console.error(`${workers} worker processes, ${minutes} minutes`)
    const { limited, through, othersCores } = await measure({ workers, perMinute, reserve, minutes })
    for (const { channel, limit, windowMs, moments, people } of limited) {
      const seconds = windowMs / 1_000
      const most = mostInAnyWindow(moments, windowMs)
      const share = (limit * (100 - reserve)) / 100
      const windows = ((moments.at(-1) ?? 0) - (moments[0] ?? 0)) / windowMs
      const used = (100 * (moments.length - 1)) / (share * windows)
      const exact = through && moments.length === people
      rows.push(
        `| ${workers} | ${channel} | ${limit} in ${seconds} s | **${most}**${most > limit ? ' TOO MANY' : ''} | ${share} | ${((windows * seconds) / 60).toFixed(2)} | **${used.toFixed(1)} %**${used < 98 ? ' TOO FEW' : ''} | ${exact ? 'yes' : 'NO'} | ${othersCores.toFixed(1)} |`,
      )
    }
  }
  return `## Pace

${describeMachine()}

${reserve} % of the limits is kept for replies, and nobody writes.

| worker processes | channel | limit | most in any such time | campaign's share of it | minutes from first to last | of the share used | exact | cores busy with others |
|---|---|---|---|---|---|---|---|---|
${rows.join('\n')}`
}

async function measure({ workers, perMinute, reserve, minutes }: { workers: number; perMinute: number; reserve: number; minutes: number }) {
  const share = (100 - reserve) / 100
  const people = Math.round(perMinute * minutes * share)
  const onTelegram = Math.round(TELEGRAM_PER_SECOND * 60 * minutes * share)
  const fleet = await startFleet({ workers, communes: 1, people, onTelegram, perMinute, reserve })
  try {
    const others = watchOthers()
    const [begun] = await fleet.begin()
    const through = await fleet.finish(minutes * MINUTE_MS + SLACK_MS)
    const { arrived } = await fleet.report()
    const limited: Limited[] = [
      { channel: 'Zalo', limit: perMinute, windowMs: MINUTE_MS, moments: arrived[begun?.oaId ?? ''] ?? [], people },
      { channel: 'Telegram', limit: TELEGRAM_PER_SECOND, windowMs: 1_000, moments: arrived[BOT_TOKEN] ?? [], people: onTelegram },
    ]
    return { limited, through, othersCores: others() }
  } finally {
    await fleet.close()
  }
}

/** Of moments in order, the most that lie in one window, wherever it begins. */
export function mostInAnyWindow(moments: readonly number[], windowMs: number): number {
  let most = 0
  let from = 0
  for (const [to, moment] of moments.entries()) {
    while (moment - (moments[from] ?? moment) >= windowMs) from++
    most = Math.max(most, to - from + 1)
  }
  return most
}
