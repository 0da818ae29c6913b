import { commonParams, type Language } from '../content/texts.ts'
import type { Prompt } from '../engine/effect.ts'
import type { LoadedFlow } from '../engine/flow.ts'
import { OTHER_ANSWER } from '../engine/prompt.ts'
import type { Prepared } from '../lib/understand.ts'
import { criteriaTextKey } from '../model/criteria.ts'
import type { Deps } from './deps.ts'

// Questions whose first option is yes and second is no
const YES_NO = new Set(['consent', 'review', 'side_correct', 'readback', 'head', 'sure'])

// Every question of every flow in both languages is a few hundred
const MOST_KEPT = 2_000
// Forms of address do not change what an option means
const WORDS = commonParams({ goi: 'bác', xung: 'cháu' })

/** The answers of an open prompt, ready to be found in a text. Kept, since most prompts are the same for everybody. */
export function createOffers({ content, understand }: Pick<Deps, 'content' | 'understand'>): Offers {
  const kept = new Map<string, Prepared>()
  return {
    prepare(loaded, prompt, language) {
      const texts = content.texts[language]
      const options = prompt.options.map((option) => texts.format(option.text, WORDS))
      const key = [language, loaded.flow.id, loaded.flow.version, prompt.ref, prompt.kind, prompt.help, ...options].join('\n')
      const known = kept.get(key)
      if (known) return known
      const asked = askedOf(loaded, prompt)
      const question = asked?.question
      // The words of both ways to ask belong to the subject, whichever was sent
      const format = (part: string) => (asked ? texts.format({ key: criteriaTextKey(asked.set.id, asked.question.key, part) }, WORDS) : '')
      const made = understand.prepare({
        options: prompt.options.map((option, index) => {
          const facts = question?.options.find((item) => item.key === option.key)
          return {
            key: option.key,
            text: options[index] ?? '',
            phrases: facts?.phrases ?? phrasesOf(loaded, prompt, option.key),
            ...(facts?.amount ? { amount: facts.amount } : {}),
          }
        }),
        // Among the few that are left, a figure can only be the number of an answer
        ...(question?.counts && prompt.kind !== 'side' ? { counts: question.counts } : {}),
        ...(asked ? { ask: `${format('ask')} ${format('simple')}`, asksPerson: asked.set.title === 'CDHT' } : {}),
        kind: YES_NO.has(prompt.ref) || prompt.options.at(-1)?.key === OTHER_ANSWER ? 'confirm' : 'choice',
        ...(prompt.help ? { helpKey: '0' as const } : {}),
      })
      // Options with somebody's name in them come once; the questions of the forms are soon back
      if (kept.size >= MOST_KEPT) kept.clear()
      kept.set(key, made)
      return made
    },
  }
}

export type Offers = { prepare(loaded: LoadedFlow, prompt: Prompt, language: Language): Prepared }

function askedOf(loaded: LoadedFlow, prompt: Prompt) {
  if (prompt.kind !== 'question' && prompt.kind !== 'side') return undefined
  for (const set of loaded.sets.values()) {
    const question = set.questions.find((item) => item.key === (prompt.about ?? prompt.ref))
    if (question && prompt.options.every((option) => option.text.key.startsWith(`${set.id.replaceAll('.', '-')}.`)))
      return { set, question }
  }
  return undefined
}

function phrasesOf(loaded: LoadedFlow, prompt: Prompt, key: string): string[] {
  const node = loaded.nodes.get(prompt.about ?? prompt.ref)
  const choice = node?.kind === 'ask' && node.input.type === 'choice' ? node.input.options.find((option) => option.key === key) : undefined
  return choice?.phrases ?? []
}
