import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runTrial, type TrialResult } from './trial.ts'

// Real processes over HTTP: the bot with its own embedded database, the platform, and people who know what they want. A seed that fails is
// seen again with: node tests/run/run.ts --people 24 --concurrency 12 --seed <seed> --only <person>

const SEED = Number(process.env.RUN_SEED ?? 20_261)

describe('24 people at once, some events twice and some late', () => {
  let result: TrialResult
  beforeAll(async () => {
    result = await runTrial({
      people: 24,
      concurrency: 12,
      seed: SEED,
      duplicates: 0.05,
      late: 0.01,
      buttons: true,
      stateAgency: false,
    })
  }, 110_000)

  test('everyone comes to the end', () => {
    expect(result.stuck, `seed ${SEED}`).toEqual([])
    expect(result.finished).toBe(24)
  })
  test('every answer exported is the one that was meant', () => {
    expect(result.expectedAnswers).toBeGreaterThan(200)
    expect(result.wrong, `seed ${SEED}`).toEqual([])
  })
  test('nobody is answered twice or without having written', () => expect(result.extras, `seed ${SEED}`).toEqual([]))
  test('nothing anybody wrote stays without an answer', () => expect(result.lost, `seed ${SEED}`).toEqual([]))
  test('the tally counts what the answers say', () => expect(result.miscounted, `seed ${SEED}`).toEqual([]))
  test('events were in fact delivered twice', () => expect(result.duplicatesInjected).toBeGreaterThan(10))
  afterAll(() => showTroubled(result))
})

describe('12 people on an account without buttons, of a state agency', () => {
  let result: TrialResult
  beforeAll(async () => {
    result = await runTrial({
      people: 12,
      concurrency: 12,
      seed: SEED + 1,
      duplicates: 0.05,
      late: 0.01,
      buttons: false,
      stateAgency: true,
    })
  }, 110_000)

  test('everyone comes to the end with the answers that were meant', () => {
    expect({ stuck: result.stuck, wrong: result.wrong, lost: result.lost }, `seed ${SEED + 1}`).toEqual({ stuck: [], wrong: [], lost: [] })
  })
  test('nobody is answered twice', () => expect(result.extras, `seed ${SEED + 1}`).toEqual([]))
  afterAll(() => showTroubled(result))
})

describe('15 people while everything of the bot is killed twice', () => {
  let result: TrialResult
  beforeAll(async () => {
    result = await runTrial({
      people: 15,
      concurrency: 15,
      seed: SEED + 2,
      duplicates: 0.05,
      late: 0.01,
      buttons: true,
      stateAgency: false,
      killEverySeconds: [3, 5],
      maxKills: 2,
      thinkMs: 300,
    })
  }, 110_000)

  test('it was killed in the middle, and was there again at once', () => {
    expect(result.kills).toBe(2)
    expect(Math.max(...result.readyMs.slice(1))).toBeLessThan(20_000)
  })
  test('every answer exported is the one that was meant', () => {
    expect(result.stuck, `seed ${SEED + 2}`).toEqual([])
    expect(result.wrong, `seed ${SEED + 2}`).toEqual([])
    expect(result.miscounted).toEqual([])
  })
  test('nothing is lost', () => expect(result.lost, `seed ${SEED + 2}`).toEqual([]))
  test('nobody is answered twice, but for replies in flight at a kill', () => expect(result.extras, `seed ${SEED + 2}`).toEqual([]))
  afterAll(() => showTroubled(result))
})

/** What those saw with whom something went wrong. */
function showTroubled(result: TrialResult | undefined): void {
  const troubled = [...(result?.wrong ?? []), ...(result?.extras ?? []), ...(result?.lost ?? []), ...(result?.stuck ?? [])]
  const [first] = troubled.flatMap((one) => /person (\d+)/.exec(one)?.[1] ?? [])
  const life = result?.lives.find(({ plan }) => String(plan.index) === first)
  if (life) console.error(`person ${first}:\n${life.account.transcript.join('\n')}`)
}
