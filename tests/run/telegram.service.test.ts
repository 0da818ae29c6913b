import { beforeAll, describe, expect, test } from 'vitest'
import { runTrial, type TrialResult } from './trial.ts'

// Seen again with: node tests/run/run.ts --telegram poll --people 24 --concurrency 12 --seed <seed> --only <person>

const SEED = Number(process.env.RUN_SEED ?? 20_261)

describe.each(['poll', 'webhook'] as const)('24 people at once on Telegram by %s, updates doubled and late', (telegram) => {
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
      telegram,
    })
  }, 110_000)

  test('everyone comes to the end', () => {
    expect(result.stuck, `seed ${SEED}`).toEqual([])
    expect(result.finished).toBe(24)
    expect(result.duplicatesInjected).toBeGreaterThan(0)
  })
  test('every answer exported is the one that was meant', () => {
    expect(result.expectedAnswers).toBeGreaterThan(200)
    expect(result.wrong, `seed ${SEED}`).toEqual([])
  })
  test('nobody is answered twice or without having written', () => expect(result.extras, `seed ${SEED}`).toEqual([]))
  test('nothing anybody wrote stays without an answer', () => expect(result.lost, `seed ${SEED}`).toEqual([]))
  test('the tally counts what the answers say', () => expect(result.miscounted, `seed ${SEED}`).toEqual([]))
})

describe('12 people on Telegram while everything of the bot is killed twice', () => {
  let result: TrialResult
  beforeAll(async () => {
    result = await runTrial({
      people: 12,
      concurrency: 12,
      seed: SEED + 1,
      duplicates: 0,
      late: 0,
      buttons: true,
      stateAgency: false,
      telegram: 'poll',
      killEverySeconds: [3, 5],
      maxKills: 2,
      thinkMs: 300,
    })
  }, 110_000)

  test('every answer exported is the one that was meant', () => {
    expect(result.kills).toBe(2)
    expect({ stuck: result.stuck, wrong: result.wrong, miscounted: result.miscounted }, `seed ${SEED + 1}`).toEqual({
      stuck: [],
      wrong: [],
      miscounted: [],
    })
  })
  test('nothing is lost', () => expect(result.lost, `seed ${SEED + 1}`).toEqual([]))
  test('nobody is answered twice, but for replies in flight at a kill', () => expect(result.extras, `seed ${SEED + 1}`).toEqual([]))
})
