import { parseArgs } from 'node:util'
import { loadFlow } from '../../src/engine/flow.ts'
import type { Input } from '../../src/engine/input.ts'
import { newSession, type Session } from '../../src/engine/session.ts'
import { step } from '../../src/engine/step.ts'
import { flowWith, type QuestionShape, setWith } from '../engine/small-flow.ts'
import { describeMachine } from './machine.ts'

// One answer to a form of 20 and of 100 questions, and what must be kept between two messages. The session is read and written as JSON, as
// the database keeps it. Keys are short here; `flow check` refuses a set of so many questions whose keys would need more than 2 KB.

const SIZES = [20, 100]
const ROUNDS = 300

export type EngineFigures = { questions: number; microsPerStep: number; stateBytes: number }

/** A form of so many questions answered again and again. */
export function measureEngine(questions: number, rounds = ROUNDS): EngineFigures {
  const shapes = Array.from({ length: questions }, (_, index): QuestionShape => [`q_${index + 1}`, 'a', 'b', 'c', 'd'])
  const loaded = loadFlow(
    flowWith([
      { id: 'form', kind: 'form', set: { by: 'group', of: { nguoi_dan: 'thu.1' } }, next: 'end' },
      { id: 'end', kind: 'end', outcome: 'done' },
    ]),
    new Map([['thu.1', setWith('thu.1', shapes)]]),
  )
  const answer: Input = { type: 'option', key: 'b' }
  let stateBytes = 0
  let spentMs = 0
  let steps = 0
  for (let round = 0; round < rounds; round++) {
    let { session } = step(loaded, newSession('thu', 1, 'form', { group: 'nguoi_dan', year: 2026 }), { type: 'start' })
    const began = performance.now()
    for (let n = 0; n < questions; n++) {
      session = step(loaded, session, answer).session
      steps += 1
    }
    // The first rounds warm up
    if (round >= rounds / 10) spentMs += performance.now() - began
    else steps = 0
    stateBytes = Math.max(stateBytes, Buffer.byteLength(JSON.stringify(session satisfies Session)))
  }
  return { questions, microsPerStep: (spentMs * 1_000) / steps, stateBytes }
}

export async function bench(args: string[]): Promise<string> {
  const { values } = parseArgs({ args, options: { rounds: { type: 'string', default: String(ROUNDS) } } })
  const rows = SIZES.map((size) => measureEngine(size, Number(values.rounds)))
  return `## Engine

${describeMachine()}

| questions | a step | state |
|---|---|---|
${rows.map((row) => `| ${row.questions} | ${row.microsPerStep.toFixed(1)} µs | ${row.stateBytes} bytes |`).join('\n')}`
}
