import { describe, expect, test } from 'vitest'
import { whyNoRedis } from '../support/redis.ts'
import { runTrial, type TrialOptions } from './trial.ts'

// The kill run, small: real processes, killed while they send. A seed that fails is seen again with
// npm run test:kill -- --seed <seed> --recipients 600 --open 80 --rate 60 --every 2 --arrangement one|four

const SEED = Number(process.env.RUN_SEED ?? 20_264)
const small: Omit<TrialOptions, 'arrangement'> = {
  seed: SEED,
  recipients: 600,
  openPercent: 80,
  perSecond: 60,
  killEveryMs: 2_000,
  writesPerSecond: 10,
  long: false,
  untilSettled: false,
  mostPauses: 1,
  say: () => {},
}

// A trial that does not come to its end says itself what is left, after 252 s
const LONGEST_MS = 330_000
// Two campaigns to 600 each
const figures = { problems: [], lost: 0, doubled: 0, recipients: 1_200 }

describe('a campaign while its processes are killed', () => {
  test('one process with the embedded server, queues on PostgreSQL: nobody is lost or written to twice', {
    timeout: LONGEST_MS,
  }, async () => {
    const result = await runTrial({ ...small, arrangement: 'one' })
    expect(result).toMatchObject(figures)
    expect(result.kills).toBeGreaterThan(1)
    expect(result.inFlightKills).toBeGreaterThan(0)
    expect(result.receipts.of).toBeGreaterThan(0)
  })

  test.skipIf(whyNoRedis)(
    'two web and two worker processes, queues on Redis: nobody is lost or written to twice',
    { timeout: LONGEST_MS },
    async () => {
      const result = await runTrial({ ...small, arrangement: 'four' })
      expect(result).toMatchObject(figures)
      expect(result.kills).toBeGreaterThan(1)
    },
  )
})
