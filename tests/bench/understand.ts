// How long one text takes, over all corpora: `node tests/bench/understand.ts`. The limit is 0.2 ms a text on one core.
import { readdirSync } from 'node:fs'
import { createUnderstanding } from '../../src/lib/understand.ts'
import type { CorpusLine } from '../understand/corpus.ts'
import { loadLexicon, readJson } from '../understand/lexicon.ts'
import { loadQuestions } from '../understand/questions.ts'

const ROUNDS = 5
const WARM_UP = 3

const { prepare, understand } = createUnderstanding(loadLexicon())
const questions = [...loadQuestions()]
const beforePrepare = performance.now()
const prepared = new Map(questions.map(([name, offered]) => [name, prepare(offered)]))
const prepareMs = (performance.now() - beforePrepare) / questions.length
const CORPORA = new URL('../understand/', import.meta.url)
const lines = readdirSync(CORPORA)
  .filter((name) => name.endsWith('.json') && name !== 'villages.json')
  .flatMap((name) => readJson(new URL(name, CORPORA)) as CorpusLine[])

const times: number[] = []
for (let round = 0; round < ROUNDS + WARM_UP; round++) {
  for (const { set, question, text } of lines) {
    const answers = prepared.get(`${set} ${question}`)
    if (answers === undefined) continue
    const start = performance.now()
    understand(text, answers)
    if (round >= WARM_UP) times.push(performance.now() - start)
  }
}
times.sort((a, b) => a - b)
const percentile = (share: number) => (times[Math.floor(times.length * share)] ?? 0).toFixed(3)
const mean = times.reduce((sum, ms) => sum + ms, 0) / times.length
console.log(
  `${times.length} texts: mean ${mean.toFixed(3)} ms, p50 ${percentile(0.5)} ms, p99 ${percentile(0.99)} ms; prepare ${prepareMs.toFixed(1)} ms a question`,
)
