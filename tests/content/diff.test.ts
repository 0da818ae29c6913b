import { join } from 'node:path'
import { expect, test } from 'vitest'
import { diffFlows, diffSets } from '../../src/content/diff.ts'
import { loadContent } from '../../src/content/load.ts'
import { flowWith, NODES, setWith } from '../engine/small-flow.ts'

const { texts } = loadContent(join(import.meta.dirname, '../..'))
const read = (lines: ReturnType<typeof diffSets>) => lines.map((line) => texts.vi.format(line, {}))

const before = setWith('thu.1', [
  ['q1', 'a', 'b'],
  ['q2', 'a', 'b'],
  ['q3', 'a', 'b'],
  ['q4', 'a', 'b'],
])

test('an officer reads what changes for whom', () => {
  const after = setWith(
    'thu.2',
    [
      ['q1', 'a', 'b'],
      ['neu', 'x', 'y'],
      ['q4', 'a', 'c'],
      ['q3', 'b', 'a'],
    ],
    [{ from: 'thu.1', questions: { q2: null }, options: { q4: { b: null } } }],
  )
  expect(read(diffSets(before, after, () => undefined))).toEqual([
    'Bỏ câu 2: q2.',
    'Câu “q3”, trả lời “a”: 10 điểm → 9 điểm.',
    'Câu “q3”, trả lời “b”: 9 điểm → 10 điểm.',
    'Câu “q4” chuyển từ số 4 sang số 3.',
    'Câu “q4”: bỏ câu trả lời “b”.',
    'Câu “q4”: thêm câu trả lời “c”.',
    'Thêm câu 2: neu',
    'Mọi người sang bản mới được hỏi thêm: neu. Câu trả lời khác giữ nguyên.',
    'Ai đã chọn câu trả lời bị bỏ thì được hỏi lại: q4.',
  ])
})

test('what only moves because something came before it did not move', () => {
  const after = setWith(
    'thu.2',
    [
      ['neu', 'x', 'y'],
      ['q1', 'a', 'b'],
      ['q2', 'a', 'b'],
      ['q3', 'a', 'b'],
      ['q4', 'a', 'b'],
    ],
    [{ from: 'thu.1' }],
  )
  expect(read(diffSets(before, after, () => undefined)).filter((line) => line.includes('chuyển'))).toEqual([])
})

test('steps of a flow, and who is moved', () => {
  const after = flowWith([...NODES, { id: 'bye', kind: 'say', next: 'end' }], 2, { must_move: true })
  expect(read(diffFlows(flowWith(NODES), after, () => undefined))).toEqual([
    'Thêm bước: bye',
    'Người đang làm dở bản 1 được chuyển sang bản mới ở tin nhắn tới.',
  ])
})
