import type { FlowFile, Node } from '../model/flow.ts'
import type { TextRef } from '../model/text.ts'
import type { Words } from './diff-sets.ts'

type Ask = Extract<Node, { kind: 'ask' }>
type Choice = Extract<Ask['input'], { type: 'choice' }>['options'][number]

/**
 * What changes between two versions of a flow, line by line, for somebody who decides about it and reads no JSON: what is asked and said, how
 * much the machine does between that nobody sees, and who is moved. The sets a form asks are compared by `diffSets`.
 */
export function diffFlows(before: FlowFile, after: FlowFile, words: Words): TextRef[] {
  if (bare(before) === bare({ ...after, version: before.version })) return [{ key: 'diff.none' }]
  const lines: TextRef[] = []
  const say = (key: string, params: TextRef['params'] = {}) => lines.push({ key: `diff.${key}`, params })
  const now = (id: string | undefined) => (id === undefined ? undefined : (after.nodes_from[id] ?? id))
  const unseen = { added: 0, changed: 0, gone: 0 }
  const came = new Set<string>()

  for (const node of before.nodes) {
    const to = after.nodes.find((item) => item.id === now(node.id))
    const step = wordsOf(before, node, words)
    if (!to) {
      if (step === undefined) unseen.gone++
      else say('step_gone', { step })
      continue
    }
    came.add(to.id)
    if (node.kind === 'ask' && to.kind === 'ask') compareAsked(node, to)
    else if (node.kind === 'say' && to.kind === 'say') compareNext(node, to)
    else if (bare({ ...node, id: to.id }) !== bare(to) && node.kind !== 'form') unseen.changed++
  }
  for (const node of after.nodes) {
    if (came.has(node.id)) continue
    const step = wordsOf(after, node, words)
    if (step === undefined) unseen.added++
    else say('step_new', { step })
  }
  if (now(before.start) !== after.start) say('start')
  if (bare(before.leave) !== bare(after.leave)) say(after.leave ? 'leave' : 'leave_gone', { words: after.leave?.phrases.join(', ') ?? '' })
  if (before.staff !== after.staff) say(after.staff ? 'staff' : 'staff_gone')
  if (unseen.added + unseen.changed + unseen.gone > 0) say('unseen', unseen)
  say(after.must_move ? 'must_move' : 'pinned', { version: before.version })
  return lines

  function compareAsked(node: Ask, to: Ask): void {
    const step = wordsOf(after, to, words) ?? to.id
    const [old, fresh] = [choices(node), choices(to)]
    const label = (flow: FlowFile, id: string, key: string) => words(`${flow.id}.${id}.${key}`) ?? key
    for (const { key } of fresh)
      if (!old.some((item) => item.key === key)) say('step_option_new', { step, option: label(after, to.id, key) })
    for (const { key } of old)
      if (!fresh.some((item) => item.key === key)) say('step_option_gone', { step, option: label(before, node.id, key) })
    const both = old.flatMap((option) => {
      const same = fresh.find((item) => item.key === option.key)
      return same ? [{ option, same }] : []
    })
    if (both.some(({ option, same }) => bare(option.phrases) !== bare(same.phrases))) say('step_phrases', { step })
    for (const { option, same } of both)
      if (now(option.next) !== same.next || now(option.edit) !== same.edit)
        say('option_next', { step, option: label(after, to.id, same.key) })
    if (old.length + fresh.length === 0 && bare(node.input) !== bare(to.input)) say('step_input', { step })
    // Where every answer has a way of its own, the way of all is none
    if (fresh.length === 0 || fresh.some(({ next, edit }) => next === undefined && edit === undefined)) compareNext(node, to)
  }

  function compareNext(node: { next: string }, to: Extract<Node, { next: string }>): void {
    if (now(node.next) !== to.next) say('step_next', { step: wordsOf(after, to, words) ?? to.id })
  }
}

/** What people read at a step; undefined for one where the machine only does or decides something. */
function wordsOf(flow: FlowFile, node: Node, words: Words): string | undefined {
  if (node.kind !== 'ask' && node.kind !== 'say') return undefined
  return words(`${flow.id}.${node.id}.${node.kind}`) ?? node.id
}

const choices = ({ input }: Ask): readonly Choice[] => (input.type === 'choice' ? input.options : [])
const bare = (value: unknown): string => JSON.stringify(value) ?? ''

/** The sets two versions of a flow ask, by the value that chooses among them. */
export function setsOf(flow: FlowFile): Map<string, string> {
  return new Map(flow.nodes.flatMap((node) => (node.kind === 'form' ? Object.entries(node.set.of) : [])))
}
