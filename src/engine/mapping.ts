import type { CriteriaSet } from '../model/criteria.ts'
import type { FlowFile } from '../model/flow.ts'

type Sets = ReadonlyMap<string, CriteriaSet>
type Step = { set: CriteriaSet; mapping: CriteriaSet['mapping'][number] }

/** How answers of one criteria set are read in another; undefined: they have no place there. */
export type AnswerMap = {
  question(key: string): string | undefined
  option(question: string, key: string): string | undefined
}

/** The way from an older set to a newer one, over as many versions as lie between; undefined when nothing leads there. */
export function findMapping(sets: Sets, from: string, to: string): AnswerMap | undefined {
  const own = sets.get(to)
  const steps = from === to ? [] : findSteps(sets, from, to, new Set())
  if (!steps || !own) return undefined
  const read = (question: string, option?: string): { question: string; option: string | undefined } | undefined => {
    let here = { question, option }
    for (const { set, mapping } of steps) {
      const known = mapping.questions[here.question]
      const target = known === null ? undefined : set.questions.find((item) => item.key === (known ?? here.question))
      if (!target) return undefined
      const place = here.option === undefined ? undefined : mapping.options[here.question]?.[here.option]
      const key = place === null ? undefined : (place ?? here.option)
      here = { question: target.key, option: target.options.some((item) => item.key === key) ? key : undefined }
    }
    return own.questions.some((item) => item.key === here.question) ? here : undefined
  }
  return { question: (key) => read(key)?.question, option: (question, key) => read(question, key)?.option }
}

function findSteps(sets: Sets, from: string, to: string, seen: Set<string>): Step[] | undefined {
  const set = sets.get(to)
  if (!set || seen.has(to)) return undefined
  seen.add(to)
  const direct = set.mapping.find((mapping) => mapping.from === from)
  if (direct) return [{ set, mapping: direct }]
  for (const mapping of set.mapping) {
    const before = findSteps(sets, from, mapping.from, seen)
    if (before) return [...before, { set, mapping }]
  }
  return undefined
}

/** An answer as it was given: in the words of its own set. */
export type StoredAnswer = { criteriaSet: string; question: string; option: string }

type Published = { flows: readonly FlowFile[]; sets: Sets }

/** The set that stands in the newest flows for this one: itself, or a newer version that reads its answers. Else undefined. */
export function findSetInUse({ flows, sets }: Published, from: string): { set: CriteriaSet; map: AnswerMap } | undefined {
  const newest = flows.filter((flow) => !flows.some((other) => other.id === flow.id && other.version > flow.version))
  const inUse = newest.flatMap((flow) => flow.nodes.flatMap((node) => (node.kind === 'form' ? Object.values(node.set.of) : [])))
  for (const id of inUse.includes(from) ? [from] : inUse) {
    const set = sets.get(id)
    const map = findMapping(sets, from, id)
    if (set && map) return { set, map }
  }
  return undefined
}

/**
 * Reads answers of any version as the sets in use now name them, so that one table holds them all. What has no place there keeps its own
 * name, with its set before it: `cdht-g1.1/ke_hoach`.
 */
export function createAnswerReader(published: Published): (given: StoredAnswer) => StoredAnswer {
  const kept = new Map<string, ReturnType<typeof findSetInUse>>()
  return (given) => {
    const { criteriaSet } = given
    if (!kept.has(criteriaSet)) kept.set(criteriaSet, findSetInUse(published, criteriaSet))
    const use = kept.get(criteriaSet)
    if (!use || use.set.id === criteriaSet) return given
    const question = use.map.question(given.question)
    const option = use.map.option(given.question, given.option)
    if (question === undefined || option === undefined) return { ...given, question: `${criteriaSet}/${given.question}` }
    return { criteriaSet: use.set.id, question, option }
  }
}
