import type { Test } from '../model/flow.ts'
import type { Node } from './flow.ts'
import { isComplete, openForm } from './form.ts'
import { textParams } from './prompt.ts'
import { type AskNode, fault, formOf, prompt, type Run, setFor } from './run.ts'
import type { Session } from './session.ts'

// A flow that goes round without waiting is an author's mistake; the longest honest chain is far shorter
const MAX_NODES_A_STEP = 50

/** Walks on from a node until somebody must answer, something must be done, or the flow ends. */
export function goOn(run: Run, start: string): void {
  const { session, effects, loaded } = run
  let id = start
  for (let visited = 0; visited < MAX_NODES_A_STEP; visited++) {
    const node = loaded.nodes.get(id)
    if (!node) return fault(run, id, 'no such node')
    session.node = id
    switch (node.kind) {
      case 'say':
        effects.push({ type: 'note', text: { key: `${loaded.flow.id}.${node.id}.say`, params: textParams(session) } })
        id = node.next
        continue
      case 'branch':
        id = branchOf(session, node)
        continue
      case 'ask':
        session.waiting = 'input'
        return prompt(run)
      case 'form': {
        const set = setFor(run, node)
        if (!set) return fault(run, id, `no criteria set for ${node.set.by}`)
        const known = session.form?.set === set.id ? session.form : undefined
        if (!known || known.confirmed) session.form = openForm(set, known?.answers)
        session.waiting = 'input'
        return prompt(run)
      }
      case 'do':
        session.waiting = 'done'
        effects.push({ type: 'do', action: node.action, args: node.args, wait: true })
        return
      case 'end':
        session.waiting = 'ended'
        effects.push({ type: 'end', outcome: node.outcome, ...(node.next_flow ? { nextFlow: node.next_flow } : {}) })
        return
      default:
        node satisfies never
    }
  }
  fault(run, id, `more than ${MAX_NODES_A_STEP} nodes without waiting`)
}

/**
 * Goes on after an answer: back to where an edit began, else to `next`. Where a newer version or a corrected answer may have opened a gap
 * on the way there, the gap is asked first.
 */
export function leave(run: Run, next: string): void {
  const { session } = run
  const target = session.comeBack ?? next
  const mayLack = session.comeBack !== undefined || session.moved
  delete session.comeBack
  delete session.moved
  if (!mayLack || !fillGap(run, target)) goOn(run, target)
}

/** Asks the first thing that was never answered on the way to a node. False when there is none. */
export function fillGap(run: Run, target: string): boolean {
  const { missing, reaches } = wayTo(run, target)
  if (missing === undefined) return false
  if (reaches) run.session.comeBack = target
  goOn(run, missing)
  return true
}

/** The way from the start to a node with the answers there are; past the first missing one as the author drew it. */
function wayTo(run: Run, target: string): { missing?: string; reaches: boolean } {
  const seen = new Set<string>()
  let missing: string | undefined
  for (let id = run.loaded.flow.start; id !== target; ) {
    const node = run.loaded.nodes.get(id)
    if (!node || node.kind === 'end' || seen.has(id)) return { ...(missing === undefined ? {} : { missing }), reaches: false }
    seen.add(id)
    if (missing === undefined && isMissing(run, node)) missing = id
    id = node.kind === 'branch' ? branchOf(run.session, node) : node.kind === 'ask' ? nextOf(node, run.session.vars[node.var]) : node.next
  }
  return { ...(missing === undefined ? {} : { missing }), reaches: true }
}

function isMissing(run: Run, node: Node): boolean {
  if (node.kind === 'form') {
    const filled = formOf(run)
    return filled?.set.id !== setFor(run, node)?.id || !filled?.form.confirmed || !isComplete(filled.set, filled.form)
  }
  if (node.kind !== 'ask') return false
  const value = run.session.vars[node.var]
  return value === undefined || (node.input.type === 'choice' && !node.input.options.some((option) => option.key === value))
}

/** Where an answer of an ask node leads. */
export function nextOf(node: AskNode, value: unknown): string {
  const choice = node.input.type === 'choice' ? node.input.options.find((option) => option.key === value) : undefined
  return choice?.next ?? node.next
}

function branchOf(session: Session, node: Extract<Node, { kind: 'branch' }>): string {
  return node.cases.find((item) => holds(session, item.when))?.next ?? node.else
}

/** Whether what is known of the person passes a test of the flow. */
export function holds(session: Pick<Session, 'vars'>, test: Test): boolean {
  const value = session.vars[test.var]
  if (test.set !== undefined) return (value !== undefined && value !== '') === test.set
  if (test.in) return value !== undefined && test.in.includes(value)
  if (typeof value !== 'number') return false
  return (test.lt === undefined || value < test.lt) && (test.gte === undefined || value >= test.gte)
}
