import { join } from 'node:path'
import { expect, test } from 'vitest'
import { diffFlows } from '../../src/content/diff-flows.ts'
import { diffSets } from '../../src/content/diff-sets.ts'
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
    'Thêm bước: “bye”',
    'Người đang làm dở bản 1 được chuyển sang bản mới ở tin nhắn tới.',
  ])
})

test('an officer reads what people will see, and how much they will not', () => {
  const content = loadContent(join(import.meta.dirname, '../..'))
  const version = (id: string, n: number) => content.flows.find((flow) => flow.id === id && flow.version === n) ?? flowWith(NODES)
  const words = (key: string) => content.texts.vi.outline(key, { goi: 'bác', Goi: 'Bác', xung: 'cháu', Xung: 'Cháu' })
  expect(read(diffFlows(version('welcome', 1), version('welcome', 2), words))).toEqual([
    '“Bác thuộc nhóm nào ạ?”: những cách nói được hiểu nay khác trước; các câu trả lời vẫn thế.',
    'Thêm bước: “… trả lời hộ một người tên …, sinh năm …, ở …, ngày …. Đó có phải là bác không ạ?”',
    'Thêm bước: “Cháu cảm ơn bác! Từ nay phần này là của bác; câu nào chưa đúng, bác sửa lại được ạ.”',
    'Việc máy tự làm phía sau, người nhắn không thấy: thêm 8 bước, đổi 1, bỏ 0.',
    'Người đang làm dở bản 1 làm cho xong bản ấy; người mới bắt đầu dùng bản mới.',
  ])
})

test('answers, ways on, names and the way out of a flow', () => {
  const asked = (options: object[], more: object = {}) => [
    { id: 'head', kind: 'ask', var: 'head', input: { type: 'choice', options }, next: 'end', ...more },
    { id: 'adults', kind: 'ask', var: 'adults', input: { type: 'count', min: 1, max: 30 }, next: 'end' },
    { id: 'end', kind: 'end', outcome: 'over' },
  ]
  const old = flowWith(asked([{ key: 'co', next: 'adults' }, { key: 'khong' }]))
  const renamed = asked([{ key: 'co' }, { key: 'khong', phrases: ['chưa'] }, { key: 'sau' }], { id: 'chu_ho' })
  const after = flowWith(renamed, 2, { nodes_from: { head: 'chu_ho' }, leave: { phrases: ['thôi', 'để sau'], next: 'end' } })
  expect(read(diffFlows(old, after, () => undefined))).toEqual([
    '“chu_ho”: thêm câu trả lời “sau”.',
    '“chu_ho”: những cách nói được hiểu nay khác trước; các câu trả lời vẫn thế.',
    '“chu_ho”, ai trả lời “co” thì sang bước khác trước.',
    'Giữa chừng muốn thôi thì nhắn: thôi, để sau.',
    'Người đang làm dở bản 1 làm cho xong bản ấy; người mới bắt đầu dùng bản mới.',
  ])
  expect(read(diffFlows(old, old, () => undefined))).toEqual(['Hai bản giống nhau.'])
})
