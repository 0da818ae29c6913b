import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runTrial, type TrialOptions, type TrialResult } from './trial.ts'

const SEED = Number(process.env.RUN_SEED ?? 20_261)
const TRIAL_MS = 110_000
// Of the ten questions, for those who decline, are children or are answered for
const LEAST_ANSWERS_PER_PERSON = 8

/** Killed twice, while each person takes a moment before each step, so that a few people's talk spans both kills. */
export const KILLED_TWICE = { killEverySeconds: [3, 5], maxKills: 2, thinkMs: 300 } satisfies Partial<TrialOptions>

type Setup = Pick<TrialOptions, 'people'> & Partial<TrialOptions> & { seedOffset?: number }

/**
 * A trial with some events twice and some late, and what must hold of each: all come to the end, what was exported and counted is what they
 * meant, and nobody is answered twice or not at all. `more` adds what must hold of this one. Shows what somebody saw with whom it went wrong.
 */
export function describeTrial(name: string, { seedOffset = 0, ...setup }: Setup, more?: (result: () => TrialResult) => void): void {
  const seed = SEED + seedOffset
  describe(name, () => {
    let result: TrialResult
    beforeAll(async () => {
      result = await runTrial({ concurrency: 12, seed, duplicates: 0.05, late: 0.01, buttons: true, stateAgency: false, ...setup })
    }, TRIAL_MS)
    afterAll(() => showTroubled(result))

    test('everyone comes to the end', () => {
      expect(result.stuck, `seed ${seed}`).toEqual([])
      expect(result.finished).toBe(setup.people)
    })
    test('every answer exported is the one that was meant', () => {
      expect(result.expectedAnswers).toBeGreaterThan(LEAST_ANSWERS_PER_PERSON * setup.people)
      expect(result.wrong, `seed ${seed}`).toEqual([])
    })
    // But for replies in flight at a kill, which a second life cannot know of
    test('nobody is answered twice or without having written', () => expect(result.extras, `seed ${seed}`).toEqual([]))
    test('nothing anybody wrote stays without an answer', () => expect(result.lost, `seed ${seed}`).toEqual([]))
    test('the tally counts what the answers say', () => expect(result.miscounted, `seed ${seed}`).toEqual([]))
    more?.(() => result)
  })
}

function showTroubled(result: TrialResult | undefined): void {
  const troubled = [...(result?.wrong ?? []), ...(result?.extras ?? []), ...(result?.lost ?? []), ...(result?.stuck ?? [])]
  const [first] = troubled.flatMap((one) => /person (\d+)/.exec(one)?.[1] ?? [])
  const life = result?.lives.find(({ plan }) => String(plan.index) === first)
  if (life) console.error(`person ${first}:\n${life.account.transcript.join('\n')}`)
}
