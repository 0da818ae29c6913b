import { expect, test } from 'vitest'
import { describeTrial, KILLED_TWICE } from './describe-trial.ts'

// Real processes over HTTP: the bot with its own embedded database, the platform, and people who know what they want. A seed that fails is
// seen again with: node tests/run/run.ts --people 24 --concurrency 12 --seed <seed> --only <person>

describeTrial('24 people at once, some events twice and some late', { people: 24 }, (result) => {
  test('events were in fact delivered twice', () => expect(result().duplicatesInjected).toBeGreaterThan(10))
})

describeTrial('12 people on an account without buttons, of a state agency', {
  seedOffset: 1,
  people: 12,
  buttons: false,
  stateAgency: true,
})

describeTrial(
  '15 people while everything of the bot is killed twice',
  { seedOffset: 2, people: 15, concurrency: 15, ...KILLED_TWICE },
  (result) => {
    test('it was killed in the middle, and was there again at once', () => {
      expect(result().kills).toBe(2)
      expect(Math.max(...result().readyMs.slice(1))).toBeLessThan(20_000)
    })
  },
)
