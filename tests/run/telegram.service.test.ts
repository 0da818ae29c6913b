import { expect, test } from 'vitest'
import { describeTrial, KILLED_TWICE } from './describe-trial.ts'

// Seen again with: node tests/run/run.ts --telegram poll --people 24 --concurrency 12 --seed <seed> --only <person>

for (const telegram of ['poll', 'webhook'] as const) {
  describeTrial(`24 people at once on Telegram by ${telegram}, updates doubled and late`, { people: 24, telegram }, (result) => {
    test('updates were in fact delivered twice', () => expect(result().duplicatesInjected).toBeGreaterThan(0))
  })
}

describeTrial(
  '12 people on Telegram while everything of the bot is killed twice',
  { seedOffset: 1, people: 12, duplicates: 0, late: 0, telegram: 'poll', ...KILLED_TWICE },
  (result) => {
    test('it was killed in the middle', () => expect(result().kills).toBe(2))
  },
)
