import { type Book, GROUPS, type SetFacts } from './book.ts'
import { createDice, type Dice } from './dice.ts'

/** How somebody answers a question with offered answers. */
export type Style = 'tap' | 'number' | 'words' | 'bare_words' | 'polite_number'

/** What somebody does at a question beside answering it, once. */
export type Quirk =
  /** The same answer twice in one breath. Nothing is owed for the second. */
  | { type: 'double' }
  /** Another answer, and in the same breath the right one. */
  | { type: 'two_at_once'; first: string }
  /** Goes back to an earlier question (`to`), whose first answer was meant otherwise, by its old button or by words. */
  | { type: 'change_earlier'; to: string; by: 'old_tap' | 'sua' }
  /** Taps the button of an earlier answer once more, long after. */
  | { type: 'same_earlier'; to: string }
  | { type: 'help' }
  | { type: 'away' }
  | { type: 'gibberish'; text: string }
  | { type: 'explain' }
  | { type: 'media'; kind: 'sticker' | 'voice' | 'image' }

export type FormPlan = {
  set: string
  /** What shall stand in the end: question → option. */
  answers: Record<string, string>
  /** Where something else is said first. */
  first: Record<string, string>
  styles: Record<string, Style>
  quirks: Record<string, Quirk>
  /** Changed when the answers are read back, or after all is done. */
  atReview: string[]
  afterwards: string[]
}

/** Everything one person intends, fixed before the first word. */
export type Plan = {
  index: number
  kind: 'citizen' | 'declines' | 'child'
  arrival: 'follows' | 'greets' | 'starts'
  asksBeforeConsent: boolean
  village: { number: number; code: string }
  villageStyle: 'number' | 'name' | 'bare_name'
  asksVillageFirst: boolean
  name: string
  birthYear: number
  address: string
  group: keyof typeof GROUPS
  head: boolean
  adults: number
  headName: string
  /** Said wrong first and put right when read back. */
  wrongFirst?: { field: 'name' | 'birth_year'; name: string; birthYear: number }
  style: Style
  citizen: FormPlan
  family?: FormPlan
  /** Words of a menu typed when all is done. */
  curious: string[]
}

export type PlanOptions = { people: number; seed: number; villages: number; buttons: boolean; year: number; plain?: boolean }

const SURNAMES = ['Lò', 'Vàng', 'Giàng', 'Sùng', 'Tẩn', 'Phàn', 'Lù', 'Hoàng', 'Nùng', 'Chẻo', 'Mào', 'Thào', 'Vừ', 'Cứ', 'Hảng', 'Lý']
const MIDDLE = ['Văn', 'Thị', 'A', 'Mí', 'Seo', 'Láo', 'Páo', 'Chin', 'Kim', 'Ngọc', 'Xuân', 'Minh', 'Đức', 'Hữu', 'Thanh', 'Bích']
const GIVEN = ['Pâng', 'Dế', 'Sáng', 'Mẩy', 'Phủ', 'Chú', 'Sử', 'Lở', 'Dung', 'Hoa', 'Tỏa', 'Páo', 'Nhè', 'Quẩy', 'Tả', 'Ún', 'Kẻo', 'Diện']
const ADDRESSES = ['ong', 'ba', 'bac', 'co', 'chu', 'anh', 'chi']
// Nothing of this may be read as an answer
const GIBBERISH = ['hôm nay trời rét quá', 'để đi cho trâu ăn đã', 'con gà nhà tôi', 'asdf qwer', '🙂🙂']
const CURIOUS = ['XEM', 'KẾT QUẢ', 'MENU', 'ket qua', 'xem']

/** The same seed makes the same people, whatever happens to them. */
export function planPeople(book: Book, options: PlanOptions): Plan[] {
  const names = uniqueNames(createDice(options.seed, 'names'), options.people * 3)
  return Array.from({ length: options.people }, (_, index) => planPerson(book, options, index, names.slice(index * 3, index * 3 + 3)))
}

function planPerson(book: Book, options: PlanOptions, index: number, [name = '', headName = '', wrongName = '']: string[]): Plan {
  const dice = createDice(options.seed, `person ${index}`)
  const { buttons, plain = false } = options
  const kind = plain ? 'citizen' : dice.weighted({ citizen: 94, declines: 3, child: 3 })
  const group = dice.pick(Object.keys(GROUPS) as (keyof typeof GROUPS)[])
  const head = dice.chance() < 0.4
  const number = 1 + dice.below(options.villages)
  const style = buttons
    ? dice.weighted<Style>({ tap: 50, number: 20, words: 15, bare_words: 10, polite_number: 5 })
    : dice.weighted<Style>({ tap: 0, number: 45, words: 25, bare_words: 15, polite_number: 15 })
  const citizen = planForm(book.set(GROUPS[group]), { dice, style, buttons, plain })
  const hasFamily = head && kind === 'citizen' && dice.chance() < 0.6
  return {
    index,
    kind,
    arrival: dice.weighted({ follows: 40, greets: 20, starts: 40 }),
    asksBeforeConsent: !plain && dice.chance() < 0.06,
    village: { number, code: `binh-lu-${String(number).padStart(2, '0')}` },
    villageStyle: dice.weighted({ number: 50, name: 30, bare_name: 20 }),
    asksVillageFirst: !plain && dice.chance() < 0.05,
    name,
    birthYear: kind === 'child' ? options.year - 4 - dice.below(8) : options.year - 20 - dice.below(60),
    address: dice.pick(ADDRESSES),
    group,
    head,
    adults: 1 + dice.below(8),
    headName,
    ...(!plain && dice.chance() < 0.15 && { wrongFirst: planSlip(dice, options, wrongName) }),
    style,
    citizen,
    ...(hasFamily && { family: planForm(book.set('gdht.1'), { dice, style, buttons, plain }) }),
    curious: plain ? [] : dice.some(CURIOUS, dice.below(3)),
  }
}

const planSlip = (dice: Dice, options: PlanOptions, name: string) => ({
  field: dice.pick(['name', 'birth_year'] as const),
  name,
  birthYear: options.year - 20 - dice.below(60),
})

function planForm(
  set: SetFacts,
  { dice, style, buttons, plain }: { dice: Dice; style: Style; buttons: boolean; plain: boolean },
): FormPlan {
  const all = set.questions.filter((question) => question.asked)
  const plan: FormPlan = { set: set.id, answers: {}, first: {}, styles: {}, quirks: {}, atReview: [], afterwards: [] }
  // Half of the people lean to good answers, so that both results occur
  const leaning = dice.chance() < 0.5
  // People do not contradict themselves: whoever has no child says so at the first question about children
  const settled = new Set<string>()
  for (const { key, options } of all) {
    const chosen = (leaning && dice.chance() < 0.9 ? options[dice.below(2)] : dice.pick(options))!
    const others = Object.entries(chosen.also ?? {})
    if (plan.answers[key] !== undefined) continue
    if (others.some(([other]) => plan.answers[other] !== undefined)) plan.answers[key] = options.find((option) => !option.also)!.key
    else {
      plan.answers[key] = chosen.key
      for (const [other, option] of others) plan.answers[other] = option
      if (others.length > 0) for (const about of [key, ...others.map(([other]) => other)]) settled.add(about)
    }
  }
  for (const { key } of all) {
    plan.styles[key] = dice.chance() < 0.8 ? style : dice.pick<Style>(buttons ? ['tap', 'number', 'words'] : ['number', 'words'])
  }
  if (plain) return plan

  const questions = all.filter(({ key }) => !settled.has(key))
  const other = (key: string) =>
    dice.pick(questions.find((one) => one.key === key)!.options.filter((one) => one.key !== plan.answers[key] && !one.also)).key
  const quirky = dice.some(questions, 1 + dice.below(4)).toSorted((a, b) => questions.indexOf(a) - questions.indexOf(b))
  const left = new Set(questions.map((question) => question.key))
  for (const question of quirky) {
    const earlier = questions
      .slice(0, questions.indexOf(question))
      .filter(({ key }) => left.has(key) && !quirky.some((one) => one.key === key))
    const type = dice.weighted({ double: 30, two_at_once: 14, change: 16, same: 6, help: 8, away: 10, gibberish: 6, explain: 4, media: 6 })
    if (type === 'two_at_once') plan.quirks[question.key] = { type, first: other(question.key) }
    else if (type === 'gibberish') plan.quirks[question.key] = { type, text: dice.pick(GIBBERISH) }
    else if (type === 'media') plan.quirks[question.key] = { type, kind: dice.pick(['sticker', 'voice', 'image'] as const) }
    else if (type === 'change' || type === 'same') {
      if (earlier.length === 0) continue
      const to = dice.pick(earlier).key
      left.delete(to)
      if (type === 'same') {
        if (buttons) plan.quirks[question.key] = { type: 'same_earlier', to }
        continue
      }
      plan.first[to] = other(to)
      plan.quirks[question.key] = { type: 'change_earlier', to, by: buttons && dice.chance() < 0.6 ? 'old_tap' : 'sua' }
    } else plan.quirks[question.key] = { type }
  }
  for (const when of ['atReview', 'afterwards'] as const) {
    if (dice.chance() >= 0.15) continue
    const free = questions.filter(({ key }) => left.has(key) && plan.quirks[key]?.type !== 'two_at_once' && plan.first[key] === undefined)
    const key = dice.pick(free).key
    left.delete(key)
    plan.first[key] = other(key)
    plan[when].push(key)
  }
  return plan
}

/** Full names that occur once: two people of one name, year and village would be one person to any register. */
function uniqueNames(dice: Dice, count: number): string[] {
  const all = SURNAMES.flatMap((surname) => MIDDLE.flatMap((middle) => GIVEN.map((given) => `${surname} ${middle} ${given}`)))
  const names = dice.some(all, count)
  // Beyond the stock of names with two given names
  for (let more = 0; names.length < count; more++)
    names.push(`${all[more % all.length]} ${GIVEN[Math.floor(more / all.length) % GIVEN.length]}`)
  return names
}
