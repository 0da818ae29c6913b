import { type CriteriaQuestion, type CriteriaSet, criteriaTextKey } from '../model/criteria.ts'
import type { TextRef } from '../model/text.ts'

/** The words of a text key, as they are for everybody; undefined when there are none. */
export type Words = (key: string) => string | undefined

/** What changes between two versions of a criteria set, line by line, for somebody who decides about it and reads no JSON. */
export function diffSets(before: CriteriaSet, after: CriteriaSet, words: Words): TextRef[] {
  if (JSON.stringify({ ...before, id: '' }) === JSON.stringify({ ...after, id: '' })) return [{ key: 'diff.none' }]
  const lines: TextRef[] = []
  const say = (key: string, params: TextRef['params'] = {}) => lines.push({ key: `diff.${key}`, params })
  const mapping = after.mapping.find((item) => item.from === before.id)
  if (!mapping && before.id !== after.id) say('no_mapping', { from: before.id })
  const placeOf = (key: string) => (mapping?.questions[key] === undefined ? key : mapping.questions[key])
  const nameOf = (set: CriteriaSet, key: string) => words(criteriaTextKey(set.id, key, 'short')) ?? key
  const kept = before.questions.flatMap((question) => {
    const place = after.questions.findIndex((item) => item.key === placeOf(question.key))
    return place < 0 ? [] : [place]
  })
  const inOrder = longestRise(kept)
  const came = new Map<string, CriteriaQuestion>()
  const again: string[] = []

  for (const [index, question] of before.questions.entries()) {
    const to = placeOf(question.key)
    const target = after.questions.find((item) => item.key === to)
    const name = nameOf(before, question.key)
    if (!target) {
      say('question_gone', { n: index + 1, question: name })
      continue
    }
    came.set(target.key, question)
    const place = after.questions.indexOf(target)
    if (!inOrder.has(place)) say('question_moved', { question: name, from: index + 1, to: place + 1 })
    compareWords(name, [criteriaTextKey(before.id, question.key, 'ask'), criteriaTextKey(after.id, target.key, 'ask')])
    for (const option of question.options) {
      const known = mapping?.options[question.key]?.[option.key]
      const key = known === undefined ? option.key : known
      const now = target.options.find((item) => item.key === key)
      const label = words(criteriaTextKey(before.id, question.key, option.key)) ?? option.key
      if (!now) {
        say('option_gone', { question: name, option: label })
        again.push(nameOf(after, target.key))
        continue
      }
      const wording = words(criteriaTextKey(after.id, target.key, now.key)) ?? label
      if (wording !== label) say('option_reworded', { question: name, from: label, to: wording })
      if (JSON.stringify(now.also ?? {}) !== JSON.stringify(option.also ?? {})) {
        const others = Object.keys(now.also ?? {}).map((key) => nameOf(after, key))
        say(others.length > 0 ? 'also' : 'also_gone', { question: name, option: wording, others: others.join('; ') })
      }
      if (now.points !== option.points)
        say('points', { question: name, option: wording, from: option.points ?? 'none', to: now.points ?? 'none' })
    }
    for (const option of target.options) {
      const old = question.options.some((item) => (mapping?.options[question.key]?.[item.key] ?? item.key) === option.key)
      if (!old)
        say('option_new', {
          question: nameOf(after, target.key),
          option: words(criteriaTextKey(after.id, target.key, option.key)) ?? option.key,
        })
    }
  }
  const fresh = after.questions.filter((question) => !came.has(question.key))
  for (const question of fresh)
    say('question_new', {
      n: after.questions.indexOf(question) + 1,
      question: words(criteriaTextKey(after.id, question.key, 'ask')) ?? question.key,
    })
  for (const rule of ['total', 'min_each', 'max_total', 'min_citizens'] as const) {
    if (before.pass[rule] !== after.pass[rule]) say(`pass_${rule}`, { from: before.pass[rule], to: after.pass[rule] })
  }
  if (before.status !== after.status)
    say('status', { from: { key: `diff.status.${before.status}` }, to: { key: `diff.status.${after.status}` } })
  const asked = fresh.filter((question) => question.source === 'asked').map((question) => nameOf(after, question.key))
  if (asked.length > 0) say('who_new', { questions: asked.join('; ') })
  if (again.length > 0) say('who_again', { questions: [...new Set(again)].join('; ') })
  if (asked.length + again.length === 0) say('who_nobody')
  return lines

  function compareWords(question: string, [from, to]: [string, string]): void {
    const [old, now] = [words(from), words(to)]
    // A text not written yet is for `flow check` to name
    if (old !== undefined && now !== undefined && old !== now) say('question_reworded', { question, from: old, to: now })
  }
}

/** The most places that stand in rising order: what is among them did not move, whatever came or went around it. */
function longestRise(places: readonly number[]): Set<number> {
  let best: number[] = []
  const ending = new Map<number, number[]>()
  for (const place of places) {
    let longest: number[] = []
    for (const [end, rise] of ending) if (end < place && rise.length > longest.length) longest = rise
    ending.set(place, [...longest, place])
    if (longest.length + 1 > best.length) best = [...longest, place]
  }
  return new Set(best)
}
